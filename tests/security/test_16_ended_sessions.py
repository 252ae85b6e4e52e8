"""Attack 16: going on with a session that was ended: by logout, or because its user was disabled or changed."""

import json
import signal

from cases import Code, NetworkCase
from logins import IN, WRONG, Peer, hash_password
from network import COMPLETED, PATIENCE_S, gateway_pb2, wait_until


class EndedSessions(NetworkCase):
    BANKS = 2
    USERS = 6

    def balance(self, client, bank_id=None):
        return client.balance(bank_id or next(iter(client.accounts)))

    def refresh(self, client):
        return client.stub.RefreshSession(
            gateway_pb2.RefreshSessionRequest(refresh_token=client.session.refresh_token), timeout=PATIENCE_S,
            wait_for_ready=True)

    def change(self, username, **changes):
        """Edits users.json, tells the gateway and waits until it has read it."""
        path = self.network.path / "users.json"
        users = json.loads(path.read_text())
        user = next(user for user in users["users"] if user["username"] == username)
        user.update(changes)
        path.write_text(json.dumps(users))
        self.reload()

    def reload(self):
        """Returns what the gateway has to say about it."""
        log = self.network.path / "logs/gateway/gateway.log"
        before = len(log.read_text())
        self.network.processes["gateway"].signal(signal.SIGHUP)
        wait_until(lambda: "event=reloaded" in log.read_text()[before:], "the gateway to reload")
        return log.read_text()[before:]

    def test_16_AfterLogout_NothingOfTheSessionIsGood_AlsoWhenTheGatewayIsKilledRightAfter(self):
        client = self.network.client("user3")
        client.call("LogoutClient", gateway_pb2.LogoutClientRequest())
        self.network.kill("gateway")
        for _ in range(2):
            self.network.start("gateway")
            self.assert_refused(lambda: self.balance(client), Code.UNAUTHENTICATED)
            self.assert_refused(lambda: self.refresh(client), Code.UNAUTHENTICATED)
            self.network.kill("gateway")
        self.network.start("gateway")

    def test_16_DisabledUser_IsOutAtOnce_WithATokenThatWasJustGood(self):
        leaving, staying = self.network.clients("user2", "user3")
        self.balance(leaving)  # verified, and remembered as such
        self.change("user2", disabled=True)
        self.assert_refused(lambda: self.balance(leaving), Code.UNAUTHENTICATED)
        self.assert_refused(lambda: self.refresh(leaving), Code.UNAUTHENTICATED)
        self.assert_refused(lambda: leaving.pay(leaving.order(staying)), Code.UNAUTHENTICATED)
        self.assert_refused(leaving.login, Code.UNAUTHENTICATED)
        self.balance(staying)
        self.network.kill("gateway")
        self.network.start("gateway")
        self.assert_refused(lambda: self.balance(leaving), Code.UNAUTHENTICATED)

    def test_16_ANewPassword_EndsTheSessionsOfTheOldOne(self):
        client = self.network.client("user1")
        self.change("user1", password_hash=hash_password("another password"))
        self.assertEqual(Peer(self.network).answer("user1", "another password"), IN)
        self.assert_refused(lambda: self.refresh(client), Code.UNAUTHENTICATED)

    def test_16_AnAccountTakenAway_IsOutOfReachAtOnce(self):
        client, other = self.network.clients("user4", "user5")
        lost, kept = sorted(client.accounts)[:2]
        self.balance(client, lost)
        remaining = [{"bank_id": kept, "account_id": client.accounts[kept].account_id}]
        self.change("user4", accounts=remaining)
        self.assert_refused(lambda: self.balance(client, lost), Code.PERMISSION_DENIED)
        order = client.order(other.accounts[kept], bank=lost)
        self.assert_refused(lambda: client.pay(order), Code.PERMISSION_DENIED)
        self.assertEqual(client.pay(client.order(other.accounts[lost], bank=kept)).payment.state, COMPLETED)

    def test_16_ANonsensicalUsersFile_ChangesNothing(self):
        client = self.network.clients("user6")[0]
        path = self.network.path / "users.json"
        good = path.read_text()
        path.write_text(good[:-20])
        self.assertIn("reload_failed", self.reload())
        path.write_text(good)
        self.balance(client)
        client.login()
        self.assertEqual(Peer(self.network).answer("user6"), WRONG)
