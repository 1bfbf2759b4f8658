"""Outlook messages (.msg) of an exact size, and the compound file format (MS-CFB) that contains them.

Compound files follow the public format MS-CFB, version 3: 512-byte sectors, streams under 4,096 bytes in one
mini stream of 64-byte sectors, one directory entry of 128 bytes per storage or stream. The order of the sectors is:
directory, mini FAT, mini stream, large streams, FAT. Files are limited to the 109 FAT references of the header (7 MB).

Messages follow the public format MS-OXMSG as far as readers of single messages need it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from poolwright.demo.documents.writers import make_pdf

SECTOR_BYTES = 512
CUTOFF_BYTES = 4096
"""Streams of at least this size have their own sectors."""

_MINI_BYTES = 64
_ENTRY_BYTES = 128
_PER_SECTOR = SECTOR_BYTES // 4
_HEADER_REFERENCES = 109
_FREE, _END, _FAT, _NONE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF
_STORAGE, _STREAM, _ROOT = 1, 2, 5
_BLACK = 1


@dataclass(frozen=True, slots=True)
class Stream:
    """A named sequence of bytes."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Storage:
    """A named folder of streams and storages."""

    name: str
    members: tuple[Stream | Storage, ...]


@dataclass(slots=True)
class _Entry:
    """One row of the directory; the links are row numbers."""

    name: str
    kind: int
    content: bytes = b""
    left: int = _NONE
    right: int = _NONE
    child: int = _NONE
    start: int = 0

    def packed(self, class_id: bytes, size_bytes: int) -> bytes:
        name = self.name.encode("utf-16-le")
        label = name.ljust(64, b"\0") + struct.pack("<HBB", len(name) + 2, self.kind, _BLACK)
        links = struct.pack("<III", self.left, self.right, self.child)
        return label + links + class_id + bytes(20) + struct.pack("<IQ", self.start, size_bytes)


