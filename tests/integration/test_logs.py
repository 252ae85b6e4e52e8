"""Whatever callers send, every line of every log can be read, as text and as JSON."""

import json
import random
import re
import signal

import network
from cases import NetworkCase
from network import PATIENCE_S, gateway_pb2, wait_until

LINE = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z (TRACE|DEBUG|INFO|WARNING|ERROR|CRITICAL) event=[a-z_]+"
    r'( [a-z_]+=([A-Za-z0-9._\-:/+@,\[\]]+|"([^"\\]|\\["\\])*"))*')
PIECES = [b"\n", b"\r", b"\x1b[2J", b"\x1b]0;owned\x07", b'"', b"\\", b'\\"', b'"}\n{"event":"forged"}', b" state=COMPLETED",
          b"\xff\xfe", b"\xc3", b"\xed\xa0\x80", "\u2028".encode(), "\u202e".encode(), "\U0001f4b8".encode(), b"\0", b"\x1e",
          b"\x1f", b"\n2026-01-01T00:00:00.000000Z CRITICAL event=forged", b"A" * 20_000, b"%s%n${jndi:ldap://x}"]


def hostile(chance):
    return b"".join(chance.choices(PIECES, k=chance.randrange(1, 5)))


def field(number, value):
    """A length-delimited protobuf field, written by hand: the library refuses to write text that is not UTF-8."""
    def varint(n):
        return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + varint(n >> 7)
    return varint(number << 3 | 2) + varint(len(value)) + value


class HostileText(NetworkCase):
    BANKS = 2
    USERS = 2

    def attack(self, client, count, seed):
        """Payments whose memos, ids and names are not what they should be, and logins and registrations like them."""
        chance = random.Random(seed)
        channel = client.network.channel("gateway", "client")
        pay = channel.unary_unary("/strife.v1.PaymentGateway/ProcessPayment", request_serializer=bytes,
                                  response_deserializer=gateway_pb2.ProcessPaymentResponse.FromString)
        memo = gateway_pb2.ProcessPaymentRequest.DESCRIPTOR.fields_by_name["memo"].number
        names = [(message, gateway_pb2.ProcessPaymentRequest.DESCRIPTOR.fields_by_name[message].number)
                 for message in ("transaction_id", "to", "from", "amount")]
        calls = []
        for k in range(count):
            request = client.order(client.accounts["bank2"], bank="bank1").SerializeToString()
            request += field(memo, hostile(chance))
            if k % 5 == 4:  # the last of a field counts
                name, number = names[k // 5 % 4]
                request += field(number, hostile(chance) if name == "transaction_id" else field(1, hostile(chance)))
            metadata = (*client.metadata, ("traceparent", 'x" state="y'))
            calls.append(pay.future(request, metadata=metadata, timeout=PATIENCE_S))
        for call in calls:
            call.exception()
        log_in = channel.unary_unary("/strife.v1.PaymentGateway/AuthenticateClient", request_serializer=bytes,
                                     response_deserializer=bytes)
        register = client.network.channel("gateway", "bank1").unary_unary(
            "/strife.v1.PaymentGateway/RegisterBank", request_serializer=bytes, response_deserializer=bytes)
        for _ in range(10):
            for call in (log_in, register):
                request = b"".join(field(n, hostile(chance)) for n in (1, 2, 3))
                network.refusal(lambda call=call, request=request: call(request, timeout=PATIENCE_S))

    def lines(self, *directories):
        for directory in directories:
            for file in directory.rglob("*.log"):
                for line in file.read_bytes().split(b"\n")[:-1]:
                    yield file, line

    def test_AThousandHostileMemos_LeaveEveryLogLineParseable(self):
        client = self.network.client("user1")
        client.wait_for_banks()
        self.attack(client, 500, 1)
        self.network.stop("gateway", *self.network.banks)
        texts = list(self.lines(self.network.path / "logs"))
        for file, line in texts:
            self.assertRegex(line.decode(), re.compile(rf"\A{LINE.pattern}\Z"), file)
        self.assertGreaterEqual(sum(b"event=payment_call" in line for _, line in texts), 400)

        for server in ("gateway", *self.network.banks):
            self.network.launch(server, "--log-format", "json", "--log-dir", self.network.directory / "json" / server)
        for server in ("gateway", *self.network.banks):
            self.network.wait_serving(server)
        client.wait_for_banks()
        self.attack(client, 500, 2)
        self.network.stop("gateway", *self.network.banks)
        payments = 0
        for file, line in self.lines(self.network.directory / "json"):
            entry = json.loads(line.decode())
            self.assertEqual(list(entry)[:3], ["time", "level", "event"], (file, line))
            self.assertRegex(entry["event"], r"\A[a-z_]+\Z")
            self.assertNotEqual(entry["event"], "forged")
            payments += entry["event"] == "payment_call"
        self.assertGreaterEqual(payments, 400)


class Hangup(NetworkCase):
    """SIGHUP, as a log rotation sends it."""

    BANKS = 1
    USERS = 2
    MAIN_LOG = {"gateway": "gateway.log", "bank1": "bank.log"}

    def hang_up(self, server):
        main = self.network.path / "logs" / server / self.MAIN_LOG[server]
        before = main.read_text().count("event=reloaded") if main.exists() else 0
        self.network.processes[server].signal(signal.SIGHUP)
        wait_until(lambda: main.exists() and main.read_text().count("event=reloaded") > before, f"{server} to have reloaded")

    def test_FilesThatWereMovedAway_AreBegunAnew(self):
        for server in self.MAIN_LOG:
            files = sorted((self.network.path / "logs" / server).glob("*.log"))
            self.assertEqual(len(files), 3)
            for file in files:
                file.rename(file.with_suffix(".old"))
            self.hang_up(server)
            for file in files:
                self.assertTrue(file.exists(), file)
                self.assertEqual(file.stat().st_mode & 0o777, 0o600)
                self.assertNotIn("event=reloaded", file.with_suffix(".old").read_text())

    def test_Level_IsReadAgain(self):
        payer, payee = self.network.clients()
        for server, log in (("gateway", "transactions.log"), ("bank1", "banktransactions.log")):
            config = self.network.config(server)
            text = config.read_text()
            self.assertIn('log_level = "info"', text)
            config.write_text(text.replace('log_level = "info"', 'log_level = "debug"'))
            self.hang_up(server)
            order = payer.order(payee)
            payer.pay(order)
            file = self.network.path / "logs" / server / log
            # Every step at debug, outcomes only at info.
            wait_until(lambda: any(order.transaction_id in line and " DEBUG " in line
                                   for line in file.read_text().splitlines()), f"{server} to log at debug")
