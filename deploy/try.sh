#!/usr/bin/env bash
# Boots the units of deploy/systemd under a systemd of their own and tries them: a payment, a reload, a kill, a damaged
# database, a stop. Needs root and a Linux with cgroup 2; nothing of this machine is changed.
#
#   deploy/try.sh [STRIFE]
#
# The systemd runs as process 1 of its own PID, mount, network, IPC, UTS and cgroup namespaces, on an overlay over this
# machine's files that is thrown away. Prints what it saw and leaves with status 1 when something was not as it must be.
set -euo pipefail
here=$(realpath "$(dirname "$0")")
limit_s=300

# ---- inside the namespaces, before systemd

# The folders a container has, in $root.
make_system() {
  local root=$1 folder device
  mount -t proc proc "$root/proc"
  mount -t sysfs -o ro sysfs "$root/sys"
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
  for folder in run dev; do mount -t tmpfs -o mode=755 tmpfs "$root/$folder"; done
  mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
  mkdir "$root/dev/shm" "$root/dev/pts"
  mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
  mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
  ln -s pts/ptmx "$root/dev/ptmx"
  for device in null zero full random urandom tty; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
  done
  ln -s /proc/self/fd "$root/dev/fd"
}

# Everything of this machine that a trial has no use for.
quieten() {
  local root=$1 unit
  for unit in systemd-timesyncd.service systemd-udevd.service systemd-udevd-control.socket systemd-udevd-kernel.socket \
    systemd-udev-trigger.service systemd-modules-load.service systemd-sysctl.service systemd-random-seed.service \
    systemd-logind.service systemd-networkd.service systemd-resolved.service systemd-binfmt.service systemd-pstore.service; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
  done
  : >"$root/etc/fstab"
}

