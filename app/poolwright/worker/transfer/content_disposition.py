"""Parses the Content-Disposition header of a response as leniently as a browser does. Pure.

The extended form takes precedence over the plain one; percent encoding, encoded words (RFC 2047) and raw bytes are
accepted in both. Bytes of an unknown encoding are decoded so that they match a name on the page, if one matches; else
the result is a guess.
"""

from __future__ import annotations

import binascii
import quopri
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import unquote_to_bytes

#: The rest of a longer header is ignored.
_HEADER_MAX_BYTES = 8192
_TOKEN = re.compile(r"\s*([\w*.!#$&+^`|~-]+)\s*=\s*")
_NAME_SOMEWHERE = re.compile(r"filename\*?\s*=", re.IGNORECASE)
_ENCODED_WORD = re.compile(r"=\?([\w-]{1,40})(?:\*[\w-]{0,20})?\?([bq])\?([^?]*)\?=", re.IGNORECASE)
_BETWEEN_WORDS = re.compile(r"(?<=\?=)\s+(?==\?)")
#: Adjacent encoded words: some programs split a character between two of them.
_WORDS = re.compile(rf"(?:{_ENCODED_WORD.pattern})+", re.IGNORECASE)
_EXTENDED = re.compile(r"([\w-]{0,40})'[\w-]{0,40}'(.*)", re.DOTALL)
#: The extended form with one apostrophe, or with the name between two.
_HALF_EXTENDED = re.compile(r"([\w-]{1,40})'(.*?)'?", re.DOTALL)
_QUOTES = re.compile(
    r"""'[^']*'|"[^"]*"|\u201c[^\u201d]*\u201d|\u201e[^\u201c\u201d]*[\u201c\u201d]|\u00ab[^\u00bb]*\u00bb"""
)
#: The start of another header of the same response that a proxy joined to this one.
_NEXT_HEADER = re.compile(r",\s*(?:attachment|inline|form-data)\s*$", re.IGNORECASE)
_PIECE = re.compile(r"filename\*(\d{1,3})(\*?)$")
#: One or two letters of a western language within a word; East Asian characters are alone or in longer rows.
_WESTERN = re.compile(
    rb"(?<![\x80-\xff])(?:[\x80-\xff]|[\xc0-\xff]{2}(?=[a-z])|(?<=[a-z])[\xc0-\xff]{2})(?![\x80-\xff])", re.IGNORECASE
)
_HIGH = re.compile(rb"[\x80-\xff]")
#: Encodings of portals that send raw bytes of their system, the strictest first.
_LEGACY = ("shift_jis", "euc_kr", "gb18030", "big5", "euc_jp", "cp1251", "cp1250", "cp1252")


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentDisposition:
    """The Content-Disposition of a response."""

    #: The name as it is written; empty if the header has none.
    name: str = ""
    #: Whether the encoding of the name is known; else it is a guess.
    is_sure: bool = True
    #: Whether the portal declares a file to be saved.
    is_attachment: bool = False


NO_DISPOSITION = ContentDisposition()


def parse_content_disposition(headers: Sequence[bytes], known_names: Sequence[str] = ()) -> ContentDisposition:
    """Return what all such headers of a response declare; the first name counts.

    Args:
        headers: The raw values, one for each header line.
        known_names: The names that the page gives the file, to find the encoding.
    """
    dispositions = [_parse(header[:_HEADER_MAX_BYTES].decode("latin-1"), known_names) for header in headers]
    named = next((disposition for disposition in dispositions if disposition.name), NO_DISPOSITION)
    is_attachment = any(disposition.is_attachment for disposition in dispositions)
    return ContentDisposition(name=named.name, is_sure=named.is_sure, is_attachment=is_attachment)


def _parse(header: str, known_names: Sequence[str]) -> ContentDisposition:
    kind = header.partition(";")[0]
    parameters = list(_parameters(header))
    if not any(name.startswith("filename") for name, _ in parameters) and (match := _NAME_SOMEWHERE.search(header)):
        parameters = list(_parameters(header[match.start() :]))
    name, is_sure = _name(parameters, known_names)
    is_attachment = bool(name) if "=" in kind else kind.strip().lower() not in {"inline", ""}
    return ContentDisposition(name=name, is_sure=is_sure, is_attachment=is_attachment)


def _name(parameters: Sequence[tuple[str, str]], known_names: Sequence[str]) -> tuple[str, bool]:
    pieces = sorted((int(match[1]), value) for name, value in parameters if (match := _PIECE.fullmatch(name)))
    extended = [*(value for name, value in parameters if name == "filename*"), "".join(value for _, value in pieces)]
    candidates = [
        *(_read_extended(value, known_names) for value in extended),
        *(_read_plain(value, known_names) for name, value in parameters if name == "filename"),
    ]
    named = [(_unquoted(text), is_sure) for text, is_sure in candidates if any(char.isalnum() for char in text)]
    sure = (candidate for candidate in named if candidate[1])
    return next(sure, next(iter(named), ("", True)))


