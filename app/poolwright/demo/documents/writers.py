"""The simple document formats of the demo portal: PDF, HTML, ZIP and XLSX files of an exact size.

Numbers whose width could move an offset have ten digits, so that the size is known before the filler is.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import html
import io
import zipfile
from collections.abc import Mapping
from xml.sax.saxutils import escape

_BLOCK_BYTES = 1 << 20


@functools.cache
def _block() -> bytes:
    return hashlib.shake_128(b"poolwright demo filler").digest(_BLOCK_BYTES)


def noise(title: str, size_bytes: int) -> bytes:
    """Return ``size_bytes`` bytes of noise, which depend on the title."""
    block = _block()
    start = int.from_bytes(hashlib.sha256(title.encode()).digest()[:4], "big") % _BLOCK_BYTES
    copies = (start + size_bytes) // _BLOCK_BYTES + 1
    return (block * copies)[start : start + size_bytes]


def printable_noise(title: str, size_bytes: int) -> bytes:
    """Return noise as letters and digits, for text files."""
    return base64.b64encode(noise(title, size_bytes), altchars=b"AB")[:size_bytes]


def make_html(title: str, size_bytes: int) -> bytes:
    """Make a page of exactly ``size_bytes``."""
    before = (
        f'<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{html.escape(title)}</title></head>\n'
        f"<body>\n<h1>{html.escape(title)}</h1>\n"
        "<p>Thank you for your order. Please sign in to your account to confirm the delivery date.</p>\n<pre>"
    ).encode()
    after = b"</pre>\n</body>\n</html>\n"
    return before + printable_noise(title, size_bytes - len(before) - len(after)) + after


_HEAD = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"


def make_pdf(title: str, size_bytes: int) -> bytes:
    """Make a PDF of exactly ``size_bytes``."""
    bare = _assemble(title, b"")
    return _assemble(title, noise(title, size_bytes - len(bare)))


def _assemble(title: str, filler: bytes) -> bytes:
    file = bytearray(_HEAD)
    offsets: list[int] = []
    for number, content in enumerate(_objects(title, filler), start=1):
        offsets.append(len(file))
        file += b"%d 0 obj\n" % number + content + b"\nendobj\n"
    start = len(file)
    rows = [b"0000000000 65535 f \n", *(b"%010d 00000 n \n" % offset for offset in offsets)]
    file += b"xref\n0 %d\n" % len(rows) + b"".join(rows)
    file += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%010d\n%%%%EOF\n" % (len(rows), start)
    return bytes(file)


def _objects(title: str, filler: bytes) -> tuple[bytes, ...]:
    plain = title.encode("ascii", "replace").translate(None, b"()\\")
    text = b"BT /F1 18 Tf 60 760 Td (" + plain + b") Tj ET"
    sheet = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R"
    return (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        sheet + b" /Resources << /Font << /F1 4 0 R >> >> >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        _stream(text),
        _stream(filler),
    )


def _stream(content: bytes) -> bytes:
    return b"<< /Length %010d >>\nstream\n" % len(content) + content + b"\nendstream"


_FILE_DATE = (2025, 1, 1, 0, 0, 0)
_FILE_MODE = 0o644 << 16
_CREATED_ON_UNIX = 3

_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_SHEETS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def make_zip(title: str, size_bytes: int) -> bytes:
    """Make an archive of exactly ``size_bytes`` that contains a note and a scan."""
    return _packed_to_size({"note.txt": f"{title}\n".encode()}, "scan.bin", title, size_bytes)


def make_xlsx(title: str, size_bytes: int) -> bytes:
    """Make a workbook of exactly ``size_bytes`` with one sheet that contains the title."""
    return _packed_to_size(_workbook(title), "xl/media/scan1.bin", title, size_bytes)


def _packed_to_size(members: Mapping[str, bytes], filler_name: str, title: str, size_bytes: int) -> bytes:
    bare = _packed({**members, filler_name: b""})
    return _packed({**members, filler_name: noise(title, size_bytes - len(bare))})


def _packed(members: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            member = zipfile.ZipInfo(name, _FILE_DATE)
            member.create_system = _CREATED_ON_UNIX
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
