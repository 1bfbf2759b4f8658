"""Bytes of a text file become text, whatever program wrote them.

A byte order mark is believed, then UTF-8, then UTF-16 by its zero bytes; the rest is judged by ``charset-normalizer``.
Nothing is replaced: a byte that the chosen encoding does not have refuses the file.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

import charset_normalizer

from app.intake.errors import InputRefusedError

#: A longer mark first: the mark of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: What spreadsheet programs write where UTF-8 is not their habit: western and central European first.
_LATIN_PAGES = ("cp1252", "cp1250")
_OTHER_PAGES = [*_LATIN_PAGES, "cp1251", "cp1253", "gb18030", "big5", "cp932", "cp949"]
#: Latin words have few letters beyond ASCII, one or two in a row; other scripts have nothing else.
_LATIN_RUN_MAX = 2
_LINE_END = re.compile(rb"[\r\n]")
_FOREIGN_RUN = re.compile(rb"[\x80-\xff]+")
_LETTER = "[^\\W\\d_²³¹¼½¾]"
#: A sign that touches a letter as no language has it: the page that makes many of them is the wrong one.
_STRAY_SIGN = re.compile(rf"{_LETTER}[^\w\s\x00-\x7f]|(?:[^\w\s\x00-\x7f¿¡]|[²³¹¼½¾]){_LETTER}")
_PROBE_BYTES = 65_536
#: In UTF-16 zero bytes keep to one side of each pair; in other data they do not.
_SIDE_RATIO = 4
#: Such a share of the pairs of UTF-16 has them, even where only digits and line ends are Latin; fewer are an accident.
_SIDE_SHARE_MIN = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """Text, and how sure its letters are."""

    text: str
    #: Empty when the encoding is certain.
    notice: str = ""


def decode(content: bytes, source: str) -> Decoded:
    """Find out the encoding and apply it.

    Raises:
        InputRefusedError: No encoding fits.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return Decoded(text=_decoded(content, encoding, source))
    wide = _wide_encoding(content)
    if wide:
        return Decoded(text=_decoded(content, wide, source))
    try:
        return Decoded(text=content.decode("utf-8"))
    except UnicodeDecodeError:
        encoding = _code_page(content, source)
    notice = f"{source} is not UTF-8 text; its letters were read as {encoding}."
    return Decoded(text=_decoded(content, encoding, source), notice=notice)


def _decoded(content: bytes, encoding: str, source: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputRefusedError(
            f"{source} looks like {encoding} text but is damaged at byte {error.start}; "
            "save it again as CSV UTF-8 or .xlsx."
        ) from error


def _wide_encoding(content: bytes) -> str:
    """UTF-16 without a mark, or nothing."""
    probe = content[:_PROBE_BYTES]
    first, second = probe[::2].count(0), probe[1::2].count(0)
    if max(first, second) < _SIDE_SHARE_MIN * len(probe) / 2:
        return ""
    if second > _SIDE_RATIO * first:
        return "utf-16-le"
    return "utf-16-be" if first > _SIDE_RATIO * second else ""


def _code_page(content: bytes, source: str) -> str:
    """The page that makes the best sense of the lines that need one."""
    telling = b"\n".join(_foreign_lines(content))[:_PROBE_BYTES]
    runs = _FOREIGN_RUN.findall(telling)
    is_latin = sum(map(len, runs)) <= _LATIN_RUN_MAX * len(runs)
    pages = [page for page in _LATIN_PAGES if is_latin and _fits(telling, page)]
    if pages:
        return min(pages, key=lambda page: len(_STRAY_SIGN.findall(telling.decode(page))))
    # Short runs that no Latin page has come from DOS; the detector knows its pages too.
    best = charset_normalizer.from_bytes(telling, cp_isolation=None if is_latin else _OTHER_PAGES).best()
    if best is None:
        raise InputRefusedError(
            f"{source} is text in an encoding that was not found out; save it again as CSV UTF-8 or .xlsx."
        )
    return best.encoding


def _foreign_lines(content: bytes) -> Iterator[bytes]:
    """Lines with anything beyond ASCII, as many as are looked at, without cutting up all the others."""
    start = size = 0
    while size < _PROBE_BYTES and (found := _FOREIGN_RUN.search(content, start)):
        end_mark = _LINE_END.search(content, found.end())
        end = end_mark.start() if end_mark else len(content)
        begin = (
            max(content.rfind(b"\n", start, found.start()), content.rfind(b"\r", start, found.start()), start - 1) + 1
        )
        yield content[begin : min(end, begin + _PROBE_BYTES)]
        size += end - begin + 1
        start = end


def _fits(content: bytes, page: str) -> bool:
    try:
        content.decode(page)
    except UnicodeDecodeError:
        return False
    return True
