"""strife bench pay: what it does is what its flags say, and what it reports is what the gateway knows. Nothing is timed."""

import json
import sqlite3
import subprocess

from cases import NetworkCase
from network import STRIFE, clean_environment, run_strife, wait_until


class Flags(NetworkCase):
    USERS = 6

    def bench(self, *flags):
        ended = run_strife("bench", "pay", "--dir", self.network.path, "--warm-up", "0s", "--output", "json", *flags)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        result = json.loads(ended.stdout)
        self.assertTrue(result["verified"])
        self.assertEqual(result["unresolved"], 0)
        self.assertEqual(result["failures"], {})
        return result

    def paid(self):
        """The banks and accounts of all payments so far, from the gateway's own database."""
        with sqlite3.connect(f"file:{self.network.path}/data/gateway/gateway.db?mode=ro", uri=True) as database:
            return database.execute("SELECT from_bank, to_bank, to_account FROM payments").fetchall()

    def test_Closed_PaysSoManyAcrossBanks_AndNamesEveryProcess(self):
        before = len(self.paid())
        result = self.bench("--count", 200, "--outstanding", 4, "--channels", 2, "--users", 4)
        self.assertEqual((result["loop"], result["completed"], result["users"]), ("closed", 200, 4))
        self.assertEqual((result["banks"], result["connections"]), (3, 2))
        rows = self.paid()
        self.assertEqual(len(rows) - before, result["sent"])
        latency = result["latency_us"]
        self.assertLessEqual(0, latency["p50"])
        self.assertTrue(latency["p50"] <= latency["p90"] <= latency["p99"] <= latency["p999"] <= latency["max"])
        # The servers were started without pid files: they are found by their configuration.
        self.assertEqual([p["name"] for p in result["processes"]], ["gateway", "bank1", "bank2", "bank3", "load"])
        for process in result["processes"][:-1]:
            self.assertEqual(process["pid"], self.network.processes[process["name"]].popen.pid)
            self.assertGreater(process["resident_bytes"], 1 << 20)

    def test_Batch_PaysManyInACall(self):
        result = self.bench("--count", 500, "--outstanding", 2, "--batch", 50)
        self.assertGreaterEqual(result["completed"], 500)
        self.assertEqual(result["sent"] % 50, 0)

    def test_Mix_OneBankAndHotAccount(self):
        before = len(self.paid())
        self.bench("--count", 300, "--one-bank", 1, "--hot", 1)
        rows = self.paid()[before:]
        self.assertTrue(all(row == ("bank1", "bank1", "user1") for row in rows), rows[:5])

    def test_Banks_LeavesOthersAlone(self):
        before = len(self.paid())
        self.assertEqual(self.bench("--count", 100, "--banks", 2)["banks"], 2)
        self.assertEqual({bank for row in self.paid()[before:] for bank in row[:2]}, {"bank1", "bank2"})

    def test_Open_PaysAtARate_AndReads(self):
        result = self.bench("--rate", 400, "--reads", 0.5, "--seconds", 1, "--outstanding", 100)
        self.assertEqual((result["loop"], result["rate"], result["outstanding"]), ("open", 400, 100))
        self.assertGreater(result["reads"]["completed"], 0)
        self.assertGreater(result["reads"]["latency_us"]["max"], 0)
        # 400 calls at most, half of them payments: not as many as the gateway takes.
        self.assertTrue(0 < result["sent"] < 300, result["sent"])

    def test_Open_LatencyCountsFromWhenACallWasToBeMade(self):
        # Far more than one call at a time can carry: what waits grows and grows, and each one's wait is part of its latency.
        result = self.bench("--rate", 20000, "--outstanding", 1, "--seconds", 1)
        self.assertLess(result["sent"], 20000)
        self.assertGreater(result["sent_late"], 0)
        a_call_us = result["measured_us"] / result["completed"]
        self.assertGreater(result["latency_us"]["p50"], 5 * a_call_us)

    def test_NoPaymentCompleted_IsAFailure(self):
        operator = ("--config", self.network.path / "operator.toml")
        suspended = run_strife("admin", "suspend", "bank", "bank2", *operator)
        self.assertEqual(suspended.returncode, 0, suspended.stderr)
        try:
            ended = run_strife("bench", "pay", "--dir", self.network.path, "--warm-up", "0s", "--count", 3,
                               "--banks", 2, "--output", "json")
        finally:
            resumed = run_strife("admin", "resume", "bank", "bank2", *operator)
        self.assertEqual(resumed.returncode, 0, resumed.stderr)
        self.assertEqual(ended.returncode, 1, ended.stderr)
        self.assertIn("no payment was completed", ended.stderr)
        self.assertEqual(json.loads(ended.stdout)["completed"], 0)

    def test_WhatCannotBe_IsRefused(self):
        for flags, words in ((("--one-bank", "1.5"), "--one-bank"), (("--batch", "0"), "--batch"),
                             (("--banks", "1"), "two banks"), (("--rate", "0"), "--rate")):
            ended = run_strife("bench", "pay", "--dir", self.network.path, *flags)
            self.assertNotEqual(ended.returncode, 0, flags)
            self.assertIn(words, ended.stderr)


class Crash(NetworkCase):
    USERS = 6

    def completed(self):
        """As the gateway's log says."""
        return (self.network.path / "logs/gateway/transactions.log").read_text().count("COMPLETED")

    def crash_under(self, *flags):
        before = self.completed()
        # For so long, not so many: whatever the machine's speed, calls are on their way when the gateway dies.
        command = [STRIFE, "bench", "pay", "--dir", self.network.path, "--warm-up", "0s", "--seconds", 5,
                   "--output", "json", *flags]
        with subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, env=clean_environment()) as load:
            wait_until(lambda: load.poll() is not None or self.completed() > before + 100, "payments to be under way")
            self.assertIsNone(load.poll(), "the load ended before the crash")
            self.network.kill("gateway")
            self.network.start("gateway")
            output, errors = load.communicate(timeout=120)
        self.assertEqual(load.returncode, 0, errors)
        result = json.loads(output)
        self.assertTrue(result["verified"])
        self.assertEqual(result["unresolved"], 0)
        self.assertGreater(result["asked_again"], 0)
        return result

    def test_GatewayKilled_EveryPaymentIsAskedForAgainUntilItEnds(self):
        self.crash_under("--outstanding", 32)

    def test_GatewayKilled_SoIsEveryPaymentOfABatch(self):
        self.crash_under("--outstanding", 4, "--batch", 25)
