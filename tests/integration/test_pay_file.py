"""`strife pay --file`: checked whole, paid once, however often it is interrupted.

STRIFE_FILE_ROWS sets how many payments the file has (1000 when not set; 100000 is the full measure).
"""

import csv
import os
import random
import signal
from pathlib import Path

from cases import NetworkCase
from network import wait_until
from person import Person, gateway_order

ROWS = int(os.environ.get("STRIFE_FILE_ROWS", "1000"))
SEED = int(os.environ.get("STRIFE_KILL_SEED", random.randrange(2**32)))


class PayFile(NetworkCase):
    USERS = 3

    def setUp(self):
        self.network.clients("user1")
        self.person = Person(self.network, "user1").login()
        self.file = self.person.home / "payroll.csv"

    def tearDown(self):
        if not self.network.processes["gateway"].alive():
            self.network.start("gateway")

    def write(self, *rows):
        with open(self.file, "w", newline="") as sink:
            writer = csv.writer(sink)
            writer.writerow(("to", "from_bank", "amount", "currency", "memo"))
            writer.writerows(rows)

    def results(self):
        with open(f"{self.file}.result.csv", newline="") as source:
            return {row["line"]: row for row in csv.DictReader(source)}

    def test_BadRows_AreAllNamedAndNothingIsSent(self):
        self.write(("bank3/user2", "bank1", "1.00", "USD", ""), ("bank3/user2", "bank1", "-1", "USD", ""),
                   ("nobody", "bank1", "1.00", "USD", ""), ("bank3/user2", "bank9", "1.00", "USD", ""),
                   ("bank3/user2", "bank1", "1.00", "XXX", ""))
        before = gateway_order(self.network, "user1")
        done = self.person.run("pay", "--file", self.file)
        self.assertEqual(done.returncode, 1)
        for line in (3, 4, 5, 6):
            self.assertIn(f"line {line}:", done.stderr)
        self.assertNotIn("line 2:", done.stderr)
        self.assertEqual(gateway_order(self.network, "user1"), before)

    def test_OnceItMayHaveArrived_AGatewayThatIsAwayDoesNotMakeItUnsent(self):
        self.write(*(("bank3/user2", "bank1", "0.01", "USD", "") for _ in range(3)))
        self.network.kill("gateway")
        self.assertEqual(self.person.run("pay", "--file", self.file).returncode, 1)
        self.assertEqual({row["state"] for row in self.results().values()}, {"NOT_SENT"})
        result_file = Path(f"{self.file}.result.csv")
        result_file.write_text(result_file.read_text().replace("NOT_SENT", "UNKNOWN", 1))
        self.assertEqual(self.person.run("pay", "--file", self.file).returncode, 3)
        self.assertEqual([row["state"] for row in self.results().values()], ["UNKNOWN", "NOT_SENT", "NOT_SENT"])
        self.network.start("gateway")
        self.assertEqual(self.person.run("pay", "--file", self.file).returncode, 0)
        self.assertEqual({row["state"] for row in self.results().values()}, {"COMPLETED"})

    def test_InterruptedAgainAndAgain_EachLineIsPaidOnce(self):
        rng = random.Random(SEED)
        before = set(gateway_order(self.network, "user1"))
        self.write(*(("bank3/user2", "bank1", "0.01", "USD", f"row {number}") for number in range(ROWS)))
        ways = ("client killed", "Ctrl-C", "gateway killed")
        for way in ways:
            had = len(gateway_order(self.network, "user1"))
            process = self.person.start("pay", "--file", self.file)
            goal = had + rng.randrange(1, max(2, ROWS // 5))
            wait_until(lambda: len(gateway_order(self.network, "user1")) >= goal or process.poll() is not None,
                       f"payments to be made before: {way}")
            if way == "gateway killed":
                self.network.kill("gateway")
                process.wait(60)
                self.network.start("gateway")
            else:
                process.send_signal(signal.SIGKILL if way == "client killed" else signal.SIGINT)
                process.wait(60)
        done = self.person.run("pay", "--file", self.file, timeout_s=600)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        results = self.results()
        self.assertEqual(len(results), ROWS)
        self.assertEqual(len({row["id"] for row in results.values()}), ROWS)
        made = [payment for payment in gateway_order(self.network, "user1") if payment not in before]
        self.assertEqual(sorted(made), sorted(row["id"] for row in results.values()), f"seed {SEED}")
        states = [row["state"] for row in results.values()]
        self.assertLessEqual(set(states), {"COMPLETED", "ABORTED"})
        self.assert_books()
        print(f"{states.count('COMPLETED')} of {ROWS} paid, seed {SEED} … ", end="", flush=True)
