"""Operators and what is in doubt: listing it, forcing it with two people, and what becomes of it when the gateway returns."""

import json

from cases import NetworkCase
from network import ABORTED, COMPLETED, bank_pb2, new_id, run_strife, types_pb2, wait_until

COMMITTING = types_pb2.PAYMENT_STATE_COMMITTING
PARTIAL = types_pb2.PAYMENT_STATE_PARTIAL_COMMIT_RECOVERY_NEEDED


class Operators(NetworkCase):
    """What operators do, and ways to bring a payment into doubt."""

    BANKS = 2
    USERS = 4

    def setUp(self):
        if not self.network.processes["gateway"].alive():
            self.network.start("gateway", flags=self.GATEWAY_FLAGS)
        self.clients = self.network.clients()

    # ---- what operators do

    def admin(self, *arguments, operator="operator"):
        return run_strife("admin", *arguments, "--config", self.network.path / f"{operator}.toml")

    def in_doubt(self):
        """The list as data, and the exit status."""
        listed = self.admin("in-doubt", "--min-age", "0s", "--output", "json")
        return json.loads(listed.stdout), listed.returncode

    def at_bank(self, bank, transaction_id):
        """The transaction as the bank's list has it, or None."""
        listed, _ = self.in_doubt()
        transactions = next(b for b in listed["banks"] if b["bank_id"] == bank)["transactions"]
        return next((t for t in transactions if t["transaction_id"] == transaction_id), None)

    def mixed_at(self, bank):
        listed, _ = self.in_doubt()
        return [m["transaction_id"] for m in next(b for b in listed["banks"] if b["bank_id"] == bank)["mixed"]]

    def force(self, transaction_id, decision, bank):
        for operator in ("operator", "operator2"):
            done = self.admin("force", transaction_id, decision, "--bank", bank, "--output", "json", operator=operator)
            self.assertEqual(done.returncode, 0, done.stderr)
        record = json.loads(done.stdout)
        self.assertEqual((record["state"], record["decision"]), ("FORCED", decision))
        self.assertEqual((record["proposed_by"], record["confirmed_by"]), ("operator", "operator2"))

    def verified(self):
        """The report of strife verify, and its exit status."""
        ended = run_strife("verify", "--dir", self.network.path, "--output", "json")
        return json.loads(ended.stdout), ended.returncode

    def forced(self, transaction_id):
        """What strife verify says of a forced transaction, and its exit status."""
        report, status = self.verified()
        found = [f for f in report["forced"] if f["transaction_id"] == transaction_id]
        return (found[0]["state"] if found else None), status

    def wait_forced(self, transaction_id, state):
        wait_until(lambda: self.forced(transaction_id)[0] == state, f"{transaction_id} to be {state}")

    def start_gateway(self):
        self.network.start("gateway", flags=self.GATEWAY_FLAGS)


