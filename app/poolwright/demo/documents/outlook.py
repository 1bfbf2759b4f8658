"""An Outlook message with a subject, a body and one PDF attached; the PDF brings it to its size.

Follows the public format MS-OXMSG as far as readers of single messages need it.
"""

from __future__ import annotations

import struct

from poolwright.demo.documents.compound import CUTOFF_BYTES, SECTOR_BYTES, Storage, Stream, write_compound
from poolwright.demo.documents.pdf import make_pdf

_MESSAGE_CLASS_ID = bytes.fromhex("0B0D020000000000C000000000000046")
_TEXT, _BINARY, _LONG, _TIME = 0x001F, 0x0102, 0x0003, 0x0040
_READABLE = 6
_SENT_AT = 133_801_632_000_000_000  # 1 January 2025, in steps of 100 ns since 1601
_UNICODE_STORE = 0x00040000
_ATTACHED_BY_VALUE = 1

_CLASS, _SUBJECT, _SENT, _SENDER, _SENDER_ADDRESS, _TO, _BODY = 0x1A, 0x37, 0x39, 0xC1A, 0xC1F, 0xE04, 0x1000
_STORE_SUPPORT, _FILE_BYTES, _FILE_EXTENSION, _FILE_METHOD, _FILE_NAME = 0x340D, 0x3701, 0x3703, 0x3705, 0x3707


def make_msg(title: str, size_bytes: int) -> bytes:
    """Make a message of exactly ``size_bytes``; up to two sectors behind the last chain are blank."""
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
