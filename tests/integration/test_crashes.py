"""kill -9 with 64 payments in flight, at random moments, again and again: every id ends, and the books agree."""

import os
import random

from cases import NetworkCase
from load import Load

ROUNDS = int(os.environ.get("STRIFE_KILL_ROUNDS", "4"))
SEED = int(os.environ.get("STRIFE_KILL_SEED", random.randrange(2**32)))


class Crashes(NetworkCase):
    USERS = 8
    BY_NAME = True

    def rounds_of_killing(self, victims):
        rng = random.Random(SEED)
        load = Load(self.network.clients(), rng)
        for number in range(ROUNDS):
            names = victims(rng)
            with self.subTest(seed=SEED, round=number, killed=names):

                def crash():
                    self.network.kill(*names)
                    for name in names:
                        self.network.launch(name)
                load.run(rng.randrange(0, 300), crash)
                for name in names:
                    self.network.wait_serving(name)
                load.settle()
                load.check_books()
                self.assert_books()
        print(f"{load.summary()} … ", end="", flush=True)

    def tearDown(self):
        # The next test counts from the opening balances again.
        self.network.close()

    def setUp(self):
        if not self.network.processes["gateway"].alive():
            self.setUpClass()

    def test_GatewayKilledUnderLoad_EveryPaymentEndsAndTheBooksAgree(self):
        self.rounds_of_killing(lambda rng: ["gateway"])

    def test_BankKilledUnderLoad_EveryPaymentEndsAndTheBooksAgree(self):
        self.rounds_of_killing(lambda rng: [rng.choice(self.network.banks)])

    def test_AllKilledUnderLoad_EveryPaymentEndsAndTheBooksAgree(self):
        self.rounds_of_killing(lambda rng: rng.sample(["gateway", *self.network.banks], 4))
