"""Lists made to exhaust whoever reads them: small to send, endless to read."""

from __future__ import annotations

import gc
import io
import tracemalloc
import zipfile
from collections.abc import Iterable, Mapping

import pytest

from poolwright.intake.errors import InputRefusedError
from poolwright.intake.table import parse_table
from tests.support.order_files import xlsx

SHEET = "xl/worksheets/sheet1.xml"
TEXTS = "xl/sharedStrings.xml"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_MB = 1024 * 1024


def workbook_with(parts: Mapping[str, Iterable[bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A good workbook with some parts replaced or added, each written piece by piece."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(xlsx({"Orders": [["PO"], ["4500012345"]]}))) as good,
        zipfile.ZipFile(file, "w", method) as packed,
    ):
        for name in good.namelist():
            if name not in parts:
                packed.writestr(name, good.read(name))
        for name, pieces in parts.items():
            with packed.open(name, "w") as part:
                for piece in pieces:
                    part.write(piece)
    return file.getvalue()


def sheet_of(rows: Iterable[bytes], before: bytes = b"", after: bytes = b"") -> Iterable[bytes]:
    yield before + f'<worksheet xmlns="{MAIN}"><sheetData>'.encode()
    yield from rows
    yield b"</sheetData>" + after + b"</worksheet>"


def refusal(content: bytes, source: str = "orders.xlsx") -> str:
    """The sentence that refuses a list."""
    with pytest.raises(InputRefusedError) as refused:
        parse_table(content, source)
    return str(refused.value)


def refusal_and_peak_mb(content: bytes, source: str = "orders.xlsx") -> tuple[str, float]:
    """The sentence that refuses a list, and how much memory Python takes at most until then."""
    gc.collect()
    tracemalloc.start()
    try:
        return refusal(content, source), tracemalloc.get_traced_memory()[1] / _MB
    finally:
        tracemalloc.stop()
