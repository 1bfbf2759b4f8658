"""What a file is, told from its bytes: its name may say anything.

Spreadsheet programs and portals hand out web pages named ``.xls`` and text named ``.xlsx``; both are met here.
"""

from __future__ import annotations

import re
from enum import Enum, auto

import filetype  # pyright: ignore[reportMissingTypeStubs]  # it ships no types; ``_foreign_kind`` alone calls it

from app.intake.errors import InputRefusedError

#: No list of orders is larger; checked before anything is taken apart.
CONTENT_BYTES_MAX = 200 * 1024 * 1024
_PROBE_LENGTH = 65_536
_ZIP = b"PK\x03\x04"
#: Container of the old office formats, and of new ones under a password.
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
_MARKUP = re.compile(r"\s*<[!?a-z]", re.IGNORECASE)
_AS_NEW = "open it in the program that made it and save it as .xlsx or as CSV UTF-8"


class ContentKind(Enum):
    """How a file is read."""

    WORKBOOK = auto()
    TEXT = auto()


def kind_of(content: bytes, source: str) -> ContentKind:
    """Tell a workbook from text.

    Raises:
        InputRefusedError: The file is empty, too large, or no list at all.
    """
    if len(content) > CONTENT_BYTES_MAX:
        size_mb = CONTENT_BYTES_MAX // (1024 * 1024)
        raise InputRefusedError(f"{source} is larger than {size_mb} MB; split it into several lists.")
    if not content.strip(b"\0\t\r\n \xef\xbb\xbf\xff\xfe"):
        raise InputRefusedError(f"{source} is empty; give a list with an order number in each row.")
    if content.startswith(_ZIP):
        return ContentKind.WORKBOOK
    foreign = _foreign_kind(content)
    if foreign:
        raise InputRefusedError(f"{source} is {foreign}; {_AS_NEW}.")
    return ContentKind.TEXT


def refuse_foreign_text(text: str, source: str) -> None:
    """Refuse text that is no list: a web page, XML, or bytes that only happened to decode.

    Raises:
        InputRefusedError: It is one of these.
    """
    if _MARKUP.match(text):
        raise InputRefusedError(f"{source} is a web page or XML file, whatever its name says; {_AS_NEW}.")
    probe = text[:_PROBE_LENGTH]
    control_count = sum(character < " " and character not in "\t\r\n\f" for character in probe)
    # One broken cell in a thousand characters may be an accident; more is no text.
    if control_count * 1000 > len(probe):
        raise InputRefusedError(f"{source} is not a spreadsheet; {_AS_NEW}.")
    if "\0" in text:
        raise InputRefusedError(f"{source} holds zero bytes, which no text has; {_AS_NEW}.")


def _foreign_kind(content: bytes) -> str:
    """What the file is instead of a list, or nothing."""
    if content.startswith(_COMPOUND):
        if _ENCRYPTED_STREAM in content:
            return "protected by a password"
        return "in the old Excel format (.xls)"
    if content.startswith(b"%PDF-"):
        return "a PDF file"
    # Marks of binary kinds are short; text may begin with one by chance, but holds no zero byte.
    head = content[:_PROBE_LENGTH]
    kind = filetype.guess_extension(head) if b"\0" in head else None  # pyright: ignore[reportUnknownMemberType]
    return f"a {kind} file" if kind else ""
