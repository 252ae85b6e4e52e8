"""A client in another language, with nothing but the .proto: pays, and is refused what it should be."""

import uuid

from cases import Code, NetworkCase
from network import (ABORTED, COMPLETED, OPENING_MINOR_UNITS, bank_pb2, error_detail, gateway_pb2, new_id, refusal,
                     types_pb2)


class Payments(NetworkCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.alice, cls.bob, cls.carol, cls.dora = cls.network.clients()

    def test_LogIn_NamesTheAccountsOfTheUser(self):
        self.assertEqual(set(self.alice.accounts), {"bank1", "bank2"})
        self.assertEqual(set(self.carol.accounts), {"bank3", "bank1"})
        self.assertGreater(self.alice.session.refresh_expires_at.seconds, self.alice.session.expires_at.seconds)

    def test_Payment_MovesTheMoneyOnceAndIsOnRecord(self):
        before = [self.alice.balance("bank1"), self.bob.balance("bank3")]
        order = self.alice.order(self.bob.accounts["bank3"], 1250, bank="bank1", memo="lunch: café")
        answer = self.alice.pay(order)
        self.assertTrue(answer.success)
        self.assertEqual(answer.payment.state, COMPLETED)
        after = [self.alice.balance("bank1"), self.bob.balance("bank3")]
        self.assertEqual(after[0].posted.minor_units, before[0].posted.minor_units - 1250)
        self.assertEqual(after[1].posted.minor_units, before[1].posted.minor_units + 1250)
        self.assertEqual(after[0].held.minor_units, 0)
        recorded = self.alice.payment(order.transaction_id)
        for field in ("transaction_id", "from", "to", "amount", "memo"):
            self.assertEqual(getattr(recorded, field), getattr(order, field), field)
        self.assertEqual(recorded.state, COMPLETED)
        self.assertIn(order.transaction_id, [p.transaction_id for p in self.alice.history()])

    def test_PaymentWithinOneBank_MovesTheMoney(self):
        before = self.alice.balance("bank1").posted.minor_units
        answer = self.alice.pay(self.alice.order(self.carol.accounts["bank1"], 500, bank="bank1"))
        self.assertEqual(answer.payment.state, COMPLETED)
        self.assertEqual(self.alice.balance("bank1").posted.minor_units, before - 500)

    def test_PaymentBetweenOnesOwnAccounts_MovesTheMoney(self):
        before = [self.dora.balance(bank).posted.minor_units for bank in ("bank1", "bank2")]
        answer = self.dora.pay(self.dora.order(self.dora.accounts["bank2"], 7, bank="bank1"))
        self.assertEqual(answer.payment.state, COMPLETED)
        after = [self.dora.balance(bank).posted.minor_units for bank in ("bank1", "bank2")]
        self.assertEqual(after, [before[0] - 7, before[1] + 7])

    def test_InsufficientFunds_IsAnAnswerNotAnError(self):
        before = self.alice.balance("bank1")
        order = self.alice.order(self.bob, before.available.minor_units + 1, bank="bank1")
        answer = self.alice.pay(order)
        self.assertFalse(answer.success)
        self.assertEqual(answer.payment.state, ABORTED)
        self.assertEqual(answer.payment.reason_code, "AM04")
        self.assertTrue(answer.payment.message)
        self.assertEqual(self.alice.balance("bank1").posted, before.posted)
        self.assertEqual(self.alice.balance("bank1").held.minor_units, 0)

    def test_WholeBalance_CanBePaid(self):
        everything = self.dora.balance("bank1").available.minor_units
        there = self.dora.order(self.dora.accounts["bank2"], everything, bank="bank1")
        self.assertEqual(self.dora.pay(there).payment.state, COMPLETED)
        self.assertEqual(self.dora.balance("bank1").posted.minor_units, 0)
        back = self.dora.order(self.dora.accounts["bank1"], everything, bank="bank2")
        self.assertEqual(self.dora.pay(back).payment.state, COMPLETED)

    def test_UnknownPayee_IsDeclinedByItsBank(self):
        nobody = types_pb2.AccountRef(bank_id="bank3", account_id="no-such-account")
        answer = self.alice.pay(self.alice.order(nobody))
        self.assertEqual((answer.success, answer.payment.state), (False, ABORTED))
        self.assertIn(answer.payment.reason_code, ("AC01", "AC03"))

    def test_UnknownBank_IsRefusedNamingTheField(self):
        order = self.alice.order(types_pb2.AccountRef(bank_id="bank99", account_id="x"))
        self.assert_refused(lambda: self.alice.pay(order), Code.INVALID_ARGUMENT, field="to.bank_id")

    def test_BadInput_IsRefusedNamingTheFieldAndLeavesTheIdUnused(self):
        def change(path, value):
            def apply(order):
                *parents, last = path.split(".")
                target = order
                for parent in parents:
                    target = getattr(target, parent)
                setattr(target, last, value)
            return apply

        limit = 1_000_000_000_000_000
        cases = [
            ("amount.minor_units", 0), ("amount.minor_units", -1), ("amount.minor_units", -(2**63)),
            ("amount.minor_units", limit + 1), ("amount.minor_units", 2**63 - 1),
            ("amount.currency", "XXX"), ("amount.currency", "usd"), ("amount.currency", ""),
            ("amount.currency", "US\n"),
            ("to.account_id", ""), ("to.account_id", "a" * 65), ("to.account_id", "a b"), ("to.account_id", "clearing:USD"),
            ("to.bank_id", ""), ("to.bank_id", "../bank1"), ("from.account_id", ""),
            ("memo", "m" * 141), ("memo", "two\nlines"), ("memo", "\x1b[2J"), ("memo", "\u202eevil"),
        ]
        for field, value in cases:
            with self.subTest(field=field, value=value):
                good = self.alice.order(self.bob, 1)
                bad = gateway_pb2.ProcessPaymentRequest()
                bad.CopyFrom(good)
                change(field, value)(bad)
                self.assert_refused(lambda: self.alice.pay(bad), Code.INVALID_ARGUMENT, field=field)
                self.assertEqual(self.alice.pay(good).payment.state, COMPLETED, "the id was used up")

    def test_BadTransactionId_IsRefused(self):
        for bad in ("", "1", "not-a-uuid", str(uuid.UUID(int=0)), "{" + new_id() + "}", new_id().replace("-", "")):
            with self.subTest(bad=bad):
                order = self.alice.order(self.bob)
                order.transaction_id = bad
                self.assert_refused(lambda: self.alice.pay(order), Code.INVALID_ARGUMENT, field="transaction_id")
                lookup = gateway_pb2.GetPaymentRequest(transaction_id=bad)
                self.assert_refused(lambda: self.alice.call("GetPayment", lookup), Code.INVALID_ARGUMENT,
                                    field="transaction_id")

    def test_PayerIsPayee_IsRefused(self):
        order = self.alice.order(self.alice.accounts["bank1"], bank="bank1")
        detail = self.assert_refused(lambda: self.alice.pay(order), Code.INVALID_ARGUMENT)
        self.assertIn(detail.field, ("to", "to.account_id"))

    def test_MissingFields_AreRefused(self):
        for field in ("from", "to", "amount"):
            with self.subTest(field=field):
                order = self.alice.order(self.bob)
                order.ClearField(field)
                detail = self.assert_refused(lambda: self.alice.pay(order), Code.INVALID_ARGUMENT)
                self.assertTrue(detail.field.startswith(field), detail.field)

    def test_CurrencyInWhichTheBanksHaveNoAccounts_IsRefused(self):
        order = self.alice.order(self.bob, currency="EUR")
        self.assert_refused(lambda: self.alice.pay(order), Code.INVALID_ARGUMENT, field="amount.currency")

    def test_SomebodyElsesAccount_IsForbiddenInTheSameWordsWhetherOrNotItExists(self):
        details = []
        for account_id in (self.carol.accounts["bank1"].account_id, "no-such-account"):
            order = self.alice.order(self.bob)
            getattr(order, "from").CopyFrom(types_pb2.AccountRef(bank_id="bank1", account_id=account_id))
            details.append(self.assert_refused(lambda: self.alice.pay(order), Code.PERMISSION_DENIED, reason="AG01"))
        self.assertEqual(details[0], details[1])

    def test_BalanceAtABankWithoutOnesAccount_IsForbidden(self):
        words = [self.assert_refused(lambda: self.alice.balance(bank), Code.PERMISSION_DENIED).reason_code
                 for bank in ("bank3", "bank99")]
        self.assertEqual(words[0], words[1])

    def test_SomebodyElsesPayment_LooksLikeOneThatDoesNotExist(self):
        order = self.alice.order(self.bob)
        self.alice.pay(order)
        errors = [refusal(lambda: self.carol.payment(id)) for id in (order.transaction_id, new_id())]
        self.assertEqual(errors[0].code(), errors[1].code())
        self.assertIn(errors[0].code(), (Code.NOT_FOUND, Code.PERMISSION_DENIED))
        details = [error_detail(error) for error in errors]
        self.assertEqual(details[0].reason_code, details[1].reason_code)
        self.assertNotIn(order.transaction_id, [p.transaction_id for p in self.carol.history()])

    def test_ManyPayments_EachStandsAloneAndAnswersComeInOrder(self):
        bad = self.alice.order(self.bob, 0)
        poor = self.alice.order(self.bob, OPENING_MINOR_UNITS * 100)
        forbidden = self.alice.order(self.bob)
        getattr(forbidden, "from").account_id = "somebody-else"
        good = [self.alice.order(self.bob, 1, bank=bank) for bank in ("bank1", "bank2") * 20]
        orders = [*good[:20], bad, poor, forbidden, *good[20:], good[0]]
        answer = self.alice.call("ProcessPayments", gateway_pb2.ProcessPaymentsRequest(payments=orders))
        self.assertEqual(len(answer.results), len(orders))
        for order, result in zip(orders[:-1], answer.results):
            if order in (bad, forbidden):
                continue
            self.assertEqual(result.payment.transaction_id, order.transaction_id)
            self.assertEqual(result.grpc_code, 0)
            self.assertEqual(result.success, order is not poor)
        self.assertEqual(answer.results[20].grpc_code, Code.INVALID_ARGUMENT.value[0])
        self.assertEqual(answer.results[20].error.field, "amount.minor_units")
        self.assertEqual(answer.results[21].payment.reason_code, "AM04")
        self.assertEqual(answer.results[22].grpc_code, Code.PERMISSION_DENIED.value[0])
        self.assertEqual(answer.results[-1].grpc_code, Code.ALREADY_EXISTS.value[0])
        self.assertEqual(answer.results[-1].error.prior.transaction_id, good[0].transaction_id)

    def test_TooManyPaymentsInOneCall_AreRefusedBeforeAnyIsMade(self):
        orders = [self.alice.order(self.bob, 1) for _ in range(1025)]
        request = gateway_pb2.ProcessPaymentsRequest(payments=orders)
        self.assert_refused(lambda: self.alice.call("ProcessPayments", request), Code.INVALID_ARGUMENT, field="payments")
        self.assertEqual(refusal(lambda: self.alice.payment(orders[0].transaction_id)).code(), Code.NOT_FOUND)

    def test_History_PagesNewestFirstWithoutGapsOrRepeats(self):
        orders = [self.bob.order(self.carol, 1) for _ in range(25)]
        for order in orders:
            self.bob.pay(order)
        mine = [p.transaction_id for p in self.bob.history(page_size=7)]
        self.assertEqual(len(mine), len(set(mine)))
        self.assertEqual(mine[:25], [o.transaction_id for o in reversed(orders)])
        everything = self.bob.history(page_size=1000)
        self.assertEqual([p.transaction_id for p in everything], mine)
        moments = [(p.created_at.seconds, p.created_at.nanos) for p in everything]
        self.assertEqual(moments, sorted(moments, reverse=True))
        since = everything[9].created_at
        self.assertEqual([p.transaction_id for p in self.bob.history(since=since)], mine[:10])
        self.assertEqual([p.transaction_id for p in self.bob.history(until=since)], mine[10:])
        self.assertEqual({p.state for p in self.bob.history(state=COMPLETED)}, {COMPLETED})

    def test_History_RefusesBadPages(self):
        for field, value in (("page_size", -1), ("page_size", 1001), ("page_token", "garbage")):
            with self.subTest(field=field, value=value):
                request = gateway_pb2.ViewTransactionHistoryRequest(**{field: value})
                self.assert_refused(lambda: self.alice.call("ViewTransactionHistory", request), Code.INVALID_ARGUMENT,
                                    field=field)

    def test_DirectDeposit_ByTheOperatorOnlyAndOnce(self):
        account = self.carol.accounts["bank3"].account_id
        before = self.carol.balance("bank3").posted.minor_units
        operator = self.network.bank("bank3", "operator")

        def direct(kind, minor_units, transaction_id):
            return operator.ProcessTransaction(bank_pb2.ProcessTransactionRequest(
                transaction_id=transaction_id, account_id=account, type=kind,
                amount=types_pb2.Money(minor_units=minor_units, currency="USD")), timeout=30)
        deposit, withdrawal = new_id(), new_id()
        for _ in range(2):
            answer = direct(bank_pb2.DIRECT_TRANSACTION_TYPE_DEPOSIT, 5000, deposit)
            self.assertTrue(answer.success)
        self.assertEqual(self.carol.balance("bank3").posted.minor_units, before + 5000)
        for _ in range(2):
            self.assertTrue(direct(bank_pb2.DIRECT_TRANSACTION_TYPE_WITHDRAWAL, 5000, withdrawal).success)
        self.assertEqual(self.carol.balance("bank3").posted.minor_units, before)
        poor = direct(bank_pb2.DIRECT_TRANSACTION_TYPE_WITHDRAWAL, 10**12, new_id())
        self.assertEqual((poor.success, poor.reason_code), (False, "AM04"))
        request = bank_pb2.ProcessTransactionRequest(
            transaction_id=new_id(), account_id=account, type=bank_pb2.DIRECT_TRANSACTION_TYPE_DEPOSIT,
            amount=types_pb2.Money(minor_units=1, currency="USD"))
        for certificate in ("client", "gateway", "bank3"):
            stub = self.network.bank("bank3", certificate)
            self.assert_refused(lambda: stub.ProcessTransaction(request, timeout=30), Code.PERMISSION_DENIED)

    def test_ZZ_TheBooksAddUpAfterAllOfThis(self):
        self.assert_nothing_held([self.alice, self.bob, self.carol, self.dora])
        self.assert_books()


class UnreadableCommands(NetworkCase):
    """Payments the gateway does not know, so the books are not looked at."""

    BANKS = 1
    USERS = 1

    def test_CommandThatABankCannotRead_IsRefusedByItselfAndDoesNotHoldUpTheOthers(self):
        account = types_pb2.AccountRef(bank_id="bank1", account_id="user1")
        prepare = bank_pb2.PrepareTransactionRequest(
            transaction_id=new_id(), gateway_epoch=1, to=account,
            amount=types_pb2.Money(minor_units=100, currency="ZZZ"),  # as of a later version, for one
            **{"from": types_pb2.AccountRef(bank_id="elsewhere", account_id="x")})
        abort = bank_pb2.AbortTransactionRequest(transaction_id=new_id(), gateway_epoch=1)
        command = bank_pb2.ExecuteBatchRequest.Command
        results = self.network.bank("bank1").ExecuteBatch(bank_pb2.ExecuteBatchRequest(
            commands=[command(abort=abort), command(prepare=prepare), command(abort=abort)]), timeout=30).results
        self.assertEqual([results[0].abort.result, results[2].abort.result], 2 * [bank_pb2.COMMAND_RESULT_DONE])
        alone = self.network.bank("bank1").PrepareTransaction(prepare, timeout=30)
        for answer in (results[1].prepare, alone):
            self.assertEqual((answer.transaction_id, answer.vote, answer.reason_code),
                             (prepare.transaction_id, bank_pb2.VOTE_NO, "AC09"))
