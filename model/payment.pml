/* One payment between two banks, as docs/protocol.md describes it and src/protocol/ implements it.
 *
 * R1 … R13 are the rules of docs/protocol.md. README.md says how this is checked and what it leaves out.
 *
 * A step here is one engine cycle: an input is taken, records are made durable, and then messages leave. It is one
 * atomic step with crash points inside, at the place where a real process can die: after the commit, and after each
 * message. Nothing is lost by that: as messages may be delayed for ever, a message sent later is one delivered later.
 *
 * The network comes in two kinds.
 *   (default)  A message once sent stays on its way: it may be delivered never, at any time, any number of times and in
 *              any order. That is loss, duplication, delay and reordering without any bound. For safety.
 *   LIVE       A message is delivered once, unless one of FAULTS faults loses it or delivers it twice. For termination,
 *              which needs an end of faults.
 *
 * Settings (-D)
 *   BANKS=1|2      1: payer and payee at the same bank, one participant (R12)
 *   GATEWAYS=1|2   2: a gateway may be started while another one lives, which may then go on (R9)
 *   STARTS=n       how often a gateway is started in all: n - 1 crashes or takeovers
 *   FAULTS=n       with LIVE: crashes, takeovers, lost and repeated messages in all
 *   EARLY_INQUIRY  a bank that does not say for which store it prepared may ask before it has prepared (R7)
 *   BREAK_…        takes one rule out: run.py shows that each of them is missed
 *   SEEN_…         claims that something never happens which must be able to happen: run.py shows that each is refuted
 */

#ifndef BANKS
#define BANKS 2
#endif
#ifndef GATEWAYS
#define GATEWAYS 1
#endif
#ifndef STARTS
#define STARTS 3
#endif
#ifndef FAULTS
#define FAULTS 2
#endif

#define ALL_BANKS ((1 << BANKS) - 1)

/* ---- What is on disk ---- */

#define NONE 0
/* of the gateway's payment row */
#define INITIATED 1
#define COMMITTING 2
#define PARTIAL 3
#define COMPLETED 4
#define TOMBSTONE 5 /* ABORTED, but left by an inquiry about an id nobody had submitted (R7) */
/* of a bank's transaction row */
#define PREPARED 1
#define COMMITTED 2
/* of both */
#define ABORTED 6

byte row = NONE;  /* the payment, at the gateway; with its order, so also the idempotency record (R2) */
byte epoch = 0;   /* of the gateway's store: number of the latest incarnation (R9) */

byte bank_row[BANKS];   /* the transaction, at each bank */
byte bank_epoch[BANKS]; /* highest epoch seen for it (R9) */
byte holds[BANKS];      /* amounts set aside for it: the account row's `held` or `incoming` */
byte posted[BANKS];     /* times its leg is in the ledger */

#define DECIDED_COMMIT(r) (r == COMMITTING || r == PARTIAL || r == COMPLETED)
#define DECIDED_ABORT(r) (r == ABORTED || r == TOMBSTONE)

/* ---- What gateway processes know: gone with a crash ---- */

#define DOWN 0
#define STARTING 1 /* has raised the epoch, has not read the rows */
#define UP 2

byte gw[GATEWAYS];       /* DOWN, STARTING or UP */
byte gw_epoch[GATEWAYS];
byte gw_state[GATEWAYS]; /* of the payment while it is open here; NONE: not open, look into the store */
byte gw_heard[GATEWAYS]; /* banks that voted YES, or after the decision, confirmed the commit */

/* What a bank knows beyond its rows decides nothing: prepared transactions are rows, and when to ask is left open. */

/* ---- What is on its way ---- */

/* Sets of epochs, by bank: commands carry the epoch of their gateway, and a reply reaches only the process that sent the
 * command. There is no reply to abort: R7 lets the gateway stop at any time, with or without it. */
