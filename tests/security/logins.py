"""Attempts to log in, as an attacker makes them."""

import subprocess

import grpc

from network import PATIENCE_S, STRIFE, clean_environment, error_detail, gateway_pb2

THROTTLED = "LOGIN_THROTTLED"
OVERLOADED = "OVERLOADED"
WRONG = "UNAUTHENTICATED"
IN = "in"


def request(user, password="wrong"):
    return gateway_pb2.AuthenticateClientRequest(username=user, password=password)


def reason(call):
    """What became of a login: IN, or the refusal's reason code."""
    try:
        call()
        return IN
    except grpc.RpcError as error:
        detail = error_detail(error)
        assert detail is not None, f"{error.code()}: {error.details()}"
        return detail.reason_code


class Peer:
    """Somebody with a client certificate."""

    def __init__(self, network, certificate="client"):
        self.network = network
        self.stub = network.gateway(certificate)

    def answer(self, user, password="wrong"):
        return reason(lambda: self.stub.AuthenticateClient(request(user, password), timeout=PATIENCE_S,
                                                           wait_for_ready=True))

    def log_in(self, user):
        return self.answer(user, self.network.passwords[user])

    def start(self, user, password="wrong"):
        return self.stub.AuthenticateClient.future(request(user, password), timeout=PATIENCE_S, wait_for_ready=True)

    def guesses_until_refused(self, user, at_most=50):
        """How many wrong passwords were looked at before one was refused unseen."""
        for count in range(at_most):
            if self.answer(user) != WRONG:
                return count
        return at_most


def hash_password(password):
    """As `strife users hash` does, at the cost of real passwords."""
    return subprocess.run([STRIFE, "users", "hash"], input=password + "\n", capture_output=True, text=True, check=True,
                          env=clean_environment()).stdout.strip()
