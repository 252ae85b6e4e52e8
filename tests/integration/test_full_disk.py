"""A server whose disk is nearly full refuses new work, saying why, and answers for what it has."""

import os

from cases import Code, NetworkCase
from network import ABORTED, COMPLETED, PATIENCE_S, gateway_pb2, new_id, types_pb2, wait_until

NO_ROOM = ("--reserved-disk-mb", 2**30)  # more than any disk has


class FullDisk(NetworkCase):
    USERS = 3

    def restart(self, name, flags=()):
        self.assertEqual(self.network.stop(name), [0])
        if not flags:
            return self.network.start(name)
        # It answers, and says that it takes nothing new.
        self.network.launch(name, *flags)
        service = "strife.v1.PaymentGateway" if name == "gateway" else "strife.v1.Bank"
        wait_until(lambda: self.network.health(name) == 2, f"{name} to say that it does not serve")
        self.assertEqual(self.network.health(name, service), 2)

    def test_Gateway_RefusesPaymentsAndLoginsAndAnswersForOldPayments(self):
        alice, bob, _ = self.network.clients()
        old, new = alice.order(bob, 5), alice.order(bob, 6)
        self.assertEqual(alice.pay(old).payment.state, COMPLETED)
        self.restart("gateway", NO_ROOM)
        self.assert_refused(lambda: alice.pay(new), Code.RESOURCE_EXHAUSTED, "STORAGE_FULL")
        self.assert_refused(alice.login, Code.RESOURCE_EXHAUSTED, "STORAGE_FULL")
        self.assert_refused(lambda: alice.stub.RefreshSession(
            gateway_pb2.RefreshSessionRequest(refresh_token=alice.session.refresh_token), timeout=PATIENCE_S),
            Code.RESOURCE_EXHAUSTED, "STORAGE_FULL")
        detail = self.assert_refused(lambda: alice.pay(old), Code.ALREADY_EXISTS)
        self.assertEqual(detail.prior.state, COMPLETED)
        self.assertIn("disk_nearly_full", self.network.processes["gateway"].said())
        self.restart("gateway")
        alice.wait_for_banks()
        self.assertEqual(alice.ask_again(new).state, COMPLETED, "the id was not used up")
        self.assert_books()

    def test_Gateway_RecordsNothingForABank_ThatNobodyHasToHave(self):
        self.network.clients()
        stub = self.network.gateway("bank1")
        unknown = gateway_pb2.InquireTransactionRequest(transaction_id=new_id())
        moved = gateway_pb2.RegisterBankRequest(bank_id="bank1", endpoint="127.0.0.1:1", currencies=["USD"])
        self.restart("gateway", NO_ROOM)
        self.assertEqual(stub.InquireTransaction(unknown, timeout=PATIENCE_S, wait_for_ready=True).decision,
                         types_pb2.DECISION_PENDING)
        self.assert_refused(lambda: stub.RegisterBank(moved, timeout=PATIENCE_S), Code.RESOURCE_EXHAUSTED,
                            "STORAGE_FULL")
        self.restart("gateway")
        self.assertEqual(stub.InquireTransaction(unknown, timeout=PATIENCE_S, wait_for_ready=True).decision,
                         types_pb2.DECISION_ABORT)
        self.assert_books()

    def test_Bank_DeclinesItsOwnPaymentsOnly(self):
        alice, bob, _ = self.network.clients()
        self.restart("bank3", NO_ROOM)
        bob.wait_for_banks()

        def declined():
            return alice.pay(alice.order(bob.accounts["bank3"], 1, bank="bank1")).payment
        payment = wait_until(lambda: (p := declined()).reason_code == "STORAGE_FULL" and p, "bank3 to be asked")
        self.assertEqual(payment.state, ABORTED)
        self.assertIn("disk space", payment.message)
        self.assertTrue(alice.pay(alice.order(bob.accounts["bank2"], 1, bank="bank1")).success)
        self.restart("bank3")
        bob.wait_for_banks()
        wait_until(lambda: declined().state == COMPLETED, "payments to bank3 to go through again")
        self.assert_books()

    def test_AServerWhoseDiskRunsFull_SaysSo_AndSaysSoAgainWhenThereIsRoom(self):
        """Its data directory is reached through a link, which is turned to where no disk has room: what is open stays open."""
        for name in ("bank3", "gateway"):
            with self.subTest(name):
                link = self.network.directory / f"data-of-{name}"
                data = next(self.network.path.rglob(f"{name}/*.db")).parent

                def turn(to, link=link):
                    fresh = link.with_suffix(".new")
                    fresh.symlink_to(to)
                    os.replace(fresh, link)
                turn(data)
                self.assertEqual(self.network.stop(name), [0])
                self.network.start(name, flags=("--data-dir", link))
                turn("/proc")
                wait_until(lambda: self.network.health(name) == 2, f"{name} to say that it does not serve")
                turn(data)
                wait_until(lambda: self.network.health(name) == 1, f"{name} to say that it serves again")
                self.restart(name)
        self.assert_books()
