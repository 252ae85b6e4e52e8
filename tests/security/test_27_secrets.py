"""Attack 27: passwords, tokens and keys in what a network leaves behind: logs, errors, process lists, cores, databases."""

import base64
import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import unittest
import urllib.request
from pathlib import Path

import grpc
from cryptography.hazmat.primitives import serialization

import forgery
from logins import request as login_request
from network import COMPLETED, PATIENCE_S, STRIFE, Network, gateway_pb2, new_id, run_strife, wait_until
from person import Person


NOBODY = 65534


class Secrets:
    """Everything that must stay where it is, in each form in which it could turn up."""

    def __init__(self):
        self.forms = {}  # bytes -> what it is

    def add(self, what, secret):
        secret = secret.encode() if isinstance(secret, str) else secret
        for form in (secret, base64.b64encode(secret), base64.urlsafe_b64encode(secret).rstrip(b"="), secret.hex().encode()):
            self.forms[form] = what

    def add_token(self, what, token):
        self.add(what, token)
        # Its signature alone makes it usable together with what logs may hold of it.
        if token.count(".") == 2:
            self.add(f"{what}'s signature", token.split(".")[2])

    def add_key(self, path):
        pem = path.read_bytes()
        key = serialization.load_pem_private_key(pem, None)
        number = key.private_numbers().private_value
        self.add(f"key {path.name}", number.to_bytes(32, "big"))
        for line in pem.splitlines():
            if len(line) > 30 and not line.startswith(b"-----"):
                self.forms[line] = f"a line of {path.name}"

    def found_in(self, data):
        return sorted({what for form, what in self.forms.items() if form in data})


def files_under(*directories):
    for directory in directories:
        yield from (path for path in Path(directory).rglob("*") if path.is_file())