byte prepare[BANKS], commit[BANKS], abort[BANKS];
byte yes[BANKS], no[BANKS], done[BANKS];
byte told_commit[BANKS], told_abort[BANKS]; /* answers to inquiries, by epoch of the gateway that answered */
bool inquiry[BANKS];                        /* names the store it prepared for */
#ifdef EARLY_INQUIRY
bool early_inquiry[BANKS];                  /* names none */
#endif

#define IN(set, e) ((set >> (e)) & 1)
#define SEND(set, e) set = set | (1 << (e))
#define REMOVE(set, e) set = set & (255 - (1 << (e)))

/* ---- What was said and seen: only for the properties ---- */

bool client_completed, client_aborted; /* what the client has been told */
byte refused;                          /* banks that have acknowledged an abort or said NO */

/* ---- Faults ---- */

#ifdef LIVE
byte faults = FAULTS;
#define CRASH_LEFT (faults > 0)
#define SPEND faults--
#define TAKE(set, e) \
  if \
  :: REMOVE(set, e) \
  :: faults > 0 -> SPEND /* and it comes again */ \
  fi
#define TAKE_FLAG(flag) \
  if \
  :: flag = false \
  :: faults > 0 -> SPEND \
  fi
#else
#define CRASH_LEFT (epoch < STARTS)
#define SPEND skip
#define TAKE(set, e) skip
#define TAKE_FLAG(flag) skip
#endif

#ifdef LIVE
#define LIVE_ONLY true
#else
#define LIVE_ONLY false
#endif

/* ---- What must be possible: the proof is not of a model in which nothing happens ---- */

#define SEEN_COMPLETED 1
#define SEEN_DECLINED 2          /* a bank's NO aborts */
#define SEEN_LATE_PREPARE 3      /* a tombstone refuses a prepare */
#define SEEN_PARTIAL_COMPLETED 4
#define SEEN_COMMIT_BY_INQUIRY 5
#define SEEN_ABORT_BY_INQUIRY 6
#define SEEN_STALE 7             /* a bank refuses a lower epoch */
#define SEEN_FENCED 8            /* the store refuses a succeeded gateway */
#define SEEN_PRESUMED_ABORT 9
#define SEEN_RESTART_ABORTS 10
#define SEEN_RESTART_DELIVERS 11
#ifdef SEEN
#define WITNESS(what) assert(what != SEEN)
#else
#define WITNESS(what) skip
#endif

/* ---- Properties that hold in every state ---- */

hidden byte agreement, validity, exactly_once, told_the_truth, stability, word_kept, no_violation, nothing_lost;

#define LAST (BANKS - 1)

/* No bank has committed where another, or the gateway, has aborted. */
#define AGREEMENT \
  (!((bank_row[0] == COMMITTED || bank_row[LAST] == COMMITTED || DECIDED_COMMIT(row)) && \
     (bank_row[0] == ABORTED || bank_row[LAST] == ABORTED || DECIDED_ABORT(row))))

/* What is decided as commit was voted for by every bank, durably, and can still be carried out; and no bank commits
 * before the gateway has decided. */
#define READY(b) (bank_row[b] == PREPARED || bank_row[b] == COMMITTED)
#define VALIDITY \
  ((!DECIDED_COMMIT(row) || (READY(0) && READY(LAST))) && \
   ((bank_row[0] != COMMITTED && bank_row[LAST] != COMMITTED) || DECIDED_COMMIT(row)))

/* At most one effect at each bank, and a hold is there exactly while the transaction is prepared. */
#define BOOKED_ONCE(b) (posted[b] == (bank_row[b] == COMMITTED) && holds[b] == (bank_row[b] == PREPARED))
#define EXACTLY_ONCE (BOOKED_ONCE(0) && BOOKED_ONCE(LAST))

/* COMPLETED: both legs posted. ABORTED: none, nor later. */
#define TOLD_THE_TRUTH \
  (!(client_completed && client_aborted) && \
   (!client_completed || (bank_row[0] == COMMITTED && bank_row[LAST] == COMMITTED)) && \
   (!client_aborted || (bank_row[0] != COMMITTED && bank_row[LAST] != COMMITTED)))

