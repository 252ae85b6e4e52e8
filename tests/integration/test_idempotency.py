"""One id, one effect: fifty at once, again afterwards, again after a restart, and with other contents."""

from cases import Code, NetworkCase
from network import ABORTED, COMPLETED, FINAL, error_detail, gateway_pb2, refusal
import grpc


class Idempotency(NetworkCase):
    USERS = 4

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.alice, cls.bob, cls.carol, cls.dora = cls.network.clients()

    def balances(self):
        return {(client.user, bank): client.balance(bank).posted.minor_units
                for client in (self.alice, self.bob, self.carol) for bank in client.accounts}

    def test_SameIdFiftyTimesAtOnce_PaysOnceAndTellsTheRest(self):
        before = self.balances()
        order = self.alice.order(self.bob.accounts["bank3"], 1000, bank="bank1")
        calls = [self.alice.pay_later(order) for _ in range(50)]
        answers, duplicates = [], []
        for call in calls:
            try:
                answers.append(call.result())
            except grpc.RpcError as error:
                duplicates.append(error)
        self.assertEqual((len(answers), len(duplicates)), (1, 49))
        self.assertEqual(answers[0].payment.state, COMPLETED)
        for error in duplicates:
            self.assertEqual(error.code(), Code.ALREADY_EXISTS)
            prior = error_detail(error).prior
            self.assertEqual(prior.transaction_id, order.transaction_id)
            self.assertEqual(prior.amount, order.amount)
        self.again(order)
        self.network.stop("gateway")
        self.network.start("gateway")
        self.again(order)
        self.network.kill("gateway")
        self.network.start("gateway")
        self.again(order)
        before["user1", "bank1"] -= 1000
        before["user2", "bank3"] += 1000
        self.assertEqual(self.balances(), before)
        self.assert_books()

    def again(self, order):
        detail = self.assert_refused(lambda: self.alice.pay(order), Code.ALREADY_EXISTS)
        self.assertEqual(detail.prior.state, COMPLETED)
        self.assertEqual(detail.prior.transaction_id, order.transaction_id)

    def cancel(self, client, order):
        return client.call("CancelPayment", gateway_pb2.CancelPaymentRequest(payment=order)).payment

    def test_GivenUpBeforeItArrives_IsNeverMade(self):
        before = self.balances()
        order = self.alice.order(self.bob.accounts["bank3"], 1000, bank="bank1")
        for _ in range(2):
            given_up = self.cancel(self.alice, order)
            self.assertEqual((given_up.state, given_up.reason_code), (ABORTED, "DS02"))
        self.network.kill("gateway")
        self.network.start("gateway")
        detail = self.assert_refused(lambda: self.alice.pay(order), Code.ALREADY_EXISTS)
        self.assertEqual((detail.prior.state, detail.prior.reason_code), (ABORTED, "DS02"))
        self.assertEqual(self.balances(), before)
        self.assert_books()

    def test_GivenUpAfterItWasMade_StaysMade(self):
        order = self.alice.order(self.bob.accounts["bank3"], 1000, bank="bank1")
        self.alice.pay(order)
        self.assertEqual(self.cancel(self.alice, order).state, COMPLETED)
        detail = self.assert_refused(lambda: self.cancel(self.carol, order), Code.ALREADY_EXISTS)
        self.assertFalse(detail.HasField("prior"))
        self.assert_books()

    def test_SameIdForAnotherPayment_IsRefusedAndDisclosesNothing(self):
        order = self.alice.order(self.bob.accounts["bank3"], 1000, bank="bank1", memo="the first")
        self.alice.pay(order)
        before = self.balances()

        def changed(**fields):
            return self.alice.order(**{"to": self.bob.accounts["bank3"], "minor_units": 1000, "bank": "bank1",
                                       "memo": "the first", "transaction_id": order.transaction_id, **fields})
        others = {
            "amount": (self.alice, changed(minor_units=1001)),
            "payee": (self.alice, changed(to=self.carol.accounts["bank3"])),
            "payer account": (self.alice, changed(bank="bank2")),
            "memo": (self.alice, changed(memo="the second")),
            "user": (self.dora, self.dora.order(self.bob.accounts["bank3"], 1000, bank="bank1", memo="the first",
                                                transaction_id=order.transaction_id)),
        }
        for name, (client, other) in others.items():
            with self.subTest(name):
                detail = self.assert_refused(lambda: client.pay(other), Code.ALREADY_EXISTS,
                                             reason="TRANSACTION_ID_REUSED")
                self.assertFalse(detail.HasField("prior"))
                self.assertNotIn("the first", str(detail))
                self.assertNotIn("user1", str(detail))
        self.assertEqual(self.balances(), before)
        self.assertEqual(self.alice.payment(order.transaction_id).amount.minor_units, 1000)

    def test_DeclinedPayment_StaysDeclinedUnderItsId(self):
        order = self.alice.order(self.bob, 10**12)
        self.assertEqual(self.alice.pay(order).payment.reason_code, "AM04")
        detail = self.assert_refused(lambda: self.alice.pay(order), Code.ALREADY_EXISTS)
        self.assertEqual(detail.prior.reason_code, "AM04")
        self.assertIn(detail.prior.state, FINAL)

    def test_SameIdTwiceInOneCall_PaysOnce(self):
        before = self.balances()
        order = self.alice.order(self.bob.accounts["bank3"], 10, bank="bank1")
        request = gateway_pb2.ProcessPaymentsRequest(payments=[order, order, order])
        results = self.alice.call("ProcessPayments", request).results
        self.assertEqual([r.grpc_code for r in results], [0] + [Code.ALREADY_EXISTS.value[0]] * 2)
        before["user1", "bank1"] -= 10
        before["user2", "bank3"] += 10
        self.assertEqual(self.balances(), before)

    def test_LookUpOfAnIdNeverSeen_IsNotFound(self):
        order = self.alice.order(self.bob)
        self.assertEqual(refusal(lambda: self.alice.payment(order.transaction_id)).code(), Code.NOT_FOUND)
        self.assertEqual(self.alice.pay(order).payment.state, COMPLETED)
