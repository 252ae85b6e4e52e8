"""PostgreSQL servers for a measurement: fresh, in a temporary directory, and gone afterwards.

The programs are Debian's, unpacked or installed; no service of the machine is used, started or left.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from contenders import child

INSTALLED = Path("/usr/lib/postgresql/15/bin")
UNPRIVILEGED = "nobody"  # PostgreSQL refuses to run as root
SETTINGS = {
    "listen_addresses": "",
    "fsync": "on",
    "synchronous_commit": "on",
    "max_prepared_transactions": "300",
    "max_connections": "200",
    "max_wal_size": "4GB",  # no checkpoint in the middle of a short run
    "jit": "off",
}
PATIENCE_S = 60
FAST_SHUTDOWN = signal.SIGINT


def as_user():
    """What subprocess needs to run as somebody who is not root."""
    return {"user": UNPRIVILEGED, "group": "nogroup", "extra_groups": []} if os.getuid() == 0 else {}


class Cluster:
    """One server on a Unix socket; `where` is the connection string of its empty database."""

    def __init__(self, programs, directory, name):
        self.name = name
        self.data = directory / name
        self.socket = directory / f"{name}.socket"
        self.log = directory / f"{name}.log"
        self.process = None
        self.socket.mkdir()
        if os.getuid() == 0:
            shutil.chown(self.socket, UNPRIVILEGED, "nogroup")
        made = subprocess.run([programs / "initdb", "-D", self.data, "-U", "bench", "-A", "trust", "-E", "UTF8", "--locale=C",
                               "--no-sync"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                              cwd="/", **as_user())
        if made.returncode != 0:
            raise RuntimeError(f"initdb failed: {made.stderr.strip()}")
        words = [programs / "postgres", "-D", self.data, "-k", self.socket]
        for key, value in SETTINGS.items():
            words += ["-c", f"{key}={value}"]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                                            preexec_fn=lambda: child(FAST_SHUTDOWN), **as_user())
        self.where = f"host={self.socket} user=bench dbname=postgres"

    def wait(self):
        deadline = time.monotonic() + PATIENCE_S
        while "ready to accept connections" not in self.log.read_text(errors="replace"):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {self.log.read_text(errors='replace').strip()[-500:]}")
            time.sleep(0.05)

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(FAST_SHUTDOWN)
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()


class Clusters:
    """As many servers as are named, as a context."""

    def __init__(self, programs, *names):
        self.programs = Path(programs)
        self.names = names
        self.clusters = []

    def __enter__(self):
        self.directory = Path(tempfile.mkdtemp(prefix="strife-postgres-"))
        try:
            self.directory.chmod(0o755)  # the data directories themselves are private
            if os.getuid() == 0:
                shutil.chown(self.directory, UNPRIVILEGED, "nogroup")
            programs = self._reachable_programs()
            for name in self.names:
                self.clusters.append(Cluster(programs, self.directory, name))
            for cluster in self.clusters:
                cluster.wait()
        except BaseException:
            self.__exit__()
            raise
        return [cluster.where for cluster in self.clusters]

    def __exit__(self, *_):
        for cluster in self.clusters:
            cluster.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _reachable_programs(self):
        """Where the other user can run them: a checkout may be somewhere private."""
        if os.getuid() != 0 or self.programs == INSTALLED:
            return self.programs
        copy = self.directory / "root"
        shutil.copytree(self.programs.parents[4], copy, symlinks=True)  # …/usr/lib/postgresql/15/bin
        return copy / self.programs.relative_to(self.programs.parents[4])
