"""A Strife network of real processes for tests, and a client of it that knows nothing but the published .proto files.

Nothing here uses Strife's own client: the stubs are generated from proto/ into a temporary directory when this module is
imported, and every connection is Python's gRPC over mutual TLS.
"""

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import grpc

from ports import free_port_base

# Children are started to run something else at once. Python's gRPC would make a fork wait until its threads are idle, and
# has been seen to wait for ever.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"

ROOT = Path(__file__).resolve().parents[2]
STRIFE = Path(os.environ.get("STRIFE_EXECUTABLE", ROOT / "build/release/bin/strife")).resolve()
PATIENCE_S = 60  # how long a condition that must come true may take before the test gives up
OPENING_MINOR_UNITS = 10_000_00  # of every account `strife init` makes


def _generate_stubs():
    made = os.environ.get("STRIFE_TEST_STUBS")  # by the process that started this one
    if made:
        sys.path.insert(0, made)
        return
    directory = tempfile.mkdtemp(prefix="strife-stubs-")
    os.environ["STRIFE_TEST_STUBS"] = directory
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    protos = sorted(str(p) for p in (ROOT / "proto/strife/v1").glob("*.proto"))
    subprocess.run(["protoc", f"-I{ROOT / 'proto'}", f"--python_out={directory}", f"--grpc_out={directory}",
                    "--plugin=protoc-gen-grpc=/usr/bin/grpc_python_plugin", *protos], check=True)
    sys.path.insert(0, directory)


_generate_stubs()
from strife.v1 import (admin_pb2, admin_pb2_grpc, bank_pb2, bank_pb2_grpc, gateway_pb2,  # noqa: E402
                       gateway_pb2_grpc, trace_pb2, types_pb2)

COMPLETED = types_pb2.PAYMENT_STATE_COMPLETED
ABORTED = types_pb2.PAYMENT_STATE_ABORTED
FINAL = (COMPLETED, ABORTED)


def wait_until(condition, what, patience_s=PATIENCE_S):
    """Returns the first true value of condition(); fails when none comes in time."""
    deadline = time.monotonic() + patience_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {patience_s} s in vain: {what}")
        time.sleep(0.02)


def new_id():
    return str(uuid.uuid4())


def clean_environment():
    """The environment without STRIFE_* settings, so that a developer's own do not leak into the tests."""
    return {k: v for k, v in os.environ.items() if not k.startswith("STRIFE_")}


