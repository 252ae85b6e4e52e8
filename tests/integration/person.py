"""A person at a terminal: one user with a data directory, who runs the `strife` command."""

import json
import sqlite3
import subprocess
import tempfile
import uuid
from pathlib import Path

from network import PATIENCE_S, STRIFE, clean_environment, new_id


class Person:
    """`network` is where the person is a customer. Logs in with `login`."""

    def __init__(self, network, user, settings=()):
        self.network = network
        self.user = user
        self.home = Path(tempfile.mkdtemp(prefix=f"{user}-", dir=network.directory))
        self.settings = ["--config", network.path / "client.toml", "--data-dir", self.home / "data",
                         "--log-dir", self.home / "logs", "--max-retries", "1", "--retry-delay", "100ms",
                         "--reconnect-interval", "500ms", *settings]

    def command(self, *words):
        return [STRIFE, *map(str, words), *map(str, self.settings)]

    def run(self, *words, timeout_s=PATIENCE_S, stdin=None):
        """Runs the command to its end."""
        return subprocess.run(self.command(*words), input=stdin, stdin=None if stdin else subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=timeout_s, env=clean_environment(), check=False)

    def start(self, *words, stdin=subprocess.DEVNULL):
        """Starts the command; its output goes into a file beside it."""
        with open(self.home / "started.out", "ab") as sink:
            return subprocess.Popen(self.command(*words), stdin=stdin, stdout=sink, stderr=sink,
                                    env=clean_environment())

    def login(self):
        password = self.home / "password"
        password.touch(0o600)
        password.write_text(self.network.passwords[self.user] + "\n")
        done = self.run("login", self.user, "--password-file", password)
        assert done.returncode == 0, done.stderr
        return self

    @staticmethod
    def pay_words(to="bank3/user2", amount="1.00", bank="bank1", payment=None, **more):
        words = ["pay", "--to", to, "--from", bank, "--amount", amount, "--currency", "USD",
                 "--id", payment or new_id()]
        for name, value in more.items():
            words += [f"--{name}", value]
        return words

    def pay(self, *args, **kwargs):
        return self.run(*self.pay_words(*args, **kwargs))

    def queue(self):
        """The queue as `strife queue list` tells it."""
        done = self.run("queue", "list", "--output", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["payments"]

    def flush(self, *words, timeout_s=PATIENCE_S):
        return self.run("queue", "flush", *words, timeout_s=timeout_s)

    @property
    def database(self):
        return self.home / "data" / "outbox.db"

    def rows(self):
        """{id: (sequence, state, payment_state)} straight from the file; empty when there is none."""
        if not self.database.exists():
            return {}
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=30) as connection:
            try:
                rows = connection.execute("SELECT id, sequence, state, payment_state FROM queue").fetchall()
            except sqlite3.OperationalError as error:
                if "no such table" in str(error):  # killed while it was being made
                    return {}
                raise
        return {str(uuid.UUID(bytes=row[0])): row[1:] for row in rows}

    def plant(self, sql, *values):
        """Damages the queue, as a disk or a hand might."""
        with sqlite3.connect(self.database, timeout=30) as connection:
            connection.execute("PRAGMA ignore_check_constraints = ON")
            connection.execute(sql, values)


def bank_states(network, bank):
    """{id: state} of the payments a bank has in its database; 3 is committed."""
    path = network.path / "data" / bank / "bank.db"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30) as connection:
        rows = connection.execute("SELECT id, state FROM transactions WHERE kind = 1").fetchall()
    return {str(uuid.UUID(bytes=row[0])): row[1] for row in rows}


def gateway_order(network, user):
    """Ids of a user's payments in the order in which the gateway took them in."""
    path = network.path / "data" / "gateway" / "gateway.db"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30) as connection:
        rows = connection.execute("SELECT id FROM payments WHERE payer = ? ORDER BY created_at, id", (user,)).fetchall()
    return [str(uuid.UUID(bytes=row[0])) for row in rows]
