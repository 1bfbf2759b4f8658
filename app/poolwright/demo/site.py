"""The state of one running demo portal: its orders, files, sessions, faults and counters.

Files of defective attachments are shelved as they are delivered; see ``delivered_bytes`` for what arrives.
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
    """A bounded cache of files. One per portal; the digests may be asked from a thread beside the loop."""

    def __init__(self, *, seed: int, room_bytes: int) -> None:
        self._seed = seed
        self._room_bytes = room_bytes
        self._used_bytes = 0
        self._contents: OrderedDict[int, bytes] = OrderedDict()
        self._digests: dict[int, str] = {}

    def content(self, attachment: Attachment) -> bytes:
        """The file as the portal holds it. Call on the event loop only."""
        key = attachment.attachment_id
        found = self._contents.get(key)
        if found is not None:
            self._contents.move_to_end(key)
            return found
        made = self._made(attachment)
        self._contents[key] = made
        self._used_bytes += len(made)
        while self._used_bytes > self._room_bytes and len(self._contents) > 1:
            self._used_bytes -= len(self._contents.popitem(last=False)[1])
        return made

    def sha256(self, attachment: Attachment) -> str:
        """The digest of that file in lower-case hexadecimal."""
        key = attachment.attachment_id
        if key not in self._digests:
            self._digests[key] = hashlib.sha256(self._made(attachment)).hexdigest()
        return self._digests[key]

    def _made(self, attachment: Attachment) -> bytes:
        if attachment.defect is Defect.EMPTY:
            return b""
        kind = DocumentKind.HTML if attachment.defect is Defect.DISGUISED else attachment.kind
        title = f"Order {attachment.order_number}, file {attachment.attachment_id} of portal {self._seed}"
        return make_document(kind, attachment.size_bytes, title)


_FILE_STORE_BYTES = 64_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSite:
    """One portal. The parts change by their own methods only."""

    admin_token: str
    catalogue: Catalogue
    file_store: FileStore
    sessions: Sessions
    account: PortalUser = field(default_factory=PortalUser)
    #: Nothing where the password is enough.
    second_factor: TotpVerifier | None = None
    faults: FaultRegistry = field(default_factory=FaultRegistry)
    counters: Counters = field(default_factory=Counters)
    assets: Mapping[str, Asset] = field(default_factory=make_assets)


def make_site(
    *, seed: int, order_count: int, session_minutes: float | None, admin_token: str, totp_secret: str = ""
) -> DemoSite:
    """Set up a portal; sessions unused for ``session_minutes`` end, or never where nothing is given."""
    return DemoSite(
        admin_token=admin_token,
        catalogue=Catalogue(seed, order_count),
        account=PortalUser(totp_secret=totp_secret),
        second_factor=TotpVerifier(totp_secret, time.time) if totp_secret else None,  # noqa: TID251 - the clock
        file_store=FileStore(seed=seed, room_bytes=_FILE_STORE_BYTES),
        sessions=Sessions(clock=time.monotonic, lifetime_s=None if session_minutes is None else session_minutes * 60),
    )


def get_site(request: Request) -> DemoSite:
    """The portal that a request came to."""
    site: DemoSite = request.app.state.site
    return site
