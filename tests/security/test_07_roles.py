"""Attack 7: calling as somebody else. Public peers of this system let any client mint money through a bank's own port."""

from cases import Code, NetworkCase
from network import admin_pb2, bank_pb2, gateway_pb2, refusal

# Who may call what, written down a second time and independently of the server's own table.
CLIENT, BANK, GATEWAY, OPERATOR = "client", "bank2", "gateway", "operator"
MAY_CALL = {
    "PaymentGateway": {
        **dict.fromkeys(("AuthenticateClient", "RefreshSession", "LogoutClient", "ProcessPayment", "ProcessPayments",
                         "CancelPayment", "GetPayment", "TracePayment", "CheckBalance", "ViewTransactionHistory"), {CLIENT}),
        **dict.fromkeys(("RegisterBank", "InquireTransaction"), {BANK}),
    },
    "Bank": {
        **dict.fromkeys(("GetBalance", "PrepareTransaction", "CommitTransaction", "AbortTransaction", "ExecuteBatch"),
                        {GATEWAY}),
        **dict.fromkeys(("GetTransactionStatus", "GetLedgerTotals"), {GATEWAY, OPERATOR}),
        "ProcessTransaction": {OPERATOR},
    },
    "GatewayAdmin": dict.fromkeys(("ListInDoubtPayments", "TracePayment", "ListBanks", "ListTransactions", "ListSessions", "EndSessions",
                                   "SetSuspension", "SetDraining"), {OPERATOR}),
    "BankAdmin": dict.fromkeys(("ListInDoubtTransactions", "ForceTransaction", "AcknowledgeTransaction"), {OPERATOR}),
}
SERVING = b"\x08\x01"  # a HealthCheckResponse
SERVER_OF = {"PaymentGateway": "gateway", "GatewayAdmin": "gateway", "Bank": "bank1", "BankAdmin": "bank1"}


def services():
    for module in (gateway_pb2, bank_pb2, admin_pb2):
        yield from module.DESCRIPTOR.services_by_name.values()


# gRPC's own service, of both servers. A watch holds a stream open.
MAY_ASK_ABOUT_HEALTH = {"Check": {CLIENT, BANK, GATEWAY, OPERATOR}, "Watch": {GATEWAY, OPERATOR}}


class Roles(NetworkCase):
    BANKS = 2
    USERS = 1

    def call(self, service, method, certificate, metadata=()):
        with self.network.channel(SERVER_OF[service.name], certificate) as channel:
            call = channel.unary_unary(f"/{service.full_name}/{method.name}", request_serializer=bytes,
                                       response_deserializer=bytes)
            return refusal(lambda: call(b"", timeout=20, metadata=metadata))

    def test_07_EveryMethodIsListedHere(self):
        self.assertEqual({service.name: {method.name for method in service.methods} for service in services()},
                         {name: set(methods) for name, methods in MAY_CALL.items()})

    def test_07_Health_IsToldToAllAndWatchedByThoseThatAreListed(self):
        for server in ("gateway", "bank1"):
            for method, may in MAY_ASK_ABOUT_HEALTH.items():
                for certificate in (CLIENT, BANK, GATEWAY, OPERATOR):
                    with (self.subTest(server=server, method=method, certificate=certificate),
                          self.network.channel(server, certificate) as channel):
                        ask = channel.unary_stream(f"/grpc.health.v1.Health/{method}", request_serializer=bytes,
                                                   response_deserializer=bytes)
                        if certificate in may:
                            self.assertEqual(next(ask(b"", timeout=20)), SERVING)
                        else:
                            error = refusal(lambda: next(ask(b"", timeout=20)))
                            self.assertEqual(error.code(), Code.PERMISSION_DENIED, error.details())

    def test_07_EveryMethod_IsRefusedToEveryCertificateThatIsNotListed(self):
        token = self.network.client("user1").metadata
        for service in services():
            for method in service.methods:
                for certificate in (CLIENT, BANK, GATEWAY, OPERATOR):
                    if certificate in MAY_CALL[service.name][method.name]:
                        continue
                    # A user's good token does not make up for the wrong certificate.
                    for metadata in ((), token):
                        with self.subTest(method=method.full_name, certificate=certificate, token=bool(metadata)):
                            error = self.call(service, method, certificate, metadata)
                            self.assertEqual(error.code(), Code.PERMISSION_DENIED, error.details())
        self.network.assert_running()
