"""The NSS certificate database that Chrome and Chromium read on Linux, written with the NSS library.

Every Linux on which one of them starts has NSS; few have ``certutil``, its tool for such databases. Blocking.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Generator
from pathlib import Path
from typing import Any

_LIBRARY = "libnss3.so"
#: ``CERTDB_VALID_CA | CERTDB_TRUSTED_CA``: may sign the certificates of servers, and nothing else.
_SERVER_CA_TRUST = 0x08 | 0x10
#: ``KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT``: the uses of a key in a TLS handshake.
_HANDSHAKE_USAGE = 0x80 | 0x20 | 0x08

#: Functions that return a pointer.
_POINTER_FUNCTIONS = ("CERT_GetDefaultCertDB", "CERT_NewTempCertificate", "PK11_GetInternalKeySlot")


class NssError(Exception):
    """NSS is not installed, or reports an error; its text is the error text of NSS."""


class _Item(ctypes.Structure):
    """``SECItem``: bytes with their length."""

    _fields_ = (("type", ctypes.c_int), ("data", ctypes.c_char_p), ("len", ctypes.c_uint))


class _Trust(ctypes.Structure):
    """``CERTCertTrust``: the uses for which a certificate is trusted."""

    _fields_ = (("servers", ctypes.c_uint), ("mail", ctypes.c_uint), ("programs", ctypes.c_uint))


class CertificateDatabase:
    """An open database. Created by ``open_certificate_database``."""

    def __init__(self, library: ctypes.CDLL, slot: ctypes.c_void_p) -> None:
        """Keep the library, and the slot to which it writes."""
        self._library = library
        self._slot = slot
        self._certificates = ctypes.c_void_p(library.CERT_GetDefaultCertDB())

    def add_authority(self, certificate: bytes, name: str) -> None:
        """Let an authority sign certificates of servers.

        Args:
            certificate: As DER.
            name: A name that no other certificate in the database has.

        Raises:
            NssError: NSS refuses it.
        """
        with self._imported(certificate, name) as imported:
            trust = _Trust(servers=_SERVER_CA_TRUST)
            self._check(self._library.CERT_ChangeCertTrust(self._certificates, imported, ctypes.byref(trust)))

    def add_certificate(self, certificate: bytes, name: str) -> None:
        """Add a certificate that is trusted for nothing, but may be sent as client certificate.

        Raises:
            NssError: NSS refuses it.
        """
        with self._imported(certificate, name):
            pass

    def add_key(self, key: bytes, public_value: bytes, name: str) -> None:
        """Add the private key of a certificate.

        Args:
            key: As PKCS #8, DER.
            public_value: The link to its certificate: the modulus of an RSA key, the point of an elliptic-curve key.
            name: The name of its certificate.

        Raises:
            NssError: NSS refuses it.
        """
        items = (ctypes.byref(_item(part)) for part in (key, name.encode(), public_value))
        self._check(self._library.PK11_ImportDERPrivateKeyInfo(self._slot, *items, 1, 1, _HANDSHAKE_USAGE, None))

    @contextlib.contextmanager
    def _imported(self, certificate: bytes, name: str) -> Generator[ctypes.c_void_p]:
        content = ctypes.byref(_item(certificate))
        imported = ctypes.c_void_p(self._library.CERT_NewTempCertificate(self._certificates, content, None, 0, 1))
        if not imported:
            raise NssError(_error_text(self._library))
        try:
            self._check(self._library.PK11_ImportCert(self._slot, imported, ctypes.c_ulong(0), name.encode(), 0))
            yield imported
        finally:
            self._library.CERT_DestroyCertificate(imported)

    def _check(self, status: int) -> None:
        _check(self._library, status)


@contextlib.contextmanager
def open_certificate_database(folder: Path) -> Generator[CertificateDatabase]:
    """Open a database, and create it if there is none. Only one at a time in a process.

    Raises:
        NssError: NSS is not installed, or the database has a password or cannot be written.
    """
    library = _load()
    _check(library, library.NSS_InitReadWrite(f"sql:{folder}".encode()))
    try:
        slot = ctypes.c_void_p(library.PK11_GetInternalKeySlot())
        try:
            if library.PK11_NeedUserInit(slot):
                _check(library, library.PK11_InitPin(slot, None, b""))
            yield CertificateDatabase(library, slot)
        finally:
            library.PK11_FreeSlot(slot)
    finally:
        library.NSS_Shutdown()


def _load() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(_LIBRARY)
    except OSError as error:
        raise NssError(f"{_LIBRARY} is not installed on this system ({error})") from error
    for name in _POINTER_FUNCTIONS:
        getattr(library, name).restype = ctypes.c_void_p
    library.PR_ErrorToString.restype = ctypes.c_char_p
    return library


def _item(content: bytes) -> _Item:
    return _Item(0, content, len(content))


def _check(library: Any, status: int) -> None:  # noqa: ANN401 - functions of a library by name
    if status != 0:
        raise NssError(_error_text(library))


def _error_text(library: Any) -> str:  # noqa: ANN401 - see above
    text: bytes | None = library.PR_ErrorToString(library.PORT_GetError(), 0)
    return (text or b"no reason is given").decode(errors="replace").rstrip(".")
