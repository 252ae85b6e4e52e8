#!/usr/bin/env bash
# The demonstration: a network of real processes pays, refuses, crashes, recovers and proves its books.
#
# Every command shown is the one that runs. Exit status 0 only when everything held. Needs build/release/bin/strife.
set -euo pipefail
cd "$(dirname "$0")/.."

export PATH="$PWD/build/release/bin:$PATH"
python=/usr/bin/python3
unset "${!STRIFE_@}"
mkdir -p build
work=$(mktemp -d "$PWD/build/demo.XXXXXX")
cd "$work"

if [ -t 1 ]; then
  bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
else
  bold='' dim='' green='' red='' plain=''
fi

declare -A pids=()
step_number=0
checks=0

cleanup() {
  local status=$? pid
  trap - EXIT INT TERM
  for pid in "${pids[@]}" ${paying:+"$paying"}; do
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  cd /
  if [ $status -eq 0 ]; then
    rm -rf "$work"
  else
    printf '%sThe demonstration did not hold (status %d). What it left is in %s%s\n' "$red" $status "$work" "$plain" >&2
  fi
  exit $status
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# ---- Telling ---------------------------------------------------------------------------------------------------------

step() {
  step_number=$((step_number + 1))
  printf '\n%s%d. %s%s\n' "$bold" $step_number "$1" "$plain"
}

say() {
  printf '%s%s%s\n' "$dim" "$*" "$plain"
}

show() {
  printf '%s$ %s%s\n' "$bold" "$*" "$plain"
}

held() {
  checks=$((checks + 1))
  printf '%s✓ %s%s\n' "$green" "$*" "$plain"
}

broken() {
  printf '%s✗ %s%s\n' "$red" "$*" "$plain" >&2
  exit 1
}

# quoted ARGUMENT…: as it would be typed.
quoted() {
  local word out=()
  for word in "$@"; do
    if [[ $word =~ ^[A-Za-z0-9_./:=@%+,-]+$ ]]; then out+=("$word"); else out+=("\"$word\""); fi
  done
  printf '%s' "${out[*]}"
}

# run COMMAND…: shows it, runs it, and goes on only when it succeeds.
run() {
  show "$(quoted "$@")"
  "$@" || broken "exit status $?, expected 0: $(quoted "$@")"
}

# refused STATUS WORDS COMMAND…: must end with that status and say something that contains WORDS.
refused() {
  local expected=$1 words=$2 status=0 said
  shift 2
  show "$(quoted "$@")"
  said=$("$@" 2>&1) || status=$?
  printf '%s\n' "$said"
  [ $status -eq "$expected" ] || broken "exit status $status, expected $expected"
  [[ $said == *"$words"* ]] || broken "the answer does not mention \"$words\""
}

# until_true SECONDS WHAT COMMAND…: polls a condition; gives up after a while.
until_true() {
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $deadline ] || broken "waited in vain for $what"
    sleep 0.05
  done
}

# json EXPRESSION: evaluates a Python expression over `data`, the JSON on standard input.
json() {
  "$python" -c 'import json, sys; data = json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"
}

# ---- Servers ---------------------------------------------------------------------------------------------------------

