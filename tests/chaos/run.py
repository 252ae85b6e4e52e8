#!/usr/bin/python3
"""Chaos: a network of real processes under load while faults are drawn from a seed; afterwards the books are proved, and what
each client was told is compared with what the banks did, payment by payment.

    tests/chaos/run.py [--minutes N] [--seed S] [--faults kind,…] [--short] [--bin FOLDER]

Exit status 1 when anything was found; then the databases, logs and the record of what was told are kept and their place is
printed.
"""

import argparse
import collections
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
ROUND_S = 150  # of faults, between two audits
RECOVER_S = 120  # from the end of a fault until payments at every bank complete again
SETTLE_S = 120  # from the end of a round until nothing is open


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5, help="how long faults are inflicted [5]")
    parser.add_argument("--seed", type=int, help="repeats a run's faults [drawn and printed]")
    parser.add_argument("--faults", default="", help="kinds to draw from, separated by commas [all]")
    parser.add_argument("--short", action="store_true", help="every kind of fault once, in a fixed order")
    parser.add_argument("--banks", type=int, default=3)
    parser.add_argument("--workers", type=int, default=12, help="payments in flight at most, about [12]")
    parser.add_argument("--bin", type=Path, default=ROOT / "build/release/bin",
                        help="folder of the executables strife and strife_chaos")
    return parser.parse_args()


def listed(counter):
    return ", ".join(f"{count} {what}" for what, count in counter.most_common()) or "none"


class Run:
    def __init__(self, options, kinds):
        from cluster import GATEWAY, Cluster
        from told import Told
        from workload import Workload
        self.options = options
        self.kinds = kinds
        self.seed = options.seed
        self.found = []  # sentences
        self.faults = collections.Counter()
        self.given_up = collections.Counter()
        self.recoveries = []  # (seconds, fault)
        self.rounds = 0
        self.started = time.monotonic()
        self.fault_s = 0.0
        self.told = Told()
        self.cluster = Cluster(options.bin.resolve() / "strife_chaos", banks=options.banks,
                               disk_mb=64 if options.short else 512)
        for name in self.cluster.names:
            if not self.cluster.use_small_disk(name):
                print("note: no file systems can be mounted here; full disks are simulated inside the process")
                break
        rng = random.Random(self.seed)
        for name in self.cluster.names:  # half of the disks forget what was not synced when their process is killed
            if rng.random() < 0.5 or name == GATEWAY:
                self.cluster.database(name).parent.mkdir(parents=True, exist_ok=True)
                self.cluster.database(name).with_name(self.cluster.database(name).name + ".hold").touch()
        for name in self.cluster.names:
            self.cluster.launch(name)
        self.cluster.wait_serving_all()
        self.workload = Workload(self.cluster, self.told, self.seed, options.workers)
        self.workload.start()

    # ---- faults

    def inflict(self, step):
        for fault in step:
            self.say(str(fault))
            self.faults[fault.kind] += 1
            self.attempt(fault, fault.inflict)
        time.sleep(max(fault.hold_s for fault in step))
        for fault in reversed(step):
            self.attempt(fault, fault.heal)

    def attempt(self, fault, action):
        from faults import Violation
        try:
            action(self.cluster)
        except Violation as violation:
            self.complain(f"{fault}: {violation}")
            self.revive()
        except Exception as error:  # noqa: BLE001  # the run ends, but with everything kept
            self.complain(f"{fault}: the test itself failed: {error!r} {traceback.format_exc()}")

    def revive(self):
        """After a violation: whatever is down is started, so that the run goes on."""
        for name, process in self.cluster.processes.items():
            if not process.alive():
                self.cluster.mend_disk(name)
                self.cluster.restart(name)

    def recover(self, step):
        """Waits until payments that were first sent after the faults' end have completed at every bank."""
        began = time.monotonic()
        missing = set(self.cluster.banks)
        while missing:
            self.cluster.check_ends()
            for sent_at, banks in self.workload.take_completions():
                if sent_at >= began:
                    missing -= banks
            if time.monotonic() - began > RECOVER_S:
                self.complain(f"{RECOVER_S} s after {' and '.join(map(str, step))} no payment completes at "
                              f"{', '.join(sorted(missing))}")
                break
            time.sleep(0.02)
        for user in self.workload.users:
            for words in user.given_up[self.given_up[user.user]:]:
                self.say(f"{user.user} gives up a channel: {words}", always=True)
            self.given_up[user.user] = len(user.given_up)
        self.recoveries.append((time.monotonic() - began, " and ".join(map(str, step))))

    def rounds_of_faults(self, steps, seconds):
        end = time.monotonic() + seconds
        round_end = time.monotonic() + ROUND_S
        for step, pause_s in steps:
            began = time.monotonic()
            time.sleep(pause_s)
            self.inflict(step)
            self.recover(step)
            self.fault_s += time.monotonic() - began
            if self.found:
                return
            if time.monotonic() > end:
                break
            if time.monotonic() > round_end:
                self.judge()
                if self.found:
                    return
                round_end = time.monotonic() + ROUND_S
        self.judge()

    # ---- judging

    def judge(self):
        """Everything is healed: waits until nothing is open, then proves the books and compares."""
        from audit import audit
        import network
        self.rounds += 1
        for link in self.cluster.all_links():
            link.heal(drop=False)
        began = time.monotonic()
        if not self.workload.pause(SETTLE_S):
            self.complain(f"{SETTLE_S} s after the last fault the outcomes of {len(self.told.open())} payments are still "
                          f"unknown: {', '.join(self.told.open()[:5])} …")
        try:
            network.wait_until(lambda: not self.cluster.open_work(), "nothing to be open", SETTLE_S)
        except AssertionError:
            left = self.cluster.open_work()
            self.complain(f"{SETTLE_S} s after the last fault {len(left)} transactions are still open: "
                          + "; ".join(f"{key} at {where} {state}" for key, where, state in left[:5]))
        settled_s = time.monotonic() - began
        verdict = self.cluster.verify()
        if verdict.returncode != 0:
            self.complain(f"strife verify: {verdict.stdout.strip()} {verdict.stderr.strip()}")
        orders, answers = self.told.snapshot()
        for violation in audit(self.cluster.books(), orders, answers, network.OPENING_MINOR_UNITS):
            self.complain(f"payment {violation.id} at {violation.where}: {violation.what}")
        for key, what in self.workload.complaints:
            self.complain(f"payment {key}: {what}")
        for surprise in self.cluster.surprises:
            self.complain(surprise)
        self.say(f"round {self.rounds}: {len(orders)} payments compared, settled in {settled_s:.1f} s, "
                 f"{len(self.found)} violations", always=True)
        self.workload.resume()

    def complain(self, sentence):
        self.found.append(sentence)
        print(f"VIOLATION: {sentence}", flush=True)

    def say(self, line, always=False):
        if always or self.options.short or os.environ.get("CHAOS_VERBOSE"):
            print(f"[{time.monotonic() - self.started:6.0f} s] {line}", flush=True)

    # ---- the end

    def summary(self):
        from told import ABORTED, COMPLETED
        orders, answers = self.told.snapshot()
        finals = collections.Counter(self.told.final(key) for key in orders)
        first_unknown = sum(1 for told in answers.values() if told and told[0][0] not in (COMPLETED, ABORTED))
        given_up = [words for user in self.workload.users for words in user.given_up]
        slowest = max(self.recoveries, default=(0, "nothing"))
        lines = [
            f"duration          {(time.monotonic() - self.started) / 60:.1f} min, {self.fault_s / 60:.1f} of it under faults, "
            f"{self.rounds} audits",
            f"payments          {len(orders)}: {finals[COMPLETED]} completed, {finals[ABORTED]} declined or aborted, "
            f"{finals[None]} unknown; {first_unknown} were unknown at first and asked again; "
            f"{self.workload.by_client['strife pay']} by strife pay",
            "answers           " + listed(self.told.counts),
            "refusals          " + listed(self.told.refusals),
            "faults            " + ", ".join(f"{count} {kind}" for kind, count in sorted(self.faults.items())),
            "restarts          " + ", ".join(f"{count} {name}" for name, count in sorted(self.cluster.restarts.items())),
            f"slowest recovery  {slowest[0]:.1f} s after {slowest[1]}",
            f"given up          {len(given_up)} client channels that stayed unavailable{': ' if given_up else ''}"
            f"{given_up[0] if given_up else ''}",
            f"violations        {len(self.found)}",
            f"replay the faults {self.replay()}",
        ]
        print("\n".join(lines), flush=True)

    def replay(self):
        if self.options.short:
            return f"./run chaos --short --seed {self.seed}"
        kinds = "" if not self.options.faults else f" --faults {self.options.faults}"
        return f"./run chaos --minutes {self.options.minutes:g} --seed {self.seed}{kinds}"

    def close(self):
        self.workload.stop()
        if self.found:
            target = Path(tempfile.mkdtemp(prefix="strife-chaos-"))
            self.told.write(target / "told.jsonl")
            (target / "violations.txt").write_text("".join(f"{line}\n" for line in self.found))
            self.cluster.keep(target)
            print(f"kept in {target}: databases, logs, told.jsonl, violations.txt", flush=True)
        elif statuses := [status for status in self.cluster.stop_all() if status != 0]:
            self.found.append(f"SIGTERM at the end: statuses {statuses}")
            print(f"VIOLATION: {self.found[-1]}", flush=True)
        self.cluster.close()


