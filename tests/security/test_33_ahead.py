"""Attack 33: a bank that claims to have seen more of the gateway's work than there was, to stop the gateway. And what such a
claim is for: a store that was restored from an old backup."""

import json
import shutil

from cases import Code, NetworkCase
from network import COMPLETED, PATIENCE_S, gateway_pb2, run_strife, wait_until


class Ahead(NetworkCase):
    def config(self):
        return ("--config", self.network.path / "operator.toml")

    def banks_ahead(self):
        listed = run_strife("admin", "banks", "--output", "json", *self.config())
        return [bank["bank_id"] for bank in json.loads(listed.stdout)["banks"] if bank["ahead"]]

    def resume(self, bank):
        return run_strife("admin", "resume", "bank", bank, "--reason", "books compared", *self.config())

    def assert_waits(self, payer, order):
        self.assert_refused(lambda: payer.pay(order), Code.UNAVAILABLE, "RECONCILIATION_NEEDED")


class LyingBank(Ahead):
    USERS = 3

    def claim(self, sequence):
        """bank3 registers as it always does, but claims to have seen so much."""
        stub = self.network.gateway("bank3")
        request = gateway_pb2.RegisterBankRequest(bank_id="bank3", display_name="bank3", currencies=["USD"],
                                                  endpoint=f"localhost:{self.network.port('bank3')}")
        request.gateway_store_id = stub.RegisterBank(request, timeout=PATIENCE_S).gateway_store_id
        request.gateway_sequence = sequence
        return lambda: stub.RegisterBank(request, timeout=PATIENCE_S)

    def test_33_ABankThatClaimsTooMuch_StopsItselfOnly_AlsoAfterARestart_UntilItIsResumed(self):
        alice, bob, carol = self.network.clients("user1", "user2", "user3")
        self.assert_refused(self.claim(2**63), Code.INVALID_ARGUMENT, field="gateway_sequence")
        self.assertEqual(self.banks_ahead(), [])
        self.claim(2**62)()
        for _ in range(2):
            self.assertTrue(alice.pay(alice.order(bob.accounts["bank2"], bank="bank1")).success)
            self.assert_waits(alice, alice.order(carol.accounts["bank3"], bank="bank1"))
            self.assert_waits(carol, carol.order(bob.accounts["bank2"], bank="bank3"))
            self.assertEqual(self.banks_ahead(), ["bank3"])
            self.network.kill("gateway")
            self.network.start("gateway")
            alice.wait_for_banks()
        status = run_strife("status", "--dir", self.network.path)
        self.assertEqual(status.returncode, 1)
        self.assertIn("strife admin resume bank bank3", status.stdout + status.stderr)
        self.assertIn("strife admin resume bank bank3", run_strife("admin", "banks", *self.config()).stdout)
        self.assertEqual(self.resume("bank3").returncode, 0)
        self.assertEqual(self.banks_ahead(), [])
        self.claim(2**62)()
        self.assertEqual(self.banks_ahead(), [], "the gateway has gone beyond the largest lie there is")
        self.assertTrue(alice.pay(alice.order(carol.accounts["bank3"], bank="bank1")).success)
        self.assertIn("not suspended", self.resume("bank3").stderr)
        self.assert_books()


class RestoredBackup(Ahead):
    BANKS = 2
    USERS = 2

    def test_33_ARestoredGateway_WaitsUntilTheBooksWereCompared_AndAPaymentItHasLostIsNotMadeTwice(self):
        payer, payee = self.network.clients()
        self.assertTrue(payer.pay(payer.order(payee.accounts["bank2"], bank="bank1")).success)
        data = self.network.path / "data" / "gateway"
        backup = self.network.directory / "backup"
        self.network.stop("gateway")
        shutil.copytree(data, backup)
        self.network.start("gateway")
        payer.wait_for_banks()
        lost = payer.order(payee.accounts["bank2"], 250, bank="bank1")
        self.assertEqual(payer.pay(lost).payment.state, COMPLETED)
        posted = payer.balance("bank1").posted

        self.network.stop("gateway")
        shutil.rmtree(data)
        shutil.copytree(backup, data)
        self.network.start("gateway")
        payer.login()
        wait_until(lambda: self.banks_ahead() == ["bank1", "bank2"], "both banks to show that the store is old")
        self.assert_waits(payer, lost)
        self.assertIn(lost.transaction_id, self.network.verify().stdout, "what operators are to look for")
        for bank in ("bank1", "bank2"):
            self.assertEqual(self.resume(bank).returncode, 0)
        self.assertEqual(payer.pay(lost).payment.state, COMPLETED)
        self.assertEqual(payer.balance("bank1").posted, posted, "the banks had it already")
        self.assert_books()
