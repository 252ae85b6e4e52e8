"""What a network says about itself: Prometheus reads it, and its tools find nothing to object to."""

import json
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import network
from cases import NetworkCase
from network import ROOT, wait_until
from ports import free_port_base

PROMETHEUS = ROOT / "build/prometheus/usr/bin"
DEPLOY = ROOT / "deploy/prometheus"


def fetch(port, path="/metrics"):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=network.PATIENCE_S) as answer:
        return answer.read().decode()


def samples(text):
    """{'name{label="value"}': number} of an exposition."""
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def setUpModule():
    subprocess.run([ROOT / "tools/prometheus.sh"], check=True, stdout=subprocess.DEVNULL)


class Metrics(NetworkCase):
    BANKS = 2

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.payer, cls.payee = cls.network.clients("user1", "user2")
        for _ in range(3):
            assert cls.payer.pay(cls.payer.order(cls.payee)).success
        declined = cls.payer.pay(cls.payer.order(cls.payee, 99_000_00))
        assert declined.payment.reason_code == "AM04", declined
        cls.servers = ("gateway", *cls.network.banks)

    def read(self, server):
        return samples(fetch(self.network.metrics_port(server)))

    def promtool(self, *arguments, **options):
        ran = subprocess.run([PROMETHEUS / "promtool", *arguments], capture_output=True, text=True, check=False, **options)
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        return ran.stdout + ran.stderr

    def test_Payments_AreCountedByStateAndReason(self):
        found = self.read("gateway")
        self.assertEqual(found['strife_payments_total{state="COMPLETED",reason="none"}'], 3)
        self.assertEqual(found['strife_payments_total{state="ABORTED",reason="AM04"}'], 1)
        self.assertEqual(found["strife_payments_recorded_total"], 4)
        for phase, payments in (("prepare", 4), ("decision", 4), ("commit", 3), ("total", 4)):
            self.assertEqual(found[f'strife_payment_phase_duration_seconds_count{{phase="{phase}"}}'], payments, phase)
        self.assertEqual(found["strife_payments_in_doubt"], 0)
        self.assertEqual(found["strife_payments_in_flight"], 0)

    def test_Banks_AreUpAndSayWhatTheyHold(self):
        found = self.read("gateway")
        for bank in self.network.banks:
            self.assertEqual(found[f'strife_bank_up{{bank="{bank}"}}'], 1, bank)
            self.assertGreater(found[f'strife_bank_messages_total{{bank="{bank}",outcome="answered"}}'], 0)
            at_bank = self.read(bank)
            self.assertEqual(at_bank['strife_bank_transactions_total{state="COMMITTED"}'], 3)
            self.assertEqual(at_bank["strife_bank_transactions_in_doubt"], 0)

    def test_LoginsAndRefusals_AreCounted(self):
        before = self.read("gateway")
        self.assertGreaterEqual(before['strife_logins_total{result="ok"}'], 2)
        stranger = network.gateway_pb2.AuthenticateClientRequest(username="user1", password="wrong")
        network.refusal(lambda: self.payer.stub.AuthenticateClient(stranger, timeout=network.PATIENCE_S))
        order = self.payer.order(self.payee, -1)
        network.refusal(lambda: self.payer.pay(order))
        after = self.read("gateway")
        for name in ('strife_logins_total{result="UNAUTHENTICATED"}',
                     'strife_payments_refused_total{reason="INVALID_ARGUMENT"}'):
            self.assertEqual(after[name], before[name] + 1, name)

    def test_Labels_AreNotMadeByCallers(self):
        names = set(self.read("gateway"))
        for k in range(20):
            order = self.payer.order(self.payee)
            order.to.bank_id = f"nobank{k}"
            network.refusal(lambda order=order: self.payer.pay(order))
        self.assertEqual({n for n in set(self.read("gateway")) - names if "strife_rpc_" not in n}, set())

    def test_Promtool_HasNothingAgainstMetricsAndRules(self):
        for server in self.servers:
            said = self.promtool("check", "metrics", input=fetch(self.network.metrics_port(server)))
            self.assertEqual(said, "", server)
        self.promtool("check", "rules", DEPLOY / "strife.rules.yml")
        self.promtool("test", "rules", DEPLOY / "strife.rules.test.yml")
        self.promtool("check", "config", DEPLOY / "prometheus.yml")

    def test_Rules_AndDashboardAskForMetricsThatExist(self):
        import re
        names = set()
        for server in self.servers:
            names |= {re.sub(r"\{.*", "", name) for name in self.read(server)}
        files = [DEPLOY / "strife.rules.yml", ROOT / "deploy/grafana/strife.json"]
        asked = set().union(*(re.findall(r"strife_[a-z_]+", file.read_text()) for file in files))
        self.assertEqual(asked - names, set())

    def test_Prometheus_ScrapesAllServers(self):
        directory = self.network.directory / "prometheus"
        directory.mkdir()
        targets = [f"127.0.0.1:{self.network.metrics_port(server)}" for server in self.servers]
        config = {"global": {"scrape_interval": "1s"}, "rule_files": [str(DEPLOY / "strife.rules.yml")],
                  "scrape_configs": [{"job_name": "strife", "static_configs": [{"targets": targets}]}]}
        (directory / "prometheus.yml").write_text(json.dumps(config))  # YAML is a superset of JSON
        port = free_port_base(1)
        with open(directory / "log", "wb") as log:
            process = subprocess.Popen(
                [PROMETHEUS / "prometheus", f"--config.file={directory}/prometheus.yml",
                 f"--storage.tsdb.path={directory}/data", f"--web.listen-address=127.0.0.1:{port}"],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)

        def ask(query):
            self.assertIsNone(process.poll(), Path(directory / "log").read_text())
            try:
                answer = json.loads(fetch(port, f"/api/v1/query?query={query}"))
            except (urllib.error.URLError, ConnectionError):  # it is starting
                return []
            return answer["data"]["result"]

        wait_until(lambda: len([r for r in ask("up") if r["value"][1] == "1"]) == len(self.servers),
                   "Prometheus to have scraped all servers")
        completed = ask("sum(strife_payments_total%7Bstate=%22COMPLETED%22%7D)")
        self.assertGreaterEqual(float(completed[0]["value"][1]), 3)
        self.assertEqual(len(ask("strife_build_info")), len(self.servers))

    def test_PortThatIsTaken_DoesNotKeepABankFromPaying(self):
        bank = self.network.banks[0]
        # The gateway's metrics have it; the bank says so and serves.
        self.network.stop(bank)
        self.network.start(bank, flags=("--metrics-listen", f"127.0.0.1:{self.network.metrics_port('gateway')}"))
        self.payer.wait_for_banks()
        self.assertTrue(self.payer.pay(self.payer.order(self.payee)).success)
        log = self.network.path / f"logs/{bank}/bank.log"
        wait_until(lambda: "event=metrics_not_served" in log.read_text(), "it to say so")
        self.network.stop(bank)
        self.network.start(bank)
        wait_until(lambda: self.answers(bank), "its own port to be served again")

    def answers(self, server):
        try:
            return fetch(self.network.metrics_port(server))
        except (urllib.error.URLError, ConnectionError):
            return None

    def test_AddressOthersCanReach_IsRefusedUnlessAskedFor(self):
        refused = network.run_strife("gateway", "--config", self.network.config("gateway"), "--metrics-listen",
                                     "0.0.0.0:9100")
        self.assertEqual(refused.returncode, 1, refused.stdout + refused.stderr)
        self.assertIn("metrics_exposure", refused.stderr)


