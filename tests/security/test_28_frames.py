"""Attack 28: a certificate holder who floods the gateway with HTTP/2 frames, calls given up, halves of requests, and what is
too large. Each flood comes from an address of its own, and is over when the gateway closes the connection."""

import itertools
import struct

import forgery
import grpc
from cases import Code, NetworkCase
from memory import limited_in_audit, metric, status_mib
from network import COMPLETED, PATIENCE_S, gateway_pb2, refusal, wait_until
from raw_http2 import (ACK, CANCEL, CONTINUATION, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, HEADERS,
                       LARGEST_FRAME, PING, PRIORITY, RST_STREAM, SETTINGS, WINDOW_UPDATE, Connection, frame, literal,
                       message, request_headers)

MIB = 1 << 20
MAX_UNEXPLAINED = 16 * MIB
MAX_STREAMS = 1024
HALVES = range(1, 256, 2)  # streams: a frame of each is 2 MiB
MAX_UNSENT = 20_000  # calls of a certificate
MAX_MEMORY_MIB = 256  # of all requests under way
PAY, PAY_ALL = "/strife.v1.PaymentGateway/ProcessPayment", "/strife.v1.PaymentGateway/ProcessPayments"
INITIAL_WINDOW_SIZE = 4


def ping():
    return frame(PING, 0, 0, b"12345678")


def settings():
    return frame(SETTINGS, 0, 0, struct.pack(">HI", INITIAL_WINDOW_SIZE, 65_535))


def reset(stream):
    return frame(RST_STREAM, 0, stream, struct.pack(">I", CANCEL))


class FrameCase(NetworkCase):
    BANKS = 2
    USERS = 2
    GROWTH_MIB = 512  # of the gateway's memory, at most: 50 to 80 when there is nothing else to do, 300 on a busy machine

    def setUp(self):
        self.payer, self.payee = self.network.clients()
        self.before = status_mib(self.network, "gateway", "VmRSS")

    def connection(self, **options):
        made = Connection(self.network, "flood", source=f"127.0.{type(self).SUBNET}.{next(self.others)}", **options)
        self.addCleanup(made.close)
        return made

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        forgery.issue(cls.network, "client", "flood")
        cls.others = itertools.count(2)  # an address that has sent too much is remembered for a while

    def is_paid(self, order):
        """A connection that the flood has cost the client: then the same payment over a new one, as clients do."""
        try:
            return self.payer.pay(order).payment.state == COMPLETED
        except grpc.RpcError as error:
            self.assertEqual(error.code(), Code.UNAVAILABLE, error)
            return False

    def assert_well(self):
        """The honest notice nothing, and the gateway has not grown."""
        order = self.payer.order(self.payee.accounts["bank2"], bank="bank1")
        wait_until(lambda: self.is_paid(order), "the honest payment")
        self.network.assert_running()
        self.assertLess(status_mib(self.network, "gateway", "VmHWM") - self.before, self.GROWTH_MIB)

    def headers(self, method=PAY, **more):
        return request_headers(method, authorization=f"Bearer {self.payer.session.access_token}", **more)


