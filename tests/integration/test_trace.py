"""`strife trace`: given only the id of a payment, it tells what became of it and why, from what is on record."""

import json
import subprocess

import grpc

from cases import Code, NetworkCase
from network import (ABORTED, COMPLETED, admin_pb2, clean_environment, gateway_pb2, new_id, run_strife, trace_pb2,
                     types_pb2, wait_until)
from person import Person

PARTIAL = types_pb2.PAYMENT_STATE_PARTIAL_COMMIT_RECOVERY_NEEDED
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE_ID}-00f067aa0ba902b7-01"


class TraceCase(NetworkCase):
    USERS = 2
    GATEWAY_FLAGS = ("--transaction-timeout", "4s")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.user1, cls.user2 = cls.network.clients()

    def setUp(self):
        self.person = Person(self.network, "user1").login()

    def order(self, minor_units=1, **more):
        """From bank1 to bank3, a payee of user2's."""
        return self.user1.order(self.user2.accounts["bank3"], minor_units, bank="bank1", **more)

    def trace(self, transaction_id, person=None):
        """What the command tells, as JSON; the table must hold the same explanation."""
        shown = (person or self.person).run("trace", transaction_id, "--output", "json")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        trace = json.loads(shown.stdout)
        self.assertEqual(trace["transaction_id"], transaction_id)
        table = (person or self.person).run("trace", transaction_id)
        self.assertEqual(table.returncode, 0, table.stderr)
        self.assertIn(trace["explanation"].split(" The same id ")[0].split(":")[0], table.stdout)
        return trace

    def events(self, trace, party="gateway"):
        return [step["event"] for step in trace["steps"] if step["party"] == party]

    def step(self, trace, event, party="gateway", bank=None):
        found = [step for step in trace["steps"]
                 if (step["event"], step["party"]) == (event, party) and bank in (None, step["bank_id"])]
        self.assertTrue(found, f"no {event} of {party} in {trace['steps']}")
        return found[-1]


