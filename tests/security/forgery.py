"""Certificates and tokens made by hand, by somebody who has stolen the keys. Knows nothing of Strife's own code.

With the right keys in hand each attack can be wrong in one thing only, so what refuses it is the check of that thing.
"""

import base64
import datetime
import json
import uuid

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Forger:
    """Makes access tokens with the gateway's own key, starting from a real one."""

    def __init__(self, network, real_token):
        header, payload, signature = real_token.split(".")
        self.header = json.loads(unb64(header))
        self.claims = json.loads(unb64(payload))
        self.key = self._find_key(network, f"{header}.{payload}".encode(), unb64(signature))

    @staticmethod
    def _find_key(network, signed, signature):
        der = utils.encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
        for path in network.path.rglob("token_keys/*.pem"):
            key = serialization.load_pem_private_key(path.read_bytes(), None)
            try:
                key.public_key().verify(der, signed, ec.ECDSA(hashes.SHA256()))
                return key
            except InvalidSignature:
                continue
        raise AssertionError("no key of the gateway's has signed this token")

    def sign(self, signed, key=None):
        r, s = utils.decode_dss_signature((key or self.key).sign(signed, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def token(self, header=None, claims=None, without=(), key=None, signature=None):
        """The real token with these header fields and claims changed and those left out; signed, unless `signature`
        (a function of the signed bytes) does it otherwise."""
        head = {k: v for k, v in {**self.header, **(header or {})}.items() if k not in without}
        body = {k: v for k, v in {**self.claims, **(claims or {})}.items() if k not in without}
        signed = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(body).encode())}"
        made = signature(signed.encode()) if signature else self.sign(signed.encode(), key)
        return f"{signed}.{b64(made)}"


def issue(network, role, name, uris=None, usages=(ExtendedKeyUsageOID.CLIENT_AUTH,), days=1, valid_from_days=0):
    """A certificate signed with the network's own CA, and its key; kept beside the others as `name`. It is good for
    `days` from `valid_from_days` on, less five minutes. Without `usages` it does not say what it may be used for."""
    certs = network.path / "certs"
    authority = x509.load_pem_x509_certificate((certs / "ca.crt").read_bytes())
    authority_key = serialization.load_pem_private_key((certs / "ca.key").read_bytes(), None)
    domain = next(uri for uri in authority.extensions.get_extension_for_class(
        x509.SubjectAlternativeName).value.get_values_for_type(x509.UniformResourceIdentifier))
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.utcnow()
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days=valid_from_days) - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=valid_from_days + days))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(True, False, False, False, False, False, False, False, False), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .add_extension(x509.SubjectAlternativeName(
            [x509.UniformResourceIdentifier(uri) for uri in uris or [f"{domain}/{role}/{name}"]]), critical=False))
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(list(usages)), critical=False)
    certificate = builder.sign(authority_key, hashes.SHA256())
    (certs / f"{name}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = certs / f"{name}.key"
    private.touch(0o600)
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                          serialization.NoEncryption()))
    return name


def some_id():
    return str(uuid.uuid4())
