"""Attack 25: making the gateway hash passwords until it has neither memory nor time left for anybody."""

import forgery
from cases import NetworkCase
from logins import IN, OVERLOADED, Peer, hash_password, reason
from network import COMPLETED, Network, wait_until
from test_24_equal_answers import edit_users

HASH_MIB = 19  # of memory while a password is hashed


class HashFloods(NetworkCase):
    BANKS = 2
    USERS = 3
    FLOOD = 200

    @classmethod
    def setUpClass(cls):
        cls.network = Network(banks=cls.BANKS, users=cls.USERS)
        cls.addClassCleanup(cls.network.close)
        hashed = hash_password("a real password")
        edit_users(cls.network, lambda users: users["user1"].update(password_hash=hashed))
        cls.network.passwords["user1"] = "a real password"
        for certificate in ("flood", "guest"):
            forgery.issue(cls.network, "client", certificate)
        cls.network.start()

    def memory_mib(self, field):
        pid = self.network.processes["gateway"].popen.pid
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(field + ":")) // 1024

    def flood(self):
        """Logins that are all in order, so that nothing but their number stops them; on several connections."""
        peers = [Peer(self.network, "flood") for _ in range(8)]
        return [peers[i % len(peers)].start("user1", "a real password") for i in range(self.FLOOD)]

    def test_25_AFlood_IsRefusedBeforeItIsHashed_WithMemoryBounded(self):
        self.assertEqual(Peer(self.network, "flood").log_in("user1"), IN)
        before = self.memory_mib("VmRSS")
        answers = [reason(call.result) for call in self.flood()]
        self.assertEqual(set(answers), {IN, OVERLOADED})
        self.assertGreater(answers.count(OVERLOADED), self.FLOOD / 4)
        self.assertLess(self.memory_mib("VmHWM") - before, 5 * HASH_MIB)
        wait_until(lambda: Peer(self.network, "flood").log_in("user1") == IN, "the flood to be over")

    def test_25_DuringAFlood_PaymentsAndLoginsOfOthersGoOn(self):
        payer, payee = self.network.clients("user2", "user3")
        guest = Peer(self.network, "guest")
        flood = self.flood()
        self.assertEqual(guest.log_in("user2"), IN, "another certificate has its turn")
        for _ in range(5):
            self.assertEqual(payer.pay(payer.order(payee.accounts["bank2"], bank="bank1")).payment.state, COMPLETED)
        for call in flood:
            call.cancel()
