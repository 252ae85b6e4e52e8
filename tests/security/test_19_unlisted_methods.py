"""Attack 19: calling what the policy table does not list."""

from cases import Code, NetworkCase
from network import bank_pb2, gateway_pb2, refusal

CERTIFICATES = ("client", "operator", "gateway", "bank1", "bank2")


class UnlistedMethods(NetworkCase):
    BANKS = 2
    USERS = 1

    def call(self, server, certificate, method):
        with self.network.channel(server, certificate) as channel:
            call = channel.unary_unary(method, request_serializer=bytes, response_deserializer=bytes)
            return refusal(lambda: call(b"", timeout=20)).code()

    def test_19_AMethodOrServiceThatDoesNotExist_IsRefusedToEverybody(self):
        for server in ("gateway", "bank1"):
            for method in ("/strife.v1.PaymentGateway/Mint", "/strife.v1.Bank/Mint", "/strife.v1.Bank/", "/x/y",
                           "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                           "/grpc.channelz.v1.Channelz/GetServers"):
                for certificate in CERTIFICATES:
                    with self.subTest(server=server, method=method, certificate=certificate):
                        self.assertEqual(self.call(server, certificate, method), Code.UNIMPLEMENTED)

    def test_19_TheOtherServersService_IsNotServed(self):
        for server, descriptor in (("bank1", gateway_pb2.DESCRIPTOR), ("gateway", bank_pb2.DESCRIPTOR)):
            for service in descriptor.services_by_name.values():
                for method in service.methods:
                    with self.subTest(server=server, method=method.full_name):
                        self.assertEqual(self.call(server, "operator", f"/{service.full_name}/{method.name}"),
                                         Code.UNIMPLEMENTED)
