"""Payments in flight, and the account of what must be true once everything has ended."""

import random
import threading

import grpc

from network import ABORTED, COMPLETED, FINAL, OPENING_MINOR_UNITS, wait_until

OUTSTANDING = 64


class Load:
    """Sends random payments between these clients, keeps what it was told, and judges the outcome.

    The clients' accounts must have been touched by nothing but this object since `strife init`.
    """

    def __init__(self, clients, rng=None):
        self.clients = clients
        self.rng = rng or random.Random()
        self.orders = {}  # id -> (client, order)
        self.told = {}  # id -> final state a caller was told
        self.ended = {}  # id -> final state when asked again

    def random_order(self):
        payer, payee = self.rng.sample(self.clients, 2)
        source, target = (self.rng.choice(sorted(c.accounts)) for c in (payer, payee))
        return payer, payer.order(payee.accounts[target], self.rng.randint(1, 500), bank=source)

    def run(self, answers, then, more=OUTSTANDING):
        """Keeps 64 payments in flight; calls then() after so many answers, sends `more`, and collects every answer."""
        free = threading.Semaphore(OUTSTANDING)
        calls = []
        for number in range(answers + OUTSTANDING + more):
            if number == answers + OUTSTANDING:
                then()
            free.acquire()
            payer, order = self.random_order()
            self.orders[order.transaction_id] = (payer, order)
            call = payer.pay_later(order)
            call.add_done_callback(lambda _: free.release())
            calls.append((order.transaction_id, call))
        states = []
        for transaction_id, call in calls:
            try:
                payment = call.result().payment
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.UNAVAILABLE:
                    raise
                states.append(None)
                continue
            states.append(payment.state)
            if payment.state in FINAL:
                self.told[transaction_id] = payment.state
        return states

    def settle(self):
        """Asks every unfinished id again until it has ended, and checks that nobody was told something else."""
        for transaction_id, (client, order) in self.orders.items():
            if transaction_id in self.ended:
                continue
            state = client.ask_again(order).state
            told = self.told.get(transaction_id, state)
            assert told == state, f"{transaction_id}: told {told}, ended {state}"
            self.ended[transaction_id] = state

    def check_books(self):
        """Nothing is held, and every balance is what the ended payments make it."""
        expected = {(c.user, bank): OPENING_MINOR_UNITS for c in self.clients for bank in c.accounts}
        owner = {(a.bank_id, a.account_id): c.user for c in self.clients for a in c.accounts.values()}
        for transaction_id, state in self.ended.items():
            if state != COMPLETED:
                continue
            client, order = self.orders[transaction_id]
            expected[client.user, getattr(order, "from").bank_id] -= order.amount.minor_units
            expected[owner[order.to.bank_id, order.to.account_id], order.to.bank_id] += order.amount.minor_units
        for client in self.clients:
            for bank in client.accounts:
                # An abort may reach a bank a moment after the caller: that it does is what is waited for.
                wait_until(lambda: client.balance(bank).held.minor_units == 0, f"nothing held for {client.user}")
                posted = client.balance(bank).posted.minor_units
                assert posted == expected[client.user, bank], (client.user, bank, posted, expected[client.user, bank])

    def summary(self):
        completed = sum(state == COMPLETED for state in self.ended.values())
        aborted = sum(state == ABORTED for state in self.ended.values())
        return f"{len(self.ended)} payments: {completed} completed, {aborted} aborted"
