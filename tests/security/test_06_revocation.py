"""Attack 6: a revoked certificate, on both ends of a connection and also on one that stands; a revocation list that is missing,
stale, forged or another's."""

import os
import shutil

import grpc

from cases import Code, NetworkCase
from network import (ABORTED, COMPLETED, Network, gateway_pb2, gateway_pb2_grpc, refusal, run_strife, wait_until)


class Certificates:
    """The network's own CA, as an operator uses it."""

    def __init__(self, network):
        self.network = network
        self.directory = network.path / "certs"

    def pki(self, *arguments, directory=None):
        done = run_strife("pki", *arguments, "--dir", directory or self.directory)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def put(self, name, contents):
        """Replaces a file as an operator should: whole, or not at all."""
        fresh = self.directory / f"{name}.new"
        fresh.write_bytes(contents)
        os.replace(fresh, self.directory / name)


class RevocationCase(NetworkCase):
    def setUp(self):
        self.certificates = Certificates(self.network)

    def log(self, server):
        folder = self.network.path / "logs" / server
        return (folder / ("gateway.log" if server == "gateway" else "bank.log")).read_text()

    def wait_for_log(self, server, text, times=1):
        wait_until(lambda: self.log(server).count(text) >= times, f"\"{text}\" in the log of {server}")

    def balance(self, client, stub=None):
        request = gateway_pb2.CheckBalanceRequest(bank_id="bank1")
        return (stub or client.stub).CheckBalance(request, metadata=client.metadata, timeout=20)

    def refused_as_revoked(self, call):
        """True once the call is refused because of a revocation, and not for want of anything else."""
        try:
            call()
        except grpc.RpcError as error:
            return error.code() == Code.UNAUTHENTICATED and "been revoked" in error.details()
        return False


class Revoked(RevocationCase):
    BANKS = 2
    USERS = 2

    def test_06_ARevokedClient_IsRefusedAtTheNextCallOfAConnectionThatStands(self):
        self.certificates.pki("issue", "client", "thief")
        channel = self.network.channel("gateway", "thief")
        self.addCleanup(channel.close)
        stub = gateway_pb2_grpc.PaymentGatewayStub(channel)
        request = gateway_pb2.AuthenticateClientRequest(username="user1", password=self.network.passwords["user1"])
        self.assertTrue(stub.AuthenticateClient(request, timeout=20).access_token)
        self.certificates.pki("revoke", "thief")
        wait_until(lambda: self.refused_as_revoked(lambda: stub.AuthenticateClient(request, timeout=20)),
                   "the revocation to count on the connection that stands")
        with self.network.channel("gateway", "thief") as fresh:
            again = gateway_pb2_grpc.PaymentGatewayStub(fresh)
            self.assert_refused(lambda: again.AuthenticateClient(request, timeout=20), Code.UNAUTHENTICATED)
        self.assertTrue(self.network.client("user1").session.access_token)

    def test_06_ARevokedBank_IsNeitherHeardNorDialled(self):
        network = self.network
        payer, payee = network.clients("user1", "user2")
        self.assertEqual(payer.pay(payer.order(payee.accounts["bank2"], bank="bank1")).payment.state, COMPLETED)
        self.certificates.pki("revoke", "bank2")
        inquiry = gateway_pb2.InquireTransactionRequest(transaction_id="0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b")
        wait_until(lambda: self.refused_as_revoked(
            lambda: network.gateway("bank2").InquireTransaction(inquiry, timeout=20)), "the bank to be refused")
        # Its server still runs and would still answer: it is the gateway that will not have it.
        answer = payer.pay(payer.order(payee.accounts["bank2"], bank="bank1"))
        self.assertEqual(answer.payment.state, ABORTED)
        self.wait_for_log("bank2", "revoked")  # of its own certificate
        # A certificate issued anew brings it back, without a restart of anything.
        self.certificates.pki("renew", "bank2")
        wait_until(lambda: payer.pay(payer.order(payee.accounts["bank2"], bank="bank1")).payment.state == COMPLETED,
                   "payments to bank 2 to go through again")
        network.assert_running()


class RevokedGateway(RevocationCase):
    BANKS = 1
    USERS = 1

    def test_06_ARevokedGateway_IsRefusedByClientsAndBanks(self):
        self.network.client("user1")
        self.certificates.pki("revoke", "gateway")
        password = self.network.directory / "password"
        password.write_text(self.network.passwords["user1"])
        password.chmod(0o600)
        answer = run_strife("login", "user1", "--config", self.network.path / "client.toml", "--password-file", password,
                            "--max-retries", 0)
        self.assertEqual(answer.returncode, 1, answer.stdout)
        self.assertIn("revoked", answer.stderr)
        self.wait_for_log("bank1", "event=registration_failed")


