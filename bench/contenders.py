"""What is measured: each function runs one contender once and returns what it printed, as a dictionary.

Every process is started here and ended here, whatever happens.
"""

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/integration"))
from ports import free_port_base  # noqa: E402

PROGRAMS = ROOT / "build/release/bin"
PATIENCE_S = 120


class Failed(Exception):
    """A contender did not do what it should; there is no result."""


def child(last_signal=signal.SIGTERM):
    """In a new process: gets this signal when its parent ends, however that ends; Ctrl-C is the parent's to deal with."""
    os.setsid()
    ctypes.CDLL(None).prctl(1, last_signal)  # PR_SET_PDEATHSIG


def run(*words, patience_s=PATIENCE_S):
    """Runs a program to its end and returns its standard output."""
    process = subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, preexec_fn=child)
    try:
        output, errors = process.communicate(timeout=patience_s)
    except BaseException:
        process.kill()
        process.communicate()
        raise
    if process.returncode != 0:
        last = (errors.strip() or output.strip() or "it says nothing").splitlines()[-1]
        raise Failed(f"{Path(words[0]).name} {words[1]} ended with status {process.returncode}: {last}")
    return output


def last_json(text):
    return json.loads(text[text.index("{"):])


class Network:
    """A network of Strife's in a temporary directory; runs between start and stop, gone at the end of the context."""

    def __init__(self, banks=2, users=64):
        self.banks, self.users = banks, users
        self.process = None

    def __enter__(self):
        self.directory = Path(tempfile.mkdtemp(prefix="strife-bench-"))
        self.path = self.directory / "net"
        try:
            base = self.port_base = free_port_base(2 * (self.banks + 1) + 1)
            self.spare_port = base + 2 * (self.banks + 1)
            run(PROGRAMS / "strife", "init", "--dir", self.path, "--banks", self.banks, "--users", self.users,
                "--port-base", base, "--metrics-port-base", base + self.banks + 1)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def start(self):
        """Returns when every server serves."""
        self.log = self.directory / "up.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([str(PROGRAMS / "strife"), "up", "--dir", str(self.path)],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=child)
        deadline = time.monotonic() + PATIENCE_S
        while "The network is up" not in self.log.read_text():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Failed(f"the network did not start: {self.log.read_text().strip()[-500:]}")
            time.sleep(0.02)

    def stop(self):
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def restart(self):
        """kill -9 of all servers at once, then how long until each serves again."""
        pids = [int(file.read_text()) for file in (self.path / "run").glob("*.pid")]
        if len(pids) != 1 + self.banks:
            raise Failed(f"not every server runs: there are {len(pids)} pid files")
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        self.process.wait(PATIENCE_S)
        started = time.monotonic()
        self.start()
        return {"seconds": time.monotonic() - started}

    def pay(self, seconds, *flags):
        """strife bench pay; its own verification included. Payments per second are in `rate`."""
        result = last_json(run(PROGRAMS / "strife", "bench", "pay", "--dir", self.path, "--seconds", seconds,
                               "--warm-up", "1s", "--output", "json", *flags, patience_s=seconds + PATIENCE_S))
        proved = result["verified"] or "--no-verify" in flags
        if not proved or result["unresolved"] or result["failures"]:
            raise Failed(f"strife bench pay {' '.join(map(str, flags))}: not every payment was made: {result['failures']}")
        result["offered"] = result["rate"]
        result["cpu_us"] = sum(process["cpu_us_per_payment"] for process in result["processes"])
        return {**result, "rate": result["payments_per_second"]}

    def empty_calls(self, seconds, outstanding):
        """Calls that do nothing, with this network's certificates; it need not run."""
        result = last_json(run(PROGRAMS / "empty_call_bench", self.path, outstanding, seconds, self.spare_port))
        return {**result, "rate": result["calls_per_second"]}


def postgres(mode, where, threads, seconds):
    result = last_json(run(PROGRAMS / "postgres_bench", mode, *where, threads, seconds))
    return {**result, "rate": result["payments_per_second"]}


def simulation(seconds):
    """Simulated networks under faults, on one processor."""
    seeds = 40 * seconds
    return last_json(run(PROGRAMS / "strife", "sim", "--scenario", ROOT / "tests/scenarios/everything.toml", "--seeds",
                         f"1..{seeds}", "--output", "json"))
