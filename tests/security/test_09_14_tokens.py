"""Attacks 9 to 14: tokens that are forged, stale, meant for something else, or stolen."""

import hashlib
import hmac
import json
import socket
import time

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cases import Code, NetworkCase
from forgery import Forger, b64, issue, some_id
from network import PATIENCE_S, gateway_pb2


class Tokens(NetworkCase):
    BANKS = 1
    USERS = 2

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.client = cls.network.client("user1")
        cls.client.wait_for_banks()
        cls.forger = Forger(cls.network, cls.client.session.access_token)

    def setUp(self):
        # The control of every test here: unless a hand-made token is good, a refused one shows nothing.
        self.balance_with(self.forger.token(claims={"jti": some_id()}))()

    def balance_with(self, token, certificate="client"):
        stub = self.network.gateway(certificate)
        return lambda: stub.CheckBalance(gateway_pb2.CheckBalanceRequest(bank_id="bank1"), timeout=PATIENCE_S,
                                         wait_for_ready=True, metadata=(("authorization", f"Bearer {token}"),))

    def assert_unauthenticated(self, tokens):
        for name, token in tokens.items():
            with self.subTest(name):
                self.assert_refused(self.balance_with(token), Code.UNAUTHENTICATED)

    def test_09_AlgorithmNone_IsRefused(self):
        unsigned = {f"{name}, {how}": self.forger.token(header={"alg": name}, signature=signature)
                    for name in ("none", "None", "NONE", "nOnE", "", None)
                    for how, signature in (("no signature", lambda signed: b""), ("signed", self.forger.sign))}
        unsigned["no alg"] = self.forger.token(without=("alg",))
        unsigned["ES256 without signature"] = self.forger.token(signature=lambda signed: b"")
        # r = s = 0 passes a verifier that does not check their range (CVE-2022-21449).
        unsigned["ES256 of zeros"] = self.forger.token(signature=lambda signed: bytes(64))
        self.assert_unauthenticated(unsigned)

    def test_10_HmacKeyedWithThePublicKey_IsRefused(self):
        public = self.forger.key.public_key()
        point = public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        secrets = {
            "PEM": pem, "PEM stripped": pem.strip(), "raw point": point, "compressed point": public.public_bytes(
                serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint),
            "DER": public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo),
            "JWK": json.dumps({"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])}).encode(),
            "kid": self.forger.header["kid"].encode(), "nothing": b"",
        }
        for algorithm, digest in (("HS256", hashlib.sha256), ("HS384", hashlib.sha384), ("HS512", hashlib.sha512)):
            self.assert_unauthenticated({
                f"{algorithm}, {name}": self.forger.token(
                    header={"alg": algorithm},
                    signature=lambda signed, s=secret, d=digest: hmac.new(s, signed, d).digest())
                for name, secret in secrets.items()})

    def test_11_AnotherTypeIssuerOrAudience_IsRefused(self):
        issuer, audience = self.forger.claims["iss"], self.forger.claims["aud"]
        self.assert_unauthenticated({
            "typ JWT": self.forger.token(header={"typ": "JWT"}),
            "typ of an id token": self.forger.token(header={"typ": "id+jwt"}),
            "typ as a list": self.forger.token(header={"typ": ["at+jwt"]}),
            "no typ": self.forger.token(without=("typ",)),
            "another issuer": self.forger.token(claims={"iss": "https://login.example.org"}),
            "an issuer that starts so": self.forger.token(claims={"iss": issuer + "/other"}),
            "no issuer": self.forger.token(without=("iss",)),
            "another audience": self.forger.token(claims={"aud": "somebody-else"}),
            "an audience that starts so": self.forger.token(claims={"aud": audience + "2"}),
            "one of several audiences": self.forger.token(claims={"aud": [audience, "somebody-else"]}),
            "no audience": self.forger.token(without=("aud",)),
        })

    def test_12_ExpiredNotYetValidOrTimelessToken_IsRefused(self):
        now = int(time.time())
        self.assert_unauthenticated({
            "expired": self.forger.token(claims={"iat": now - 600, "nbf": now - 600, "exp": now - 1}),
            "expired long ago": self.forger.token(claims={"iat": 1, "nbf": 1, "exp": 2}),
            "no exp": self.forger.token(without=("exp",)),
            "exp null": self.forger.token(claims={"exp": None}),
            "exp as text": self.forger.token(claims={"exp": str(now + 300)}),
            "exp negative": self.forger.token(claims={"exp": -1}),
            "exp beyond all numbers": self.forger.token(claims={"exp": 10**30}),
            "exp infinite": self.forger.token(claims={"exp": float("inf")}),
            "not yet valid": self.forger.token(claims={"nbf": now + 3600, "exp": now + 7200}),
            "no nbf": self.forger.token(without=("nbf",)),
            "no iat": self.forger.token(without=("iat",)),
        })

    def test_13_UnknownKeyOrAHeaderThatBringsOne_IsRefusedAndNothingIsFetched(self):
        own = ec.generate_private_key(ec.SECP256R1())
        numbers = own.public_key().public_numbers()
        jwk = {"kty": "EC", "crv": "P-256", "kid": self.forger.header["kid"],
               "x": b64(numbers.x.to_bytes(32, "big")), "y": b64(numbers.y.to_bytes(32, "big"))}
        with socket.create_server(("127.0.0.1", 0)) as listener:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}/keys.json"
            tokens = {
                "another key under a known kid": self.forger.token(key=own),
                "unknown kid": self.forger.token(header={"kid": some_id()}, key=own),
                "unknown kid, right key": self.forger.token(header={"kid": some_id()}),
                "kid of a file": self.forger.token(header={"kid": "../../../../dev/null"}),
                "kid with SQL": self.forger.token(header={"kid": "' OR 1=1 --"}),
                "kid not text": self.forger.token(header={"kid": [self.forger.header["kid"]]}),
                "no kid": self.forger.token(without=("kid",)),
            }
            for key in (own, None):
                whose = "own key" if key else "right key"
                for name, value in (("jku", url), ("x5u", url), ("jwk", jwk), ("x5c", ["MIIB"]), ("crit", ["exp"]),
                                    ("cty", "JWT"), ("b64", False)):
                    tokens[f"{name}, {whose}"] = self.forger.token(header={name: value}, key=key)
            self.assert_unauthenticated(tokens)
            listener.setblocking(False)
            with self.assertRaises(BlockingIOError, msg="the gateway asked a server that a token named"):
                listener.accept()

    def test_14_TokenOfAnotherCertificate_IsRefused(self):
        thief = issue(self.network, "client", "thief")
        token, stub = self.client.session.access_token, self.network.gateway(thief)
        self.network.client("user2")
        self.assert_refused(self.balance_with(token, thief), Code.UNAUTHENTICATED)
        refresh = gateway_pb2.RefreshSessionRequest(refresh_token=self.client.session.refresh_token)
        self.assert_refused(lambda: stub.RefreshSession(refresh, timeout=PATIENCE_S), Code.UNAUTHENTICATED)
        # Nor does the attempt end its owner's session.
        self.balance_with(token)()
        unbound = {"no cnf": self.forger.token(without=("cnf",)), "cnf empty": self.forger.token(claims={"cnf": {}}),
                   "cnf of another hash": self.forger.token(claims={"cnf": {"x5t": "AAAA"}}),
                   "cnf of nothing": self.forger.token(claims={"cnf": {"x5t#S256": ""}})}
        self.assert_unauthenticated(unbound)
        # Of two tokens it is not for the server to choose one.
        both = tuple(("authorization", f"Bearer {one}") for one in (token, self.forger.token(without=("cnf",))))
        for metadata in (both, both[::-1]):
            self.assert_refused(lambda: self.network.gateway().CheckBalance(
                gateway_pb2.CheckBalanceRequest(bank_id="bank1"), timeout=PATIENCE_S, metadata=metadata), Code.UNAUTHENTICATED)
        # The thief's certificate is a good one: with a session of its own it is let in.
        session = stub.AuthenticateClient(gateway_pb2.AuthenticateClientRequest(
            username="user2", password=self.network.passwords["user2"]), timeout=PATIENCE_S)
        self.balance_with(session.access_token, thief)()
