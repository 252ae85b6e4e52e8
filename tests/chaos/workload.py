"""Users paying each other, in parallel and without end: every id is fixed before it is first sent and asked about until
its outcome is known, and everything that is answered is noted."""

import json
import random
import subprocess
import threading
import time
import uuid

import grpc

import network
from network import Client, error_detail, gateway_pb2, types_pb2
from told import ABORTED, COMPLETED, FINAL, LATE, REFUSED, UNKNOWN, Account, Order

DEAD_CHANNEL_S = 10  # a channel that has been unavailable for so long is given up for a new one
CALL_S = 8  # deadline of one call: longer than the gateway takes for its slowest answer
STATES = {types_pb2.PAYMENT_STATE_COMPLETED: COMPLETED, types_pb2.PAYMENT_STATE_ABORTED: ABORTED}
# Statuses that mean: this attempt has done nothing, or nobody knows.
REFUSALS = (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAUTHENTICATED)
UNKNOWNS = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED,
            grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL)


class User(Client):
    """A client that logs in again by itself, as long as it takes."""

    def __init__(self, cluster, user, stopping):
        self.stopping = stopping
        self.lock = threading.Lock()
        self.session = None
        self.unavailable_since = None
        self.given_up = []  # what channels that were replaced last said
        super().__init__(cluster, user)

    def login(self):
        request = gateway_pb2.AuthenticateClientRequest(username=self.user, password=self.network.passwords[self.user])
        while not self.stopping.is_set():
            try:
                self.session = self.stub.AuthenticateClient(request, timeout=CALL_S)
                self.accounts = {account.bank_id: account for account in self.session.accounts}
                return
            except grpc.RpcError as error:
                self.note(error)
                self.stopping.wait(0.3)

    def note(self, error):
        """Gives up a channel that stays unavailable, as a person would start the program again; the summary counts them."""
        if error is None or error.code() != grpc.StatusCode.UNAVAILABLE:
            self.unavailable_since = None
            return
        now = time.monotonic()
        since = self.unavailable_since = self.unavailable_since or now
        if now - since > DEAD_CHANNEL_S:
            self.unavailable_since = None
            self.given_up.append(error.debug_error_string() if hasattr(error, "debug_error_string") else error.details())
            self.stub = self.network.gateway()  # the old channel goes, and stops trying, with the last of its calls

    def renew(self, refused):
        """A session in place of the one whose token was refused: one thread gets it for all."""
        with self.lock:
            if self.session.access_token != refused:
                return
            try:
                request = gateway_pb2.RefreshSessionRequest(refresh_token=self.session.refresh_token)
                self.session = self.stub.RefreshSession(request, timeout=CALL_S)
            except grpc.RpcError as error:
                self.note(error)
                self.login()

    def message(self, transaction_id, order):
        return gateway_pb2.ProcessPaymentRequest(
            transaction_id=transaction_id, memo=order.memo,
            to=types_pb2.AccountRef(bank_id=order.target.bank, account_id=order.target.account),
            amount=types_pb2.Money(minor_units=order.minor_units, currency="USD"),
            **{"from": types_pb2.AccountRef(bank_id=order.source.bank, account_id=order.source.account)})


def verdict_of_state(payment):
    return STATES.get(payment.state, LATE), payment.reason_code


def verdict_of_error(code, detail):
    """What a failed call says about its payment; None for an answer that no fault explains."""
    if code == grpc.StatusCode.ALREADY_EXISTS and detail and detail.HasField("prior"):
        return verdict_of_state(detail.prior)
    words = f"{code.name} {detail.reason_code if detail else ''}".strip()
    if code in REFUSALS:
        return REFUSED, words
    if code in UNKNOWNS:
        return UNKNOWN, words
    return None, words


