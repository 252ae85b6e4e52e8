#!/usr/bin/python3
"""Runs the integration tests and the attacks (tests/security) against a built executable.

    tests/integration/run.py [--strife PATH] [--jobs N] [--list] [name…]

A name picks the tests whose full name contains it. Each class of tests runs in a process of its own on a network of its own,
N of them at a time; what a class has to say is printed when it has ended. STRIFE_KILL_ROUNDS sets how often each process is
killed in test_crashes (4 when not set; 20 is the full measure, STRIFE_KILL_SEED repeats a run's random choices).
"""

import argparse
import concurrent.futures
import os
import signal
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
FOLDERS = (HERE, HERE.parent / "security")


class Result(unittest.TextTestResult):
    """One line a test: its claim, ok or not, and how long it took."""

    def startTest(self, test):
        self.started = time.monotonic()
        unittest.TestResult.startTest(self, test)
        module, _, name = test.id().partition(".")
        self.stream.write(f"{module.removeprefix('test_')}: {name.split('.')[-1].removeprefix('test_')} … ")
        self.stream.flush()

    def _line(self, verdict):
        self.stream.writeln(f"{verdict} ({time.monotonic() - self.started:.1f} s)")
        self.stream.flush()

    def addSuccess(self, test):
        unittest.TestResult.addSuccess(self, test)
        self._line("ok")

    def addFailure(self, test, err):
        unittest.TestResult.addFailure(self, test, err)
        self._line("FAILED")

    def addError(self, test, err):
        unittest.TestResult.addError(self, test, err)
        if hasattr(self, "started"):
            self._line("FAILED")


def each(suite):
    for item in suite:
        yield from each(item) if isinstance(item, unittest.TestSuite) else (item,)


def class_name(test):
    return f"{type(test).__module__}.{type(test).__qualname__}"


def by_class(tests):
    """Tests of one class together, so that the class's network is made once."""
    classes = {}
    for test in tests:
        classes.setdefault(class_name(test), []).append(test)
    return classes


def run_here(tests):
    runner = unittest.TextTestRunner(stream=sys.stdout, resultclass=Result, verbosity=0)
    result = runner.run(unittest.TestSuite(map(unittest.TestSuite, by_class(tests).values())))
    return 0 if result.wasSuccessful() and result.testsRun else 1


class Children:
    """One process for each class of tests, `jobs` at a time."""

    def __init__(self, strife):
        self.command = [sys.executable, str(Path(__file__).resolve()), "--strife", str(strife), "--jobs", "1", "--exactly"]
        self.lock = threading.Lock()
        self.running = set()
        self.stopped = False

    def run_class(self, tests):
        with self.lock:
            if self.stopped:
                return 1
            child = subprocess.Popen([*self.command, *(test.id() for test in tests)], stdin=subprocess.DEVNULL,
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
            self.running.add(child)
        output, _ = child.communicate()
        with self.lock:
            self.running.discard(child)
            sys.stdout.write(output)
            sys.stdout.flush()
        return child.returncode

    def run(self, tests, jobs):
        classes = by_class(tests)
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            try:
                statuses = list(pool.map(self.run_class, classes.values()))
            except BaseException:
                self.stop()
                raise
        failed = [name for name, status in zip(classes, statuses) if status != 0]
        print(f"{len(tests)} tests in {len(classes)} classes; " +
              (f"failed: {', '.join(failed)}" if failed else "all passed"))
        return 1 if failed or not tests else 0

    def stop(self):
        """SIGTERM lets each child take its servers down."""
        with self.lock:
            self.stopped = True
            for child in self.running:
                child.terminate()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--strife", type=Path, default=HERE.parents[1] / "build/release/bin/strife",
                        help="the executable to test")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="classes of tests at a time")
    parser.add_argument("--list", action="store_true", help="list the tests and stop")
    parser.add_argument("--exactly", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    if not arguments.strife.exists():
        parser.error(f"there is no executable {arguments.strife}; build it with ./run build")
    os.environ["STRIFE_EXECUTABLE"] = str(arguments.strife.resolve())
    # So that a stopped run takes its servers with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))

    sys.path.insert(0, str(HERE))
    found = [test for folder in FOLDERS
             for test in each(unittest.TestLoader().discover(str(folder), top_level_dir=str(folder)))]
    if arguments.exactly:
        chosen = [t for t in found if t.id() in arguments.names]
    else:
        chosen = [t for t in found if not arguments.names or any(name in t.id() for name in arguments.names)]
    if arguments.list:
        print("\n".join(test.id() for test in chosen))
        return 0
    if arguments.jobs == 1:
        return run_here(chosen)
    return Children(arguments.strife.resolve()).run(chosen, arguments.jobs)


if __name__ == "__main__":
    sys.exit(main())
