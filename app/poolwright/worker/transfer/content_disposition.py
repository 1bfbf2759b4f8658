"""Parses the Content-Disposition header of a response as leniently as a browser does. Pure.

The extended form goes before the plain one; percent encoding and encoded words of mail are taken in both; so are raw
bytes. Bytes of no known encoding are read as the page itself calls the file, where it does; else they are a guess.
"""

from __future__ import annotations

import binascii
import quopri
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import unquote_to_bytes

#: A header is a line; what is longer is an attack.
_HEADER_MAX_BYTES = 8192
_TOKEN = re.compile(r"\s*([\w*.!#$&+^`|~-]+)\s*=\s*")
_NAME_SOMEWHERE = re.compile(r"filename\*?\s*=", re.IGNORECASE)
_ENCODED_WORD = re.compile(r"=\?([\w-]{1,40})(?:\*[\w-]{0,20})?\?([bq])\?([^?]*)\?=", re.IGNORECASE)
_BETWEEN_WORDS = re.compile(r"(?<=\?=)\s+(?==\?)")
#: Words of one encoding side by side: some programs part a letter between two.
_WORDS = re.compile(rf"(?:{_ENCODED_WORD.pattern})+", re.IGNORECASE)
_EXTENDED = re.compile(r"([\w-]{0,40})'[\w-]{0,40}'(.*)", re.DOTALL)
#: The same with one apostrophe, or with the name between two.
_HALF_EXTENDED = re.compile(r"([\w-]{1,40})'(.*?)'?", re.DOTALL)
_QUOTES = re.compile(
    r"""'[^']*'|"[^"]*"|\u201c[^\u201d]*\u201d|\u201e[^\u201c\u201d]*[\u201c\u201d]|\u00ab[^\u00bb]*\u00bb"""
)
#: Where another header of the same answer begins that a server in between joined to this one.
_NEXT_HEADER = re.compile(r",\s*(?:attachment|inline|form-data)\s*$", re.IGNORECASE)
_PIECE = re.compile(r"filename\*(\d{1,3})(\*?)$")
#: One or two letters of a western language within a word; signs of the east come alone or in longer rows.
_WESTERN = re.compile(
    rb"(?<![\x80-\xff])(?:[\x80-\xff]|[\xc0-\xff]{2}(?=[a-z])|(?<=[a-z])[\xc0-\xff]{2})(?![\x80-\xff])", re.IGNORECASE
)
_HIGH = re.compile(rb"[\x80-\xff]")
#: Encodings of portals that send a name as their system has it, those that refuse most first.
_LEGACY = ("shift_jis", "euc_kr", "gb18030", "big5", "euc_jp", "cp1251", "cp1250", "cp1252")


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentDisposition:
    """What an answer says of itself."""

    #: As it is written; empty where the header names nothing.
    name: str = ""
    #: Whether the name's letters are known; else its bytes were read as what they may be.
    is_sure: bool = True
    #: Whether the portal says that this is a file to be kept.
    is_attachment: bool = False


NO_DISPOSITION = ContentDisposition()


def parse_content_disposition(headers: Sequence[bytes], known: Sequence[str] = ()) -> ContentDisposition:
    """Read every such header of an answer; the first one that names a file names it.

    Args:
        headers: The values as they came, one for each line.
        known: How the page calls the file, to tell letters by.
    """
    found = [_read(header[:_HEADER_MAX_BYTES].decode("latin-1"), known) for header in headers]
    named = next((one for one in found if one.name), NO_DISPOSITION)
    is_attachment = any(one.is_attachment for one in found)
    return ContentDisposition(name=named.name, is_sure=named.is_sure, is_attachment=is_attachment)


def _read(header: str, known: Sequence[str]) -> ContentDisposition:
    kind = header.partition(";")[0]
    given = list(_parameters(header))
    if not any(name.startswith("filename") for name, _ in given) and (found := _NAME_SOMEWHERE.search(header)):
        given = list(_parameters(header[found.start() :]))
    name, is_sure = _name(given, known)
    is_attachment = bool(name) if "=" in kind else kind.strip().lower() not in {"inline", ""}
    return ContentDisposition(name=name, is_sure=is_sure, is_attachment=is_attachment)


def _name(given: Sequence[tuple[str, str]], known: Sequence[str]) -> tuple[str, bool]:
    pieces = sorted((int(found[1]), value) for name, value in given if (found := _PIECE.fullmatch(name)))
    extended = [*(value for name, value in given if name == "filename*"), "".join(value for _, value in pieces)]
    read = [
        *(_read_extended(value, known) for value in extended),
        *(_read_plain(value, known) for name, value in given if name == "filename"),
    ]
    named = [(_unquoted(text), is_sure) for text, is_sure in read if any(char.isalnum() for char in text)]
    sure = (one for one in named if one[1])
    return next(sure, next(iter(named), ("", True)))