class Lists(RevocationCase):
    BANKS = 1
    USERS = 1

    def test_06_AServerWhoseListIsMissingStaleForgedOrAnothers_DoesNotStart(self):
        with Network(banks=1, users=1) as network, Network(banks=1, users=1) as stranger:
            certificates = Certificates(network)
            good = (certificates.directory / "ca.crl").read_bytes()
            other = (stranger.path / "certs/ca.crl").read_bytes()
            certificates.pki("crl", "--lifetime", "1s")
            stale = (certificates.directory / "ca.crl").read_bytes()
            lines = good.split(b"\n")
            middle = len(lines) - 4  # within the signature
            lines[middle] = lines[middle][:-2] + (b"AA" if lines[middle][-2:] != b"AA" else b"BB")
            for what, contents, words in (("missing", None, "ca.crl"), ("empty", b"", "no PEM revocation list"),
                                          ("another's", other, "is missing"), ("altered", b"\n".join(lines), "ca.crl"),
                                          ("stale", stale, "stale")):
                for name in ("gateway", "bank1"):
                    with self.subTest(what=what, server=name):
                        if contents is None:
                            (certificates.directory / "ca.crl").unlink(missing_ok=True)
                        else:
                            certificates.put("ca.crl", contents)
                        if what == "stale":
                            self.wait_until_stale(network, name)
                        network.launch(name)
                        self.assertEqual(network.processes[name].wait(), 1)
                        self.assertIn(words, network.processes[name].said())
            certificates.put("ca.crl", good)
            network.start()

    def wait_until_stale(self, network, name):
        """With a data directory that cannot be, so that it ends whatever it thinks of its list."""
        role = "gateway" if name == "gateway" else "bank"

        def refused():
            answer = run_strife(role, "--config", network.config(name), "--data-dir", "/proc/none")
            return "stale" in answer.stderr
        wait_until(refused, "the list to grow stale")

    def test_06_AListReplacedByABadOne_IsRefusedLoudlyAndTheOldOneCounts(self):
        client = self.network.client("user1")
        good = (self.certificates.directory / "ca.crl").read_bytes()
        with Network(banks=1, users=1) as stranger:
            other = (stranger.path / "certs/ca.crl").read_bytes()
        for times, contents in enumerate((b"junk", other, good[:-40]), start=1):
            self.certificates.put("ca.crl", contents)
            for server in ("gateway", "bank1"):
                self.wait_for_log(server, "CRITICAL event=credentials_refused", times)
            self.balance(client)
        self.certificates.put("ca.crl", good)
        self.certificates.pki("issue", "client", "after")
        self.certificates.pki("revoke", "after")
        stub = self.network.gateway("after")
        wait_until(lambda: self.refused_as_revoked(lambda: stub.LogoutClient(
            gateway_pb2.LogoutClientRequest(), metadata=client.metadata, timeout=20)), "the good list to be taken")

    def test_06_AListThatGrowsStale_LetsNobodyInUntilItIsSignedAnew(self):
        client = self.network.client("user1")
        self.balance(client)
        self.certificates.pki("crl", "--lifetime", "3s")

        def stale():
            try:
                self.balance(client)
            except grpc.RpcError as error:
                return error.code() == Code.UNAUTHENTICATED and "stale" in error.details()
            return False
        wait_until(stale, "the list to grow stale")
        self.wait_for_log("gateway", "grown stale")
        self.certificates.pki("crl", "--lifetime", "30d")

        def lets_in():
            try:
                return self.balance(client)
            except grpc.RpcError as error:
                if error.code() not in (Code.UNAUTHENTICATED, Code.UNAVAILABLE, Code.DEADLINE_EXCEEDED):
                    raise
                return None
        wait_until(lets_in, "the new list to be taken")
        self.network.assert_running()


