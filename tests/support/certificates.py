"""Certificates made for a test, and a portal on loopback that goes by them."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import socketserver
import ssl
import threading
from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from poolwright.concurrency import SystemClock
from poolwright.domain.options import Identity, Secret

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
_DAY = timedelta(days=1)


def new_key(*, is_rsa: bool = False) -> Key:
    """A key of one of the two kinds that browsers show."""
    return rsa.generate_private_key(65537, 2048) if is_rsa else ec.generate_private_key(ec.SECP256R1())


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Key | ed25519.Ed25519PrivateKey

    @property
    def pem(self) -> str:
        """The certificate."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def der(self) -> bytes:
        """The certificate."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def key_pem(self, passphrase: str = "") -> str:
        """The key, closed where there is a passphrase."""
        encryption = serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else None
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            encryption or serialization.NoEncryption(),
        ).decode()

    def packed(self, passphrase: str) -> bytes:
        """Both, as a .p12 file holds them."""
        encryption = serialization.BestAvailableEncryption(passphrase.encode())
        return pkcs12.serialize_key_and_certificates(b"mine", self.key, self.certificate, None, encryption)

    @property
    def identity(self) -> Identity:
        """As a worker is told it."""
        name = str(self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
        return Identity(name=name, chain=self.pem, key=Secret(text=self.key_pem()))


def make(
    name: str,
    signed_by: Pair | None = None,
    *,
    key: Key | ed25519.Ed25519PrivateKey | None = None,
    is_authority: bool = False,
    begins: datetime | None = None,
) -> Pair:
    """A certificate for 30 days, of loopback or a visitor, or of an authority."""
    own = key or new_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    first = begins or SystemClock().now() - _DAY
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signed_by.certificate.subject if signed_by else subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(first)
        .not_valid_after(first + 30 * _DAY)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )
    if not is_authority:
        place = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        uses = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = builder.add_extension(x509.SubjectAlternativeName([place]), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage(uses), critical=False)
    signing = signed_by.key if signed_by else own
    is_plain = isinstance(signing, ed25519.Ed25519PrivateKey)
    return Pair(certificate=builder.sign(signing, None if is_plain else hashes.SHA256()), key=own)


class _Server(ThreadingHTTPServer):
    """Remembers whether somebody asked for its picture."""

    leads_to = ""

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.was_asked = threading.Event()


class _Answering(BaseHTTPRequestHandler):
    """Answers whoever is let in; who is not hears why, as servers tell it that have no event loop."""

    def setup(self) -> None:
        self.is_in = False
        with contextlib.suppress(ssl.SSLError, OSError):
            self.request.do_handshake()
            self.is_in = True
        super().setup()

    def handle(self) -> None:
        with contextlib.suppress(ssl.SSLError, OSError):
            if self.is_in:
                super().handle()
                return
            # What it has sent meanwhile is taken first: else the system would reset the connection, and not tell why.
            with socket.socket(fileno=self.request.detach()) as plain:
                plain.shutdown(socket.SHUT_WR)
                while plain.recv(4096):
                    pass

    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, _Server)
        if self.path == "/late":
            server.was_asked.wait(60)
        if self.path == "/favicon.ico":
            server.was_asked.set()
        if server.leads_to:
            self.send_response(302)
            self.send_header("Location", server.leads_to)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        visitor = self.request.getpeercert()
        name = dict(part[0] for part in visitor["subject"])["commonName"] if visitor else "nobody"
        body = f"<p id=orders>hello {name}".encode() if self.path == "/late" else f"hello {name}".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nobody reads it."""


@contextlib.contextmanager
def secure_portal(own: Pair, folder: Path, *, wants: Pair | None = None, leads_to: str = "") -> Generator[str]:
    """A portal that answers every request with the name of its visitor; its address.

    What is asked for as ``/late`` comes when its picture (``/favicon.ico``) was asked for, too.

    Args:
        own: Its certificate.
        folder: For the file that Python wants of it.
        wants: The authority that must know its visitors; nothing where it asks none of them.
        leads_to: Where it sends everybody; nothing for a page of its own.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    path = folder / f"{own.certificate.serial_number}.pem"
    path.write_text(own.key_pem() + own.pem)
    context.load_cert_chain(path)
    if wants is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=wants.pem)
    with _Server(_Answering) as server:
        server.block_on_close = False
        server.leads_to = leads_to
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        try:
            yield f"https://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            serving.join()


@contextlib.contextmanager
def dropping_portal() -> Generator[str]:
    """A portal that ends every connection as soon as its visitor has said something; its address."""

    class Dropping(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65536)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Dropping) as server:
        server.block_on_close = False
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        try:
            yield f"https://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            serving.join()
