#!/usr/bin/python3
"""Measures Strife beside its yardsticks (docs/performance.md), in turns, and says which targets are met.

    bench/run.py [--rounds 3] [--seconds 8] [--quick] [--only TEXT] [--history N [--accounts N]] [--postgresql FOLDER]

In each round every contender runs once, on fresh temporary directories, so that a machine whose speed wanders is the same
for all; medians and extremes over the rounds are shown. Every run of payments proves its books afterwards or has no result. A whole
run is written to bench/results/latest.json and latest.md and into the README between its markers; --quick and --only write nothing.
Give it a quiet machine. `./run bench` builds what it needs.
"""

import argparse
import datetime
import json
import platform
import re
import signal
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "bench"))
import contenders  # noqa: E402
import history  # noqa: E402
import postgres  # noqa: E402
import yardsticks  # noqa: E402

OUTSTANDING = (1, *yardsticks.OUTSTANDING)
STRIFE = (*(f"{kind}@{n}" for n in OUTSTANDING for kind in ("empty", "pay")), "batch", "half")  # half needs a pay@ before it
RESULTS = ROOT / "bench/results"


def wanted(arguments, *names):
    return any(part in name for part in arguments.only.split(",") for name in names)


def told(sample):
    """A sample in a line."""
    if "ratio_cpu" in sample:
        return f"{sample['ratio_cpu']:,.0f} simulated seconds a second"
    if "seconds" in sample:
        return f"{sample['seconds']:.2f} s"
    if "page" in sample:
        return f"page 1 {sample['first_us'] / 1000:.2f} ms, page {sample['page']} {sample['far_us'] / 1000:.2f} ms"
    latency = sample["latency_us"]
    rate = f"{sample['rate']:>9,.0f}/s   p50 {latency['p50'] / 1000:8.2f} ms   p99 {latency['p99'] / 1000:8.2f} ms"
    return rate + (f"   {sample['cpu_us']:5.0f} µs of CPU each" if "cpu_us" in sample else "")


class Round:
    """One round of all contenders, into `samples`."""

    def __init__(self, number, arguments, samples):
        self.number, self.arguments, self.samples = number, arguments, samples

    def measure(self, name, run):
        if not wanted(self.arguments, name):
            return
        print(f"round {self.number} of {self.arguments.rounds}: {name:<14}", end=" ", flush=True)
        sample = run()
        self.samples.setdefault(name, []).append(sample)
        print(told(sample), flush=True)

    def run(self):
        seconds = self.arguments.seconds
        if wanted(self.arguments, *STRIFE):
            self.strife(seconds)
        self.baselines(seconds)
        self.measure("simulation", lambda: contenders.simulation(seconds))

    def strife(self, seconds):
        with contenders.Network() as network:
            network.start()
            for outstanding in OUTSTANDING:
                self.measure(f"empty@{outstanding}", lambda n=outstanding: network.empty_calls(seconds, n))
                self.measure(f"pay@{outstanding}", lambda n=outstanding: network.pay(seconds, "--outstanding", n))
            self.measure("batch", lambda: network.pay(seconds, "--batch", 256, "--outstanding", 8))
            peak = [self.samples[name][-1]["rate"] for name in yardsticks.PEAK if name in self.samples]
            if peak:
                rate = max(peak) / 2
                self.measure("half", lambda: network.pay(seconds, "--rate", f"{rate:.0f}", "--outstanding", 1024))

    def baselines(self, seconds):
        ways = [(name, *name.split("@")) for name in yardsticks.TWO_PHASE + yardsticks.FUNCTION if wanted(self.arguments, name)]
        if not ways:
            return
        if self.arguments.postgresql is None:
            print(f"round {self.number} of {self.arguments.rounds}: PostgreSQL left out: --postgresql says where it is")
            return
        with postgres.Clusters(self.arguments.postgresql, "gateway", "bank1", "bank2") as where:
            for name, mode, threads in ways:
                places = where if mode == "2pc" else where[:1]
                self.measure(name, lambda m=mode, p=places, t=threads: contenders.postgres(m, p, t, seconds))