port_of() {
  case $1 in gateway) echo "$port" ;; *) echo $((port + ${1#bank})) ;; esac
}

listening() {
  (exec 3<>"/dev/tcp/127.0.0.1/$(port_of "$1")") 2>/dev/null
}

start() {
  local name=$1 role=bank config=net/bank-$1.toml
  [ "$name" != gateway ] || role=gateway config=net/gateway.toml
  show "strife $role --config $config &"
  strife $role --config "$config" >>"$name.out" 2>&1 </dev/null &
  pids[$name]=$!
  until_true 30 "$name to listen; see $work/$name.out" listening "$name"
}

crash() {
  local name=$1
  show "kill -KILL ${pids[$name]}    # $name"
  kill -KILL "${pids[$name]}"
  wait "${pids[$name]}" 2>/dev/null || true
  unset "pids[$name]"
}

# The first of 200 tries at which the gateway's port and those of three banks are free.
free_port() {
  "$python" - <<'PY'
import random, socket
for _ in range(200):
    base, held = random.randrange(20000, 31000), []
    try:
        for port in range(base, base + 4):
            held.append(socket.socket())
            held[-1].bind(("127.0.0.1", port))
        print(base)
        break
    except OSError:
        pass
    finally:
        for one in held:
            one.close()
PY
}

# be USER: the commands that follow are this user's. Each has a client configuration, and with it a session, of their own.
# Not STRIFE_DATA_DIR: a server started from the same shell would take it for its own.
be() {
  if [ ! -e "net/client-$1.toml" ]; then
    show "sed s,data/client,data/client-$1, net/client.toml >net/client-$1.toml"
    sed "s,data/client,data/client-$1," net/client.toml >"net/client-$1.toml"
  fi
  show "export STRIFE_CONFIG=net/client-$1.toml"
  export STRIFE_CONFIG=net/client-$1.toml
}

# available BANK: what the present user may spend there, in minor units.
available() {
  strife balance "$1" --output json | json 'data["balances"][0]["available"]["minor_units"]'
}

login() {
  be "$1"
  show "grep ^$1, net/passwords.csv | cut -d, -f2 | strife login $1"
  grep "^$1," net/passwords.csv | cut -d, -f2 | strife login "$1" || broken "$1 could not log in"
}

# payments COUNT PAYER BANK…: a payments file, from the payer's accounts at these banks to everybody else's accounts.
payments() {
  "$python" - "$@" <<'PY'
import random, sys
count, payer, *banks = sys.argv[1:]
accounts = [f"{bank}/user{k}" for k in range(1, 9) for bank in (f"bank{(k - 1) % 3 + 1}", f"bank{k % 3 + 1}")
            if f"user{k}" != payer]
print("from_bank,to,amount,currency,memo")
for number in range(int(count)):
    amount = random.randint(1, 99)
    print(f"{banks[number % len(banks)]},{random.choice(accounts)},0.{amount:02d},USD,payslip {number + 1}")
PY
}

# outcomes FILE COUNT: how many payments of a result file ended how; fails unless there are COUNT and all have ended.
# The last row about a line is the one that counts.
outcomes() {
  "$python" - "$@" <<'PY'
import collections, csv, sys
state = {row["line"]: row["state"] for row in csv.DictReader(open(sys.argv[1]))}
counts = collections.Counter(state.values())
print(", ".join(f"{n} {name}" for name, n in sorted(counts.items())))
sys.exit(len(state) != int(sys.argv[2]) or not set(counts) <= {"COMPLETED", "ABORTED"})
PY
}

# completed: how many completed payments the gateway has logged.
completed() {
  grep -c COMPLETED net/logs/gateway/transactions.log || true
}

more_completed_than() {
  [ "$(completed)" -gt "$1" ]
}

# file_has_ended FILE COUNT: runs the file again until every payment has ended; what has ended is not sent again.
file_has_ended() {
  strife pay --file "$1" >"$1.out" 2>&1 </dev/null || true
  outcomes "$1.result.csv" "$2"
}

# crash_under_load NAME FILE: pays a file, kills the server in the middle, starts it again, shows how each payment ended.
crash_under_load() {
  local name=$1 file=$2 count status=0 told
  count=$(($(wc -l <"$file") - 1))
  show "strife pay --file $file --max-retries 8 --retry-delay 500ms &"
  local enough=$(($(completed) + 200))
  strife pay --file "$file" --max-retries 8 --retry-delay 500ms >"$file.out" 2>&1 </dev/null &
  paying=$!
  until_true 60 "payments to be under way" more_completed_than $enough
  kill -0 "$paying" 2>/dev/null || broken "all payments had ended before the crash: nothing was shown"
  crash "$name"
  start "$name"
  wait "$paying" || status=$?
  paying=''
  say "strife pay ended with status $status. The same file again asks about what is open; what has ended is not sent again."
  show "strife pay --file $file"
  until_true 60 "every payment to end" file_has_ended "$file" "$count"
  cat "$file.out"
  told=$(outcomes "$file.result.csv" "$count") || broken "not every payment has ended: $told"
  held "$count payments, $name killed in the middle, every one ended: $told"
}

# ---- The demonstration -----------------------------------------------------------------------------------------------

paying=''
port=$(free_port)
say "Strife: a payment gateway and three banks, each a process of its own with its own database, mutual TLS between them."

step "A network: an authority, certificates, users, accounts, configuration"
run strife init --dir net --banks 3 --users 8 --port-base "$port"

step "One gateway, three banks"
for name in gateway bank1 bank2 bank3; do start $name; done

step "Two users log in; user1 has accounts at bank1 and bank2, user2 at bank2 and bank3"
login user2
until_true 30 "the banks to register" strife balance
login user1
run strife balance

step "A payment between two banks"
before=$(available bank1)
id=$("$python" -c 'import uuid; print(uuid.uuid4())')
run strife pay --from bank1 --to bank3/user2 --amount 250.00 --currency USD --memo "rent" --id "$id"
[ "$(available bank1)" -eq $((before - 25000)) ] || broken "250.00 should have left bank1"
be user2
run strife balance bank3
[ "$(available bank3)" -eq 1025000 ] || broken "250.00 should have arrived at bank3"
be user1
held "250.00 USD left bank1 and arrived at bank3"

step "A payment within one bank"
run strife pay --from bank2 --to bank2/user2 --amount 12.50 --currency USD --memo "lunch"
held "both accounts are at bank2: one participant, both legs"

step "The same id again is not paid again; the first outcome is shown"
before=$(available bank1)
run strife pay --from bank1 --to bank3/user2 --amount 250.00 --currency USD --memo "rent" --id "$id"
refused 1 TRANSACTION_ID_REUSED strife pay --from bank1 --to bank3/user2 --amount 999.00 --currency USD --memo "rent" --id "$id"
[ "$(available bank1)" -eq "$before" ] || broken "the repeat moved money"
held "one id, one effect; with another amount it is refused"

step "What the account does not hold is declined by its bank"
refused 1 AM04 strife pay --from bank1 --to bank3/user2 --amount 1000000.00 --currency USD
held "insufficient funds (AM04), nothing moved"

step "Somebody else's account cannot be debited"
refused 1 AG01 strife pay --from bank3/user2 --to bank1/user1 --amount 10.00 --currency USD
held "user1 may not pay from user2's account"

step "A payroll: 1,000 payments over all banks"
show "head -3 payroll.csv"
payments 1000 user1 bank1 bank2 >payroll.csv
head -3 payroll.csv
run strife pay --file payroll.csv
told=$(outcomes payroll.csv.result.csv 1000) || broken "not every payment has ended: $told"
held "1,000 payments: $told"

step "The gateway is killed while payments are in flight"
payments 4000 user1 bank1 bank2 >during-gateway-crash.csv
crash_under_load gateway during-gateway-crash.csv

step "A bank is killed while payments are in flight"
payments 4000 user1 bank1 bank2 >during-bank-crash.csv
crash_under_load bank2 during-bank-crash.csv

step "The books: every payment against every bank, leg by leg"
run strife verify --dir net
held "the books agree"

be user1 >/dev/null
printf '\n%s%d claims held in %d s.%s One network, %s payments, two crashes, nothing lost and nothing made.\n' \
  "$green" $checks $SECONDS "$plain" "$(strife history --limit 100000 --output json | json 'len(data["payments"])')"