class Frames(FrameCase):
    SUBNET = 1

    def assert_closed(self, chunk, at_most_bytes=4 * MAX_UNEXPLAINED):
        """Sends it until the connection is closed, which it is in time."""
        connection = self.connection()
        self.assertTrue(connection.send_until_closed(chunk, at_most_bytes), f"{connection.sent_bytes} bytes were taken")
        self.assert_well()
        return connection

    def test_28_PingFloods_AreTold_EnhanceYourCalm(self):
        connection = self.assert_closed(ping() * 500)
        self.assertEqual(connection.goaway_codes(), [ENHANCE_YOUR_CALM])

    def test_28_SettingsFloods_EndTheConnection(self):
        self.assert_closed(settings() * 500)

    def test_28_PriorityAndWindowFloods_EndTheConnection(self):
        self.assert_closed(frame(PRIORITY, 0, 1, struct.pack(">IB", 0, 1)) * 500)
        self.assert_closed(frame(WINDOW_UPDATE, 0, 99, struct.pack(">I", 1)) * 500)

    def test_28_AHeaderWithoutEnd_EndsTheConnection(self):
        block = literal("x", "y" * 1000) * 16
        first = frame(HEADERS, 0, 1, request_headers("/x/y"))
        self.assert_closed(itertools.chain([first], itertools.repeat(frame(CONTINUATION, 0, 1, block))))

    def test_28_AFloodWhoseAnswersNobodyReads_LeavesMemoryBounded(self):
        for chunk in (ping() * 500, settings() * 500):
            self.connection(reads=False).send_until_closed(chunk, MAX_UNEXPLAINED // 2)
        self.assert_well()

    def test_28_ManyConnectionsOfOneAddress_HaveOneBudget(self):
        """Coming back after the connection was closed gains nothing."""
        address = f"127.0.{self.SUBNET}.200"
        sent = 0
        for _ in range(20):
            connection = Connection(self.network, "flood", source=address)
            self.assertTrue(connection.send_until_closed(settings() * 500, 4 * MAX_UNEXPLAINED))
            sent += connection.sent_bytes
            connection.close()
        self.assertLess(sent, 5 * MAX_UNEXPLAINED)
        self.assert_well()


class Silence(FrameCase):
    SUBNET = 5

    def test_28_WhoDoesNotAnswerPings_IsDisconnected_ThoughCallsAreUnderWay(self):
        """A half of a request would otherwise keep the connection for ten minutes."""
        silent, lively = self.connection(), self.connection()
        for connection in (silent, lively):
            connection.send(frame(HEADERS, END_HEADERS, 1, request_headers(PAY)))

        def ended():
            lively.seen(PING)  # answers them
            return silent.wait_ended(0.1)
        wait_until(ended, "the connection to be closed", patience_s=120)
        self.assertFalse(lively.ended, "it is closed though it answers")
        self.assert_well()


class RapidReset(FrameCase):
    SUBNET = 2

    def resets(self, body):
        """Calls that are opened and given up in a row, 100 in a chunk."""
        streams = itertools.count(1, 2)
        block = self.headers()
        while True:
            yield b"".join(frame(HEADERS, END_HEADERS, stream, block) + (frame(DATA, END_STREAM, stream, body) if body else b"")
                           + reset(stream) for stream in itertools.islice(streams, 100))

    def wasted(self):
        return metric(self.network, "gateway", 'strife_connections_closed_total{limit="wasted_calls"}')

    def test_28_RapidReset_EndsTheConnectionAndComingBackGainsNothing(self):
        for body in (b"", message(b""), message(self.payer.order(self.payee).SerializeToString())):
            closed = self.wasted()
            for _ in range(4):
                connection = self.connection()
                self.assertTrue(connection.send_until_closed(self.resets(body), 64 * MIB), "it goes on for ever")
                connection.close()
            self.assertGreaterEqual(self.wasted() - closed, 3)
            self.assert_well()
        wait_until(lambda: [r for r in limited_in_audit(self.network) if r[0] == "client/flood"], "it to be on record")


class Large(FrameCase):
    SUBNET = 3
    GROWTH_MIB = MAX_MEMORY_MIB + 300

    def unsent(self):
        return metric(self.network, "gateway", "strife_calls_unsent")

    def pay_header(self, streams, **more):
        return b"".join(frame(HEADERS, END_HEADERS, stream, self.headers(PAY_ALL, **more)) for stream in streams)

    def test_28_AnOversizedMessage_IsRefused(self):
        for server, method in (("gateway", PAY_ALL), ("bank1", "/strife.v1.Bank/ExecuteBatch")):
            with self.network.channel(server, "client" if server == "gateway" else "gateway") as channel:
                call = channel.unary_unary(method, request_serializer=bytes, response_deserializer=bytes)
                error = refusal(lambda: call(bytes(4 * MIB + 1), timeout=20, metadata=self.payer.metadata))
                self.assertEqual(error.code(), Code.RESOURCE_EXHAUSTED, error.details())
        self.assert_well()

    def test_28_AMessageWithoutEnd_EndsTheConnection(self):
        connection = self.connection()
        connection.send(self.pay_header([1]) + frame(DATA, 0, 1, message(b"", length=2**32 - 1)))
        self.assertTrue(connection.send_until_closed(frame(DATA, 0, 1, bytes(LARGEST_FRAME)), 200 * MIB))
        self.assert_well()

    def test_28_OversizedMetadata_IsRefused(self):
        login = gateway_pb2.AuthenticateClientRequest(username="user1", password=self.network.passwords["user1"])
        session = self.network.gateway("flood").AuthenticateClient(login, timeout=PATIENCE_S, wait_for_ready=True)
        headers = request_headers(PAY, authorization=f"Bearer {session.access_token}")
        for size, taken in ((1, True), (20, False)):  # KiB more
            connection, order = self.connection(), self.payer.order(self.payee)
            more = b"".join(literal(f"x-{i}", "y" * 1000) for i in range(size))
            connection.send(frame(HEADERS, 0, 1, headers) + frame(CONTINUATION, 0, 1, more[:16_000])
                            + frame(CONTINUATION, END_HEADERS, 1, more[16_000:])
                            + frame(DATA, END_STREAM, 1, message(order.SerializeToString())))
            wait_until(lambda: connection.seen(HEADERS) or connection.seen(RST_STREAM) or connection.ended, "an answer")
            connection.wait_ended(patience_s=0.5)
            self.assertEqual(order.transaction_id in {p.transaction_id for p in self.payer.history()}, taken)
        self.assert_well()

    def test_28_MoreStreamsThanAllowed_AreRefused(self):
        connection = self.connection()
        wait_until(lambda: connection.seen(SETTINGS), "to be told the limit")
        connection.send(frame(SETTINGS, ACK, 0) + self.pay_header(range(1, 2 * (MAX_STREAMS + 200), 2)))
        self.assertTrue(connection.wait_ended(), "goes on beyond the limit")
        self.assert_well()

    def test_28_CallsOfWhichOnlyTheHeadersCome_AreBoundedForEachCertificate(self):
        calm = self.unsent()
        connections = [self.connection() for _ in range(2 * MAX_UNSENT // MAX_STREAMS + 1)]
        for connection in connections:
            self.assertTrue(connection.send(self.pay_header(range(1, 2 * MAX_STREAMS, 2))))

        def limited():
            return metric(self.network, "gateway", 'strife_rate_limited_total{rate="calls"}')
        wait_until(lambda: limited() >= MAX_UNSENT, "those beyond the limit to be refused")
        wait_until(lambda: sum(len(connection.seen(HEADERS)) for connection in connections) >= MAX_UNSENT, "their refusals")
        self.assertLess(self.unsent() - MAX_UNSENT, 10)  # the honest have theirs
        self.assert_well()
        for connection in connections:
            connection.close()
        # Given up, they count no longer.
        wait_until(lambda: self.unsent() <= calm, "them to be forgotten")

    def test_28_HalvesOfRequestsOfOneAddress_EndItsConnections(self):
        connection = self.connection()
        connection.send(self.pay_header(HALVES))
        start = b"".join(frame(DATA, 0, stream, message(b"", length=4 * MIB)) for stream in HALVES)
        more = b"".join(frame(DATA, 0, stream, bytes(LARGEST_FRAME)) for stream in HALVES)
        self.assertTrue(connection.send_until_closed(itertools.chain([start], itertools.repeat(more)), 200 * MIB))
        self.assert_well()

    def test_28_HalvesOfRequestsFromManyAddresses_LeaveMemoryBounded(self):
        """Each address sends nearly as much as it may: four times what all calls together may take."""
        start = b"".join(frame(DATA, 0, stream, message(b"", length=4 * MIB)) for stream in HALVES)
        more = b"".join(frame(DATA, 0, stream, bytes(LARGEST_FRAME)) for stream in HALVES)
        for _ in range(4 * MAX_MEMORY_MIB // 15):
            connection = self.connection()
            connection.send(self.pay_header(HALVES) + start + more * 7, patience_s=5)
        self.assert_well()