@dataclass(slots=True)
class _Sectors:
    """The sectors after the header, and for each sector the next one of its chain."""

    content: bytearray = field(default_factory=bytearray)
    following: list[int] = field(default_factory=list[int])

    def add(self, content: bytes) -> int:
        """Append a chain of sectors; return the number of the first one."""
        if not content:
            return _END
        first = len(self.following)
        count = -(-len(content) // SECTOR_BYTES)
        self.content += content.ljust(count * SECTOR_BYTES, b"\0")
        self.following += [*range(first + 1, first + count), _END]
        return first


def write_compound(members: Sequence[Stream | Storage], class_id: bytes) -> bytes:
    """Return a compound file with these members below its root.

    Raises:
        ValueError: It would need more than 109 FAT sectors.
    """
    entries = _directory(members)
    mini_stream, mini_fat = _mini_streams(entries)
    directory_bytes = -(-len(entries) * _ENTRY_BYTES // SECTOR_BYTES) * SECTOR_BYTES
    sectors = _Sectors()
    sectors.add(bytes(directory_bytes))
    first_mini_fat = sectors.add(mini_fat)
    entries[0].start = sectors.add(mini_stream)
    for entry in entries:
        if len(entry.content) >= CUTOFF_BYTES:
            entry.start = sectors.add(entry.content)
    sectors.content[:directory_bytes] = _packed_directory(entries, class_id, len(mini_stream), directory_bytes)
    first_fat = len(sectors.following)
    fat = _fat(sectors.following)
    fat_sectors = range(first_fat, first_fat + len(fat) // SECTOR_BYTES)
    header = _header(fat_sectors, first_mini_fat, len(mini_fat) // SECTOR_BYTES)
    return header + bytes(sectors.content) + fat


def _directory(members: Sequence[Stream | Storage]) -> list[_Entry]:
    entries = [_Entry("Root Entry", _ROOT)]
    entries[0].child = _add_members(entries, members)
    return entries


def _add_members(entries: list[_Entry], members: Iterable[Stream | Storage]) -> int:
    """Append siblings as a balanced search tree, ordered as the format requires; return the row of its root."""
    ordered = sorted(members, key=lambda member: (len(member.name), member.name.upper()))
    if not ordered:
        return _NONE
    middle = len(ordered) // 2
    top = ordered[middle]
    row = len(entries)
    if isinstance(top, Stream):
        entries.append(_Entry(top.name, _STREAM, top.content))
    else:
        entries.append(_Entry(top.name, _STORAGE))
        entries[row].child = _add_members(entries, top.members)
    entries[row].left = _add_members(entries, ordered[:middle])
    entries[row].right = _add_members(entries, ordered[middle + 1 :])
    return row


def _mini_streams(entries: list[_Entry]) -> tuple[bytes, bytes]:
    """Concatenate the short streams and record their chains; return the mini stream and the mini FAT."""
    content = bytearray()
    following: list[int] = []
    for entry in entries:
        if entry.kind != _STREAM or len(entry.content) >= CUTOFF_BYTES:
            continue
        count = -(-len(entry.content) // _MINI_BYTES)
        entry.start = len(following) if count else _END
        content += entry.content.ljust(count * _MINI_BYTES, b"\0")
        following += [*range(len(following) + 1, len(following) + count), _END][:count]
    return bytes(content), _table(following)


def _packed_directory(entries: list[_Entry], class_id: bytes, mini_stream_bytes: int, size_bytes: int) -> bytes:
    rows = [entries[0].packed(class_id, mini_stream_bytes)]
    rows += [entry.packed(bytes(16), len(entry.content)) for entry in entries[1:]]
    unused = bytes(68) + struct.pack("<III", _NONE, _NONE, _NONE) + bytes(48)
    return b"".join([*rows, *[unused] * (size_bytes // _ENTRY_BYTES - len(rows))])


def _fat(following: list[int]) -> bytes:
    """Return the table of all sectors, including its own: each FAT sector describes 127 others and itself."""
    own_count = -(-len(following) // (_PER_SECTOR - 1))
    return _table([*following, *[_FAT] * own_count])


def _table(numbers: list[int]) -> bytes:
    size = -(-len(numbers) // _PER_SECTOR) * _PER_SECTOR
    return struct.pack(f"<{size}I", *numbers, *[_FREE] * (size - len(numbers)))


def _header(fat_sectors: range, first_mini_fat: int, mini_fat_count: int) -> bytes:
    if len(fat_sectors) > _HEADER_REFERENCES:
        raise ValueError(f"A compound file of {len(fat_sectors)} FAT sectors is not written; 109 is the limit.")
    references = [*fat_sectors, *[_FREE] * (_HEADER_REFERENCES - len(fat_sectors))]
    return (
        bytes.fromhex("D0CF11E0A1B11AE1")
        + bytes(16)
        + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
        + bytes(6)
        + struct.pack("<IIIII", 0, len(fat_sectors), 0, 0, CUTOFF_BYTES)
        + struct.pack("<IIII", first_mini_fat, mini_fat_count, _END, 0)
        + struct.pack(f"<{_HEADER_REFERENCES}I", *references)
    )


_MESSAGE_CLASS_ID = bytes.fromhex("0B0D020000000000C000000000000046")
_TEXT, _BINARY, _LONG, _TIME = 0x001F, 0x0102, 0x0003, 0x0040
_READABLE = 6
_SENT_AT = 133_801_632_000_000_000  # 1 January 2025, in units of 100 ns since 1601
_UNICODE_STORE = 0x00040000
_ATTACHED_BY_VALUE = 1

_CLASS, _SUBJECT, _SENT, _SENDER, _SENDER_ADDRESS, _TO, _BODY = 0x1A, 0x37, 0x39, 0xC1A, 0xC1F, 0xE04, 0x1000
_STORE_SUPPORT, _FILE_BYTES, _FILE_EXTENSION, _FILE_METHOD, _FILE_NAME = 0x340D, 0x3701, 0x3703, 0x3705, 0x3707


def make_msg(title: str, size_bytes: int) -> bytes:
    """Make a message of exactly ``size_bytes``; up to two sectors after the last chain are zero."""
    smallest = _message(title, make_pdf(title, CUTOFF_BYTES))
    frame_sectors = len(smallest) // SECTOR_BYTES - 2 - CUTOFF_BYTES // SECTOR_BYTES
    sectors = size_bytes // SECTOR_BYTES - 1
    fat_sectors = -(-sectors // (SECTOR_BYTES // 4))
    attached_bytes = (sectors - fat_sectors - frame_sectors) * SECTOR_BYTES
    return _message(title, make_pdf(title, attached_bytes)).ljust(size_bytes, b"\0")


def _message(title: str, attached: bytes) -> bytes:
    texts = {
        _CLASS: "IPM.Note",
        _SUBJECT: title,
        _SENDER: "Sales Desk",
        _SENDER_ADDRESS: "sales@supplier.example",
        _TO: "Accounts Payable",
        _BODY: f"Good morning,\r\n\r\nplease find attached: {title}.\r\n\r\nKind regards\r\nSales Desk\r\n",
    }
    fixed = [_fixed(_SENT, _TIME, _SENT_AT), _fixed(_STORE_SUPPORT, _LONG, _UNICODE_STORE)]
    header = bytes(8) + struct.pack("<IIII", 0, 1, 0, 1) + bytes(8)
    names = Storage("__nameid_version1.0", tuple(Stream(_stream_name(n, _BINARY), b"") for n in (2, 3, 4)))
    members = [names, _attachment(attached), *_texts(texts), _properties(header, texts, fixed)]
    return write_compound(members, _MESSAGE_CLASS_ID)


def _attachment(content: bytes) -> Storage:
    texts = {_FILE_NAME: "attached.pdf", _FILE_EXTENSION: ".pdf"}
    fixed = [_fixed(_FILE_METHOD, _LONG, _ATTACHED_BY_VALUE), _sized(_FILE_BYTES, _BINARY, len(content))]
    data = Stream(_stream_name(_FILE_BYTES, _BINARY), content)
    return Storage("__attach_version1.0_#00000000", (data, *_texts(texts), _properties(bytes(8), texts, fixed)))


def _texts(texts: dict[int, str]) -> list[Stream]:
    return [Stream(_stream_name(number, _TEXT), text.encode("utf-16-le")) for number, text in texts.items()]


def _properties(header: bytes, texts: dict[int, str], others: list[bytes]) -> Stream:
    rows = [_sized(number, _TEXT, len(text.encode("utf-16-le")) + 2) for number, text in texts.items()]
    return Stream("__properties_version1.0", header + b"".join([*rows, *others]))


def _stream_name(number: int, kind: int) -> str:
    return f"__substg1.0_{number:04X}{kind:04X}"


def _fixed(number: int, kind: int, value: int) -> bytes:
    return struct.pack("<HHIQ", kind, number, _READABLE, value)


def _sized(number: int, kind: int, size_bytes: int) -> bytes:
    return struct.pack("<HHIII", kind, number, _READABLE, size_bytes, 0)
