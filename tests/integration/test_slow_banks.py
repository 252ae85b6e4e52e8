"""A bank that is down or stopped delays only the payments that touch it."""

from cases import Code, NetworkCase
from load import Load
from network import ABORTED, COMPLETED, FINAL, types_pb2, wait_until

TIMEOUT_REASONS = ("AB05", "AB06", "AB08")
PARTIAL = types_pb2.PAYMENT_STATE_PARTIAL_COMMIT_RECOVERY_NEEDED


class SlowBanks(NetworkCase):
    USERS = 3
    GATEWAY_FLAGS = ("--transaction-timeout", "3s")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # user1: bank1, bank2; user2: bank2, bank3; user3: bank3, bank1
        cls.alice, cls.bob, cls.carol = cls.network.clients()

    def orders(self, count):
        touching = [self.alice.order(self.bob.accounts["bank3"], 1, bank="bank1") for _ in range(count)]
        apart = [self.alice.order(self.bob.accounts["bank2"], 1, bank="bank1") for _ in range(count)]
        return touching, apart

    def test_StoppedBank_DelaysOnlyPaymentsThatTouchIt(self):
        touching, apart = self.orders(40)
        self.network.pause("bank3")
        try:
            waiting = [self.alice.pay_later(order) for order in touching]
            for order in apart:
                self.assertEqual(self.alice.pay(order).payment.state, COMPLETED)
            self.assertFalse(any(call.done() for call in waiting), "ended before those that could go on")
            for call in waiting:
                payment = call.result().payment
                self.assertEqual(payment.state, ABORTED)
                self.assertIn(payment.reason_code, TIMEOUT_REASONS)
        finally:
            self.network.resume("bank3")
        self.recovered(touching)

    def test_DeadBank_AbortsOnlyPaymentsThatTouchIt(self):
        touching, apart = self.orders(20)
        self.network.kill("bank3")
        waiting = [self.alice.pay_later(order) for order in touching]
        for order in apart:
            self.assertEqual(self.alice.pay(order).payment.state, COMPLETED)
        for call in waiting:
            payment = call.result().payment
            self.assertEqual(payment.state, ABORTED)
            self.assertIn(payment.reason_code, TIMEOUT_REASONS)
        self.assert_refused(lambda: self.bob.balance("bank3"), Code.UNAVAILABLE)
        self.network.start("bank3")
        self.recovered(touching)

    def recovered(self, touching):
        self.bob.wait_for_banks()
        for order in touching:
            self.assertEqual(self.alice.ask_again(order).state, ABORTED, "an abort is for ever")
        for client in (self.alice, self.bob, self.carol):
            for bank in client.accounts:
                wait_until(lambda: client.balance(bank).held.minor_units == 0, f"nothing held at {bank}")

        def pays_again():
            return self.alice.pay(self.alice.order(self.bob.accounts["bank3"], 1, bank="bank1")).success
        wait_until(pays_again, "payments to bank3 to go through again")
        self.assert_books()


class StoppedUnderLoad(NetworkCase):
    USERS = 6
    GATEWAY_FLAGS = ("--transaction-timeout", "3s")

    def test_BankStoppedUnderLoad_DecidedPaymentsCompleteWhenItReturnsAndTheRestAreAborted(self):
        load = Load(self.network.clients())
        partial = 0
        for _ in range(3):
            states = load.run(100, lambda: self.network.pause("bank3"))
            self.network.resume("bank3")
            for state in states:
                self.assertIn(state, (*FINAL, PARTIAL))
            partial += states.count(PARTIAL)
            load.settle()
            load.check_books()
            self.assert_books()
        print(f"{load.summary()}, {partial} late … ", end="", flush=True)
