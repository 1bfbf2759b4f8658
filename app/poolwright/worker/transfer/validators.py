"""The validators of a response: what a portal tells about the state of a file, to ask later if it is the same. Pure.

Only strong ones count (RFC 9110, 8.8): a weak ETag promises no equal bytes, and a time of change that is nearly that of
the response may stand for two states of the file. A file without a strong validator is downloaded and compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

#: Longest header that is kept; the journal has it for each file.
_LENGTH_MAX = 200
#: A time of change is strong if it is this much before that of the response.
_SETTLED_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """The strong validators of one file; each is empty if there is none."""

    #: With its quotes.
    etag: str = ""
    #: As the portal wrote it.
    last_modified: str = ""

    @classmethod
    def read(cls, headers: Mapping[str, str]) -> Validators:
        """Return the strong validators in the headers of a response, whose names are in lower case."""
        etag = headers.get("etag", "").strip()
        is_strong = len(etag) > len('""') and etag[0] == etag[-1] == '"' and '"' not in etag[1:-1]
        return cls(etag=etag if is_strong and _is_plain(etag) else "", last_modified=_settled_time(headers))

    @property
    def condition(self) -> dict[str, str]:
        """Return the headers that ask for the file only if it is another one; empty without a validator."""
        if self.etag:
            return {"If-None-Match": self.etag}
        return {"If-Modified-Since": self.last_modified} if self.last_modified else {}


NO_VALIDATORS = Validators()


def _settled_time(headers: Mapping[str, str]) -> str:
    changed_text = headers.get("last-modified", "").strip()
    changed, sent = _parse_time(changed_text), _parse_time(headers.get("date", ""))
    if changed is None or sent is None or not _is_plain(changed_text):
        return ""
    return changed_text if (sent - changed).total_seconds() >= _SETTLED_S else ""


def _parse_time(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and len(text) <= _LENGTH_MAX
