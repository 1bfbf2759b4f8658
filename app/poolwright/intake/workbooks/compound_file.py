"""Reads the directory of a compound file (MS-CFB): the container of Office files until 2003, and of Outlook messages.

Such a file contains others: a workbook has a Word document that somebody put into a cell, a message has its
attachments. So only the directory says what the file itself is; a name somewhere in its bytes does not.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

#: Begins every compound file.
COMPOUND_MARK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENTRY_BYTES, _NAME_BYTES_MAX = 128, 64
_SHIFT_AT, _DIRECTORY_AT, _MORE_AT, _TABLE_AT = 30, 48, 68, 76
#: Sectors have 512 or 4,096 bytes.
_SHIFTS = frozenset({9, 12})
_NONE, _ROOT = 0xFFFFFFFF, 5
#: Sectors of the directory that are read; it has 4 to 32 names in each.
_SECTORS_MAX = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CompoundDirectory:
    """The names in a compound file, in lower case."""

    #: Names that do not lie in another one: what the file is.
    root: frozenset[str]
    #: All names, also those of what the file contains.
    names: frozenset[str]


def read_directory(content: bytes) -> CompoundDirectory | None:
    """Return the directory of a compound file; ``None`` if it is damaged."""
    try:
        entries = list(_entries(content))
        root = _children(entries, entries[0].child) if entries and entries[0].kind == _ROOT else frozenset[str]()
    except (struct.error, IndexError):
        return None
    return CompoundDirectory(root=root, names=frozenset(entry.name for entry in entries)) if root else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """One name of the directory; the links are numbers of other entries."""

    name: str
    kind: int
    left: int
    right: int
    child: int


def _entries(content: bytes) -> Iterator[_Entry]:
    for sector in _directory_sectors(content):
        for offset in range(0, len(sector) - _ENTRY_BYTES + 1, _ENTRY_BYTES):
            length, kind = struct.unpack_from("<HB", sector, offset + _NAME_BYTES_MAX)
            left, right, child = struct.unpack_from("<III", sector, offset + 68)
            written = sector[offset : offset + max(0, min(length, _NAME_BYTES_MAX) - 2)]
            name = written.decode("utf-16-le", "replace").casefold()
            yield _Entry(name=name, kind=kind, left=left, right=right, child=child)


def _directory_sectors(content: bytes) -> Iterator[bytes]:
    """Yield the sectors of the directory, each of which names the next one in the table of sectors."""
    (shift,) = struct.unpack_from("<H", content, _SHIFT_AT)
    if shift not in _SHIFTS:
        return
    (number,) = struct.unpack_from("<I", content, _DIRECTORY_AT)
    size = 1 << shift
    references = _table_sectors(content, size)
    for _ in range(_SECTORS_MAX):
        start = (number + 1) * size
        if start + size > len(content):
            return
        yield content[start : start + size]
        table, position = divmod(number, size // 4)
        if table >= len(references):
            return
        (number,) = struct.unpack_from("<I", content, (references[table] + 1) * size + 4 * position)


def _table_sectors(content: bytes, size: int) -> list[int]:
    """Return the numbers of the sectors with the table: 109 are in the header, more in a chain of sectors."""
    numbers = list(struct.unpack_from("<109I", content, _TABLE_AT))
    (more,) = struct.unpack_from("<I", content, _MORE_AT)
    for _ in range(_SECTORS_MAX):
        start = (more + 1) * size
        if start + size > len(content):
            break
        *further, more = struct.unpack_from(f"<{size // 4}I", content, start)
        numbers += further
    return numbers


def _children(entries: list[_Entry], first: int) -> frozenset[str]:
    """Return the names of all entries beside ``first``, itself included: they are a tree."""
    names: set[str] = set()
    seen: set[int] = set()
    waiting = [first]
    while waiting:
        number = waiting.pop()
        if number == _NONE or number in seen:
            continue
        seen.add(number)
        entry = entries[number]
        names.add(entry.name)
        waiting += [entry.left, entry.right]
    return frozenset(names)
