#!/usr/bin/python3
"""Runs the integration tests and the attacks (tests/security) against a built executable.

    tests/integration/run.py [--strife PATH] [--list] [name…]

A name picks the tests whose full name contains it. STRIFE_KILL_ROUNDS sets how often each process is killed in
test_crashes (4 when not set; 20 is the full measure, STRIFE_KILL_SEED repeats a run's random choices).
"""

import argparse
import os
import signal
import sys
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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--strife", type=Path, default=HERE.parents[1] / "build/release/bin/strife",
                        help="the executable to test")
    parser.add_argument("--list", action="store_true", help="list the tests and stop")
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
    chosen = [t for t in found if not arguments.names or any(name in t.id() for name in arguments.names)]
    if arguments.list:
        print("\n".join(test.id() for test in chosen))
        return 0
    runner = unittest.TextTestRunner(stream=sys.stdout, resultclass=Result, verbosity=0)
    result = runner.run(unittest.TestSuite(suites_by_class(chosen)))
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed if result.testsRun > failed else 0} passed, {failed} failed")
    return 0 if result.wasSuccessful() and result.testsRun else 1


def suites_by_class(tests):
    """Tests of one class side by side, so that the class's network is made once."""
    classes = {}
    for test in tests:
        classes.setdefault(type(test), unittest.TestSuite()).addTest(test)
    return classes.values()


if __name__ == "__main__":
    sys.exit(main())
