"""TLS connections made with Python's ssl module: what a handshake comes to, and a server with any certificate one likes."""

import socket
import ssl
import threading

HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"  # and empty SETTINGS


def client_context(network, certificate):
    """That trusts the network's CA, shows this certificate (None: none) and speaks HTTP/2."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(network.path / "certs/ca.crt")
    context.set_alpn_protocols(["h2"])
    if certificate is not None:
        certs = network.path / "certs"
        context.load_cert_chain(certs / f"{certificate}.crt", certs / f"{certificate}.key")
    return context


def talk(port, context, source=None):
    """Connects and greets; returns (TLS version, cipher) when the server answers in HTTP/2. With TLS 1.3 a server refuses a
    certificate only after the client believes the handshake done, so it is the answer that counts."""
    address = (source, 0) if source else None
    with socket.create_connection(("127.0.0.1", port), timeout=20, source_address=address) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as tls:
            tls.sendall(HTTP2_PREFACE)
            answer = tls.recv(9)
            if len(answer) < 9 or answer[3] != 4:
                raise ConnectionError(f"no HTTP/2 settings but {answer!r}")
            return tls.version(), tls.cipher()[0]


def is_refused(port, context, source=None):
    try:
        talk(port, context, source)
    except (ssl.SSLError, ConnectionError, OSError):
        return True
    return False


class Impostor:
    """A TLS server with a certificate of the network's, which counts the bytes it is told once a handshake has succeeded."""

    def __init__(self, network, certificate, port=0):
        certs = network.path / "certs"
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certs / f"{certificate}.crt", certs / f"{certificate}.key")
        self.context.load_verify_locations(certs / "ca.crt")
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.context.set_alpn_protocols(["h2"])
        self.dialled = threading.Semaphore(0)  # one for each connection, handled to its end
        self.told = []
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            plain.settimeout(20)
            try:
                with self.context.wrap_socket(plain, server_side=True) as tls:
                    # gRPC asks its verifier after the handshake and then hangs up without a word.
                    received = tls.recv(4096)
                    if received:
                        self.told.append(received)
            except OSError:
                pass
            finally:
                plain.close()
                self.dialled.release()

    def close(self):
        self.listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