class Traces(TraceCase):
    def test_Completed_HasEveryStepOfEveryPartyInOrder(self):
        order = self.order()
        self.assertTrue(self.user1.pay(order).success)
        trace = self.trace(order.transaction_id)
        self.assertRegex(trace["explanation"], r"^Completed in .* ms\.$|^Completed in .* s\.$")
        self.assertEqual(self.events(trace), ["RECEIVED", "RECORDED", "PREPARE", "PREPARE", "DECIDED_COMMIT", "COMMIT",
                                              "COMMIT", "COMPLETED", "REPLIED"])
        for bank in ("bank1", "bank3"):
            self.assertEqual(self.events(trace, bank), ["PREPARE", "COMMIT"])
            sent, arrived = self.step(trace, "COMMIT", bank=bank), self.step(trace, "COMMIT", party=bank)
            self.assertLessEqual(self.step(trace, "DECIDED_COMMIT")["offset_us"], sent["offset_us"])
            self.assertLessEqual(sent["offset_us"], arrived["offset_us"])
            # One clock on this machine: what happens at the bank happens between the message and its answer.
            self.assertLessEqual(arrived["offset_us"] + arrived["duration_us"],
                                 sent["offset_us"] + sent["duration_us"])
        for event in ("RECORDED", "DECIDED_COMMIT", "COMPLETED"):
            self.assertGreater(self.step(trace, event)["duration_us"], 0, "the time it took to be durable")
        offsets = [step["offset_us"] for step in trace["steps"]]
        self.assertEqual(offsets, sorted(offsets))

    def test_Declined_NamesTheBankAndTheReason(self):
        order = self.order(99_999_999)
        self.assertFalse(self.user1.pay(order).success)
        trace = self.trace(order.transaction_id)
        self.assertIn("Declined by bank1 (AM04", trace["explanation"])
        self.assertIn("nothing was moved", trace["explanation"])
        self.assertEqual(self.step(trace, "PREPARE", party="bank1")["outcome"], "NO")
        self.assertEqual(self.step(trace, "REPLIED")["what"], "told the client ABORTED")

    def test_Duplicate_SaysThatTheSameIdCameAgain(self):
        order = self.order()
        self.assertTrue(self.user1.pay(order).success)
        for _ in range(3):
            self.assert_refused(lambda: self.user1.pay(order), Code.ALREADY_EXISTS)
        trace = self.trace(order.transaction_id)
        self.assertIn("The same id came 3 times more; it was paid once.", trace["explanation"])
        # The next payment takes it along onto the record.
        self.assertTrue(self.user1.pay(self.order()).success)
        self.network.kill("gateway")
        self.network.start("gateway")
        self.assertIn("The same id came 3 times more", self.trace(order.transaction_id)["explanation"])

    def test_OfflinePayment_TellsHowLongItWaitedInTheQueue(self):
        self.network.kill("gateway")
        payment = new_id()
        queued = self.person.pay(payment=payment)
        self.assertEqual(queued.returncode, 3, queued.stderr)
        unsent = self.person.run("trace", payment)
        self.assertEqual(unsent.returncode, 3, "it is not known to the gateway")
        self.assertIn("has not been sent", unsent.stdout)
        # An hour passes.
        self.person.plant("UPDATE queue SET queued_at = queued_at - 3600000000")
        self.network.start("gateway")
        self.user1.wait_for_banks()
        self.assertEqual(self.person.flush().returncode, 0)
        trace = self.trace(payment)
        self.assertRegex(trace["explanation"], r"It had waited in this client's queue for 1 h \d+ min\.")
        self.assertEqual(trace["steps"][0]["party"], "client")
        self.assertEqual(trace["steps"][0]["event"], "QUEUED")
        self.assertGreater(self.step(trace, "RECEIVED")["offset_us"], 3600 * 10**6)

    # ---- who may see it

    def test_SomebodyElsesPayment_IsNotFound_InTheSameWordsAsNone(self):
        order = self.order()
        self.user1.pay(order)
        ask = lambda payment: self.user2.call("TracePayment",  # noqa: E731
                                              trace_pb2.TracePaymentRequest(transaction_id=payment))
        other = self.assert_refused(lambda: ask(order.transaction_id), Code.NOT_FOUND)
        none = self.assert_refused(lambda: ask(new_id()), Code.NOT_FOUND)
        self.assertEqual(other, none)
        self.assert_refused(lambda: ask("nonsense"), Code.INVALID_ARGUMENT, field="transaction_id")
        stranger = Person(self.network, "user2").login().run("trace", order.transaction_id)
        self.assertEqual((stranger.returncode, stranger.stdout), (1, ""))

    def test_Operator_SeesAnyPaymentWithItsPayer(self):
        order = self.order()
        self.user1.pay(order)
        config = self.network.path / "operator.toml"
        shown = run_strife("admin", "trace", order.transaction_id, "--config", config, "--output", "json")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertEqual(json.loads(shown.stdout)["payer"], "user1")
        missing = run_strife("admin", "trace", new_id(), "--config", config)
        self.assertEqual(missing.returncode, 1)
        self.assertIn("no payment with this id", missing.stderr)
        as_user = run_strife("admin", "trace", order.transaction_id, "--config", self.network.path / "client.toml")
        self.assertNotEqual(as_user.returncode, 0)

    # ---- W3C trace context

    def pay_with(self, traceparent):
        order = self.order()
        metadata = self.user1.metadata + tuple(("traceparent", value) for value in traceparent)
        # As in Client.call(): an earlier test may have started the gateway anew, and this channel not yet have seen it.
        payment = self.user1.stub.ProcessPayment(order, metadata=metadata, timeout=60, wait_for_ready=True).payment
        self.assertEqual(payment.state, COMPLETED)
        return order.transaction_id

    def log_lines(self, name, transaction_id):
        text = "".join(path.read_text(errors="replace") for path in (self.network.path / "logs" / name).glob("*.log"))
        return [line for line in text.splitlines() if transaction_id in line]

    def test_TraceContext_IsKeptAndLoggedByTheGatewayAndTheBanks(self):
        payment = self.pay_with([TRACEPARENT])
        self.assertEqual(self.trace(payment)["trace_id"], TRACE_ID)
        for name, event in (("gateway", "payment_call"), ("gateway", "payment"),
                            ("bank1", "transaction"), ("bank3", "transaction")):
            wait_until(lambda: any(f"trace_id={TRACE_ID}" in line and f" event={event} " in line
                                   for line in self.log_lines(name, payment)), f"{name} to log the trace id")

    def test_TraceContextOfABatch_IsThatOfItsPayments(self):
        orders = [self.order(), self.order()]
        metadata = (*self.user1.metadata, ("traceparent", TRACEPARENT))
        self.user1.stub.ProcessPayments(gateway_pb2.ProcessPaymentsRequest(payments=orders), metadata=metadata,
                                        timeout=60, wait_for_ready=True)
        for order in orders:
            self.assertEqual(self.trace(order.transaction_id)["trace_id"], TRACE_ID)

    def test_HostileTraceContext_IsTakenAsNone(self):
        for traceparent in (["x"], [TRACEPARENT.upper()], [TRACEPARENT, TRACEPARENT], [f"00-{'0' * 32}-{'1' * 16}-01"],
                            ["ff" + TRACEPARENT[2:]], [TRACEPARENT + "-more"], ["9" * 4000], [""]):
            with self.subTest(traceparent=traceparent):
                self.assertIsNone(self.trace(self.pay_with(traceparent))["trace_id"])

    def test_Client_SendsTheTraceContextOfItsEnvironment(self):
        payment = new_id()
        done = subprocess.run(self.person.command(*self.person.pay_words(payment=payment)), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False,
                              env={**clean_environment(), "TRACEPARENT": TRACEPARENT})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.trace(payment)["trace_id"], TRACE_ID)


