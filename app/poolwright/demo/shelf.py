"""Where the files come from: made when asked for, the last ones kept, every SHA-256 remembered.

Files of defective attachments are shelved as they are delivered; see ``delivered_bytes`` for what arrives.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict

from poolwright.demo.catalogue.order import Attachment, Defect
from poolwright.demo.documents import DocumentKind, make_document


class Shelf:
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