class KnownSecrets(unittest.TestCase):
    """A network is used rightly and wrongly, by clients of all kinds, with all secrets known and every log line written."""

    @classmethod
    def setUpClass(cls):
        cls.network = Network(banks=2, users=3)
        cls.addClassCleanup(cls.network.close)
        cls.network.start(flags=("--log-level", "trace"))
        cls.secrets = Secrets()
        for user, password in cls.network.passwords.items():
            cls.secrets.add(f"password of {user}", password)
        cls.use()
        for path in [*cls.network.path.rglob("*.key"), *cls.network.path.rglob("token_keys/*.pem")]:
            cls.secrets.add_key(path)
        cls.outputs = [process.said().encode() for process in cls.network.processes.values()] + cls.said

    @classmethod
    def use(cls):
        cls.said = []  # by commands
        client, other = cls.network.clients("user1", "user2")
        for name in ("access_token", "refresh_token"):
            cls.secrets.add_token(f"{name} of user1", getattr(client.session, name))
        assert client.pay(client.order(other)).payment.state == COMPLETED
        old = client.session
        for times in ("once", "twice"):  # so that the session has left the old one behind
            client.session = client.stub.RefreshSession(
                gateway_pb2.RefreshSessionRequest(refresh_token=client.session.refresh_token), timeout=PATIENCE_S)
            for name in ("access_token", "refresh_token"):
                cls.secrets.add_token(f"{name} renewed {times}", getattr(client.session, name))
        cls.misuse(client, old)
        cls.use_commands()
        client.call("LogoutClient", gateway_pb2.LogoutClientRequest())

    @classmethod
    def misuse(cls, client, old):
        """Secrets where they do not belong: what refuses them must not repeat them."""
        password = cls.network.passwords["user1"]
        token = client.session.access_token
        stub = cls.network.gateway()
        cls.secrets.add("a wrong password", wrong := "wrong-" + new_id())
        attempts = [
            lambda: stub.AuthenticateClient(login_request("user1", wrong), timeout=PATIENCE_S),
            lambda: stub.AuthenticateClient(login_request("user1", password + "x"), timeout=PATIENCE_S),
            lambda: stub.AuthenticateClient(login_request("user1", "x" * 2000 + password), timeout=PATIENCE_S),
            lambda: stub.RefreshSession(gateway_pb2.RefreshSessionRequest(refresh_token=old.refresh_token),
                                        timeout=PATIENCE_S),  # left behind
            lambda: stub.RefreshSession(gateway_pb2.RefreshSessionRequest(refresh_token=token), timeout=PATIENCE_S),
        ]
        for credentials in (token + "x", token[:-5], client.session.refresh_token, password):
            attempts.append(lambda value=credentials: stub.CheckBalance(
                gateway_pb2.CheckBalanceRequest(bank_id="bank1"), timeout=PATIENCE_S,
                metadata=(("authorization", f"Bearer {value}"),)))
        for attempt in attempts:
            try:
                attempt()
                raise AssertionError("was not refused")
            except grpc.RpcError as error:
                cls.said.append(repr((error.details(), error.trailing_metadata())).encode())
        # The session has ended with that token: begin another.
        client.login()
        for name in ("access_token", "refresh_token"):
            cls.secrets.add_token(f"second {name}", getattr(client.session, name))

    @classmethod
    def use_commands(cls):
        cls.person = Person(cls.network, "user3", ("--log-level", "trace"))
        cls.person.login()
        session = json.loads(cls.session_file().read_text())
        for name in ("access_token", "refresh_token"):
            cls.secrets.add_token(f"{name} of user3", session[name])
        wrong = cls.person.home / "wrong"
        wrong.touch(0o600)
        wrong.write_text("another-wrong-password\n")
        cls.secrets.add("another wrong password", "another-wrong-password")
        for words in (["whoami"], cls.person.pay_words(to="bank2/user2"), ["history"], ["balance"],
                      ["login", "user3", "--password-file", wrong], ["pay", "--to", "nonsense"],
                      ["login", "user3", "--password-file", cls.network.path / "certs/client.key"]):
            done = cls.person.run(*words)
            cls.said.append((done.stdout + done.stderr).encode())
        done = run_strife("keys", "rotate", "--config", cls.network.path / "gateway.toml")
        cls.said.append((done.stdout + done.stderr).encode())
        cls.network.processes["gateway"].signal(signal.SIGHUP)
        for words in (("users", "check", cls.network.path / "users.json"), ("pki", "show", cls.network.path / "certs/client.crt"),
                      ("pki", "show", cls.network.path / "certs/client.key"), ("users", "check", cls.network.path / "passwords.csv"),
                      ("gateway", "--config", cls.network.path / "passwords.csv"),
                      ("status", "--dir", cls.network.path), ("verify", "--dir", cls.network.path)):
            done = run_strife(*words)
            cls.said.append((done.stdout + done.stderr).encode())

    @classmethod
    def session_file(cls):
        return next(cls.person.home.rglob("session.json"))

    def test_27_TheSearchFindsWhatIsThere(self):
        self.assertTrue(self.secrets.found_in(self.session_file().read_bytes()))
        self.assertTrue(self.secrets.found_in((self.network.path / "passwords.csv").read_bytes()))
        self.assertTrue(self.secrets.found_in((self.network.path / "certs/gateway.key").read_bytes()))

    def test_27_NoLogHoldsASecret(self):
        logs = [path for path in files_under(self.network.path, self.person.home) if path.suffix == ".log"]
        self.assertGreaterEqual(len(logs), 7, logs)
        self.assertTrue(any(b"TRACE" in path.read_bytes() or b"DEBUG" in path.read_bytes() for path in logs))
        for path in logs:
            self.assertEqual(self.secrets.found_in(path.read_bytes()), [], path.name)

    def test_27_NoErrorOrOutputHoldsASecret(self):
        self.assertGreater(len(self.outputs), 20)
        for output in self.outputs:
            self.assertEqual(self.secrets.found_in(output), [], output[:2000])

    def test_27_NoDatabaseHoldsASecret(self):
        databases = [path for path in files_under(self.network.path / "data", self.person.home)
                     if re.search(r"\.db(-wal|-shm)?$", path.name)]
        self.assertGreaterEqual(len(databases), 5, databases)
        for path in databases:
            self.assertEqual(self.secrets.found_in(path.read_bytes()), [], path.name)

    def test_27_NothingElseOnDiskHoldsASecret_ThatIsNotMadeForIt(self):
        theirs = {"passwords.csv", "session.json", "password", "wrong"}
        for path in files_under(self.network.path, self.person.home):
            if path.name not in theirs and path.suffix not in (".key", ".pem"):
                self.assertEqual(self.secrets.found_in(path.read_bytes()), [], path)

    def test_27_NoMetricHoldsASecret(self):
        for server in ("gateway", "bank1"):
            with urllib.request.urlopen(f"http://127.0.0.1:{self.network.metrics_port(server)}/metrics") as answer:
                self.assertEqual(self.secrets.found_in(answer.read()), [])

    def test_27_NoProcessShowsASecretInItsArgumentsOrEnvironment(self):
        for process in self.network.processes.values():
            for name in ("cmdline", "environ", "comm", "status"):
                shown = Path(f"/proc/{process.popen.pid}/{name}").read_bytes()
                self.assertEqual(self.secrets.found_in(shown), [], f"{process.name} {name}")
        # A password never has to be an argument: there is no such flag.
        for command in (["login"], ["shell"], ["users", "hash"], ["bench", "pay"], ["init"]):
            said = run_strife(*command, "--help").stdout
            self.assertNotRegex(said, r"--(password|token|secret|key)[ ,=]", command)


