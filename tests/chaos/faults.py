"""The faults: each is drawn from a seed before anything happens, so that a seed gives the same sequence every time.

draw_KIND(rng, names) returns the fault's parameters; class KIND inflicts it on a cluster, and heals it. `inflict` may take
its time; `heal` leaves every process running and every link open, and says nothing about whether they serve yet.
"""

import contextlib
import os
import shutil
import signal
import sqlite3
import time

import network
from cluster import GATEWAY, RESERVED_MB, START_S
from links import DOWN, UP

DIES_S = 20  # how long a process may take to notice that its disk fails
PAGE_BYTES = 4096
BTREE_PAGES = (2, 5, 10, 13)  # first byte of the pages that hold tables and indexes


class Violation(Exception):
    """The process did what it must never do under this fault."""


class Fault:
    """One fault. `victims` are the processes it concerns, so that two faults at once stay apart."""

    alone = False  # whether another fault at the same time would spoil what this one must show

    def __init__(self, rng, names):
        self.victims = ()
        self.hold_s = rng.uniform(0.3, 5)
        self.draw(rng, names)

    @property
    def kind(self):
        return type(self).__name__.lower()

    def draw(self, rng, names):
        raise NotImplementedError

    def inflict(self, cluster):
        raise NotImplementedError

    def heal(self, cluster):
        raise NotImplementedError

    def __str__(self):
        return f"{self.kind} {','.join(self.victims)} {self.detail()}".strip() + f" for {self.hold_s:.1f} s"

    def detail(self):
        return ""


def one_or_all(rng, names):
    """A single process mostly, sometimes several, sometimes all."""
    dice = rng.random()
    if dice < 0.6:
        return [rng.choice(names)]
    return list(names) if dice > 0.85 else rng.sample(names, 2)


class Kill(Fault):
    """SIGKILL; sometimes again while the process recovers."""

    def draw(self, rng, names):
        self.victims = one_or_all(rng, names)
        self.again_after_s = [rng.uniform(0, 0.4) for _ in range(rng.choice([0, 0, 1, 2]))]

    def detail(self):
        return f"{1 + len(self.again_after_s)}x"

    def inflict(self, cluster):
        cluster.kill(*self.victims)

    def heal(self, cluster):
        for pause_s in self.again_after_s:
            for name in self.victims:
                cluster.restart(name)
            time.sleep(pause_s)
            cluster.kill(*self.victims)
        for name in self.victims:
            cluster.restart(name)


class Stop(Fault):
    """SIGSTOP and, later, SIGCONT."""

    def draw(self, rng, names):
        self.victims = one_or_all(rng, names)
        self.hold_s = rng.uniform(0.2, 8)

    def inflict(self, cluster):
        for name in self.victims:
            cluster.pause(name)

    def heal(self, cluster):
        for name in self.victims:
            cluster.resume(name)


class Stale(Fault):
    """The gateway is stopped, a replacement takes its store over, the old one wakes up: it must be refused and end."""

    def draw(self, rng, names):
        self.victims = (GATEWAY,)
        self.attempts = 10

    def inflict(self, cluster):
        old = None
        for _ in range(self.attempts):
            cluster.expect_end(GATEWAY)
            cluster.pause(GATEWAY)
            old = cluster.processes[GATEWAY]
            cluster.replaced.append(old)
            cluster.move_gateway()
            cluster.restart(GATEWAY)
            if self.took_over(cluster):
                break
            # Stopped in the middle of a commit it holds the store's lock, which nobody can break: let it finish.
            cluster.kill(GATEWAY)
            cluster.processes[GATEWAY] = cluster.replaced.pop()
            cluster.move_gateway()
            cluster.resume(GATEWAY)
            cluster.ending.discard(GATEWAY)
            time.sleep(0.1)
        else:
            raise Violation("no replacement could take the gateway's store over")
        self.old = old

    def took_over(self, cluster):
        process = cluster.processes[GATEWAY]
        with contextlib.suppress(AssertionError):
            network.wait_until(lambda: not process.alive() or cluster.serves(GATEWAY), "the takeover", 15)
        return process.alive() and cluster.serves(GATEWAY)

    def heal(self, cluster):
        self.old.signal(signal.SIGCONT)
        # Every heartbeat and payment is a commit, so it notices soon; but with all banks gone over it may have nothing to do.
        for _ in range(int(DIES_S / 0.1)):
            if not self.old.alive():
                break
            self.poke(cluster)
            time.sleep(0.1)
        else:
            raise Violation("the replaced gateway goes on running")
        if self.old.popen.returncode != 1 or "another gateway has taken over" not in self.old.said():
            raise Violation(f"the replaced gateway ended with status {self.old.popen.returncode}: {self.old.said()[-300:]}")

    def poke(self, cluster):
        """A login at the old address makes the old gateway write."""
        user = cluster.users[-1]
        request = network.gateway_pb2.AuthenticateClientRequest(username=user, password=cluster.passwords[user])
        port = next(port for port in cluster.gateway_ports if port != cluster.gateway_port)
        with network.grpc.secure_channel(f"localhost:{port}", cluster.credentials("client")) as channel:
            with contextlib.suppress(network.grpc.RpcError):
                network.gateway_pb2_grpc.PaymentGatewayStub(channel).AuthenticateClient(request, timeout=2)