def machine():
    def first(pattern, file):
        found = re.search(pattern, Path(file).read_text(), re.M)
        return found.group(1).strip() if found else "unknown"

    return {"processor": first(r"^model name\s*:(.*)", "/proc/cpuinfo"),
            "processors": len(re.findall(r"^processor\s*:", Path("/proc/cpuinfo").read_text(), re.M)),
            "memory_gib": round(int(first(r"^MemTotal:\s*(\d+)", "/proc/meminfo")) / 2**20),
            "kernel": platform.release(), "system": first(r'^PRETTY_NAME="(.*)"', "/etc/os-release")}


def commit():
    def git(*words):
        return subprocess.run(["git", "-C", ROOT, *words], capture_output=True, text=True, check=False).stdout.strip()

    return git("rev-parse", "--short=12", "HEAD") + (" with changes" if git("status", "--porcelain", "-uno") else "")


def heading(result):
    where = result["machine"]
    return (f"{result['date']}, commit {result['commit']}; {where['processors']} × {where['processor']}, "
            f"{where['memory_gib']} GiB, {where['system']}, everything on this machine; {result['rounds']} rounds of "
            f"{result['seconds']} s in turns, medians (and extremes)")


def write_results(result):
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "latest.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    table = yardsticks.markdown(result["yardsticks"])
    (RESULTS / "latest.md").write_text(
        f"# What ./run bench last measured\n\n{heading(result)}.\n\n{table}\n\n"
        f"{yardsticks.costs_markdown(result['costs'])}\n\nWhat the rows mean: docs/performance.md.\n")
    print(f"\nwritten to {RESULTS.relative_to(ROOT)}/latest.json and latest.md")
    readme = ROOT / "README.md"
    text = yardsticks.between_markers(readme.read_text(), f"{heading(result)}:\n\n{table}")
    if text is None:
        print(f"README.md has no place for the table; it would go between {' and '.join(yardsticks.MARKERS)}")
        return
    readme.write_text(text)
    print("README.md has the new table")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured [3]")
    parser.add_argument("--seconds", type=int, default=8, help="how long each run is measured [8]")
    parser.add_argument("--quick", action="store_true", help="one round of 3 s: does it all still work?")
    parser.add_argument("--only", default="", metavar="TEXT", help="only runs whose name contains this, or one of these: pay@64,2pc")
    parser.add_argument("--history", type=int, default=0, metavar="N",
                        help="also measure on books of so many payments; 10000000 takes a while and 12 GB of TMPDIR")
    parser.add_argument("--accounts", type=int, default=1_000_000, help="accounts in those books, at both banks [1000000]")
    parser.add_argument("--postgresql", type=Path, metavar="FOLDER", help="PostgreSQL's programs (tools/postgresql.sh)")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds, arguments.seconds = 1, 3
    if arguments.rounds < 1 or arguments.seconds < 1:
        parser.error("--rounds and --seconds are at least 1")
    return arguments


def main():
    arguments = parse()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell's background job does not have
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as Ctrl-C: what was started ends
    samples, measured_commit = {}, commit()  # now: who waits for the end may go on writing meanwhile
    try:
        for number in range(1, arguments.rounds + 1):
            Round(number, arguments, samples).run()
        if arguments.history and wanted(arguments, *history.NAMES):
            history.measure(arguments, lambda n, name, run: Round(n, arguments, samples).measure(name, run))
    except KeyboardInterrupt:
        print("\nstopped; nothing is written", file=sys.stderr)
        return 130
    except (contenders.Failed, RuntimeError, subprocess.TimeoutExpired) as error:
        print(f"\nbench: {error}", file=sys.stderr)
        return 1
    if not samples:
        print(f"bench: no run has {arguments.only!r} in its name", file=sys.stderr)
        return 2
    rows = yardsticks.compute(samples)
    if rows:
        print("\n" + yardsticks.plain(rows))
    result = {"date": datetime.date.today().isoformat(), "commit": measured_commit, "machine": machine(),
              "rounds": arguments.rounds, "seconds": arguments.seconds, "history": arguments.history, "yardsticks": rows,
              "costs": yardsticks.costs(samples), "samples": samples}
    if not arguments.quick and not arguments.only and arguments.postgresql is not None:
        write_results(result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
