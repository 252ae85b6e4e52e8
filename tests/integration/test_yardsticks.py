"""The arithmetic of ./run bench: ratios within rounds, medians over them, and which way a target lies."""

import sys
import unittest

from network import ROOT

sys.path.insert(0, str(ROOT / "bench"))
import yardsticks  # noqa: E402


def sample(rate, p50=1000, p99=2000):
    return {"rate": rate, "latency_us": {"p50": p50, "p99": p99}}


def row(samples, yardstick):
    return next((row for row in yardsticks.compute(samples) if row["yardstick"].startswith(yardstick)), None)


class Yardsticks(unittest.TestCase):
    def test_Ratio_IsTheMedianOfThoseWithinARound(self):
        # The machine is half as fast in the second round and twice as fast in the third.
        found = row({"pay@64": [sample(r) for r in (600, 270, 1100)], "empty@64": [sample(r) for r in (1000, 500, 2000)]},
                    "empty calls, 64")
        self.assertEqual((found["ratio"], found["ratio_low"], found["ratio_high"]), (0.55, 0.54, 0.6))
        self.assertTrue(found["met"])
        self.assertEqual(found["ratio_text"], "0.55 × (0.54 ×–0.60 ×)")

    def test_Best_IsTakenOfEachSideInEachRound(self):
        samples = {"pay@64": [sample(900)], "pay@256": [sample(1000)], "pay@1024": [sample(700)], "2pc@8": [sample(100)],
                   "2pc@32": [sample(125)], "2pc@64": [sample(50)]}
        self.assertEqual(row(samples, "PostgreSQL 2PC")["ratio"], 8)
        self.assertFalse(row(samples, "PostgreSQL 2PC")["met"])

    def test_Latency_IsMetFromBelow(self):
        samples = {"pay@1": [sample(1, p50=700)], "empty@1": [sample(1, p50=100)], "half": [sample(1, p50=100, p99=501)]}
        self.assertTrue(row(samples, "p50 of an empty call")["met"])
        self.assertFalse(row(samples, "p50 there")["met"])

    def test_Absolute_IsHeldAgainstItsOwnTarget(self):
        full = {**sample(1), "processes": [{"name": name, "cpu_us_per_payment": 1, "peak_resident_bytes": size << 20}
                                           for name, size in (("gateway", 200), ("bank1", 257), ("load", 900))]}
        found = yardsticks.compute({"full@64": [full], "restart, full": [{"seconds": s} for s in (1, 1.5, 9)],
                                     "restart, fresh": [{"seconds": 0.5}]})
        self.assertEqual([(row["value"], row["target"], row["met"]) for row in found],
                         [("257 MiB", "≤ 256 MiB", False), ("1.50 s (1.00 s–9.00 s)", "≤ 2.00 s", True)])
        self.assertEqual([row["yardstick_value"] for row in found], ["", "0.50 s"])

    def test_WhatWasNotMeasured_HasNoRow(self):
        self.assertEqual(yardsticks.compute({"pay@64": [sample(1)]}), [])

    def test_Costs_AreOfEachProcess(self):
        process = {"name": "gateway", "cpu_us_per_payment": 50.4, "peak_resident_bytes": 3 << 20}
        rows = yardsticks.costs({"pay@64": [{**sample(1), "processes": [process]}]})
        self.assertEqual([(r["process"], r["cpu"], r["resident"]) for r in rows], [("gateway", "50 µs", "3 MiB")])

    def test_Readme_HoldsTheLastTableOnly(self):
        begin, end = yardsticks.MARKERS
        once = yardsticks.between_markers(f"before\n{begin}\n{end}\nafter\n", "| old |")
        self.assertEqual(yardsticks.between_markers(once, "| new |"), f"before\n{begin}\n\n| new |\n\n{end}\nafter\n")
        self.assertIsNone(yardsticks.between_markers("no place", "| new |"))
