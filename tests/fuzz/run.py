#!/usr/bin/python3
"""Fuzzes: each target for its share of the time, starting from its corpus and from what earlier runs have found worth keeping.

What crashes a target is written to build/fuzz/crashes/TARGET; status 1. Once it is repaired, put that file, made small and
given a name that says what it is, into tests/fuzz/corpus/TARGET: then every run of the unit tests tries it again.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build" / "fuzz"
CORPUS = Path(__file__).resolve().parent / "corpus"

MEMORY_MB = 2048       # a target that takes more has a finding
INPUT_SECONDS = 10     # as has one that takes longer over one input
INPUT_BYTES = 4096
OPTIONS = {
    # Values are compared with what the code looks for, which helps with short text.
    "amount": ["-use_value_profile=1"],
    "text": ["-use_value_profile=1"],
    "command_text": ["-use_value_profile=1"],
}


def targets():
    return sorted(path.name.removesuffix("_fuzz.cc") for path in Path(__file__).parent.glob("*_fuzz.cc"))


def fuzz(target, seconds, scratch):
    """Runs one target; returns (inputs tried, edges covered, whether it crashed)."""
    found = BUILD / "corpus" / target
    crashes = BUILD / "crashes" / target
    for folder in (found, crashes):
        folder.mkdir(parents=True, exist_ok=True)
    command = [str(BUILD / "bin" / f"{target}_fuzz"), f"-max_total_time={seconds}", f"-timeout={INPUT_SECONDS}",
               f"-rss_limit_mb={MEMORY_MB}", f"-max_len={INPUT_BYTES}", "-print_final_stats=1",
               f"-artifact_prefix={crashes}/", *OPTIONS.get(target, []), str(found), str(CORPUS / target)]
    environment = {**os.environ, "TMPDIR": scratch, "UBSAN_OPTIONS": "print_stacktrace=1",
                   # The sandbox of a container may not let the leak checker trace.
                   "ASAN_OPTIONS": "detect_leaks=0:" + os.environ.get("ASAN_OPTIONS", "")}
    log = crashes / "log"
    with log.open("wb") as output:
        status = subprocess.run(command, env=environment, stdout=output, stderr=subprocess.STDOUT, check=False)
    text = log.read_text(encoding="utf-8", errors="replace")
    tried = re.findall(r"number_of_executed_units: (\d+)", text)
    covered = re.findall(r"cov: (\d+)", text)
    if status.returncode != 0:
        print(text[-6000:])
    else:
        log.unlink()
    return int(tried[-1]) if tried else 0, int(covered[-1]) if covered else 0, status.returncode != 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=1, help="for all targets together [1]")
    parser.add_argument("--only", metavar="TARGET", action="append", choices=targets(),
                        help="only this one; may be given again")
    arguments = parser.parse_args()
    chosen = arguments.only or targets()
    seconds = max(1, round(arguments.minutes * 60 / len(chosen)))
    memory = Path("/dev/shm")
    failed = []
    with tempfile.TemporaryDirectory(prefix="strife-fuzz.", dir=memory if memory.is_dir() else None) as scratch:
        for target in chosen:
            tried, covered, crashed = fuzz(target, seconds, scratch)
            print(f"{target:18} {seconds:5} s {tried:10} inputs {covered:6} edges{'   CRASHED' if crashed else ''}",
                  flush=True)
            if crashed:
                failed.append(target)
            for left in Path(scratch).iterdir():
                shutil.rmtree(left, ignore_errors=True)
    if failed:
        print(f"fuzz: {len(failed)} of {len(chosen)} targets crashed: {', '.join(failed)}; inputs and logs are in "
              f"{BUILD / 'crashes'}", file=sys.stderr)
        return 1
    print(f"fuzz: {len(chosen)} targets, nothing found")
    return 0


if __name__ == "__main__":
    sys.exit(main())