/* Every state is a state in which this process could move. */
proctype Auditor() {
end:
  do
  :: atomic { !AGREEMENT -> agreement = false; assert(agreement) }
  :: atomic { !VALIDITY -> validity = false; assert(validity) }
  :: atomic { !EXACTLY_ONCE -> exactly_once = false; assert(exactly_once) }
  :: atomic { !TOLD_THE_TRUTH -> told_the_truth = false; assert(told_the_truth) }
  od
}

/* ---- Gateway: storing and speaking ---- */

#define OWNER(i) (gw_epoch[i] == epoch)
#define OPEN_OR_STORED(i) (gw_state[i] != NONE -> gw_state[i] : row)

inline gateway_gone(i) {
#ifdef LIVE
  /* Its calls end with it. */
  REMOVE(yes[0], gw_epoch[i]);
  REMOVE(no[0], gw_epoch[i]);
  REMOVE(done[0], gw_epoch[i]);
  REMOVE(yes[LAST], gw_epoch[i]);
  REMOVE(no[LAST], gw_epoch[i]);
  REMOVE(done[LAST], gw_epoch[i]);
#endif
  gw[i] = DOWN;
  gw_epoch[i] = 0;
  gw_state[i] = NONE;
  gw_heard[i] = 0;
}

/* R1 and R9: makes `new` durable, unless a later incarnation owns the store; then this process ends, having said
 * nothing. `written` tells which. */
hidden byte written;
inline store(i, new) {
  if
#ifndef BREAK_STORE_FENCE
  :: !OWNER(i) ->
     WITNESS(SEEN_FENCED);
     written = false;
     gateway_gone(i)
#endif
  :: else ->
     written = true;
     stability = (!DECIDED_COMMIT(row) || DECIDED_COMMIT(new)) && (!DECIDED_ABORT(row) || new == row) &&
                 (row != COMPLETED || new == COMPLETED);
     assert(stability);
     row = new
  fi
}

/* R1: what is sent before it is durable. Nothing, unless a switch breaks the rule. */
#if defined(BREAK_PREPARE_BEFORE_RECORD)
#define SPEAKS_FIRST(new) (new == INITIATED)
#elif defined(BREAK_COMMIT_BEFORE_RECORD)
#define SPEAKS_FIRST(new) (new == COMMITTING)
#else
#define SPEAKS_FIRST(new) false
#endif

inline send_command(i, new, b) {
  if
  :: new == INITIATED -> SEND(prepare[b], gw_epoch[i])
  :: DECIDED_COMMIT(new) -> SEND(commit[b], gw_epoch[i])
  :: new == ABORTED -> SEND(abort[b], gw_epoch[i])
  fi
}

/* The command of a phase to each bank of `to`, and a crash before any of them. */
inline send_commands(i, new, to) {
  n = 0;
  do
  :: n == BANKS -> break
  :: n < BANKS && !IN(to, n) -> n++
  :: n < BANKS && IN(to, n) -> send_command(i, new, n); n++
#ifdef LIVE
  :: n < BANKS && IN(to, n) && faults > 0 -> SPEND; n++ /* lost */
#endif
  :: n < BANKS && CRASH_LEFT -> SPEND; gateway_gone(i); break
  od
}

/* Enters the phase of state `new`: durable first, then said to the banks of `to`. */
inline enter(i, new, to) {
  if
  :: SPEAKS_FIRST(new) ->
     send_commands(i, new, to);
     if
     :: gw[i] != DOWN -> store(i, new)
     :: gw[i] != DOWN -> gateway_gone(i)
     :: else
     fi
  :: else ->
     store(i, new);
     if
     :: written -> send_commands(i, new, to)
     :: else
     fi
  fi;
  if
  :: gw[i] != DOWN ->
     gw_state[i] = new;
     gw_heard[i] = 0
  :: else
  fi
}