def _unquoted(text: str) -> str:
    """A name without quotes around it, of whatever kind, that a portal took for a part of the header."""
    name = text.strip()
    return name[1:-1].strip() if _QUOTES.fullmatch(name) else name


def _parameters(text: str) -> Iterator[tuple[str, str]]:
    """Names in lower case and values, quotes taken off; what makes no sense is passed over."""
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            end = _end(text, at)
        else:
            value, end = _value(text, found.end())
            yield found[1].lower(), value
        at = end + 1


def _end(text: str, begin: int) -> int:
    """Where the next semicolon is, or the header's end."""
    found = text.find(";", begin)
    return len(text) if found < 0 else found


def _value(text: str, begin: int) -> tuple[str, int]:
    """A value, and where it ends: in quotes; else at a semicolon, or where the next header begins."""
    if text.startswith('"', begin):
        return _quoted(text, begin + 1)
    end = _end(text, begin)
    return _unquoted(_NEXT_HEADER.sub("", text[begin:end])), end


def _quoted(text: str, begin: int) -> tuple[str, int]:
    """A value in quotes, which end where a semicolon or the header's end follows; and where it ends."""
    letters, at = list[str](), begin
    while at < len(text):
        if text[at] == "\\" and text[at + 1 : at + 2] in {'"', "\\"}:
            letters.append(text[at + 1])
            at += 2
            continue
        if text[at] == '"' and (not (rest := text[at + 1 :].lstrip()) or rest[0] in ";,"):
            return "".join(letters), _end(text, at)
        letters.append(text[at])
        at += 1
    end = _end(text, begin)  # the last quote is missing: then a semicolon ends the value, as without any
    return text[begin:end], end


def _read_extended(value: str, known: Sequence[str]) -> tuple[str, bool]:
    found = _EXTENDED.fullmatch(value) or _half_extended(value)
    charset, text = (found[1], found[2]) if found else ("", value)
    content = unquote_to_bytes(text.strip('"').encode("latin-1"))
    for encoding in (charset, "utf-8"):
        if (read := _decoded(content, encoding)) is not None:
            return read, True
    return _guessed(content, known)


def _half_extended(value: str) -> re.Match[str] | None:
    found = _HALF_EXTENDED.fullmatch(value)
    return found if found and _decoded(b"a", found[1]) is not None else None


def _read_plain(value: str, known: Sequence[str]) -> tuple[str, bool]:
    words = _BETWEEN_WORDS.sub("", value)
    if _ENCODED_WORD.search(words):
        return _WORDS.sub(_in_letters, words), True
    content = value.encode("latin-1")
    if not _HIGH.search(content):
        content = unquote_to_bytes(content)
    told = _decoded(content, "utf-8")
    return (told, True) if told is not None else _guessed(content, known)


def _in_letters(found: re.Match[str]) -> str:
    """Encoded words side by side; they stay as they are where one of them is none."""
    text = ""
    for charset, parts in groupby(_ENCODED_WORD.finditer(found[0]), key=lambda word: word[1].lower()):
        told = _decoded(b"".join(_content_of(word) for word in parts), charset)
        if told is None:
            return found[0]
        text += told
    return text


def _content_of(word: re.Match[str]) -> bytes:
    text = word[3].encode("latin-1")
    if word[2].lower() == "q":
        return quopri.decodestring(text, header=True)
    try:
        return binascii.a2b_base64(text + b"==")  # some leave the end out; what is too much is passed over
    except binascii.Error:
        return word[0].encode("latin-1")


def _decoded(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except (LookupError, UnicodeError):
        return None


def _guessed(content: bytes, known: Sequence[str]) -> tuple[str, bool]:
    """The reading that the page knows; else a few high bytes within a word are western letters, and more a guess."""
    readings = [told for encoding in _LEGACY if (told := _decoded(content, encoding)) is not None]
    for told in readings:
        if any(told.casefold() in text.casefold() for text in known):
            return told, True
    western = _decoded(content, "cp1252")
    if western is not None and not _HIGH.search(_WESTERN.sub(b"", content)):
        return western, True
    letters = [told for told in readings if all(char.isalnum() for char in told if not char.isascii())]
    return next(iter(letters), content.decode("latin-1")), False
