"""Reads the text of an Outlook message that is only there in Outlook's own form, compressed rich text (RTF). Pure.

Mails are the work of strangers, so what the library searches in time that does not grow with the text alone (the table
of fonts, the addresses of links) is rebuilt or renamed before it sees it.
"""

from __future__ import annotations

import re
import zlib
from typing import Final

from compressed_rtf import decompress
from striprtf.striprtf import rtf_to_text

#: Bytes of a compressed text that is read; one that is larger has pictures of many megabytes in it.
COMPRESSED_MAX_BYTES = 4 * 1024 * 1024
#: Bytes of a text that is read, once its pictures are out.
RAW_MAX_BYTES = 4_000_000
#: Bytes before the content, and where in them the kind and the checksum are.
_HEADER_BYTES: Final = 16
_KIND, _CHECKSUM = slice(8, 12), slice(12, 16)
_COMPRESSED, _PLAIN = b"LZFu", b"MELA"
_ALL_BITS: Final = 0xFFFFFFFF
#: Pictures, as digits without end.
_DIGITS: Final = re.compile(rb"[0-9A-Fa-f\s]{400,}")
_CODE_PAGE: Final = re.compile(rb"\\ansicpg(\d{1,5})")
#: The numbers of a font and of its alphabet, in the table of fonts.
_FONT: Final = re.compile(r"\\f(\d{1,5})(?!\d)[^;]{0,120}?\\fcharset(\d{1,3})(?!\d)")
#: Its beginning, as the library finds it.
_FONT_TABLE: Final = re.compile(r"\{[^{}]*\\fonttbl")
_BRACE: Final = re.compile(r"[{}]")
#: What stands before the address of a link, which is not shown; under this name the library leaves it out unread.
_FIELD: Final = re.compile(r"\\fldinst(?![a-z])", re.IGNORECASE)
_UNREAD_FIELD: Final = r"\\fldtype"


def rich_text(content: bytes) -> str:
    """Return the text of a compressed rich text, without its formatting and its pictures.

    Args:
        content: The property of the message, as it is in the file.

    Raises:
        ValueError: It is damaged, too large, or no rich text.
        struct.error: It is cut off.
    """
    if len(content) > COMPRESSED_MAX_BYTES:
        msg = "the rich text is too large"
        raise ValueError(msg)
    _check(content)
    raw = _DIGITS.sub(b" ", decompress(content))
    if not raw.lstrip().startswith(b"{\\rtf") or len(raw) > RAW_MAX_BYTES:
        msg = "it is no rich text, or too long"
        raise ValueError(msg)
    page = _CODE_PAGE.search(raw)
    encoding = f"cp{page[1].decode()}" if page else "cp1252"
    text = _FIELD.sub(_UNREAD_FIELD, _with_short_font_table(_decoded(raw, encoding)))
    # Letters beyond the first 65,536 are written as two halves.
    halves = rtf_to_text(text, "cp1252", "replace").encode("utf-16-le", "surrogatepass")
    return halves.decode("utf-16-le", "replace").replace("\0", "")


def _check(content: bytes) -> None:
    """Raise an error for what is damaged: the library has none of its own kind for it.

    Raises:
        ValueError: See above.
    """
    kind, checksum = content[_KIND], int.from_bytes(content[_CHECKSUM], "little")
    end = int.from_bytes(content[:4], "little") + 4
    packed = content[_HEADER_BYTES:end]
    expected = {_COMPRESSED: zlib.crc32(packed, _ALL_BITS) ^ _ALL_BITS, _PLAIN: 0}
    if len(content) < _HEADER_BYTES or end < _HEADER_BYTES or expected.get(kind) != checksum:
        msg = "the rich text is damaged"
        raise ValueError(msg)


def _decoded(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding, "replace")
    except LookupError:
        return raw.decode("cp1252", "replace")


def _with_short_font_table(text: str) -> str:
    """Return the text with a table of fonts that has nothing but their numbers and alphabets.

    Raises:
        ValueError: The table has no braces of its own.
    """
    start = _FONT_TABLE.search(text)
    if start is None:
        return text
    if start.group().replace("\\*", "") != "{\\fonttbl":
        msg = "the table of fonts is damaged"
        raise ValueError(msg)
    depth, end = 1, len(text)
    for brace in _BRACE.finditer(text, start.end()):
        depth += 1 if brace.group() == "{" else -1
        if depth == 0:
            end = brace.end()
            break
    fonts = _FONT.findall(text[start.start() : end])
    table = "".join(f"{{\\f{font}\\fcharset{alphabet} x;}}\n" for font, alphabet in fonts)
    return f"{text[: start.start()]}{{\\fonttbl\n{table}}}{text[end:]}"
