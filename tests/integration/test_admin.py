"""What operators see at the gateway and do to it: lists, suspensions, ended sessions, draining, and what health says."""

import json

from cases import Code, NetworkCase
from network import ABORTED, COMPLETED, PATIENCE_S, gateway_pb2, run_strife, wait_until

SERVING, NOT_SERVING = 1, 2
GATEWAY_SERVICE, BANK_SERVICE = "strife.v1.PaymentGateway", "strife.v1.Bank"


class Admin(NetworkCase):
    BANKS = 2
    USERS = 4

    def admin(self, *arguments, operator="operator", status=0):
        done = run_strife("admin", *arguments, "--output", "json", "--config", self.network.path / f"{operator}.toml")
        self.assertEqual(done.returncode, status, done.stderr)
        return json.loads(done.stdout) if status == 0 else done.stderr

    def audited(self, event):
        shown = run_strife("audit", "show", "--dir", self.network.path, "--server", "gateway", "--event", event,
                           "--output", "json")
        return json.loads(shown.stdout)["logs"][0]["entries"]

    def restart(self, name):
        self.network.kill(name)
        self.network.start(name)

    def refresh(self, client):
        return client.stub.RefreshSession(
            gateway_pb2.RefreshSessionRequest(refresh_token=client.session.refresh_token), timeout=PATIENCE_S)

    def assert_audited_and_sound(self):
        self.assert_books()
        verdict = run_strife("audit", "verify", "--dir", self.network.path)
        self.assertEqual(verdict.returncode, 0, verdict.stdout)


class Looking(Admin):
    def test_Banks_AreListedWithWhatTheyDo(self):
        alice, bob = self.network.clients("user1", "user2")
        self.assertEqual(alice.pay(alice.order(bob.accounts["bank2"], bank="bank1")).payment.state, COMPLETED)
        listed = self.admin("banks")
        self.assertEqual((listed["draining"], listed["suspended_users"]), (False, []))
        self.assertEqual([bank["bank_id"] for bank in listed["banks"]], ["bank1", "bank2"])
        for bank in listed["banks"]:
            self.assertTrue(bank["up"])
            self.assertLess(bank["heartbeat_age_seconds"], PATIENCE_S)
            self.assertGreater(bank["latency_us"], 0)
            self.assertEqual((bank["open"], bank["suspension"]), (0, None))
        text = run_strife("admin", "banks", "--config", self.network.path / "operator.toml").stdout
        self.assertIn("bank2", text)

    def test_Transactions_OfEverybody_AreNewestFirst_AndFiltered(self):
        alice, bob = self.network.clients("user1", "user2")
        made = []
        for amount in (70, 200, 10**9, 400):
            made.append(alice.pay(alice.order(bob, amount)).payment)
        made.append(bob.pay(bob.order(alice.accounts["bank2"], 500, bank="bank1")).payment)

        def ids(*filters):
            return [t["transaction_id"] for t in self.admin("transactions", *filters)["transactions"]]
        newest_first = [payment.transaction_id for payment in reversed(made)]
        self.assertEqual(ids("--limit", 5), newest_first)
        self.assertEqual(ids("--limit", 2), newest_first[:2])
        self.assertEqual(ids("--user", "user2"), newest_first[:1])
        self.assertEqual(ids("--user", "user1", "--state", "ABORTED"), [made[2].transaction_id])
        self.assertEqual(ids("--state", "COMPLETED", "--min-amount", "4"), newest_first[:2])
        self.assertEqual(ids("--max-amount", "0.70", "--user", "user1"), [made[0].transaction_id])
        self.assertEqual(ids("--since", "2999-01-01"), [])
        self.assertEqual(ids("--bank", "bank9"), [])
        self.assertEqual(self.admin("transactions", "--limit", 1)["transactions"][0]["username"], "user2")
        self.assertIn("no state", self.admin("transactions", "--state", "GONE", status=2))

    def test_Transactions_ManyPages_HaveNoGapsOrRepeats(self):
        alice, bob = self.network.clients("user3", "user4")
        sent = set()
        for _ in range(12):
            batch = gateway_pb2.ProcessPaymentsRequest(payments=[alice.order(bob, 1) for _ in range(50)])
            sent |= {result.payment.transaction_id for result in alice.call("ProcessPayments", batch).results}
        listed = [t["transaction_id"] for t in self.admin("transactions", "--user", "user3", "--limit", 5000)["transactions"]]
        self.assertEqual((len(listed), set(listed)), (600, sent))


