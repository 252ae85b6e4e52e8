"""Attacks 17, 18, 20 and 21: a user reaching for what is another's, or an operator's; one operator acting as two."""

import json

from cryptography import x509

from cases import Code, NetworkCase
from forgery import Forger, issue
from network import (COMPLETED, PATIENCE_S, admin_pb2, bank_pb2, error_detail, gateway_pb2, new_id, refusal, run_strife,
                     trace_pb2, types_pb2, wait_until)


class OthersMoney(NetworkCase):
    USERS = 3  # the accounts of user1 are at bank1 and bank2, as the others' are at two banks each

    def setUp(self):
        self.thief, self.victim = self.network.clients("user1", "user2")
        self.before = {bank: self.victim.balance(bank).posted for bank in self.victim.accounts}

    def assert_untouched(self):
        self.assertEqual({bank: self.victim.balance(bank).posted for bank in self.victim.accounts}, self.before)
        self.assert_nothing_held([self.victim])

    def theft(self, source):
        return gateway_pb2.ProcessPaymentRequest(
            **{"from": source}, to=next(iter(self.thief.accounts.values())), transaction_id=new_id(),
            amount=types_pb2.Money(minor_units=100, currency="USD"))

    def test_17_DebitOfAnothersAccount_IsRefusedInTheSameWordsWhetherOrNotItExists(self):
        victims = list(self.victim.accounts.values())
        own = next(iter(self.thief.accounts.values()))
        invented = [types_pb2.AccountRef(bank_id=ref.bank_id, account_id="nobody") for ref in victims]
        invented += [types_pb2.AccountRef(bank_id="nowhere", account_id=own.account_id),
                     types_pb2.AccountRef(bank_id=own.bank_id, account_id=own.account_id.upper()),
                     types_pb2.AccountRef(bank_id=own.bank_id.upper(), account_id=own.account_id)]
        # The banks' own accounts, out of which money could be made.
        invented += [types_pb2.AccountRef(bank_id=own.bank_id, account_id=name)
                     for name in ("clearing", "cash", "opening", "clearing.USD", "cash.USD", "opening.USD")]
        details = [self.assert_refused(lambda: self.thief.pay(self.theft(source)), Code.PERMISSION_DENIED, "AG01")
                   for source in victims + invented]
        self.assertEqual(len({detail.SerializeToString() for detail in details}), 1, details)
        # By the names the banks themselves have for them, neither out of them nor into them.
        for name in ("clearing:USD", "cash:USD", "opening:USD"):
            at_bank = types_pb2.AccountRef(bank_id=own.bank_id, account_id=name)
            self.assert_refused(lambda: self.thief.pay(self.theft(at_bank)), Code.INVALID_ARGUMENT, field="from.account_id")
            into = self.theft(own)
            into.to.CopyFrom(at_bank)
            self.assert_refused(lambda: self.thief.pay(into), Code.INVALID_ARGUMENT, field="to.account_id")
        batch = self.thief.call("ProcessPayments", gateway_pb2.ProcessPaymentsRequest(
            payments=[self.theft(source) for source in victims]))
        self.assertEqual([result.grpc_code for result in batch.results],
                         [Code.PERMISSION_DENIED.value[0]] * len(victims))
        self.assert_untouched()

    def test_17_BalanceOfAnothersAccount_IsNotToBeHad(self):
        stranger = set(self.network.banks) - set(self.thief.accounts) | {"nowhere"}
        details = [self.assert_refused(lambda: self.thief.balance(bank), Code.PERMISSION_DENIED) for bank in stranger]
        self.assertEqual(len({detail.SerializeToString() for detail in details}), 1, details)

    def test_18_AnothersTransactionId_SaysNothingAndDoesNothing(self):
        secret = "rent, flat 7"
        theirs = self.victim.order(self.network.client("user3"), memo=secret, minor_units=123)
        self.assertEqual(self.victim.pay(theirs).payment.state, COMPLETED)
        self.before = {bank: self.victim.balance(bank).posted for bank in self.victim.accounts}

        def look_up(transaction_id):
            return lambda: self.thief.payment(transaction_id)

        def trace(transaction_id):
            request = trace_pb2.TracePaymentRequest(transaction_id=transaction_id)
            return lambda: self.thief.call("TracePayment", request)
        for mine in (theirs.transaction_id, theirs.transaction_id.upper()):
            for look in (look_up, trace):
                self.assertEqual(self.assert_refused(look(mine), Code.NOT_FOUND),
                                 self.assert_refused(look(new_id()), Code.NOT_FOUND), "tells that the payment exists")
        # Sending it again: as their own payment, and exactly as the owner sent it.
        for attempt in (self.thief.order(self.victim, transaction_id=theirs.transaction_id), theirs):
            error = refusal(lambda: self.thief.pay(attempt))
            self.assertIn(error.code(), (Code.ALREADY_EXISTS, Code.PERMISSION_DENIED))
            self.assertFalse(error_detail(error).HasField("prior"))
            for told in (secret, "123", "1.23", "user2", "user3"):
                self.assertNotIn(told, str(error_detail(error)))
        self.assert_untouched()

    def test_18_AnothersPayments_AreNotInTheHistoryWhereverAPageStarts(self):
        for payer in (self.victim, self.thief):
            self.assertEqual(payer.pay(payer.order(self.network.client("user3"))).payment.state, COMPLETED)
        page = self.victim.call("ViewTransactionHistory", gateway_pb2.ViewTransactionHistoryRequest(page_size=1))
        after = f"99999999999999999.{new_id()}"
        for token in filter(None, (page.next_page_token, after, f"-1.{new_id()}", f"0.{new_id()}")):
            seen = self.thief.call("ViewTransactionHistory",
                                   gateway_pb2.ViewTransactionHistoryRequest(page_token=token, page_size=1000)).payments
            for payment in seen:
                source = getattr(payment, "from")
                self.assertEqual(source, self.thief.accounts.get(source.bank_id), "a payment of somebody else's")
            self.assertTrue(seen or token != after, "not even one's own are told")


