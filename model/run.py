#!/usr/bin/python3
"""Checks the model of one payment exhaustively with spin, and that breaking a rule is noticed.

    model/run.py            everything (minutes)
    model/run.py --quick    what `./run test` does (smaller settings, all broken rules)
    model/run.py --only T   only the rows whose name contains T

Prints one row for each run and exits 1 if a property fails, a broken rule is not noticed, or something that must be
possible is not. Builds in a temporary directory and leaves nothing behind.
"""

import argparse
import concurrent.futures
import dataclasses
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MODEL = Path(__file__).resolve().parent / "payment.pml"
MEMORY_MB = 3500   # of one run, and two run at a time
MAX_DEPTH = 100_000
STATE_PROPERTIES = "invariants"  # every assertion of the model at once

TWO = "-DGATEWAYS=2"
EARLY = "-DEARLY_INQUIRY"


@dataclasses.dataclass
class Run:
    name: str
    settings: list
    prop: str = STATE_PROPERTIES  # or the name of an LTL formula
    broken: str = ""              # the assertion or formula that must fail; empty: nothing may
    quick: bool = True

    @property
    def live(self):
        return "-DLIVE" in self.settings


def live(faults, *settings):
    return ["-DLIVE", f"-DFAULTS={faults}", f"-DSTARTS={faults + 1}", *settings]


def proofs():
    yield Run("one bank", ["-DBANKS=1", "-DSTARTS=3", TWO, EARLY])
    yield Run("two banks, 2 gateway crashes", ["-DSTARTS=3"])
    yield Run("two banks, 3 gateway crashes", ["-DSTARTS=4"], quick=False)
    yield Run("early inquiry, 1 gateway crash", ["-DSTARTS=2", EARLY])
    yield Run("two live gateways, 2 starts", ["-DSTARTS=2", TWO])
    yield Run("two live gateways, 3 starts", ["-DSTARTS=3", TWO], quick=False)
    yield Run("two live, 3 starts, early inquiry", ["-DSTARTS=3", TWO, EARLY], quick=False)
    # The banks' own check of epochs is a second line of defence: the store's fence alone is enough.
    yield Run("without the banks' check of epochs", ["-DSTARTS=2", TWO, EARLY, "-DBREAK_BANK_EPOCH"])
    for formula in ("termination", "no_orphaned_hold"):
        yield Run("ends: one bank, 1 fault", live(1, "-DBANKS=1"), formula)
        yield Run("ends: one bank, 2 faults", live(2, "-DBANKS=1"), formula)
        yield Run("ends: one bank, 2 faults, two live gateways", live(2, "-DBANKS=1", TWO), formula, quick=False)
        yield Run("ends: two banks, 1 fault", live(1), formula, quick=False)
        yield Run("ends: two banks, 1 fault, two live gateways", live(1, TWO), formula, quick=False)
        yield Run("ends: two banks, 2 faults", live(2), formula, quick=False)


# What is taken out, in which settings, and what must fail.
BROKEN = [
    ("PREPARE_BEFORE_RECORD", ["-DSTARTS=2"], "nothing_lost"),
    ("COMMIT_BEFORE_RECORD", ["-DSTARTS=2"], "agreement|validity"),
    ("VOTE_NOT_DURABLE", ["-DSTARTS=1"], "agreement|validity"),
    ("NO_NOT_DURABLE", ["-DSTARTS=1"], "word_kept"),
    ("COMMIT_WITHOUT_ALL_VOTES", ["-DSTARTS=1"], "agreement|validity"),
    ("TIMEOUT_AFTER_DECISION", ["-DSTARTS=1"], "stability"),
    ("RESTART_ABORTS_DECIDED", ["-DSTARTS=2"], "stability"),
    ("BANK_EXPIRES_HOLD", ["-DSTARTS=1"], "agreement|validity"),
    ("NO_TOMBSTONE", ["-DSTARTS=1"], "word_kept"),
    ("INQUIRY_WITHOUT_RECORD", ["-DSTARTS=1", EARLY], "agreement|validity|told_the_truth"),
    ("COMMIT_POSTS_AGAIN", ["-DSTARTS=1"], "exactly_once"),
    ("COMMIT_DROPS_ROW", ["-DSTARTS=1"], "validity|exactly_once"),
    ("HOLD_NOT_RELEASED", ["-DSTARTS=1"], "exactly_once"),
    ("TOLD_AT_DECISION", ["-DSTARTS=1"], "told_the_truth"),
    ("STORE_FENCE", ["-DSTARTS=2", TWO], "stability"),
    ("EPOCH_NOT_RAISED", ["-DSTARTS=2", TWO], "stability"),
    ("READ_BEFORE_EPOCH", ["-DSTARTS=2", TWO], "stability"),
    ("NO_INQUIRY", live(1, "-DBANKS=1"), "no_orphaned_hold"),
    ("NO_REDELIVERY", live(1, "-DBANKS=1"), "termination"),
    ("RESTART_FORGETS_DECIDED", live(1, "-DBANKS=1"), "termination"),
    ("RESTART_FORGETS_UNDECIDED", live(1, "-DBANKS=1"), "termination"),
]

