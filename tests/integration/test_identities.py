"""Certificates decide who may speak, and as whom."""

import grpc

from cases import Code, NetworkCase
from network import COMPLETED, Network, gateway_pb2, gateway_pb2_grpc, refusal


class Identities(NetworkCase):
    USERS = 3

    def refused_connection(self, channel):
        """No call gets through; nothing is said about why."""
        stub = gateway_pb2_grpc.PaymentGatewayStub(channel)
        request = gateway_pb2.AuthenticateClientRequest(username="user1", password=self.network.passwords["user1"])
        self.assertEqual(refusal(lambda: stub.AuthenticateClient(request, timeout=20)).code(), Code.UNAVAILABLE)

    def test_Plaintext_IsRefused(self):
        with grpc.insecure_channel(f"localhost:{self.network.port('gateway')}") as channel:
            self.refused_connection(channel)

    def test_NoClientCertificate_IsRefused(self):
        with self.network.channel("gateway", None) as channel:
            self.refused_connection(channel)

    def test_CertificateOfAnotherAuthority_IsRefused(self):
        with Network(banks=1, users=1) as stranger:
            certs, own = stranger.path / "certs", self.network.path / "certs"
            mixed = grpc.ssl_channel_credentials((own / "ca.crt").read_bytes(), (certs / "client.key").read_bytes(),
                                                 (certs / "client.crt").read_bytes())
            with self.network.channel("gateway", "client", mixed) as channel:
                self.refused_connection(channel)

    def test_Bank_MayRegisterAsItselfOnly(self):
        request = gateway_pb2.RegisterBankRequest(bank_id="bank2", display_name="Bank 2", currencies=["USD"],
                                                  endpoint=f"127.0.0.1:{self.network.port('bank1')}")
        for certificate in ("bank1", "client", "operator", "gateway"):
            with self.subTest(certificate):
                stub = self.network.gateway(certificate)
                self.assert_refused(lambda: stub.RegisterBank(request, timeout=20), Code.PERMISSION_DENIED)
        payer, payee = self.network.clients("user3", "user1")
        order = payer.order(payee.accounts["bank2"], bank="bank3")
        self.assertEqual(payer.pay(order).payment.state, COMPLETED, "bank2 was repointed")
