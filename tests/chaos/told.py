"""What was asked and what each client was told, payment by payment."""

import collections
import json
import threading

COMPLETED, ABORTED, LATE, UNKNOWN, REFUSED = "COMPLETED", "ABORTED", "LATE", "UNKNOWN", "REFUSED"
FINAL = (COMPLETED, ABORTED)

Account = collections.namedtuple("Account", "bank account")
Order = collections.namedtuple("Order", "payer source target minor_units memo")


class Told:
    """Thread-safe. An order is noted before anything is sent for it."""

    def __init__(self):
        self._lock = threading.Lock()
        self.orders = {}  # id -> Order
        self.answers = {}  # id -> [(verdict, words)], in the order they came
        self.counts = collections.Counter()  # of verdicts
        self.refusals = collections.Counter()  # of the words of those that are REFUSED

    def order(self, transaction_id, order):
        with self._lock:
            self.orders[transaction_id] = order
            self.answers[transaction_id] = []

    def answer(self, transaction_id, verdict, words=""):
        with self._lock:
            self.answers[transaction_id].append((verdict, words))
            self.counts[verdict] += 1
            if verdict == REFUSED:
                self.refusals[words] += 1

    def final(self, transaction_id):
        """The first final verdict a client was given, or None."""
        return next((verdict for verdict, _ in self.answers[transaction_id] if verdict in FINAL), None)

    def open(self):
        """Ids whose outcome no client knows yet."""
        with self._lock:
            return [transaction_id for transaction_id in self.orders if self.final(transaction_id) is None]

    def snapshot(self):
        """(orders, answers) as they are now."""
        with self._lock:
            return dict(self.orders), {key: list(value) for key, value in self.answers.items()}

    def write(self, path):
        with open(path, "w", encoding="utf-8") as file:
            for transaction_id, order in self.orders.items():
                file.write(json.dumps({"id": transaction_id, "order": order, "told": self.answers[transaction_id]}))
                file.write("\n")
