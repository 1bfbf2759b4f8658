"""The limits of a download: the hosts that a redirect may lead to, and the bytes that one order may bring.

Redirects among the portal and the hosts of its pack are allowed. A redirect to another host is followed only to a
signed address, as portals use for files in storage, and never into a network in which the portal is not: a response of
this machine, of its network or of a cloud's metadata service is no attachment.

A full disk stops all orders until there is room again. So an order that alone would fill the disk is refused the files
that do not fit, and the other orders continue.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Self
from urllib.parse import parse_qsl, urlsplit

from poolwright.domain.options import SizeLimits
from poolwright.portal.addresses import origin_of
from poolwright.portal.pack import Pack
from poolwright.worker.transfer.received_file import DownloadRefusedError

#: Names of the parameters of a signed address (S3, Google, Azure, CloudFront and others).
_SIGNED = re.compile(
    r"x-(?:amz|goog|oss|cos|obs|bz|ms)-.*|.*signature|sig|sign|hmac|token|access_?token|policy|key-pair-id|awsaccesskeyid|"
    r"googleaccessid|ossaccesskeyid|expires?|response-content-(?:disposition|type)|rscd|ticket|auth|verify|hash|jwt",
    re.IGNORECASE,
)
#: A part of an address that cannot be guessed.
_KEY = re.compile(
    r"(?=[^A-Z]*[A-Z])(?=[^a-z]*[a-z])(?=\D*\d)[\w=~!+-]{24,}|[0-9a-f]{32,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)


def is_signed_url(url: str) -> bool:
    """Return whether an address grants access by itself, as the signed addresses of storage do."""
    parts = urlsplit(url)
    values = parse_qsl(parts.query, keep_blank_values=True)
    if any(_SIGNED.fullmatch(name) for name, _ in values):
        return True
    return any(_KEY.fullmatch(part) for part in (*(value for _, value in values), *parts.path.split("/")))


def target_problem(pack: Pack, base_url: str, url: str) -> str:
    """Return the reason not to follow an address, judged by its text; empty if only its network is left to check."""
    target, portal = origin_of(url), origin_of(base_url)
    if target is None or portal is None:
        return f"its address redirects to an invalid web address: {url[:200]}"
    if pack.may_fetch(base_url, url):
        return ""
    if target.scheme == "http" and portal.scheme == "https":
        return f"its address redirects to {target.host} without encryption"
    if not is_signed_url(url):
        return f"its address redirects to another host, which the portal pack does not name: {target.host}"
    return ""


_UNITS = ("bytes", "KB", "MB", "GB", "TB")
_UNIT_BYTES = 1024
#: Space that is reserved for the journal, for manifests, and for orders that need less than this.
FREE_BYTES_MIN = 64 * 1024 * 1024
#: Bytes between two checks of the disk.
_CHECK_EACH_BYTES = 8 * 1024 * 1024


class DownloadAllowance:
    """The bytes that one order may still download. Its parallel downloads check before they continue."""

    def __init__(self, limits: SizeLimits) -> None:
        """Begin with the full limits."""
        self._limits = limits
        self._used_bytes = 0
        self._folder: Path | None = None
        self._checked_bytes = 0

    def for_folder(self, folder: Path) -> Self:
        """Also check the disk of the folder to which files are written; return the same object."""
        self._folder = folder
        return self

    def check_announced(self, size_bytes: int) -> None:
        """Check an announced size, before a byte of the file is on the disk.

        Raises:
            DownloadRefusedError: The file does not fit.
        """
        self._check_limits(size_bytes)
        if size_bytes >= FREE_BYTES_MIN:
            self._check_room(size_bytes)

    def check(self, size_bytes: int) -> None:
        """Check the size of a file that is being written. Blocking, but from the cache of a local disk.

        Raises:
            DownloadRefusedError: The file does not fit.
        """
        self._check_limits(size_bytes)
        is_large = self._used_bytes + size_bytes >= FREE_BYTES_MIN
        if is_large and abs(size_bytes - self._checked_bytes) >= _CHECK_EACH_BYTES:
            self._checked_bytes = size_bytes
            self._check_room(0)

    def _check_room(self, coming_bytes: int) -> None:
        free = None if self._folder is None else free_bytes(self._folder)
        if free is not None and free - coming_bytes < FREE_BYTES_MIN:
            reserved = binary_size_text(FREE_BYTES_MIN)
            space = f"{binary_size_text(free)} are free, of which {reserved} are reserved for other orders"
            msg = f"the disk has no room for it ({space}); free some space and run the list again"
            raise DownloadRefusedError(msg, is_retryable=True)

    def _check_limits(self, size_bytes: int) -> None:
        if size_bytes > self._limits.file_bytes:
            limit = binary_size_text(self._limits.file_bytes)
            msg = f"it exceeds {limit}, the limit for one file (--file-max-mb)"
            raise DownloadRefusedError(msg, is_retryable=False)
        if self._used_bytes + size_bytes > self._limits.order_bytes:
            limit = binary_size_text(self._limits.order_bytes)
            msg = f"with it the order would exceed {limit}, the limit for one order (--order-max-mb)"
            raise DownloadRefusedError(msg, is_retryable=False)

    def consume(self, size_bytes: int) -> None:
        """Count a file that is kept.

        Raises:
            DownloadRefusedError: It does not fit beside the files that came meanwhile.
        """
        self._check_limits(size_bytes)
        self._used_bytes += size_bytes


def free_bytes(folder: Path) -> int | None:
    """Return the free bytes on the disk of a folder; ``None`` if unknown. Blocking."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def binary_size_text(size_bytes: int) -> str:
    """Return a size in powers of 1024: ``812 bytes``, ``1.2 MB``, ``340 MB``."""
    size, unit = float(size_bytes), 0
    while size >= _UNIT_BYTES and unit + 1 < len(_UNITS):
        size, unit = size / _UNIT_BYTES, unit + 1
    return f"{size:.1f}".removesuffix(".0") + f" {_UNITS[unit]}"
