"""What a saved file truly is, and what is wrong with it. Shared with the worker, which asks before it keeps one.

Reads the first bytes and the last, never a whole file. Hashes are the downloader's work; whether a page of HTML is the
login page is the portal pack's.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.archive.kinds import ANY_BYTES, HEAD_BYTES, Format, Kind, kind_of, media_type_of, promised_format

#: Acrobat looks for the end mark in the last 1024 bytes; others write a little behind it.
_TAIL_BYTES = 2048
#: Padding that some systems put behind a document.
_PADDING = b"\x00\r\n\t "
#: How far back the end of a padded document may be.
_PADDING_MAX_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one look at a saved file found."""

    #: By content, in detail by the name where that fits.
    media_type: str
    size_bytes: int
    #: One sentence for each reason not to take the file; empty when it is good.
    problems: tuple[str, ...] = ()


def inspect(path: Path, label: str, declared_type: str = "", *, declared_size_bytes: int | None = None) -> Finding:
    """Look at a saved file.

    Args:
        path: The file, complete.
        label: How the portal calls it; its extension says what to expect. Unknown extensions pass.
        declared_type: Media type that the portal declared; says what to expect where the label does not.
        declared_size_bytes: Size that the portal declared for the file itself, not for a compressed transfer of it.

    Raises:
        OSError: The file cannot be read.
    """
    size_bytes = path.stat().st_size
    declared = declared_type.partition(";")[0].strip().lower()
    promised = promised_format(label, declared)
    if size_bytes == 0:
        media_type = promised.media_type if promised else declared or ANY_BYTES
        return Finding(media_type=media_type, size_bytes=0, problems=("The file is empty.",))
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    kind = kind_of(head)
    problems = (
        *_wrong_size(size_bytes, declared_size_bytes),
        *_wrong_kind(kind, promised, label),
        # A length that was announced and kept is better proof than how the portal's own file ends.
        *(() if declared_size_bytes == size_bytes else _cut_short(path, size_bytes, kind)),
    )
    return Finding(media_type=media_type_of(head, kind, promised, declared), size_bytes=size_bytes, problems=problems)


def _wrong_size(size_bytes: int, declared_size_bytes: int | None) -> Iterator[str]:
    if declared_size_bytes is not None and declared_size_bytes != size_bytes:
        yield f"The portal announced {declared_size_bytes:,} bytes and sent {size_bytes:,}."


def _wrong_kind(kind: Kind, promised: Format | None, label: str) -> Iterator[str]:
    if promised is not None and kind not in promised.kinds:
        yield f"{label or 'The file'} should be {promised.media_type}, but what came is {kind}."


def _cut_short(path: Path, size_bytes: int, kind: Kind) -> Iterator[str]:
    if kind is Kind.ZIP and not zipfile.is_zipfile(path):
        yield "The ZIP container is cut short: its end record is missing."
    if kind is Kind.PDF and b"%%EOF" not in _tail(path, size_bytes):
        yield "The PDF is cut short: its end mark is missing."


def _tail(path: Path, size_bytes: int) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, size_bytes - _PADDING_MAX_BYTES), os.SEEK_SET)
        return file.read().rstrip(_PADDING)[-_TAIL_BYTES:]
