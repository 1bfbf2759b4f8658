"""The NSS certificate database that Chrome and Chromium read on Linux, written with the NSS library.

NSS is on every Linux on which one of them starts, its own tool for such databases (``certutil``) on few. Blocking.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Generator
from pathlib import Path
from typing import Any

_LIBRARY = "libnss3.so"
#: ``CERTDB_VALID_CA | CERTDB_TRUSTED_CA``: may sign the certificates of servers, and nothing else.
_SERVERS = 0x08 | 0x10
#: ``KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT``: all that a key does while a connection begins.
_CONNECTIONS = 0x80 | 0x20 | 0x08

#: Functions that give a pointer back.
_POINTERS = ("CERT_GetDefaultCertDB", "CERT_NewTempCertificate", "PK11_GetInternalKeySlot")


class NssError(Exception):
    """NSS is not there, or refuses what it is asked; its own words."""


class _Item(ctypes.Structure):
    """``SECItem``: some bytes."""

    _fields_ = (("type", ctypes.c_int), ("data", ctypes.c_char_p), ("len", ctypes.c_uint))


class _Trust(ctypes.Structure):
    """``CERTCertTrust``: what a certificate is trusted for."""

    _fields_ = (("servers", ctypes.c_uint), ("mail", ctypes.c_uint), ("programs", ctypes.c_uint))


class CertificateDatabase:
    """A database that is open. Made by ``open_database`` alone."""

    def __init__(self, library: ctypes.CDLL, slot: ctypes.c_void_p) -> None:
        """Keep the library, and its place for what is written."""
        self._library = library
        self._slot = slot
        self._certificates = ctypes.c_void_p(library.CERT_GetDefaultCertDB())

    def add_authority(self, certificate: bytes, name: str) -> None:
        """Let an authority sign certificates of servers.

        Args:
            certificate: As DER.
            name: One that no other certificate here has.

        Raises:
            DatabaseError: It is not taken.
        """
        with self._taken(certificate, name) as taken:
            trust = _Trust(servers=_SERVERS)
            self._check(self._library.CERT_ChangeCertTrust(self._certificates, taken, ctypes.byref(trust)))

    def add_certificate(self, certificate: bytes, name: str) -> None:
        """Put a certificate in that is trusted for nothing, but may be shown.

        Raises:
            DatabaseError: It is not taken.
        """
        with self._taken(certificate, name):
            pass

    def add_key(self, key: bytes, public_value: bytes, name: str) -> None:
        """Put the private key of a certificate in.

        Args:
            key: As PKCS #8, DER.
            public_value: What joins it to its certificate: the modulus of an RSA key, the point of an elliptic one.
            name: That of its certificate.

        Raises:
            DatabaseError: It is not taken.
        """
        told = (ctypes.byref(_item(part)) for part in (key, name.encode(), public_value))
        self._check(self._library.PK11_ImportDERPrivateKeyInfo(self._slot, *told, 1, 1, _CONNECTIONS, None))

    @contextlib.contextmanager
    def _taken(self, certificate: bytes, name: str) -> Generator[ctypes.c_void_p]:
        content = ctypes.byref(_item(certificate))
        taken = ctypes.c_void_p(self._library.CERT_NewTempCertificate(self._certificates, content, None, 0, 1))
        if not taken:
            raise NssError(_words(self._library))
        try:
            self._check(self._library.PK11_ImportCert(self._slot, taken, ctypes.c_ulong(0), name.encode(), 0))
            yield taken
        finally:
            self._library.CERT_DestroyCertificate(taken)

    def _check(self, status: int) -> None:
        _check(self._library, status)


@contextlib.contextmanager
def open_certificate_database(folder: Path) -> Generator[CertificateDatabase]:
    """Open a database, which is made where there is none. One at a time in a process.

    Raises:
        DatabaseError: NSS is not there, or the database has a password or cannot be written.
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
        raise NssError(f"{_LIBRARY} is not on this system ({error})") from error
    for name in _POINTERS:
        getattr(library, name).restype = ctypes.c_void_p
    library.PR_ErrorToString.restype = ctypes.c_char_p
    return library


def _item(content: bytes) -> _Item:
    return _Item(0, content, len(content))


def _check(library: Any, status: int) -> None:  # noqa: ANN401 - functions of a library by name
    if status != 0:
        raise NssError(_words(library))


def _words(library: Any) -> str:  # noqa: ANN401 - see above
    told: bytes | None = library.PR_ErrorToString(library.PORT_GetError(), 0)
    return (told or b"it gives no reason").decode(errors="replace").rstrip(".")
