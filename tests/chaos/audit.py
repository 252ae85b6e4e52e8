"""Compares what each client was told with what the banks did, payment by payment.

Reads the databases with Python's own SQLite and shares no code with Strife, not even `strife verify`: only the tables are
known here. An order that was never recorded anywhere counts as aborted: nothing of it happened.
"""

import collections
import sqlite3
import uuid

from told import ABORTED, COMPLETED, FINAL

GATEWAY_STATES = {1: "INITIATED", 2: "COMMITTING", 3: COMPLETED, 4: ABORTED, 5: "PARTIAL_COMMIT_RECOVERY_NEEDED"}
BANK_STATES = {2: "PREPARED", 3: "COMMITTED", 4: "ABORTED"}
PAYMENT = 1  # kind of a bank's transaction
CUSTOMER = 1  # kind of a bank's account
CLEARING = "clearing:USD"

Violation = collections.namedtuple("Violation", "id where what")


class Books:
    """The contents of all databases at one moment of quiet."""

    def __init__(self, gateway, banks):
        """gateway: path; banks: id -> path."""
        self.payments = {}  # id -> (state, from bank, from account, to bank, to account, amount)
        for row in rows(gateway, "SELECT id, state, from_bank, from_account, to_bank, to_account, amount, payer "
                                 "FROM payments"):
            if row[7]:  # without a payer it is the tombstone of an inquiry
                self.payments[text(row[0])] = row[1:7]
        self.transactions, self.entries, self.accounts = {}, {}, {}
        for bank, path in banks.items():
            self.transactions[bank] = {text(row[0]): row[1] for row in rows(
                path, f"SELECT id, state FROM transactions WHERE kind = {PAYMENT}")}
            self.entries[bank] = collections.defaultdict(list)
            for key, account, amount in rows(path, "SELECT transaction_id, account_id, amount FROM entries"):
                self.entries[bank][text(key)].append((account, amount))
            self.accounts[bank] = {row[0]: row[1:] for row in rows(
                path, "SELECT account_id, posted, held, incoming, kind FROM accounts")}

    def open(self):
        """What has not ended: [(id, where, state)]."""
        found = [(key, "gateway", GATEWAY_STATES[row[0]]) for key, row in self.payments.items()
                 if GATEWAY_STATES[row[0]] not in FINAL]
        for bank, transactions in self.transactions.items():
            found += [(key, bank, BANK_STATES[state]) for key, state in transactions.items() if state == 2]
        return found


def rows(path, query):
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def text(key):
    return str(uuid.UUID(bytes=key)) if len(key) == 16 else key.hex()


def open_work(gateway, banks):
    """As Books.open, without reading the history."""
    found = [(text(row[0]), "gateway", GATEWAY_STATES[row[1]]) for row in rows(
        gateway, "SELECT id, state FROM payments INDEXED BY payments_open WHERE state <> 3 AND state <> 4")]
    for bank, path in banks.items():
        found += [(text(row[0]), bank, "PREPARED") for row in rows(
            path, "SELECT id FROM transactions INDEXED BY transactions_prepared WHERE state = 2")]
    return found


def expected_entries(order):
    """bank -> the lines a completed payment has there."""
    lines = collections.defaultdict(list)
    lines[order.source.bank] += [(order.source.account, -order.minor_units), (CLEARING, order.minor_units)]
    lines[order.target.bank] += [(CLEARING, -order.minor_units), (order.target.account, order.minor_units)]
    return lines


def audit(books, orders, answers, opening_minor_units):
    """All violations. REQUIRES: nothing is open any more and nobody is paying."""
    found = [Violation(key, where, f"still {state}") for key, where, state in books.open()]
    for key, order in orders.items():
        found += audit_payment(key, order, answers[key], books)
    for bank, transactions in books.transactions.items():
        found += [Violation(key, bank, "a transaction that no client ordered") for key in transactions
                  if key not in orders]
    found += [Violation(key, "gateway", "a payment that no client ordered") for key in books.payments
              if key not in orders]
    return found + list(audit_accounts(books, orders, opening_minor_units))


def audit_payment(key, order, told, books):
    row = books.payments.get(key)
    state = GATEWAY_STATES[row[0]] if row else ABORTED
    wanted = (*order.source, *order.target, order.minor_units)
    if row and row[1:] != wanted:
        yield Violation(key, "gateway", f"is recorded as {row[1:]}, ordered was {wanted}")
    verdicts = [verdict for verdict, _ in told if verdict in FINAL]
    if not verdicts:
        yield Violation(key, "client", "was never told an outcome")
    for verdict in sorted(set(verdicts)):
        if verdict != state:
            yield Violation(key, "client", f"was told {verdict}, the gateway's record says {state}")
    # The banks against what was told; against the gateway only where nobody was told anything.
    outcome = verdicts[0] if verdicts else state
    lines = expected_entries(order) if outcome == COMPLETED else {}
    for bank in books.transactions:
        posted = sorted(books.entries[bank].get(key, ()))
        due = sorted(lines.get(bank, ()))
        if posted != due:
            yield Violation(key, bank, f"told {outcome}: entries are {posted}, should be {due}")
        bank_state = BANK_STATES.get(books.transactions[bank].get(key), "none")
        right = ("COMMITTED",) if due else ("none", "ABORTED")
        if bank_state not in right:
            yield Violation(key, bank, f"told {outcome}: the transaction is {bank_state}")


def audit_accounts(books, orders, opening_minor_units):
    """Every balance is the opening one and what the completed payments of these orders make it; nothing is held."""
    balance = collections.Counter()
    for key, order in orders.items():
        if key in books.payments and GATEWAY_STATES[books.payments[key][0]] == COMPLETED:
            balance[order.source] -= order.minor_units
            balance[order.target] += order.minor_units
    clearing = 0
    for bank, accounts in books.accounts.items():
        sums = collections.Counter()
        for lines in books.entries[bank].values():
            for account, amount in lines:
                sums[account] += amount
        if sum(sums.values()):
            yield Violation("-", bank, f"entries do not cancel out: {sum(sums.values())}")
        for account, (posted, held, incoming, kind) in accounts.items():
            where = f"{bank}/{account}"
            if held or incoming:
                yield Violation("-", where, f"still holds {held} and expects {incoming}")
            if posted != sums[account]:
                yield Violation("-", where, f"balance {posted}, entries sum to {sums[account]}")
            if kind == CUSTOMER and posted != opening_minor_units + balance[bank, account]:
                yield Violation("-", where, f"balance {posted}, the payments make it "
                                            f"{opening_minor_units + balance[bank, account]}")
        clearing += accounts.get(CLEARING, (0,))[0]
    if clearing:
        yield Violation("-", "all banks", f"the clearing accounts sum to {clearing}")
