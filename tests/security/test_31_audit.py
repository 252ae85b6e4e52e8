"""Attack 31: covering one's tracks. Whoever can write a server's database edits, deletes, reorders and cuts its audit log,
or computes the whole chain anew."""

import contextlib
import hashlib
import json
import shutil
import signal
import sqlite3
import struct
import subprocess
import tempfile
import uuid
from pathlib import Path

from cases import Code, NetworkCase
from logins import IN, WRONG, Peer
from network import PATIENCE_S, bank_pb2, gateway_pb2, new_id, refusal, run_strife, types_pb2, wait_until

COLUMNS = ("sequence", "at", "event", "count", "actor", "peer", "subject", "detail", "hash")


def text(value):
    data = value.encode()
    return struct.pack(">H", len(data)) + data


def genesis(log_id, decided_before):
    return hashlib.sha256(b"strife audit log 1\n" + log_id + struct.pack(">Q", decided_before)).digest()


def chained(before, sequence, at, event, count, *texts):
    """The hash of a record, written from docs/security.md and nothing else."""
    return hashlib.sha256(before + struct.pack(">QqHI", sequence, at, event, count) +
                          b"".join(text(t) for t in texts)).digest()


class Log:
    """The database of a server that has been stopped, as its owner can write it."""

    def __init__(self, path):
        self.database = sqlite3.connect(path, isolation_level=None)
        for (trigger,) in self.database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            self.database.execute(f"DROP TRIGGER {trigger}")

    def rows(self):
        return [dict(zip(COLUMNS, row)) for row in
                self.database.execute(f"SELECT {', '.join(COLUMNS)} FROM audit ORDER BY sequence")]

    def run(self, sql, *values):
        self.database.execute(sql, values)

    def find(self, event_number):
        return next(row["sequence"] for row in self.rows() if row["event"] == event_number)

    def compute_anew(self):
        """Every hash, from the first record to the last."""
        log_id, before = self.database.execute("SELECT log_id, decided_before FROM audit_start").fetchone()
        last = genesis(log_id, before)
        for row in self.rows():
            last = chained(last, *[row[name] for name in COLUMNS[:-1]])
            self.run("UPDATE audit SET hash = ? WHERE sequence = ?", last, row["sequence"])

    def close(self):
        self.database.close()


