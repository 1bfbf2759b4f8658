"""What a packed workbook may be, judged before any library unpacks it: parts, sizes, how tightly it is packed.

Nothing is ever unpacked to the disk, so names of parts reach no folder. Sizes that a file tells are believed because
reading stops at them; each part is walked through once in small pieces.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

from poolwright.intake.errors import InputRefusedError
from poolwright.intake.markup import TooMuchError, check_part
from poolwright.intake.workbooks.parts import folded

#: Begins each entry of a packed file's table of contents.
_ENTRY = b"PK\x01\x02"
#: A workbook of several hundred sheets, each with drawings and pictures, has fewer.
PARTS_MAX = 10_000
#: Five million cells take about 300 MB of XML; a library keeps some of it in up to four bytes a character.
UNPACKED_BYTES_MAX = 512 * 1024 * 1024
#: Sheets shrink twenty to sixty times; zeros and blanks made for the purpose a thousand times.
RATIO_MAX = 200
#: Below it no ratio does harm.
_RATIO_FROM_BYTES = 16 * 1024 * 1024
#: How spreadsheet programs pack; other ways may blow up within a single piece.
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
#: What other packed files begin with in their table of contents.
_OTHERS = {
    "word/": "a Word document (.docx), not a spreadsheet",
    "ppt/": "a PowerPoint file (.pptx), not a spreadsheet",
    "index/": "an Apple Numbers file",
    "index.zip": "an Apple Numbers file",
}
_LIST_ENDINGS = (".csv", ".txt", ".tsv", ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".htm", ".html", ".xml", ".json")
_CHUNK_BYTES = 64 * 1024


def check_package(content: bytes, source: str) -> None:
    """Refuse a packed file that is no workbook, or one that would exhaust memory or time.

    Raises:
        InputRefusedError: It is.
        zipfile.BadZipFile: It is damaged.
    """
    if content.count(_ENTRY) > PARTS_MAX:
        raise InputRefusedError(f"{source} contains more than {PARTS_MAX:,} parts; save only the list as .xlsx.")
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        parts = packed.infolist()
        _check_kind({folded(part.filename) for part in parts}, source)
        _check_sizes(parts, len(content), source)
        for part in parts:
            try:
                check_part(_chunks(packed, part))
            except TooMuchError as error:
                raise InputRefusedError(
                    f"{source} cannot be taken, a part of it {error}; save the list alone as .xlsx or CSV."
                ) from error


def _check_kind(names: set[str], source: str) -> None:
    if not names:
        raise InputRefusedError(f"{source} is a packed file with nothing in it; give the list itself.")
    if "content.xml" in names or any(name.startswith("xl/") for name in names):
        return
    for mark, told in _OTHERS.items():
        if "content.xml" in names or any(name.startswith(mark) for name in names):
            raise InputRefusedError(f"{source} is {told}; save the list as .xlsx or CSV.")
    lists = sorted(name for name in names if name.endswith(_LIST_ENDINGS))
    if lists:
        more = f" and {len(lists) - 1} more" if len(lists) > 1 else ""
        raise InputRefusedError(f"{source} is a packed file with {lists[0]}{more} in it; unpack it and give that file.")
    raise InputRefusedError(f"{source} is an archive but not an Excel workbook; save the list as .xlsx or CSV.")


def _check_sizes(parts: list[zipfile.ZipInfo], packed_bytes: int, source: str) -> None:
    if not _METHODS.issuperset(part.compress_type for part in parts):
        raise InputRefusedError(f"{source} is not packed as spreadsheet programs do it; save it again as .xlsx.")
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
