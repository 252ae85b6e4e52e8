#!/usr/bin/python3
"""A payment from Python, with nothing of Strife but its .proto files.

    examples/python/pay.py NETWORK_DIR USER FROM_BANK TO_BANK TO_ACCOUNT MINOR_UNITS CURRENCY

The password comes from NETWORK_DIR/passwords.csv, as `strife init` has written it. The rule that matters in any
language: make the id once, and send the same request again with the same id until the answer is final.
"""

import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import grpc

PROTO = Path(__file__).resolve().parents[2] / "proto"


def generate_stubs(directory):
    protos = sorted(map(str, (PROTO / "strife/v1").glob("*.proto")))
    subprocess.run(["protoc", f"-I{PROTO}", f"--python_out={directory}", f"--grpc_out={directory}",
                    "--plugin=protoc-gen-grpc=/usr/bin/grpc_python_plugin", *protos], check=True)
    sys.path.insert(0, directory)


def main():
    if len(sys.argv) != 8:
        sys.exit(__doc__)
    network, user, from_bank, to_bank, to_account, minor_units, currency = sys.argv[1:]
    with tempfile.TemporaryDirectory() as stubs:
        generate_stubs(stubs)
        from strife.v1 import gateway_pb2, gateway_pb2_grpc, types_pb2

        certs = Path(network) / "certs"
        credentials = grpc.ssl_channel_credentials((certs / "ca.crt").read_bytes(), (certs / "client.key").read_bytes(),
                                                   (certs / "client.crt").read_bytes())
        settings = (Path(network) / "client.toml").read_text()
        port = settings.split('gateway = "127.0.0.1:')[1].split('"')[0]
        with grpc.secure_channel(f"localhost:{port}", credentials) as channel:
            gateway = gateway_pb2_grpc.PaymentGatewayStub(channel)
            passwords = dict(line.split(",", 1) for line in (Path(network) / "passwords.csv").read_text().split())
            session = gateway.AuthenticateClient(
                gateway_pb2.AuthenticateClientRequest(username=user, password=passwords[user]), timeout=10)
            token = (("authorization", f"Bearer {session.access_token}"),)
            own = next(account for account in session.accounts if account.bank_id == from_bank)
            request = gateway_pb2.ProcessPaymentRequest(
                transaction_id=str(uuid.uuid4()), to=types_pb2.AccountRef(bank_id=to_bank, account_id=to_account),
                amount=types_pb2.Money(minor_units=int(minor_units), currency=currency), **{"from": own})
            payment = pay(gateway, gateway_pb2, types_pb2, request, token)
    print(payment.transaction_id, types_pb2.PaymentState.Name(payment.state), payment.reason_code)
    return 0 if payment.state == types_pb2.PAYMENT_STATE_COMPLETED else 1


def pay(gateway, gateway_pb2, types_pb2, request, token):
    """Sends the request until its payment is final. ALREADY_EXISTS means an earlier attempt arrived: ask for it."""
    final = (types_pb2.PAYMENT_STATE_COMPLETED, types_pb2.PAYMENT_STATE_ABORTED)
    delay_s = 0.5
    while True:
        try:
            payment = gateway.ProcessPayment(request, metadata=token, timeout=10).payment
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.ALREADY_EXISTS:
                payment = gateway.GetPayment(gateway_pb2.GetPaymentRequest(transaction_id=request.transaction_id),
                                             metadata=token, timeout=10).payment
            elif error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED,
                                  grpc.StatusCode.RESOURCE_EXHAUSTED):
                payment = None  # not known: the same request again
            else:
                raise
        if payment is not None and payment.state in final:
            return payment
        time.sleep(delay_s)
        delay_s = min(30, delay_s * 2)


if __name__ == "__main__":
    sys.exit(main())