def _unquoted(text: str) -> str:
    """Return a name without the quotes of any kind that a portal put around it."""
    name = text.strip()
    return name[1:-1].strip() if _QUOTES.fullmatch(name) else name


def _parameters(text: str) -> Iterator[tuple[str, str]]:
    """Yield the parameters: names in lower case, values without quotes; invalid parts are skipped."""
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            end = _end(text, position)
        else:
            value, end = _value(text, token.end())
            yield token[1].lower(), value
        position = end + 1


def _end(text: str, begin: int) -> int:
    """Return the position of the next semicolon, or the length of the header."""
    position = text.find(";", begin)
    return len(text) if position < 0 else position


def _value(text: str, begin: int) -> tuple[str, int]:
    """Return a value and the position of its end: a closing quote, a semicolon, or the start of the next header."""
    if text.startswith('"', begin):
        return _quoted(text, begin + 1)
    end = _end(text, begin)
    return _unquoted(_NEXT_HEADER.sub("", text[begin:end])), end


def _quoted(text: str, begin: int) -> tuple[str, int]:
    """Return a quoted value and the position of its end; only a quote before a semicolon or the end closes it."""
    letters, position = list[str](), begin
    while position < len(text):
        if text[position] == "\\" and text[position + 1 : position + 2] in {'"', "\\"}:
            letters.append(text[position + 1])
            position += 2
            continue
        if text[position] == '"' and (not (rest := text[position + 1 :].lstrip()) or rest[0] in ";,"):
            return "".join(letters), _end(text, position)
        letters.append(text[position])
        position += 1
    end = _end(text, begin)  # the closing quote is missing: a semicolon ends the value, as without quotes
    return text[begin:end], end


def _read_extended(value: str, known_names: Sequence[str]) -> tuple[str, bool]:
    match = _EXTENDED.fullmatch(value) or _half_extended(value)
    charset, text = (match[1], match[2]) if match else ("", value)
    content = unquote_to_bytes(text.strip('"').encode("latin-1"))
    for encoding in (charset, "utf-8"):
        if (decoded := _decoded(content, encoding)) is not None:
            return decoded, True
    return _guessed(content, known_names)


def _half_extended(value: str) -> re.Match[str] | None:
    match = _HALF_EXTENDED.fullmatch(value)
    return match if match and _decoded(b"a", match[1]) is not None else None


def _read_plain(value: str, known_names: Sequence[str]) -> tuple[str, bool]:
    words = _BETWEEN_WORDS.sub("", value)
    if _ENCODED_WORD.search(words):
        return _WORDS.sub(_decoded_words, words), True
    content = value.encode("latin-1")
    if not _HIGH.search(content):
        content = unquote_to_bytes(content)
    decoded = _decoded(content, "utf-8")
    return (decoded, True) if decoded is not None else _guessed(content, known_names)


def _decoded_words(words: re.Match[str]) -> str:
    """Return adjacent encoded words, decoded; unchanged if one of them is invalid."""
    text = ""
    for charset, parts in groupby(_ENCODED_WORD.finditer(words[0]), key=lambda word: word[1].lower()):
        decoded = _decoded(b"".join(_content_of(word) for word in parts), charset)
        if decoded is None:
            return words[0]
        text += decoded
    return text


def _content_of(word: re.Match[str]) -> bytes:
    text = word[3].encode("latin-1")
    if word[2].lower() == "q":
        return quopri.decodestring(text, header=True)
    try:
        return binascii.a2b_base64(text + b"==")  # some programs omit the padding; extra padding is ignored
    except binascii.Error:
        return word[0].encode("latin-1")


def _decoded(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except (LookupError, UnicodeError):
        return None


def _guessed(content: bytes, known_names: Sequence[str]) -> tuple[str, bool]:
    """Return the decoding that a name on the page confirms; else a western one for few high bytes, else a guess."""
    decodings = [reading for encoding in _LEGACY if (reading := _decoded(content, encoding)) is not None]
    for reading in decodings:
        if any(reading.casefold() in text.casefold() for text in known_names):
            return reading, True
    western = _decoded(content, "cp1252")
    if western is not None and not _HIGH.search(_WESTERN.sub(b"", content)):
        return western, True
    letters = [reading for reading in decodings if all(char.isalnum() for char in reading if not char.isascii())]
    return next(iter(letters), content.decode("latin-1")), False
