"""HTTP/2 written by hand over TLS: what no well-behaved library would send. Knows nothing of gRPC's implementations."""

import select
import socket
import ssl
import struct
import time

from raw_tls import client_context

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS = 1, 1, 4
CANCEL, REFUSED_STREAM, ENHANCE_YOUR_CALM = 8, 7, 11
LARGEST_FRAME = 16_384


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def integer(value, prefix_bits, first=0):
    """HPACK's integer."""
    limit = (1 << prefix_bits) - 1
    if value < limit:
        return bytes([first | value])
    out, value = [first | limit], value - limit
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def literal(name, value):
    """A header that neither side remembers."""
    name, value = name.encode(), value.encode() if isinstance(value, str) else value
    return b"\0" + integer(len(name), 7) + name + integer(len(value), 7) + value


def request_headers(method, **more):
    headers = {":method": "POST", ":scheme": "https", ":path": method, ":authority": "localhost", "te": "trailers",
               "content-type": "application/grpc"}
    headers.update({name.replace("_", "-"): value for name, value in more.items()})
    return b"".join(literal(name, value) for name, value in headers.items())


def message(payload, length=None):
    """A gRPC message, or the beginning of one that claims to be longer."""
    return b"\0" + struct.pack(">I", len(payload) if length is None else length) + payload


class Connection:
    """One connection. It reads whatever comes while it sends and waits, for a server whose answers nobody takes would stop
    reading; with `reads=False` that is what it does.

    `source`: the local address, of 127.0.0.0/8, for a flood that comes from elsewhere.
    """

    def __init__(self, network, certificate="client", server="gateway", source=None, reads=True):
        plain = socket.create_connection(("127.0.0.1", network.port(server)), timeout=30,
                                         source_address=(source, 0) if source else None)
        self.tls = client_context(network, certificate).wrap_socket(plain, server_hostname="localhost")
        self.tls.setblocking(False)
        self.reads = reads
        self.buffered = b""
        self.pongs = b""  # owed, so that the server's keepalive has nothing against the connection
        self.frames = []  # (kind, flags, stream, payload), those that mean something
        self.ended = False  # the server has closed the connection
        self.sent_bytes = 0
        self.send(PREFACE + frame(SETTINGS, 0, 0))

    def _read(self):
        """Takes what is there."""
        try:
            while self.reads:
                got = self.tls.recv(65_536)
                if not got:
                    self.ended = True
                    return
                self.buffered += got
                self._parse()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except (OSError, ValueError):
            self.ended = True

    def _parse(self):
        while len(self.buffered) >= 9:
            length = int.from_bytes(self.buffered[:3], "big")
            if len(self.buffered) < 9 + length:
                return
            kind, flags, stream = self.buffered[3], self.buffered[4], int.from_bytes(self.buffered[5:9], "big")
            if kind == PING and not flags & ACK:
                self.pongs += frame(PING, ACK, 0, self.buffered[9:9 + length])
            elif kind not in (PING, WINDOW_UPDATE) and not (kind == SETTINGS and flags & ACK):
                self.frames.append((kind, flags, stream, self.buffered[9:9 + length]))
            self.buffered = self.buffered[9 + length:]

    def seen(self, kind):
        self._read()
        if self.pongs:
            pongs, self.pongs = self.pongs, b""
            self.send(pongs)
        return [entry for entry in self.frames if entry[0] == kind]

    def goaway_codes(self):
        return [int.from_bytes(payload[4:8], "big") for _, _, _, payload in self.seen(GOAWAY)]

    def send(self, data, patience_s=20):
        """False when the connection is over, or the server takes nothing more."""
        view, deadline = memoryview(data), time.monotonic() + patience_s
        while view:
            self._read()
            if self.ended or time.monotonic() > deadline:
                return False
            try:
                taken = self.tls.send(view[:LARGEST_FRAME])
                self.sent_bytes += taken
                view = view[taken:]
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                self.poll(1, select.POLLOUT)
            except (OSError, ValueError):
                self.ended = True
        return True

    def poll(self, patience_s, events=0):
        """Waits until there is something to read, or one of the events."""
        waiting = select.poll()
        waiting.register(self.tls, events | (select.POLLIN if self.reads else 0))
        waiting.poll(patience_s * 1000)

    def wait_ended(self, patience_s=20):
        deadline = time.monotonic() + patience_s
        while not self.ended and time.monotonic() < deadline:
            self.poll(0.1)
            self._read()
        return self.ended

    def send_until_closed(self, chunk, at_most_bytes):
        """Sends it over and over until the server has closed the connection; False when it never does."""
        while self.sent_bytes < at_most_bytes:
            if not self.send(next(chunk) if hasattr(chunk, "__next__") else chunk):
                return self.ended
        return self.wait_ended()

    def close(self):
        try:
            self.tls.close()
        except OSError:
            pass


def is_let_in(network, certificate="client", **options):
    """Whether a connection is made and HTTP/2 spoken on it."""
    try:
        connection = Connection(network, certificate, **options)
    except (OSError, ssl.SSLError):
        return False
    try:
        deadline = time.monotonic() + 20
        while not connection.ended and time.monotonic() < deadline:
            if connection.seen(SETTINGS):
                return True
            connection.poll(0.1)
        return False
    finally:
        connection.close()
