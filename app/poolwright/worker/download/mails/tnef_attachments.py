"""Reads the attachments out of a ``winmail.dat``: the format TNEF (MS-OXTNEF), in which Outlook wraps a mail. Pure.

A file is a row of objects, each with a checksum. An attachment begins with its own kind of object; its name and its
content are in the objects after that, or in the properties that one of them holds. The readers that are offered for
Python go on for hours with a file that promises billions of properties, so this one reads what it needs itself: every
step moves on in the file, so its time grows with the size of the file and no faster.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

#: The names of the media type, and the beginning of every file.
TNEF_TYPES = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
SIGNATURE: Final = b"\x78\x9f\x3e\x22"
_HEADER_BYTES = 6
_ATTACHMENT_LEVEL = 2
#: Objects of an attachment: its beginning, its title, its content, and its properties.
_BEGINNING, _TITLE, _CONTENT, _PROPERTIES = 0x9002, 0x8010, 0x800F, 0x9005
_OEM_CODE_PAGE = 0x9007
#: Properties: content as an object, long file name, short file name, name for people, and how it is attached.
_DATA, _LONG_NAME, _SHORT_NAME, _DISPLAY_NAME = 0x3701, 0x3707, 0x3704, 0x3001
_NAMES = (_LONG_NAME, _SHORT_NAME, _DISPLAY_NAME)
#: Bytes of a value by its type; the others have their own length.
_FIXED_SIZES = {0x02: 2, 0x03: 4, 0x04: 4, 0x05: 8, 0x06: 8, 0x07: 8, 0x0A: 4, 0x0B: 2, 0x14: 8, 0x40: 8, 0x48: 16}
_STRING, _UNICODE, _OBJECT = 0x1E, 0x1F, 0x0D
_MANY, _NAMED = 0x1000, 0x8000
#: Identifier of an object that is a mail itself.
_MESSAGE_ID = bytes.fromhex("0703020000000000C000000000000046")


class TnefDamagedError(ValueError):
    """A file is no TNEF, or damaged."""


@dataclass(slots=True)
class TnefAttachment:
    """One attachment of a ``winmail.dat``."""

    name: str = ""
    content: bytes = b""
    #: Whether the content is a mail, as TNEF; its own attachments are in it.
    is_message: bool = False
    #: Whether it is an object of another program.
    is_object: bool = False


def read_tnef(content: bytes) -> list[TnefAttachment]:
    """Return the attachments of a TNEF file in their order.

    Raises:
        TnefDamagedError: It is no such file, is cut short, or has a wrong checksum.
    """
    attachments: list[TnefAttachment] = []
    encoding = "cp1252"
    for level, kind, body in _objects(content):
        if kind == _OEM_CODE_PAGE:
            encoding = _encoding(body)
        elif level != _ATTACHMENT_LEVEL:
            continue
        elif kind == _BEGINNING:
            attachments.append(TnefAttachment())
        elif not attachments:
            msg = "a part of an attachment comes before its beginning"
            raise TnefDamagedError(msg)
        else:
            _add(attachments[-1], kind, body, encoding)
    return attachments


def _objects(content: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield level, kind and content of each object."""
    if not content.startswith(SIGNATURE):
        msg = "it does not begin as a winmail.dat"
        raise TnefDamagedError(msg)
    reader = _Reader(content, _HEADER_BYTES)
    while not reader.is_at_end:
        level = reader.read(1)[0]
        kind = reader.number(2)
        reader.read(2)  # the type, which follows from the kind
        body = reader.read(reader.number(4))
        if reader.number(2) != sum(body) & 0xFFFF:
            msg = "a checksum is wrong"
            raise TnefDamagedError(msg)
        yield level, kind, body


def _add(attachment: TnefAttachment, kind: int, body: bytes, encoding: str) -> None:
    if kind == _TITLE:
        attachment.name = attachment.name or _text(body, encoding)
    elif kind == _CONTENT:
        attachment.content = body
    elif kind == _PROPERTIES:
        texts: dict[int, str] = {}
        for number, value_type, value in _properties(body):
            if value_type in {_STRING, _UNICODE}:
                texts.setdefault(number, _text(value, "utf-16-le" if value_type == _UNICODE else encoding))
            elif number == _DATA and value_type == _OBJECT:
                _add_object(attachment, value)
        attachment.name = next((texts[number] for number in _NAMES if texts.get(number)), attachment.name)


def _add_object(attachment: TnefAttachment, value: bytes) -> None:
    attachment.is_message = value.startswith(_MESSAGE_ID)
    attachment.is_object = not attachment.is_message
    attachment.content = value[len(_MESSAGE_ID) :]


def _properties(body: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield number, type and first value of each property."""
    reader = _Reader(body, 0)
    for _ in range(reader.number(4)):
        value_type, number = reader.number(2), reader.number(2)
        if number >= _NAMED:
            reader.read(16)
            is_text = reader.number(4)
            reader.read(_padded(reader.number(4)) if is_text else 4)
        size = _FIXED_SIZES.get(value_type & ~_MANY)
        count = reader.number(4) if size is None or value_type & _MANY else 1
        if size is not None:
            yield number, value_type, reader.read(_padded(size * count))[:size]
            continue
        for index in range(count):
            length = reader.number(4)
            value = reader.read(_padded(length))[:length]
            if not index:
                yield number, value_type, value


def _padded(size: int) -> int:
    return -(-size // 4) * 4


def _encoding(body: bytes) -> str:
    number = struct.unpack_from("<I", body)[0] if len(body) >= 4 else 0  # noqa: PLR2004 - four bytes of a number
    encoding = f"cp{number}"
    try:
        "".encode(encoding)
    except LookupError:
        return "cp1252"
    return encoding


def _text(content: bytes, encoding: str) -> str:
    return content.decode(encoding, "replace").rstrip("\0").strip()


class _Reader:
    """Reads bytes one after the other."""

    def __init__(self, content: bytes, offset: int) -> None:
        self._content = content
        self._offset = offset

    @property
    def is_at_end(self) -> bool:
        return self._offset >= len(self._content)

    def read(self, count: int) -> bytes:
        """Return the next bytes.

        Raises:
            TnefDamagedError: There are fewer.
        """
        end = self._offset + count
        if end > len(self._content):
            msg = "it is cut short"
            raise TnefDamagedError(msg)
        taken = self._content[self._offset : end]
        self._offset = end
        return taken

    def number(self, count: int) -> int:
        return int.from_bytes(self.read(count), "little")