class Undecided(Operators):
    # Longer than a slow machine takes to look at a bank and kill the gateway.
    GATEWAY_FLAGS = ("--transaction-timeout", "45s")

    def orphan(self):
        """A payment that bank1 has prepared, of which the gateway has not decided anything, and will not: it is dead."""
        payer, payee = self.clients[0], self.clients[1]
        order = payer.order(payee.accounts["bank2"], 700, bank="bank1")
        self.network.pause("bank2")
        call = payer.pay_later(order)
        wait_until(lambda: self.at_bank("bank1", order.transaction_id), "bank1 to have prepared")
        self.network.kill("gateway")
        self.network.resume("bank2")
        call.exception()  # the connection is gone
        return order

    def test_GatewayDead_OneOperatorCannotForceAndTwoCan_AndItAgreesWithTheGatewayLater(self):
        order = self.orphan()
        listed, status = self.in_doubt()
        self.assertEqual(status, 1, "the gateway could not be asked")
        self.assertTrue(listed["gateway"]["error"])
        seen = self.at_bank("bank1", order.transaction_id)
        self.assertEqual((seen["state"], seen["amount"]["amount"]), ("PREPARED", "7.00"))
        self.assertEqual(seen["debit_account"], "user1")

        proposed = self.admin("force", order.transaction_id, "abort", "--bank", "bank1")
        self.assertEqual(proposed.returncode, 0, proposed.stderr)
        self.assertIn("another operator", proposed.stdout)
        again = self.admin("force", order.transaction_id, "abort", "--bank", "bank1")
        self.assertEqual(again.returncode, 1)
        self.assertIn("another operator must confirm", again.stderr)
        other = self.admin("force", order.transaction_id, "commit", "--bank", "bank1", operator="operator2")
        self.assertEqual(other.returncode, 1)
        self.assertIn("operator has proposed to abort", other.stderr)
        self.assertEqual(self.at_bank("bank1", order.transaction_id)["state"], "PREPARED")
        self.assertEqual(self.at_bank("bank1", order.transaction_id)["heuristic"]["proposed_by"], "operator")

        # A proposal outlives the bank's process.
        self.network.kill("bank1")
        self.network.start("bank1")
        confirmed = self.admin("force", order.transaction_id, "abort", "--bank", "bank1", operator="operator2")
        self.assertEqual(confirmed.returncode, 0, confirmed.stderr)
        self.assertEqual(self.at_bank("bank1", order.transaction_id)["state"], "ABORTED")
        self.assertEqual(self.forced(order.transaction_id), ("FORCED", 0))
        third = self.admin("force", order.transaction_id, "commit", "--bank", "bank1")
        self.assertEqual(third.returncode, 1)
        self.assertIn("not prepared", third.stderr)

        self.start_gateway()
        self.assertEqual(self.clients[0].payment(order.transaction_id).state, ABORTED)
        self.wait_forced(order.transaction_id, "AGREED")
        self.assert_books()

    def test_ForcedToCommitAndAborted_IsMixedUntilAcknowledged(self):
        order = self.orphan()
        self.force(order.transaction_id, "commit", "bank1")
        self.start_gateway()
        client = self.clients[0]
        wait_until(lambda: self.mixed_at("bank1") == [order.transaction_id], "the outcome to be known as mixed")
        report, status = self.verified()
        self.assertEqual(status, 1)
        self.assertEqual(list(report["violations_by_invariant"]), ["heuristic"])
        self.assertEqual(report["violations"][0]["transaction_id"], order.transaction_id)
        wait_until(lambda: client.payment(order.transaction_id).reason_code == "HEURISTIC_MIXED",
                   "the gateway to have heard of it")
        self.assertEqual(client.payment(order.transaction_id).state, ABORTED, "an abort is for ever")

        # The bank gives back by hand what it has taken, and says so.
        given = self.network.bank("bank1", "operator").ProcessTransaction(bank_pb2.ProcessTransactionRequest(
            transaction_id=new_id(), account_id="user1", type=bank_pb2.DIRECT_TRANSACTION_TYPE_DEPOSIT,
            amount=types_pb2.Money(minor_units=700, currency="USD")))
        self.assertTrue(given.success)
        done = self.admin("acknowledge", order.transaction_id, "--bank", "bank1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.mixed_at("bank1"), [])
        self.assertEqual(self.forced(order.transaction_id), ("ACKNOWLEDGED", 0))
        self.assertTrue(self.verified()[0]["clearing_checked"])


class Decided(Operators):
    # Longer than a slow machine takes to look at the banks and stop them.
    GATEWAY_FLAGS = ("--transaction-timeout", "45s")

    def has_voted(self, bank, transaction_id):
        listed, _ = self.in_doubt()
        payments = [p for p in listed["gateway"]["payments"] if p["transaction_id"] == transaction_id]
        return any(b["bank_id"] == bank and b["answered"] for p in payments for b in p["banks"])

    def decided_and_prepared(self):
        """A payment decided to commit that bank2 has prepared and not been told about; the gateway is dead."""
        payer, payee = self.clients[0], self.clients[1]
        order = payer.order(payee.accounts["bank2"], 1, bank="bank1")
        self.network.pause("bank1")
        call = payer.pay_later(order)
        wait_until(lambda: self.has_voted("bank2", order.transaction_id), "bank2 to have voted")
        self.network.pause("bank2")
        self.network.resume("bank1")
        wait_until(lambda: payer.payment(order.transaction_id).state == COMMITTING, "the gateway to have decided")
        self.network.kill("gateway")
        # Its sockets may hold the commit already, which a bank that was only resumed would still read.
        self.network.kill("bank2")
        self.network.start("bank2")
        call.exception()  # the connection is gone
        self.assertEqual(self.at_bank("bank2", order.transaction_id)["state"], "PREPARED")
        return order

    def start_gateway(self):
        # Decided payments are late soon.
        self.network.start("gateway", flags=("--transaction-timeout", "2s"))

    def test_ForcedToAbortAndCommitted_IsNeverToldCompletedBeforeItIsAcknowledged(self):
        order = self.decided_and_prepared()
        transaction_id = order.transaction_id
        self.force(transaction_id, "abort", "bank2")
        state, status = self.forced(transaction_id)
        self.assertEqual((state, status), ("FORCED", 1), "the gateway's decision is on its disk")
        self.start_gateway()
        wait_until(lambda: self.mixed_at("bank2") == [transaction_id], "the outcome to be known as mixed")
        client = self.clients[0]
        wait_until(lambda: client.payment(transaction_id).reason_code == "HEURISTIC_MIXED",
                   "the gateway to have heard of it")
        self.assertEqual(client.payment(transaction_id).state, PARTIAL)
        self.assertEqual(self.forced(transaction_id), ("MIXED", 1))
        listed, status = self.in_doubt()
        self.assertEqual(status, 0)
        why = [p["why"] for p in listed["gateway"]["payments"] if p["transaction_id"] == transaction_id]
        self.assertEqual(len(why), 1)
        self.assertIn("acknowledge", why[0])

        # It stays so, over a restart as well.
        self.network.kill("gateway")
        self.start_gateway()
        self.assertEqual(client.payment(transaction_id).state, PARTIAL)

        given = self.network.bank("bank2", "operator").ProcessTransaction(bank_pb2.ProcessTransactionRequest(
            transaction_id=new_id(), account_id="user2", type=bank_pb2.DIRECT_TRANSACTION_TYPE_DEPOSIT,
            amount=types_pb2.Money(minor_units=1, currency="USD")))
        self.assertTrue(given.success)
        done = self.admin("acknowledge", transaction_id, "--bank", "bank2", operator="operator2")
        self.assertEqual(done.returncode, 0, done.stderr)
        wait_until(lambda: client.payment(transaction_id).state == COMPLETED, "the payment to end")
        self.assertEqual(client.payment(transaction_id).reason_code, "HEURISTIC_MIXED")
        wait_until(lambda: self.verified()[0]["open"] == 0, "everything else to end")
        self.assertEqual(self.forced(transaction_id), ("ACKNOWLEDGED", 0))
        self.assertTrue(self.verified()[0]["clearing_checked"])

    def test_CertificatesThatAreNoOperators_AreRefused(self):
        for name in ("client", "bank1", "gateway"):
            refused = run_strife("admin", "in-doubt", "--config", self.network.path / "operator.toml",
                                 "--cert-file", self.network.path / f"certs/{name}.crt",
                                 "--key-file", self.network.path / f"certs/{name}.key")
            self.assertEqual(refused.returncode, 1)
            self.assertIn("operator", refused.stderr)

    def test_NonsenseOnTheCommandLine_IsUsage(self):
        known = new_id()
        for arguments, status in ((("force", known, "maybe", "--bank", "bank1"), 2),
                                  (("force", "7", "abort", "--bank", "bank1"), 2),
                                  (("force", known, "abort", "--bank", "bank9"), 1),
                                  (("force", known, "abort", "--bank", "bank1"), 1),
                                  (("acknowledge", known, "--bank", "bank1"), 1)):
            ended = self.admin(*arguments)
            self.assertEqual(ended.returncode, status, ended.stderr)
            self.assertEqual(len(ended.stderr.strip().splitlines()), 1, ended.stderr)