class Intermediates(RevocationCase):
    """A network whose leaves are all issued by an intermediate; only the root is trusted."""

    BANKS = 1
    USERS = 1

    @classmethod
    def setUpClass(cls):
        cls.network = Network(banks=cls.BANKS, users=cls.USERS)
        cls.addClassCleanup(cls.network.close)
        certificates, certs = Certificates(cls.network), cls.network.path / "certs"
        cls.issuing = cls.network.directory / "issuing"
        cls.second = cls.network.directory / "second"
        for directory, name in ((cls.issuing, "issuing1"), (cls.second, "issuing2")):
            certificates.pki("request", "ca", name, directory=directory)
            certificates.pki("issue", "ca", name, "--csr", directory / "ca.csr")
            certificates.pki("init", "--certificate", certs / f"{name}.crt", directory=directory)
        for role, name in (("gateway", "gateway"), ("bank", "bank1"), ("client", "client"), ("operator", "operator")):
            certificates.pki("issue", role, name, directory=cls.issuing)
            for suffix in ("crt", "key"):
                shutil.copy(cls.issuing / f"{name}.{suffix}", certs / f"{name}.{suffix}")
        certificates.pki("issue", "client", "other", directory=cls.second)
        for suffix in ("crt", "key"):
            shutil.copy(cls.second / f"other.{suffix}", certs / f"other.{suffix}")
        cls.publish()
        cls.network.start()

    @classmethod
    def publish(cls):
        """Puts the lists of all three CAs in place, beside the root's own file."""
        certs = cls.network.path / "certs"
        lists = b"".join((d / "ca.crl").read_bytes() for d in (cls.issuing, cls.second))
        root = (certs / "ca.crl").read_bytes().split(b"-----END X509 CRL-----\n")[0] + b"-----END X509 CRL-----\n"
        Certificates(cls.network).put("ca.crl", root + lists)

    def test_06_1_AChainThroughAnIntermediate_Works(self):
        client = self.network.client("user1")
        self.balance(client)

    def test_06_2_ALeafThatDoesNotShowItsIntermediate_IsRefused(self):
        certs = self.network.path / "certs"
        leaf = (certs / "client.crt").read_bytes().split(b"-----END CERTIFICATE-----\n")[0] + b"-----END CERTIFICATE-----\n"
        (certs / "bare.crt").write_bytes(leaf)
        shutil.copy(certs / "client.key", certs / "bare.key")
        stub = self.network.gateway("bare")
        self.assertEqual(refusal(lambda: stub.LogoutClient(gateway_pb2.LogoutClientRequest(), timeout=20)).code(),
                         Code.UNAVAILABLE)

    def test_06_3_ALeafAnIntermediateHasRevoked_IsRefused(self):
        client = self.network.client("user1")
        self.certificates.pki("issue", "client", "gone", directory=self.issuing)
        for suffix in ("crt", "key"):
            shutil.copy(self.issuing / f"gone.{suffix}", self.network.path / "certs" / f"gone.{suffix}")
        stub = self.network.gateway("gone")
        error = refusal(lambda: stub.LogoutClient(gateway_pb2.LogoutClientRequest(), metadata=client.metadata, timeout=20))
        self.assertNotIn("revoked", error.details())
        self.certificates.pki("revoke", "gone", directory=self.issuing)
        self.publish()
        wait_until(lambda: self.refused_as_revoked(lambda: stub.LogoutClient(
            gateway_pb2.LogoutClientRequest(), metadata=client.metadata, timeout=20)), "the revocation to count")

    def test_06_4_EverybodyUnderARevokedIntermediate_IsRefused(self):
        client = self.network.client("user1")
        stub = self.network.gateway("other")
        request = gateway_pb2.AuthenticateClientRequest(username="user1", password=self.network.passwords["user1"])
        self.assertTrue(stub.AuthenticateClient(request, timeout=20).access_token)
        self.certificates.pki("revoke", "issuing2")
        self.publish()
        wait_until(lambda: self.refused_as_revoked(lambda: stub.AuthenticateClient(request, timeout=20)),
                   "the revocation of the intermediate to count")
        self.balance(client)  # the other intermediate's

    def test_06_5_AnIntermediateWithoutAList_VouchesForNobody(self):
        certs = self.network.path / "certs"
        client = self.network.client("user1")
        whole = (certs / "ca.crl").read_bytes()
        second = (self.second / "ca.crl").read_bytes()
        self.certificates.put("ca.crl", whole.replace((self.issuing / "ca.crl").read_bytes(), b""))
        self.assertIn(second, (certs / "ca.crl").read_bytes())
        # The gateway's own certificate cannot be checked any more either; the list is taken all the same.

        def unchecked():
            try:
                self.balance(client)
            except grpc.RpcError as error:
                return error.code() == Code.UNAUTHENTICATED and "cannot be checked" in error.details()
            return False
        wait_until(unchecked, "the missing list to be noticed")
        self.certificates.put("ca.crl", whole)
        wait_until(lambda: not unchecked(), "the list to count again")
