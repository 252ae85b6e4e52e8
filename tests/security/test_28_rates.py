"""Attack 28: a certificate or a user that asks for more than its share."""

import json

import forgery
import grpc
from cases import Code, NetworkCase
from memory import limited_in_audit, metric
from network import COMPLETED, PATIENCE_S, error_detail, gateway_pb2, wait_until
from person import Person

MAX_PAYMENTS_PER_CALL = 1024  # also the least that is taken at once, however low a rate is set
RATE_LIMITED = "RATE_LIMITED"


class RateCase(NetworkCase):
    BANKS = 2
    USERS = 3

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Once: a test that floods under their certificate leaves nothing of its rate to the next one's logins.
        cls.payer, cls.payee, cls.other = cls.network.clients()

    def payments(self, count):
        """One call with so many payments."""
        order = self.payer.order(self.payee.accounts["bank2"], 1, bank="bank1")
        return gateway_pb2.ProcessPaymentsRequest(payments=[self.fresh(order) for _ in range(count)])

    def fresh(self, order):
        again = type(order)()
        again.CopyFrom(order)
        again.transaction_id = forgery.some_id()
        return again

    def pay_all(self, request):
        return self.payer.stub.ProcessPayments(request, metadata=self.payer.metadata, timeout=PATIENCE_S)

    def assert_rate_limited(self, error):
        self.assertEqual(error.code(), Code.RESOURCE_EXHAUSTED, error.details())
        detail = error_detail(error)
        self.assertEqual((detail.reason_code, detail.retryable), (RATE_LIMITED, True))
        pushback_ms = int(dict(error.trailing_metadata())["grpc-retry-pushback-ms"])
        self.assertGreaterEqual(pushback_ms, 100)

    def assert_on_record(self, who, what):
        def records():
            return [count for actor, _, subject, count in limited_in_audit(self.network) if (actor, subject) == (who, what)]
        wait_until(records, "the audit log to tell of it")
        log = self.network.path / "logs/gateway/gateway.log"
        wait_until(lambda: f"event=limited who={who} limit={what}" in log.read_text(), "the log to tell of it")
        return records()


class PaymentsPerSecond(RateCase):
    GATEWAY_FLAGS = ("--payments-per-second", "20")

    def test_28_MorePaymentsOfAUserThanTheRate_AreRefusedWithAPushback_OthersAreNot(self):
        for result in self.pay_all(self.payments(MAX_PAYMENTS_PER_CALL)).results:
            self.assertEqual(result.payment.state, COMPLETED)
        batch = self.payments(500)
        with self.assertRaises(grpc.RpcError) as refused:
            self.pay_all(batch)
        self.assert_rate_limited(refused.exception)
        # Nothing of it was recorded: the same payments are new when there is room again.
        self.assertEqual(len(self.payer.history()), MAX_PAYMENTS_PER_CALL)
        self.assertEqual(self.other.pay(self.other.order(self.payee)).payment.state, COMPLETED)
        self.assertGreaterEqual(metric(self.network, "gateway", 'strife_rate_limited_total{rate="payments"}'), 1)
        self.assert_on_record("user/user1", "payments")

    def test_28_PaymentsOneByOne_CountAsThoseOfABatch(self):
        # What a user may send at once, spent on payments that are none: they are charged before they are looked at.
        nothing = gateway_pb2.ProcessPaymentRequest()
        spent = gateway_pb2.ProcessPaymentsRequest(payments=[nothing] * MAX_PAYMENTS_PER_CALL)
        self.payee.stub.ProcessPayments(spent, metadata=self.payee.metadata, timeout=PATIENCE_S)
        calls = [self.payee.stub.ProcessPayment.future(nothing, metadata=self.payee.metadata, timeout=PATIENCE_S)
                 for _ in range(500)]
        errors = [call.exception() for call in calls]
        self.assertLessEqual({error.code() for error in errors}, {Code.INVALID_ARGUMENT, Code.RESOURCE_EXHAUSTED})
        limited = [error for error in errors if error.code() == Code.RESOURCE_EXHAUSTED]
        self.assertTrue(limited, "the rate is for batches only")
        self.assert_rate_limited(limited[0])
        order = self.payee.order(self.payer)

        def paid():
            try:
                return self.payee.pay(order).success
            except grpc.RpcError as error:
                self.assert_rate_limited(error)
                return False
        wait_until(paid, "there to be room again")

    def test_28_ABatchThatIsTooLarge_IsInvalidAndNotToBeTriedAgain(self):
        stub = self.network.gateway()
        for size in (MAX_PAYMENTS_PER_CALL + 1, 2000):
            error = None
            try:
                stub.ProcessPayments(self.payments(size), metadata=self.other.metadata, timeout=PATIENCE_S)
            except grpc.RpcError as raised:
                error = raised
            if size == MAX_PAYMENTS_PER_CALL + 1:
                self.assertEqual(error.code(), Code.INVALID_ARGUMENT, error.details())
            else:  # and it is charged for, so that to send it again and again does not come free
                self.assert_rate_limited(error)