SEEN = ["COMPLETED", "DECLINED", "LATE_PREPARE", "PARTIAL_COMPLETED", "COMMIT_BY_INQUIRY", "ABORT_BY_INQUIRY", "STALE",
        "FENCED", "PRESUMED_ABORT", "RESTART_ABORTS", "RESTART_DELIVERS"]


# Found only with more faults than the quick part has. Code that lets a succeeded gateway live on is like this one.
BROKEN_SLOW = [
    ("SUCCEEDED_GATEWAY_STAYS", live(2, "-DBANKS=1", TWO), "termination"),
    ("SUCCEEDED_GATEWAY_STAYS", live(2, "-DBANKS=1", TWO), "no_orphaned_hold"),
]


def broken_rules():
    for rule, settings, breaks in BROKEN + BROKEN_SLOW:
        prop = breaks if "-DLIVE" in settings else STATE_PROPERTIES
        yield Run(f"without: {rule}", [*settings, f"-DBREAK_{rule}"], prop, breaks,
                  quick=(rule, settings, breaks) in BROKEN)


def witnesses():
    for what in SEEN:
        yield Run(f"possible: {what}", ["-DSTARTS=2", TWO, EARLY, f"-DSEEN=SEEN_{what}"], broken="what!=SEEN")


@dataclasses.dataclass
class Outcome:
    run: Run
    failed: str  # what pan found wrong; empty: nothing
    states: int
    depth: int
    seconds: float
    complete: bool
    output: str
    trail: str = ""

    @property
    def ok(self):
        if not self.run.broken:
            return self.complete and not self.failed
        if self.run.broken == "what!=SEEN":
            return "!=" in self.failed
        return self.failed in self.run.broken.split("|")


def compile_flags(run, shortest):
    if run.live:
        return ["-DNFAIR=8"]
    return ["-DSAFETY", "-DNOCLAIM"] + (["-DREACH"] if shortest else [])


def execute(run, directory, shortest=False):
    """Builds and runs one verifier in `directory`. Exhaustive: every state is stored in full, none is hashed away."""
    spin = ["spin", "-a", *run.settings, str(MODEL)]
    gcc = ["gcc", "-O0" if run.quick else "-O1", "-w", f"-DMEMLIM={MEMORY_MB}", *compile_flags(run, shortest),
           "-o", "pan", "pan.c"]
    for command in (spin, gcc):
        done = subprocess.run(command, cwd=directory, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"model: {' '.join(command)} failed in the row '{run.name}':\n{done.stdout}{done.stderr}")
    pan = ["./pan", "-n", "-w20", f"-m{MAX_DEPTH}"]
    pan += ["-a", "-f", "-N", run.prop] if run.live else ["-i"] if shortest else []
    started = time.monotonic()
    output = subprocess.run(pan, cwd=directory, capture_output=True, text=True).stdout
    seconds = time.monotonic() - started

    def number(pattern):
        found = re.search(pattern, output)
        return int(float(found.group(1))) if found else 0

    failed = ""
    if found := re.search(r"pan:1: (.*) \(at depth", output):
        failed = found.group(1)
        if assertion := re.match(r"assertion violated (.*)", failed):
            failed = assertion.group(1).strip("()")
        elif failed.startswith("acceptance cycle"):
            failed = run.prop
    complete = "errors: 0" in output and "Search not completed" not in output and "max search depth" not in output
    return Outcome(run, failed, number(r"([\d.e+]+) states, stored"), number(r"depth reached (\d+)"), seconds, complete,
                   output)


