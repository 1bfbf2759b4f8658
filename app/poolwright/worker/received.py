"""A file that came and was not looked at yet, and the news that one did not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from poolwright.worker.codings import codings_in
from poolwright.worker.disposition import NOTHING_SAID, Disposition

#: A part that is all there is; some servers answer so whatever they are asked.
_ALL_BYTES = re.compile(r"bytes\s+0-(\d{1,18})/(\d{1,18})", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A file on disk, not looked at yet."""

    path: Path
    #: What the answer's own header says.
    disposition: Disposition = NOTHING_SAID
    #: Media type in lower case, without parameters; empty where nothing is declared.
    declared_type: str = ""
    #: Length that the answer announced for the file itself.
    declared_bytes: int | None = None
    #: Whether a browser unpacked it, which takes what is cut off within its packing for the whole.
    is_unpacked: bool = False
    #: Whether it may be asked for once more: what a form sends may do more than answer.
    can_ask_again: bool = False
    #: Where the page said that it is.
    source_url: str = ""
    #: Where it was in the end.
    final_url: str = ""


class RefusedError(Exception):
    """A file was not handed out."""

    def __init__(
        self, problem: str, *, is_retryable: bool, is_for_browser: bool = False, is_session_in_doubt: bool = False
    ) -> None:
        """Keep what a report needs to know, and what may be done about it.

        Args:
            problem: One sentence without a capital letter: what happened.
            is_retryable: Whether another try can help.
            is_for_browser: Whether it may be only that a program asked and not a browser.
            is_session_in_doubt: Whether a portal answers so, too, to somebody who is no longer logged in.
        """
        super().__init__(problem)
        self.is_retryable = is_retryable
        self.is_for_browser = is_for_browser
        self.is_session_in_doubt = is_session_in_doubt


class CutShortError(RefusedError):
    """The end of it did not come."""

    def __init__(self, problem: str) -> None:
        """Another try may bring it."""
        super().__init__(problem, is_retryable=True)


def media_type(header: str) -> str:
    """The media type of a Content-Type header, in lower case and without parameters."""
    return header.partition(";")[0].partition(",")[0].strip().lower()


def announced(status: int, headers: Mapping[str, str]) -> int | None:
    """The size of a file as its answer announces it, and nothing where it does not: packed, in chunks, or a part of it.

    Args:
        status: Of the answer.
        headers: Its own, by names in lower case.
    """
    if codings_in(headers.get("content-encoding", "")):
        return None
    if status == HTTPStatus.PARTIAL_CONTENT:
        found = _ALL_BYTES.fullmatch(headers.get("content-range", "").strip())
        return int(found[2]) if found and int(found[1]) + 1 == int(found[2]) else None
    return None if "transfer-encoding" in headers else length(headers.get("content-length", ""))


def length(header: str) -> int | None:
    """The length of a Content-Length header; nothing where it is none, and where it comes twice and differs."""
    told = {part.strip() for part in header.split(",")}
    first = told.pop() if len(told) == 1 else ""
    return int(first) if first.isascii() and first.isdigit() else None