class OpenPayments(RateCase):
    GATEWAY_FLAGS = ("--transaction-timeout", "60s")  # what waits for the stopped bank waits for all of the test
    MOST = 4096  # of a user

    def test_28_AUserWithManyPaymentsUnderWay_GetsNoMoreIn_AndOthersDo(self):
        self.network.pause("bank2")
        try:
            waiting = [self.payer.stub.ProcessPayments.future(self.payments(MAX_PAYMENTS_PER_CALL),
                                                              metadata=self.payer.metadata, timeout=PATIENCE_S)
                       for _ in range(self.MOST // MAX_PAYMENTS_PER_CALL)]
            wait_until(lambda: metric(self.network, "gateway", "strife_payments_in_flight") == self.MOST,
                       "all payments to be under way")
            order = self.payer.order(self.payee.accounts["bank1"], 1, bank="bank1")
            with self.assertRaises(grpc.RpcError) as refused:
                self.payer.pay(order)
            self.assertEqual(refused.exception.code(), Code.RESOURCE_EXHAUSTED)
            detail = error_detail(refused.exception)
            self.assertEqual((detail.reason_code, detail.retryable), ("OVERLOADED", True))
            self.assertIn("payments under way", refused.exception.details())
            self.assertEqual(dict(refused.exception.trailing_metadata())["grpc-retry-pushback-ms"], "1000")
            others = self.other.order(self.payee.accounts["bank1"], 1, bank="bank1")
            self.assertEqual(self.other.pay(others).payment.state, COMPLETED)
        finally:
            self.network.resume("bank2")
        for call in waiting:
            self.assertEqual({result.payment.state for result in call.result().results}, {COMPLETED})
        self.assertEqual(self.payer.pay(order).payment.state, COMPLETED, "there is room again")


class CallsPerSecond(RateCase):
    GATEWAY_FLAGS = ("--calls-per-second", "20")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        forgery.issue(cls.network, "client", "flood")

    def flood(self, stub, count, metadata):
        """How each of so many calls ends."""
        request = gateway_pb2.CheckBalanceRequest(bank_id="bank1")
        calls = [stub.CheckBalance.future(request, timeout=PATIENCE_S, metadata=metadata) for _ in range(count)]
        return [call.exception() for call in calls]

    def test_28_MoreCallsOfACertificateThanTheRate_AreRefusedWithAPushback_OthersAreNot(self):
        # Logged in or not: calls are counted before anything else of them is looked at.
        errors = self.flood(self.network.gateway("flood"), MAX_PAYMENTS_PER_CALL + 500, ())
        codes = [error.code() for error in errors]
        self.assertGreaterEqual(codes.count(Code.UNAUTHENTICATED), MAX_PAYMENTS_PER_CALL)
        limited = [error for error in errors if error.code() == Code.RESOURCE_EXHAUSTED]
        self.assertGreater(len(limited), 100)
        self.assert_rate_limited(limited[0])
        self.assertEqual(self.payer.pay(self.payer.order(self.payee)).payment.state, COMPLETED)
        self.assertGreaterEqual(metric(self.network, "gateway", 'strife_rate_limited_total{rate="calls"}'), len(limited))
        counts = self.assert_on_record("client/flood", "calls")
        self.assertLess(len(counts), 10, "a record for each refusal would be a flood of its own")

    def test_28_WhoDoesNotHeedTheRefusals_IsDisconnected(self):
        stub = self.network.gateway("flood")

        def closed():
            self.flood(stub, 500, ())
            return metric(self.network, "gateway", 'strife_connections_closed_total{limit="wasted_calls"}')
        wait_until(closed, "the connection to be closed")
        self.assertEqual(self.payer.pay(self.payer.order(self.payee)).payment.state, COMPLETED)

    def test_28_TheCommand_WaitsAsLongAsItIsTold(self):
        person = Person(self.network, "user1").login()
        person.settings[person.settings.index("--max-retries") + 1] = "20"
        self.flood(self.network.gateway(), MAX_PAYMENTS_PER_CALL + 20, self.payer.metadata)
        paid = person.run(*person.pay_words(to="bank2/user2"), "--output", "json")
        self.assertEqual(paid.returncode, 0, paid.stderr)
        self.assertEqual(json.loads(paid.stdout)["state"], "COMPLETED")