# How values of the state variables are called in the model.
VALUES = {
    "row": ["NONE", "INITIATED", "COMMITTING", "PARTIAL", "COMPLETED", "TOMBSTONE", "ABORTED"],
    "bank_row": ["NONE", "PREPARED", "COMMITTED", "3", "4", "5", "ABORTED"],
    "gw": ["DOWN", "STARTING", "UP"],
}
VALUES["gw_state"] = VALUES["row"]
UNTOLD = {"written", "agreement", "validity", "exactly_once", "told_the_truth", "stability", "word_kept", "no_violation",
          "nothing_lost"}


def retell(lines):
    """Spin's replay, one line for each atomic step: the process and the variables that differ afterwards."""
    known, changed, process = {}, {}, ""
    for line in lines:
        if step := re.search(r"proc +(\d+) \((\w+):", line):
            if step.group() != process and changed:
                yield f"  {process[5:].replace('(', '').rstrip(':').strip():24} {', '.join(changed.values())}"
                changed = {}
            process = step.group()
        elif value := re.match(r"\t\t([a-z_]+)(\[\d\])? = (\d+)$", line):
            name, index, number = value.group(1), value.group(2) or "", int(value.group(3))
            if known.get(name + index, 0) != number and name not in UNTOLD:
                known[name + index] = number
                names = VALUES.get(name)
                changed[name + index] = f"{name}{index} = {names[number] if names else number}"
        elif "START OF CYCLE" in line:
            yield "  … and so on for ever:"
    if changed:
        yield f"  {process[5:].replace('(', '').rstrip(':').strip():24} {', '.join(changed.values())}"


def story(run, directory):
    """The counterexample in words; the shortest one where there is a way to get it."""
    if not run.live:
        execute(run, directory, shortest=True)
    replay = ["spin", "-t", "-k", "payment.pml.trail", "-p", "-g", "-B", *run.settings, str(MODEL)]
    lines = subprocess.run(replay, cwd=directory, capture_output=True, text=True).stdout.splitlines()
    steps = list(retell(lines))
    shown = steps if len(steps) <= 80 else steps[:20] + ["    …"] + steps[-60:]
    by_hand = (f"spin -a {' '.join(run.settings)} payment.pml && gcc -O2 {' '.join(compile_flags(run, True))} "
               f"-o pan pan.c && ./pan {'-a -f -N ' + run.prop if run.live else '-i'}; "
               f"spin -t -p -g {' '.join(run.settings)} payment.pml")
    return "\n".join([*shown, "", "To see it again, in a directory with a copy of model/payment.pml:", "  " + by_hand])


def carry_out(run):
    with tempfile.TemporaryDirectory(prefix="strife-model.") as directory:
        outcome = execute(run, directory)
        if outcome.failed and not outcome.ok:
            outcome.trail = story(run, directory)
        return outcome


def verdict(outcome):
    if not outcome.run.broken:
        return "holds" if outcome.ok else f"FAILS: {outcome.failed or 'search not completed'}"
    if outcome.run.broken == "what!=SEEN":
        return "seen" if outcome.ok else "NEVER SEEN"
    return f"noticed: {outcome.failed}" if outcome.ok else f"NOT NOTICED ({outcome.failed or 'nothing failed'})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="leave out the largest settings")
    parser.add_argument("--only", default="", metavar="TEXT", help="only rows whose name contains TEXT")
    arguments = parser.parse_args()
    runs = [run for run in [*proofs(), *broken_rules(), *witnesses()]
            if arguments.only.lower() in run.name.lower() and (run.quick or not arguments.quick)]
    if not runs:
        parser.error(f"no row's name contains '{arguments.only}'")
    print(f"{'configuration':46} {'property':17} {'states':>10} {'depth':>6} {'s':>6}  result", flush=True)
    bad = []
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for outcome in pool.map(carry_out, runs):
            run = outcome.run
            print(f"{run.name:46} {run.prop:17} {outcome.states:10} {outcome.depth:6} {outcome.seconds:6.1f}  "
                  f"{verdict(outcome)}", flush=True)
            if not outcome.ok:
                bad.append(outcome)
    for outcome in bad:
        print(f"\n==> {outcome.run.name}: {verdict(outcome)}\n{outcome.trail or outcome.output}")
    print(f"\nmodel: {len(runs) - len(bad)} of {len(runs)} as they should be")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