class OperatorsOnly(NetworkCase):
    BANKS = 2
    USERS = 2
    GATEWAY_FLAGS = ("--transaction-timeout", "45s")

    def admin(self, *arguments, operator="operator"):
        return run_strife("admin", *arguments, "--config", self.network.path / f"{operator}.toml")

    def test_20_AUserCallingOperatorMethods_IsRefusedWithAnyToken(self):
        user = self.network.client("user1")
        forger = Forger(self.network, user.session.access_token)
        tokens = {"none": (), "a user's": user.metadata}
        for role in ("operator", "admin", "user,operator", ["operator"]):
            tokens[str(role)] = (("authorization", f"Bearer {forger.token(claims={'role': role})}"),)
        for server, service in (("gateway", "GatewayAdmin"), ("bank1", "BankAdmin"), ("bank1", "Bank")):
            module = admin_pb2 if service.endswith("Admin") else bank_pb2
            with self.network.channel(server, "client") as channel:
                for method in module.DESCRIPTOR.services_by_name[service].methods:
                    call = channel.unary_unary(f"/strife.v1.{service}/{method.name}", request_serializer=bytes,
                                               response_deserializer=bytes)
                    for name, metadata in tokens.items():
                        with self.subTest(method=method.full_name, token=name):
                            self.assert_refused(lambda: call(b"", timeout=20, metadata=metadata),
                                                Code.PERMISSION_DENIED)
        # And a token that claims to be an operator's is good for nothing at all.
        for name in set(tokens) - {"none", "a user's"}:
            error = refusal(lambda: user.stub.CheckBalance(gateway_pb2.CheckBalanceRequest(bank_id="bank1"),
                                                           metadata=tokens[name], timeout=PATIENCE_S))
            self.assertIn(error.code(), (Code.UNAUTHENTICATED, Code.PERMISSION_DENIED))

    def test_21_OnePersonProposingAndApproving_ForcesNothing(self):
        payer, payee = self.network.clients("user1", "user2")
        order = payer.order(payee.accounts["bank2"], 700, bank="bank1")
        self.network.pause("bank2")
        call = payer.pay_later(order)

        def state():
            listed = json.loads(self.admin("in-doubt", "--min-age", "0s", "--output", "json").stdout)
            at_bank = next(bank for bank in listed["banks"] if bank["bank_id"] == "bank1")
            return next((t for t in at_bank["transactions"] if t["transaction_id"] == order.transaction_id), None)
        wait_until(state, "bank1 to have prepared")
        self.network.kill("gateway")
        self.network.resume("bank2")

        def force(operator):
            return self.admin("force", order.transaction_id, "commit", "--bank", "bank1", "--output", "json",
                              operator=operator)
        self.assertEqual(json.loads(force("operator").stdout)["state"], "PROPOSED")
        # The same person again; with another certificate, as after a renewal; and with a newer one still.
        settings = (self.network.path / "operator.toml").read_text()
        for attempt in range(3):
            again = force("operator" if attempt == 0 else f"again{attempt}")
            self.assertNotEqual(json.loads(again.stdout or "{}").get("state"), "FORCED", again.stdout + again.stderr)
            self.assertIsNotNone(state(), "bank1 no longer has it in doubt")
            renewed = issue(self.network, "operator", f"again{attempt + 1}",
                            uris=[self.operator_uri()])
            (self.network.path / f"{renewed}.toml").write_text(
                settings.replace("operator.crt", f"{renewed}.crt").replace("operator.key", f"{renewed}.key"))
        self.assertEqual(json.loads(force("operator2").stdout)["state"], "FORCED")
        self.assertIsNotNone(call.exception(), "the gateway died under this call")

    def test_21_AnOperatorWhomTheServerDoesNotName_MayDoNothingThere(self):
        # Of the same trust domain: another bank's, say.
        issue(self.network, "operator", "olga")
        for server, service, methods in (
                ("bank1", "Bank", ("GetTransactionStatus", "GetLedgerTotals", "ProcessTransaction")),
                ("bank1", "BankAdmin", admin_pb2.DESCRIPTOR.services_by_name["BankAdmin"].methods_by_name),
                ("gateway", "GatewayAdmin", admin_pb2.DESCRIPTOR.services_by_name["GatewayAdmin"].methods_by_name)):
            with self.network.channel(server, "olga") as channel:
                for method in methods:
                    call = channel.unary_unary(f"/strife.v1.{service}/{method}", request_serializer=bytes,
                                               response_deserializer=bytes)
                    with self.subTest(service=service, method=method):
                        detail = self.assert_refused(lambda: call(b"", timeout=PATIENCE_S), Code.PERMISSION_DENIED,
                                                     "AG01")
                        for word in ("operator/olga", server, '"operators"'):
                            self.assertIn(word, detail.message)

    def test_21_ARefusedOperator_IsInTheAuditLog(self):
        issue(self.network, "operator", "oscar")
        deposit = bank_pb2.ProcessTransactionRequest(
            transaction_id=new_id(), account_id="user1", type=bank_pb2.DIRECT_TRANSACTION_TYPE_DEPOSIT,
            amount=types_pb2.Money(minor_units=500, currency="USD"))
        self.assert_refused(lambda: self.network.bank("bank1", "oscar").ProcessTransaction(deposit, timeout=PATIENCE_S),
                            Code.PERMISSION_DENIED, "AG01")

        def audited():
            shown = run_strife("audit", "show", "--config", self.network.config("bank1"), "--event", "call_refused",
                               "--actor", "operator/oscar", "--output", "json")
            return "ProcessTransaction" in shown.stdout
        wait_until(audited, "the refusal to be in the audit log", patience_s=90)  # records are a minute's

    def test_21_AServerThatNamesNoOperators_TakesAllAndWarns(self):
        issue(self.network, "operator", "otto")
        config = self.network.config("bank2")
        named = config.read_text()
        log = self.network.path / "logs/bank2/bank.log"
        self.assertNotIn("event=any_operator", log.read_text())
        config.write_text("".join(line for line in named.splitlines(True) if not line.startswith("operators")))
        self.network.stop("bank2")
        self.network.start("bank2")
        self.assertTrue(self.network.bank("bank2", "otto").GetLedgerTotals(
            bank_pb2.GetLedgerTotalsRequest(), timeout=PATIENCE_S, wait_for_ready=True).totals)
        wait_until(lambda: "event=any_operator" in log.read_text(), "a warning in bank2's log")
        config.write_text(named)
        self.network.stop("bank2")
        self.network.start("bank2")
        self.assert_refused(lambda: self.network.bank("bank2", "otto").GetLedgerTotals(
            bank_pb2.GetLedgerTotalsRequest(), timeout=PATIENCE_S, wait_for_ready=True), Code.PERMISSION_DENIED)

    def operator_uri(self):
        certificate = x509.load_pem_x509_certificate((self.network.path / "certs/operator.crt").read_bytes())
        return certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName).value.get_values_for_type(x509.UniformResourceIdentifier)[0]
