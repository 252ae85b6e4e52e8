"""Certificates decide who may speak, and as whom."""

import grpc

from cases import Code, NetworkCase
from network import (COMPLETED, Network, bank_pb2, gateway_pb2, gateway_pb2_grpc, new_id, refusal, types_pb2)


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

    def test_ClientCertificate_MayNotCallABank(self):
        bank = self.network.bank("bank1", "client")
        leg = {"transaction_id": new_id(), "gateway_epoch": 10**9}
        money = types_pb2.Money(minor_units=100, currency="USD")
        calls = [
            (bank.PrepareTransaction, bank_pb2.PrepareTransactionRequest(amount=money, **leg)),
            (bank.CommitTransaction, bank_pb2.CommitTransactionRequest(**leg)),
            (bank.AbortTransaction, bank_pb2.AbortTransactionRequest(**leg)),
            (bank.ExecuteBatch, bank_pb2.ExecuteBatchRequest()),
            (bank.GetBalance, bank_pb2.GetBalanceRequest(account_id="x")),
            (bank.GetTransactionStatus, bank_pb2.GetTransactionStatusRequest(transaction_id=leg["transaction_id"])),
            (bank.GetLedgerTotals, bank_pb2.GetLedgerTotalsRequest()),
            (bank.ProcessTransaction, bank_pb2.ProcessTransactionRequest(
                transaction_id=leg["transaction_id"], account_id="x", amount=money,
                type=bank_pb2.DIRECT_TRANSACTION_TYPE_DEPOSIT)),
        ]
        for method, request in calls:
            with self.subTest(type(request).__name__):
                self.assert_refused(lambda: method(request, timeout=20), Code.PERMISSION_DENIED)

    def test_AnotherBank_MayNotCallABank(self):
        bank = self.network.bank("bank1", "bank2")
        request = bank_pb2.CommitTransactionRequest(transaction_id=new_id(), gateway_epoch=10**9)
        self.assert_refused(lambda: bank.CommitTransaction(request, timeout=20), Code.PERMISSION_DENIED)

    def test_BankOrGatewayCertificate_MayNotMakeUserCalls(self):
        client = self.network.client("user1")
        for certificate in ("bank1", "gateway"):
            stub = self.network.gateway(certificate)
            calls = [
                (stub.AuthenticateClient, gateway_pb2.AuthenticateClientRequest(
                    username="user1", password=self.network.passwords["user1"])),
                (stub.RefreshSession, gateway_pb2.RefreshSessionRequest(refresh_token=client.session.refresh_token)),
                (stub.ProcessPayment, client.order(types_pb2.AccountRef(bank_id="bank3", account_id="x"))),
                (stub.CheckBalance, gateway_pb2.CheckBalanceRequest(bank_id="bank1")),
                (stub.ViewTransactionHistory, gateway_pb2.ViewTransactionHistoryRequest()),
            ]
            for method, request in calls:
                with self.subTest(certificate=certificate, request=type(request).__name__):
                    self.assert_refused(lambda: method(request, metadata=client.metadata, timeout=20),
                                        Code.PERMISSION_DENIED)

    def test_UnknownMethod_IsRefused(self):
        with self.network.channel("gateway", "client") as channel:
            call = channel.unary_unary("/strife.v1.PaymentGateway/Mint", request_serializer=bytes,
                                       response_deserializer=bytes)
            self.assertIn(refusal(lambda: call(b"", timeout=20)).code(), (Code.UNIMPLEMENTED, Code.PERMISSION_DENIED))

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

    def test_Bank_MayInquireOnlyAboutItsOwnTransactions(self):
        payer, payee = self.network.clients("user1", "user2")
        order = payer.order(payee.accounts["bank2"], bank="bank1")
        payer.pay(order)
        request = gateway_pb2.InquireTransactionRequest(transaction_id=order.transaction_id)
        for bank in ("bank1", "bank2"):
            answer = self.network.gateway(bank).InquireTransaction(request, timeout=20)
            self.assertEqual(answer.decision, types_pb2.DECISION_COMMIT)
        stranger = self.network.gateway("bank3")
        self.assert_refused(lambda: stranger.InquireTransaction(request, timeout=20), Code.PERMISSION_DENIED)
        user = self.network.gateway("client")
        self.assert_refused(lambda: user.InquireTransaction(request, metadata=payer.metadata, timeout=20),
                            Code.PERMISSION_DENIED)
