"""CA, server certificates, client certificates and revocation lists are replaced while payments flow: none is lost, nothing is
restarted. The order of the steps is that of docs/operating.md."""

import os
import shutil
import threading
import unittest

import grpc

from network import COMPLETED, Network, gateway_pb2, new_id, run_strife, wait_until

LEAVES = (("gateway", "gateway"), ("bank", "bank1"), ("bank", "bank2"), ("client", "client"), ("operator", "operator"))


class RotatingNetwork(Network):
    """Its trust is in files of their own, apart from those of the CAs."""

    def __init__(self):
        super().__init__(banks=2, users=4)
        self.old, self.new = self.path / "certs", self.directory / "new-ca"
        for config in self.path.glob("*.toml"):
            config.write_text(config.read_text().replace("certs/ca.crt", "trust.crt").replace("certs/ca.crl", "trust.crl"))
        self.trust(self.old)

    def trust(self, *authorities):
        for suffix in ("crl", "crt"):
            self.put(self.path / f"trust.{suffix}", b"".join((d / f"ca.{suffix}").read_bytes() for d in authorities))

    @staticmethod
    def put(file, contents):
        fresh = file.with_suffix(".new")
        fresh.touch(0o600)
        fresh.write_bytes(contents)
        os.replace(fresh, file)

    def credentials(self, certificate):
        certs = self.path / "certs"
        return grpc.ssl_channel_credentials((self.path / "trust.crt").read_bytes(),
                                            (certs / f"{certificate}.key").read_bytes(),
                                            (certs / f"{certificate}.crt").read_bytes())

    def log(self, server):
        return (self.path / "logs" / server / ("gateway.log" if server == "gateway" else "bank.log")).read_text()

    def taken(self):
        return {server: self.log(server).count("event=credentials_taken") for server in ("gateway", *self.banks)}

    def wait_until_taken(self, step, servers=("gateway", "bank1", "bank2")):
        """Does the step and waits until these servers work with what it has put in place."""
        before = self.taken()
        step()
        for server in servers:
            wait_until(lambda s=server: self.taken()[s] > before[s], f"{server} to take new credentials")


class Payer(threading.Thread):
    """Pays without a pause, one after the other, until told to stop. When the session is refused it logs in again; when the
    connection fails it asks again with the same id. So each payment has exactly one end, which is kept."""

    def __init__(self, network, user, payee):
        super().__init__(daemon=True)
        self.network, self.user, self.payee = network, user, payee
        self.ends = {}  # id -> state
        self.enough = threading.Event()
        self.failure = None

    def run(self):
        try:
            client = self.network.client(self.user)
            while not self.enough.is_set():
                order = client.order(self.payee, 1, transaction_id=new_id())
                state = None
                while state is None:
                    client, state = self.attempt(client, order)
                self.ends[order.transaction_id] = state
        except Exception as error:  # pylint: disable=broad-except  (told by the test)
            self.failure = error

    def attempt(self, client, order):
        try:
            return client, client.ask_again(order).state
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.UNAUTHENTICATED:
                raise
            return self.network.client(self.user), None