class AuditLogs(NetworkCase):
    BANKS = 2
    USERS = 3

    def shown(self, server, **filters):
        words = [word for name, value in filters.items() for word in (f"--{name}", value)]
        shown = run_strife("audit", "show", "--dir", self.network.path, "--server", server, "--limit", 1000,
                           "--output", "json", *words)
        self.assertEqual(shown.returncode, 0, shown.stderr)
        return json.loads(shown.stdout)["logs"][0]["entries"]

    def verified(self, directory=None, *more):
        """What is found wrong, by server, and the exit status."""
        done = run_strife("audit", "verify", "--dir", directory or self.network.path, "--output", "json", *more)
        self.assertTrue(done.stdout, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(report["ok"], done.returncode == 0)
        return {log["server"]: log["findings"] for log in report["logs"]}, done.returncode

    def assert_sound(self):
        found, status = self.verified()
        self.assertEqual((status, {server: [] for server in ("gateway", *self.network.banks)}), (0, found))


class Tampering(AuditLogs):
    """Everything on copies of one network's databases: a head is taken, then somebody writes."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        payer, payee = cls.network.clients("user1", "user2")
        cls.paid = [payer.pay(payer.order(payee)).payment.transaction_id for _ in range(4)]
        Peer(cls.network).answer("user3")
        wait_until(lambda: run_strife("audit", "verify", "--dir", cls.network.path).returncode == 0, "a sound log")
        cls.network.stop()
        cls.heads = cls.network.directory / "heads"
        made = run_strife("audit", "head", "--dir", cls.network.path, "--out", cls.heads)
        assert made.returncode == 0, made.stderr

    @contextlib.contextmanager
    def copy(self):
        """A copy of the data directories, which the configurations in it name."""
        aside = Path(tempfile.mkdtemp(prefix="strife-audit-"))
        try:
            copied = aside / "net"
            shutil.copytree(self.network.path, copied)
            for config in copied.glob("*.toml"):
                config.write_text(config.read_text().replace(str(self.network.path), str(copied)))
            yield copied
        finally:
            shutil.rmtree(aside)

    def found(self, tamper, *more, server="gateway"):
        """What `strife audit verify` finds in a server's log after tamper(Log)."""
        with self.copy() as directory:
            log = Log(directory / "data" / server / ("gateway.db" if server == "gateway" else "bank.db"))
            tamper(log)
            log.close()
            found, status = self.verified(directory, *more)
        self.assertEqual(status, 1 if found[server] else 0)
        self.assertEqual([], [f for other, findings in found.items() if other != server for f in findings])
        return found[server]

    def at(self, findings):
        return [finding["sequence"] for finding in findings]

    def test_31_Untouched_IsSound_AlsoWithItsHeads(self):
        self.assertEqual(self.found(lambda log: None), [])
        self.assertEqual(self.found(lambda log: None, "--head", self.heads), [])

    def test_31_EditedRow_IsNamed_WhicheverColumn(self):
        edits = {"at": "at + 1", "event": "22", "count": "count + 1", "actor": "'user/mallory'", "peer": "'elsewhere'",
                 "subject": "'other'", "detail": "detail || 'x'", "hash": "zeroblob(32)"}
        for server in ("gateway", "bank1"):
            for column, value in edits.items():
                with self.subTest(server=server, column=column):
                    found = self.found(lambda log: log.run(f"UPDATE audit SET {column} = {value} WHERE sequence = 3"),
                                       server=server)
                    self.assertIn(3, self.at(found))
                    self.assertTrue(any("record 3" in f["message"] and "edited" in f["message"] for f in found), found)

    def test_31_EditedTogetherWithItsHash_ShowsAtTheNext(self):
        def edit(log):
            log.run("UPDATE audit SET detail = 'nothing happened' WHERE sequence = 3")
            rows = log.rows()
            log.run("UPDATE audit SET hash = ? WHERE sequence = 3",
                    chained(rows[1]["hash"], *[rows[2][name] for name in COLUMNS[:-1]]))
        self.assertIn(4, self.at(self.found(edit)))

    def test_31_DeletedRows_AreNamed(self):
        found = self.found(lambda log: log.run("DELETE FROM audit WHERE sequence IN (1, 4, 5)"))
        messages = [f["message"] for f in found if f["sequence"] != 0]
        self.assertEqual(messages, ["record 1 is missing: it has been deleted",
                                    "records 4 to 5 are missing: they have been deleted"])

    def test_31_ReorderedRows_AreNamed(self):
        def swap(log):
            for sql in ("= -3 WHERE sequence = 3", "= 3 WHERE sequence = 6", "= 6 WHERE sequence = -3"):
                log.run("PRAGMA ignore_check_constraints = 1")
                log.run(f"UPDATE audit SET sequence {sql}")
        found = self.found(swap)
        self.assertEqual([f["message"] for f in found],
                         ["record 3 was written as record 6: the log has been reordered",
                          "record 6 was written as record 3: the log has been reordered"])

    def test_31_CutEnd_ShowsByTheDecisionsWithoutRecord_AndByTheHead(self):
        def cut(log):
            log.run("DELETE FROM audit WHERE sequence >= ?", log.find(1))
        messages = " ".join(f["message"] for f in self.found(cut))
        for transaction_id in self.paid:
            self.assertIn(f"{transaction_id} is decided and has no record", messages)
        with_head = self.found(cut, "--head", self.heads)
        self.assertIn("its end has been cut off", " ".join(f["message"] for f in with_head))

    def test_31_CutEndWithoutDecisions_ShowsByTheHeadOnly(self):
        def cut(log):
            log.run("DELETE FROM audit WHERE sequence = (SELECT max(sequence) FROM audit)")
        self.assertEqual(self.found(cut), [], "the last record is a failed login")
        found = self.found(cut, "--head", self.heads)
        self.assertEqual(len(found), 1)
        self.assertIn("its end has been cut off", found[0]["message"])

    def test_31_WholeChainComputedAnew_ShowsByTheHead(self):
        def forge(log):
            log.run("UPDATE audit SET subject = 'user/nobody' WHERE event = 21")
            log.compute_anew()
        self.assertEqual(self.found(forge), [])
        found = self.found(forge, "--head", self.heads)
        self.assertEqual(len(found), 1)
        self.assertIn("computed anew", found[0]["message"])

    def test_31_LogExchangedForAnother_ShowsByTheHead(self):
        def exchange(log):
            log.run("UPDATE audit_start SET log_id = ?", uuid.uuid4().bytes)
            log.compute_anew()
        self.assertIn("it has been exchanged", self.found(exchange, "--head", self.heads)[0]["message"])

    def test_31_PaymentChangedBesideItsRecord_IsNamed(self):
        for sql in ("UPDATE payments SET amount = amount + 1", "UPDATE payments SET to_account = 'mallory'",
                    "UPDATE payments SET state = 4", "DELETE FROM payments"):
            with self.subTest(sql=sql):
                found = self.found(lambda log: log.run(f"{sql} WHERE id = ?", uuid.UUID(self.paid[0]).bytes))
                self.assertTrue(any(self.paid[0] in f["message"] for f in found), found)

    def test_31_ForgedDecision_WithoutRecord_IsNamed(self):
        forged = uuid.uuid4()
        found = self.found(lambda log: log.run(
            "INSERT INTO payments SELECT ?, payer, from_bank, from_account, to_bank, to_account, amount, currency, memo, "
            "state, reason_code, message, epoch, created_at, updated_at, trace FROM payments LIMIT 1", forged.bytes))
        self.assertEqual([f["message"] for f in found],
                         [f"{forged} is decided and has no record: it has been deleted or cut off"])

    def test_31_AlteredHead_IsNotBelieved(self):
        good = self.heads.read_text()
        bad = self.network.directory / "bad-heads"
        for old, new in (("sequence: ", "sequence: 1"), ("/gateway/gateway", "/bank/bank1"), ("\nat: 1", "\nat: 2")):
            bad.write_text(good.replace(old, new, 1))
            refused = run_strife("audit", "verify", "--dir", self.network.path, "--head", bad)
            self.assertEqual(refused.returncode, 1)
            self.assertIn("not to be believed", refused.stderr)
        bad.write_text("strife audit head 1\n")
        refused = run_strife("audit", "verify", "--dir", self.network.path, "--head", bad)
        self.assertEqual((refused.returncode, "Traceback" in refused.stderr), (1, False))

    def test_31_Head_CanBeCheckedWithOpenssl(self):
        head = run_strife("audit", "head", "--config", self.network.config("gateway")).stdout
        statement, signature = head.split("signature: ")
        signature, certificate = signature.split("\n", 1)
        folder = self.network.directory
        (folder / "statement").write_text(statement)
        (folder / "signature").write_bytes(bytes.fromhex(signature))
        (folder / "head.crt").write_text(certificate)
        key = subprocess.run(["openssl", "x509", "-in", folder / "head.crt", "-noout", "-pubkey"], capture_output=True,
                             check=True).stdout
        (folder / "head.pub").write_bytes(key)
        subprocess.run(["openssl", "verify", "-CAfile", self.network.path / "certs/ca.crt", folder / "head.crt"],
                       capture_output=True, check=True)
        subprocess.run(["openssl", "dgst", "-sha256", "-verify", folder / "head.pub", "-signature",
                        folder / "signature", folder / "statement"], capture_output=True, check=True)

    def test_31_Export_IsCheckedByAnotherProgram(self):
        for server in ("gateway", "bank2"):
            lines = run_strife("audit", "export", "--dir", self.network.path, "--server", server).stdout.splitlines()
            start, records = json.loads(lines[0]), [json.loads(line) for line in lines[1:]]
            last = genesis(uuid.UUID(start["log_id"]).bytes, start["decided_before"])
            for number, record in enumerate(records, 1):
                last = chained(last, number, record["at_us"], record["event_number"], record["count"], record["actor"],
                               record["peer"], record["subject"], record["detail"])
                self.assertEqual(last.hex(), record["hash"])
            self.assertIn(f"hash: {last.hex()}\n", self.heads.read_text())


class WhatIsAudited(AuditLogs):
    def events(self, server, event, **filters):
        return self.shown(server, event=event, **filters)

    def wait_for(self, server, event, **filters):
        return wait_until(lambda: self.events(server, event, **filters), f"{event} of {server}")

    def test_31_LoginsPaymentsAndOperators_EachHaveTheirRecord(self):
        payer, payee = self.network.clients("user1", "user2")
        self.assertEqual(Peer(self.network).answer("user3"), WRONG)
        good = payer.pay(payer.order(payee, 1234)).payment.transaction_id
        declined = payer.pay(payer.order(payee, 10**9)).payment.transaction_id
        payer.call("LogoutClient", gateway_pb2.LogoutClientRequest())
        self.assertTrue(self.events("gateway", "login", actor="user/user1"))
        self.assertTrue(self.events("gateway", "logout", actor="user/user1"))
        self.assertTrue(self.events("gateway", "login_failed", subject="user/user3"))
        self.assertTrue(self.events("gateway", "bank_registered", actor="bank/bank1"))
        self.assertIn("amount=12.34 USD", self.events("gateway", "payment_committed", subject=good)[0]["detail"])
        self.assertIn("reason=AM04", self.events("gateway", "payment_aborted", subject=declined)[0]["detail"])
        self.assertTrue(self.events("bank1", "transaction_committed", subject=good))
        direct = bank_pb2.ProcessTransactionRequest(
            transaction_id=new_id(), account_id="user1", amount=types_pb2.Money(minor_units=5, currency="USD"),
            type=bank_pb2.DIRECT_TRANSACTION_TYPE_DEPOSIT)
        self.assertTrue(self.network.bank("bank1", "operator").ProcessTransaction(direct, timeout=PATIENCE_S).success)
        record = self.events("bank1", "direct_transaction", subject=direct.transaction_id)[0]
        self.assertEqual(record["actor"], "operator/operator")
        self.assert_sound()

    def test_31_Refusals_HaveARecord_AndAFloodOfThemFew(self):
        payer = self.network.client("user1")
        stub = self.network.bank("bank1", "client")
        for _ in range(500):
            self.assertEqual(refusal(lambda: stub.GetLedgerTotals(bank_pb2.GetLedgerTotalsRequest(),
                                                                  timeout=PATIENCE_S)).code(), Code.PERMISSION_DENIED)
        told = self.wait_for("bank1", "call_refused", actor="client/client")
        self.assertEqual(told[0]["subject"], "/strife.v1.Bank/GetLedgerTotals")
        self.assertIn("AG01", told[0]["detail"])
        stolen = payer.order(payer)
        getattr(stolen, "from").account_id = "user2"
        self.assert_refused(lambda: payer.pay(stolen), Code.PERMISSION_DENIED)
        self.assertEqual(payer.call("ProcessPayments", gateway_pb2.ProcessPaymentsRequest(payments=[stolen] * 20))
                         .results[0].grpc_code, Code.PERMISSION_DENIED.value[0])
        self.wait_for("gateway", "call_refused", actor="user/user1", subject="/strife.v1.PaymentGateway/ProcessPayment")
        self.wait_for("gateway", "call_refused", actor="user/user1", subject="/strife.v1.PaymentGateway/ProcessPayments")
        request = gateway_pb2.RefreshSessionRequest(refresh_token="A" * 43)
        refusal(lambda: payer.stub.RefreshSession(request, timeout=PATIENCE_S))
        self.wait_for("gateway", "session_refused", actor="client/client")
        self.network.stop()
        told = self.events("bank1", "call_refused", actor="client/client")
        self.assertEqual(sum(record["count"] for record in told), 500)
        self.assertLess(len(told), 20)
        self.network.start()
        self.assert_sound()

    def test_31_StartsAndReloads_HaveARecord(self):
        before = len(self.events("gateway", "server_started"))
        self.network.stop("gateway")
        self.network.start("gateway")
        wait_until(lambda: len(self.events("gateway", "server_started")) == before + 1, "the start to be on record")
        self.assertIn("users=3 disabled=0", self.events("gateway", "server_started")[-1]["detail"])
        self.assertTrue(self.events("bank1", "server_started"))
        users = self.network.path / "users.json"
        good = users.read_text()
        self.network.processes["gateway"].signal(signal.SIGHUP)
        self.wait_for("gateway", "users_loaded", subject="users.json")
        users.write_text(good[:-5])
        self.network.processes["gateway"].signal(signal.SIGHUP)
        self.wait_for("gateway", "reload_failed")
        users.write_text(good)
        self.assertEqual(Peer(self.network).log_in("user1"), IN)
        renewed = run_strife("pki", "renew", "gateway", "--dir", self.network.path / "certs")
        self.assertEqual(renewed.returncode, 0, renewed.stderr)
        self.wait_for("gateway", "certificates_loaded")
        self.assert_sound()
