"""Attack 22: amounts, currencies, names and texts that are not what they should be."""

from cases import Code, NetworkCase
from network import COMPLETED, PATIENCE_S, gateway_pb2, new_id, refusal, types_pb2
from person import Person

MAX_AMOUNT = 10**15  # the largest payment, in minor units


def field(number, payload):
    """A length-delimited protobuf field, for texts that no protobuf library would write."""
    size, length = b"", len(payload)
    while length > 0x7f:
        size, length = size + bytes([length & 0x7f | 0x80]), length >> 7
    return bytes([number << 3 | 2]) + size + bytes([length]) + payload


class Input(NetworkCase):
    BANKS = 2
    USERS = 2

    def setUp(self):
        self.payer, self.payee = self.network.clients()
        self.before = self.balances()

    def balances(self):
        return [(client.user, bank, client.balance(bank).posted.minor_units, client.balance(bank).held.minor_units)
                for client in (self.payer, self.payee) for bank in client.accounts]

    def order(self, **changes):
        order = self.payer.order(self.payee.accounts["bank2"], bank="bank1")
        for path, value in changes.items():
            *parents, name = path.split("__")
            target = order
            for parent in parents:
                target = getattr(target, parent)
            setattr(target, name, value)
        return order

    def assert_bad(self, order, at):
        """Refused alone and in a batch, naming the field; the id is not used up and nothing has moved."""
        self.assert_refused(lambda: self.payer.pay(order), Code.INVALID_ARGUMENT, field=at)
        batch = self.payer.call("ProcessPayments", gateway_pb2.ProcessPaymentsRequest(payments=[order]))
        self.assertEqual(batch.results[0].grpc_code, Code.INVALID_ARGUMENT.value[0])
        self.assertEqual(batch.results[0].error.field, at)
        self.assertEqual(self.balances(), self.before)

    def test_22_AmountsThatAreNone_AreRefusedAndTheIdStaysGood(self):
        for amount in (0, -1, -2**63, MAX_AMOUNT + 1, 2**63 - 1):
            with self.subTest(amount):
                order = self.order(amount__minor_units=amount)
                self.assert_bad(order, "amount.minor_units")
        order.amount.minor_units = 1
        self.assertEqual(self.payer.pay(order).payment.state, COMPLETED)

    def test_22_AmountsThatWouldOverflowABalance_AreDeclinedOrHeld(self):
        for _ in range(3):
            answer = self.payer.pay(self.order(amount__minor_units=MAX_AMOUNT))
            self.assertFalse(answer.success)
            self.assertEqual(answer.payment.reason_code, "AM04")
        self.assertEqual(self.balances(), self.before)

    def test_22_UnknownCurrencies_AreRefused(self):
        for currency in ("", "usd", "US", "USDX", "XXY", "U$D", "USD ", " USD", "USD\0", "€", "840", "BTC"):
            with self.subTest(currency):
                self.assert_bad(self.order(amount__currency=currency), "amount.currency")

    def test_22_BadIds_AreRefused(self):
        good = new_id()
        for text in ("", "1", good[:-1], good + "0", good.replace("-", ""), "{" + good + "}", "urn:uuid:" + good,
                     good[:-1] + "g", "0" * 8 + "-0000-0000-0000-" + "0" * 12, " " + good, good + "\n", "é" * 18,
                     good.replace("-", "_"), "a" * 100_000):
            with self.subTest(text[:50]):
                self.assert_bad(self.order(transaction_id=text), "transaction_id")
                self.assert_refused(lambda: self.payer.payment(text), Code.INVALID_ARGUMENT, field="transaction_id")

    def test_22_PayerAsPayee_IsRefused(self):
        order = self.order()
        order.to.CopyFrom(getattr(order, "from"))
        self.assert_bad(order, "to")

    def test_22_OverlongStringsAndControlCharacters_AreRefused(self):
        for memo in ("x" * 141, "é" * 71, "a\0b", "a\nb", "a\rb", "a\x1b[31mb", "a\x7fb", "a\x9bb", "a\u2028b",
                     "a\u202eb", "a\u2066b", "\ufeffa"):
            with self.subTest(memo[:10]):
                self.assert_bad(self.order(memo=memo), "memo")
        for bank in ("", "b" * 33, "bank2/", "../bank2", "bank 2", "bänk", "bank2\0", "-bank2"):
            with self.subTest(bank):
                self.assert_bad(self.order(to__bank_id=bank), "to.bank_id")
        for account in ("", "a" * 65, "user2\n", "user2;--", "us er2", "ünser2", "-user2", ".."):
            with self.subTest(account):
                self.assert_bad(self.order(to__account_id=account), "to.account_id")
        self.assertEqual(self.payer.pay(self.order(memo="é" * 70)).payment.state, COMPLETED)
        self.before = self.balances()

    def test_22_TextThatIsNotUtf8_IsRefused(self):
        """Sent as bytes, for protobuf libraries do not write such strings."""
        bad = (b"\xff", b"a\xc3", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x28\xa1")
        with self.network.channel("gateway", "client") as channel:
            call = channel.unary_unary("/strife.v1.PaymentGateway/ProcessPayment", request_serializer=bytes,
                                       response_deserializer=bytes)
            number = gateway_pb2.ProcessPaymentRequest.DESCRIPTOR.fields_by_name["memo"].number
            for text in bad:
                with self.subTest(text):
                    sent = self.order().SerializeToString() + field(number, text)
                    error = refusal(lambda: call(sent, metadata=self.payer.metadata, timeout=PATIENCE_S))
                    # gRPC itself refuses what protobuf cannot read, with this code and no words.
                    self.assertIn(error.code(), (Code.INVALID_ARGUMENT, Code.UNIMPLEMENTED), error.details())
        self.assertEqual(self.balances(), self.before)

    def test_22_RequestsThatAreNotProtobuf_AreRefused(self):
        with self.network.channel("gateway", "client") as channel:
            for method in gateway_pb2.DESCRIPTOR.services_by_name["PaymentGateway"].methods:
                call = channel.unary_unary(f"/strife.v1.PaymentGateway/{method.name}", request_serializer=bytes,
                                           response_deserializer=bytes)
                for garbage in (b"\xff" * 50, b"\x0a\xff\xff\xff\xff\x0f", b"\x0a" * 2000, b"\x08", bytes(range(256))):
                    with self.subTest(method=method.name, garbage=garbage[:5]):
                        refusal(lambda: call(garbage, metadata=self.payer.metadata, timeout=PATIENCE_S))
        self.network.assert_running()
        self.assertEqual(self.balances(), self.before)

    def test_22_HistoryQueriesOutOfRange_AreRefused(self):
        def history(**filters):
            return lambda: self.payer.call("ViewTransactionHistory",
                                           gateway_pb2.ViewTransactionHistoryRequest(**filters))
        for size in (-1, 1001, 2**31 - 1, -2**31):
            self.assert_refused(history(page_size=size), Code.INVALID_ARGUMENT, field="page_size")
        for token in ("x", "1", "1.", f".{new_id()}", f"1.{new_id()}x", f"{2**63}.{new_id()}", f"1 .{new_id()}"):
            with self.subTest(token):
                self.assert_refused(history(page_token=token), Code.INVALID_ARGUMENT, field="page_token")
        self.assert_refused(history(state=99), Code.INVALID_ARGUMENT, field="state")
        for times in ({"since": {"seconds": 2**62}}, {"until": {"seconds": -2**62}}, {"since": {"nanos": -1}}):
            self.assert_refused(history(**times), Code.INVALID_ARGUMENT)

    def test_22_AmountsInWords_AreWrongUsageOfTheCommand(self):
        person = Person(self.network, "user1")
        person.login()
        for amount, currency in (("NaN", "USD"), ("nan", "USD"), ("inf", "USD"), ("-inf", "USD"), ("1e3", "USD"),
                                 ("0x10", "USD"), ("12.345", "USD"), ("1.5", "JPY"), ("0", "USD"), ("0.00", "USD"),
                                 ("-5", "USD"), ("+5", "USD"), ("1,000.00", "USD"), ("1_000", "USD"), (".5", "USD"),
                                 ("5.", "USD"), (" 5", "USD"), ("٣", "USD"), ("9223372036854775808", "USD"),
                                 ("92233720368547758.08", "USD"), ("1", "usd"), ("1", "XXY"), ("1", "")):
            with self.subTest(amount=amount, currency=currency):
                tried = person.run("pay", "--to", "bank2/user2", "--from", "bank1", f"--amount={amount}",
                                   f"--currency={currency}")
                self.assertIn(tried.returncode, (1, 2), tried.stdout + tried.stderr)
                self.assertTrue(tried.stderr.strip(), "refused without a word")
        self.assertEqual(self.balances(), self.before)
