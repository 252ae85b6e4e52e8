"""The servers as an operator meets them: draining, refusing to start in one sentence, and what they leave on disk."""

import os
import shutil
import signal
import stat

from cases import NetworkCase
from network import ABORTED, COMPLETED, Network, run_strife, wait_until


class Draining(NetworkCase):
    USERS = 3
    GATEWAY_FLAGS = ("--transaction-timeout", "20s")

    def test_Sigterm_AnswersWhatIsInFlightAndExitsZero(self):
        alice, bob, _ = self.network.clients()
        self.network.pause("bank3")
        waiting = [alice.pay_later(alice.order(bob.accounts["bank3"], 1, bank="bank1")) for _ in range(30)]
        # One that has ended tells that those sent before it have been taken in.
        alice.pay(alice.order(bob.accounts["bank2"], 1, bank="bank1"))
        self.network.processes["gateway"].signal(signal.SIGTERM)
        wait_until(lambda: not self.network.serves("gateway"), "the gateway to stop taking work")
        self.assertFalse(any(call.done() for call in waiting))
        self.network.resume("bank3")
        for call in waiting:
            self.assertEqual(call.result().payment.state, COMPLETED)
        self.assertEqual(self.network.processes["gateway"].wait(), 0)
        self.assertEqual(self.network.stop(*self.network.banks), [0, 0, 0])
        self.network.start()
        alice.wait_for_banks()
        self.assertTrue(alice.pay(alice.order(bob.accounts["bank2"], 1, bank="bank1")).success)
        self.assert_books()


class Records(NetworkCase):
    USERS = 2

    def test_Logs_NamePaymentsAndHoldNoSecret(self):
        alice, bob = self.network.clients()
        done = alice.order(bob, 1234)
        poor = alice.order(bob, 10**12)
        self.assertEqual(alice.pay(done).payment.state, COMPLETED)
        self.assertEqual(alice.pay(poor).payment.state, ABORTED)
        self.assertEqual(self.network.stop(), [0] * 4)
        logs = {path: path.read_text(errors="replace") for path in (self.network.path / "logs").rglob("*.log")}
        by_name = {}
        for path, text in logs.items():
            by_name[path.name] = by_name.get(path.name, "") + text
        for name in ("transactions.log", "banktransactions.log", "interceptortransactions.log"):
            self.assertIn(name, by_name)
        for order in (done, poor):
            self.assertIn(order.transaction_id, by_name["transactions.log"])
            self.assertIn(order.transaction_id, by_name["banktransactions.log"])
        self.assertIn("ProcessPayment", by_name["interceptortransactions.log"])
        secrets = [*self.network.passwords.values(), alice.session.access_token, alice.session.refresh_token]
        said = "".join(process.said() for process in self.network.processes.values())
        for secret in secrets:
            for path, text in logs.items():
                self.assertNotIn(secret, text, path)
            self.assertNotIn(secret, said)

    def test_StateLogsKeysAndPasswords_AreForTheOwnerOnly(self):
        for pattern in ("certs/*.key", "passwords.csv", "data/**/*", "logs/**/*"):
            found = [path for path in self.network.path.glob(pattern) if path.is_file()]
            self.assertTrue(found or "data" in pattern or "logs" in pattern, pattern)
            for path in found:
                self.assertEqual(stat.S_IMODE(path.stat().st_mode) & 0o077, 0, path)