class Status(NetworkCase):
    BANKS = 2
    USERS = 2

    def status(self, *arguments):
        """Exit status and report of strife status."""
        ran = network.run_strife("status", *(arguments or ("--dir", self.network.path)), "--output", "json")
        self.assertIn(ran.returncode, (0, 1), ran.stderr)
        return ran.returncode, json.loads(ran.stdout)

    def well(self):
        code, report = self.status()
        return report if code == 0 else None

    def test_HalfANetwork_IsStillToldAboutAndMakesTheExitStatusOne(self):
        report = wait_until(self.well, "all to be well")
        self.assertEqual([s["name"] for s in report["servers"]], ["gateway", *self.network.banks])
        self.assertTrue(all(s["serving"] and s["in_doubt"] == 0 and s["free_disk_bytes"] for s in report["servers"]))
        self.assertEqual([(b["bank_id"], b["up"]) for b in report["banks"]], [("bank1", True), ("bank2", True)])
        table = network.run_strife("status", "--dir", self.network.path)
        self.assertIn("All is well.", table.stdout)

        self.network.kill("bank2")
        code, report = self.status()
        self.assertEqual(code, 1)
        self.assertEqual([s["serving"] for s in report["servers"]], [True, True, False])
        self.assertTrue(any(p.startswith("bank2 is not serving") for p in report["problems"]), report["problems"])
        self.assertEqual(self.status("--config", self.network.config("bank1"))[0], 0, "by itself bank1 is well")
        self.network.kill("gateway")
        code, report = self.status()
        self.assertEqual(code, 1)
        self.assertEqual([s["serving"] for s in report["servers"]], [False, True, False])
        self.assertEqual(report["banks"], [])
        self.network.start("gateway", "bank2")
        wait_until(self.well, "all to be well again")

    def test_LittleDisk_IsAProblem(self):
        config = self.network.directory / "bank1-small-disk.toml"
        lines = self.network.config("bank1").read_text().replace('"certs/', f'"{self.network.path}/certs/')
        config.write_text(lines.replace('"data/', f'"{self.network.path}/data/') + "reserved_disk_mb = 1073741823\n")
        code, report = self.status("--config", config)
        self.assertEqual(code, 1)
        self.assertTrue(any("hardly any disk" in p for p in report["problems"]), report)