class Workload:
    """`complaints` collects answers that no fault explains: (id, what)."""

    def __init__(self, cluster, told, seed, workers=12):
        self.cluster = cluster
        self.told = told
        self.seed = seed
        self.stopping = threading.Event()
        self.paused = threading.Event()
        self.idle = threading.Semaphore(0)
        self.complaints = []
        self.completions = []  # (when it was first sent, banks) of completed payments, until read
        self.by_client = {"strife pay": 0}
        self.users = [User(cluster, name, self.stopping) for name in cluster.users]
        self.threads = [threading.Thread(target=self._work, args=(k,), daemon=True) for k in range(workers)]
        self.threads.append(threading.Thread(target=self._use_executable, daemon=True))

    def start(self):
        for thread in self.threads:
            thread.start()

    def pause(self, patience_s):
        """No new payments; true when all threads have come to rest with every outcome known."""
        self.paused.set()
        deadline = time.monotonic() + patience_s
        rested = 0
        while rested < len(self.threads) and self.idle.acquire(timeout=max(0, deadline - time.monotonic())):
            rested += 1
        return rested == len(self.threads)

    def resume(self):
        self.paused.clear()

    def stop(self):
        self.stopping.set()
        self.paused.clear()
        for thread in self.threads:
            thread.join(3 * CALL_S)

    def take_completions(self):
        taken, self.completions = self.completions, []
        return taken

    # ---- the workers

    def _rest_if_paused(self):
        if not self.paused.is_set():
            return
        self.idle.release()
        while self.paused.is_set() and not self.stopping.is_set():
            time.sleep(0.02)

    def _guarded(self, work):
        """A bug of this test must not pass as silence."""
        try:
            work()
        except Exception as error:  # noqa: BLE001
            self.complaints.append(("-", f"the test itself failed: {error!r}"))

    def _work(self, k):
        rng = random.Random(f"{self.seed}/{k}")
        mine = []

        def one():
            kind = rng.random()
            if kind < 0.15:
                self._pay_batch(rng, mine)
            elif kind < 0.25:
                self._pay_twice_at_once(rng, mine)
            elif kind < 0.35 and mine:
                self._ask_about_old(rng, mine)
            else:
                user, key, order = self._new_order(rng)
                mine.append((user, key, order))
                self._settle(rng, user, key, order)
            del mine[:-200]
        while not self.stopping.is_set():
            self._rest_if_paused()
            self._guarded(one)
            self.stopping.wait(rng.uniform(0, 0.4))

    def _new_order(self, rng):
        payer, payee = rng.sample(self.users, 2)
        source, target = (rng.choice(sorted(user.accounts)) for user in (payer, payee))
        too_much = rng.random() < 0.03
        amount = 10**9 if too_much else rng.randint(1, 500)
        order = Order(payer.user, Account(source, payer.accounts[source].account_id),
                      Account(target, payee.accounts[target].account_id), amount, f"{rng.random():.6f}")
        key = str(uuid.UUID(int=rng.getrandbits(128), version=4))
        self.told.order(key, order)
        return payer, key, order

    def _note(self, key, order, sent_at, verdict, words):
        if verdict is None:
            self.complaints.append((key, f"answered {words}"))
            verdict = UNKNOWN
        self.told.answer(key, verdict, words)
        if verdict == COMPLETED:
            self.completions.append((sent_at, {order.source.bank, order.target.bank}))
        return verdict in FINAL

    def _send(self, user, key, order):
        """One attempt; true when the outcome is known now."""
        sent_at = time.monotonic()
        session = user.session
        try:
            answer = user.stub.ProcessPayment(user.message(key, order), metadata=user.metadata, timeout=CALL_S)
        except grpc.RpcError as error:
            return self._failed(user, session, key, order, sent_at, error)
        user.note(None)
        return self._note(key, order, sent_at, *verdict_of_state(answer.payment))

    def _failed(self, user, session, key, order, sent_at, error):
        user.note(error)
        if error.code() == grpc.StatusCode.UNAUTHENTICATED:
            user.renew(session.access_token)
        return self._note(key, order, sent_at, *verdict_of_error(error.code(), error_detail(error)))

    def _settle(self, rng, user, key, order):
        while not self.stopping.is_set() and not self._send(user, key, order):
            self.stopping.wait(rng.uniform(0.05, 0.5))

    def _pay_batch(self, rng, mine):
        user, key, order = self._new_order(rng)
        orders = {key: order}
        while len(orders) < rng.randint(2, 8):
            other, key, order = self._new_order(rng)
            if other is user:
                orders[key] = order
            else:
                mine.append((other, key, order))
                self._settle(rng, other, key, order)
        sent_at, session = time.monotonic(), user.session
        request = gateway_pb2.ProcessPaymentsRequest(payments=[user.message(*item) for item in orders.items()])
        try:
            results = user.stub.ProcessPayments(request, metadata=user.metadata, timeout=CALL_S).results
        except grpc.RpcError as error:
            for key, order in orders.items():
                self._failed(user, session, key, order, sent_at, error)
        else:
            if len(results) != len(orders):
                self.complaints.append((key, f"{len(results)} results for {len(orders)} payments"))
            for (key, order), result in zip(orders.items(), results):
                if result.grpc_code == 0:
                    self._note(key, order, sent_at, *verdict_of_state(result.payment))
                else:
                    code = next(c for c in grpc.StatusCode if c.value[0] == result.grpc_code)
                    self._note(key, order, sent_at, *verdict_of_error(code, result.error))
        for key, order in orders.items():
            mine.append((user, key, order))
            if self.told.final(key) is None:
                self._settle(rng, user, key, order)

    def _pay_twice_at_once(self, rng, mine):
        user, key, order = self._new_order(rng)
        mine.append((user, key, order))
        sent_at, session = time.monotonic(), user.session
        calls = [user.stub.ProcessPayment.future(user.message(key, order), metadata=user.metadata, timeout=CALL_S)
                 for _ in range(2)]
        for call in calls:
            try:
                self._note(key, order, sent_at, *verdict_of_state(call.result().payment))
            except grpc.RpcError as error:
                self._failed(user, session, key, order, sent_at, error)
        if self.told.final(key) is None:
            self._settle(rng, user, key, order)

    def _ask_about_old(self, rng, mine):
        """A known outcome, asked for again, sent again, or its id taken for another payment."""
        user, key, order = rng.choice(mine)
        way = rng.randrange(3)
        if way == 0:
            self._send(user, key, order)
        elif way == 1:
            try:
                request = gateway_pb2.GetPaymentRequest(transaction_id=key)
                payment = user.stub.GetPayment(request, metadata=user.metadata, timeout=CALL_S).payment
                self.told.answer(key, *verdict_of_state(payment))
            except grpc.RpcError as error:
                if error.code() not in (*UNKNOWNS, *REFUSALS):
                    self.complaints.append((key, f"looking up an old payment: {error.code().name}"))
        else:
            other = order._replace(minor_units=order.minor_units + 1)
            try:
                user.stub.ProcessPayment(user.message(key, other), metadata=user.metadata, timeout=CALL_S)
                self.complaints.append((key, "another payment was accepted under the same id"))
            except grpc.RpcError as error:
                detail = error_detail(error)
                reused = error.code() == grpc.StatusCode.ALREADY_EXISTS
                if reused and (detail.reason_code != "TRANSACTION_ID_REUSED" or detail.HasField("prior")):
                    self.complaints.append((key, f"id used for another payment: {detail.reason_code}"))
                if not reused and error.code() not in (*UNKNOWNS, *REFUSALS):
                    self.complaints.append((key, f"id used for another payment: {error.code().name}"))

    # ---- the C++ client

    def _use_executable(self):
        rng = random.Random(f"{self.seed}/executable")
        folder = self.cluster.directory / "client"
        folder.mkdir(exist_ok=True)
        user = self.users[0]
        password = folder / "password"
        password.write_text(self.cluster.passwords[user.user] + "\n")
        common = ["--config", self.cluster.path / "client.toml", "--data-dir", folder, "--log-dir", folder,
                  "--gateway", f"127.0.0.1:{self.cluster.to_gateway['clients'].port}", "--timeout", f"{CALL_S}s",
                  "--max-retries", "1", "--retry-delay", "200ms", "--output", "json"]

        def run(*arguments):
            return network.run_strife(*arguments, *common)

        def pay():
            source, target = sorted(user.accounts)[0], self.users[1]
            bank = rng.choice(sorted(target.accounts))
            order = Order(user.user, Account(source, user.accounts[source].account_id),
                          Account(bank, target.accounts[bank].account_id), rng.randint(1, 500), "executable")
            key = str(uuid.UUID(int=rng.getrandbits(128), version=4))
            self.told.order(key, order)
            self.by_client["strife pay"] += 1
            amount = f"{order.minor_units // 100}.{order.minor_units % 100:02}"
            try:
                ended = run("pay", "--id", key, "--from", source, "--to", f"{bank}/{order.target.account}",
                            "--amount", amount, "--currency", "USD", "--memo", order.memo)
                self._note(key, order, time.monotonic(), *verdict_of_exit(ended))
            except subprocess.TimeoutExpired:
                self.complaints.append((key, "strife pay did not come back"))
            if self.told.final(key) is None:
                self._settle(rng, user, key, order)
        while not self.stopping.is_set() and run("login", user.user, "--password-file", password).returncode != 0:
            self.stopping.wait(0.5)
        while not self.stopping.is_set():
            self._rest_if_paused()
            self._guarded(pay)
            self.stopping.wait(rng.uniform(1, 4))


def verdict_of_exit(ended):
    """What `strife pay --output json` said: its exit status and its words must agree."""
    try:
        said = json.loads(ended.stdout)
    except ValueError:
        said = {}
    state = said.get("state")
    if ended.returncode == 0:
        return (COMPLETED, "exit 0") if state == COMPLETED else (None, f"exit 0 but {ended.stdout!r}")
    if state == ABORTED:
        return (ABORTED, said.get("reason_code", "")) if ended.returncode == 1 else (None, f"exit {ended.returncode}")
    if state == COMPLETED:
        return None, f"exit {ended.returncode} but {ended.stdout!r}"
    return UNKNOWN, f"exit {ended.returncode} {state}"
