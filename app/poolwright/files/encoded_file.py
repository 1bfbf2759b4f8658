"""Recognizes files that arrive still encoded as text: base64, hexadecimal, uuencode or lists of numbers.

Base64 may be in lines, in quotes, in a ``data:`` URI, behind mail headers, or in a value of JSON or XML. A text whose
decoded bytes begin like a document is certainly an encoded file. If they are text, or if a long string cannot be
identified, the text may be meant as it is: then a notice asks the user to check it.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote, unquote_to_bytes

from poolwright.files.data_tree import is_wrapper
from poolwright.files.file_format import ANY_BYTES, CODE_TYPES, PROSE_TYPES, ContentType, format_of
from poolwright.files.media_type import content_type_of, decode_text, media_type_by_magic, promised_format

#: Shortest code: fewer letters are a word or a name.
_LETTERS_MIN = 24
#: The number of letters of a code that are decoded to identify it.
_LETTERS_LOOKED_AT = 6000
#: A string of this many letters with capitals, small letters and digits was hardly written by a person.
_CODE_MIN = 200
#: Shortest line of a code: programs break it into long lines of one length.
_LINE_MIN = 48
#: Types with a mark of two bytes, which may be chance in content shorter than this.
_WEAK_TYPES, _MARKED_MIN = frozenset({"image/bmp", "application/x-msdownload"}), 64
#: In a reply that wraps a file, the file has this share of the text, and few values are before it.
_WRAPPED_SHARE, _WRAPPED_AFTER_CHARS, _WRAPPED_AFTER_VALUES = 0.6, 1500, 12
#: Shortest decoded content that counts as text.
_READABLE_MIN = 16

#: Types of free text, and types that may contain encoded files.
_FREE_TYPES, _WRAPPERS = frozenset({*PROSE_TYPES, ANY_BYTES}), frozenset({"application/json", "application/xml"})
_PAGES_AND_PAPERS = frozenset(
    {
        ContentType.PDF,
        ContentType.ZIP,
        ContentType.COMPOUND,
        ContentType.RTF,
        ContentType.HTML,
        ContentType.OFFICE_HTML,
        ContentType.XML,
    }
)
_DATA_ADDRESS = re.compile(r"data:(?P<type>[\w.+/-]{0,100})(?P<more>(?:;[^,;]{0,100}){0,8}),", re.IGNORECASE)
_MAIL_HEADERS = re.compile(
    r"(?:content-[\w-]{1,40}|mime-version): [^\n]{0,300}\n"
    r"(?:[\w-]{1,40}: ?[^\n]{0,300}\n|[ \t]+\S[^\n]{0,300}\n){0,20}\n",
    re.IGNORECASE,
)
_IN_BASE64 = re.compile(r"content-transfer-encoding: ?base64", re.IGNORECASE)
_UUENCODED = re.compile(r"begin(?:-base64)? [0-7]{3,4} \S[^\n]{0,200}\n")
#: Text around a code: quotes, and the name of the encoding.
_AROUND = re.compile(r"^(?:base64,|b?[\"'])+|[\"',;\s]+$")
#: Line ends and slashes as JSON escapes them.
_ESCAPES = re.compile(r"\\r|\\n|\\(?=/)|\\u000[ad]", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
_HEXADECIMAL = re.compile(r"(?:0x|\\x)?((?:[0-9A-Fa-f]{2}[\s:-]?)+)")
_BETWEEN_DIGITS = re.compile(r"[\s:-]")
_NUMBERS = re.compile(r"(?:\{[^\[{]{0,80})?\[\s*((?:\d{1,3}\s*,\s*){16,})")
#: A value of JSON, and the text of an element.
_VALUES = re.compile(r"[\">]\s*(?:data:[^\",<]{0,200},)?([A-Za-z0-9+/_\\-][A-Za-z0-9+/_\\\s-]{23,}={0,2})")
_VALUE_BEFORE = re.compile(r"\"\s*:|</")
_ROOT = re.compile(r"\s*(?:<\?[^>]{0,300}\?>\s*)?<(?:[\w.-]{1,60}:)?([\w.-]{1,60})")
#: Root elements that APIs use for a single value.
_BARE_ROOTS = frozenset({"string", "base64binary", "arrayofstring", "arrayofbyte", "binary", "base64", "bytes"})
_SPREAD = (re.compile(r"[A-Z]"), re.compile(r"[a-z]"), re.compile(r"\d"))
_NOT_READABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd]")
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")
_PARTS_WORDS = re.compile(r"[\s;,<{]")


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedFile:
    """A file that a text contains in encoded form."""

    #: As a phrase for a sentence: ``a PDF in base64``.
    what: str
    #: Whether the text is certainly an encoded file.
    is_sure: bool = True
    #: Whether it is a value within JSON or XML, which may be meant as it is.
    is_wrapped: bool = False

    def is_no_file(self, label: str, declared_type: str) -> bool:
        """Whether the text is not the file itself; keys, certificates and free text may be encoded as a whole.

        Args:
            label: The portal's name for the file.
            declared_type: Media type in lower case, without parameters.
        """
        if self.is_wrapped:
            named = format_of(label)
            return named is None or named.media_type not in _WRAPPERS
        promised = promised_format(label, declared_type)
        return self.is_sure or not (promised is None or promised.media_type in {*_FREE_TYPES, *CODE_TYPES})

    def notes(self, label: str) -> Iterator[str]:
        """Yield the notice for an accepted text."""
        named = format_of(label)
        if named is None or named.media_type not in CODE_TYPES:
            content = f"{label} {'contains' if self.is_wrapped else 'is'} {self.what}"
            yield f"{content}, which the portal may have forgotten to decode: check whether it is the file."


def find_encoded_file(head: bytes, kind: ContentType, size_bytes: int) -> EncodedFile | None:
    """Find the file that a text encodes; ``None`` if the text is not an encoded file.

    Args:
        head: The beginning of the text, or all of it.
        kind: The kind of the text itself.
        size_bytes: The size of the whole text.
    """
    text = decode_text(head).strip("\ufeff \t\r\n\x00")
    match kind:
        case ContentType.TEXT:
            return _as_text(text)
        case ContentType.JSON:
            return _as_numbers(text) or _wrapped(text, is_whole=len(head) >= size_bytes)
        case ContentType.XML:
            root = _ROOT.match(text)
            name = root[1].lower() if root is not None else ""
            is_answer = name in _BARE_ROOTS or is_wrapper(name)  # a document may contain an encoded picture
            return _wrapped(text, is_whole=len(head) >= size_bytes) if is_answer else None
        case _:
            return None


def _as_text(text: str) -> EncodedFile | None:
    bare = text.strip("\"'")
    address = _DATA_ADDRESS.match(bare)
    if address is not None and (address["type"] or " " not in bare):  # otherwise it is a sentence about data
        return _in_address(address, bare[address.end() :])
    if _UUENCODED.match(text):
        return EncodedFile(what="a uuencoded file")
    plain = text.replace("\r\n", "\n")
    headers = _MAIL_HEADERS.match(plain)
    if headers is not None:
        return _in_base64(plain[headers.end() :]) if _IN_BASE64.search(headers[0]) else None
    return _as_numbers(text) or _in_hexadecimal(text) or _in_base64(text)


def _in_address(address: re.Match[str], content: str) -> EncodedFile:
    if "base64" in address["more"].lower():
        what = _what(_decoded(content))
    else:
        what = _what(unquote_to_bytes(content[:_LETTERS_LOOKED_AT]))
    return EncodedFile(what=f"{what or address['type'] or 'a text'} in an address (data:)")


def _as_numbers(text: str) -> EncodedFile | None:
    """Recognize the bytes of a file as a list of numbers, as some programs write them."""
    match = _NUMBERS.match(text[:_LETTERS_LOOKED_AT])
    numbers = [int(digits) for digits in re.findall(r"\d+", match[1])] if match else []
    what = _document(bytes(numbers)) if numbers and max(numbers) <= 0xFF else ""  # noqa: PLR2004 - the largest byte
    return EncodedFile(what=f"{what} as a list of numbers") if what else None


def _in_hexadecimal(text: str) -> EncodedFile | None:
    letters = _AROUND.sub("", text[:_LETTERS_LOOKED_AT])
    match = _HEXADECIMAL.match(letters)
    if match is None or len(match[0]) < len(letters) - 1:
        return None
    digits = _BETWEEN_DIGITS.sub("", match[1])
    what = _document(bytes.fromhex(digits)) if len(digits) >= _LETTERS_MIN else ""
    return EncodedFile(what=f"{what} in hexadecimal") if what else None


def _in_base64(text: str) -> EncodedFile | None:
    plain = _ESCAPES.sub("", _AROUND.sub("", unquote(text) if "%" in text else text))
    lines = plain.split()
    letters = "".join(lines)
    if len(letters) < _LETTERS_MIN or not _BASE64.fullmatch(letters):
        return None
    content = _decoded(letters)
    if what := _document(content):
        return EncodedFile(what=f"{what} in base64")
    if _what(content):
        return EncodedFile(what="base64-encoded text", is_sure=False)
    is_unbroken = len(lines) == 1 or (len({len(line) for line in lines[:-1]}) == 1 and len(lines[0]) >= _LINE_MIN)
    is_code = is_unbroken and len(letters) >= _CODE_MIN and all(mark.search(letters) for mark in _SPREAD)
    return EncodedFile(what="one long string, perhaps a base64-encoded file", is_sure=False) if is_code else None


def _wrapped(text: str, *, is_whole: bool) -> EncodedFile | None:
    """Recognize a file that is nearly the whole content of a reply."""
    for match in _values(text):
        what = _document(_decoded("".join(_ESCAPES.sub("", match[1]).split())))
        is_most = not is_whole or len(match[1]) >= _WRAPPED_SHARE * len(text)
        is_among_few = len(_VALUE_BEFORE.findall(text[: match.start()])) <= _WRAPPED_AFTER_VALUES
        if what and is_most and is_among_few:
            return EncodedFile(what=f"{what} in base64", is_wrapped=True)
    return None


def _values(text: str) -> Iterator[re.Match[str]]:
    """Yield the values near the beginning that could be a code."""
    for match in _VALUES.finditer(text):
        if match.start() > _WRAPPED_AFTER_CHARS:
            return
        yield match


def _decoded(letters: str) -> bytes:
    """Decode the beginning of a code; empty if it is not base64."""
    part = letters[:_LETTERS_LOOKED_AT].rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(part[: len(part) - len(part) % 4], validate=True)
    except binascii.Error:
        return b""


def _what(content: bytes) -> str:
    """Name the kind of decoded bytes as a phrase, a document or a text; empty if they may be chance."""
    document = _document(content)
    if document or len(content) < _READABLE_MIN:
        return document
    is_wide = content.startswith(_WIDE_MARKS)
    text = content.decode("utf-16" if is_wide else "utf-8", "ignore")
    is_whole = is_wide or len(text.encode()) >= len(content) - 3  # a letter may be cut at the end
    return "a text" if is_whole and not _NOT_READABLE.search(text) and _PARTS_WORDS.search(text) else ""


def _document(content: bytes) -> str:
    kind = content_type_of(content) if content else ContentType.TEXT
    if kind in _PAGES_AND_PAPERS:
        return str(kind)
    media_type = media_type_by_magic(content) if kind in {ContentType.IMAGE, ContentType.BINARY} else ""
    return "" if media_type in _WEAK_TYPES and len(content) < _MARKED_MIN else media_type
