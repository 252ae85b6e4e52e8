"""Attack 32: malformed and hostile data files and databases. Each gets one clear sentence, or no attention; never a crash."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import unittest
from pathlib import Path

from load import Load
from network import PATIENCE_S, STRIFE, Network, clean_environment, run_strife, wait_until

SEED = 20260101
DAMAGED_FILES = 5       # of each database; tests/fuzz tries many more, against the same code without the process
LONGEST_SENTENCE = 1000

# What stands where a text file should be.
CONTENTS = {
    "nothing": b"",
    "bytes": bytes(range(256)) * 16,
    "nulls": bytes(4096),
    "nesting": b"[" * 100_000,
    "an escape sequence": b'"\x1b[2J\x1b]0;owned\x07" = 1\n{"\x1b[2J": 1, "\x1b[2J": 2}',
    "no UTF-8": b'{"users": ["\xff\xfe"], "accounts": ["\xc0\xaf"]}\nlisten = "\xff"',
    "huge numbers": b'{"users": 1e999999, "accounts": 123456789012345678901234567890}\nlisten = 1e999999',
}


class HostileFiles(unittest.TestCase):
    """A network that has worked and is stopped. Each attempt gets a copy of it."""

    @classmethod
    def setUpClass(cls):
        cls.network = Network(banks=2, users=2)
        cls.addClassCleanup(cls.network.close)
        cls.network.start()
        load = Load(cls.network.clients())
        load.run(20, lambda: None, more=0)
        load.settle()
        assert cls.network.stop() == [0] * 3

    def copy(self):
        path = Path(tempfile.mkdtemp(prefix="hostile-", dir=self.network.directory)) / "net"
        shutil.copytree(self.network.path, path)
        self.addCleanup(shutil.rmtree, path, ignore_errors=True)
        return path

    @staticmethod
    def command(path, name):
        role, config = ("gateway", "gateway.toml") if name == "gateway" else ("bank", f"bank-{name}.toml")
        return [role, "--config", path / config]

    @staticmethod
    def database(path, name):
        return path / "data" / name / ("gateway.db" if name == "gateway" else "bank.db")

    def assert_one_sentence(self, ended, naming):
        self.assertIn(ended.returncode, (1, 2), f"status {ended.returncode}: {ended.stderr}")
        lines = ended.stderr.strip().splitlines()
        self.assertEqual(len(lines), 1, f"not one sentence: {ended.stderr!r}")
        self.assertLess(len(lines[0]), LONGEST_SENTENCE)
        self.assertTrue(lines[0].isprintable(), repr(lines[0]))
        self.assertIn(str(naming), lines[0])
        self.assertNotIn("assertion", lines[0])

    def assert_serves_or_says_why(self, path, name):
        """Starts the server and stops it again once it has begun to serve. Returns what it said, "" when it served."""
        output = path / "said"
        with output.open("wb") as sink:
            server = subprocess.Popen([STRIFE, *map(str, self.command(path, name))], stdin=subprocess.DEVNULL,
                                      stdout=sink, stderr=sink, env=clean_environment(), cwd="/")
        self.addCleanup(lambda: server.poll() is not None or server.kill())
        log = path / "logs" / name / ("gateway.log" if name == "gateway" else "bank.log")
        started = log.read_text().count("event=started") if log.exists() else 0
        # A server that says in its log that it has started has read what it must; SIGTERM then waits until it serves.
        wait_until(lambda: server.poll() is not None or log.read_text().count("event=started") > started,
                   f"{name} to start or to say why not")
        if server.poll() is None:
            server.send_signal(signal.SIGTERM)
        server.wait(PATIENCE_S)
        said = output.read_text(errors="replace").strip()
        self.assertIn(server.returncode, (0, 1), f"status {server.returncode}: {said}")
        if server.returncode == 1:
            self.assertTrue(said.isprintable() or "\n" in said, repr(said))
            self.assertIn(self.database(path, name).name, said)
        self.assertNotIn("assertion", said)
        return said if server.returncode else ""

    # ---- files

    def test_HostileFiles_InTheConfigurationsPlaces_AreNamed(self):
        places = {"gateway": ("gateway.toml", "users.json", "certs/ca.crt", "certs/ca.crl", "certs/gateway.crt",
                              "certs/gateway.key"),
                  "bank1": ("bank-bank1.toml", "bank_data-bank1.json", "certs/ca.crl", "certs/bank1.key")}
        for name, files in places.items():
            path = self.copy()
            for file in files:
                kept = (path / file).read_bytes()
                for what, content in CONTENTS.items():
                    with self.subTest(file=file, content=what):
                        (path / file).write_bytes(content)
                        self.assert_one_sentence(run_strife(*self.command(path, name)), naming=Path(file).name)
                (path / file).write_bytes(kept)

    def test_WhatIsNoFile_IsNamedAndNotWaitedFor(self):
        path = self.copy()
        for file in ("gateway.toml", "users.json", "certs/ca.crl", "certs/gateway.key"):
            for what, put in (("a folder", os.mkdir), ("a pipe", os.mkfifo),
                              ("endless", lambda place: os.symlink("/dev/zero", place)),
                              ("itself", lambda place: os.symlink(place, place))):
                with self.subTest(file=file, what=what):
                    place = path / file
                    kept = place.rename(path / "kept")
                    put(place)
                    try:
                        self.assert_one_sentence(run_strife(*self.command(path, "gateway"), timeout_s=20), place.name)
                    finally:
                        place.rmdir() if what == "a folder" else place.unlink()
                        kept.rename(place)

    def test_PaymentsFile_WhateverIsInIt_IsRefusedLineByLine(self):
        path = self.copy()
        session = path / "data" / "client"
        session.mkdir(parents=True, exist_ok=True)
        (session / "session.json").touch(0o600)
        header = b"to,from_bank,amount,currency\n"
        for what, content in {**CONTENTS, "rows": header + b"\x1b[2J,\xff,nan,\x00\n" * 3,
                              "a quote": header + b'"never closed\n' * 1000}.items():
            with self.subTest(content=what):
                (path / "payments.csv").write_bytes(content)
                ended = run_strife("pay", "--file", path / "payments.csv", "--config", path / "client.toml")
                self.assertEqual(ended.returncode, 1, ended.stderr)
                self.assertTrue(all(line.isprintable() for line in ended.stderr.splitlines()), repr(ended.stderr))

    def test_SessionFile_WhateverIsInIt_AsksForALogin(self):
        path = self.copy()
        file = path / "data" / "client" / "session.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        for what, content in {**CONTENTS, "float": b'{"access_expires_at_unix_us": 1e300}', "list": b"[]"}.items():
            with self.subTest(content=what):
                file.write_bytes(content)
                file.chmod(0o600)
                ended = run_strife("history", "--config", path / "client.toml")
                self.assert_one_sentence(ended, naming=file.name)
                self.assertIn("strife login", ended.stderr)

    # ---- databases

    def test_DamagedDatabases_AreServedOrNamed(self):
        chance = random.Random(SEED)
        refused = 0
        for name in ("gateway", "bank1"):
            path = self.copy()
            database = self.database(path, name)
            sound = database.read_bytes()
            for attempt in range(DAMAGED_FILES):
                with self.subTest(name=name, attempt=attempt):
                    damaged = bytearray(sound)
                    for _ in range(chance.choice((1, 8, 64))):
                        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
                    if attempt % 3 == 2:
                        del damaged[chance.randrange(len(damaged)):]
                    for left in database.parent.glob(f"{database.name}-*"):
                        left.unlink()
                    database.write_bytes(damaged)
                    verified = run_strife("verify", "--dir", path)
                    self.assertIn(verified.returncode, (0, 1), verified.stderr)
                    refused += bool(self.assert_serves_or_says_why(path, name))
        self.assertGreater(refused, 0, "no damage was ever found")

    def rows(self, path, name, statements):
        """Changes a database as its owner would not: without types, CHECKs and NOT NULLs."""
        database = sqlite3.connect(self.database(path, name), isolation_level=None)
        database.execute("PRAGMA writable_schema = ON")
        tables = database.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table'").fetchall()
        for table, sql in tables:
            database.execute("UPDATE sqlite_schema SET sql = ? WHERE name = ?", (loose(sql), table))
        database.close()
        database = sqlite3.connect(self.database(path, name), isolation_level=None)
        for statement in statements:
            database.execute(statement)
        database.close()

    def test_RowsThatMakeNoSense_AreNamed(self):
        largest = 2**63 - 1
        hostile = {
            ("gateway", "a payment's amount"): "UPDATE payments SET amount = 'much'",
            ("gateway", "a memo that moves the cursor"): "UPDATE payments SET memo = char(27) || '[2J'",
            ("gateway", "times past all calendars"): f"UPDATE payments SET created_at = {largest}, updated_at = -{largest}",
            ("gateway", "a bank without a place"): "UPDATE banks SET endpoint = x'ff00ff'",
            ("gateway", "an epoch that cannot grow"): f"UPDATE meta SET epoch = {largest}",
            ("gateway", "a store without an id"): "UPDATE meta SET store_id = NULL",
            ("bank1", "a balance that overflows"): f"UPDATE accounts SET posted = -{largest}, held = {largest}",
            ("bank1", "an account of no kind"): "UPDATE accounts SET kind = 77",
            ("bank1", "a bank without a name"): "UPDATE meta SET bank_id = 5",
            ("bank1", "prepared money that is not held"): "UPDATE transactions SET state = 2",
            ("bank1", "accounts that are gone"): "DELETE FROM accounts",
        }
        for (name, what), statement in hostile.items():
            with self.subTest(name=name, what=what):
                path = self.copy()
                self.rows(path, name, [statement])
                verified = run_strife("verify", "--dir", path)
                self.assertNotIn("assertion", verified.stderr)
                self.assertTrue(all(line.isprintable() for line in verified.stdout.splitlines()))
                if name == "gateway" and "UPDATE meta" in statement:  # no books: the server's own, which it must not believe
                    self.assertNotEqual(self.assert_serves_or_says_why(path, name), "")
                else:
                    self.assertEqual(verified.returncode, 1, verified.stdout)
                    self.assert_serves_or_says_why(path, name)

    def test_PreparedMoneyThatIsNotHeld_KeepsTheBankFromStarting(self):
        path = self.copy()
        self.rows(path, "bank1", ["UPDATE transactions SET state = 2"])
        self.assertIn("is prepared", self.assert_serves_or_says_why(path, "bank1"))


def loose(sql):
    """A CREATE TABLE without STRICT, NOT NULL and CHECK."""
    while (start := sql.find("CHECK (")) >= 0:
        depth, end = 0, sql.index("(", start)
        while True:
            depth += {"(": 1, ")": -1}.get(sql[end], 0)
            end += 1
            if depth == 0:
                break
        before = sql[:start].rstrip()
        sql = (before.removesuffix(",") if before.endswith(",") else sql[:start]) + sql[end:]
    return sql.replace(" NOT NULL", "").replace("STRICT, ", "").replace(" STRICT", "")
