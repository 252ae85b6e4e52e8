"""Attack 23: guessing passwords, and abusing what stops it to lock others out."""

import forgery
from cases import NetworkCase
from logins import IN, THROTTLED, WRONG, Peer, reason


class Guessing(NetworkCase):
    BANKS = 1
    USERS = 8
    MOST_GUESSES = 10

    def peer(self, certificate):
        if not (self.network.path / "certs" / f"{certificate}.crt").exists():
            forgery.issue(self.network, "client", certificate)
        return Peer(self.network, certificate)

    def test_23_AfterTenWrongPasswords_EvenTheRightOneIsRefusedThere_RestartOrNot(self):
        thief = self.peer("thief1")
        self.assertLessEqual(thief.guesses_until_refused("user1"), self.MOST_GUESSES)
        self.assertEqual(thief.log_in("user1"), THROTTLED)
        self.network.kill("gateway")
        self.network.start("gateway")
        self.assertEqual(self.peer("thief1").log_in("user1"), THROTTLED)
        self.assertEqual(self.network.stop("gateway"), [0])
        self.network.start("gateway")
        self.assertEqual(self.peer("thief1").log_in("user1"), THROTTLED)

    def test_23_OneLocked_TheOthersGoOnUnderTheSameCertificate(self):
        peer = self.peer("shared")
        for user in ("user2", "nobody"):
            peer.guesses_until_refused(user)
        for user in ("user3", "user4"):
            self.assertEqual(peer.log_in(user), IN)

    def test_23_TheGuesser_LocksOutNeitherTheUserElsewhereNorHerSession(self):
        client = self.network.clients("user2")[0]
        thief = self.peer("thief2")
        thief.guesses_until_refused("user2")
        self.assertEqual(Peer(self.network).log_in("user2"), IN)
        self.assertEqual(self.peer("new-phone").log_in("user2"), IN)
        client.balance("bank1")
        self.assertEqual(thief.log_in("user2"), THROTTLED)

    def test_23_ManyGuessers_KeepNobodyOutWhoHasLoggedInBefore(self):
        phone = self.peer("phone")
        self.assertEqual(phone.log_in("user5"), IN)
        seen = sum(self.peer(f"gang{i}").guesses_until_refused("user5") for i in range(6))
        self.assertLess(seen, 3 * self.MOST_GUESSES, "guesses from many certificates add up")
        self.assertEqual(self.peer("gang6").log_in("user5"), THROTTLED, "strangers wait")
        self.assertEqual(phone.log_in("user5"), IN)

    def test_23_GuessesAtTheSameTime_CountEach(self):
        calls = [self.peer("hurry").start("user6") for _ in range(60)]
        answers = [reason(call.result) for call in calls]
        self.assertLessEqual(answers.count(WRONG), self.MOST_GUESSES)
        self.assertNotIn(IN, answers)

    def test_23_KillingTheGateway_GainsNoGuess(self):
        seen = 0
        for _ in range(5):
            thief = self.peer("killer")
            seen += sum(thief.answer("user7") == WRONG for _ in range(3))
            self.network.kill("gateway")
            self.network.start("gateway")
        self.assertLessEqual(seen, self.MOST_GUESSES)
        self.assertEqual(self.peer("killer").log_in("user7"), THROTTLED)

    def test_23_OnePasswordOnManyUsers_IsStoppedToo_AndHarmsNoOtherPeer(self):
        sprayer, familiar = self.peer("sprayer"), self.peer("sprayer")
        self.assertEqual(familiar.log_in("user8"), IN)
        answers = [sprayer.answer(f"name{i}") for i in range(150)]
        self.assertLess(answers.count(WRONG), 150)
        self.assertIn(THROTTLED, answers)
        self.assertEqual(familiar.log_in("user8"), IN, "who has logged in under this certificate before")
        self.assertEqual(self.peer("bystander").log_in("user8"), IN)
