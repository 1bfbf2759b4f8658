"""Verifies a LevelDB database: the checksums of its records, and the chain from CURRENT to manifest, tables and log.

A browser that finds a link missing silently replaces the database by an empty one. The files are only read, and the
database is not opened, as this would rewrite it. A log or a manifest may end within a record after a browser was
killed. A flipped bit is found in a log or a manifest, but not in a table (that takes a seal).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import google_crc32c

from poolwright.profile.errors import BrokenFileError

#: CRC-32C; the package has no types.
_crc32c = cast("Callable[[bytes], int]", google_crc32c.value)  # pyright: ignore[reportUnknownMemberType]

_BLOCK_BYTES = 32 * 1024
#: Checksum (of the kind and the data), length, kind.
_HEADER = struct.Struct("<IHB")
_KIND_OFFSET = 6
_FILLING, _WHOLE, _FIRST, _LAST = 0, 1, 2, 4


def read_records(content: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield each complete record with the position behind it. An incomplete last record was never committed.

    Raises:
        ValueError: A record has an invalid header, or does not fit its checksum.
    """
    position = 0
    parts: list[bytes] = []
    while position + _HEADER.size <= len(content):
        left = _BLOCK_BYTES - position % _BLOCK_BYTES
        checksum, length, kind = _HEADER.unpack_from(content, position) if left >= _HEADER.size else (0, 0, _FILLING)
        if kind == _FILLING and not length:
            position += left
            continue
        end = position + _HEADER.size + length
        if kind > _LAST or length > left - _HEADER.size:
            msg = "invalid header of a record"
            raise ValueError(msg)
        if end > len(content):
            return
        if _masked(_crc32c(content[position + _KIND_OFFSET : end])) != checksum:
            msg = "wrong checksum"
            raise ValueError(msg)
        part = content[position + _HEADER.size : end]
        parts = [part] if kind in {_WHOLE, _FIRST} else [*parts, part]
        position = end
        if kind in {_WHOLE, _LAST}:
            yield b"".join(parts), end


def _masked(checksum: int) -> int:
    """Return a checksum as LevelDB stores it, so that data with checksums can be checksummed again."""
    return ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF


#: Tags in the records of a manifest, and the numbers (n) and texts (t) behind each tag.
_COMPARATOR, _LOG, _NEXT_FILE, _SEQUENCE, _POINTER, _DELETED, _ADDED, _EARLIER_LOG = 1, 2, 3, 4, 5, 6, 7, 9
_LAYOUTS = {
    _COMPARATOR: "t",
    _LOG: "n",
    _NEXT_FILE: "n",
    _SEQUENCE: "n",
    _POINTER: "nt",
    _DELETED: "nn",
    _ADDED: "nnntt",
    _EARLIER_LOG: "n",
}
#: Tags without which the database counts as broken.
_NEEDED = frozenset({_COMPARATOR, _LOG, _NEXT_FILE, _SEQUENCE})
_CONTENT = frozenset({".log", ".ldb", ".sst"})
_OUTSIDE = frozenset({"LOCK", "LOG", "LOG.old"})


@dataclass(slots=True, kw_only=True)
class _Version:
    """The state of a manifest after its last record."""

    tags: set[int] = field(default_factory=set[int])
    log_number: int = 0
    #: Sizes by level and number.
    tables: dict[tuple[int, int], int] = field(default_factory=dict[tuple[int, int], int])


def check_chain(folder: Path, *, was_killed: bool = False) -> None:
    """Make sure that a browser will find all data that was written to a database.

    Args:
        folder: The folder of the database. One that was never opened passes.
        was_killed: A browser may have been killed while it created the database, which has no data then.

    Raises:
        BrokenFileError: A file is missing, has another size, or is damaged.
        OSError: A file can't be read.
    """
    if _is_unused(folder, was_killed=was_killed):
        return
    manifest = _find_manifest(folder)
    version = _read_version(manifest)
    for (_, number), size_bytes in version.tables.items():
        _check_table(folder, number, size_bytes)
    for log in _find_logs(folder, version.log_number):
        _check_log(log)


