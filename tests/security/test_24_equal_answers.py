"""Attack 24: finding out who is a user, from the words or the work of a refused login."""

import json
import os

from cases import NetworkCase
from logins import WRONG, Peer, hash_password, request
from network import PATIENCE_S, Network, error_detail, refusal


def edit_users(network, edit):
    path = network.path / "users.json"
    users = json.loads(path.read_text())
    edit({user["username"]: user for user in users["users"]})
    path.write_text(json.dumps(users))


class EqualAnswers(NetworkCase):
    BANKS = 1
    USERS = 5

    @classmethod
    def setUpClass(cls):
        cls.network = Network(banks=cls.BANKS, users=cls.USERS)
        cls.addClassCleanup(cls.network.close)

        def edit(users):
            users["user1"]["password_hash"] = hash_password("a real password")  # the others' are generated, and cheap
            users["user3"]["disabled"] = users["user5"]["disabled"] = True
        edit_users(cls.network, edit)
        cls.network.start()

    def refusal_of(self, user, password="wrong"):
        error = refusal(lambda: self.network.gateway().AuthenticateClient(request(user, password), timeout=PATIENCE_S))
        metadata = [(key, value) for key, value in error.trailing_metadata() if key != "date"]
        return error.code(), error.details(), error_detail(error), metadata

    def test_24_UnknownWrongAndDisabled_AreRefusedInTheSameWords(self):
        unknown = self.refusal_of("nobody")
        for user, password in (("user1", "wrong"), ("user2", "wrong"), ("user3", "wrong"),
                               ("user3", self.network.passwords["user3"])):
            self.assertEqual(self.refusal_of(user, password), unknown, user)

    def test_24_LockedUsers_AreRefusedInTheSameWordsAsLockedNames(self):
        peer = Peer(self.network)
        counts, words = [], []
        for user in ("user4", "user5", "nobody2"):
            counts.append(peer.guesses_until_refused(user))
            words.append(self.refusal_of(user)[:3])
        self.assertEqual(counts[1:], counts[:1] * 2)
        self.assertEqual(words[1:], words[:1] * 2)

    def cpu_seconds(self, users):
        """What the gateway works for one refused login of each, which does not depend on how busy the machine is."""
        peer = Peer(self.network)
        pid = self.network.processes["gateway"].popen.pid

        def used():
            with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
                fields = stat.read().rsplit(")", 1)[1].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        before = used()
        for user in users:
            self.assertEqual(peer.answer(user), WRONG)
        return used() - before

    def test_24_UnknownNames_CostTheGatewayTheSameWork(self):
        rounds = 6
        dear = self.cpu_seconds(["user1"] * rounds)
        for users in (["user2"] * rounds, [f"stranger{i}" for i in range(rounds)], ["x"] * rounds):
            work = self.cpu_seconds(users)
            self.assertGreater(work, dear / 2, f"{users[0]} is refused for less work than user1 ({work} against {dear} s)")
            self.assertLess(work, dear * 2, f"{users[0]} is refused for more work than user1 ({work} against {dear} s)")
