"""Attack 26: keys that others can read, secrets that are the same everywhere, and ways around TLS."""

import json
import os
import subprocess
import unittest

from network import ROOT, Network, run_strife


class SecretsAtRest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.network = Network(banks=1, users=2)
        cls.addClassCleanup(cls.network.close)
        cls.network.start()
        cls.network.client("user1")
        cls.network.stop()

    def start(self, name):
        """Starts a server that should not come up; what it says."""
        role = "gateway" if name == "gateway" else "bank"
        ended = run_strife(role, "--config", self.network.config(name))
        self.assertEqual(ended.returncode, 1, ended.stderr)
        return ended.stderr

    def assert_refused_when_readable(self, path, start):
        for mode in (0o640, 0o604, 0o644, 0o660, 0o602):
            with self.subTest(path=path.name, mode=oct(mode)):
                path.chmod(mode)
                self.addCleanup(path.chmod, 0o600)
                self.assertIn(path.name, start(), "does not name the file")
        path.chmod(0o600)

    def test_26_ReadablePrivateKeyOfAServer_StopsIt(self):
        for name in ("gateway", "bank1"):
            self.assert_refused_when_readable(self.network.path / f"certs/{name}.key", lambda: self.start(name))

    def test_26_ReadableTokenKey_StopsTheGateway(self):
        keys = list(self.network.path.rglob("token_keys/*.pem"))
        self.assertTrue(keys)
        for key in keys:
            self.assert_refused_when_readable(key, lambda: self.start("gateway"))

    def test_26_ReadablePrivateKeyOfAClient_StopsTheCommand(self):
        def whoami():
            ended = run_strife("balance", "--config", self.network.path / "client.toml")
            self.assertEqual(ended.returncode, 1, ended.stdout)
            return ended.stderr
        self.assert_refused_when_readable(self.network.path / "certs/client.key", whoami)

    def test_26_SecretsAreWrittenForTheirOwnerOnly(self):
        secrets = [p for p in self.network.path.rglob("*") if p.suffix in (".key", ".pem") or p.suffix == ".db"
                   or p.name in ("passwords.csv", "users.json")]
        self.assertGreaterEqual(len(secrets), 7, secrets)
        for path in secrets:
            with self.subTest(path=str(path.relative_to(self.network.path))):
                # The databases lie in a directory that nobody else may enter.
                modes = [path.stat().st_mode & 0o077] + [p.stat().st_mode & 0o077 for p in path.parents
                                                         if self.network.path in p.parents]
                self.assertIn(0, modes[:1] if path.suffix != ".db" else modes)

    def test_26_TwoNetworksShareNoSecret(self):
        with Network(banks=1, users=2) as other:
            for path in (p for p in self.network.path.rglob("*")
                         if p.suffix in (".key", ".crt") or p.name in ("passwords.csv", "users.json")):
                twin = other.path / path.relative_to(self.network.path)
                if twin.exists():
                    self.assertNotEqual(path.read_bytes(), twin.read_bytes(), path.name)
            self.assertEqual(set(self.network.passwords.values()) & set(other.passwords.values()), set())
            hashes = [[user["password_hash"] for user in json.loads((net.path / "users.json").read_text())["users"]]
                      for net in (self.network, other)]
            salts = [text.split("$")[4] for text in sum(hashes, [])]
            self.assertEqual(len(set(salts)), 4, "two users have the same salt")

    def test_26_NoSecretIsInTheSourcesOrTheExecutable(self):
        listed = subprocess.run(["git", "-C", str(ROOT), "grep", "-lIE", "-e", "-----BEGIN [A-Z ]*PRIVATE KEY-----$"],
                                capture_output=True, text=True, check=False)
        if listed.returncode > 1:
            self.skipTest("the sources are not in a git checkout")
        self.assertEqual(listed.stdout, "")
        self.assertNotIn(b"-----BEGIN PRIVATE KEY-----\nM", (self.executable()).read_bytes())

    @staticmethod
    def executable():
        from network import STRIFE
        return STRIFE

    def test_26_ThereIsNoWayAroundTls(self):
        """No flag, setting or empty file name makes a server or client go without certificates or checks."""
        for command in (["gateway"], ["bank"], ["up"], ["pay"], ["login"], ["shell"], ["admin", "in-doubt"]):
            said = run_strife(*command, "--help").stdout.lower()
            for word in ("insecure", "plaintext", "no-tls", "skip", "disable", "without-tls", "no-verify"):
                self.assertNotIn(f"--{word}", said, command)
        for name in ("gateway", "bank1"):
            settings = self.network.config(name).read_text()
            for key in ("ca_file", "cert_file", "key_file"):
                for replacement in ("", f'{key} = ""\n'):
                    with self.subTest(name=name, key=key, replacement=replacement):
                        lines = [line for line in settings.splitlines(True) if not line.startswith(key)]
                        changed = self.network.path / "changed.toml"
                        changed.write_text(replacement + "".join(lines))
                        ended = run_strife("gateway" if name == "gateway" else "bank", "--config", changed)
                        self.assertIn(ended.returncode, (1, 2), ended.stderr)
                        self.assertIn(key, ended.stderr.replace("-", "_"))

    def test_26_UsersWithoutAHash_StopTheGateway(self):
        path = self.network.path / "users.json"
        saved = path.read_text()
        self.addCleanup(path.write_text, saved)
        for value in ("", "password", "*", "!", "$2b$12$abcdefghijklmnopqrstuv", "5f4dcc3b5aa765d61d8327deb882cf99"):
            with self.subTest(value):
                users = json.loads(saved)
                users["users"][0]["password_hash"] = value
                path.write_text(json.dumps(users))
                os.chmod(path, 0o600)
                self.assertIn("user1", self.start("gateway"))