class LinkFault(Fault):
    """Links by name, in directions."""

    def draw(self, rng, names):
        banks = [name for name in names if name != GATEWAY]
        every = [("to_gateway", name) for name in ("clients", *banks)] + [("to_bank", bank) for bank in banks]
        dice = rng.random()
        if dice < 0.5:
            self.links = [rng.choice(every)]
        elif dice < 0.8:  # one bank alone in the world
            bank = rng.choice(banks)
            self.links = [("to_gateway", bank), ("to_bank", bank)]
        else:
            self.links = [link for link in every if rng.random() < 0.5] or [rng.choice(every)]
        self.directions = rng.choice([(UP,), (DOWN,), (UP, DOWN), (UP, DOWN)])
        self.drop = rng.random() < 0.5
        self.hold_s = rng.uniform(0.5, 8)

    def detail(self):
        links = " ".join(f"{'gateway-' if way == 'to_bank' else ''}{name}{'-gateway' if way == 'to_gateway' else ''}"
                         for way, name in self.links)
        return f"{links} {'+'.join(self.directions)}"

    def chosen(self, cluster):
        return [getattr(cluster, way)[name] for way, name in self.links]

    def heal(self, cluster):
        for link in self.chosen(cluster):
            link.heal(self.drop)


class Cut(LinkFault):
    """Nothing passes and nobody is told; then what was held back arrives late, or every connection is reset."""

    def inflict(self, cluster):
        for link in self.chosen(cluster):
            link.cut(*self.directions)


class Slow(LinkFault):
    """Everything passes late."""

    def draw(self, rng, names):
        super().draw(rng, names)
        self.delay_s = rng.choice([0.05, 0.2, 0.5, 1.5])
        self.drop = False

    def detail(self):
        return f"{super().detail()} by {self.delay_s} s"

    def inflict(self, cluster):
        for link in self.chosen(cluster):
            link.slow(self.delay_s, *self.directions)