def main():
    options = arguments()
    for executable in ("strife", "strife_chaos"):
        if not (options.bin / executable).exists():
            sys.exit(f"there is no executable {options.bin / executable}; build it with ./run build")
    os.environ["STRIFE_EXECUTABLE"] = str((options.bin / "strife").resolve())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.path[:0] = [str(HERE), str(HERE.parent / "integration")]
    # Between calls Python's gRPC looks at its connections this often; every 5 s otherwise, and a connection being made needs
    # several looks.
    os.environ.setdefault("GRPC_CLIENT_CHANNEL_BACKUP_POLL_INTERVAL_MS", "100")
    import faults
    kinds = [kind for kind in options.faults.split(",") if kind] or sorted(faults.KINDS)
    if unknown := [kind for kind in kinds if kind not in faults.KINDS]:
        sys.exit(f"there is no fault {unknown[0]!r}; there are {', '.join(sorted(faults.KINDS))}")
    if options.seed is None:
        options.seed = 1 if options.short else random.randrange(2**32)
    print(f"chaos: seed {options.seed}, faults {', '.join(kinds)}", flush=True)

    run = Run(options, kinds)
    try:
        rng = random.Random(options.seed)
        if options.short:
            plan = [([faults.KINDS[kind](rng, run.cluster.names)], 0.5) for kind in kinds]
            run.rounds_of_faults(plan, 3600)
        else:
            run.rounds_of_faults(faults.steps(rng, kinds, run.cluster.names), options.minutes * 60)
        run.summary()
    finally:
        run.close()
    return 1 if run.found else 0


if __name__ == "__main__":
    sys.exit(main())
