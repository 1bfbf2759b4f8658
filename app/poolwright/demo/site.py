"""The state of one running demo portal: its orders, files, sessions, faults and counters.

The content of a defective attachment is the defective one; ``routes_orders`` truncates or omits the others.
"""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.requests import Request

from poolwright.demo.assets import Asset, make_assets
from poolwright.demo.auth import PortalUser, Sessions, TotpVerifier
from poolwright.demo.catalogue.catalogue import Catalogue
from poolwright.demo.catalogue.order import Attachment, Defect
from poolwright.demo.documents import DocumentKind, make_document
from poolwright.demo.faults import FaultRegistry
from poolwright.demo.stats import Counters


class FileStore:
    """A bounded cache of file contents. ``sha256`` may be called in a thread, ``content`` only in the event loop."""

    def __init__(self, *, seed: int, capacity_bytes: int) -> None:
        self._seed = seed
        self._capacity_bytes = capacity_bytes
        self._used_bytes = 0
        self._contents: OrderedDict[int, bytes] = OrderedDict()
        self._digests: dict[int, str] = {}

    def content(self, attachment: Attachment) -> bytes:
        """Return the content of a file. Call it in the event loop only."""
        key = attachment.attachment_id
        cached = self._contents.get(key)
        if cached is not None:
            self._contents.move_to_end(key)
            return cached
        content = self._make(attachment)
        self._contents[key] = content
        self._used_bytes += len(content)
        while self._used_bytes > self._capacity_bytes and len(self._contents) > 1:
            self._used_bytes -= len(self._contents.popitem(last=False)[1])
        return content

    def sha256(self, attachment: Attachment) -> str:
        """Return the SHA-256 of a file in lower-case hexadecimal."""
        key = attachment.attachment_id
        if key not in self._digests:
            self._digests[key] = hashlib.sha256(self._make(attachment)).hexdigest()
        return self._digests[key]

    def _make(self, attachment: Attachment) -> bytes:
        if attachment.defect is Defect.EMPTY:
            return b""
        kind = DocumentKind.HTML if attachment.defect is Defect.DISGUISED else attachment.kind
        title = f"Order {attachment.order_number}, file {attachment.attachment_id} of portal {self._seed}"
        return make_document(kind, attachment.size_bytes, title)


_FILE_STORE_BYTES = 64_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSite:
    """The state of one portal; each part is changed only by its own methods."""

    admin_token: str
    catalogue: Catalogue
    file_store: FileStore
    sessions: Sessions
    account: PortalUser = field(default_factory=PortalUser)
    #: ``None`` if the password is enough.
    second_factor: TotpVerifier | None = None
    faults: FaultRegistry = field(default_factory=FaultRegistry)
    counters: Counters = field(default_factory=Counters)
    assets: Mapping[str, Asset] = field(default_factory=make_assets)


def make_site(
    *, seed: int, order_count: int, session_minutes: float | None, admin_token: str, totp_secret: str = ""
) -> DemoSite:
    """Create a portal; sessions end when unused for ``session_minutes``, or never if that is ``None``."""
    return DemoSite(
        admin_token=admin_token,
        catalogue=Catalogue(seed, order_count),
        account=PortalUser(totp_secret=totp_secret),
        second_factor=TotpVerifier(totp_secret, time.time) if totp_secret else None,  # noqa: TID251 - one-time codes depend on wall time
        file_store=FileStore(seed=seed, capacity_bytes=_FILE_STORE_BYTES),
        sessions=Sessions(clock=time.monotonic, lifetime_s=None if session_minutes is None else session_minutes * 60),
    )


def get_site(request: Request) -> DemoSite:
    """Return the portal that a request belongs to."""
    site: DemoSite = request.app.state.site
    return site
