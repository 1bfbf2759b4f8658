"""Small lists for tests, made as spreadsheet programs make them."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Mapping, Sequence

from openpyxl import Workbook

from poolwright.intake.grid import Row
from poolwright.portal.numbers import LetterCase, NumberRules

#: Examples may take their time on a busy machine.
#: As strict as a real portal.
DIGITS = NumberRules(
    prefixes=("PO",), pattern=r"\d{6,12}", describe="6 to 12 digits, with or without PO", example="PO4500012345"
)
#: Takes any text, so that only the list decides.
ANYTHING = NumberRules(pattern=r".+", separators="", case=LetterCase.KEEP, describe="any text", example="x")


def csv_text(table: Sequence[Sequence[str]], delimiter: str = ",", quoting: int = csv.QUOTE_MINIMAL) -> str:
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, quoting=quoting)  # type: ignore[arg-type]
    writer.writerows(table)
    return file.getvalue()


def rows_of(*cells: Sequence[str]) -> list[Row]:
    return [Row(row_no=row_no, cells=tuple(row)) for row_no, row in enumerate(cells, start=1)]


def xlsx(sheets: Mapping[str, Sequence[Sequence[object]]], hidden: Sequence[str] = ()) -> bytes:
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    for title, rows in sheets.items():
        sheet = workbook.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
        if title in hidden:
            sheet.sheet_state = "hidden"
    return saved(workbook)


def saved(workbook: Workbook) -> bytes:
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


def zipped(members: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for name, member in members.items():
            packed.writestr(name, member)
    return file.getvalue()


def rezipped(content: bytes, change: Mapping[str, bytes]) -> bytes:
    """The same packed file with some of its members replaced."""
    with zipfile.ZipFile(io.BytesIO(content)) as old:
        return zipped({name: old.read(name) for name in old.namelist()} | dict(change))