class Suspending(Admin):
    def test_SuspendedBank_GetsNoNewPayments_AlsoAfterARestart_UntilItIsResumed(self):
        alice, bob = self.network.clients("user1", "user2")
        done = self.admin("suspend", "bank", "bank2", "--reason", "books under review")
        self.assertEqual((done["name"], done["by"], done["suspended"]), ("bank2", "operator", True))
        for _ in range(2):
            declined = alice.pay(alice.order(bob.accounts["bank2"], bank="bank1"))
            self.assertFalse(declined.success)
            self.assertEqual((declined.payment.state, declined.payment.reason_code), (ABORTED, "BANK_SUSPENDED"))
            declined = alice.pay(alice.order(bob.accounts["bank1"], bank="bank2"))
            self.assertEqual(declined.payment.reason_code, "BANK_SUSPENDED")
            self.assertTrue(alice.pay(alice.order(bob.accounts["bank1"], bank="bank1")).success)
            alice.balance("bank2")  # looking is no payment
            self.restart("gateway")
            alice.wait_for_banks()
        bank = next(b for b in self.admin("banks")["banks"] if b["bank_id"] == "bank2")
        self.assertEqual(bank["suspension"]["reason"], "books under review")
        status = run_strife("status", "--dir", self.network.path)
        self.assertEqual(status.returncode, 1)
        self.assertIn("bank2 is suspended", status.stdout + status.stderr)
        self.admin("resume", "bank", "bank2", operator="operator2")
        self.assertTrue(alice.pay(alice.order(bob.accounts["bank2"], bank="bank1")).success)
        self.assertIn("not suspended", self.admin("resume", "bank", "bank2", status=1))
        self.assertIn("no bank bank9", self.admin("suspend", "bank", "bank9", status=1))
        record = self.audited("bank_suspended")[-1]
        self.assertEqual((record["actor"], record["subject"], record["detail"]),
                         ("operator/operator", "bank/bank2", "reason=books under review"))
        self.assertEqual(self.audited("bank_resumed")[-1]["actor"], "operator/operator2")
        self.assert_audited_and_sound()

    def test_BankSuspendedWhileAPaymentIsUnderWay_FinishesIt(self):
        alice, bob = self.network.clients("user1", "user2")
        self.network.pause("bank2")
        call = alice.pay_later(alice.order(bob.accounts["bank2"], bank="bank1"))
        wait_until(lambda: self.admin("banks")["banks"][1]["open"] == 1, "the payment to be under way")
        self.admin("suspend", "bank", "bank2")
        self.network.resume("bank2")
        try:
            self.assertEqual(call.result().payment.state, COMPLETED)
        finally:
            self.admin("resume", "bank", "bank2")

    def test_SuspendedUser_IsOutAtOnce_AlsoAfterARestart_AndBackAgain(self):
        alice, bob = self.network.clients("user3", "user4")
        alice.balance("bank1")  # its token was just good
        logins = len([e for e in self.audited("login") if e["actor"] == "user/user3"])
        self.admin("suspend", "user", "user3", "--reason", "card stolen")
        for _ in range(2):
            self.assert_refused(lambda: alice.balance("bank1"), Code.UNAUTHENTICATED)
            self.assert_refused(lambda: alice.pay(alice.order(bob)), Code.UNAUTHENTICATED)
            self.assert_refused(lambda: self.refresh(alice), Code.UNAUTHENTICATED)
            self.assert_refused(alice.login, Code.UNAUTHENTICATED)
            bob.balance("bank1")
            self.restart("gateway")
            bob.wait_for_banks()
        self.assertEqual(len([e for e in self.audited("login") if e["actor"] == "user/user3"]), logins)
        self.assertTrue([e for e in self.audited("login_failed") if e["subject"] == "user/user3"])
        self.assertEqual([user["name"] for user in self.admin("banks")["suspended_users"]], ["user3"])
        self.admin("resume", "user", "user3")
        alice.balance("bank1")
        alice.session = self.refresh(alice)
        alice.balance("bank1")
        self.assertEqual(self.audited("refresh_token_reused"), [])
        self.assertTrue(alice.pay(alice.order(bob)).success)
        self.assertIn("no user nobody", self.admin("suspend", "user", "nobody", status=1))
        self.assertTrue(self.audited("user_suspended"))
        self.assertTrue(self.audited("user_resumed"))