/* A reply leaves after its record. It may be lost, or its sender die in between, which comes to the same. */
inline reply(set, e) {
#ifdef LIVE
  if
  :: SEND(set, e)
  :: faults > 0 -> SPEND
  fi
#else
  SEND(set, e)
#endif
}

/* The answer to whoever submitted is durable like everything; whether it arrives is open. */
inline tell_client(what) {
  if
  :: what = true
  :: skip
  fi
}

/* R4. `to` leaves out banks that have said NO or were never asked. */
inline decide_abort(i, to) {
  store(i, ABORTED);
  if
  :: written ->
     tell_client(client_aborted);
     gw_state[i] = ABORTED;
     gw_heard[i] = 0;
     send_commands(i, ABORTED, to);
#ifndef LIVE
     gw_state[i] = NONE /* nothing more can come of it: the aborts stay on their way */
#endif
  :: else
  fi
}

/* ---- Gateway: processes. One for each thing that can happen, so that fairness holds for each. ---- */

/* A takeover from a living gateway is a fault, a restart is not. */
#if GATEWAYS == 2 && defined(LIVE)
#define MAY_START(i) (gw[1 - i] == DOWN || faults > 0)
#else
#define MAY_START(i) true
#endif

/* R9, R10: an incarnation raises the epoch, then reads what its predecessors left, then speaks. */
proctype GatewayStarts(byte i) {
  byte n;
end:
  do
  :: atomic {
       gw[i] == DOWN && epoch < STARTS && MAY_START(i) ->
#if GATEWAYS == 2 && defined(LIVE)
       if
       :: gw[1 - i] != DOWN -> SPEND
       :: else
       fi;
#endif
#ifdef BREAK_READ_BEFORE_EPOCH
       gw_state[i] = row;
#else
#ifdef BREAK_EPOCH_NOT_RAISED
       if
       :: epoch == 0 -> epoch++
       :: else
       fi;
#else
       epoch++;
#endif
       gw_epoch[i] = epoch;
#endif
       gw[i] = STARTING
     }
  :: atomic {
       gw[i] == STARTING ->
       gw[i] = UP;
#ifdef BREAK_READ_BEFORE_EPOCH
       if
       :: epoch == STARTS -> gateway_gone(i); goto next
       :: else -> epoch++; gw_epoch[i] = epoch
       fi;
#else
       gw_state[i] = row;
#endif
       if
#ifdef BREAK_RESTART_ABORTS_DECIDED
       :: gw_state[i] == INITIATED || gw_state[i] == COMMITTING || gw_state[i] == PARTIAL ->
#else
       :: gw_state[i] == INITIATED ->
#endif
          WITNESS(SEEN_RESTART_ABORTS);
#ifdef BREAK_RESTART_FORGETS_UNDECIDED
          gw_state[i] = NONE
#else
          decide_abort(i, ALL_BANKS)
#endif
#ifndef BREAK_RESTART_ABORTS_DECIDED
       :: gw_state[i] == COMMITTING || gw_state[i] == PARTIAL ->
          WITNESS(SEEN_RESTART_DELIVERS);
#ifdef BREAK_RESTART_FORGETS_DECIDED
          gw_state[i] = NONE
#else
          enter(i, gw_state[i], ALL_BANKS)
#endif
#endif
       :: else -> gw_state[i] = NONE
       fi
     }
next: skip
#if defined(LIVE) && !defined(BREAK_SUCCEEDED_GATEWAY_STAYS)
  /* An assumption, not yet a rule: a gateway that has been succeeded ends. The code sees to that only when it writes. */
  :: atomic { gw[i] == UP && !OWNER(i) -> gateway_gone(i) }
#endif
  od
}

