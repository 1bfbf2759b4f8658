"""Guards against harmful workbooks: checks parts, sizes, compression and XML before a library unpacks them.

A tag of a few bytes takes hundreds of bytes in memory, and a document type may define texts that multiply. So a parser
that stores nothing reads each part once, in small pieces, and stops at the first limit that is exceeded.

Nothing is unpacked to the disk, so the names of parts reach no folder. The sizes that a file states are used because
reading stops at them.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Container, Iterable, Iterator, Mapping
from xml.parsers import expat

from poolwright.intake.errors import InputRefusedError
from poolwright.intake.grid import CELL_LENGTH_MAX, CELLS_MAX, COLUMNS_MAX, ROWS_MAX
from poolwright.intake.workbooks.parts import folded

#: Deeper than any part of a workbook, whose extensions nest about a dozen tags.
DEPTH_MAX = 100
#: Tags in one row of a sheet or one shared text: every column filled, each cell with a formula, a text and its format.
GROUP_MAX = 10 * COLUMNS_MAX
#: Tags outside rows and shared texts: styles, links, merged cells. Excel allows 65,530 links in a sheet.
OTHERS_MAX = 500_000
#: A character may take four bytes, or be written as a reference such as ``&#x1F600;``.
_GAP_BYTES_MAX = 12 * CELL_LENGTH_MAX
#: Depth and name of the tags around the rows of a sheet, and around shared texts, in each kind of workbook.
_ROWS_PARENTS = frozenset({(2, "sheetdata"), (3, "table"), (4, "table")})
_TEXTS_PARENTS = frozenset({(1, "sst")})
#: Depth of cells below the tag around the rows.
_CELLS_BELOW = 2


class TooMuchError(Exception):
    """A part is above a limit. The text continues a sentence that begins with "a part of it ..."."""


def check_xml_part(chunks: Iterable[bytes]) -> None:
    """Count the tags and texts of an XML part. Broken XML is read up to its error, where the library stops too.

    Args:
        chunks: Its bytes, in pieces of any size.

    Raises:
        TooMuchError: It is above a limit of workbooks, or defines a document type of its own.
    """
    counter = _Counter()
    try:
        for chunk in chunks:
            counter.feed(chunk)
    except expat.ExpatError:
        return


class _Counter:
    """Counts tags in one pass over one part."""

    def __init__(self) -> None:
        self._depth = 0
        #: Depth of the open tag around all rows of a sheet or all shared texts; 0 when none is open.
        self._groups_depth = 0
        self._has_rows = False
        self._group_tags = self._group_count = self._other_count = self._cell_count = 0
        self._fed_bytes = self._last_tag_byte = 0
        self._parser = expat.ParserCreate()
        self._parser.StartDoctypeDeclHandler = self._refuse_doctype
        self._parser.StartElementHandler = self._open
        self._parser.EndElementHandler = self._close

    def feed(self, chunk: bytes) -> None:
        self._parser.Parse(chunk)
        self._fed_bytes += len(chunk)
        if self._fed_bytes - self._last_tag_byte > _GAP_BYTES_MAX:
            raise TooMuchError(f"has a text of more than {CELL_LENGTH_MAX:,} characters")

    def _refuse_doctype(self, *_: object) -> None:
        raise TooMuchError("defines its own document type, which no spreadsheet program does")

    def _open(self, name: str, _: object) -> None:
        self._last_tag_byte = self._parser.CurrentByteIndex
        self._depth += 1
        if self._groups_depth:
            self._count_in_groups()
            return
        tag = (self._depth, name.rpartition(":")[2].casefold())
        if tag in _ROWS_PARENTS or tag in _TEXTS_PARENTS:
            self._groups_depth = self._depth
            self._has_rows = tag in _ROWS_PARENTS
            self._group_count = 0
            return
        self._other_count += 1
        if self._other_count > OTHERS_MAX or self._depth > DEPTH_MAX:
            raise TooMuchError(f"has more than {OTHERS_MAX:,} tags beside its rows, or nests them too deep")

    def _count_in_groups(self) -> None:
        """Count a row or a text, or a tag within one."""
        below = self._depth - self._groups_depth
        if below == 1:
            self._group_count += 1
            self._group_tags = 0
            if self._group_count > (ROWS_MAX if self._has_rows else CELLS_MAX):
                raise TooMuchError(f"has more than {ROWS_MAX:,} rows or {CELLS_MAX:,} texts")
            return
        self._group_tags += 1
        self._cell_count += self._has_rows and below == _CELLS_BELOW
        if self._cell_count > CELLS_MAX:
            raise TooMuchError(f"has more than {CELLS_MAX:,} cells")
        if self._group_tags > GROUP_MAX or below > DEPTH_MAX:
            raise TooMuchError(f"has a row or a text of more than {GROUP_MAX:,} tags, or nested too deep")

    def _close(self, _: str) -> None:
        if self._depth == self._groups_depth:
            self._groups_depth = 0
        self._depth -= 1


#: Begins each entry in the directory of a packed file.
_ENTRY = b"PK\x01\x02"
#: A workbook of several hundred sheets, each with drawings and pictures, has fewer.
PARTS_MAX = 10_000
#: Five million cells take about 300 MB of XML; a library stores some of it in up to four bytes a character.
UNPACKED_BYTES_MAX = 512 * 1024 * 1024
#: Sheets shrink twenty to sixty times; zeros and blanks made for the purpose a thousand times.
RATIO_MAX = 200
#: Below this size no ratio is harmful.
_RATIO_FROM_BYTES = 16 * 1024 * 1024
#: Methods of spreadsheet programs; others may expand too much within a single piece.
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_SAVE = "save the list as .xlsx or CSV"
#: Kinds of other packed files and the next step, by the name of one of their parts. The first match counts.
_OTHERS = {
    "word/document": f"a Word document (.docx), not a spreadsheet; {_SAVE}",
    "ppt/presentation": f"a PowerPoint file (.pptx), not a spreadsheet; {_SAVE}",
    "visio/document": f"a Visio drawing (.vsdx), not a spreadsheet; {_SAVE}",
    "fixeddocseq.fdseq": f"a printed document (.xps), not a spreadsheet; {_SAVE}",
    "index/calculationengine": f"an Apple Numbers file; {_SAVE}",
    "index/document.iwa": f"an Apple Numbers, Pages or Keynote file; {_SAVE}",
    "index.zip": f"an Apple Numbers, Pages or Keynote file; {_SAVE}",
    "androidmanifest.xml": "an app for Android, not a list; give the list itself",
    "meta-inf/manifest.mf": "a Java program, not a list; give the list itself",
    "meta-inf/container.xml": f"an electronic book (.epub), not a list; {_SAVE}",
    "doc.kml": f"a map (.kmz), not a list; {_SAVE}",
}
_PACKAGE = "[content_types].xml"
#: Copies of attributes that macOS packs beside each file.
_BESIDE = ("__macosx/", "._")
_NAMES_SHOWN = 3
_LIST_ENDINGS = (".csv", ".txt", ".tsv", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".htm", ".html", ".xml", ".json")
_CHUNK_BYTES = 64 * 1024


def check_package(content: bytes, source: str) -> None:
    """Refuse a packed file that is no workbook, or one that would exhaust memory or time.

    Raises:
        InputRefusedError: The file is refused.
        zipfile.BadZipFile: The file is damaged.
    """
    if content.count(_ENTRY) > PARTS_MAX:
        raise InputRefusedError(f"{source} contains more than {PARTS_MAX:,} parts; save only the list as .xlsx.")
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        parts = packed.infolist()
        _check_kind({folded(part.filename): part.filename for part in parts}, source)
        _check_sizes(parts, len(content), source)
        for part in parts:
            try:
                check_xml_part(_chunks(packed, part))
            except TooMuchError as error:
                raise InputRefusedError(
                    f"{source} is refused: a part of it {error}; save the list alone as .xlsx or CSV."
                ) from error


def _check_kind(names: Mapping[str, str], source: str) -> None:
    """Refuse a packed file that is no workbook.

    Args:
        names: Each part's name as it is read, and as it is written.
        source: Name of the file.
    """
    if not names:
        raise InputRefusedError(f"{source} is a packed file with nothing in it; give the list itself.")
    if "content.xml" in names or any(_is_book_part(name, names) for name in names):
        return
    for mark, description in _OTHERS.items():
        if any(name.startswith(mark) for name in names):
            raise InputRefusedError(f"{source} is {description}.")
    if _PACKAGE in names:
        raise InputRefusedError(f"{source} is an Office file without a workbook in it; {_SAVE}.")
    files = {name: written for name, written in sorted(names.items()) if not _is_beside(name)}
    lists = [written for name, written in files.items() if name.endswith(_LIST_ENDINGS)]
    if lists:
        more = f" and {len(lists) - 1} more" if len(lists) > 1 else ""
        raise InputRefusedError(f"{source} is a packed file with {lists[0]}{more} in it; unpack it and give that file.")
    shown = list(files.values() or names.values())
    more = f" and {len(shown) - _NAMES_SHOWN} more" if len(shown) > _NAMES_SHOWN else ""
    raise InputRefusedError(
        f"{source} is a packed file without a list in it ({', '.join(shown[:_NAMES_SHOWN])}{more}); give the list "
        "itself, saved as .xlsx or CSV."
    )


def _is_book_part(name: str, names: Container[str]) -> bool:
    return name.startswith("xl/workbook.") or (name.startswith("xl/") and _PACKAGE in names)


def _is_beside(name: str) -> bool:
    return name.endswith("/") or name.startswith(_BESIDE) or "/._" in name


def _check_sizes(parts: list[zipfile.ZipInfo], packed_bytes: int, source: str) -> None:
    if not _METHODS.issuperset(part.compress_type for part in parts):
        raise InputRefusedError(
            f"{source} is not packed in the format of spreadsheet programs; save it again as .xlsx."
        )
    unpacked_bytes = sum(part.file_size for part in parts)
    if unpacked_bytes > UNPACKED_BYTES_MAX:
        size_mb = UNPACKED_BYTES_MAX // (1024 * 1024)
        raise InputRefusedError(f"{source} unpacks to more than {size_mb} MB; split it into several lists.")
    if unpacked_bytes > max(_RATIO_FROM_BYTES, RATIO_MAX * packed_bytes):
        raise InputRefusedError(
            f"{source} unpacks to more than {RATIO_MAX} times its size, mostly blanks; save the list alone as CSV."
        )


def _chunks(packed: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    with packed.open(part) as opened:
        while chunk := opened.read(_CHUNK_BYTES):
            yield chunk
