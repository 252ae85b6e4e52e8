#!/usr/bin/python3
"""Does a flood of connections slow payments down, and what does the gateway's memory come to?

    bench/connection_flood.py [--rate 100] [--seconds 20] [--rounds 3] [--flood bare|handshakes|resets|all] [--processes 1]

Starts a network of its own. As in bench/login_flood.py, payments start on schedule and rounds of calm and of flood alternate. The
flood comes from other processes and other addresses of the loopback, as fast as it can: `bare` connections that say nothing,
`handshakes` without a certificate, and `resets`: calls that a certificate holder opens and gives up again.

Prints latencies, their ratio and the gateway's memory, checks the books, and exits 1 when the p99 under flood is more than three
times the calm one, or memory grows by more than 512 MiB. Give it a quiet machine: client, flood, gateway and banks share its processors.
"""

import argparse
import contextlib
import itertools
import multiprocessing
import os
import socket
import ssl
import struct
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests/integration"), str(ROOT / "tests/security")]
from memory import metric, status_mib  # noqa: E402
from network import Network, run_strife  # noqa: E402
from raw_http2 import (CANCEL, END_HEADERS, HEADERS, PREFACE, RST_STREAM, SETTINGS, frame,  # noqa: E402
                       request_headers)
from scheduled_payments import Payments, percentile, report  # noqa: E402

MAX_GROWTH_MIB = 512
HELD = 500  # bare connections that one process has at a time


def connect(port, address):
    plain = socket.create_connection(("127.0.0.1", port), timeout=5, source_address=(address, 0))
    return plain


def bare(port, address, _certs, stop, count):
    held = []
    while not stop.is_set():
        held.append(connect(port, address))
        count()
        if len(held) > HELD:
            held.pop(0).close()


def tls(certs, certificate=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(Path(certs, "ca.crt"))
    context.set_alpn_protocols(["h2"])
    if certificate:
        context.load_cert_chain(Path(certs, f"{certificate}.crt"), Path(certs, f"{certificate}.key"))
    return context


def handshakes(port, address, certs, stop, count):
    context = tls(certs)
    while not stop.is_set():
        with contextlib.suppress(OSError), connect(port, address) as plain:
            with context.wrap_socket(plain, server_hostname="localhost") as connection:
                count()
                connection.recv(1)


def resets(port, address, certs, stop, count):
    context = tls(certs, "flood")
    block = request_headers("/strife.v1.PaymentGateway/CheckBalance")
    while not stop.is_set():
        with contextlib.suppress(OSError), connect(port, address) as plain:
            with context.wrap_socket(plain, server_hostname="localhost") as connection:
                connection.sendall(PREFACE + frame(SETTINGS, 0, 0))
                for stream in itertools.count(1, 2):
                    if stop.is_set():
                        break
                    connection.sendall(frame(HEADERS, END_HEADERS, stream, block)
                                       + frame(RST_STREAM, 0, stream, struct.pack(">I", CANCEL)))
                    count()


KINDS = {"bare": bare, "handshakes": handshakes, "resets": resets}


def flood(kind, port, address, certs, stop, counter):
    os.nice(19)  # an attacker brings processors of their own
    def count():
        with counter.get_lock():
            counter.value += 1
    while not stop.is_set():
        with contextlib.suppress(OSError):
            KINDS[kind](port, address, certs, stop, count)


class Flood:
    def __init__(self, network, kinds, processes):
        self.stop = multiprocessing.Event()
        self.counters = {kind: multiprocessing.Value("L", 0) for kind in kinds}
        self.processes = [multiprocessing.Process(target=flood, args=(
            kind, network.port("gateway"), f"127.0.{1 + list(KINDS).index(kind)}.{number + 1}",
            str(network.path / "certs"), self.stop, self.counters[kind]))
            for kind in kinds for number in range(processes)]
        for process in self.processes:
            process.start()

    def end(self):
        self.stop.set()
        for process in self.processes:
            process.join()
        return {kind: counter.value for kind, counter in self.counters.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=float, default=100, help="payments a second [100]")
    parser.add_argument("--seconds", type=float, default=20, help="of each round's halves [20]")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--flood", choices=(*KINDS, "all"), default="all")
    parser.add_argument("--processes", type=int, default=1, help="of each kind of flood, with an address each [1]")
    arguments = parser.parse_args()
    kinds = list(KINDS) if arguments.flood == "all" else [arguments.flood]
    multiprocessing.set_start_method("spawn")

    with Network(banks=2, users=8) as network:
        issued = run_strife("pki", "issue", "client", "flood", "--dir", network.path / "certs")
        assert issued.returncode == 0, issued.stderr
        network.start()
        payments = Payments(network.clients())
        payments.run(arguments.rate, 3)  # warm up
        before_mib = status_mib(network, "gateway", "VmRSS")
        calm, flooded, calm_failed, flood_failed = [], [], 0, 0
        for _ in range(arguments.rounds):
            latencies, failed = payments.run(arguments.rate, arguments.seconds)
            report("calm", latencies, failed)
            calm += latencies
            calm_failed += failed
            attack = Flood(network, kinds, arguments.processes)
            time.sleep(3)  # until all its processes are up
            latencies, failed = payments.run(arguments.rate, arguments.seconds)
            report("flood", latencies, failed)
            flooded += latencies
            flood_failed += failed
            there = metric(network, "gateway", "strife_connections")
            print(f"        tried: {attack.end()}; {there:.0f} connections, "
                  f"{status_mib(network, 'gateway', 'VmRSS')} MiB (before: {before_mib})", flush=True)
        print("altogether")
        report("calm", sorted(calm), calm_failed)
        report("flood", sorted(flooded), flood_failed)
        ratio = percentile(sorted(flooded), 0.99) / percentile(sorted(calm), 0.99)
        growth_mib = status_mib(network, "gateway", "VmHWM") - before_mib
        books = network.verify()
        print(f"p99 under flood is {ratio:.2f} times the calm one; memory grew by {growth_mib} MiB at most; "
              f"books: {books.stdout.strip().splitlines()[-1]}")
        good = ratio <= 3 and flood_failed == 0 and growth_mib <= MAX_GROWTH_MIB and books.returncode == 0
        return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
