"""A ``winmail.dat`` as Outlook writes it: objects with checksums, and properties in them (MS-OXTNEF)."""

from __future__ import annotations

import struct

BEGINNING, TITLE, CONTENT, PROPERTIES, CODE_PAGE = 0x9002, 0x8010, 0x800F, 0x9005, 0x9007
MESSAGE_ID = bytes.fromhex("0703020000000000C000000000000046")
LONG_NAME, SHORT_NAME, DATA = 0x3707, 0x3704, 0x3701
TEXT, UNICODE, OBJECT, SHORT, LONG = 0x1E, 0x1F, 0x0D, 0x02, 0x03


def tnef(*objects: bytes) -> bytes:
    """A whole file."""
    return b"\x78\x9f\x3e\x22\x01\x00" + b"".join(objects)


def part(kind: int, body: bytes, *, level: int = 2) -> bytes:
    """One object, of an attachment unless another level is said."""
    return struct.pack("<BHHI", level, kind, 6, len(body)) + body + struct.pack("<H", sum(body) & 0xFFFF)


def attachment(name: bytes, content: bytes) -> bytes:
    """An attachment with a title and its content."""
    return part(BEGINNING, bytes(14)) + part(TITLE, name + b"\0") + part(CONTENT, content)


def code_page(number: int) -> bytes:
    return part(CODE_PAGE, struct.pack("<II", number, 0), level=1)


def properties(*rows: bytes) -> bytes:
    """The object with these properties of an attachment."""
    return part(PROPERTIES, struct.pack("<I", len(rows)) + b"".join(rows))


def value(number: int, kind: int, content: bytes) -> bytes:
    """A property whose value has its own length."""
    return struct.pack("<HHII", kind, number, 1, len(content)) + content.ljust(-(-len(content) // 4) * 4, b"\0")