/* The client submits the payment, or submits it again: R2, "asking again with the same id tells". */
proctype ClientAsks(byte i) {
  byte n;
end:
  do
  :: atomic {
       gw[i] == UP && OPEN_OR_STORED(i) == NONE ->
       enter(i, INITIATED, ALL_BANKS)
     }
  :: atomic { /* R11: a bank is offline, nobody is asked */
       gw[i] == UP && OPEN_OR_STORED(i) == NONE ->
       decide_abort(i, 0)
     }
  :: atomic { gw[i] == UP && OPEN_OR_STORED(i) == COMPLETED && !client_completed -> client_completed = true }
  :: atomic { gw[i] == UP && OPEN_OR_STORED(i) == ABORTED && !client_aborted -> client_aborted = true }
  :: atomic { /* "this id belongs to another payment" */
       gw[i] == UP && OPEN_OR_STORED(i) == TOMBSTONE && !client_aborted -> client_aborted = true
     }
  od
}

/* Replies of a bank. One to an earlier phase changes nothing: R4 for a vote. */
proctype GatewayHears(byte i; byte b) {
  byte n;
end:
  do
  :: atomic {
       gw[i] == UP && IN(yes[b], gw_epoch[i]) && (LIVE_ONLY || (gw_state[i] == INITIATED && !IN(gw_heard[i], b))) ->
       TAKE(yes[b], gw_epoch[i]);
       if
       :: gw_state[i] == INITIATED ->
          SEND(gw_heard[i], b);
          if
#ifdef BREAK_COMMIT_WITHOUT_ALL_VOTES
          :: true -> enter(i, COMMITTING, ALL_BANKS)
#else
          :: gw_heard[i] == ALL_BANKS -> enter(i, COMMITTING, ALL_BANKS)
#endif
#ifdef BREAK_TOLD_AT_DECISION
             ; client_completed = true
#endif
          :: else
          fi
       :: else
       fi
     }
  :: atomic {
       gw[i] == UP && IN(no[b], gw_epoch[i]) && (LIVE_ONLY || gw_state[i] == INITIATED) ->
       TAKE(no[b], gw_epoch[i]);
       if
       :: gw_state[i] == INITIATED -> WITNESS(SEEN_DECLINED); decide_abort(i, ALL_BANKS & (255 - (1 << b)))
       :: else
       fi
     }
  :: atomic { /* R5: confirmed everywhere is COMPLETED */
       gw[i] == UP && IN(done[b], gw_epoch[i]) && (LIVE_ONLY || (DECIDED_COMMIT(gw_state[i]) && !IN(gw_heard[i], b))) ->
       TAKE(done[b], gw_epoch[i]);
       if
       :: DECIDED_COMMIT(gw_state[i]) ->
          SEND(gw_heard[i], b);
          if
          :: gw_heard[i] == ALL_BANKS ->
             if
             :: gw_state[i] == PARTIAL -> WITNESS(SEEN_PARTIAL_COMPLETED)
             :: else
             fi;
             store(i, COMPLETED);
             if
             :: written -> WITNESS(SEEN_COMPLETED); gw_state[i] = NONE; gw_heard[i] = 0; tell_client(client_completed)
             :: else
             fi
          :: else
          fi
       :: else
       fi
     }
  od
}

/* Time passes: R4 before the decision, R5 after it. R13: when, decides nothing, so it may be at once. */
proctype GatewayTimesOut(byte i) {
  byte n;
end:
  do
  :: atomic {
       gw[i] == UP && gw_state[i] == INITIATED ->
       decide_abort(i, ALL_BANKS)
     }
  :: atomic {
       gw[i] == UP && gw_state[i] == COMMITTING ->
#ifdef BREAK_TIMEOUT_AFTER_DECISION
       decide_abort(i, ALL_BANKS);
#else
       store(i, PARTIAL);
       if
       :: written -> gw_state[i] = PARTIAL
       :: else
       fi;
#endif
     }
#ifdef LIVE
  :: atomic { /* R7: an abort need not be confirmed; the gateway stops when it is, or has tried often enough */
       gw[i] == UP && gw_state[i] == ABORTED -> gw_state[i] = NONE
     }
#endif
  od
}

