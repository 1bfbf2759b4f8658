"""Binary workbooks, record by record, since no library of Python writes them."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from tests.support.order_files import zipped

_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def record(kind: int, data: bytes = b"") -> bytes:
    head = bytes([kind]) if kind < 128 else bytes([(kind & 0x7F) | 0x80, kind >> 7])
    size = len(data)
    return head + (bytes([size]) if size < 128 else bytes([(size & 0x7F) | 0x80, size >> 7])) + data


def wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def arrows(*targets: tuple[str, str]) -> bytes:
    each = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, start=1)
    )
    return f'<Relationships xmlns="{_PACKAGE}">{each}</Relationships>'.encode()


def cell(column: int, value: object, style: int = 0) -> bytes:
    head = struct.pack("<II", column, style)
    match value:
        case bool():
            return record(4, head + bytes([value]))
        case int():
            return record(2, head + struct.pack("<i", value << 2 | 2))
        case float():
            return record(5, head + struct.pack("<d", value))
        case bytes():
            return record(11, head + value)
        case _:
            return record(6, head + wide(str(value)))


def row(number: int, cells: Sequence[bytes], *, is_hidden: bool = False) -> bytes:
    flags = 0x10 if is_hidden else 0
    return record(0, struct.pack("<IIHBBB", number, 0, 300, 0, flags, 0) + bytes(4)) + b"".join(cells)


def xlsb(
    rows: Sequence[Sequence[bytes]],
    formats: Sequence[str] = (),
    hidden: Sequence[int] = (),
    after: bytes = b"",
) -> bytes:
    sheet = b"".join(row(number, cells, is_hidden=number in hidden) for number, cells in enumerate(rows))
    numbers = range(164, 164 + len(formats))
    codes = b"".join(
        record(44, struct.pack("<H", number) + wide(code)) for number, code in zip(numbers, formats, strict=True)
    )
    styles = b"".join(record(47, struct.pack("<HH", 0, number) + bytes(12)) for number in (0, *numbers))
    book = record(153, bytes(12)) + record(156, struct.pack("<II", 0, 1) + wide("rId1") + wide("Orders"))
    return zipped(
        {
            "_rels/.rels": arrows(("officeDocument", "xl/workbook.bin")),
            "xl/workbook.bin": book,
            "xl/_rels/workbook.bin.rels": arrows(("worksheet", "worksheets/sheet1.bin"), ("styles", "styles.bin")),
            "xl/worksheets/sheet1.bin": record(148, struct.pack("<4I", 0, len(rows), 0, 9))
            + record(145)
            + sheet
            + record(146)
            + after,
            "xl/styles.bin": codes + record(617) + styles + record(618),
        }
    )
