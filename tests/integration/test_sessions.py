"""Tokens: what is not a live session of this certificate is not let in, restart or not."""

import base64
import json

from cases import Code, NetworkCase
from network import PATIENCE_S, error_detail, gateway_pb2, refusal


class Sessions(NetworkCase):
    USERS = 2

    def balance_with(self, authorization):
        metadata = () if authorization is None else (("authorization", authorization),)
        stub = self.network.gateway()
        return lambda: stub.CheckBalance(gateway_pb2.CheckBalanceRequest(bank_id="bank1"), metadata=metadata,
                                         timeout=PATIENCE_S, wait_for_ready=True)

    def refresh(self, token):
        return self.network.gateway().RefreshSession(gateway_pb2.RefreshSessionRequest(refresh_token=token),
                                                     timeout=PATIENCE_S, wait_for_ready=True)

    def test_NoTokenOrABadOne_IsUnauthenticated(self):
        good = self.network.client("user1").session
        header, payload, signature = good.access_token.split(".")
        none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"at+jwt"}').rstrip(b"=").decode()
        fields = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        fields["sub"] = "user2"
        other = base64.urlsafe_b64encode(json.dumps(fields).encode()).rstrip(b"=").decode()
        cases = {
            "none": None, "empty": "", "no scheme": good.access_token, "other scheme": f"Basic {good.access_token}",
            "empty token": "Bearer ", "garbage": "Bearer garbage", "three dots": "Bearer ...",
            "alg none": f"Bearer {none}.{payload}.", "changed payload": f"Bearer {header}.{other}.{signature}",
            "cut signature": f"Bearer {header}.{payload}.{signature[:-4]}",
            "refresh token": f"Bearer {good.refresh_token}", "huge": "Bearer " + "a" * 5000,
        }
        for name, authorization in cases.items():
            with self.subTest(name):
                self.assert_refused(self.balance_with(authorization), Code.UNAUTHENTICATED)
        self.balance_with(f"Bearer {good.access_token}")()

    def test_WrongPasswordAndUnknownUser_AreAlike(self):
        stub = self.network.gateway()
        errors = [refusal(lambda: stub.AuthenticateClient(gateway_pb2.AuthenticateClientRequest(
            username=user, password="wrong"), timeout=PATIENCE_S)) for user in ("user2", "nobody")]
        self.assertEqual([e.code() for e in errors], [Code.UNAUTHENTICATED] * 2)
        self.assertEqual(error_detail(errors[0]), error_detail(errors[1]))

    def test_Logout_EndsTheSessionAtOnceAndForGood(self):
        leaving, staying = self.network.client("user1"), self.network.client("user1")
        leaving.call("LogoutClient", gateway_pb2.LogoutClientRequest())
        for _ in range(2):
            for attempt in (self.balance_with(f"Bearer {leaving.session.access_token}"),
                            lambda: self.refresh(leaving.session.refresh_token)):
                self.assert_refused(attempt, Code.UNAUTHENTICATED)
            staying.history()
            self.network.kill("gateway")
            self.network.start("gateway")

    def test_Refresh_RotatesAndATokenLeftBehindEndsTheSession(self):
        first = self.network.client("user2")
        second = self.refresh(first.session.refresh_token)
        self.assertNotEqual(second.refresh_token, first.session.refresh_token)
        self.assertEqual(list(second.accounts), list(first.session.accounts))
        third = self.refresh(second.refresh_token)
        self.assert_refused(lambda: self.refresh(first.session.refresh_token), Code.UNAUTHENTICATED)
        self.assert_refused(lambda: self.refresh(third.refresh_token), Code.UNAUTHENTICATED)
        self.assert_refused(self.balance_with(f"Bearer {third.access_token}"), Code.UNAUTHENTICATED)

    def test_GarbageRefreshToken_IsUnauthenticated(self):
        for token in ("", "garbage", "a" * 5000):
            with self.subTest(token=token[:10]):
                self.assertIn(refusal(lambda: self.refresh(token)).code(),
                              (Code.UNAUTHENTICATED, Code.INVALID_ARGUMENT))
