"""Decodes the bytes of a text file, whichever program wrote them.

A byte order mark decides, then UTF-8, then UTF-16 by its zero bytes, then code pages; ``charset-normalizer`` judges the
rest. An invalid byte affects its line alone, and a notice names that line; a file full of them is refused.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from poolwright.intake.errors import InputRefusedError
from poolwright.intake.grid import named_rows

#: Longer marks first: the mark of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: Code pages of spreadsheet programs that do not write UTF-8: western and central European first.
_LATIN_PAGES = ("cp1252", "cp1250")
_OTHER_PAGES = [*_LATIN_PAGES, "cp1251", "cp1253", "gb18030", "big5", "cp932", "cp949"]
#: Latin words have few letters beyond ASCII, one or two in a row; other scripts have nothing else.
_LATIN_RUN_MAX = 2
_LINE_END = re.compile(rb"[\r\n]")
_LINES = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
#: Ends a text file of DOS; what follows fills up the last block.
_DOS_END = re.compile(r"\x1a[\x1a\0\s]*\Z")
#: Begins each of several files that were joined into one.
_INNER_MARK = re.compile(r"(^|[\r\n])\ufeff+")
_FOREIGN_RUN = re.compile(rb"[\x80-\xff]+")
_LETTER = "[^\\W\\d_²³¹¼½¾]"
#: A sign beside a letter, which no language has: a code page that gives many of them is the wrong one.
_STRAY_SIGN = re.compile(rf"{_LETTER}[^\w\s\x00-\x7f]|(?:[^\w\s\x00-\x7f¿¡]|[²³¹¼½¾]){_LETTER}")
_PROBE_BYTES = 65_536
_DECLARED = re.compile(rb"(?:charset|encoding)\s*=\s*[\"']?\s*([A-Za-z][\w.:-]*)", re.IGNORECASE)
_DECLARED_WITHIN = 4_096
#: In UTF-16 the zero bytes are on the same side of each pair; in other data they are not.
_SIDE_RATIO = 4
#: Such a share of the pairs of UTF-16 has them, even where only digits and line ends are Latin; fewer are an accident.
_SIDE_SHARE_MIN, _SIDE_COUNT_MIN = 0.05, 4
#: Larger shares of invalid lines are no accident.
_BROKEN_SHARE_MAX = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedText:
    """Decoded text, with a notice if its encoding is uncertain."""

    text: str
    #: Empty when the encoding is certain.
    notice: str = ""


def decode(content: bytes, source: str) -> DecodedText:
    """Detect the encoding and decode the content.

    Raises:
        InputRefusedError: No encoding fits.
    """
    decoded = _decoded(content, source)
    text = decoded.text.rstrip("\0")
    notices = [decoded.notice] if decoded.notice else []
    if len(text) < len(decoded.text) and not _DOS_END.search(decoded.text):
        notices.append(
            f"{source} ends in zero bytes, so its end may not have been saved; check that no row is missing."
        )
    return replace(decoded, text=_INNER_MARK.sub(r"\1", _DOS_END.sub("", text)), notice=" ".join(notices))


def _decoded(content: bytes, source: str) -> DecodedText:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            if encoding == "utf-8-sig":
                return _narrow(content.removeprefix(mark), source)
            return _wide(content, encoding, source)
    wide = _wide_encoding(content)
    return _wide(content, wide, source) if wide else _narrow(content, source)


def _wide(content: bytes, encoding: str, source: str) -> DecodedText:
    """Decode text of two or four bytes a character; a few invalid ones affect their rows alone."""
    try:
        return DecodedText(text=content.decode(encoding))
    except UnicodeDecodeError as error:
        text = content.decode(encoding, errors="replace")
        broken = [number for number, line in enumerate(text.splitlines(), start=1) if "\ufffd" in line]
        is_cut = error.end == len(content)
        if is_cut or len(broken) > max(1, _BROKEN_SHARE_MAX * text.count("\n")):
            raise InputRefusedError(
                f"{source} looks like {encoding} text but is damaged at byte {error.start}; "
                "save it again as CSV UTF-8 or .xlsx."
            ) from error
        return DecodedText(text=text, notice=_broken_notice(broken, source, encoding))


def _narrow(content: bytes, source: str) -> DecodedText:
    """Decode UTF-8, UTF-8 with some lines in a code page, or a code page."""
    try:
        return DecodedText(text=content.decode("utf-8"))
    except UnicodeDecodeError:
        pass
    declared = _declared_page(content)
    if declared:
        return DecodedText(text=content.decode(declared))
    foreign = list(_foreign_lines(content))
    strange = [line for line in foreign if not _fits(line, "utf-8")]
    page = _code_page(b"\n".join(strange)[:_PROBE_BYTES], source)
    # A line in a Latin page is UTF-8 by accident once in a lifetime; in other scripts it happens.
    is_mixed = len(strange) < len(foreign) and (_is_latin(strange) or 2 * len(strange) <= len(foreign))
    if not is_mixed and _fits(content, page):
        return DecodedText(
            text=content.decode(page), notice=f"{source} is not UTF-8 text; its letters were read as {page}."
        )
    return _by_line(content, ("utf-8", page) if is_mixed else (page,), source)


def _declared_page(content: bytes) -> str:
    """Return the code page that a web page or XML declares if all of its bytes are valid in it; else empty."""
    head = content[:_DECLARED_WITHIN]
    declaration = _DECLARED.search(head) if head.lstrip().startswith(b"<") else None
    if not declaration:
        return ""
    try:
        page = codecs.lookup(declaration[1].decode("ascii")).name
    except LookupError:
        return ""
    # All browsers read declared Latin-1 as the code page of Windows.
    names = ("cp1252", page) if page == "iso8859-1" else (page,)
    return next((name for name in names if _fits(content, name)), "")


def _by_line(content: bytes, encodings: Sequence[str], source: str) -> DecodedText:
    """Decode each line with the first encoding in which it is valid."""
    lines: list[str] = []
    strange: list[int] = []
    for number, line in enumerate(_LINES.findall(content), start=1):
        fitting = next((encoding for encoding in encodings if _fits(line, encoding)), "")
        lines.append(line.decode(fitting or encodings[-1], errors="strict" if fitting else "replace"))
        if fitting != encodings[0]:
            strange.append(number)
    return DecodedText(text="".join(lines), notice=_broken_notice(strange, source, encodings[0], encodings[-1]))


def _broken_notice(numbers: Sequence[int], source: str, encoding: str, other: str = "") -> str:
    lines = named_rows(numbers).replace("row", "line").capitalize()
    verb = "is" if len(numbers) == 1 else "are"
    is_read = f"were read as {other}" if other and other != encoding else "were replaced by a placeholder"
    return f"{lines} of {source} {verb} not {encoding} text; characters {is_read} there."


def _wide_encoding(content: bytes) -> str:
    """Return the byte order of UTF-16 without a mark; empty when the content is not UTF-16."""
    probe = content[:_PROBE_BYTES]
    first, second = probe[::2].count(0), probe[1::2].count(0)
    if max(first, second) < max(_SIDE_COUNT_MIN, _SIDE_SHARE_MIN * len(probe) / 2):
        return ""
    if second > _SIDE_RATIO * first:
        return "utf-16-le"
    return "utf-16-be" if first > _SIDE_RATIO * second else ""


def _code_page(telling: bytes, source: str) -> str:
    """Return the code page that fits the lines beyond ASCII best."""
    is_latin = _is_latin([telling])
    pages = [page for page in _LATIN_PAGES if is_latin and _fits(telling, page)]
    if pages:
        return min(pages, key=lambda page: len(_STRAY_SIGN.findall(telling.decode(page))))
    if is_latin and _is_nearly(telling, _LATIN_PAGES[0]):
        return _LATIN_PAGES[0]
    import charset_normalizer  # noqa: PLC0415 - rarely needed, and slow to load

    # Short runs that no Latin page has come from DOS, whose pages the detector knows too.
    best = charset_normalizer.from_bytes(telling, cp_isolation=None if is_latin else _OTHER_PAGES).best()
    if best is None:
        raise InputRefusedError(f"{source} is text in an unknown encoding; save it again as CSV UTF-8 or .xlsx.")
    return best.encoding


def _is_nearly(telling: bytes, page: str) -> bool:
    """Return whether all but a few letters are valid in a code page."""
    text = telling.decode(page, errors="replace")
    odd_count = text.count("\ufffd") + len(_STRAY_SIGN.findall(text.replace("\ufffd", "")))
    return odd_count <= _BROKEN_SHARE_MAX * len(_FOREIGN_RUN.findall(telling))


def _is_latin(lines: Sequence[bytes]) -> bool:
    runs = [run for line in lines for run in _FOREIGN_RUN.findall(line)]
    return sum(map(len, runs)) <= _LATIN_RUN_MAX * len(runs)


def _foreign_lines(content: bytes) -> Iterator[bytes]:
    """Yield lines with anything beyond ASCII up to the size of the probe, without splitting all the others."""
    start = size = 0
    while size < _PROBE_BYTES and (run := _FOREIGN_RUN.search(content, start)):
        end_mark = _LINE_END.search(content, run.end())
        end = end_mark.start() if end_mark else len(content)
        begin = max(content.rfind(b"\n", start, run.start()), content.rfind(b"\r", start, run.start()), start - 1) + 1
        yield content[begin : min(end, begin + _PROBE_BYTES)]
        size += end - begin + 1
        start = end


def _fits(content: bytes, page: str) -> bool:
    try:
        content.decode(page)
    except UnicodeDecodeError:
        return False
    return True