#ifdef LIVE
#define ON_ITS_WAY(i, b) \
  ((gw_state[i] == INITIATED && (IN(prepare[b], gw_epoch[i]) || IN(yes[b], gw_epoch[i]) || IN(no[b], gw_epoch[i]))) || \
   (DECIDED_COMMIT(gw_state[i]) && (IN(commit[b], gw_epoch[i]) || IN(done[b], gw_epoch[i]))) || \
   (gw_state[i] == ABORTED && IN(abort[b], gw_epoch[i])))

#ifdef BREAK_NO_REDELIVERY
#define DELIVERS(state) (!DECIDED_COMMIT(state))
#else
#define DELIVERS(state) true
#endif

/* R5: a command without answer is sent again. In the other kind of network it is still on its way. */
proctype GatewaySendsAgain(byte i; byte b) {
end:
  do
  :: atomic {
       gw[i] == UP && gw_state[i] != NONE && !IN(gw_heard[i], b) && !ON_ITS_WAY(i, b) && DELIVERS(gw_state[i]) ->
       send_command(i, gw_state[i], b)
     }
  od
}
#endif

/* R6, R7: a bank asks what was decided. The answer comes from the open payment or from the row; both are durable. */
proctype GatewayIsAsked(byte i; byte b) {
end:
  do
  :: atomic {
       gw[i] == UP && inquiry[b] ->
       TAKE_FLAG(inquiry[b]);
       if
       :: DECIDED_COMMIT(OPEN_OR_STORED(i)) -> reply(told_commit[b], gw_epoch[i])
       :: DECIDED_ABORT(OPEN_OR_STORED(i)) -> reply(told_abort[b], gw_epoch[i])
       :: OPEN_OR_STORED(i) == INITIATED
       :: OPEN_OR_STORED(i) == NONE -> /* R7: "by R2 there was a record", so this never happens */
          d_step { nothing_lost = false; assert(nothing_lost) }
       fi
     }
#ifdef EARLY_INQUIRY
  :: atomic { /* R7: the abort is on record before it is said */
       gw[i] == UP && early_inquiry[b] ->
       TAKE_FLAG(early_inquiry[b]);
       if
       :: DECIDED_COMMIT(OPEN_OR_STORED(i)) -> reply(told_commit[b], gw_epoch[i])
       :: DECIDED_ABORT(OPEN_OR_STORED(i)) -> reply(told_abort[b], gw_epoch[i])
       :: OPEN_OR_STORED(i) == INITIATED
       :: OPEN_OR_STORED(i) == NONE ->
#ifdef BREAK_INQUIRY_WITHOUT_RECORD
          reply(told_abort[b], gw_epoch[i])
#else
          WITNESS(SEEN_PRESUMED_ABORT);
          store(i, TOMBSTONE);
          if
          :: written && CRASH_LEFT -> SPEND; gateway_gone(i)
          :: written -> reply(told_abort[b], gw_epoch[i])
          :: else
          fi
#endif
       fi
     }
#endif
  od
}

/* ---- Bank ---- */

inline bank_store(b, new) {
  stability = (bank_row[b] != COMMITTED || new == COMMITTED) && (bank_row[b] != ABORTED || new == ABORTED);
  assert(stability);
  bank_row[b] = new
}

inline see_epoch(b, e) {
  if
  :: e > bank_epoch[b] -> bank_epoch[b] = e
  :: else
  fi
}

#ifdef BREAK_BANK_EPOCH
#define STALE(b, e) false
#else
#define STALE(b, e) (bank_row[b] != NONE && e < bank_epoch[b])
#endif

/* A commit or an abort contradicts the bank's row: refused, and never to be seen among honest parties (R8). */
inline violation() {
  no_violation = false;
  assert(no_violation)
}

