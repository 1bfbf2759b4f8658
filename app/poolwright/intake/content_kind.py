"""Detects from its bytes whether a file is a workbook, text, a web page or XML; the file name is not trusted.

Spreadsheet programs and portals export web pages named ``.xls`` and text named ``.xlsx``; both are recognised.
"""

from __future__ import annotations

import json
import re
from enum import Enum, auto

from poolwright.intake.errors import InputRefusedError
from poolwright.intake.foreign_files import (
    AS_NEW,
    describe_binary,
    describe_compound,
    describe_mail,
    describe_marked,
    describe_text,
)
from poolwright.intake.workbooks.compound_file import COMPOUND_MARK

#: File suffixes of lists, also of kinds that are refused with a hint how to save them again.
LIST_SUFFIXES = frozenset(
    {".csv", ".tsv", ".txt", ".prn", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".fods", ".xml", ".html", ".htm"}
)
#: Maximum size of a list, checked before anything is parsed.
CONTENT_BYTES_MAX = 200 * 1024 * 1024
_PROBE_LENGTH = 65_536
_ZIP = b"PK\x03\x04"
#: Begins a workbook of Excel 2 to 5 that has no container: the first record and its length.
_BARE_BOOK = re.compile(rb"\x09[\x00\x02\x04\x08][\x04\x06\x08\x10]\x00")
#: A tag, a declaration or a comment; a column may be named in angle brackets, such as ``<PO Number>``.
_MARKUP = re.compile(r"\s*<(?:[!?]|\s*[a-z][\w:.-]*(?:\s+[\w:.-]+\s*=|\s*/?>))", re.IGNORECASE)
#: A name that continues with a colon belongs to other XML.
_WEB_PAGE = re.compile(r"<\s*(?:html|head|body|table|div|meta|style)(?![\w:.-])", re.IGNORECASE)
#: Pieces of a web page, if they are its first tag.
_WEB_TAGS = frozenset(
    ["p", "span", "br", "a", "ul", "ol", "font", "center", "h1", "h2", "h3", "script", "frameset", "title"]
)
_FIRST_TAG = re.compile(r"<\s*(?:\w+:)?([a-z][\w.-]*)", re.IGNORECASE)
_OBJECT = re.compile(r'\s*(?:\[\s*)?\{\s*(?:"[^"]*"\s*:|\})')
#: Lengths of the lock file that Office writes beside an open workbook, and the longest user name in it.
_LOCK_LENGTHS, _LOCK_NAME_MAX = frozenset({162, 165}), 54
#: Up to this number, control characters are accidents, however short the list is.
_ACCIDENTS_MAX = 3


class ContentKind(Enum):
    """Kinds of files, by how they are read."""

    WORKBOOK = auto()
    #: Excel's format until 2003.
    OLD_WORKBOOK = auto()
    TEXT = auto()


class TextKind(Enum):
    """Kinds of texts."""

    LIST = auto()
    WEB_PAGE = auto()
    XML = auto()


def detect_content_kind(content: bytes, source: str) -> ContentKind:
    """Return whether a file is a workbook or text.

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
    foreign = _foreign_kind(content, source)
    if foreign:
        raise InputRefusedError(f"{source} {foreign}.")
    is_old = content.startswith(COMPOUND_MARK) or _BARE_BOOK.match(content)
    return ContentKind.OLD_WORKBOOK if is_old else ContentKind.TEXT


def detect_text_kind(text: str, source: str) -> TextKind:
    """Return whether a text is a list, a web page or XML; refuse all other text, and bytes that are no text.

    Raises:
        InputRefusedError: It is no list.
    """
    head = text[:_PROBE_LENGTH]
    if _MARKUP.match(head):
        first = _FIRST_TAG.search(head)
        is_book = first is not None and first[1].casefold() == "workbook"
        is_piece = first is not None and first[1].casefold() in _WEB_TAGS
        return TextKind.WEB_PAGE if (is_piece or _WEB_PAGE.search(head)) and not is_book else TextKind.XML
    if _is_json(text):
        raise InputRefusedError(f"{source} is JSON, not a table; export it as CSV UTF-8 or .xlsx.")
    foreign = describe_mail(head) or describe_text(head)
    if foreign:
        raise InputRefusedError(f"{source} {foreign}.")
    control_count = sum(character < " " and character not in "\t\r\n\f\v" for character in head)
    # One control character in a thousand may be an accident; with more of them it is not text.
    if control_count > _ACCIDENTS_MAX and control_count * 1000 > len(head):
        raise InputRefusedError(f"{source} is not a spreadsheet; {AS_NEW}.")
    if "\0" in text:
        raise InputRefusedError(f"{source} contains zero bytes, which text never does; {AS_NEW}.")
    return TextKind.LIST


def _is_json(text: str) -> bool:
    if _OBJECT.match(text):
        return True
    if not text.lstrip().startswith("["):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _foreign_kind(content: bytes, source: str) -> str:
    """Return what the file is instead of a list, and the next step; empty when it may be a list."""
    described = describe_marked(content) or describe_compound(content)
    if described:
        return described
    owner = _lock_owner(content)
    if owner or source.startswith((".~lock.", "~$")):
        by_whom = f", which {owner} has open" if owner else ""
        return f"is the lock file of an open workbook{by_whom}; use the workbook itself"
    return "" if content.startswith(COMPOUND_MARK) else describe_binary(content[:_PROBE_LENGTH])


def _lock_owner(content: bytes) -> str:
    """Return the user who opened the workbook if this is Office's lock file; else an empty text."""
    if len(content) not in _LOCK_LENGTHS or not 0 < content[0] <= _LOCK_NAME_MAX:
        return ""
    name = content[1 : content[0] + 1]
    rest = content[content[0] + 1 : _LOCK_NAME_MAX + 1]
    return name.decode("cp1252", errors="replace").strip() if not rest.strip(b"\0 ") else ""
