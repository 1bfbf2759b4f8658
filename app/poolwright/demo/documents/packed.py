"""ZIP archives, and the spreadsheet that is one. Members are stored, so no compressor's version shows in the bytes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from xml.sax.saxutils import escape

from poolwright.demo.documents.filler import noise

_LONG_AGO = (2025, 1, 1, 0, 0, 0)
_FILE_MODE = 0o644 << 16
_UNIX = 3

_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_SHEETS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def make_zip(title: str, size_bytes: int) -> bytes:
    """Make an archive of exactly ``size_bytes`` with a note and a scan in it."""
    return _packed_to_size({"note.txt": f"{title}\n".encode()}, "scan.bin", title, size_bytes)


def make_xlsx(title: str, size_bytes: int) -> bytes:
    """Make a workbook of exactly ``size_bytes`` with one sheet that names the title."""
    return _packed_to_size(_workbook(title), "xl/media/scan1.bin", title, size_bytes)


def _packed_to_size(members: Mapping[str, bytes], filler_name: str, title: str, size_bytes: int) -> bytes:
    bare = _packed({**members, filler_name: b""})
    return _packed({**members, filler_name: noise(title, size_bytes - len(bare))})


def _packed(members: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            member = zipfile.ZipInfo(name, _LONG_AGO)
            member.create_system = _UNIX
            member.external_attr = _FILE_MODE
            archive.writestr(member, content)
    return file.getvalue()


def _workbook(title: str) -> dict[str, bytes]:
    rows = "".join(
        f'<row r="{row}"><c r="A{row}" t="inlineStr"><is><t>{escape(text)}</t></is></c></row>'
        for row, text in enumerate((title, "Item", "Bolt M8", "Nut M8"), start=1)
    )
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        '<Default Extension="bin" ContentType="application/octet-stream"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPES}.worksheet+xml"/></Types>',
        "_rels/.rels": _relationships("officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": f'<workbook xmlns="{_SHEETS}" xmlns:r="{_RELATIONS}"><sheets>'
        '<sheet name="Order" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _relationships("worksheet", "worksheets/sheet1.xml"),
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_SHEETS}"><sheetData>{rows}</sheetData></worksheet>',
    }
    return {name: (_XML + text).encode() for name, text in parts.items()}


def _relationships(role: str, target: str) -> str:
    return (
        f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_RELATIONS}/{role}" Target="{target}"/></Relationships>'
    )
