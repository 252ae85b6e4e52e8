"""Attacks 2 to 5: a certificate that is somebody else's, nobody's, or meant for something else; on both ends of a connection."""

from cryptography.x509.oid import ExtendedKeyUsageOID

from cases import Code, NetworkCase
from forgery import issue
from network import ABORTED, COMPLETED, bank_pb2, gateway_pb2, new_id, refusal, run_strife, wait_until
from raw_tls import Impostor, client_context, is_refused, talk

CLIENT_AUTH, SERVER_AUTH = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH


class Identities(NetworkCase):
    BANKS = 2
    USERS = 2

    def log_in(self, certificate):
        request = gateway_pb2.AuthenticateClientRequest(username="user1", password=self.network.passwords["user1"])
        with self.network.channel("gateway", certificate) as channel:
            from network import gateway_pb2_grpc
            return gateway_pb2_grpc.PaymentGatewayStub(channel).AuthenticateClient(request, timeout=20)

    def test_02_ABankMayNotRegisterAsAnother(self):
        request = gateway_pb2.RegisterBankRequest(bank_id="bank2", display_name="Bank 2", currencies=["USD"],
                                                  endpoint=f"127.0.0.1:{self.network.port('bank1')}")
        self.assert_refused(lambda: self.network.gateway("bank1").RegisterBank(request, timeout=20),
                            Code.PERMISSION_DENIED)
        payer, payee = self.network.clients("user1", "user2")
        self.assertEqual(payer.pay(payer.order(payee.accounts["bank2"], bank="bank1")).payment.state, COMPLETED)

    def test_02_ABankMayNotGiveTheGatewaysOrders(self):
        request = bank_pb2.CommitTransactionRequest(transaction_id=new_id(), gateway_epoch=10**9)
        for stub in (self.network.bank("bank2", "bank1"), self.network.bank("bank1", "bank1")):
            self.assert_refused(lambda: stub.CommitTransaction(request, timeout=20), Code.PERMISSION_DENIED)

    def test_02_TheCommonNameMeansNothing(self):
        domain = "spiffe://strife.local"
        issue(self.network, "bank", "bank2-by-name", uris=[f"{domain}/bank/bank1"], usages=(CLIENT_AUTH, SERVER_AUTH))
        request = gateway_pb2.RegisterBankRequest(bank_id="bank2-by-name", currencies=["USD"], endpoint="127.0.0.1:1")
        self.assert_refused(lambda: self.network.gateway("bank2-by-name").RegisterBank(request, timeout=20),
                            Code.PERMISSION_DENIED)

    def test_03_TwoUriNamesOrAStrangeOne_AreRefused(self):
        domain = "spiffe://strife.local"
        for name, uris in {
            "two": [f"{domain}/client/two", f"{domain}/operator/two"],
            "same-twice": [f"{domain}/client/same-twice", f"{domain}/client/same-twice"],
            "other-domain": ["spiffe://other.local/client/other-domain"],
            "no-role": [f"{domain}/no-role"],
            "strange-role": [f"{domain}/king/strange-role"],
            "upper": ["SPIFFE://strife.local/client/upper"],
            "query": [f"{domain}/client/query?role=operator"],
            "deeper": [f"{domain}/client/operator/deeper"],
            "web": ["https://strife.local/client/web"],
        }.items():
            with self.subTest(name):
                issue(self.network, "client", name, uris=uris)
                self.assert_refused(lambda: self.log_in(name), Code.UNAUTHENTICATED)
        issue(self.network, "client", "plain")
        self.assertTrue(self.log_in("plain").access_token)

    def test_03_AWrongRole_IsRefusedByEveryMethodOfTheOther(self):
        # All methods and all roles: test_07_roles.py.
        self.assert_refused(lambda: self.log_in("bank1"), Code.PERMISSION_DENIED)
        self.assert_refused(lambda: self.log_in("operator"), Code.PERMISSION_DENIED)

    def test_04_AServerOnlyCertificate_CannotDial(self):
        issue(self.network, "client", "server-only", usages=(SERVER_AUTH,))
        issue(self.network, "client", "signs-code", usages=(ExtendedKeyUsageOID.CODE_SIGNING,))
        for name in ("server-only", "signs-code"):
            for server in ("gateway", "bank1"):
                with self.subTest(name=name, server=server):
                    self.assertTrue(is_refused(self.network.port(server), client_context(self.network, name)))
        self.assertTrue(talk(self.network.port("gateway"), client_context(self.network, "client")))

    def test_04_ACertificateThatDoesNotSayWhatItIsFor_CannotDial(self):
        # TLS takes one without extended key usages for one of every use; it is Strife that will not.
        issue(self.network, "client", "says-nothing", usages=())
        self.assertIn("may not be used by a client",
                      self.assert_refused(lambda: self.log_in("says-nothing"), Code.UNAUTHENTICATED).message)

    def assert_never_told(self, impostor, dial):
        dial()
        self.assertTrue(impostor.dialled.acquire(timeout=60), "nobody dialled the impostor: the test shows nothing")
        self.assertEqual(impostor.told, [], "something was said to an impostor")

    def test_05_TheGatewayThatDialsABankAndFindsAnother_TellsItNothing(self):
        # Bank 2 itself sends the gateway to an address where somebody else answers: with bank 1's certificate, the
        # gateway's, or one of bank 2's name that may not serve, does not say so or is of another trust domain.
        issue(self.network, "bank", "bank2-dials-only", uris=["spiffe://strife.local/bank/bank2"], usages=(CLIENT_AUTH,))
        issue(self.network, "bank", "bank2-says-nothing", uris=["spiffe://strife.local/bank/bank2"], usages=())
        issue(self.network, "bank", "bank2-elsewhere", uris=["spiffe://other.local/bank/bank2"],
              usages=(CLIENT_AUTH, SERVER_AUTH))
        payer, payee = self.network.clients("user1", "user2")
        for certificate in ("bank1", "gateway", "client", "bank2-dials-only", "bank2-says-nothing",
                            "bank2-elsewhere"):
            with self.subTest(certificate), Impostor(self.network, certificate) as impostor:
                register = gateway_pb2.RegisterBankRequest(
                    bank_id="bank2", currencies=["USD"], endpoint=f"127.0.0.1:{impostor.port}",
                    capabilities=["execute-batch"])
                self.network.pause("bank2")  # so that its heartbeat does not put the true address back
                try:
                    self.network.gateway("bank2").RegisterBank(register, timeout=20)
                    order = payer.order(payee.accounts["bank2"], bank="bank1")
                    self.assert_never_told(impostor, lambda: self.assertEqual(payer.pay(order).payment.state, ABORTED))
                finally:
                    self.network.resume("bank2")
        wait_until(lambda: payer.pay(payer.order(payee.accounts["bank2"], bank="bank1")).payment.state == COMPLETED,
                   "payments to the true bank 2")

    def test_05_TheClientThatDialsSomebodyElse_TellsItNothing(self):
        password = self.network.directory / "password"
        password.write_text(self.network.passwords["user1"])
        password.chmod(0o600)
        issue(self.network, "gateway", "gateway-dials-only", uris=["spiffe://strife.local/gateway/gateway"],
              usages=(CLIENT_AUTH,))
        for certificate in ("bank1", "client", "gateway-dials-only"):
            with self.subTest(certificate), Impostor(self.network, certificate) as impostor:
                def dial():
                    answer = run_strife("login", "user1", "--config", self.network.path / "client.toml", "--gateway",
                                        f"127.0.0.1:{impostor.port}", "--password-file", password, "--max-retries", 0)
                    self.assertEqual(answer.returncode, 1, answer.stdout + answer.stderr)
                    self.assertIn("certificate", answer.stderr)
                self.assert_never_told(impostor, dial)

    def test_05_TheBankThatDialsSomebodyElse_TellsItNothing(self):
        for certificate in ("bank2", "client"):
            with self.subTest(certificate), Impostor(self.network, certificate) as impostor:
                self.network.stop("bank1")
                try:
                    self.assert_never_told(impostor, lambda: self.network.launch(
                        "bank1", "--gateway", f"127.0.0.1:{impostor.port}"))
                finally:
                    self.network.kill("bank1")
                    self.network.start("bank1")
