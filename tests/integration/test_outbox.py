"""The client's queue against a gateway that comes and goes: nothing is lost, nothing is paid twice, all in order.

STRIFE_CLIENT_KILLS sets how often the client is killed (20 when not set; 100 is the full measure),
STRIFE_GATEWAY_KILLS how often the gateway is while it takes in the queue (3; 10), STRIFE_QUEUED how many payments then
wait (60; 200). STRIFE_KILL_SEED repeats a run's random choices.
"""

import contextlib
import json
import os
import random
import signal
import sqlite3
import time

from cases import NetworkCase
from network import ABORTED, COMPLETED, new_id, wait_until
from person import Person, bank_states, gateway_order

CLIENT_KILLS = int(os.environ.get("STRIFE_CLIENT_KILLS", "20"))
GATEWAY_KILLS = int(os.environ.get("STRIFE_GATEWAY_KILLS", "3"))
QUEUED = int(os.environ.get("STRIFE_QUEUED", "60"))
SEED = int(os.environ.get("STRIFE_KILL_SEED", random.randrange(2**32)))

# As stored.
QUEUE_DONE = 4
COMPLETED_STATE, ABORTED_STATE = 3, 4
BANK_COMMITTED = 3


class OutboxCase(NetworkCase):
    USERS = 4

    def setUp(self):
        self.user1, = self.network.clients("user1")
        self.person = Person(self.network, "user1").login()

    def tearDown(self):
        self.bring_back()

    def take_away(self):
        self.network.kill("gateway")

    def bring_back(self):
        if not self.network.processes["gateway"].alive():
            self.network.start("gateway")

    def assert_queue_agrees_with_the_books(self, person, ids, declined_too=False):
        """Every one of these payments has ended in the queue as it has at the gateway and at both banks, and in order.
        Declined ones are well only where the gateway was killed with a payment in its hands."""
        self.user1.login()  # the rounds before may have taken longer than a token lives
        rows = person.rows()
        banks = [bank_states(self.network, bank) for bank in ("bank1", "bank3")]
        completed = 0
        for payment in ids:
            with self.subTest(payment=payment):
                _, state, payment_state = rows[payment]
                self.assertEqual(state, QUEUE_DONE)
                self.assertIn(payment_state, (COMPLETED_STATE, ABORTED_STATE) if declined_too else (COMPLETED_STATE,))
                paid = payment_state == COMPLETED_STATE
                completed += paid
                self.assertEqual(self.user1.payment(payment).state, COMPLETED if paid else ABORTED)
                self.assertEqual([bank.get(payment) == BANK_COMMITTED for bank in banks], [paid] * 2)
        queued = sorted(ids, key=lambda payment: rows[payment][0])
        wanted = set(ids)
        self.assertEqual([payment for payment in gateway_order(self.network, person.user) if payment in wanted], queued)
        self.assert_books()
        return completed