class TracesOfFaults(TraceCase):
    def tearDown(self):
        for name, process in self.network.processes.items():
            process.signal(18)  # SIGCONT
            if not process.alive():
                self.network.start(name)
        # What a gateway cannot connect to it gives up within its retries, long before anybody has looked.
        for user in (self.user1, self.user2):
            user.wait_for_banks()

    def test_BankDown_SaysHowOftenItWasTried(self):
        self.network.kill("bank3")
        order = self.order()
        self.assertEqual(self.user1.pay(order).payment.state, ABORTED)
        trace = self.trace(order.transaction_id)
        self.assertIn("bank3", trace["explanation"])
        self.assertIn("nothing was moved", trace["explanation"])
        attempts = self.step(trace, "PREPARE", bank="bank3")
        self.assertIsNone(attempts["outcome"])
        # The bank's own part is missing, and that is said.
        bank = next(bank for bank in trace["banks"] if bank["bank_id"] == "bank3")
        self.assertFalse(bank["reached"])
        self.assertIn("! bank3 tells nothing", self.person.run("trace", order.transaction_id).stdout)

    def test_BankStopped_SaysThatItDidNotAnswerInTime(self):
        self.network.pause("bank3")
        order = self.order()
        self.assertEqual(self.user1.pay(order).payment.state, ABORTED)
        self.network.resume("bank3")
        trace = self.trace(order.transaction_id)
        self.assertRegex(trace["explanation"], "bank3 did not answer")
        self.assertEqual(self.step(trace, "PREPARE", bank="bank1")["outcome"], "YES")

    def has_voted(self, bank, transaction_id):
        listed = self.network.gateway_admin().ListInDoubtPayments(admin_pb2.ListInDoubtPaymentsRequest(), timeout=20)
        return any(at.bank_id == bank and at.answered for open_payment in listed.payments for at in open_payment.banks
                   if open_payment.payment.transaction_id == transaction_id)

    def test_PartialCommit_SaysHowLateAndWhichBank(self):
        order = self.order()
        payment = order.transaction_id
        # Each bank is stopped in its turn, so that bank3 has voted and cannot hear of the decision.
        self.network.pause("bank1")
        call = self.user1.pay_later(order)
        wait_until(lambda: self.has_voted("bank3", payment), "bank3 to have voted")
        self.network.pause("bank3")
        self.network.resume("bank1")
        self.assertEqual(call.result().payment.state, PARTIAL)
        self.network.resume("bank3")
        self.user1.wait_for_state(payment, COMPLETED)
        trace = self.trace(payment)
        self.assertRegex(trace["explanation"], r"^Completed late: bank3 confirmed only \d.* after the decision")
        self.assertIn("LATE", self.events(trace))
        self.assertEqual(self.step(trace, "REPLIED")["what"], "told the client PARTIAL_COMMIT_RECOVERY_NEEDED")
        self.assertEqual(self.step(trace, "COMMIT", bank="bank3")["outcome"], "DONE")
        self.assertEqual(self.events(trace, "bank3")[-1], "COMMIT")

    def test_GatewayKilled_SaysThatItWasStartedAgain(self):
        self.network.pause("bank3")
        order = self.order()
        call = self.user1.pay_later(order)
        self.user1.wait_for_state(order.transaction_id, types_pb2.PAYMENT_STATE_INITIATED)
        self.network.kill("gateway")
        self.assertRaises(grpc.RpcError, call.result)
        self.network.resume("bank3")
        self.network.start("gateway")
        self.assertEqual(self.user1.ask_again(order).state, ABORTED)
        trace = self.trace(order.transaction_id)
        self.assertIn("the gateway stopped before every bank had voted", trace["explanation"])
        recorded, again = self.step(trace, "RECORDED"), self.step(trace, "TAKEN_UP")
        self.assertGreater(again["gateway_epoch"], recorded["gateway_epoch"])
        # Bank 1 held the money through it, and was told by the new incarnation.
        self.assertEqual(self.events(trace, "bank1")[0], "PREPARE")
        wait_until(lambda: "ABORT" in self.events(self.trace(order.transaction_id), "bank1"), "bank1 to be told")
