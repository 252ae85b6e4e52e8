"""What a server takes of its machine, and what it counts."""

import sqlite3
import urllib.request

from network import PATIENCE_S

LIMITED = 31  # the audit log's event


def status_mib(network, server, name):
    """`VmRSS` and the like out of /proc, in MiB."""
    with open(f"/proc/{network.processes[server].popen.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(name + ":")) // 1024


def metric(network, server, name):
    """The value of 'name{label="value"}'."""
    with urllib.request.urlopen(f"http://127.0.0.1:{network.metrics_port(server)}/metrics", timeout=PATIENCE_S) as answer:
        for line in answer.read().decode().splitlines():
            if line.rpartition(" ")[0] == name:
                return float(line.rpartition(" ")[2])
    return 0


def limited_in_audit(network):
    """[(actor, peer, subject, count)] of the audit records of what was limited."""
    path = network.path / "data/gateway/gateway.db"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30) as connection:
        return connection.execute("SELECT actor, peer, subject, count FROM audit WHERE event = ?",
                                  (LIMITED,)).fetchall()
