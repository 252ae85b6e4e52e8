"""Attack 8: a bank that asks about transactions it has no part in, to learn them or to get them aborted."""

from cases import Code, NetworkCase
from network import COMPLETED, gateway_pb2, new_id, types_pb2


class Inquiries(NetworkCase):
    USERS = 2

    def inquire(self, certificate, transaction_id):
        request = gateway_pb2.InquireTransactionRequest(transaction_id=transaction_id)
        return lambda: self.network.gateway(certificate).InquireTransaction(request, timeout=20)

    def test_08_ABankThatTakesNoPart_LearnsNothingAndChangesNothing(self):
        payer, payee = self.network.clients("user1", "user2")
        order = payer.order(payee.accounts["bank2"], bank="bank1")
        self.assertEqual(payer.pay(order).payment.state, COMPLETED)
        for bank in ("bank1", "bank2"):
            self.assertEqual(self.inquire(bank, order.transaction_id)().decision, types_pb2.DECISION_COMMIT)
        refused = self.assert_refused(self.inquire("bank3", order.transaction_id), Code.PERMISSION_DENIED)
        for told in (order.memo, "user1", "bank1", "bank2", "COMMIT"):
            self.assertFalse(told and told in refused.message, refused.message)
        for certificate in ("client", "operator", "gateway"):
            with self.subTest(certificate):
                self.assert_refused(self.inquire(certificate, order.transaction_id), Code.PERMISSION_DENIED)

    def test_08_ABankThatIsPaused_StillHasItsTransactionToItself(self):
        payer, payee = self.network.clients("user1", "user2")
        order = payer.order(payee.accounts["bank2"], bank="bank1")
        self.network.pause("bank2")
        try:
            call = payer.pay_later(order)
            # In flight: an answer of "abort" to a stranger would be presumed, recorded and true.
            self.assert_refused(self.inquire("bank3", order.transaction_id), Code.PERMISSION_DENIED)
        finally:
            self.network.resume("bank2")
        ended = call.result().payment if call.exception() is None else payer.ask_again(order)
        self.assertEqual(ended.transaction_id, order.transaction_id)
        self.assert_books()

    def test_08_AnIdNobodyHasUsed_CannotBeMadeToMeanTwoThings(self):
        payer, payee = self.network.clients("user1", "user2")
        order = payer.order(payee.accounts["bank2"], bank="bank1", transaction_id=new_id())
        # Presumed abort: the answer must hold from now on, so a payment under that id is refused and moves nothing.
        self.assertEqual(self.inquire("bank3", order.transaction_id)().decision, types_pb2.DECISION_ABORT)
        before = payer.balance("bank1")
        self.assert_refused(lambda: payer.pay(order), Code.ALREADY_EXISTS, "TRANSACTION_ID_REUSED")
        self.assertEqual(payer.balance("bank1").posted, before.posted)
        self.assert_nothing_held([payer, payee])
        self.assert_books()