class RefusingToStart(NetworkCase):
    """Each attempt runs beside a live network, which must not notice."""

    BANKS = 1
    USERS = 1

    def one_sentence(self, *arguments, naming):
        ended = run_strife(*arguments)
        self.assertIn(ended.returncode, (1, 2), ended.stderr)
        lines = ended.stderr.strip().splitlines()
        self.assertEqual(len(lines), 1, f"not one sentence: {ended.stderr!r}")
        self.assertIn(str(naming), lines[0])
        self.assertEqual(ended.stdout, "")
        return ended

    def spare(self):
        """A network that is not running."""
        network = Network(banks=1, users=1)
        self.addCleanup(network.close)
        return network

    def test_PortInUse_IsSaidAndTheFirstGatewayGoesOn(self):
        self.one_sentence("gateway", "--config", self.network.config("gateway"), naming=self.network.port("gateway"))
        self.one_sentence("bank", "--config", self.network.config("bank1"), naming=self.network.port("bank1"))
        client, = self.network.clients()
        client.history()
        self.assertTrue(self.network.processes["gateway"].alive())
        self.assertTrue(self.network.processes["bank1"].alive())

    def test_PortOfAnotherProgram_IsSaid(self):
        other = self.spare()
        self.one_sentence("gateway", "--config", other.config("gateway"), "--listen",
                          f"127.0.0.1:{self.network.port('gateway')}", naming=self.network.port("gateway"))

    def test_MissingConfiguration_IsNamed(self):
        for role in ("gateway", "bank"):
            self.one_sentence(role, "--config", "/nonexistent/x.toml", naming="/nonexistent/x.toml")

    def test_UnknownKey_IsNamed(self):
        for name, role in (("gateway", "gateway"), ("bank1", "bank")):
            other = self.spare()
            with open(other.config(name), "a") as config:
                config.write('\ntransaction_timeot = "5s"\n')
            self.one_sentence(role, "--config", other.config(name), naming="transaction_timeot")

    def test_MalformedToml_IsNamed(self):
        other = self.spare()
        other.config("gateway").write_text("listen = = 3\n")
        self.one_sentence("gateway", "--config", other.config("gateway"), naming="gateway.toml")

    def test_MalformedOrMissingJson_IsNamed(self):
        for role, name, file in (("gateway", "gateway", "users.json"), ("bank", "bank1", "bank_data-bank1.json")):
            for content in ('{"users": [', "[1, 2", "\xff\xfe", '"text"', None):
                with self.subTest(file=file, content=content):
                    other = self.spare()
                    if content is None:
                        (other.path / file).unlink()
                    else:
                        (other.path / file).write_text(content, encoding="latin-1")
                    self.one_sentence(role, "--config", other.config(name), naming=file)

    def test_KeyOthersCanRead_IsRefused(self):
        for role, name in (("gateway", "gateway"), ("bank", "bank1")):
            other = self.spare()
            key = other.path / f"certs/{name}.key"
            key.chmod(0o644)
            self.one_sentence(role, "--config", other.config(name), naming=key.name)

    def test_MissingOrForeignCertificate_IsNamed(self):
        other = self.spare()
        shutil.copy(other.path / "certs/bank1.crt", other.path / "certs/gateway.crt")
        self.one_sentence("gateway", "--config", other.config("gateway"), naming="gateway.")
        (other.path / "certs/gateway.crt").unlink()
        self.one_sentence("gateway", "--config", other.config("gateway"), naming="gateway.crt")

    def test_CertificateOfAnotherRole_IsRefused(self):
        other = self.spare()
        for ending in ("crt", "key"):
            shutil.copy(other.path / f"certs/client.{ending}", other.path / f"certs/gateway.{ending}")
            os.chmod(other.path / f"certs/gateway.{ending}", 0o600)
        self.one_sentence("gateway", "--config", other.config("gateway"), naming="gateway")

    def test_DamagedDatabase_IsNamedAndLeftAlone(self):
        other = self.spare()
        other.start()
        other.stop()
        for name, role in (("gateway", "gateway"), ("bank1", "bank")):
            database = max((path for path in (other.path / "data").rglob("*") if path.is_file() and name in str(path)),
                           key=lambda path: path.stat().st_size)
            garbage = b"not a database " * 1000
            database.write_bytes(garbage)
            self.one_sentence(role, "--config", other.config(name), naming=database.name)
            self.assertEqual(database.read_bytes(), garbage)

    def test_Init_RefusesToOverwrite(self):
        before = {path: path.read_bytes() for path in self.network.path.rglob("*.toml")}
        self.one_sentence("init", "--dir", self.network.path, naming=self.network.path)
        self.assertEqual({path: path.read_bytes() for path in before}, before)
