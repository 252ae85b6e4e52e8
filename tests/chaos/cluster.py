"""The network under test: every connection through a link that can be cut, every process killable, replaceable and on a
disk of its own that can be filled, damaged and made to fail."""

import collections
import os
import shutil
import signal
import subprocess
import threading
import time

import network
from audit import Books, open_work
from links import Links
from network import Network, Process
from ports import free_port_base

GATEWAY = "gateway"
RESERVED_MB = 16  # the servers refuse new work below this
START_S = 30  # how long a server may take to serve
GATEWAY_FLAGS = ("--transaction-timeout", "3s", "--heartbeat-interval", "1s")
BANK_FLAGS = ("--inquiry-delay", "2s")


class Cluster(Network):
    """Processes that end although nobody has said `expect_end` are kept in `surprises`."""

    def __init__(self, servers, banks=3, users=12, disk_mb=512):
        """servers: the executable to run as gateway and banks; disk_mb: size of the disk of each, where they are small."""
        super().__init__(banks=banks, users=users)
        self.servers = servers
        self.disk_mb = disk_mb
        self.gateway_ports = [self.port_base, free_port_base(1)]
        self.gateway_port = self.gateway_ports[0]
        self.links = Links()
        self.to_gateway = {"clients": self.links.add("clients-gateway", self.gateway_port)}
        self.to_bank = {}
        for bank in self.banks:
            self.to_gateway[bank] = self.links.add(f"{bank}-gateway", self.gateway_port)
            self.to_bank[bank] = self.links.add(f"gateway-{bank}", self.port(bank))
        self.ending = set()  # names that may end just now
        self.surprises = []
        self.restarts = collections.Counter()
        self.mounts = {}
        self.replaced = []  # gateways whose place another has taken
        self._processes_lock = threading.RLock()

    @property
    def names(self):
        return [GATEWAY, *self.banks]

    def all_links(self):
        return [*self.to_gateway.values(), *self.to_bank.values()]

    # ---- processes

    def port(self, name):
        return self.gateway_port if name == GATEWAY else super().port(name)

    def gateway(self, certificate="client"):
        options = [("grpc.initial_reconnect_backoff_ms", 100), ("grpc.min_reconnect_backoff_ms", 5000),
                   ("grpc.max_reconnect_backoff_ms", 1000), ("grpc.use_local_subchannel_pool", 1),
                   ("grpc.dns_min_time_between_resolutions_ms", 500)]
        address = f"localhost:{self.to_gateway['clients'].port}"
        channel = network.grpc.secure_channel(address, self.credentials(certificate), options)
        return network.gateway_pb2_grpc.PaymentGatewayStub(channel)

    def command(self, name):
        config = ["--config", self.config(name), "--reserved-disk-mb", RESERVED_MB]
        if name == GATEWAY:
            flags = [GATEWAY, *config, "--listen", f"127.0.0.1:{self.gateway_port}", *GATEWAY_FLAGS]
        else:
            flags = ["bank", *config, "--gateway", f"127.0.0.1:{self.to_gateway[name].port}",
                     "--advertise", f"127.0.0.1:{self.to_bank[name].port}", *BANK_FLAGS]
        return [self.servers, *map(str, flags)]

    def launch(self, name, *flags):
        with self._processes_lock:
            self.processes[name] = Process(name, [*self.command(name), *flags], self.directory / f"{name}.out")
            self.ending.discard(name)

    def restart(self, name):
        """Starts a server that has ended and waits until it serves; a start that fails raises."""
        self.launch(name)
        self.restarts[name] += 1

    def wait_serving_all(self, patience_s=START_S):
        for name in self.names:
            network.wait_until(lambda: self.check_ends() or self.serves(name), f"{name} to serve", patience_s)

    def expect_end(self, *names):
        self.ending.update(names)

    def kill(self, *names):
        self.expect_end(*names)
        super().kill(*names)

    def wait_end(self, name, patience_s=START_S):
        """The exit status of a server that must end by itself."""
        self.expect_end(name)
        try:
            return self.processes[name].popen.wait(patience_s)
        except subprocess.TimeoutExpired:
            return None

    def check_ends(self):
        """Notes servers that have ended unasked, and starts them again so that the run can go on."""
        with self._processes_lock:
            for name, process in list(self.processes.items()):
                if process.alive() or name in self.ending:
                    continue
                self.surprises.append(f"{name} ended by itself with status {process.popen.returncode}: "
                                      f"{self.last_words(name)}")
                self.launch(name)

    def last_words(self, name):
        lines = self.processes[name].said().strip().splitlines()
        return lines[-1] if lines else "(it said nothing)"

    def move_gateway(self):
        """From now on the gateway is started at the other of two addresses, and new connections go there."""
        self.gateway_port = next(port for port in self.gateway_ports if port != self.gateway_port)
        for link in self.to_gateway.values():
            link.redirect(self.gateway_port)

    # ---- disks

    def database(self, name):
        return self.path / "data" / name / ("gateway.db" if name == GATEWAY else "bank.db")

    def use_small_disk(self, name):
        """Gives the server's data a file system of its own, when this user may mount one. Before its first start."""
        folder = self.path / "data" / name
        folder.mkdir(parents=True, exist_ok=True)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self.disk_mb}m,mode=0700", "tmpfs", folder],
                                 capture_output=True, check=False)
        if mounted.returncode == 0:
            self.mounts[name] = folder
        return mounted.returncode == 0

    def fill_disk(self, name, leave_bytes):
        """Leaves so much free space on the server's small disk."""
        ballast = self.mounts[name] / "ballast"
        fd = os.open(ballast, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            space = os.statvfs(ballast)
            size = space.f_bavail * space.f_frsize - leave_bytes
            while size > 0:
                try:
                    os.posix_fallocate(fd, os.fstat(fd).st_size, size)
                    break
                except OSError:  # the server has taken some of it meanwhile
                    space = os.statvfs(ballast)
                    size = min(size // 2, space.f_bavail * space.f_frsize)
        finally:
            os.close(fd)

    def free_disk(self, name):
        (self.mounts[name] / "ballast").unlink(missing_ok=True)

    def fail_disk(self, name, *lines):
        """The server's SQLite meets these faults from now on; see src/storage/sqlite/fault_vfs.h for the words."""
        control = self.fault_file(name)
        draft = control.with_suffix(".draft")
        draft.write_text("".join(f"{line}\n" for line in lines))
        draft.rename(control)

    def mend_disk(self, name):
        self.fault_file(name).unlink(missing_ok=True)

    def fault_file(self, name):
        return self.database(name).with_name(self.database(name).name + ".faults")

    # ---- the books

    def stores(self):
        return self.database(GATEWAY), {bank: self.database(bank) for bank in self.banks}

    def open_work(self):
        return open_work(*self.stores())

    def books(self):
        return Books(*self.stores())

    # ---- the end

    def stop_all(self):
        self.expect_end(*self.names)
        for process in self.processes.values():
            process.signal(signal.SIGCONT)
        return self.stop()

    def keep(self, target):
        """Copies everything worth reading after a failure."""
        shutil.copytree(self.directory, target, dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("ballast", "*.lock", "*.key", "passwords.csv"))

    def close(self):
        with self._processes_lock:
            self.ending.update(self.names)
            for process in [*self.processes.values(), *self.replaced]:
                if process.alive():
                    process.signal(signal.SIGKILL)
                    process.wait()
        self.links.close()
        for folder in self.mounts.values():
            for _ in range(50):
                if subprocess.run(["umount", folder], capture_output=True, check=False).returncode == 0:
                    break
                time.sleep(0.1)
        self.mounts = {}
        super().close()
