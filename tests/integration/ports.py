"""Ports for servers that are started by tests and measurements."""

import contextlib
import random
import socket


def free_port_base(ports):
    """A port P such that P … P + ports - 1 are free now, below the range the system gives out by itself."""
    for _ in range(200):
        base = random.randrange(20000, 32000 - ports)
        with contextlib.ExitStack() as stack:
            try:
                for port in range(base, base + ports):
                    bound = stack.enter_context(socket.socket())
                    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    bound.bind(("127.0.0.1", port))
                return base
            except OSError:
                continue
    raise AssertionError("no free ports")
