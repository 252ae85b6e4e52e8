"""Attack 30: making payments wait for what is slow: logins, long histories, answers that nobody takes."""

import itertools
import struct
import threading

import forgery
import grpc
from cases import Code, NetworkCase
from logins import hash_password
from memory import status_mib
from network import COMPLETED, PATIENCE_S, Network, error_detail, gateway_pb2, wait_until
from raw_http2 import (DATA, END_HEADERS, END_STREAM, HEADERS, SETTINGS, Connection, frame, message, request_headers)
from test_24_equal_answers import edit_users

HISTORY = "/strife.v1.PaymentGateway/ViewTransactionHistory"
PAGE = gateway_pb2.ViewTransactionHistoryRequest(page_size=1000)
INITIAL_WINDOW_SIZE = 4
MAX_HISTORIES = 32


class Stalls(NetworkCase):
    BANKS = 2
    USERS = 3
    PAYMENTS = 3000  # in the reader's history
    PASSWORD = "as slow as they come"

    @classmethod
    def setUpClass(cls):
        cls.network = Network(banks=cls.BANKS, users=cls.USERS)
        cls.addClassCleanup(cls.network.close)
        hashed = hash_password(cls.PASSWORD)
        edit_users(cls.network, lambda users: users["user3"].update(password_hash=hashed))
        cls.network.passwords["user3"] = cls.PASSWORD
        forgery.issue(cls.network, "client", "reader")
        cls.network.start()
        cls.payer, cls.payee = cls.network.clients("user1", "user2")
        for _ in range(cls.PAYMENTS // 1000):
            batch = [cls.payer.order(cls.payee.accounts["bank2"], 1, bank="bank1", memo="m" * 140) for _ in range(1000)]
            cls.payer.call("ProcessPayments", gateway_pb2.ProcessPaymentsRequest(payments=batch))

    def assert_payments_go_through(self, while_busy):
        """Twenty payments and balances, one after the other, all answered while the attack goes on."""
        for _ in range(20):
            order = self.payer.order(self.payee.accounts["bank2"], bank="bank1")
            self.assertEqual(self.payer.pay(order).payment.state, COMPLETED)
            self.payer.balance("bank1")
        self.assertTrue(while_busy(), "the attack was over before the payments")

    def test_30_SlowLogins_DoNotHoldPaymentsUp(self):
        stubs = [self.network.gateway("reader") for _ in range(4)]
        stop = threading.Event()
        answered = []

        def log_in(stub):
            while not stop.is_set():
                try:
                    stub.AuthenticateClient(gateway_pb2.AuthenticateClientRequest(username="user3", password=self.PASSWORD),
                                            timeout=PATIENCE_S)
                    answered.append(True)
                except grpc.RpcError:
                    answered.append(False)
        threads = [threading.Thread(target=log_in, args=(stub,)) for stub in stubs for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            wait_until(lambda: True in answered, "the first login")
            self.assert_payments_go_through(lambda: all(thread.is_alive() for thread in threads))
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def test_30_DeepHistories_DoNotHoldPaymentsUp(self):
        stub = self.network.gateway("reader")
        reader = gateway_pb2.AuthenticateClientRequest(username="user1", password=self.network.passwords["user1"])
        metadata = (("authorization", f"Bearer {stub.AuthenticateClient(reader, timeout=PATIENCE_S).access_token}"),)
        stop, pages, refused = threading.Event(), [], []

        def read():
            while not stop.is_set():
                calls = [stub.ViewTransactionHistory.future(PAGE, metadata=metadata, timeout=PATIENCE_S) for _ in range(50)]
                for call in calls:
                    error = call.exception()
                    if error is None:
                        pages.append(len(call.result().payments))
                    else:
                        refused.append(error)
        thread = threading.Thread(target=read)
        thread.start()
        try:
            wait_until(lambda: pages, "the first page")
            self.assert_payments_go_through(thread.is_alive)
            wait_until(lambda: refused, "a read too many")
        finally:
            stop.set()
            thread.join()
        self.assertEqual(set(pages), {1000})
        self.assertEqual({error.code() for error in refused}, {Code.RESOURCE_EXHAUSTED})
        self.assertEqual({error_detail(error).reason_code for error in refused}, {"OVERLOADED"})

    def test_30_AnswersThatNobodyTakes_AreFewAndOthersReadOn(self):
        before = status_mib(self.network, "gateway", "VmRSS")
        stub = self.network.gateway("reader")
        reader = gateway_pb2.AuthenticateClientRequest(username="user1", password=self.network.passwords["user1"])
        token = stub.AuthenticateClient(reader, timeout=PATIENCE_S).access_token
        no_window = frame(SETTINGS, 0, 0, struct.pack(">HI", INITIAL_WINDOW_SIZE, 0))
        block = request_headers(HISTORY, authorization=f"Bearer {token}")
        connections = []
        for _ in range(8):
            connection = Connection(self.network, "reader")
            self.addCleanup(connection.close)
            streams = itertools.count(1, 2)
            connection.send(no_window + b"".join(
                frame(HEADERS, END_HEADERS, stream, block) + frame(DATA, END_STREAM, stream, message(PAGE.SerializeToString()))
                for stream in itertools.islice(streams, 100)))
            connections.append(connection)

        def refused():
            return sum(flags & END_STREAM for connection in connections for _, flags, *_ in connection.seen(HEADERS))
        # All but those that may be under way are told so, which takes no window.
        wait_until(lambda: refused() >= 800 - MAX_HISTORIES - 1, "the reads too many to be refused")
        self.assertLess(status_mib(self.network, "gateway", "VmHWM") - before, 150)
        self.assert_payments_go_through(lambda: not any(connection.ended for connection in connections))
        self.assertEqual(len(self.payer.call("ViewTransactionHistory", PAGE).payments), 1000)
