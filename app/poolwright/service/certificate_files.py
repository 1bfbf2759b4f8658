"""Reads certificate and key files: PEM, DER (``.cer``), and ``.p12`` or ``.pfx``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import pkcs12

from poolwright.domain.errors import OptionsError
from poolwright.domain.options import Identity, Secret
from poolwright.service.keyring import SERVICE_NAME, read_secret
from poolwright.settings import Settings, variable_name

_PEM = b"-----BEGIN "
_KEY = re.compile(rb"-----BEGIN ([A-Z ]*)PRIVATE KEY-----.*?-----END \1PRIVATE KEY-----", re.DOTALL)
_CLOSED = "cannot be decrypted with the configured passphrase"
_ASK_AUTHORITY = "Ask the operator of the portal or of your network for the certificate of its signing authority"
_ASK_GIVER = "Ask the issuer for another one"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCertificate:
    """A client certificate, its chain, and its key."""

    certificates: Sequence[x509.Certificate]
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def read_authorities(path: Path, now: datetime) -> Sequence[x509.Certificate]:
    """Return the valid certificates of authorities in a file.

    Raises:
        OptionsError: The file contains none.
    """
    certificates = _certificates("ca_file", path, _read("ca_file", path))
    authorities = [certificate for certificate in certificates if _is_authority(certificate)]
    if not authorities:
        problem = f"is the certificate of {_name(certificates[0].subject)}, which is not a certificate authority"
        _refuse("ca_file", path, problem, _ASK_AUTHORITY)
    valid = [certificate for certificate in authorities if certificate.not_valid_after_utc > now]
    if not valid:
        _refuse("ca_file", path, f"ended on {authorities[0].not_valid_after_utc:%Y-%m-%d}", _ASK_AUTHORITY)
    return valid


def read_client_certificate(settings: Settings, path: Path, now: datetime) -> ClientCertificate:
    """Return the client certificate with its key.

    Raises:
        OptionsError: A file is missing or cannot be decrypted, the certificate has expired, or the key does not match.
    """
    content = _read("client_cert", path)
    if settings.client_key is not None:
        key = _key("client_key", settings.client_key, _read("client_key", settings.client_key), settings)
        certificates = _certificates("client_cert", path, content)
    elif _PEM in content:
        key, certificates = _key("client_cert", path, content, settings), _certificates("client_cert", path, content)
    else:
        key, certificates = _unpacked(path, content, settings)
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        _refuse("client_cert", path, "has a key that is neither RSA nor EC: browsers do not support it", _ASK_GIVER)
    own = next((item for item in certificates if item.public_key() == key.public_key()), None)
    if own is None:
        _refuse("client_cert", path, "contains no certificate that matches the key", "Set a matching pair")
    begins, ends = own.not_valid_before_utc, own.not_valid_after_utc
    if not begins <= now <= ends:
        problem = f"is valid from {begins:%Y-%m-%d} to {ends:%Y-%m-%d}, and today is {now:%Y-%m-%d}"
        _refuse("client_cert", path, problem, _ASK_GIVER)
    return ClientCertificate(certificates=(own, *(item for item in certificates if item != own)), key=key)


def to_pem(certificates: Sequence[x509.Certificate]) -> str:
    """Return certificates as PEM text."""
    return "".join(item.public_bytes(serialization.Encoding.PEM).decode() for item in certificates)


def to_identity(own: ClientCertificate, hosts: tuple[str, ...]) -> Identity:
    """Return the client certificate in the form that is sent to workers.

    Args:
        own: The certificate and its key.
        hosts: Hosts that also get the certificate, in addition to the portal.
    """
    plain = own.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    name = _common_name(own.certificates[0].subject)
    return Identity(name=name, chain=to_pem(own.certificates), key=Secret(text=plain.decode()), hosts=hosts)


def describe_certificates(certificates: Sequence[x509.Certificate]) -> str:
    """Return a description: ``Company Root and 1 more, until 2030-01-01``."""
    more = f" and {len(certificates) - 1} more" if len(certificates) > 1 else ""
    ends = min(certificate.not_valid_after_utc for certificate in certificates)
    return f"{_name(certificates[0].subject)}{more}, until {ends:%Y-%m-%d}"


def _key(name: str, path: Path, content: bytes, settings: Settings) -> PrivateKeyTypes:
    block = _KEY.search(content)
    if block is None:
        advice = f"Set client_key to the file that does ({variable_name('client_key')})"
        _refuse(name, path, "contains no private key (PEM)", advice)
    is_locked = b"ENCRYPTED" in block.group()
    try:
        return serialization.load_pem_private_key(block.group(), _passphrase(settings, path) if is_locked else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        if is_locked:
            _refuse(name, path, _CLOSED, _opening(path))
        _refuse(name, path, "contains a private key that cannot be read", _ASK_GIVER)


def _unpacked(path: Path, content: bytes, settings: Settings) -> tuple[PrivateKeyTypes, Sequence[x509.Certificate]]:
    try:
        bundle = pkcs12.load_pkcs12(content, _passphrase(settings, path))
    except ValueError:
        _refuse("client_cert", path, f"is not a PEM, .p12 or .pfx file, or {_CLOSED}", _opening(path))
    if bundle.key is None or bundle.cert is None:
        _refuse("client_cert", path, "contains no certificate with its private key", _ASK_GIVER)
    return bundle.key, (bundle.cert.certificate, *(other.certificate for other in bundle.additional_certs))


def _passphrase(settings: Settings, path: Path) -> bytes | None:
    passphrase = settings.client_key_password.get_secret_value() or read_secret(str(path))[0]
    return passphrase.encode() or None


def _opening(path: Path) -> str:
    return (
        f"Set client_key_password ({variable_name('client_key_password')}), or store it in the system's keyring "
        f"(`keyring set {SERVICE_NAME} {path}`)"
    )


def _certificates(name: str, path: Path, content: bytes) -> Sequence[x509.Certificate]:
    try:
        if _PEM in content:
            return x509.load_pem_x509_certificates(content)
        return (x509.load_der_x509_certificate(content),)
    except ValueError:
        _refuse(name, path, "contains no readable certificate (PEM, or DER as in .cer files)", "Name another file")


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):  # a certificate without extensions
        return certificate.issuer == certificate.subject


def _name(subject: x509.Name) -> str:
    return _common_name(subject) or subject.rfc4514_string() or "an unnamed subject"


def _common_name(subject: x509.Name) -> str:
    return next((str(part.value) for part in subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)), "")


def _read(name: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        _refuse(name, path, f"cannot be read ({error.strerror})", "Set another file, or make this one readable")


def _refuse(name: str, path: Path, problem: str, advice: str) -> NoReturn:
    raise OptionsError(f"{name} ({variable_name(name)}) is '{path}', which {problem}. {advice}.")