class Cores(unittest.TestCase):
    """What a process leaves when it dies."""

    def setUp(self):
        self.network = Network(banks=1, users=1)
        self.addCleanup(self.network.close)

    def dies_with_core(self, command, ready):
        """Starts it with cores of any size allowed, kills it as a bug would; whether the system took a core."""
        with tempfile.TemporaryDirectory() as directory:
            child = subprocess.Popen(["prlimit", "--core=unlimited", *command], cwd=directory, stdin=subprocess.DEVNULL,
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                wait_until(ready, "the process to run")
            finally:
                os.kill(child.pid, signal.SIGABRT)
            _, status = os.waitpid(child.pid, 0)
            child.returncode = -signal.SIGABRT
            self.assertTrue(os.WIFSIGNALED(status))
            left = [path for path in Path(directory).iterdir()]
            return os.WCOREDUMP(status) or bool(left)

    def test_27_AServerThatDies_LeavesNoCore(self):
        _, hard = resource.getrlimit(resource.RLIMIT_CORE)
        if hard != resource.RLIM_INFINITY:
            self.skipTest("cores are limited from outside")
        if not self.dies_with_core([sys.executable, "-c", "import time; time.sleep(600)"], lambda: True):
            self.skipTest("this system takes no cores at all")
        for name, role in (("gateway", "gateway"), ("bank1", "bank")):
            command = [str(STRIFE), role, "--config", str(self.network.config(name))]
            self.assertFalse(self.dies_with_core(command, lambda: self.network.serves(name)), name)

    def test_27_AServersMemoryAndEnvironment_AreRootsAlone(self):
        """Also what a program is told that the system pipes cores to, whatever the limit says."""
        prefix = []
        if os.getuid() == 0:  # to tell root's from its own, the server must be somebody else's
            for path in (self.network.directory, *self.network.directory.rglob("*")):
                os.chown(path, NOBODY, NOBODY)
            prefix = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        self.network.launch("gateway", prefix=prefix)
        self.network.wait_serving("gateway")
        pid = self.network.processes["gateway"].popen.pid
        for name in ("environ", "mem", "maps"):
            self.assertEqual(os.stat(f"/proc/{pid}/{name}").st_uid, 0, name)
        self.assertRegex(Path(f"/proc/{pid}/limits").read_text(), r"Max core file size +0 +0 ")