def run_strife(*arguments, timeout_s=PATIENCE_S, **options):
    """Runs the executable to its end; returns the CompletedProcess with text output."""
    return subprocess.run([STRIFE, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=timeout_s, env=clean_environment(), check=False, **options)


def error_detail(error):
    """The ErrorDetail of a failed call, or None: the one Any inside the RpcStatus of grpc-status-details-bin."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            status = types_pb2.RpcStatus.FromString(value)
            assert status.code == error.code().value[0], "RpcStatus.code is not the call's status"
            assert len(status.details) == 1, "more than one detail"
            detail = types_pb2.ErrorDetail()
            assert status.details[0].Unpack(detail), f"not an ErrorDetail: {status.details[0].type_url}"
            return detail
    return None


class Process:
    """One server process, its output in a file."""

    def __init__(self, name, command, output):
        self.name = name
        self.output = output
        with open(output, "ab") as sink:
            self.popen = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink,
                                          env=clean_environment(), cwd="/")

    def alive(self):
        return self.popen.poll() is None

    def signal(self, number):
        self.popen.send_signal(number)

    def wait(self):
        return self.popen.wait(PATIENCE_S)

    def said(self):
        return Path(self.output).read_text(errors="replace")


class Network:
    """`strife init` in a temporary directory, and its servers started, stopped, killed and paused one by one."""

    def __init__(self, banks=3, users=8, by_name=False):
        """`by_name`: the servers call one another by a name with two addresses, at one of which nobody listens."""
        self.directory = Path(tempfile.mkdtemp(prefix="strife-test-"))
        self.path = self.directory / "net"
        self.port_base = free_port_base(2 * (banks + 1))
        self.metrics_port_base = self.port_base + banks + 1
        self.banks = [f"bank{i}" for i in range(1, banks + 1)]
        self.users = [f"user{k}" for k in range(1, users + 1)]
        self.processes = {}
        atexit.register(self.close)
        made = run_strife("init", "--dir", self.path, "--banks", banks, "--users", users,
                          "--port-base", self.port_base, "--metrics-port-base", self.metrics_port_base)
        assert made.returncode == 0, f"strife init failed: {made.stderr}"
        if by_name:
            for bank in self.banks:
                config = self.path / f"bank-{bank}.toml"
                text = config.read_text()
                assert 'gateway = "127.0.0.1:' in text, text
                text = text.replace('gateway = "127.0.0.1:', 'gateway = "localhost:')
                config.write_text(f'advertise = "localhost:{self.port(bank)}"\n{text}')
        lines = (self.path / "passwords.csv").read_text().splitlines()
        assert lines[0] == "username,password", lines[0]
        self.passwords = dict(line.split(",", 1) for line in lines[1:])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # ---- processes

    def port(self, name):
        return self.port_base + (0 if name == "gateway" else int(name.removeprefix("bank")))

    def metrics_port(self, name):
        return self.port(name) - self.port_base + self.metrics_port_base

    def config(self, name):
        return self.path / ("gateway.toml" if name == "gateway" else f"bank-{name}.toml")

    def launch(self, name, *flags, prefix=()):
        """Starts a server without waiting for it; `prefix`: words before the command, such as prlimit's."""
        role = "gateway" if name == "gateway" else "bank"
        command = [*prefix, STRIFE, role, "--config", self.config(name), *map(str, flags)]
        self.processes[name] = Process(name, command, self.directory / f"{name}.out")

    def start(self, *names, flags=()):
        """Starts servers (all when none is named) and waits until each says that it serves."""
        names = names or ("gateway", *self.banks)
        for name in names:
            self.launch(name, *flags)
        for name in names:
            self.wait_serving(name)

    def wait_serving(self, name):
        process = self.processes[name]

        def serving():
            assert process.alive(), f"{name} ended with status {process.popen.returncode}: {process.said()}"
            return self.serves(name)
        wait_until(serving, f"{name} to serve")

    def health(self, name, service=""):
        """What the standard gRPC health service says, by hand, for it is two bytes: 1 SERVING, 2 NOT_SERVING, None: nothing."""
        request = b"\x0a" + bytes([len(service)]) + service.encode() if service else b""
        with self.channel(name, "operator") as channel:
            check = channel.unary_unary("/grpc.health.v1.Health/Check", request_serializer=bytes,
                                        response_deserializer=bytes)
            try:
                return check(request, timeout=2)[1]
            except grpc.RpcError:
                return None

    def serves(self, name):
        return self.health(name) == 1

    def kill(self, *names):
        for name in names:
            self.processes[name].signal(signal.SIGKILL)
        for name in names:
            self.processes[name].wait()

    def stop(self, *names):
        """SIGTERM; returns the exit statuses."""
        names = names or tuple(self.processes)
        for name in names:
            self.processes[name].signal(signal.SIGTERM)
        return [self.processes[name].wait() for name in names]

    def pause(self, name):
        self.processes[name].signal(signal.SIGSTOP)

    def resume(self, name):
        self.processes[name].signal(signal.SIGCONT)

    def assert_running(self):
        """No server has ended by itself: a crash must not pass as a slow answer."""
        for process in self.processes.values():
            assert process.alive(), f"{process.name} ended with status {process.popen.returncode}: {process.said()}"

    def close(self):
        for process in self.processes.values():
            if process.alive():
                process.signal(signal.SIGKILL)
                process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    # ---- connections

    def credentials(self, certificate):
        """Mutual TLS as the certificate of that name; None connects without one."""
        certs = self.path / "certs"
        authority = (certs / "ca.crt").read_bytes()
        if certificate is None:
            return grpc.ssl_channel_credentials(authority)
        return grpc.ssl_channel_credentials(authority, (certs / f"{certificate}.key").read_bytes(),
                                            (certs / f"{certificate}.crt").read_bytes())

    def channel(self, server, certificate, credentials=None):
        # Reconnect soon, for servers come back within a second here; but "min_reconnect_backoff" is how long a connection may
        # take to be made, and a busy machine takes its time.
        options = [("grpc.initial_reconnect_backoff_ms", 100), ("grpc.min_reconnect_backoff_ms", 5000),
                   ("grpc.max_reconnect_backoff_ms", 500), ("grpc.use_local_subchannel_pool", 1),
                   ("grpc.dns_min_time_between_resolutions_ms", 500),
                   # gRPC's default may stop connecting when "localhost" has two addresses.
                   ("grpc.lb_policy_name", "round_robin")]
        return grpc.secure_channel(f"localhost:{self.port(server)}", credentials or self.credentials(certificate),
                                   options)

    def gateway(self, certificate="client"):
        return gateway_pb2_grpc.PaymentGatewayStub(self.channel("gateway", certificate))

    def gateway_admin(self, certificate="operator"):
        return admin_pb2_grpc.GatewayAdminStub(self.channel("gateway", certificate))

    def bank(self, name, certificate="gateway"):
        return bank_pb2_grpc.BankStub(self.channel(name, certificate))

    def client(self, user):
        return Client(self, user)

    def clients(self, *users):
        """Logged-in clients of these users (all when none is named), once all their banks can be reached."""
        clients = [self.client(user) for user in users or self.users]
        for client in clients:
            client.wait_for_banks()
        return clients

    # ---- the books

    def verify(self):
        return run_strife("verify", "--dir", self.path)


class Client:
    """A logged-in user."""

    def __init__(self, network, user):
        self.network = network
        self.user = user
        self.stub = network.gateway()
        self.login()

    def login(self):
        request = gateway_pb2.AuthenticateClientRequest(username=self.user, password=self.network.passwords[self.user])
        self.session = self.stub.AuthenticateClient(request, timeout=PATIENCE_S, wait_for_ready=True)
        self.accounts = {account.bank_id: account for account in self.session.accounts}

    @property
    def metadata(self):
        return (("authorization", f"Bearer {self.session.access_token}"),)

    def call(self, method, request):
        """Waits for the gateway to be reachable, then makes the call once."""
        return getattr(self.stub, method)(request, metadata=self.metadata, timeout=PATIENCE_S, wait_for_ready=True)

    def order(self, to, minor_units=100, bank=None, transaction_id=None, memo="", currency="USD"):
        """A payment to an AccountRef or another client's first account."""
        source = self.accounts[bank] if bank else next(iter(self.accounts.values()))
        if isinstance(to, Client):
            to = next(iter(to.accounts.values()))
        return gateway_pb2.ProcessPaymentRequest(
            transaction_id=transaction_id or new_id(), to=to, memo=memo,
            amount=types_pb2.Money(minor_units=minor_units, currency=currency), **{"from": source})

    def pay(self, order):
        return self.call("ProcessPayment", order)

    def pay_later(self, order):
        """Starts the payment; returns the call. Fails at once when the gateway is away."""
        return self.stub.ProcessPayment.future(order, metadata=self.metadata, timeout=PATIENCE_S)

    def payment(self, transaction_id):
        return self.call("GetPayment", gateway_pb2.GetPaymentRequest(transaction_id=transaction_id)).payment

    def wait_for_state(self, transaction_id, state):
        def reached():
            try:
                return self.payment(transaction_id).state == state
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.NOT_FOUND:
                    raise
                return False
        return wait_until(reached, f"payment {transaction_id} to be {types_pb2.PaymentState.Name(state)}")

    def balance(self, bank_id):
        return self.call("CheckBalance", gateway_pb2.CheckBalanceRequest(bank_id=bank_id))

    def wait_for_banks(self):
        for bank_id in self.accounts:
            def reachable():
                self.network.assert_running()
                try:
                    return self.balance(bank_id)
                except grpc.RpcError as error:
                    if error.code() == grpc.StatusCode.UNAUTHENTICATED:  # in tests whose tokens live for a second
                        self.login()
                    elif error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
                        raise
                    return None
            wait_until(reachable, f"the gateway to reach {bank_id}")

    def history(self, **filters):
        """All pages."""
        payments, token = [], ""
        while True:
            request = gateway_pb2.ViewTransactionHistoryRequest(page_token=token, **filters)
            page = self.call("ViewTransactionHistory", request)
            payments += page.payments
            token = page.next_page_token
            if not token:
                return payments

    def ask_again(self, order):
        """Sends the order again until it has ended; returns the payment as the gateway then answers for it."""
        def ended():
            self.network.assert_running()
            try:
                payment = self.pay(order).payment
            except grpc.RpcError as error:
                if error.code() == grpc.StatusCode.UNAVAILABLE:
                    return None
                if error.code() != grpc.StatusCode.ALREADY_EXISTS:
                    raise
                payment = error_detail(error).prior
            return payment if payment.state in FINAL else None
        return wait_until(ended, f"payment {order.transaction_id} to end")


def refusal(call):
    """Runs call(), which must fail; returns the grpc.RpcError."""
    try:
        answer = call()
    except grpc.RpcError as error:
        return error
    raise AssertionError(f"expected a refusal, got: {answer}")