def trim_torn_ends(folder: Path) -> None:
    """Cut off the incomplete last record of a killed browser in a database that was checked.

    The next browser would append behind it, and the one after that would lose everything appended (Chromium 156).

    Raises:
        BrokenFileError: The database doesn't pass the check.
        OSError: A file can't be written.
    """
    if _is_unused(folder, was_killed=True):
        return
    manifest = _find_manifest(folder)
    for path in (manifest, *_find_logs(folder, _read_version(manifest).log_number)):
        content = path.read_bytes()
        end_of_last = max((end for _, end in read_records(content)), default=0)
        if end_of_last < len(content):
            os.truncate(path, end_of_last)


def _is_unused(folder: Path, *, was_killed: bool) -> bool:
    present = {path.name for path in folder.iterdir()} - _OUTSIDE
    contents = {name for name in present if Path(name).suffix in _CONTENT}
    return not present or (was_killed and not contents)


def _find_manifest(folder: Path) -> Path:
    current = folder / "CURRENT"
    try:
        name = current.read_bytes()
    except FileNotFoundError as error:
        raise BrokenFileError(current, "is missing") from error
    number = name.removeprefix(b"MANIFEST-").removesuffix(b"\n")
    if name != b"MANIFEST-%b\n" % number or not number.isdigit():
        raise BrokenFileError(current, "names no manifest")
    return folder / name.decode().strip()


def _read_version(manifest: Path) -> _Version:
    version = _Version()
    try:
        for record, _ in read_records(manifest.read_bytes()):
            _apply(record, version)
    except FileNotFoundError as error:
        raise BrokenFileError(manifest, "is missing") from error
    except (ValueError, IndexError, KeyError) as error:
        raise BrokenFileError(manifest, "is damaged") from error
    if not version.tags >= _NEEDED:
        raise BrokenFileError(manifest, "is cut off")
    return version


def _apply(record: bytes, version: _Version) -> None:
    position = 0
    while position < len(record):
        tag, position = _number(record, position)
        numbers: list[int] = []
        for kind in _LAYOUTS[tag]:
            number, position = _number(record, position)
            if kind == "t":
                position += number
            else:
                numbers.append(number)
        version.tags.add(tag)
        if tag == _LOG:
            version.log_number = numbers[0]
        elif tag == _DELETED:
            version.tables.pop((numbers[0], numbers[1]), None)
        elif tag == _ADDED:
            version.tables[numbers[0], numbers[1]] = numbers[2]


def _number(record: bytes, position: int) -> tuple[int, int]:
    """Return a number of 7 bits a byte, the low ones first, and the position behind it."""
    value = shift = 0
    while True:
        byte = record[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:  # noqa: PLR2004 - the highest bit means that more bytes follow
            return value, position


def _check_table(folder: Path, number: int, size_bytes: int) -> None:
    paths = [path for path in (folder / f"{number:06}.ldb", folder / f"{number:06}.sst") if path.is_file()]
    if not paths:
        raise BrokenFileError(folder / f"{number:06}.ldb", "is missing")
    if paths[0].stat().st_size != size_bytes:
        raise BrokenFileError(paths[0], f"has {paths[0].stat().st_size} bytes instead of {size_bytes}")


def _find_logs(folder: Path, first_number: int) -> list[Path]:
    names = sorted(folder.iterdir())  # ``glob`` would silently find nothing in an unreadable folder
    logs = {int(path.stem): path for path in names if path.suffix == ".log" and path.stem.isdecimal()}
    # The manifest of a new database names no log yet, but it has one before it is used.
    if first_number and first_number not in logs:
        raise BrokenFileError(folder / f"{first_number:06}.log", "is missing")
    if not logs:
        raise BrokenFileError(folder, "has lost its log")
    return [path for number, path in logs.items() if number >= first_number]


def _check_log(path: Path) -> None:
    try:
        for _ in read_records(path.read_bytes()):
            """Reading one checks it."""
    except ValueError as error:
        raise BrokenFileError(path, "is damaged") from error