inline do_commit(b) {
  posted[b]++;
#ifndef BREAK_HOLD_NOT_RELEASED
  holds[b]--;
#endif
#ifdef BREAK_COMMIT_DROPS_ROW
  bank_row[b] = NONE
#else
  bank_store(b, COMMITTED)
#endif
}

inline do_abort(b) {
  holds[b]--;
  SEND(refused, b);
  bank_store(b, ABORTED)
}

/* R3, R8, R9: what the gateway of epoch `e` commands. */
proctype BankIsTold(byte b; byte e) {
end:
  do
  :: atomic {
       IN(prepare[b], e) ->
       TAKE(prepare[b], e);
       if
       :: STALE(b, e) -> WITNESS(SEEN_STALE)
       :: else ->
          see_epoch(b, e);
          if
          :: bank_row[b] == NONE -> /* YES: what it needs is set aside */
             word_kept = !IN(refused, b);
             assert(word_kept);
#ifdef BREAK_VOTE_NOT_DURABLE
             if
             :: SEND(yes[b], e) /* and dies before it is written */
             :: SEND(yes[b], e); holds[b]++; bank_store(b, PREPARED)
             fi
#else
             holds[b]++;
             bank_store(b, PREPARED);
             reply(yes[b], e)
#endif
          :: bank_row[b] == NONE -> /* NO: no such account, no money */
#ifndef BREAK_NO_NOT_DURABLE
             bank_store(b, ABORTED);
#endif
             SEND(refused, b);
             reply(no[b], e)
          :: bank_row[b] == ABORTED ->
             if
             :: !IN(no[b], e) -> WITNESS(SEEN_LATE_PREPARE)
             :: else
             fi;
             reply(no[b], e)
          :: bank_row[b] == PREPARED || bank_row[b] == COMMITTED -> reply(yes[b], e)
          fi
       fi
     }
  :: atomic {
       IN(commit[b], e) ->
       TAKE(commit[b], e);
       if
       :: STALE(b, e) -> WITNESS(SEEN_STALE)
       :: else ->
          see_epoch(b, e);
          if
          :: bank_row[b] == PREPARED -> do_commit(b); reply(done[b], e)
#ifdef BREAK_COMMIT_POSTS_AGAIN
          :: bank_row[b] == COMMITTED -> posted[b]++; reply(done[b], e)
#else
          :: bank_row[b] == COMMITTED -> reply(done[b], e)
#endif
          :: bank_row[b] == NONE || bank_row[b] == ABORTED -> violation()
          fi
       fi
     }
  :: atomic {
       IN(abort[b], e) ->
       TAKE(abort[b], e);
       if
       :: STALE(b, e) -> WITNESS(SEEN_STALE)
       :: else ->
          see_epoch(b, e);
          if
          :: bank_row[b] == PREPARED -> do_abort(b)
          :: bank_row[b] == NONE ->
             SEND(refused, b);
#ifdef BREAK_NO_TOMBSTONE
             bank_epoch[b] = 0
#else
             bank_store(b, ABORTED)
#endif
          :: bank_row[b] == ABORTED
          :: bank_row[b] == COMMITTED -> violation()
          fi
       fi
     }
  od
}

/* R6: the gateway's answer ends a prepared transaction, and nothing else. */
inline take_answer(b, e) {
  do
  :: IN(told_commit[b], e) ->
     TAKE(told_commit[b], e);
     if
     :: bank_row[b] == PREPARED && !STALE(b, e) ->
        WITNESS(SEEN_COMMIT_BY_INQUIRY);
        see_epoch(b, e);
        do_commit(b)
     :: else
     fi;
     break
  :: IN(told_abort[b], e) ->
     TAKE(told_abort[b], e);
     if
     :: bank_row[b] == PREPARED && !STALE(b, e) ->
        WITNESS(SEEN_ABORT_BY_INQUIRY);
        see_epoch(b, e);
        do_abort(b)
     :: else
     fi;
     break
  :: e < STARTS && !(LIVE_ONLY && IN((told_commit[b] | told_abort[b]), e)) -> e++
  :: else -> break
  od
}

