"""The limits of a download: the hosts that a redirect may lead to, and the bytes that one order may bring.

The portal and the hosts of its pack may send a file from where they like among themselves. To another host a file is
followed as portals hand out files from storage: the address itself is the key. Never into a network in which the
portal is not: what answers on this machine, in its network or at a cloud's own address is no attachment.

A disk that is full holds everybody up until there is room again. So an order that alone would fill it makes room first:
it is refused what does not fit, and others go on.
"""

from __future__ import annotations

import ipaddress
import re
import shutil
from collections.abc import Collection
from enum import StrEnum
from pathlib import Path
from typing import Self
from urllib.parse import parse_qsl, urlsplit

from poolwright.domain.options import SizeLimits
from poolwright.portal.addresses import origin_of
from poolwright.portal.pack import Pack
from poolwright.worker.transfer.received_file import DownloadRefusedError

#: What storage calls the parts of an address that it signed (S3, Google, Azure, CloudFront and their likes).
_SIGNED = re.compile(
    r"x-(?:amz|goog|oss|cos|obs|bz|ms)-.*|.*signature|sig|sign|hmac|token|access_?token|policy|key-pair-id|awsaccesskeyid|"
    r"googleaccessid|ossaccesskeyid|expires?|response-content-(?:disposition|type)|rscd|ticket|auth|verify|hash|jwt",
    re.IGNORECASE,
)
#: A part of an address that nobody can guess.
_KEY = re.compile(
    r"(?=[^A-Z]*[A-Z])(?=[^a-z]*[a-z])(?=\D*\d)[\w=~!+-]{24,}|[0-9a-f]{32,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
)


class NetworkScope(StrEnum):
    """The scope of a network address."""

    PUBLIC = "the internet"
    PRIVATE = "a private network"
    LINK_LOCAL = "the link of this machine"
    LOOPBACK = "this machine"
    NOBODY = "nobody's network"


def network_scope(address: str) -> NetworkScope:
    """Whose address this is, as numbers; a name is nobody's."""
    try:
        told = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return NetworkScope.NOBODY
    within = getattr(told, "ipv4_mapped", None) or getattr(told, "sixtofour", None) or told
    if within.is_loopback:
        return NetworkScope.LOOPBACK
    if within.is_link_local:
        return NetworkScope.LINK_LOCAL
    if within.is_unspecified or within.is_multicast or within.is_reserved:
        return NetworkScope.NOBODY
    return NetworkScope.PUBLIC if within.is_global else NetworkScope.PRIVATE


def is_signed_url(url: str) -> bool:
    """Whether an address is its own key, as those of storage are that a portal hands out."""
    parts = urlsplit(url)
    values = parse_qsl(parts.query, keep_blank_values=True)
    if any(_SIGNED.fullmatch(name) for name, _ in values):
        return True
    return any(_KEY.fullmatch(part) for part in (*(value for _, value in values), *parts.path.split("/")))


def target_problem(pack: Pack, base_url: str, url: str) -> str:
    """Why an address may not be followed, by its text alone; empty when it may, if its network is right too."""
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


def network_problem(host: str, addresses: Collection[str], portal_addresses: Collection[str]) -> str:
    """Why a host may not be asked, by the addresses that it has; empty when it may.

    Args:
        host: Its name, for the sentence.
        addresses: Those of the host; none where only a proxy knows it.
        portal_addresses: Those of the portal.
    """
    allowed = {NetworkScope.PUBLIC, *map(network_scope, portal_addresses)} - {NetworkScope.NOBODY}
    wrong = next((reach for reach in map(network_scope, addresses) if reach not in allowed), None)
    return "" if wrong is None else f"its address leads to {host}, which is in {wrong}, where the portal is not"


_STEPS = ("bytes", "KB", "MB", "GB", "TB")
_STEP_BYTES = 1024
#: So much of the disk is left to others: the journal, manifests, and orders that need less than this.
FREE_BYTES_MIN = 64 * 1024 * 1024
#: What comes between two looks at the disk.
_CHECK_EACH_BYTES = 8 * 1024 * 1024


class DownloadAllowance:
    """What is left for one order. Its downloads, which run side by side, ask before they go on."""

    def __init__(self, limits: SizeLimits) -> None:
        """Begin with nothing used."""
        self._limits = limits
        self._used_bytes = 0
        self._folder: Path | None = None
        self._looked_bytes = 0

    def for_folder(self, folder: Path) -> Self:
        """The same, with an eye on the disk of the folder in which files land."""
        self._folder = folder
        return self

    def check_announced(self, size_bytes: int) -> None:
        """See whether a file fits that is announced to have so many bytes, and of which none is on the disk yet.

        Raises:
            RefusedError: It does not.
        """
        self._check_limits(size_bytes)
        if size_bytes >= FREE_BYTES_MIN:
            self._check_room(size_bytes)

    def check(self, size_bytes: int) -> None:
        """See whether a file that has so many bytes by now still fits. Blocking, but of a local disk's memory.

        Raises:
            RefusedError: It does not.
        """
        self._check_limits(size_bytes)
        is_large = self._used_bytes + size_bytes >= FREE_BYTES_MIN
        if is_large and abs(size_bytes - self._looked_bytes) >= _CHECK_EACH_BYTES:
            self._looked_bytes = size_bytes
            self._check_room(0)

    def _check_room(self, coming_bytes: int) -> None:
        free = None if self._folder is None else free_bytes(self._folder)
        if free is not None and free - coming_bytes < FREE_BYTES_MIN:
            left = f"{format_size(free)} are free, of which {format_size(FREE_BYTES_MIN)} are reserved for other orders"
            msg = f"the disk has no room for it ({left}); free some space and run the list again"
            raise DownloadRefusedError(msg, is_retryable=True)

    def _check_limits(self, size_bytes: int) -> None:
        if size_bytes > self._limits.file_bytes:
            limit = format_size(self._limits.file_bytes)
            msg = f"it exceeds {limit}, the limit for one file (--file-max-mb)"
            raise DownloadRefusedError(msg, is_retryable=False)
        if self._used_bytes + size_bytes > self._limits.order_bytes:
            limit = format_size(self._limits.order_bytes)
            msg = f"with it the order would exceed {limit}, the limit for one order (--order-max-mb)"
            raise DownloadRefusedError(msg, is_retryable=False)

    def consume(self, size_bytes: int) -> None:
        """Count a file that is kept.

        Raises:
            RefusedError: It does not fit beside those that came meanwhile.
        """
        self._check_limits(size_bytes)
        self._used_bytes += size_bytes


def free_bytes(folder: Path) -> int | None:
    """Free bytes on the disk of a folder; ``None`` if unknown. Blocking."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None


def format_size(size_bytes: int) -> str:
    """Format a size for people."""
    size, step = float(size_bytes), 0
    while size >= _STEP_BYTES and step + 1 < len(_STEPS):
        size, step = size / _STEP_BYTES, step + 1
    return f"{size:.1f}".removesuffix(".0") + f" {_STEPS[step]}"