class Sessions(Admin):
    def test_Sessions_AreListed_AndEndedByOperators_WhichIsNoLogout(self):
        alice, bob, carol = self.network.clients("user1", "user2", "user3")
        listed = self.admin("sessions", "list", "--user", "user1")["sessions"]
        self.assertEqual([session["username"] for session in listed], ["user1"])
        self.assertEqual(len(listed[0]["certificate_sha256"]), 64)
        self.assertEqual({s["username"] for s in self.admin("sessions", "list")["sessions"]},
                         {"user1", "user2", "user3"})
        self.assertEqual(self.admin("sessions", "end", listed[0]["session_id"]), {"ended": 1})
        self.assert_refused(lambda: alice.balance("bank1"), Code.UNAUTHENTICATED)
        self.assert_refused(lambda: self.refresh(alice), Code.UNAUTHENTICATED)
        bob.login()  # a second session
        self.assertEqual(self.admin("sessions", "end", "--user", "user2"), {"ended": 2})
        self.assert_refused(lambda: bob.balance("bank1"), Code.UNAUTHENTICATED)
        carol.balance("bank1")
        self.assertIn("has no session", self.admin("sessions", "end", "--user", "user2", status=1))
        self.assertIn("no such session", self.admin("sessions", "end", "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b", status=1))
        self.assertEqual({e["actor"] for e in self.audited("session_ended")}, {"operator/operator"})
        self.assertEqual(len(self.audited("session_ended")), 3)
        self.assertEqual(self.audited("logout"), [])
        alice.login()
        self.assertEqual(len(self.admin("sessions", "list", "--user", "user1")["sessions"]), 1)


class Draining(Admin):
    def test_Drained_TakesNoNewPayments_FinishesThoseUnderWay_AndSaysSo(self):
        alice, bob = self.network.clients("user1", "user2")
        self.assertEqual(self.network.health("gateway", GATEWAY_SERVICE), SERVING)
        self.network.pause("bank2")
        under_way = alice.order(bob.accounts["bank2"], bank="bank1")
        call = alice.pay_later(under_way)
        wait_until(lambda: self.admin("banks")["banks"][1]["open"] == 1, "the payment to be under way")
        state = self.admin("drain")
        self.network.resume("bank2")
        self.assertEqual(state, {"draining": True, "open": 1})
        self.assertEqual(call.result().payment.state, COMPLETED)
        new = alice.order(bob.accounts["bank2"], bank="bank1")
        detail = self.assert_refused(lambda: alice.pay(new), Code.UNAVAILABLE, "DRAINING")
        self.assertTrue(detail.retryable)
        self.assertEqual(self.assert_refused(lambda: alice.pay(under_way), Code.ALREADY_EXISTS).prior.state, COMPLETED)
        alice.balance("bank1")
        wait_until(lambda: self.network.health("gateway") == NOT_SERVING, "health to say so")
        self.assertEqual(self.network.health("gateway", GATEWAY_SERVICE), NOT_SERVING)
        self.assertEqual(self.network.health("gateway", "strife.v1.GatewayAdmin"), SERVING)
        status = run_strife("status", "--dir", self.network.path)
        self.assertIn("drained by its operators", status.stdout + status.stderr)
        self.assertTrue(self.network.processes["gateway"].alive())
        self.assertFalse(self.admin("undrain")["draining"])
        wait_until(lambda: self.network.serves("gateway"), "health to say that it serves again")
        self.assertEqual(alice.pay(new).payment.state, COMPLETED, "the id was not used up")
        self.assertEqual([e["actor"] for e in self.audited("drain_started") + self.audited("drain_ended")],
                         ["operator/operator"] * 2)
        self.assert_audited_and_sound()

    def test_Bank_SaysThatItServes_OnceItHasRegistered(self):
        self.network.kill("bank1")
        self.network.pause("gateway")
        self.network.launch("bank1")
        wait_until(lambda: self.network.health("bank1", BANK_SERVICE) == NOT_SERVING, "bank1 to say that it is starting")
        self.network.resume("gateway")
        self.network.wait_serving("bank1")
        self.assertEqual(self.network.health("bank1", BANK_SERVICE), SERVING)
        self.assertEqual(self.network.health("bank1", "strife.v1.BankAdmin"), SERVING)
        self.assertIsNone(self.network.health("bank1", "strife.v1.NoSuchService"))