class Queue(OutboxCase):

    def test_GatewayAway_PayIsQueuedAndPaidWhenItIsBack(self):
        self.take_away()
        payment = new_id()
        done = self.person.pay(payment=payment, memo="rent")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("queued", done.stderr)
        entry, = self.person.queue()
        self.assertEqual((entry["transaction_id"], entry["state"], entry["may_have_been_sent"]),
                         (payment, "QUEUED", False))
        self.assertEqual(self.person.flush().returncode, 3)
        self.bring_back()
        done = self.person.flush()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(payment, done.stdout)
        self.assertIn("completed", done.stdout)
        self.assert_queue_agrees_with_the_books(self.person, [payment])
        self.assertEqual(self.person.run("queue", "ack", "--all").returncode, 0)
        self.assertEqual(self.person.queue(), [])

    def test_NextPay_DeliversWhatWaitsFirstAndTellsOfIt(self):
        self.take_away()
        first = new_id()
        self.person.pay(payment=first)
        self.bring_back()
        second = new_id()
        done = self.person.pay(payment=second)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(first, done.stderr)
        self.assertEqual(gateway_order(self.network, "user1")[-2:], [first, second])
        self.assertNotIn(first, self.person.pay().stderr, "told once")

    def test_Outcomes_AreExitStatuses(self):
        self.assertEqual(self.person.pay().returncode, 0)
        poor = self.person.pay(amount="99999999.00")
        self.assertEqual(poor.returncode, 1)
        self.assertIn("AM04", poor.stderr)
        foreign = self.person.pay(bank="bank3/user2", to="bank1/user1")
        self.assertEqual(foreign.returncode, 1)
        self.assertIn("AG01", foreign.stderr)
        payment = new_id()
        self.assertEqual(self.person.pay(payment=payment).returncode, 0)
        again = self.person.pay(payment=payment)
        self.assertEqual(again.returncode, 0)
        self.assertIn("nothing was paid again", again.stderr)
        other = self.person.pay(payment=payment, amount="2.00")
        self.assertEqual(other.returncode, 1)
        self.assertIn("TRANSACTION_ID_REUSED", other.stderr)
        self.assertEqual(self.person.queue(), [], "what was settled face to face is off the list")

    def test_Cancel_TakesBackWhatWasNeverSent(self):
        self.take_away()
        payment, kept = new_id(), new_id()
        self.person.pay(payment=payment)
        self.person.pay(payment=kept)
        self.assertEqual(self.person.run("queue", "cancel", payment).returncode, 0)
        self.assertEqual(self.person.run("queue", "cancel", payment).returncode, 1)
        self.bring_back()
        self.person.flush()
        self.assertNotIn(payment, gateway_order(self.network, "user1"))
        self.assertEqual({e["transaction_id"]: e["state"] for e in self.person.queue()},
                         {payment: "CANCELLED", kept: "COMPLETED"})

    def test_Expiry_GivesUpOnlyWhatWasNotSentInTime(self):
        self.take_away()
        payment = new_id()
        self.assertIn(self.person.pay(payment=payment, expires="1ms").returncode, (1, 3))
        self.bring_back()
        self.person.flush()
        entry, = self.person.queue()
        self.assertEqual(entry["state"], "EXPIRED")
        self.assertNotIn(payment, gateway_order(self.network, "user1"))

    def test_Expiry_WhileThePaymentWaitsInTheGateway_IsToldAsTheGatewayMadeIt(self):
        payment = new_id()
        store = sqlite3.connect(f"{self.network.path}/data/gateway/gateway.db", isolation_level=None)
        with contextlib.closing(store):
            store.execute("BEGIN IMMEDIATE")  # as slow as a disk can be: the payment has arrived, and is not on record
            done = self.person.pay(payment=payment, expires="1200ms", timeout="1s")
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        self.assertEqual(self.person.flush("--wait").returncode, 0)
        entry, = self.person.queue()
        self.assertEqual((entry["state"], self.user1.payment(payment).state), ("COMPLETED", COMPLETED))

    def test_AnotherUser_NeverSendsIt(self):
        self.take_away()
        payment = new_id()
        self.person.pay(payment=payment)
        self.bring_back()
        self.person.user = "user3"
        self.person.login()
        self.assertEqual(self.person.queue(), [])
        self.assertEqual(self.person.pay(to="bank1/user1", bank="bank3").returncode, 0)
        self.assertEqual(self.person.flush().returncode, 0)
        self.assertNotIn(payment, gateway_order(self.network, "user1") + gateway_order(self.network, "user3"))
        self.person.user = "user1"
        self.person.login()
        self.assertEqual(self.person.flush().returncode, 0)
        self.assertIn(payment, gateway_order(self.network, "user1"))

    def test_MixedQueue_TheGoodOnesGoThroughAndTheOthersAreListedWithReasons(self):
        self.take_away()
        good = [new_id() for _ in range(20)]
        declined, malformed, unreadable, forbidden = (new_id() for _ in range(4))
        for number, payment in enumerate(good):
            self.person.pay(payment=payment)
            if number == 3:
                self.person.pay(payment=declined, amount="50000000.00")
                self.person.pay(payment=malformed, memo="fine")
                self.person.pay(payment=unreadable)
            if number == 7:
                self.person.pay(payment=forbidden, bank="bank2", to="bank3/user2")
        self.person.plant("UPDATE queue SET memo = 'x' || char(10) || 'y' WHERE memo = 'fine'")
        self.person.plant("UPDATE queue SET amount = -5 WHERE id = ?", bytes.fromhex(unreadable.replace("-", "")))
        users = json.loads((self.network.path / "users.json").read_text())
        before = json.dumps(users)
        user1 = next(user for user in users["users"] if user["username"] == "user1")
        user1["accounts"] = [account for account in user1["accounts"] if account["bank_id"] != "bank2"]
        (self.network.path / "users.json").write_text(json.dumps(users))
        self.addCleanup((self.network.path / "users.json").write_text, before)
        self.bring_back()
        done = self.person.flush()
        self.assertEqual(done.returncode, 1, done.stderr)
        listed = {entry["transaction_id"]: entry for entry in self.person.queue()}
        self.assertEqual({listed[payment]["state"] for payment in good}, {"COMPLETED"})
        self.assertEqual((listed[declined]["state"], listed[declined]["reason_code"]), ("ABORTED", "AM04"))
        for payment, reason in ((malformed, "MALFORMED"), (unreadable, "MALFORMED"), (forbidden, "AG01")):
            self.assertEqual((listed[payment]["state"], listed[payment]["reason_code"]), ("PARKED", reason))
            self.assertIn(payment, done.stdout)
        self.assert_queue_agrees_with_the_books(self.person, good)
        for payment in (malformed, unreadable, forbidden):
            self.assertEqual(self.person.run("queue", "ack", payment).returncode, 0)

    def test_SeveralPrograms_ShareOneQueueAndPayEachOnce(self):
        self.take_away()
        ids = [new_id() for _ in range(10)]
        for payment in ids:
            self.person.pay(payment=payment)
        flushing = [self.person.start("queue", "flush", "--wait") for _ in range(2)]
        self.bring_back()
        more = [new_id() for _ in range(10)]
        paying = [self.person.start(*self.person.pay_words(payment=payment)) for payment in more]
        self.assertEqual([process.wait(60) for process in paying], [0] * 10)
        for process in flushing:
            self.assertIn(process.wait(60), (0,))
        self.assert_queue_agrees_with_the_books(self.person, ids)
        paid = gateway_order(self.network, "user1")
        self.assertEqual(len(paid), len(set(paid)))
        self.assertLessEqual(set(more), set(paid))

    def test_Files_AreForTheOwnerOnlyAndTheLogHoldsNoSecret(self):
        self.person.pay()
        for path in (self.person.home / "data").iterdir():
            self.assertEqual(path.stat().st_mode & 0o077, 0, path)
        log = (self.person.home / "logs" / "client.log").read_text()
        self.assertIn("ProcessPayment", log)
        session = json.loads((self.person.home / "data" / "session.json").read_text())
        for secret in (session["access_token"], session["refresh_token"], self.network.passwords["user1"]):
            self.assertNotIn(secret, log)


