"""Attack 15: a refresh token used as an access token, used twice, or used by somebody else."""

import forgery
from cases import Code, NetworkCase
from network import PATIENCE_S, gateway_pb2


class RefreshTokens(NetworkCase):
    BANKS = 1
    USERS = 1

    def balance(self, access_token, certificate="client"):
        return self.network.gateway(certificate).CheckBalance(
            gateway_pb2.CheckBalanceRequest(bank_id="bank1"), timeout=PATIENCE_S, wait_for_ready=True,
            metadata=(("authorization", f"Bearer {access_token}"),))

    def refresh(self, token, certificate="client"):
        return self.network.gateway(certificate).RefreshSession(
            gateway_pb2.RefreshSessionRequest(refresh_token=token), timeout=PATIENCE_S, wait_for_ready=True)

    def assert_ended(self, session):
        self.assert_refused(lambda: self.balance(session.access_token), Code.UNAUTHENTICATED)
        self.assert_refused(lambda: self.refresh(session.refresh_token), Code.UNAUTHENTICATED)

    def test_15_RefreshTokenAsAccessToken_IsRefused(self):
        client = self.network.clients("user1")[0]
        self.assert_refused(lambda: self.balance(client.session.refresh_token), Code.UNAUTHENTICATED)
        self.balance(client.session.access_token)

    def test_15_AccessTokenAsRefreshToken_IsRefused(self):
        session = self.network.client("user1").session
        self.assert_refused(lambda: self.refresh(session.access_token), Code.UNAUTHENTICATED)
        self.refresh(session.refresh_token)

    def restart(self):
        self.network.kill("gateway")
        self.network.start("gateway")

    def test_15_RefreshTokenLeftBehind_EndsTheSessionOfThiefAndOwner_RestartOrNot(self):
        for killed in (False, True):
            with self.subTest(killed=killed):
                owner = self.network.client("user1").session
                thief = self.refresh(self.refresh(owner.refresh_token).refresh_token)
                if killed:
                    self.restart()
                self.assert_refused(lambda: self.refresh(owner.refresh_token), Code.UNAUTHENTICATED)
                self.assert_ended(thief)
                self.assert_ended(owner)
                self.restart()
                self.assert_ended(thief)

    def test_15_ThiefAndOwnerWithTheSameToken_TheSecondToGoOnEndsTheSession(self):
        owner = self.network.client("user1").session
        thief = self.refresh(owner.refresh_token)
        owner = self.refresh(owner.refresh_token)
        thief = self.refresh(thief.refresh_token)
        self.assert_refused(lambda: self.refresh(owner.refresh_token), Code.UNAUTHENTICATED)
        self.assert_ended(thief)
        self.assert_ended(owner)

    def test_15_AnswerLostWithTheGateway_TheOwnerAsksAgain(self):
        session = self.network.client("user1").session
        for _ in range(2):
            self.refresh(session.refresh_token)  # the answer never came
            self.restart()
            session = self.refresh(session.refresh_token)
            self.balance(session.access_token)

    def test_15_RefreshTokenUnderAnotherCertificate_IsRefusedAndDoesTheOwnerNoHarm(self):
        forgery.issue(self.network, "client", "thief")
        session = self.network.client("user1").session
        for _ in range(3):
            self.assert_refused(lambda: self.refresh(session.refresh_token, "thief"), Code.UNAUTHENTICATED)
        self.refresh(session.refresh_token)