class Rotation(unittest.TestCase):
    def setUp(self):
        self.network = RotatingNetwork()
        self.addCleanup(self.network.close)
        self.network.start()

    def pki(self, *arguments):
        done = run_strife("pki", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)

    def start_paying(self):
        account = {c.user: next(iter(c.accounts.values())) for c in self.network.clients()}
        users = self.network.users
        self.payers = [Payer(self.network, user, account[users[i - 1]]) for i, user in enumerate(users)]
        for payer in self.payers:
            payer.start()
        self.wait_for_payments()

    def wait_for_payments(self):
        """Until every payer has got some more payments through."""
        before = [len(payer.ends) for payer in self.payers]

        def more():
            for payer in self.payers:
                if payer.failure is not None:
                    raise payer.failure
            return all(len(payer.ends) >= n + 5 for payer, n in zip(self.payers, before))
        wait_until(more, "payments to go on")

    def stop_paying(self):
        for payer in self.payers:
            payer.enough.set()
        for payer in self.payers:
            payer.join()
            if payer.failure is not None:
                raise payer.failure
        ended = {state for payer in self.payers for state in payer.ends.values()}
        self.assertEqual(ended, {COMPLETED}, "a payment was lost")

    def put_leaf(self, name, source):
        for suffix in ("key", "crt"):
            self.network.put(self.network.path / f"certs/{name}.{suffix}", (source / f"{name}.{suffix}").read_bytes())

    def test_Rotation_OfCaCertificatesAndLists_LosesNoPaymentAndNeedsNoRestart(self):
        network = self.network
        started = {name: process.popen.pid for name, process in network.processes.items()}
        self.start_paying()
        old_client = network.directory / "old-client"
        old_client.mkdir()
        for suffix in ("crt", "key"):
            shutil.copy(network.path / f"certs/client.{suffix}", old_client / f"client.{suffix}")

        # 1. The new CA beside the old.
        self.pki("init", "--dir", network.new)
        network.wait_until_taken(lambda: network.trust(network.old, network.new))
        self.wait_for_payments()
        # 2. Everybody's certificate from the new CA, one after the other.
        for role, name in LEAVES:
            self.pki("issue", role, name, "--dir", network.new)
            servers = (name,) if role in ("gateway", "bank") else ()
            network.wait_until_taken(lambda n=name: self.put_leaf(n, network.new), servers)
            self.wait_for_payments()
        # 3. The old CA goes.
        old = grpc.ssl_channel_credentials((network.path / "trust.crt").read_bytes(),
                                           (old_client / "client.key").read_bytes(),
                                           (old_client / "client.crt").read_bytes())
        with network.channel("gateway", None, old) as channel:
            login = channel.unary_unary("/strife.v1.PaymentGateway/AuthenticateClient",
                                        request_serializer=gateway_pb2.AuthenticateClientRequest.SerializeToString,
                                        response_deserializer=gateway_pb2.AuthenticateClientResponse.FromString)
            request = gateway_pb2.AuthenticateClientRequest(username="user1", password=network.passwords["user1"])
            self.assertTrue(login(request, timeout=20).access_token, "the old CA does not count any more")
            self.move_payers()
            network.wait_until_taken(lambda: network.trust(network.new))
            with self.assertRaises(grpc.RpcError) as refused:
                login(request, timeout=20)
            self.assertEqual(refused.exception.code(), grpc.StatusCode.UNAUTHENTICATED)
        self.wait_for_payments()
        # 4. A renewal of a server's certificate, and a revocation, in the new order of things.
        self.pki("renew", "bank1", "--dir", network.new)
        network.wait_until_taken(lambda: self.put_leaf("bank1", network.new), ("bank1",))
        self.pki("issue", "client", "spare", "--dir", network.new)
        self.pki("revoke", "spare", "--dir", network.new)
        network.wait_until_taken(lambda: network.trust(network.new))
        self.wait_for_payments()

        self.stop_paying()
        self.assertEqual({n: p.popen.pid for n, p in network.processes.items()}, started)
        network.assert_running()
        for server in started:
            self.assertNotIn("credentials_refused", network.log(server))
        verdict = network.verify()
        self.assertEqual(verdict.returncode, 0, verdict.stdout + verdict.stderr)

    def move_payers(self):
        """Ends the payers, all of whose payments must have been made, and goes on with the certificates as they are now."""
        users = [(payer.user, payer.payee) for payer in self.payers]
        self.stop_paying()
        self.payers = [Payer(self.network, user, payee) for user, payee in users]
        for payer in self.payers:
            payer.start()
        self.wait_for_payments()

    def test_Rotation_ABadFileInTheMiddle_ChangesNothing(self):
        network = self.network
        self.start_paying()
        good = {file: (network.path / file).read_bytes() for file in ("certs/bank1.crt", "certs/bank1.key", "trust.crt")}
        for file in good:
            before = network.log("bank1").count("CRITICAL event=credentials_refused")
            network.put(network.path / file, b"-----BEGIN CERTIFICATE-----\nnothing\n-----END CERTIFICATE-----\n")
            wait_until(lambda b=before: network.log("bank1").count("CRITICAL event=credentials_refused") > b,
                       f"{file} to be refused")
            self.wait_for_payments()
            network.put(network.path / file, good[file])
        self.stop_paying()
        network.assert_running()
