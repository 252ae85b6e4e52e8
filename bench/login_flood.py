#!/usr/bin/python3
"""Does a flood of logins slow payments down?

    bench/login_flood.py [--rate 100] [--seconds 20] [--rounds 3] [--flood wrong|right|both] [--connections 16]

Starts a network of its own. Payments start on schedule, RATE a second, whether or not those before have ended (open loop), and a
latency counts from the scheduled start. Rounds of calm and of flood alternate, so that a machine whose speed wanders is seen for
what it is. The flood comes from other processes, as fast as it is answered, under certificates of its own: `wrong` guesses
at ever new names, `right` logs a real user in again and again, at the full price of a hash.

Prints the latencies and their ratio, checks the books, and exits 1 when the p99 under flood is more than three times the calm one.
Give it a quiet machine: client, flood, gateway and banks share its processors.
"""

import argparse
import json
import multiprocessing
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests/integration")]
import grpc  # noqa: E402
from network import Network, gateway_pb2, run_strife  # noqa: E402
from scheduled_payments import Payments, percentile, report  # noqa: E402

PASSWORD = "as long as people make them"
CERTIFICATES = 4
CALLS_PER_CONNECTION = 16


def flood(port, certs, number, kind, answers, stop):
    """One connection's worth of logins, until told to stop; counts what they were answered."""
    name = f"flood{number % CERTIFICATES}"
    credentials = grpc.ssl_channel_credentials(*(Path(certs, file).read_bytes()
                                                 for file in ("ca.crt", f"{name}.key", f"{name}.crt")))
    counts, tries = {}, 0
    with grpc.secure_channel(f"localhost:{port}", credentials, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        call = channel.unary_unary("/strife.v1.PaymentGateway/AuthenticateClient",
                                   request_serializer=gateway_pb2.AuthenticateClientRequest.SerializeToString,
                                   response_deserializer=bytes)
        while not stop.is_set():
            batch = []
            for _ in range(CALLS_PER_CONNECTION):
                tries += 1
                right = kind == "right" or (kind == "both" and tries % 2)
                user, password = ("user1", PASSWORD) if right else (f"name{number}-{tries}", "wrong")
                batch.append(call.future(gateway_pb2.AuthenticateClientRequest(username=user, password=password),
                                         timeout=60))
            for future in batch:
                error = future.exception()
                answer = "OK" if error is None else error.code().name
                counts[answer] = counts.get(answer, 0) + 1
    for answer, count in counts.items():
        answers.put((answer, count))
    answers.put(None)


class Flood:
    def __init__(self, network, kind, connections):
        self.stop = multiprocessing.Event()
        self.answers = multiprocessing.Queue()
        self.processes = [multiprocessing.Process(target=flood, args=(
            network.port("gateway"), str(network.path / "certs"), i, kind, self.answers, self.stop))
            for i in range(connections)]
        for process in self.processes:
            process.start()

    def end(self):
        self.stop.set()
        counts, open_ends = {}, len(self.processes)
        while open_ends:
            got = self.answers.get()
            if got is None:
                open_ends -= 1
            else:
                counts[got[0]] = counts.get(got[0], 0) + got[1]
        for process in self.processes:
            process.join()
        return counts


def prepare(network):
    """A user with a hash at the price of a real password, and the flood's certificates."""
    password_file = network.directory / "password"
    password_file.write_text(PASSWORD + "\n")
    hashed = run_strife("users", "hash", "--password-file", password_file).stdout.strip()
    path = network.path / "users.json"
    users = json.loads(path.read_text())
    users["users"][0]["password_hash"] = hashed
    path.write_text(json.dumps(users))
    network.passwords["user1"] = PASSWORD
    for i in range(CERTIFICATES):
        issued = run_strife("pki", "issue", "client", f"flood{i}", "--dir", network.path / "certs")
        assert issued.returncode == 0, issued.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=float, default=100, help="payments a second [100]")
    parser.add_argument("--seconds", type=float, default=20, help="of each round's halves [20]")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--flood", choices=("wrong", "right", "both"), default="both")
    parser.add_argument("--connections", type=int, default=16, help="of the flood, 16 logins on each at a time [16]")
    arguments = parser.parse_args()
    multiprocessing.set_start_method("spawn")

    with Network(banks=2, users=8) as network:
        prepare(network)
        network.start()
        payments = Payments(network.clients())
        payments.run(arguments.rate, 3)  # warm up
        calm, flooded, calm_failed, flood_failed = [], [], 0, 0
        for number in range(arguments.rounds):
            latencies, failed = payments.run(arguments.rate, arguments.seconds)
            report("calm", latencies, failed)
            calm += latencies
            calm_failed += failed
            attack = Flood(network, arguments.flood, arguments.connections)
            time.sleep(3)  # until all its processes are up
            latencies, failed = payments.run(arguments.rate, arguments.seconds)
            report("flood", latencies, failed)
            flooded += latencies
            flood_failed += failed
            print(f"        logins: {attack.end()}", flush=True)
        print("altogether")
        report("calm", sorted(calm), calm_failed)
        report("flood", sorted(flooded), flood_failed)
        ratio = percentile(sorted(flooded), 0.99) / percentile(sorted(calm), 0.99)
        books = network.verify()
        print(f"p99 under flood is {ratio:.2f} times the calm one; books: {books.stdout.strip().splitlines()[-1]}")
        return 0 if ratio <= 3 and flood_failed == 0 and books.returncode == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
