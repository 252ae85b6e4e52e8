"""The `strife` command as its user meets it: several gateways, profiles, waiting for a payment, completion."""

import os
import shutil
import subprocess
import unittest
from concurrent import futures

import grpc

from cases import NetworkCase
from network import ROOT, STRIFE, clean_environment, new_id, wait_until
from ports import free_port_base
from person import Person, gateway_order
from terminal import Terminal


class TurnsEverybodyAway(grpc.GenericRpcHandler):
    """A gateway that is leaving: reachable, and of no use."""

    def service(self, _):
        return grpc.unary_unary_rpc_method_handler(
            lambda _, context: context.abort(grpc.StatusCode.UNAVAILABLE, "draining"))


class Gateways(NetworkCase):
    USERS = 3

    def setUp(self):
        self.network.clients("user1")

    def person_with(self, first_port):
        gateways = f"127.0.0.1:{first_port},127.0.0.1:{self.network.port('gateway')}"
        return Person(self.network, "user1", settings=("--gateways", gateways)).login()

    def assert_all_works(self, person):
        payment = new_id()
        done = person.pay(payment=payment)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(payment, gateway_order(self.network, "user1"))
        done = person.run("balance", "bank1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(person.run("logout").returncode, 0)

    def test_FirstOneDown_TheNextIsUsed(self):
        self.assert_all_works(self.person_with(free_port_base(1)))

    def test_FirstOneTurnsEverybodyAway_TheNextIsUsed(self):
        certs = self.network.path / "certs"
        credentials = grpc.ssl_server_credentials(
            [((certs / "gateway.key").read_bytes(), (certs / "gateway.crt").read_bytes())],
            (certs / "ca.crt").read_bytes(), require_client_auth=True)
        server = grpc.server(futures.ThreadPoolExecutor(2), handlers=(TurnsEverybodyAway(),))
        self.addCleanup(lambda: server.stop(None).wait())
        port = server.add_secure_port("127.0.0.1:0", credentials)
        server.start()
        self.assert_all_works(self.person_with(port))


class Output(unittest.TestCase):

    def print_into(self, output):
        return subprocess.run([STRIFE, "completion", "bash"], stdout=output, stderr=subprocess.PIPE, text=True,
                              env=clean_environment(), check=False)

    def test_ThatCannotBeWritten_IsAFailure(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = self.print_into(full)
        self.assertEqual(done.returncode, 1)
        self.assertIn("standard output", done.stderr)

    def test_ThatNobodyReadsToItsEnd_IsNone(self):
        reading, writing = os.pipe()
        os.close(reading)
        with os.fdopen(writing, "w") as pipe:
            done = self.print_into(pipe)
        self.assertEqual((done.returncode, done.stderr), (0, ""))


class Commands(NetworkCase):
    USERS = 3
    GATEWAY_FLAGS = ("--transaction-timeout", "2s")

    def setUp(self):
        self.network.clients("user1")
        self.person = Person(self.network, "user1").login()

    def tearDown(self):
        if not self.network.processes["gateway"].alive():
            self.network.start("gateway", flags=self.GATEWAY_FLAGS)

    def test_PaymentWait_StaysUntilItHasEndedAndSaysHow(self):
        paid, late = new_id(), new_id()
        self.person.pay(payment=paid)
        self.assertEqual(self.person.run("payment", "--wait", paid).returncode, 0)
        self.network.pause("bank3")
        self.addCleanup(self.network.resume, "bank3")
        paying = self.person.start(*self.person.pay_words(payment=late))
        wait_until(lambda: late in gateway_order(self.network, "user1"), "the payment to be taken in")
        done = self.person.run("payment", "--wait", late)
        self.assertEqual((done.returncode, "ABORTED" in done.stdout), (1, True), done.stdout + done.stderr)
        paying.wait(60)
        self.assertEqual(self.person.run("payment", "--wait", new_id()).returncode, 1)

    def test_PaymentInTheQueue_IsShownAsItStandsThere(self):
        self.network.kill("gateway")
        payment = new_id()
        self.person.pay(payment=payment)
        done = self.person.run("payment", payment)
        self.assertEqual(done.returncode, 3)
        self.assertIn("QUEUED", done.stdout)
        self.assertIn("in the queue", done.stderr)

    def test_Profiles_HaveSessionsAndQueuesOfTheirOwn(self):
        shop = Person(self.network, "user3", settings=("--profile", "shop"))
        shop.home = self.person.home
        shop.settings[shop.settings.index("--data-dir") + 1] = self.person.home / "data"
        shop.settings[shop.settings.index("--log-dir") + 1] = self.person.home / "logs"
        shop.login()
        self.assertIn("user3", shop.run("whoami").stdout)
        self.assertIn("user1", self.person.run("whoami").stdout)
        self.network.kill("gateway")
        payment = new_id()
        self.assertEqual(shop.pay(to="bank1/user1", bank="bank3", payment=payment).returncode, 3)
        self.assertEqual(self.person.queue(), [])
        self.assertEqual([entry["transaction_id"] for entry in shop.queue()], [payment])
        self.assertTrue((self.person.home / "logs/profiles/shop/client.log").exists())
        done = Person(self.network, "user1", settings=("--profile", "../other")).run("whoami")
        self.assertEqual(done.returncode, 1)
        self.assertIn("is not a profile", done.stderr)


class Completion(unittest.TestCase):

    def complete(self, shell, script):
        done = subprocess.run([shell, *script], capture_output=True, text=True, timeout=60, check=False,
                              env=clean_environment() | {"PATH": f"{STRIFE.parent}:/usr/bin:/bin"})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_Bash_CompletesCommandsFlagsAndValues(self):
        def words(*typed):
            line = " ".join(typed)
            return self.complete("bash", ("--norc", "-c", f"source <(strife completion bash); COMP_WORDS=({line}); "
                                          f"COMP_CWORD={len(typed) - 1}; _strife; echo \"${{COMPREPLY[@]}}\""))
        self.assertEqual(words("strife", "queue", "fl"), ["flush"])
        self.assertEqual(words("strife", "pay", "--am"), ["--amount"])
        self.assertEqual(words("strife", "balance", "--output", "j"), ["json"])
        self.assertIn("payment", words("strife", "pay"))

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_Zsh_CompletesWithAndWithoutItsOwnCompletionLoaded(self):
        for before in ("", "autoload -U compinit && compinit -D; "):
            zsh = Terminal(["zsh", "-f"], PATH=f"{STRIFE.parent}:/usr/bin:/bin", PS1="> ")
            self.addCleanup(zsh.close)
            zsh.expect("> ")
            zsh.type(before + "source <(strife completion zsh) && echo re''ady\n")
            zsh.expect("ready")
            zsh.expect("> ")
            zsh.type("strife que\t")
            zsh.expect("queue ")
            zsh.type("fl\t")
            zsh.expect("flush ")
            zsh.type("--outp\t")
            zsh.expect("--output ")
            zsh.type("j\t")
            zsh.expect("json ")


class Examples(NetworkCase):
    """The programs of examples/ do what their first lines say."""

    USERS = 3

    def run_example(self, *command, stdin=""):
        address = f"127.0.0.1:{self.network.port('gateway')}"
        return subprocess.run([str(word) for word in command], input=stdin, capture_output=True, text=True, timeout=60,
                              env=clean_environment() | {"STRIFE_GATEWAY": address}, check=False)

    def setUp(self):
        self.user1, = self.network.clients("user1")
        self.password = self.network.directory / "password"
        self.password.write_text(self.network.passwords["user1"] + "\n")

    def test_PayOnce_Pays(self):
        done = self.run_example(STRIFE.parent / "example_pay_once", self.network.path, "user1", self.password, "bank1",
                                "bank3", "user2", "1250", "USD")
        self.assertEqual((done.returncode, done.stdout), (0, "paid \n"), done.stderr)

    def test_DeliverQueue_TellsHowEachEnds(self):
        config = ("--config", self.network.path / "client.toml")
        login = self.run_example(STRIFE, "login", "user1", "--password-file", self.password, *config)
        self.assertEqual(login.returncode, 0, login.stderr)
        before = len(gateway_order(self.network, "user1"))
        done = self.run_example(STRIFE.parent / "example_deliver_queue", self.network.path,
                                stdin="bank3 user2 100\nbank3 user2 200\nbank3 nobody 300\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((done.stdout.count("safe"), done.stdout.count("COMPLETED"), done.stdout.count("ABORTED")),
                         (3, 2, 1), done.stdout)
        self.assertEqual(len(gateway_order(self.network, "user1")), before + 3)

    def test_Python_NeedsTheProtoFilesOnly(self):
        done = self.run_example("/usr/bin/python3", ROOT / "examples/python/pay.py", self.network.path, "user1", "bank1",
                                "bank3", "user2", "100", "USD")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("PAYMENT_STATE_COMPLETED", done.stdout)
