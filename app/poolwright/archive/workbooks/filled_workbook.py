"""Writes the results into a copy of the user's own workbook, in further columns of the sheet that has the list.

Everything else of the workbook stays as it is, byte for byte in each of its parts: other sheets, formulas, widths,
hidden columns, number formats, merged cells, pictures, charts and macros. Only the part of that one sheet is edited,
and only where cells are added, so no library has to understand the rest.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from openpyxl.utils import get_column_letter

from poolwright.archive.excel_limits import COLUMNS_MAX, CUT_MARK, escape_text, shorten_text
from poolwright.archive.report_table import RESULT_COLUMNS, Value
from poolwright.archive.workbooks.list_workbook import ListWorkbook, NotFillableError
from poolwright.archive.workbooks.sheet_layout import SheetDamagedError, SheetLayout, SheetRow, sheet_layout, tag_end
from poolwright.archive.workbooks.workbook_package import WorkbookPackage, unreadable_error
from poolwright.files.disk import CancelCheck, never_cancel

#: Widths of the result columns in letters.
_WIDTHS: Mapping[str, int] = {"What to do": 40, "Detail": 40, "Folder": 30, "File names": 40, "Finished at (UTC)": 20}
_WIDTH = 16
_SIGNATURES = "_xmlsignatures/"
_ENCODING = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"']([^\"']+)[\"']")
_SPANS = re.compile(rb"\sspans\s*=\s*(?:\"[^\"]*\"|'[^']*')")
#: Between the lines of a text, such as the names of an order's files.
_BREAKS, _BETWEEN = re.compile(r"\s*\n\s*"), "; "
_RANGE = re.compile(rb"(ref\s*=\s*[\"'][A-Z]+\d+)(?::[A-Z]+(\d+))?([\"'])")


def fill_workbook(
    book: ListWorkbook,
    target: Path,
    headers: Sequence[str],
    results: Mapping[int, Sequence[Value]],
    cancel_check: CancelCheck = never_cancel,
) -> None:
    """Write a copy of a workbook with the results behind the columns of its list.

    Args:
        book: The workbook.
        target: The file to write.
        headers: The names of the result columns.
        results: The values of the result columns, by row number.
        cancel_check: Called between pieces; an error of it ends the writing.

    Raises:
        NotFillableError: It is gone or changed, no workbook of Excel since 2007, or cannot be edited without a loss.
        OSError: The target cannot be written.
    """
    with WorkbookPackage.open(book.content()) as package:
        if any(entry.filename.startswith(_SIGNATURES) for entry in package.entries):
            msg = "it is signed, and further cells would break its signature"
            raise NotFillableError(msg)
        part = package.sheet_part(book.sheet)
        sheet = _filled_sheet(package.read(part), book.header_row_no, headers, results, cancel_check)
        _write(target, package, part, sheet, cancel_check)


def _write(target: Path, package: WorkbookPackage, part: str, sheet: bytes, cancel_check: CancelCheck) -> None:
    """Write a package with another content of one part."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as filled:
        for info in package.entries:
            cancel_check()
            with filled.open(_entry(info), "w") as entry:
                for piece in (sheet,) if info.filename == part else package.pieces(info):
                    cancel_check()
                    entry.write(piece)


def _entry(info: zipfile.ZipInfo) -> zipfile.ZipInfo:
    """Return the entry for a copy: its name, time and compression, without the sizes of the original."""
    copied = zipfile.ZipInfo(info.filename, info.date_time)
    copied.compress_type, copied.external_attr = zipfile.ZIP_DEFLATED, info.external_attr
    return copied


def _filled_sheet(
    content: bytes,
    header_row_no: int | None,
    headers: Sequence[str],
    results: Mapping[int, Sequence[Value]],
    cancel_check: CancelCheck,
) -> bytes:
    encoding = _ENCODING.match(content)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or (
        encoding is not None and encoding[1].lower() not in {b"utf-8", b"us-ascii", b"ascii"}
    ):
        msg = "its sheet has an unusual encoding"
        raise NotFillableError(msg)
    try:
        layout = sheet_layout(content, cancel_check)
    except SheetDamagedError as error:
        raise unreadable_error() from error
    first = layout.last_column + 1
    if first + len(headers) - 1 > COLUMNS_MAX:
        msg = "it has no room for further columns"
        raise NotFillableError(msg)
    edits: list[tuple[int, int, bytes]] = []
    written = 0
    for row in layout.rows:
        is_header = row.number == header_row_no
        values = headers if is_header else results.get(row.number)
        if values is not None:
            edits += _row_edits(content, row, first, values, row.style if is_header else "")
            written += not is_header
    if written < len(results):
        msg = "rows of the list are not where they were read"
        raise NotFillableError(msg)
    edits.append(_column_edit(layout, first, len(headers)))
    if layout.dimension_at is not None:
        at, end = layout.dimension_at, tag_end(content, layout.dimension_at)
        edits.append((at, end, _widened(content[at:end], first + len(headers) - 1)))
    return _edited(content, edits)


