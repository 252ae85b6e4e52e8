"""Attack 29: calls that are to last for ever: without a deadline, with an absurd one, or never sent to their end."""

import grpc
from cases import Code, NetworkCase
from network import COMPLETED, gateway_pb2, wait_until
from raw_http2 import DATA, END_HEADERS, END_STREAM, HEADERS, RST_STREAM, Connection, frame, message, request_headers

CENTURY_S = 100 * 365 * 86_400
PAY = "/strife.v1.PaymentGateway/ProcessPayment"


class Deadlines(NetworkCase):
    BANKS = 2
    USERS = 2
    GATEWAY_FLAGS = ("--transaction-timeout", "1s")

    def setUp(self):
        self.payer, self.payee = self.network.clients()

    def order(self):
        return self.payer.order(self.payee.accounts["bank2"], bank="bank1")

    def test_29_WithoutADeadlineOrWithAnAbsurdOne_ACallIsAnswered(self):
        for timeout in (None, CENTURY_S, 2**31):
            answer = self.payer.stub.ProcessPayment(self.order(), metadata=self.payer.metadata, timeout=timeout)
            self.assertEqual(answer.payment.state, COMPLETED)

    def test_29_WithoutADeadline_ABankThatIsSilentHoldsNothingUp(self):
        self.network.pause("bank2")
        self.addCleanup(self.network.resume, "bank2")
        # Every call that waits for that bank comes back by itself.
        answer = self.payer.stub.ProcessPayment(self.order(), metadata=self.payer.metadata, timeout=None)
        self.assertFalse(answer.success)
        with self.assertRaises(grpc.RpcError):
            self.payer.stub.CheckBalance(gateway_pb2.CheckBalanceRequest(bank_id="bank2"),
                                         metadata=self.payer.metadata, timeout=None)

    def test_29_ADeadlineThatHasPassed_LeavesTheIdGoodAndNothingHeld(self):
        orders = [self.order() for _ in range(20)]
        for order in orders:
            with self.assertRaises(grpc.RpcError):
                self.payer.stub.ProcessPayment(order, metadata=self.payer.metadata, timeout=-1)
        for order in orders:
            self.assertEqual(self.payer.ask_again(order).state, COMPLETED)
        self.assert_nothing_held([self.payer, self.payee])

    def test_29_DeadlinesOnTheWire_ThatAreNone_DoNoHarm(self):
        for text in ("99999999H", "0n", "", "-1S", "1", "S", "1000000000000S", "9" * 1000 + "H", "1S1S", "\u0661S"):
            connection = Connection(self.network)
            connection.send(frame(HEADERS, END_HEADERS, 1, request_headers(PAY, grpc_timeout=text.encode()))
                            + frame(DATA, END_STREAM, 1, message(self.order().SerializeToString())))
            wait_until(lambda: connection.seen(HEADERS) or connection.seen(RST_STREAM) or connection.ended,
                       f"an answer to grpc-timeout {text!r}")
            connection.close()
        self.network.assert_running()
        self.assertEqual(self.payer.pay(self.order()).payment.state, COMPLETED)


class Streams(NetworkCase):
    """Only health is a stream; its caller would hold it for as long as there is a connection."""

    BANKS = 1
    USERS = 1

    def test_29_AStreamWithoutADeadline_IsEndedAfterAMinute(self):
        watched = []
        for server in ("gateway", "bank1"):
            channel = self.network.channel(server, "operator")
            self.addCleanup(channel.close)
            watch = channel.unary_stream("/grpc.health.v1.Health/Watch", request_serializer=bytes,
                                         response_deserializer=bytes)
            for timeout in (None, CENTURY_S):
                stream = watch(b"", timeout=timeout)
                watched.append(stream)
        for stream in watched:
            with self.assertRaises(grpc.RpcError) as ended:
                for _ in stream:
                    pass
            self.assertEqual(ended.exception.code(), Code.CANCELLED)
        self.network.assert_running()
