"""Payments at a steady rate by the tests' independent client: how honest users fare beside others."""

import threading
import time

from network import COMPLETED


def percentile(sorted_values, share):
    return sorted_values[min(int(len(sorted_values) * share), len(sorted_values) - 1)]


class Payments:
    """Payments between banks on schedule, from one thread; answers are noted by gRPC's."""

    def __init__(self, clients):
        self.clients = clients
        self.lock = threading.Lock()

    def run(self, rate, seconds):
        """Latencies in ms, sorted, and how many payments did not complete."""
        latencies, failed, done, count = [], [0], threading.Semaphore(0), int(rate * seconds)

        def note(call, scheduled):
            took_ms = (time.monotonic() - scheduled) * 1000
            good = call.exception() is None and call.result().payment.state == COMPLETED
            with self.lock:
                latencies.append(took_ms)
                failed[0] += not good
            done.release()

        start = time.monotonic()
        for i in range(count):
            scheduled = start + i / rate
            time.sleep(max(0, scheduled - time.monotonic()))
            payer, payee = self.clients[i % len(self.clients)], self.clients[(i + 1) % len(self.clients)]
            bank = next(iter(payer.accounts))
            elsewhere = next(account for account in payee.accounts.values() if account.bank_id != bank)
            call = payer.pay_later(payer.order(elsewhere, 1, bank=bank))
            call.add_done_callback(lambda ended, scheduled=scheduled: note(ended, scheduled))
        for _ in range(count):
            done.acquire()
        return sorted(latencies), failed[0]


def report(name, latencies_ms, failed):
    print(f"{name:>6}: p50 {percentile(latencies_ms, 0.5):8.2f} ms   p99 {percentile(latencies_ms, 0.99):8.2f} ms   "
          f"max {latencies_ms[-1]:8.2f} ms   {len(latencies_ms)} payments, {failed} not completed", flush=True)