class Full(Fault):
    """No space on a process's disk: nearly none, and it refuses new work and goes on; or none at all, and it may end, saying so."""

    def draw(self, rng, names):
        self.victims = (rng.choice(names),)
        self.hold_s = rng.uniform(2, 6)
        self.leave_bytes = rng.choice([0, 0, 100_000, (RESERVED_MB << 20) // 2])

    def detail(self):
        return f"leaving {self.leave_bytes} bytes"

    def inflict(self, cluster):
        name, = self.victims
        cluster.expect_end(name)
        if name in cluster.mounts:
            cluster.fill_disk(name, self.leave_bytes)
        else:
            cluster.fail_disk(name, "write full", "truncate full")

    def heal(self, cluster):
        name, = self.victims
        if name in cluster.mounts:
            cluster.free_disk(name)
        else:
            cluster.mend_disk(name)
        time.sleep(1)  # a failed commit or checkpoint may still be about to end it
        if not ended(cluster, name):
            cluster.ending.discard(name)
            return
        require_storage_death(cluster, name)
        cluster.restart(name)


class Disk(Fault):
    """SQLite's writes or syncs fail: the process ends with status 1 saying so, and never tries again over it."""

    alone = True  # a process that is cut off writes nothing, and so notices nothing
    FAULTS = ("sync ioerr once", "write ioerr once", "write short once", "write full once", "sync ioerr", "write ioerr",
              "write ioerr wal once", "sync ioerr wal once")

    def draw(self, rng, names):
        self.victims = (rng.choice(names),)
        self.hold_s = rng.uniform(0.3, 3)
        self.line = rng.choice(self.FAULTS)

    def detail(self):
        return f"'{self.line}'"

    def inflict(self, cluster):
        name, = self.victims
        cluster.expect_end(name)
        cluster.fail_disk(name, self.line)
        if cluster.wait_end(name, DIES_S) is None:
            raise Violation(f"{name} goes on serving although its disk fails ({self.line})")

    def heal(self, cluster):
        name, = self.victims
        cluster.mend_disk(name)
        require_storage_death(cluster, name)
        cluster.restart(name)


class SlowDisk(Fault):
    """Every sync and write takes long; with a kill in the middle of it."""

    def draw(self, rng, names):
        self.victims = (rng.choice(names),)
        self.slow_ms = rng.choice([20, 100, 300])
        self.kill = rng.random() < 0.7

    def detail(self):
        return f"{self.slow_ms} ms{' then kill' if self.kill else ''}"

    def inflict(self, cluster):
        name, = self.victims
        cluster.fail_disk(name, f"sync slow:{self.slow_ms}", f"write slow:{self.slow_ms // 20}")

    def heal(self, cluster):
        name, = self.victims
        if self.kill:
            cluster.kill(name)
        cluster.mend_disk(name)
        if self.kill:
            cluster.restart(name)


class Corrupt(Fault):
    """A database is damaged while its process is down: the process refuses to start and names the file; with the file as it
    was before the damage it goes on."""

    def draw(self, rng, names):
        self.victims = (rng.choice(names),)
        self.hold_s = 0
        self.way = rng.choice(["page", "page", "header", "truncated"])
        self.where = rng.random()

    def detail(self):
        return self.way

    def inflict(self, cluster):
        name, = self.victims
        database = cluster.database(name)
        cluster.kill(name)
        # The log into the database, so that the damaged page is one that is read.
        connection = sqlite3.connect(database)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        sound = cluster.directory / f"{name}.sound"
        shutil.copy2(database, sound)
        try:
            self.damage(database)
            damaged = database.read_bytes()
            self.refuses(cluster, name, database)
            if database.read_bytes() != damaged:
                raise Violation(f"{name} has written to its damaged database")
        finally:
            shutil.copyfile(sound, database)
            for ending in ("-wal", "-shm"):
                database.with_name(database.name + ending).unlink(missing_ok=True)
            sound.unlink()

    def damage(self, database):
        with open(database, "r+b") as file:
            pages = os.path.getsize(database) // PAGE_BYTES
            if self.way == "truncated":
                file.truncate(max(1, pages // 2) * PAGE_BYTES)
                return
            page = 0
            if self.way == "page":
                first = 1 + int(self.where * (pages - 1))
                for candidate in [*range(first, pages), *range(1, first)]:
                    file.seek(candidate * PAGE_BYTES)
                    if file.read(1)[0] in BTREE_PAGES:
                        page = candidate
                        break
            file.seek(page * PAGE_BYTES)
            file.write(bytes((17 * i + 0xA5) % 251 for i in range(PAGE_BYTES)))

    def refuses(self, cluster, name, database):
        cluster.expect_end(name)
        cluster.restart(name)
        cluster.expect_end(name)
        status = cluster.wait_end(name)
        words = cluster.last_words(name)
        if status != 1:
            raise Violation(f"{name} with a damaged database ({self.way}): status {status}, said {words}")
        if str(database) not in words or not ("restore a backup" in words or "name another file" in words):
            raise Violation(f"{name} with a damaged database does not name it and say what to do: {words}")

    def heal(self, cluster):
        cluster.restart(self.victims[0])


def ended(cluster, name):
    return not cluster.processes[name].alive()


def require_storage_death(cluster, name):
    status = cluster.processes[name].popen.returncode
    words = cluster.last_words(name)
    if status != 1:
        raise Violation(f"{name} ended with status {status} when its disk failed, not 1: {words}")
    if str(cluster.database(name)) not in words:
        raise Violation(f"{name} does not name its database when the disk fails: {words}")


KINDS = {kind.__name__.lower(): kind for kind in (Kill, Stop, Stale, Cut, Slow, Full, Disk, SlowDisk, Corrupt)}


def steps(rng, kinds, names):
    """Faults without end: one at a time mostly, sometimes two that concern different processes."""
    while True:
        step = [KINDS[rng.choice(kinds)](rng, names)]
        if rng.random() < 0.35:
            second = KINDS[rng.choice(kinds)](rng, names)
            alone = second.alone or step[0].alone or second.kind == step[0].kind
            if not alone and not set(second.victims) & set(step[0].victims):
                step.append(second)
        yield step, rng.uniform(0, 2)
