"""Attack 1: plaintext, no certificate, an unknown CA, one that is out of date, old TLS, weak ciphers."""

import os
import shutil
import socket
import ssl

from cryptography.x509.oid import ExtendedKeyUsageOID

from cases import NetworkCase
from forgery import issue
from network import Network
from raw_tls import client_context, is_refused, talk

BOTH = (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH)


class Transport(NetworkCase):
    BANKS = 1
    USERS = 1

    def ports(self):
        return [self.network.port("gateway"), self.network.port("bank1")]

    def assert_refused_everywhere(self, context):
        for port in self.ports():
            with self.subTest(port=port):
                self.assertTrue(is_refused(port, context), "let in")

    def test_01_AGoodCertificate_IsLetIn(self):
        """So that the refusals below are not those of a test that cannot connect at all."""
        for port in self.ports():
            self.assertEqual(talk(port, client_context(self.network, "client"))[0], "TLSv1.3")

    def test_01_Plaintext_IsRefused(self):
        from raw_tls import HTTP2_PREFACE
        for port in self.ports():
            with socket.create_connection(("localhost", port), timeout=20) as plain:
                plain.sendall(HTTP2_PREFACE)
                try:
                    answer = plain.recv(64)
                except ConnectionError:
                    answer = b""
                # Nothing, or a TLS alert.
                self.assertIn(answer[:1], (b"", b"\x15"), answer)

    def test_01_NoCertificate_IsRefused(self):
        self.assert_refused_everywhere(client_context(self.network, None))

    def test_01_CertificateOfAnUnknownCa_IsRefused(self):
        with Network(banks=1, users=1) as stranger:
            certs = self.network.path / "certs"
            for suffix in ("crt", "key"):
                shutil.copy(stranger.path / f"certs/client.{suffix}", certs / f"stranger.{suffix}")
        self.assert_refused_everywhere(client_context(self.network, "stranger"))

    def test_01_ExpiredAndNotYetValidCertificates_AreRefused(self):
        issue(self.network, "client", "late", days=1, valid_from_days=-3)
        issue(self.network, "client", "early", days=1, valid_from_days=3)
        issue(self.network, "client", "timely")
        self.assertTrue(talk(self.ports()[0], client_context(self.network, "timely")))
        for name in ("late", "early"):
            with self.subTest(name):
                self.assert_refused_everywhere(client_context(self.network, name))

    def test_01_Tls11AndOlder_AreRefused(self):
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            context = client_context(self.network, "client")
            context.set_ciphers("ALL:@SECLEVEL=0")  # so that it is not our own side that will not
            context.minimum_version = context.maximum_version = version
            self.assert_refused_everywhere(context)

    def test_01_Tls12_OnlyWithAeadAndForwardSecrecy(self):
        context = client_context(self.network, "client")
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        for port in self.ports():
            version, cipher = talk(port, context)
            self.assertEqual(version, "TLSv1.2")
            self.assertRegex(cipher, r"^ECDHE-.*(GCM|CHACHA20)")
        for ciphers in ("ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "ECDHE-ECDSA-AES128-SHA256", "AES128-SHA",
                        "AES256-GCM-SHA384", "NULL", "aNULL", "ECDHE-ECDSA-AES256-CCM8"):
            with self.subTest(ciphers):
                context = client_context(self.network, "client")
                context.maximum_version = ssl.TLSVersion.TLSv1_2
                context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
                self.assert_refused_everywhere(context)


class WhateverTheEnvironmentSays(Transport):
    """gRPC by itself takes the ciphers from the environment, when that names any."""

    @classmethod
    def setUpClass(cls):
        os.environ["GRPC_SSL_CIPHER_SUITES"] = "ALL:@SECLEVEL=0"
        cls.addClassCleanup(os.environ.pop, "GRPC_SSL_CIPHER_SUITES")
        super().setUpClass()
