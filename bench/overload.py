#!/usr/bin/python3
"""What happens to the others when somebody, or everybody, wants too much?

    bench/overload.py [saturation] [greedy] [hot] [slow] [--seconds 8] [--rounds 3]

Starts a network of its own and measures, all four when none is named:

    saturation  payments a second and latencies with ever more on their way, up to more than the gateway takes in
    greedy      latencies of honest users' steady payments: alone; beside a load of many users; beside two users who keep as many on
                their way; beside two who keep ten times as many
    hot         payments a second when all go to one account, beside payments between all accounts
    slow        payments a second between two banks while a third has stopped and payments to it wait

Rounds alternate, medians are shown, and the books are proved at the end. Give it a quiet machine: load, gateway and banks share its
processors, so beyond saturation the load takes from the gateway what it needs to push harder.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests/integration")]
from network import STRIFE, Network, clean_environment  # noqa: E402
from scheduled_payments import Payments, percentile, report  # noqa: E402

PROBE_RATE = 50
GREEDY_OUTSTANDING = 1024
GREEDIER_OUTSTANDING = 10_000
# Calls on their way, and payments in each.
DEPTHS = ((64, 1), (256, 1), (1024, 1), (4096, 1), (10_000, 1), (8, 256), (32, 256), (128, 256))


class Load:
    """strife bench pay, beside what else goes on."""

    def __init__(self, network, seconds, *flags):
        command = [STRIFE, "bench", "pay", "--dir", network.path, "--seconds", seconds, "--warm-up", "1s", "--no-verify",
                   "--output", "json", *flags]
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean_environment())

    def wait_paying(self):
        said = ""
        for line in self.process.stderr:
            said = line.strip()
            if "paying" in said:
                return
        raise SystemExit(f"the load did not start: {said}")

    def result(self):
        output, errors = self.process.communicate()
        result = json.loads(output) if output else {"failures": {errors: 1}}
        # Whoever pays and pays may run out of money; to decline is work too.
        if set(result["failures"]) - {"AM04"} or result["unresolved"]:
            raise SystemExit(f"not every payment was made: {result['failures']}")
        return result


def pay(network, seconds, *flags):
    return Load(network, seconds, *flags).result()


def row(words, results):
    """The medians of several runs of the same."""
    def median(of):
        return statistics.median(of(result) for result in results)

    rate = median(lambda r: r["payments_per_second"])
    print(f"{words:<44} {rate:>8,.0f}/s   p50 {median(lambda r: r['latency_us']['p50']) / 1000:8.1f} ms   "
          f"p99 {median(lambda r: r['latency_us']['p99']) / 1000:8.1f} ms   "
          f"turned away and sent again {median(lambda r: r['asked_again']):,.0f}", flush=True)
    return rate


def saturation(network, arguments):
    rates = {1: [], 256: []}
    for outstanding, batch in DEPTHS:
        results = [pay(network, arguments.seconds, "--outstanding", outstanding, "--batch", batch)
                   for _ in range(arguments.rounds)]
        rates[batch].append(row(f"{outstanding:,} calls with {batch} each" if batch > 1 else f"{outstanding:,} on their way",
                                results))
    for batch, found in rates.items():
        print(f"with {batch} a call the deepest comes to {found[-1] / max(found):.2f} of the peak")


def greedy(network, arguments):
    honest = Payments(network.clients(*network.users[-2:]))
    honest.run(PROBE_RATE, 2)  # warm up
    beside = {"alone": None,
              "many": ("--outstanding", GREEDY_OUTSTANDING),
              "greedy": ("--users", 2, "--outstanding", GREEDY_OUTSTANDING),
              "more": ("--users", 2, "--outstanding", GREEDIER_OUTSTANDING)}
    latencies = {name: [] for name in beside}
    failed = dict.fromkeys(beside, 0)
    for _ in range(arguments.rounds):
        for name, flags in beside.items():
            load = None
            if flags is not None:
                load = Load(network, arguments.seconds + 4, *flags)
                load.wait_paying()
            found, lost = honest.run(PROBE_RATE, arguments.seconds)
            if load:
                load.result()
            latencies[name] += found
            failed[name] += lost
    for name, found in latencies.items():
        report(name, sorted(found), failed[name])
    ratio = percentile(sorted(latencies["greedy"]), 0.99) / percentile(sorted(latencies["many"]), 0.99)
    print(f"p99 beside a greedy user is {ratio:.2f} times that beside many users")


def hot(network, arguments):
    results = {0: [], 1: []}
    for _ in range(arguments.rounds):
        for share, found in results.items():
            found.append(pay(network, arguments.seconds, "--outstanding", 256, "--hot", share))
    uniform = row("between all accounts, 256 on their way", results[0])
    print(f"{row('all to one account', results[1]) / uniform:.2f} of the rate")


def slow(network, arguments):
    clients = network.clients()
    payer = next(client for client in clients if "bank3" in client.accounts)
    payee = next(client for client in clients if client is not payer and "bank1" in client.accounts)
    flags = ("--banks", 2, "--outstanding", 256)
    well, stopped = [], []
    for _ in range(arguments.rounds):
        well.append(pay(network, arguments.seconds, *flags))
        load = Load(network, arguments.seconds, *flags)
        load.wait_paying()  # for which it looks at all banks
        network.pause("bank3")
        try:
            orders = [payer.order(payee.accounts["bank1"], 1, bank="bank3") for _ in range(200)]
            waiting = [payer.pay_later(order) for order in orders]
            stopped.append(load.result())
        finally:
            network.resume("bank3")
        for call in waiting:
            call.exception()  # ends, however
        payer.wait_for_banks()
    rate = row("between two banks, all well", well)
    print(f"{row('while the third has stopped', stopped) / rate:.2f} of the rate")


PARTS = {"saturation": saturation, "greedy": greedy, "hot": hot, "slow": slow}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)} [all]")
    parser.add_argument("--seconds", type=int, default=8, help="of each run [8]")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    with Network(banks=3, users=64) as network:
        network.start()
        for name in arguments.parts or PARTS:
            print(f"== {name}", flush=True)
            PARTS[name](network, arguments)
        books = network.verify()
        print(f"books: {books.stdout.strip().splitlines()[-1]}")
        return books.returncode


if __name__ == "__main__":
    sys.exit(main())
