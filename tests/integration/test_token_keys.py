"""Token keys are rotated and retired while the gateway runs, and nobody has to log in again."""

import base64
import json
import signal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from cases import Code, NetworkCase
from network import COMPLETED, PATIENCE_S, gateway_pb2, run_strife, wait_until


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class KeysCase(NetworkCase):
    BANKS = 2
    USERS = 2

    def keys(self, *words):
        ended = run_strife("keys", *words, "--config", self.network.config("gateway"))
        self.assertEqual(ended.returncode, 0, ended.stderr)
        return ended.stdout

    def listed(self):
        return json.loads(self.keys("list", "--output", "json"))["keys"]

    def rotate(self):
        kid = json.loads(self.keys("rotate", "--output", "json"))["kid"]
        self.reload()
        return kid

    def reload(self):
        log = self.network.path / "logs/gateway/gateway.log"
        before = len(log.read_text())
        self.network.processes["gateway"].signal(signal.SIGHUP)
        wait_until(lambda: "event=reloaded" in log.read_text()[before:], "the gateway to reload")

    def kid(self, client):
        return json.loads(unb64(client.session.access_token.split(".")[0]))["kid"]

    def refresh(self, client):
        client.session = client.stub.RefreshSession(
            gateway_pb2.RefreshSessionRequest(refresh_token=client.session.refresh_token), timeout=PATIENCE_S)


class TokenKeys(KeysCase):
    def test_Rotation_UnderLoad_LosesNoPaymentAndLogsNobodyOut(self):
        payer, payee = self.network.clients()
        old = self.kid(payer)
        calls = []
        for _ in range(3):
            calls += [payer.pay_later(payer.order(payee.accounts["bank2"], 1, bank="bank1")) for _ in range(30)]
            new = self.rotate()
        calls += [payer.pay_later(payer.order(payee.accounts["bank2"], 1, bank="bank1")) for _ in range(30)]
        self.assertEqual({call.result().payment.state for call in calls}, {COMPLETED})
        self.assertEqual(self.kid(payer), old, "the old token was good to the end")
        self.refresh(payer)
        self.assertEqual(self.kid(payer), new)
        payer.balance("bank1")
        self.assertEqual(self.listed()[0]["kid"], new)
        self.assertEqual([key["use"] for key in self.listed()], ["signs"] + ["verifies"] * (len(self.listed()) - 1))

    def test_Jwks_LetsAnybodyCheckAToken(self):
        header, payload, signature = self.network.client("user1").session.access_token.split(".")
        keys = {key["kid"]: key for key in json.loads(self.keys("jwks"))["keys"]}
        key = keys[json.loads(unb64(header))["kid"]]
        number = lambda name: int.from_bytes(unb64(key[name]), "big")  # noqa: E731
        public = ec.EllipticCurvePublicNumbers(number("x"), number("y"), ec.SECP256R1()).public_key()
        raw = unb64(signature)
        der = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        public.verify(der, f"{header}.{payload}".encode(), ec.ECDSA(hashes.SHA256()))
        with self.assertRaises(InvalidSignature):
            public.verify(der, f"{header}.{payload}x".encode(), ec.ECDSA(hashes.SHA256()))
        self.assertTrue(all("d" not in key for key in keys.values()))

    def test_Retire_ATokenOfAStolenKey_IsRefused_EvenOneThatWasJustGood(self):
        client = self.network.clients("user1")[0]
        stolen = self.kid(client)
        client.balance("bank1")
        refused = run_strife("keys", "retire", stolen, "--config", self.network.config("gateway"))
        self.assertEqual(refused.returncode, 1)
        self.assertIn("strife keys rotate", refused.stderr)
        self.rotate()
        self.keys("retire", stolen)
        self.reload()
        self.assert_refused(lambda: client.balance("bank1"), Code.UNAUTHENTICATED)
        self.refresh(client)
        client.balance("bank1")

    def test_Keys_AreForTheirOwnerOnly(self):
        self.rotate()
        directory = self.network.path / "data/gateway/token_keys"
        self.assertEqual(directory.stat().st_mode & 0o777, 0o700)
        for path in directory.iterdir():
            self.assertEqual(path.stat().st_mode & 0o777, 0o600, path)


class OldKeys(KeysCase):
    GATEWAY_FLAGS = ("--access-token-lifetime", "1s")

    def test_OldKey_IsDeletedOnceItsLastTokenHasExpired(self):
        old = self.listed()[0]["kid"]
        new = self.rotate()
        wait_until(lambda: [key["kid"] for key in self.listed()] == [new], "the old key to go")
        self.assertFalse((self.network.path / f"data/gateway/token_keys/{old}.pem").exists())
        self.network.clients("user2")[0].login()
