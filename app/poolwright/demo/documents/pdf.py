"""A one-page PDF with a readable title, and an unused stream that brings it to its size.

Every number whose width could move an offset is written with ten digits, so the size is known before the filler is.
"""

from __future__ import annotations

from poolwright.demo.documents.filler import noise

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
