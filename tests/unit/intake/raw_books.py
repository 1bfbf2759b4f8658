"""Lists made tag by tag, as programs write them that no library stands for; and what is read from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

from poolwright.intake.orders import ReadOptions, orders_from_content
from poolwright.portal.numbers import NumberRules
from tests.support.order_files import zipped

#: As loose as a real portal's.
RULES = NumberRules(
    prefixes=("PO", "PM"), pattern=r"^\d{6,}$", describe="at least 6 digits, with or without PO", example="PO4500012345"
)
#: Three orders that lists here have.
A, B, C = "4500010001", "4500010002", "4500010003"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_SHEET = f'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="{_OFFICE}"'
_OPEN = "urn:oasis:names:tc:opendocument:xmlns"
_OLD_XML = "urn:schemas-microsoft-com:office:spreadsheet"


def read(content: bytes | str, name: str = "orders.xlsx") -> tuple[list[str], list[int], str]:
    """The orders of a list, its rows without one, and all that is said about it."""
    raw = content.encode() if isinstance(content, str) else content
    orders = orders_from_content(raw, name, ReadOptions(portal_name="any", rules=RULES))
    bad = [row for row in orders.rows if row.problem]
    said = "\n".join([*orders.notices, *(f"row {row.row_no}: {row.detail}" for row in bad)])
    return [task.portal_number for task in orders.tasks], [row.row_no for row in bad], said


def text(value: str, style: int = 0) -> str:
    """A cell of text in a sheet."""
    return f'<c t="inlineStr" s="{style}"><is><t>{escape(value)}</t></is></c>'


def number(value: object, style: int = 0, inner: str = "") -> str:
    """A cell with a number, or what a file has in its place."""
    return f'<c s="{style}">{inner}<v>{value}</v></c>'


def row(*cells: str, tell: str = "") -> str:
    """A row of cells; text stands for a cell of text."""
    return f"<row {tell}>{''.join(cell if cell.startswith('<') else text(cell) for cell in cells)}</row>"


HEAD = row("PO Number", "Supplier")


def book(
    rows: str,
    formats: Sequence[str] = (),
    *,
    before: str = "",
    after: str = "",
    change: Mapping[str, str] | None = None,
) -> bytes:
    """A workbook with one sheet; style 1 has the first number format, and so on."""
    own = "".join(
        f"<numFmt numFmtId='{164 + place}' formatCode={quoteattr(code)}/>" for place, code in enumerate(formats)
    )
    styles = "".join(f"<xf numFmtId='{164 + place}'/>" for place in range(len(formats)))
    arrows = "".join(
        f"<Relationship Id='{name}' Type='{_OFFICE}/{kind}' Target='{target}'/>"
        for name, kind, target in (("s1", "worksheet", "worksheets/sheet1.xml"), ("x", "styles", "styles.xml"))
    )
    parts = {
        "xl/workbook.xml": f"<workbook {_SHEET}><sheets><sheet name='Orders' r:id='s1'/></sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f"<Relationships xmlns='{_RELATIONS}'>{arrows}</Relationships>",
        "xl/styles.xml": f"<styleSheet {_SHEET}><numFmts>{own}</numFmts><cellXfs><xf numFmtId='0'/>{styles}</cellXfs>"
        "</styleSheet>",
        "xl/worksheets/sheet1.xml": f"<worksheet {_SHEET}>{before}<sheetData>{rows}</sheetData>{after}</worksheet>",
    }
    return zipped({name: part.encode() for name, part in {**parts, **(change or {})}.items()})


def open_book(rows: str) -> bytes:
    """A workbook of OpenDocument with one sheet below its header."""
    spaces = " ".join(f'xmlns:{name}="{_OPEN}:{name}:1.0"' for name in ("office", "table", "text"))
    head = open_row(open_text("PO Number"), open_text("Supplier"))
    sheet = f'<table:table table:name="Orders">{head}{rows}</table:table>'
    body = f"<office:body><office:spreadsheet>{sheet}</office:spreadsheet></office:body>"
    return zipped({"content.xml": f"<office:document-content {spaces}>{body}</office:document-content>".encode()})


def open_row(*cells: str, tell: str = "") -> str:
    return f"<table:table-row {tell}>{''.join(cells)}</table:table-row>"


def open_text(value: str, inner: str = "") -> str:
    return f'<table:table-cell office:value-type="string">{inner or f"<text:p>{value}</text:p>"}</table:table-cell>'


def open_number(value: object, shown: object, tell: str = "") -> str:
    return (
        f'<table:table-cell office:value-type="float" office:value="{value}" {tell}><text:p>{shown}</text:p>'
        "</table:table-cell>"
    )


def old_xml(rows: str, styles: str = "") -> str:
    """An XML spreadsheet of Excel 2003 with one sheet below its header."""
    head = "<Row><Cell><Data ss:Type='String'>PO Number</Data></Cell></Row>"
    return (
        f'<?xml version="1.0"?><Workbook xmlns="{_OLD_XML}" xmlns:ss="{_OLD_XML}"><Styles>{styles}</Styles>'
        f'<Worksheet ss:Name="Orders"><Table>{head}{rows}</Table></Worksheet></Workbook>'
    )


def old_number(value: object, tell: str = "") -> str:
    return f'<Cell {tell}><Data ss:Type="Number">{value}</Data></Cell>'
