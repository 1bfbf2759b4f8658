"""What a portal sends instead of a file, told by its shape: an error, a page that waits, a form for a password. Pure.

Such answers come with status 200 and under any name. So shapes are strict: what only speaks of an error is none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from poolwright.archive.error_words import is_error_note, is_stack_trace, says_error
from poolwright.archive.faults import Answer, json_answer, xml_answer
from poolwright.archive.formats import Kind
from poolwright.archive.kinds import read_text
from poolwright.archive.web_page import WebPage, asks_for_patience

#: Errors are short; a larger file is a document, whatever words are in it.
MESSAGE_MAX_BYTES = 64 * 1024
_NOTE_MAX_CHARS = 400
_NOTE_MAX_LINES = 3


class Shape(StrEnum):
    """What the portal sent in place of a file, as a phrase for an error sentence."""

    ERROR = "an error message"
    WAITING = "a page that asks to wait for the file"
    PENDING = "a message that the file is still being created"
    ELSEWHERE = "a link to another address"
    STATUS = "a status without a file"
    LOGIN = "a page that asks for a password"
    SCRIPT = "a page that is empty without its scripts"


_ANSWERS: Mapping[Answer | None, Shape | None] = MappingProxyType(
    {
        None: None,
        Answer.ERROR: Shape.ERROR,
        Answer.PENDING: Shape.PENDING,
        Answer.ELSEWHERE: Shape.ELSEWHERE,
        Answer.STATUS: Shape.STATUS,
    }
)
#: What a program says with one word, number or name of its own, and nobody writes into a file.
_BARE = re.compile(
    r"[+-]?\d{1,2}|-\d{1,12}(?:\.\d{1,4})?|0x[0-9a-f]{1,8}|true|yes|no|ok|okay|success(?:ful(?:ly)?)?|done|ack|nack|"
    r"nok|ko|ng|(?-i:[A-Z]{1,30}(?:_[A-Z]{1,30}){1,8})|\{\}|\[\]|eof|end",
    re.IGNORECASE,
)
_QUOTES = " \t\r\n\"'.;,!"
#: What means something to a program where it stands alone: where to look, or what to ask for.
_KEY = re.compile(
    r"https?://\S+|(?:/[\w.~%-]+)+(?:\?\S*)?|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{24,64}",
    re.IGNORECASE,
)
#: JSON that is called as a script, or that no script of another place is to run.
_SCRIPTED = re.compile(
    r"(?:(?:/\*\*/\s*)?(?:typeof [\w$.]{1,60} === 'function' && )?[\w$.]{1,60}\(|\)\]\}',?\s*|"
    r"(?:while|for)\s*\([1;]*\);\s*)([{\[].*[}\]])\s*\)?;?",
    re.DOTALL,
)
_LINES_LOOKED_AT = 20
#: What parts values, or begins data; and a long row of letters is a code.
_DATA = re.compile(r"[;\t|={}<>@*~]|,(?!\s)|:(?!\s|$)|-{4}|\S{40}")
_MAIL = re.compile(r"(?:from|to|subject|date|received|return-path|mime-version|message-id|x-[\w-]+): ", re.IGNORECASE)


def shape_of(content: bytes, kind: Kind) -> Shape | None:
    """Classify what came in place of a file; None if it may be the file.

    Args:
        content: All of it; of something larger than ``MESSAGE_MAX_BYTES`` nothing need be asked.
        kind: What it holds.
    """
    text = read_text(content)
    match kind:
        case Kind.HTML | Kind.OFFICE_HTML:
            return _shape_of_page(text)
        case Kind.JSON:
            return _ANSWERS[json_answer(text)]
        case Kind.XML:
            return _ANSWERS[xml_answer(text)]
        case Kind.TEXT:
            return _shape_of_note(text)
        case _:
            return None


def is_written_document(content: bytes) -> bool:
    """Whether a text has the form of a generated document: a table or an email. Error messages do not have it."""
    lines = [line for line in read_text(content).splitlines()[:_LINES_LOOKED_AT] if line.strip()]
    return bool(lines) and (_is_table(lines, ";,\t|") or bool(_MAIL.match(lines[0])))


def is_words(content: bytes) -> bool:
    """Whether a text is one or two plain sentences without data: no separators and no lines of numbers."""
    text = read_text(content).strip()
    is_short = len(text) <= _NOTE_MAX_CHARS and len(text.splitlines()) == 1
    return is_short and any(char.isalpha() for char in text) and (not _DATA.search(text) or bool(_KEY.fullmatch(text)))


def _is_table(lines: list[str], marks: str) -> bool:
    return len(lines) > 1 and any(lines[0].count(mark) == lines[1].count(mark) > 0 for mark in marks)


def _is_data(lines: list[str]) -> bool:
    """Whether lines are those of a table; a sentence has a comma with a space behind it."""
    return _is_table(lines, ";\t|" if any(", " in line for line in lines) else ";\t|,")


def _shape_of_page(text: str) -> Shape | None:
    page = WebPage(text)
    if page.asks_for_password:
        return Shape.LOGIN
    if page.titles_error:
        return Shape.ERROR
    if page.makes_wait:
        return Shape.WAITING
    if len(page.shown) <= _NOTE_MAX_CHARS and says_error(page.shown):
        return Shape.ERROR
    return Shape.SCRIPT if page.is_made_by_scripts else None


def _shape_of_note(text: str) -> Shape | None:
    words = text.strip()
    if (script := _SCRIPTED.fullmatch(words)) is not None:
        return _ANSWERS[json_answer(script[1])]
    lines = words.splitlines()
    if is_stack_trace(words):
        return Shape.ERROR
    if len(words) > _NOTE_MAX_CHARS or len(lines) > _NOTE_MAX_LINES or _is_data(lines):
        return None
    if is_error_note(words):
        return Shape.ERROR
    if asks_for_patience(words):
        return Shape.PENDING
    return Shape.STATUS if _BARE.fullmatch(words.strip(_QUOTES)) else None