class Kills(OutboxCase):

    def how_long_a_payment_takes(self):
        times = []
        for _ in range(3):
            started = time.monotonic()
            self.assertEqual(self.person.pay().returncode, 0)
            times.append(time.monotonic() - started)
        return sorted(times)[1]

    def test_ClientKilledAtAnyMoment_WhatWasQueuedIsPaidOnceAndInOrder(self):
        rng = random.Random(SEED)
        duration_s = self.how_long_a_payment_takes()
        ids, told = [], {}
        for number in range(CLIENT_KILLS):
            if number % 10 == 5:
                self.take_away()
            elif number % 10 == 0:
                self.bring_back()
            payment = new_id()
            ids.append(payment)
            process = self.person.start(*self.person.pay_words(payment=payment))
            time.sleep(rng.uniform(0, 1.5 * duration_s))  # the moment is what is random here
            process.send_signal(signal.SIGKILL)
            told[payment] = process.wait()
        self.bring_back()
        queued = set(self.person.rows())
        done = self.person.flush()
        self.assertIn(done.returncode, (0, 1), f"seed {SEED}: {done.stdout} {done.stderr}")
        in_queue = [payment for payment in ids if payment in queued]
        completed = self.assert_queue_agrees_with_the_books(self.person, in_queue, declined_too=True)
        paid = gateway_order(self.network, "user1")
        self.assertEqual(len(paid), len(set(paid)))
        for payment in ids:
            if told[payment] in (0, 3):
                self.assertIn(payment, paid, f"seed {SEED}: told {told[payment]}")
        self.assertEqual(self.person.queue()[-1]["queue_state"] if in_queue else "DONE", "DONE")
        print(f"{len(in_queue)} of {len(ids)} were in the queue, {completed} of them paid, "
              f"{sum(status in (0, 3) for status in told.values())} clients had ended … ", end="", flush=True)

    def test_GatewayKilledWhileTheQueueIsDelivered_EachEndsOnceAndInOrder(self):
        rng = random.Random(SEED)
        self.take_away()
        ids = [new_id() for _ in range(QUEUED)]
        for payment in ids:
            self.assertEqual(self.person.pay(payment=payment).returncode, 3)
        flushing = self.person.start("queue", "flush", "--wait")
        for _ in range(GATEWAY_KILLS):
            before = len(gateway_order(self.network, "user1"))
            self.network.start("gateway")
            goal = before + rng.randrange(1, max(2, QUEUED // (GATEWAY_KILLS + 2)))
            wait_until(lambda: len(gateway_order(self.network, "user1")) >= goal or flushing.poll() is not None,
                       "the queue to be delivered")
            self.network.kill("gateway")
        self.network.start("gateway")
        self.assertIn(flushing.wait(120), (0, 1), (self.person.home / "started.out").read_text())
        completed = self.assert_queue_agrees_with_the_books(self.person, ids, declined_too=True)
        said = (self.person.home / "started.out").read_text()
        self.assertEqual(said.count("): completed"), completed, "each outcome was told once")
        self.assertEqual(said.count("): declined"), len(ids) - completed)
        paid = gateway_order(self.network, "user1")
        self.assertEqual(len(paid), len(set(paid)))
        print(f"{completed} of {len(ids)} paid, seed {SEED} … ", end="", flush=True)


class LongAway(OutboxCase):
    GATEWAY_FLAGS = ("--access-token-lifetime", "1s", "--refresh-token-lifetime", "3s")

    def bring_back(self):
        if not self.network.processes["gateway"].alive():
            self.network.start("gateway", flags=self.GATEWAY_FLAGS)

    def test_OfflineBeyondBothTokens_WaitsForALoginAndLosesNothing(self):
        self.take_away()
        ids = [new_id() for _ in range(3)]
        for payment in ids:
            self.assertEqual(self.person.pay(payment=payment).returncode, 3)
        time.sleep(4)  # longer than both tokens live
        self.bring_back()
        done = self.person.flush()
        self.assertEqual(done.returncode, 3)
        self.assertIn("log in to send 3 queued payments", done.stderr)
        self.assertEqual([entry["state"] for entry in self.person.queue()], ["QUEUED"] * 3)
        self.person.login()
        done = self.person.flush()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("3 completed", done.stdout)
        self.assert_queue_agrees_with_the_books(self.person, ids)
