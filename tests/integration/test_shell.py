"""`strife shell`: read by a script, and used by a person at a terminal."""

import subprocess

from cases import NetworkCase
from network import PATIENCE_S, new_id, wait_until
from person import Person, bank_states, gateway_order
from terminal import Terminal


class Shell(NetworkCase):
    USERS = 3

    def setUp(self):
        self.user1, = self.network.clients("user1")
        self.person = Person(self.network, "user1").login()

    def tearDown(self):
        if not self.network.processes["gateway"].alive():
            self.network.start("gateway")

    def terminal(self):
        terminal = Terminal(self.person.command("shell"))
        self.addCleanup(terminal.close)
        return terminal

    def test_Script_RunsEachLineAndEndsWithTheFirstFailure(self):
        done = self.person.run("shell", stdin="# a comment\nbalance bank1\nwhoami --output json\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("bank1", done.stdout)
        self.assertIn('"username": "user1"', done.stdout)
        done = self.person.run("shell", stdin="nonsense\nbalance\nexit\nwhoami\n")
        self.assertEqual(done.returncode, 2)
        self.assertIn("nonsense", done.stderr)
        self.assertIn("available", done.stdout)
        self.assertNotIn("session until", done.stdout, "nothing after exit")

    def test_Script_PaysWithoutBeingAsked(self):
        payment = new_id()
        line = " ".join(map(str, self.person.pay_words(payment=payment, memo="two\\ words"))) + "\n"
        done = self.person.run("shell", stdin=line)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(payment, gateway_order(self.network, "user1"))

    def test_Person_SeesPromptCompletesConfirmsAndLeaves(self):
        shell = self.terminal()
        shell.expect("user1 (online)> ")
        shell.type("bal\t")
        shell.expect("ance ")
        shell.type("\n")
        shell.expect("available")
        shell.expect("> ")
        shell.type("pay --from bank1 --to bank3/user2 --amount 3.00 --currency USD\n")
        shell.expect("Pay 3.00 USD from bank1/user1 to bank3/user2? [y/N]")
        shell.type("n\n")
        shell.expect("nothing was paid")
        before = gateway_order(self.network, "user1")
        shell.expect("> ")
        shell.type("pay --from bank1 --to bank3/user2 --amount 3.00 --currency USD\n")
        shell.expect("[y/N]")
        shell.type("y\n")
        shell.expect("COMPLETED")
        self.assertEqual(len(gateway_order(self.network, "user1")), len(before) + 1)
        shell.expect("> ")
        shell.type("half a line\x03")
        shell.expect("> ")
        shell.type("\x04")
        self.assertEqual(shell.process.wait(PATIENCE_S), 0)
        history = self.person.home / "data" / "shell_history"
        self.assertEqual(history.stat().st_mode & 0o077, 0)
        self.assertIn("balance", history.read_text())

    def test_Person_PaysOfflineAndIsToldWhenItIsDelivered(self):
        shell = self.terminal()
        shell.expect("user1 (online)> ")
        self.network.kill("gateway")
        shell.expect("user1 (offline)> ")
        shell.type("pay --from bank1 --to bank3/user2 --amount 4.00 --currency USD\n")
        shell.expect("[y/N]")
        shell.type("y\n")
        shell.expect("queued and not sent yet")
        shell.expect("user1 (offline, 1 queued)> ")
        self.network.start("gateway")
        shell.expect("queued payment of 4.00 USD to bank3/user2")
        shell.expect("completed")
        shell.expect("user1 (online)> ")

    def test_Person_InterruptsAPayment_ItIsInTheQueueAndThePromptIsBack(self):
        shell = self.terminal()
        shell.expect("user1 (online)> ")
        self.network.pause("gateway")
        self.addCleanup(self.network.resume, "gateway")
        shell.type("pay --from bank1 --to bank3/user2 --amount 5.00 --currency USD\n")
        shell.expect("[y/N]")
        shell.type("y\n")
        wait_until(lambda: len(self.person.rows()) == 1, "the payment to be queued")
        shell.type("\x03")
        shell.expect("interrupted")
        shell.expect("1 queued)> ")
        self.assertNotIn(".cc:", shell.screen, "what gRPC tells its developers")
        self.network.resume("gateway")
        shell.expect("queued payment of 5.00 USD to bank3/user2")
        shell.expect("completed")

    def test_TwoShellsAndAPay_ShareOneQueueAndDeliverEachOnce(self):
        self.network.kill("gateway")
        ids = [new_id() for _ in range(12)]
        for payment in ids[:4]:
            self.assertEqual(self.person.pay(payment=payment).returncode, 3)
        shells = [self.person.start("shell", stdin=subprocess.PIPE) for _ in range(2)]
        for number, payment in enumerate(ids[4:]):
            line = " ".join(map(str, self.person.pay_words(payment=payment))) + "\n"
            shells[number % 2].stdin.write(line.encode())
            shells[number % 2].stdin.flush()
        wait_until(lambda: set(ids) <= set(self.person.rows()), "all to be queued")
        paying = new_id()
        self.network.start("gateway")
        self.assertEqual(self.person.pay(payment=paying).returncode, 0)

        def delivered():
            return all(state == 4 for _, state, _ in self.person.rows().values())
        wait_until(delivered, "the queue to be delivered")
        for shell in shells:
            shell.stdin.close()
            shell.wait(PATIENCE_S)
        paid = gateway_order(self.network, "user1")
        self.assertEqual(sorted(set(paid) & set(ids)), sorted(ids))
        self.assertEqual(len(paid), len(set(paid)))
        for bank in ("bank1", "bank3"):
            states = bank_states(self.network, bank)
            self.assertEqual({states[payment] for payment in [*ids, paying]}, {3})
        self.assert_books()