/* R6: a prepared transaction is asked about, sooner or later, again and again. */
proctype BankAsks(byte b) {
  byte e;
end:
  do
#ifndef BREAK_NO_INQUIRY
  :: atomic {
       bank_row[b] == PREPARED && !inquiry[b] && told_commit[b] == 0 && told_abort[b] == 0 ->
#ifdef LIVE
       if
       :: inquiry[b] = true
       :: faults > 0 -> SPEND /* lost */
       fi
#else
       inquiry[b] = true
#endif
     }
#endif
#ifdef EARLY_INQUIRY
  :: atomic {
       bank_row[b] == NONE && !early_inquiry[b] && told_commit[b] == 0 && told_abort[b] == 0 ->
       early_inquiry[b] = true
     }
#endif
#ifdef BREAK_BANK_EXPIRES_HOLD
  :: atomic { bank_row[b] == PREPARED -> do_abort(b) }
#endif
  :: atomic {
       (told_commit[b] | told_abort[b]) != 0 && (LIVE_ONLY || bank_row[b] == PREPARED) ->
       e = 1;
       take_answer(b, e);
       e = 0
     }
  od
}

/* ---- Crashes ---- */

/* Nobody is fair to this one: it may do nothing. A bank that crashes loses the calls to it and its own; its rows are all
 * it needs. In the other kind of network that is delay, and the crash cannot be told from it. */
#define CALLS(b) \
  (prepare[b] | commit[b] | abort[b] | yes[b] | no[b] | done[b] | told_commit[b] | told_abort[b] | inquiry[b])

inline bank_gone(b) {
  prepare[b] = 0;
  commit[b] = 0;
  abort[b] = 0;
  yes[b] = 0;
  no[b] = 0;
  done[b] = 0;
  told_commit[b] = 0;
  told_abort[b] = 0;
  inquiry[b] = false
}

proctype Crashes() {
end:
  do
  :: atomic { CRASH_LEFT && gw[0] != DOWN -> SPEND; gateway_gone(0) }
#if GATEWAYS == 2
  :: atomic { CRASH_LEFT && gw[1] != DOWN -> SPEND; gateway_gone(1) }
#endif
#ifdef LIVE
  :: atomic { CRASH_LEFT && CALLS(0) != 0 -> SPEND; bank_gone(0) }
#if BANKS == 2
  :: atomic { CRASH_LEFT && CALLS(1) != 0 -> SPEND; bank_gone(1) }
#endif
#endif
  od
}

#ifdef LIVE
/* A state in which nothing else can happen lasts for ever: without this, spin's search under fairness passes it over. */
proctype TimePasses() {
end:
  do
  :: written = false /* any step that leaves the state as it is */
  od
}

/* Everything ends: the payment has an outcome, and the client knows it … */
ltl termination { <>[] ((row == COMPLETED || DECIDED_ABORT(row)) && (client_completed || client_aborted)) }
/* … and no bank keeps anything set aside. */
ltl no_orphaned_hold { <>[] (holds[0] == 0 && holds[LAST] == 0) }
#endif

init {
  byte i, b, e;
  atomic {
    for (i : 0 .. GATEWAYS - 1) {
      run GatewayStarts(i);
      run ClientAsks(i);
      run GatewayTimesOut(i);
      for (b : 0 .. LAST) {
        run GatewayHears(i, b);
        run GatewayIsAsked(i, b);
#ifdef LIVE
        run GatewaySendsAgain(i, b);
#endif
      }
    }
    for (b : 0 .. LAST) {
      run BankAsks(b);
      for (e : 1 .. STARTS) {
        run BankIsTold(b, e);
      }
    }
    run Auditor();
    run Crashes();
#ifdef LIVE
    run TimePasses();
#endif
    i = 0;
    b = 0;
    e = 0
  }
}
