"""Attack 28: floods of connections, from people with and without a certificate."""

import contextlib
import os
import resource
import socket
import time

from cases import NetworkCase
from memory import limited_in_audit, metric, status_mib
from network import COMPLETED, wait_until
from raw_http2 import is_let_in
from raw_tls import HTTP2_PREFACE, client_context, is_refused

MAX_PER_ADDRESS = 512
MAX_NEW_PER_ADDRESS = 256


def flood_address(number):
    """Where a flood comes from: not where the honest come from, for limits are for each address."""
    return f"127.0.0.{number}"


class ConnectionCase(NetworkCase):
    BANKS = 2
    USERS = 2

    def setUp(self):
        self.payer, self.payee = self.network.clients()
        self.stack = contextlib.ExitStack()
        self.addCleanup(self.stack.close)
        # 2 descriptors here for each one there, and then some.
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    def assert_payments_go_through(self):
        order = self.payer.order(self.payee.accounts["bank2"], bank="bank1")
        self.assertEqual(self.payer.pay(order).payment.state, COMPLETED)

    def assert_newcomers_are_let_in(self):
        self.assertTrue(is_let_in(self.network), "an honest client that comes now")

    def connect(self, address):
        """A bare connection; stays open until the test's end unless the server closes it."""
        plain = self.stack.enter_context(socket.socket())
        plain.settimeout(20)
        plain.bind((address, 0))
        try:
            plain.connect(("127.0.0.1", self.network.port("gateway")))
        except ConnectionError:
            pass
        return plain

    @staticmethod
    def is_open(plain):
        plain.settimeout(0)
        try:
            return plain.recv(1) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    def refused(self, limit):
        return metric(self.network, "gateway", f'strife_connections_refused_total{{limit="{limit}"}}')

    def connections(self):
        return metric(self.network, "gateway", "strife_connections")


class Connections(ConnectionCase):
    def test_28_ConnectionsWithoutAHandshake_AreBoundedForEachAddressAndEndByThemselves(self):
        calm, before = self.connections(), status_mib(self.network, "gateway", "VmRSS")
        flood = [self.connect(flood_address(2)) for _ in range(MAX_NEW_PER_ADDRESS + 300)]
        wait_until(lambda: self.refused("address_new") + self.refused("too_fast") >= 1, "a refusal")
        wait_until(lambda: sum(map(self.is_open, flood)) <= MAX_NEW_PER_ADDRESS, "those beyond the limit to be closed")
        self.assertLessEqual(self.connections(), calm + MAX_NEW_PER_ADDRESS)
        self.assert_payments_go_through()
        self.assert_newcomers_are_let_in()
        # Whoever does not get on with the handshake is closed, and the others come in again.
        wait_until(lambda: not any(map(self.is_open, flood)), "the handshakes' limit")
        wait_until(lambda: self.connections() <= calm + 3, "the connections to be forgotten")
        self.assertLess(status_mib(self.network, "gateway", "VmHWM") - before, 200)

        def records():
            return [(subject, count) for _, peer, subject, count in limited_in_audit(self.network)
                    if peer == flood_address(2)]
        wait_until(lambda: sum(count for _, count in records()) >= 300, "the flood to be on record")
        self.assertLess(len(records()), 10, "a record for each refusal would be a flood of its own")
        self.assertEqual({subject for subject, _ in records()}, {"connections"})

    def test_28_AddressesTogether_LeaveTheHonestRoom(self):
        for number in (10, 11, 12, 13):
            for _ in range(MAX_NEW_PER_ADDRESS - 50):
                self.connect(flood_address(number))
        wait_until(lambda: self.refused("server_new") >= 1, "too many new connections altogether")
        # Established ones are not touched.
        self.assert_payments_go_through()
        wait_until(lambda: is_let_in(self.network), "an honest client to be let in once the handshakes have timed out")

    def test_28_HandshakesWithoutACertificate_InARow_AreSlowedDown(self):
        strangers = 0
        while self.refused("too_fast") == 0:
            self.assertTrue(is_refused(self.network.port("gateway"), client_context(self.network, None),
                                       source=flood_address(20)))
            strangers += 1
            self.assertLess(strangers, 20_000)
        self.assert_payments_go_through()
        self.assert_newcomers_are_let_in()

    def test_28_ConnectionsOfACertificateHolder_AreBoundedForEachAddress(self):
        context = client_context(self.network, "client")

        def a_few_more():
            for _ in range(5):
                plain = self.connect(flood_address(30))
                plain.settimeout(20)
                try:
                    tls = self.stack.enter_context(context.wrap_socket(plain, server_hostname="localhost"))
                    tls.sendall(HTTP2_PREFACE)
                except OSError:
                    plain.close()
            return self.refused("address_full")
        wait_until(a_few_more, "a refusal", patience_s=200)
        self.assertLessEqual(self.connections(), MAX_PER_ADDRESS + 10)
        self.assert_payments_go_through()
        self.assert_newcomers_are_let_in()


class FewDescriptors(ConnectionCase):
    """A gateway that may not open many files."""

    FILES = 320  # room for 64 connections

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.network.stop("gateway")
        cls.network.launch("gateway", prefix=["prlimit", f"--nofile={cls.FILES}:{cls.FILES}"])
        cls.network.wait_serving("gateway")

    def gateway_pid(self):
        return self.network.processes["gateway"].popen.pid

    def test_28_DescriptorsAreKeptForTheServersOwnWork(self):
        flood = [self.connect(flood_address(2)) for _ in range(self.FILES)]
        wait_until(lambda: self.refused("server_full") >= 1, "a refusal")
        self.assertLess(len(os.listdir(f"/proc/{self.gateway_pid()}/fd")), self.FILES - 50)
        self.assert_payments_go_through()
        for plain in flood:
            plain.close()
        wait_until(lambda: is_let_in(self.network), "room for an honest client")

    def test_28_WithoutDescriptors_ItWaitsForThemAndDoesNotSpin(self):
        used = len(os.listdir(f"/proc/{self.gateway_pid()}/fd"))
        resource.prlimit(self.gateway_pid(), resource.RLIMIT_NOFILE, (used, self.FILES))
        began = os.times().elapsed
        waiting = [self.connect(flood_address(3)) for _ in range(5)]
        for _ in range(20):
            self.assert_payments_go_through()
        time.sleep(1)  # of doing nothing, if it does nothing
        resource.prlimit(self.gateway_pid(), resource.RLIMIT_NOFILE, (self.FILES, self.FILES))
        tries = wait_until(lambda: metric(self.network, "gateway", "strife_connections_not_accepted_total"), "a failure")
        self.assertLess(tries, 50 * (os.times().elapsed - began), "it spins")
        wait_until(lambda: is_let_in(self.network), "connections to be taken again")
        self.assertTrue(any(map(self.is_open, waiting)), "those who waited were let in")

    def test_28_TooFewDescriptorsToServe_AreSaidAtTheStart(self):
        self.network.stop("bank1")
        self.network.launch("bank1", prefix=["prlimit", "--nofile=100:100"])
        self.assertEqual(self.network.processes["bank1"].wait(), 1)
        self.assertIn("may open 100 files", self.network.processes["bank1"].said())
        self.network.start("bank1")
