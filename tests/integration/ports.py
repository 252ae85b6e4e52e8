"""Ports for servers that are started by tests and measurements."""

import contextlib
import random
import socket

FIRST, END = 20000, 32000  # below the range the system gives out by itself
WIDTH = 256  # ports claimed at a time

claimed = {}  # first port: what holds the claim, until this process ends


def claim(first):
    """Whether the ports from `first` are this process's now: a server of its that is down for a moment, or not up yet,
    shall find its port free. The name is one of the network's, as the ports are, and goes with the process."""
    holder = socket.socket(socket.AF_UNIX)
    try:
        holder.bind(f"\0strife-ports-{first}")
    except OSError:
        holder.close()
        return False
    claimed[first] = holder
    return True


def all_free(base, ports):
    with contextlib.ExitStack() as stack:
        try:
            for port in range(base, base + ports):
                bound = stack.enter_context(socket.socket())
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                bound.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port_base(ports):
    """A port P such that P … P + ports - 1 are free, and nobody else who asks here is given them."""
    assert ports <= WIDTH
    firsts = list(range(FIRST, END - WIDTH, WIDTH))
    random.shuffle(firsts)
    for first in firsts:
        if first not in claimed and claim(first) and all_free(first, ports):
            return first
    for first in claimed:  # of an earlier network of this process
        if all_free(first, ports):
            return first
    raise AssertionError("no free ports")