def _edited(content: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    pieces: list[bytes] = []
    done = 0
    for start, end, replacement in sorted(edits, key=lambda edit: edit[:2]):
        pieces += [content[done:start], replacement]
        done = end
    return b"".join((*pieces, content[done:]))


def _row_edits(
    content: bytes, row: SheetRow, first: int, values: Sequence[Value], style: str
) -> list[tuple[int, int, bytes]]:
    """Return the edits that add cells at the end of a row."""
    prefix = row.name.removesuffix("row")
    cells = "".join(
        _cell(prefix, f"{get_column_letter(first + index)}{row.number}", value, style)
        for index, value in enumerate(values)
    ).encode()
    tag = _SPANS.sub(b"", content[row.start : row.tag_end])
    if tag.endswith(b"/>"):
        return [(row.start, row.tag_end, tag[:-2] + b">" + cells + f"</{row.name}>".encode())]
    return [(row.start, row.tag_end, tag), (row.end, row.end, cells)]


def _cell(prefix: str, reference: str, value: Value, style: str) -> str:
    """Return a cell: a number as one, and everything else as text in one line, so that nothing becomes a formula.

    The rows of the user's sheet keep their heights, and a text of several lines would cover the row above.
    """
    if value is None or value == "":
        return ""
    styled = f' s="{style}"' if style else ""
    if isinstance(value, int):
        return f'<{prefix}c r="{reference}"{styled}><{prefix}v>{value}</{prefix}v></{prefix}c>'
    text = f"{value:%Y-%m-%d %H:%M:%S}" if isinstance(value, datetime) else value
    shown = escape(escape_text(shorten_text(_BREAKS.sub(_BETWEEN, text), CUT_MARK)))
    return (
        f'<{prefix}c r="{reference}"{styled} t="inlineStr"><{prefix}is><{prefix}t xml:space="preserve">{shown}'
        f"</{prefix}t></{prefix}is></{prefix}c>"
    )


def _column_edit(layout: SheetLayout, first: int, count: int) -> tuple[int, int, bytes]:
    """Return the edit that gives the result columns their widths: a range that hides them ends before them."""
    last = first + count - 1
    ranges: list[dict[str, str]] = []
    for column in layout.columns:
        low, high = int(column["min"]), int(column["max"])
        if low < first:
            ranges.append({**column, "max": str(min(high, first - 1))})
        if high > last:
            ranges.append({**column, "min": str(max(low, last + 1))})
    for index in range(count):
        width = _WIDTHS.get(RESULT_COLUMNS[index], _WIDTH) if index < len(RESULT_COLUMNS) else _WIDTH
        number = str(first + index)
        ranges.append({"min": number, "max": number, "width": str(width), "customWidth": "1"})
    prefix = layout.prefix
    written = "".join(
        f"<{prefix}col{_attributes(column)}/>" for column in sorted(ranges, key=lambda column: int(column["min"]))
    )
    start, end = layout.columns_at or (layout.data_at, layout.data_at)
    return start, end, f"<{prefix}cols>{written}</{prefix}cols>".encode()


def _attributes(column: Mapping[str, str]) -> str:
    return "".join(f" {name}={quoteattr(value)}" for name, value in column.items())


def _widened(tag: bytes, last_column: int) -> bytes:
    """Return the tag with the used area of a sheet, up to a further column."""

    def replaced(match: re.Match[bytes]) -> bytes:
        row = match[2] or re.sub(rb"\D", b"", match[1].rpartition(b"=")[2])
        return match[1] + b":" + get_column_letter(last_column).encode() + row + match[3]

    return _RANGE.sub(replaced, tag, count=1)
