#!/usr/bin/python3
"""The audit of the chaos test must notice: wrongs are planted in copies of a sound network's databases and in the record of what
clients were told, one at a time, and each must be reported."""

import os
import shutil
import sqlite3
import sys
import tempfile
import unittest
import uuid
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
os.environ.setdefault("STRIFE_EXECUTABLE", str(ROOT / "build/release/bin/strife"))
sys.path[:0] = [str(HERE), str(HERE.parent / "integration")]

import network  # noqa: E402
from audit import Books, audit  # noqa: E402
from network import Network, bank_pb2, wait_until  # noqa: E402
from told import ABORTED, COMPLETED, Account, Order  # noqa: E402


class Audit(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """Five completed payments between banks, one within a bank, and one that was declined."""
        cls.network = Network(banks=2, users=2)
        cls.addClassCleanup(cls.network.close)
        cls.network.start()
        alice, bob = cls.network.clients()
        cls.orders, cls.told = {}, {}
        for number, (source, target, amount) in enumerate([*[("bank1", "bank2", 100)] * 5, ("bank1", "bank1", 7),
                                                           ("bank1", "bank2", 10**9)]):
            order = alice.order(bob.accounts[target], amount, bank=source)
            payment = alice.pay(order).payment
            state = ABORTED if amount == 10**9 else COMPLETED
            assert payment.state == network.types_pb2.PaymentState.Value(f"PAYMENT_STATE_{state}"), payment
            cls.orders[order.transaction_id] = Order("user1", Account(source, "user1"), Account(target, "user2"), amount, "")
            cls.told[order.transaction_id] = [(state, "")]
        cls.paid, cls.within, cls.declined = (list(cls.orders)[n] for n in (0, 5, 6))
        # The client hears of an abort before the payee's bank does.
        payee_bank = cls.network.bank("bank2")
        wait_until(lambda: payee_bank.GetTransactionStatus(
            bank_pb2.GetTransactionStatusRequest(transaction_id=cls.declined)).state ==
            bank_pb2.BANK_TRANSACTION_STATE_ABORTED, "the payee's bank to hear of the abort")
        assert cls.network.stop() == [0, 0, 0]

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="strife-audit-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.gateway = self.copy("gateway", "gateway.db")
        self.banks = {bank: self.copy(bank, "bank.db") for bank in self.network.banks}

    def copy(self, name, file):
        target = self.folder / f"{name}.db"
        shutil.copyfile(self.network.path / "data" / name / file, target)
        return target

    def change(self, path, sql, *ids):
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA ignore_check_constraints = ON")
        changed = connection.execute(sql, [uuid.UUID(key).bytes for key in ids]).rowcount
        connection.commit()
        connection.close()
        self.assertGreater(changed, 0, "the wrong was not planted")

    def found(self, told=None):
        return audit(Books(self.gateway, self.banks), self.orders, {**self.told, **(told or {})},
                     network.OPENING_MINOR_UNITS)

    def assert_found(self, key, where, told=None):
        found = self.found(told)
        self.assertTrue(any(key == violation.id and where in violation.where for violation in found), found)

    def test_SoundBooks_HaveNoViolation(self):
        self.assertEqual(self.found(), [])

    def test_EntryRemoved(self):
        self.change(self.banks["bank2"], "DELETE FROM entries WHERE transaction_id = ? AND line = 1", self.paid)
        self.assert_found(self.paid, "bank2")

    def test_LegRemoved(self):
        self.change(self.banks["bank1"], "DELETE FROM entries WHERE transaction_id = ?", self.paid)
        self.assert_found(self.paid, "bank1")

    def test_LegDuplicated_AlthoughItsSumIsZero(self):
        self.change(self.banks["bank1"], "INSERT INTO entries SELECT transaction_id, line + 2, account_id, amount, currency, "
                    "posted_at FROM entries WHERE transaction_id = ?", self.paid)
        self.assert_found(self.paid, "bank1")

    def test_AmountChangedOnBothLines(self):
        self.change(self.banks["bank2"], "UPDATE entries SET amount = amount * 2 WHERE transaction_id = ?", self.paid)
        self.assert_found(self.paid, "bank2")

    def test_MoneyOnAnotherAccount(self):
        self.change(self.banks["bank2"], "UPDATE entries SET account_id = 'user1' WHERE transaction_id = ? AND "
                    "account_id = 'user2'", self.paid)
        self.assert_found(self.paid, "bank2")

    def test_LegsOfTwoPaymentsSwapped_AlthoughAllSumsAgree(self):
        for line in (2, 3):
            self.change(self.banks["bank1"], f"UPDATE entries SET transaction_id = ?2 WHERE transaction_id = ?1 AND line = {line}",
                        self.within, self.declined)
        self.assert_found(self.within, "bank1")
        self.assert_found(self.declined, "bank1")

    def test_ToldCompleted_ButAborted(self):
        self.assert_found(self.declined, "client", {self.declined: [(COMPLETED, "")]})
        self.assert_found(self.declined, "bank1", {self.declined: [(COMPLETED, "")]})

    def test_ToldAborted_ButCompleted(self):
        self.assert_found(self.paid, "client", {self.paid: [(ABORTED, "")]})
        self.assert_found(self.paid, "bank2", {self.paid: [(ABORTED, "")]})

    def test_ToldOneThingAndThenAnother(self):
        self.assert_found(self.paid, "client", {self.paid: [(COMPLETED, ""), (ABORTED, "")]})

    def test_NeverToldAnything(self):
        self.assert_found(self.paid, "client", {self.paid: [("UNKNOWN", "")]})

    def test_DecisionChangedAtTheGateway(self):
        self.change(self.gateway, "UPDATE payments SET state = 4 WHERE id = ?", self.paid)
        self.assert_found(self.paid, "client")

    def test_LeftOpen(self):
        self.change(self.gateway, "UPDATE payments SET state = 2 WHERE id = ?", self.paid)
        self.assert_found(self.paid, "gateway")
        self.change(self.banks["bank1"], "UPDATE transactions SET state = 2 WHERE id = ?", self.within)
        self.assert_found(self.within, "bank1")

    def test_RecordedAtABankAsAbortedAlthoughPosted(self):
        self.change(self.banks["bank1"], "UPDATE transactions SET state = 4 WHERE id = ?", self.paid)
        self.assert_found(self.paid, "bank1")

    def test_PaymentNobodyOrdered(self):
        self.change(self.banks["bank2"], "UPDATE transactions SET id = randomblob(16) WHERE id = ?", self.paid)
        self.assertTrue(any("no client ordered" in violation.what for violation in self.found()))

    def test_OtherPaymentRecorded(self):
        self.change(self.gateway, "UPDATE payments SET to_account = 'user1' WHERE id = ?", self.paid)
        self.assert_found(self.paid, "gateway")

    def test_BalanceWithoutEntry(self):
        self.change(self.banks["bank2"], "UPDATE accounts SET posted = posted + 1 WHERE account_id = 'user2'")
        self.assert_found("-", "bank2/user2")

    def test_HoldLeftBehind(self):
        self.change(self.banks["bank1"], "UPDATE accounts SET held = 5 WHERE account_id = 'user1'")
        self.assert_found("-", "bank1/user1")


if __name__ == "__main__":
    unittest.main(verbosity=1)
