"""What a long history costs: payments per second, memory, restart and history pages on books that were filled beforehand."""

import shutil
import statistics
import time
from pathlib import Path

import contenders

NAMES = ("fresh@64", "restart, fresh", "full@64", "restart, full", "pages")
PAGE_ROWS = 10
FAR_PAGE = 1000
LOOKS = 300
BYTES_A_PAYMENT = 1500  # on disk, gateway and banks together, and some room
BYTES_AN_ACCOUNT = 1200
FILL_PATIENCE_S = 4 * 3600


class FilledNetwork(contenders.Network):
    """A network whose books begin with so many payments between so many accounts, as if they had been made."""

    def __init__(self, payments, accounts):
        super().__init__(banks=2, users=64)
        self.payments, self.accounts_each = payments, accounts // 2

    def __enter__(self):
        super().__enter__()
        try:
            needed = self.payments * BYTES_A_PAYMENT + 2 * self.accounts_each * BYTES_AN_ACCOUNT
            if shutil.disk_usage(self.directory).free < needed:
                raise contenders.Failed(f"{self.directory} has no room for {self.payments:,} payments: about "
                                        f"{needed / 2**30:.0f} GiB are needed; set TMPDIR or use a smaller --history")
            print(f"filling books: {self.payments:,} payments, {2 * self.accounts_each:,} accounts …", flush=True)
            started = time.monotonic()
            contenders.run(contenders.PROGRAMS / "books_fill", self.path, self.banks, self.payments, self.accounts_each,
                           patience_s=FILL_PATIENCE_S)
            print(f"filled in {time.monotonic() - started:.0f} s", flush=True)
        except BaseException:
            self.__exit__()
            raise
        return self

    def pay(self, seconds, *flags):
        """To all accounts, so that no cache holds what is needed. The books are proved once, at the end of all rounds."""
        return super().pay(seconds, "--other-payees", self.accounts_each, "--no-verify", *flags)

    def pages(self):
        """The median time of the first page of a user's history and of a far one, in turns."""
        client, request = _client(self)
        tokens = [""]
        while len(tokens) < FAR_PAGE:
            page = client.call("ViewTransactionHistory", request(page_size=PAGE_ROWS, page_token=tokens[-1]))
            if not page.next_page_token:
                break
            tokens.append(page.next_page_token)
        first, far = [], []
        for _ in range(LOOKS):
            for times, token in ((first, ""), (far, tokens[-1])):
                started = time.perf_counter()
                client.call("ViewTransactionHistory", request(page_size=PAGE_ROWS, page_token=token))
                times.append(1e6 * (time.perf_counter() - started))
        return {"page": len(tokens), "first_us": statistics.median(first), "far_us": statistics.median(far)}

    def verify(self):
        contenders.run(contenders.PROGRAMS / "strife", "verify", "--dir", self.path, patience_s=FILL_PATIENCE_S)


def _client(filled):
    """The tests' independent client, logged in as the first user, and the request it makes."""
    import network  # noqa: PLC0415 generates stubs, which is not for those who measure something else

    known = network.Network.__new__(network.Network)  # of a network that exists already
    known.path, known.port_base = Path(filled.path), filled.port_base
    lines = (filled.path / "passwords.csv").read_text().splitlines()[1:]
    known.passwords = dict(line.split(",", 1) for line in lines)
    return network.Client(known, "user1"), network.gateway_pb2.ViewTransactionHistoryRequest


def measure(arguments, measure_one):
    """All rounds; `measure_one(round, name, run)` runs and keeps a sample."""
    seconds = arguments.seconds
    # The same accounts on both sides: what is compared is the history alone.
    with FilledNetwork(arguments.history, arguments.accounts) as full, FilledNetwork(1, arguments.accounts) as fresh:
        for number in range(1, arguments.rounds + 1):
            for name, network in (("fresh", fresh), ("full", full)):
                network.start()
                measure_one(number, f"{name}@64", lambda n=network: n.pay(seconds, "--outstanding", 64))
                measure_one(number, f"restart, {name}", network.restart)
                if network is full:
                    measure_one(number, "pages", full.pages)
                network.stop()
        print("proving the books …", flush=True)
        for network in (fresh, full):
            network.verify()
