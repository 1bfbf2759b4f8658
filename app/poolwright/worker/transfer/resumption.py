"""Whether a transfer that broke off can go on where it ended, and whether the answer to that request does so. Pure.

Only the rest of the very same bytes may be appended (RFC 9110, 13.1.5 and 14): the portal must have told a strong
validator of the file, the request names it in If-Range, and the answer must be the part that was asked for, of the same
length and with the same validator. A portal that ignores the request, or whose file is another one by now, answers with
the whole file, which then takes the place of what was received.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus
from typing import Self

from poolwright.worker.transfer.received_file import announced_size, parse_content_encoding
from poolwright.worker.transfer.validators import Validators

#: The part of an answer; its total length is ``*`` if the portal does not know it.
_PART = re.compile(r"bytes\s+(\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.IGNORECASE)


class Continuation(Enum):
    """What an answer to the request for the rest of a file is."""

    #: The rest, to be appended.
    REST = auto()
    #: The whole file, which begins anew.
    WHOLE = auto()
    #: Something else: the transfer stays broken.
    NEITHER = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumption:
    """The rest of a file whose transfer broke off."""

    #: Bytes that were received, so the position of the first one that is missing.
    received_bytes: int
    #: Length of the whole file; ``None`` if the portal did not tell it.
    total_bytes: int | None
    #: Strong validators of the file.
    validators: Validators

    @classmethod
    def find(cls, status: int, headers: Mapping[str, str], received_bytes: int) -> Self | None:
        """Return the rest of a file; ``None`` if it cannot be asked for.

        Args:
            status: The HTTP status of the answer that broke off.
            headers: Its headers, with names in lower case.
            received_bytes: The bytes of its content that were received.
        """
        validators = Validators.read(headers)
        if status != HTTPStatus.OK or not received_bytes or not validators.condition:
            return None
        if parse_content_encoding(headers.get("content-encoding", "")):
            return None
        if headers.get("accept-ranges", "").strip().lower() == "none":
            return None
        total_bytes = announced_size(status, headers)
        if total_bytes is not None and received_bytes >= total_bytes:
            return None
        return cls(received_bytes=received_bytes, total_bytes=total_bytes, validators=validators)

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers that ask for the rest, or for the whole file if it is another one by now."""
        same = self.validators.etag or self.validators.last_modified
        return {"Range": f"bytes={self.received_bytes}-", "If-Range": same}

    def judge(self, status: int, headers: Mapping[str, str]) -> Continuation:
        """Return what an answer is.

        Args:
            status: Its HTTP status.
            headers: Its headers, with names in lower case.
        """
        if status == HTTPStatus.OK:
            return Continuation.WHOLE
        if status == HTTPStatus.PARTIAL_CONTENT and self._is_rest(headers):
            return Continuation.REST
        return Continuation.NEITHER

    def _is_rest(self, headers: Mapping[str, str]) -> bool:
        part = _PART.fullmatch(headers.get("content-range", "").strip())
        if part is None or parse_content_encoding(headers.get("content-encoding", "")):
            return False
        first, last, total = int(part[1]), int(part[2]), part[3]
        total_bytes = self.total_bytes if total == "*" else int(total)
        if first != self.received_bytes or total_bytes is None or last + 1 != total_bytes:
            return False
        return total_bytes == (self.total_bytes or total_bytes) and self._has_same_validators(headers)

    def _has_same_validators(self, headers: Mapping[str, str]) -> bool:
        """Return whether the answer names the same state of the file.

        One that names none may come from a portal that ignores If-Range, and be the rest of another file.
        """
        etag = headers.get("etag", "").strip()
        if self.validators.etag and etag:
            return etag == self.validators.etag
        changed = headers.get("last-modified", "").strip()
        return bool(changed) and changed == self.validators.last_modified


def total_size(headers: Mapping[str, str]) -> int | None:
    """Return the length of the whole file that an answer with a part of it tells; ``None`` if it does not."""
    part = _PART.fullmatch(headers.get("content-range", "").strip())
    return int(part[3]) if part is not None and part[3] != "*" else None