# As a package would install it, and an operator would fill it in.
install_strife() {
  local root=$1 net=$1/root/net name
  install -m 755 "$strife" "$root/usr/bin/strife"
  cp "$here"/systemd/*.service "$root/etc/systemd/system/"
  install -m 644 "$here/systemd/strife.sysusers" "$root/usr/lib/sysusers.d/strife.conf"
  install -m 644 "$here/systemd/strife.tmpfiles" "$root/usr/lib/tmpfiles.d/strife.conf"
  systemd-sysusers --root="$root" strife.conf
  systemd-tmpfiles --root="$root" --create strife.conf
  "$strife" init --dir "$net" --banks 2 --users 2 >/dev/null
  place "$root" strife-gateway gateway gateway "$net/users.json"
  cp "$here/gateway.toml" "$root/etc/strife/gateway/"
  for name in bank1 bank2; do
    cp "$net/bank_data-$name.json" "$net/bank_data.json"
    place "$root" strife-bank "bank-$name" "$name" "$net/bank_data.json"
    sed -e "s/bank1/$name/g" -e "s/:50053/:$((50052 + ${name#bank}))/" "$here/bank.toml" >"$root/etc/strife/bank-$name/bank.toml"
  done
}

# place ROOT USER FOLDER CERTIFICATE PRIVATE_FILE
place() {
  local folder=$1/etc/strife/$3 user group
  user=$(chroot "$1" id -u "$2") group=$(chroot "$1" id -g "$2")
  install -d -m 750 -g "$group" "$folder"
  install -m 644 "$1/root/net/certs/ca.crt" "$1/root/net/certs/ca.crl" "$1/root/net/certs/$4.crt" "$folder/"
  install -m 600 -o "$user" -g "$group" "$1/root/net/certs/$4.key" "$5" "$folder/"
}

boot() {
  local work=$1 root=$1/root
  mount --make-rprivate /
  mount -t tmpfs tmpfs "$work"
  mkdir "$work/upper" "$work/work" "$root"
  mount -t overlay overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/work" "$root"
  make_system "$root"
  ip link set lo up
  quieten "$root"
  install_strife "$root"
  cp "$here/try.sh" "$root/root/try.sh"
  cat >"$root/etc/systemd/system/trial.service" <<'UNIT'
[Unit]
Requires=basic.target
After=basic.target
[Service]
Type=oneshot
Environment=HOME=/root
WorkingDirectory=/root/net
StandardOutput=append:/out/report
StandardError=inherit
ExecStart=/bin/bash /root/try.sh --inside
ExecStartPost=/bin/touch /out/passed
ExecStopPost=/bin/systemctl --force --force poweroff
UNIT
  mkdir "$root/out" "$root/old"
  mount --bind "$work.out" "$root/out"
  cd "$root"
  pivot_root . old # systemd makes user namespaces, which a chroot may not
  umount -l /old
  exec env -i container=trial PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --unit=trial.service --log-target=console
}

# ---- inside, under systemd

units=(strife-gateway.service strife-bank@bank1.service strife-bank@bank2.service)

failed() {
  echo "FAILED: $*"
  tail -n 10 /out/log
  systemctl status --no-pager "${units[@]}" || true
  exit 1
}

must() {
  echo "  $*"
  "$@" >>/out/log 2>&1 || failed "$*"
}

# Tries again until it is so, for half a minute.
eventually() {
  local deadline=$((SECONDS + 30))
  until "$@" >>/out/log 2>&1; do
    [ $SECONDS -lt $deadline ] || failed "$*"
    sleep 0.2
  done
  echo "  $*"
}

# must_be UNIT PROPERTY VALUE
must_be() {
  local found
  found=$(systemctl show -P "$2" "$1")
  echo "  $1 $2=$found"
  [ "$found" = "$3" ] || failed "$2 must be $3"
}

pay() {
  eventually strife pay --from bank1 --to bank2/user2 --amount 1.00 --currency USD --config client.toml --max-retries 10
}

inside() {
  local unit main
  echo "== systemd finds nothing wrong with the units, and how much it thinks they are open to (0 to 10)"
  must systemd-analyze verify "${units[@]}"
  for unit in "${units[@]:0:2}"; do systemd-analyze security --no-pager "$unit" | grep Overall; done
  echo "== started: each says itself when it serves"
  must systemctl start "${units[@]}"
  for unit in "${units[@]}"; do must_be "$unit" ActiveState active; done
  awk -F, 'NR == 2 { print $2 }' passwords.csv >password
  chmod 600 password
  eventually strife login user1 --password-file password --config client.toml --max-retries 10
  pay
  main=$(systemctl show -P MainPID strife-gateway)
  echo "== what the gateway's process may do"
  grep -E 'Uid|CapEff|CapBnd|NoNewPrivs|Seccomp:' "/proc/$main/status"
  grep core "/proc/$main/limits"
  echo "== reload"
  must systemctl reload "${units[@]}"
  eventually grep -q event=reloaded /var/log/strife/gateway/gateway.log
  echo "== killed: comes back by itself"
  kill -KILL "$main"
  pay
  must_be strife-gateway.service NRestarts 1
  echo "== damaged database: stays down, for a person to look at"
  must systemctl stop strife-bank@bank2
  printf 'no database' >/var/lib/strife/bank-bank2/bank.db
  ! systemctl start strife-bank@bank2 2>>/out/log || failed "it started"
  must_be strife-bank@bank2.service ActiveState failed
  must_be strife-bank@bank2.service NRestarts 0
  journalctl --no-pager -o cat -u strife-bank@bank2 | grep damaged
  echo "== stopped"
  must systemctl stop strife-gateway strife-bank@bank1
  must_be strife-gateway.service Result success
}

# ---- outside

main() {
  local work group
  strife=$(realpath "${1:-$here/../build/release/bin/strife}")
  work=$(mktemp -d "${TMPDIR:-/tmp}/strife-trial.XXXXXX")
  mkdir "$work.out"
  group=$(findmnt -n -t cgroup2 -o TARGET | head -n 1)/strife-trial-$$
  mkdir "$group"
  # shellcheck disable=SC2064 # the values of now
  trap "echo $$ >'$group/../cgroup.procs'; find '$group' -depth -type d -exec rmdir {} +; rm -rf '$work' '$work.out'" EXIT
  echo $$ >"$group/cgroup.procs"
  timeout -k 5 "$limit_s" unshare --mount --pid --fork --kill-child --uts --ipc --net --cgroup \
    bash "$here/try.sh" --boot "$work" "$strife" >"$work.out/console" 2>&1 || true
  cat "$work.out/report" || true
  if [ ! -e "$work.out/passed" ]; then
    tail -n 40 "$work.out/console" >&2
    echo "try.sh: the units did not do what they must" >&2
    exit 1
  fi
  echo "== all as it must be"
}

case ${1:-} in
  --boot)
    strife=$3
    boot "$2"
    ;;
  --inside) inside ;;
  *) main "$@" ;;
esac
