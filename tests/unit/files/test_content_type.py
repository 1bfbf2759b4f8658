from __future__ import annotations

import gzip
import io
import time
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from poolwright.files.content_type import FileOrigin, sniff
from poolwright.files.file_format import FORMATS, ContentType
from poolwright.files.media_type import HEAD_BYTES, content_type_of, media_type_of, promised_format
from poolwright.files.names import with_ending
from poolwright.files.soft_errors import MESSAGE_MAX_BYTES, SoftError, find_soft_error
from tests.support.pace import UNHURRIED

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n" + b"x" * 4000 + b"\ntrailer\n<<>>\nstartxref\n0\n%%EOF\n"
COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2040)
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(64)
LOGIN_PAGE = b"<!DOCTYPE html>\n<html><body><table><input type='password'></table></body></html>"
SAVED_PAGE = b"<!DOCTYPE html><html><body><h1>Our offer</h1></body></html>"
EXPORT = b"<html><body><table><tr><td>4711</td></tr></table></body></html>"


def sheet() -> bytes:
    target = io.BytesIO()
    Workbook().save(target)
    return target.getvalue()


def packed() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("note.txt", "hello " * 500)
    return target.getvalue()


def saved(folder: Path, content: bytes) -> Path:
    path = folder / "download"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "label", "media_type"),
    [
        (PDF, "Invoice.PDF", "application/pdf"),
        (PDF, "Invoice", "application/pdf"),
        (PDF + bytes(5000), "padded.pdf", "application/pdf"),
        (b"\r\n\r\n" + PDF, "late start.pdf", "application/pdf"),
        (sheet(), "prices.xlsx", XLSX),
        (sheet(), "prices", XLSX),
        (COMPOUND, "with a password.xlsx", XLSX),
        (packed(), "all.zip", "application/zip"),
        (packed(), "all", "application/zip"),
        (b"PK\x05\x06" + bytes(18), "empty.zip", "application/zip"),
        (COMPOUND, "mail.msg", "application/vnd.ms-outlook"),
        (COMPOUND, "letter.doc", "application/msword"),
        (COMPOUND, "nameless", "application/x-ole-storage"),
        (EXPORT, "export.xls", "application/vnd.ms-excel"),
        (b"a\tb\n1\t2\n", "export.xls", "application/vnd.ms-excel"),
        (SAVED_PAGE, "page.html", "text/html"),
        (b"BMW;M3;1\n" * 90, "cars.csv", "text/csv"),
        ("Größe;1\n".encode("utf-16"), "sizes.csv", "text/csv"),
        ("Größe".encode("cp1252"), "note.txt", "text/plain"),
        (b"{\\rtf1 hello}", "letter.doc", "application/msword"),
        (b"<?xml version='1.0'?><invoice/>", "invoice.xml", "application/xml"),
        (PNG, "scan.jpg", "image/png"),
        (b'{"tracking": "1Z"}', "tracking.json", "application/json"),
        (b"ISO-10303-21;\nHEADER;\n", "part.step", "model/step"),
        (b"AC1032" + bytes(64), "plan.dwg", "image/vnd.dwg"),
        (b"AC1032\x00drawing data" + bytes(64), "plan.dwg", "image/vnd.dwg"),
        (PDF, "data.bin", "application/octet-stream"),
        (b"MZ" + bytes(64), "tool.exe", "application/vnd.microsoft.portable-executable"),
        (b"\x00\x01\x02odd" * 9, "drawing.dwg9", "application/octet-stream"),
    ],
)
def test_a_good_file_has_its_true_type_and_no_problem(
    tmp_path: Path, content: bytes, label: str, media_type: str
) -> None:
    finding = sniff(saved(tmp_path, content), label)

    assert finding.problems == ()
    assert finding.media_type == media_type
    assert finding.size_bytes == len(content)


@pytest.mark.parametrize(
    ("content", "label", "said"),
    [
        (LOGIN_PAGE, "Invoice.pdf", "the portal sent a web page"),
        (b"\n<!-- hi -->\n" + LOGIN_PAGE, "Invoice.pdf", "the portal sent a web page"),
        (b"\xef\xbb\xbf" + LOGIN_PAGE, "Invoice.pdf", "the portal sent a web page"),
        (LOGIN_PAGE.decode().encode("utf-16"), "Invoice.pdf", "the portal sent a web page"),
        (LOGIN_PAGE + PDF, "Invoice.pdf", "the portal sent a web page"),
        (LOGIN_PAGE, "table.xls", "the portal sent a web page"),
        (LOGIN_PAGE, "mail.msg", "the portal sent a web page"),
        (LOGIN_PAGE, "scan.jpg", "the portal sent a web page"),
        (LOGIN_PAGE, "list.csv", "the portal sent a web page"),
        (SAVED_PAGE, "plan.dwg", "the portal sent a web page"),
        (b"\x1b\x2c\x00 coded \x00\xff" * 9, "Invoice.pdf", "the portal sent binary data"),
        (b"some words\n" * 40, "prices.xlsx", "the portal sent text"),
    ],
)
def test_bytes_that_are_not_what_the_name_says_are_told(tmp_path: Path, content: bytes, label: str, said: str) -> None:
    problems = sniff(saved(tmp_path, content), label).problems

    assert len(problems) == 1
    assert problems[0].startswith(label)
    assert problems[0].endswith(f"{said}.")


def test_the_declared_type_is_held_against_a_file_whose_name_says_nothing(tmp_path: Path) -> None:
    path = saved(tmp_path, SAVED_PAGE)

    assert sniff(path, "Invoice 4711", "application/pdf; charset=binary").problems
    assert sniff(path, "", "application/pdf").problems[0].startswith("The file should be application/pdf")


PAGES = [
    ("Invoice 4711", "Text/HTML; charset=utf-8", False, False),
    ("Invoice 4711", "application/x-unheard-of", False, False),
    ("Invoice 4711", "text/html", True, True),
    ("what.ever", "text/html", True, True),
    ("saved.html", "text/html", False, True),
    ("saved.html", "text/html", True, True),
    ("prices.xls", "text/html", False, False),
    ("Invoice.pdf", "text/html", True, False),
]


@pytest.mark.parametrize(("label", "declared", "is_vouched", "is_taken"), PAGES)
def test_a_web_page_is_a_file_only_when_somebody_says_so(
    tmp_path: Path, label: str, declared: str, is_vouched: bool, is_taken: bool
) -> None:
    finding = sniff(saved(tmp_path, SAVED_PAGE), label, declared, is_vouched=is_vouched)

    assert finding.is_page
    assert (not finding.problems) is is_taken


@pytest.mark.parametrize(
    ("label", "declared", "is_taken"),
    [
        ("securedoc.html", "application/octet-stream", True),
        ("securedoc.HTM", "Application/Octet-Stream; x=1", True),
        ("securedoc.html", "text/html", False),
        ("securedoc.html", "", False),
        ("securedoc", "application/octet-stream", False),
    ],
)
def test_a_page_with_a_form_is_a_file_if_its_name_says_page_and_its_type_is_for_saving(
    tmp_path: Path, label: str, declared: str, is_taken: bool
) -> None:
    finding = sniff(saved(tmp_path, LOGIN_PAGE), label, declared)

    assert finding.shape is SoftError.LOGIN, "so the worker checks that the session still shows the order"
    assert (not finding.problems) is is_taken


@pytest.mark.parametrize(
    ("part", "declared", "is_vouched", "is_taken"),
    [
        ("<link rel=stylesheet href=/style.css>", "text/html", False, False),
        ('<link href="/style.css" type="text/css" rel="stylesheet"/>', "text/html; charset=utf-8", False, False),
        ("<SCRIPT async SRC='/app.js'></SCRIPT>", "application/xhtml+xml", False, False),
        ("<link rel=stylesheet href=/style.css>", "text/html", True, True),
        ("<link rel=stylesheet href=/style.css>", "application/octet-stream", False, True),
        ("<link rel=stylesheet href=page_files/style.css>", "text/html", False, True),
        ("<link rel=stylesheet href=//cdn.test/style.css>", "text/html", False, True),
        ("<link rel=canonical href=/page>", "text/html", False, True),
        ("<script>src = '/app.js'</script>", "text/html", False, True),
        ("<!-- <script src=/app.js></script> -->", "text/html", False, True),
    ],
)
def test_a_page_with_parts_on_its_server_is_one_of_the_portal(
    tmp_path: Path, part: str, declared: str, is_vouched: bool, is_taken: bool
) -> None:
    page = SAVED_PAGE.replace(b"<body>", b"<head>" + part.encode() + b"</head><body>")

    problems = sniff(saved(tmp_path, page), "page.html", declared, is_vouched=is_vouched).problems

    assert problems == (() if is_taken else ("Instead of page.html, the portal sent one of its web pages.",))


def test_an_error_page_is_no_file_whatever_its_type_is(tmp_path: Path) -> None:
    page = b"<html><head><title>500 Internal Server Error</title></head><body></body></html>"

    assert sniff(saved(tmp_path, page), "report.html", "application/octet-stream").problems


@pytest.mark.parametrize(
    ("label", "declared", "is_vouched", "is_taken"),
    [
        ("price.xls", "application/vnd.ms-excel", False, True),
        ("price.xls", "text/html", True, True),
        ("price.xls", "text/html", False, False),
        ("price", "application/vnd.ms-excel", False, True),
    ],
)
def test_an_export_laid_out_as_a_page_is_a_file_when_it_is_declared_as_one(
    tmp_path: Path, label: str, declared: str, is_vouched: bool, is_taken: bool
) -> None:
    assert (not sniff(saved(tmp_path, EXPORT), label, declared, is_vouched=is_vouched).problems) is is_taken


ERRORS = [
    b'{"error":"not authorized","MARK":"1"}',
    b'{"errors":[{"detail":"no such thing"}]}',
    b'{"message":"Forbidden"}',
    b'{"status":403,"message":"no"}',
    b'{"success":false}',
    b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
    b'<?xml version="1.0"?>\n<!-- x --><s:Envelope xmlns:s="s"><s:Body><s:Fault/></s:Body></s:Envelope>',
    b"<ServiceExceptionReport/>",
    b"File not found",
    b"Error: the document is being archived\n",
    b"404 Not Found",
    b"<html><head><title>Just a moment...</title></head><body>Checking</body></html>",
    b"<html><head><title>Wartungsarbeiten</title></head><body>Bis morgen</body></html>",
    b"Ihre Sitzung ist abgelaufen.",
    b'{"Code":"NoSuchKey","Message":"The specified key does not exist."}',
    b"The link has expired.",
    b"<!DOCTYPE html><html><head><title>Error</title></head><body><h1>An error has occurred</h1></body></html>",
    b"<html><head><title>403 - Forbidden</title></head><body><p>no</p></body></html>",
    b"<html><title>Error</title><table><tr><td>Session error: no such document.</td></tr></table></html>",
    b"<html><body><p>The requested document does not exist.</p></body></html>",
]


@pytest.mark.parametrize(
    "name",
    [
        "plan.dwg",
        "part.step",
        "sheet.xlsx",
        "model.stl",
        "old.xls",
        "invoice.xml",
        "list.csv",
        "Quotation",
        "notes.txt",
        "page.html",
        "a.json",
    ],
)
@pytest.mark.parametrize("content", ERRORS)
def test_an_error_is_no_file_whatever_it_is_called(tmp_path: Path, content: bytes, name: str) -> None:
    for declared in ("text/html", "application/json", "application/xml", "text/plain", "application/octet-stream", ""):
        assert len(sniff(saved(tmp_path, content), name, declared).problems) == 1


@pytest.mark.parametrize(
    ("content", "name", "declared"),
    [
        (b'{"MARK":"D107-2"}', "Tracking", "application/json"),
        (b'{"message":"Thank you for the order"}', "note.json", "application/json"),
        (b'<?xml version="1.0"?><Invoice>1</Invoice>', "E-invoice", "application/xml"),
        (b"Delivery on Monday, the gate is open from 8 to 12.", "ReadMe", "text/plain"),
        (b"a;b\n1;2\n", "list.csv", "text/csv"),
        (b"error;count\n1;2\n3;4\n5;6\n", "errors.csv", "text/csv"),
        (
            b"<html><head><title>Error codes of the pump</title></head><body>" + b"<p>E1: clean it</p>" * 99,
            "codes.html",
            "",
        ),
    ],
)
def test_what_only_speaks_of_errors_or_is_short_is_a_file(
    tmp_path: Path, content: bytes, name: str, declared: str
) -> None:
    assert sniff(saved(tmp_path, content), name, declared).problems == ()


WAITING = [
    b"<html>Your download starts shortly<script>setTimeout(() => location.href='/f', 1000)</script></html>",
    b"<html><head><meta http-equiv=refresh content='1;url=/f'></head><body>Soon</body></html>",
    b"<html><body>Please wait, the export is being prepared.</body></html>",
]


@pytest.mark.parametrize("content", WAITING)
@pytest.mark.parametrize("label", ["offer.pdf", "Final quotation", "page.html"])
def test_a_page_that_makes_one_wait_is_no_file(tmp_path: Path, content: bytes, label: str) -> None:
    finding = sniff(saved(tmp_path, content), label, "text/html")

    assert finding.problems
    assert finding.shape is SoftError.WAITING


RTF, MAIL = b"{\\rtf1 hello}", b"From: a@x.test\r\n\r\nhello"
RAR = b"Rar!\x1a\x07\x00" + bytes(32)


@pytest.mark.parametrize(
    ("content", "label"),
    [
        (PDF, "photo.jpg"),
        (RTF, "letter.docx"),
        (PNG, "report.pdf"),
        (sheet(), "data.csv"),
        (RAR, "pack.zip"),
        (PDF, "notes.txt"),
        (b"PO;Amount\r\n4711;1\r\n", "sheet.xlsx"),
        (MAIL, "mail.msg"),
        (PDF, "scan.tif"),
        (PDF, "all.zip"),
        (sheet(), "Invoice.pdf"),
    ],
)
def test_a_document_with_the_ending_of_another_kind_is_taken_with_a_note(
    tmp_path: Path, content: bytes, label: str
) -> None:
    finding = sniff(saved(tmp_path, content), label, is_vouched=True)

    assert finding.problems == ()
    assert len(finding.notes) == 1
    assert finding.notes[0].startswith(f"{label} is ")


def test_words_are_no_document_of_another_kind_even_when_they_are_vouched_for(tmp_path: Path) -> None:
    path = saved(tmp_path, b"Our rendering engine is on holiday.\nCome back soon.\n")

    assert sniff(path, "offer.pdf", "application/pdf", is_vouched=True).problems
    assert sniff(path, "Offer", "application/pdf", is_vouched=True).problems
    assert not sniff(path, "offer.txt", "text/plain", is_vouched=True).problems


def test_a_file_of_the_right_kind_has_no_note(tmp_path: Path) -> None:
    assert sniff(saved(tmp_path, PDF), "offer.pdf", "image/tiff").notes == ()
    assert sniff(saved(tmp_path, PDF), "Offer Nr. 5", "image/tiff").notes == ()


@pytest.mark.parametrize(
    ("stream", "media_type"),
    [
        ("__substg1.0_0037001F", "application/vnd.ms-outlook"),
        ("WordDocument", "application/msword"),
        ("Workbook", "application/vnd.ms-excel"),
        ("Unheard", "application/x-ole-storage"),
    ],
)
def test_a_compound_file_without_a_name_is_known_by_its_directory(tmp_path: Path, stream: str, media_type: str) -> None:
    header = bytearray(COMPOUND[:512])
    header[0x1E:0x20], header[0x30:0x34] = (9).to_bytes(2, "little"), (1).to_bytes(4, "little")
    content = (
        bytes(header) + bytes(512) + "Root Entry".encode("utf-16-le").ljust(128, b"\0") + stream.encode("utf-16-le")
    )

    assert sniff(saved(tmp_path, content.ljust(4096, b"\0")), "Download").media_type == media_type


@pytest.mark.parametrize(
    ("parts", "ending"),
    [
        (("[Content_Types].xml", "_rels/.rels", "word/document.xml"), "docx"),
        (("docProps/app.xml", "xl/workbook.xml", "[Content_Types].xml"), "xlsx"),
        (("docProps/a.jpeg", *(f"customXml/{n}.xml" for n in range(9)), "ppt/a.xml", "[Content_Types].xml"), "pptx"),
        (("[Content_Types].xml", "xl/workbook.xml", "xl/vbaProject.bin"), "xlsm"),
        (("[Content_Types].xml", "xl/workbook.bin"), "xlsb"),
        (("[Content_Types].xml", "visio/document.xml"), "vsdx"),
        (("mimetype", "content.xml"), "odt"),
        (("xl.txt", "word notes.txt"), "zip"),
    ],
)
@pytest.mark.parametrize("declared", ["application/octet-stream", "application/zip", "application/vnd.ms-excel"])
def test_a_container_without_a_name_is_known_by_its_parts(
    tmp_path: Path, parts: tuple[str, ...], ending: str, declared: str
) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for part in parts:
            archive.writestr(part, FORMATS["odt"].media_type if part == "mimetype" else "x")
    finding = sniff(saved(tmp_path, target.getvalue()), "Contract", declared)

    wanted = "xls" if ending == "zip" and declared == "application/vnd.ms-excel" else ending
    assert with_ending("Contract", finding.media_type) == f"Contract.{wanted}"


@pytest.mark.parametrize(
    ("content", "label", "said"),
    [
        (
            gzip.compress(b"a;b\n1;2\n" * 50),
            "data.csv",
            "data.csv is application/gzip, although its name says otherwise.",
        ),
        (gzip.compress(PDF), "offer.pdf", "offer.pdf is application/gzip, although its name says otherwise."),
        (
            b"%!PS-Adobe-3.0\n%%EOF\n",
            "plot.pdf",
            "plot.pdf is application/postscript, although its name says otherwise.",
        ),
        (b"%!PS-Adobe-3.0\n%%EOF\n", "plot.ps", ""),
        (gzip.compress(b"a"), "log.gz", ""),
        (b"<br />\n<b>Notice</b>: x\n" + PDF, "offer.pdf", ""),
    ],
)
def test_what_is_packed_or_painted_under_another_name_is_taken_with_a_note(
    tmp_path: Path, content: bytes, label: str, said: str
) -> None:
    finding = sniff(saved(tmp_path, content), label, is_vouched=True)

    assert finding.problems == ()
    assert finding.notes == ((said,) if said else ())


def test_the_declared_type_names_what_nothing_else_can_name(tmp_path: Path) -> None:
    path = saved(tmp_path, b"\x00\x01\x02odd" * 9)

    assert sniff(path, "model.dwg9", "application/x-model").media_type == "application/x-model"


def test_an_empty_file_is_told_once(tmp_path: Path) -> None:
    finding = sniff(saved(tmp_path, b""), "Invoice", "application/PDF; x=1", declared_size_bytes=10)

    assert finding.problems == ("The file is empty.",)
    assert finding.media_type == "application/pdf"


@pytest.mark.parametrize(("declared", "is_told"), [(None, False), (len(PDF), False), (len(PDF) + 1, True), (0, True)])
def test_a_size_other_than_announced_is_told(tmp_path: Path, declared: int | None, is_told: bool) -> None:
    problems = sniff(saved(tmp_path, PDF), "Invoice.pdf", declared_size_bytes=declared).problems

    assert bool(problems) is is_told
    assert all("announced" in problem and f"{len(PDF):,}" in problem for problem in problems)


@pytest.mark.parametrize(
    ("content", "label", "said"),
    [
        (packed(), "all.zip", "end record"),
        (sheet(), "prices.xlsx", "end record"),
        (sheet(), "no extension", "end record"),
        (PDF, "Invoice.pdf", "end mark"),
    ],
)
@pytest.mark.parametrize("kept", [0.5, 0.9])
def test_a_container_that_is_cut_short_is_told(
    tmp_path: Path, content: bytes, label: str, said: str, kept: float
) -> None:
    finding = sniff(saved(tmp_path, content[: int(len(content) * kept)]), label)

    assert len(finding.problems) == 1
    assert said in finding.problems[0]


def test_an_early_end_mark_does_not_vouch_for_a_pdf_that_is_cut_short(tmp_path: Path) -> None:
    linearized = b"%PDF-1.7\n%%EOF\n" + b"x" * 100_000

    assert sniff(saved(tmp_path, linearized), "Invoice.pdf").problems


@pytest.mark.parametrize("behind", [b"<!-- served by node 7 -->\n" * 200, b"\n" + b"log " * 1000, bytes(9000)])
def test_words_of_a_server_behind_the_end_mark_do_not_cut_a_pdf_short(tmp_path: Path, behind: bytes) -> None:
    assert sniff(saved(tmp_path, PDF + behind), "Invoice.pdf").problems == ()


def test_an_end_mark_with_more_of_a_pdf_behind_it_is_not_the_end(tmp_path: Path) -> None:
    assert sniff(saved(tmp_path, PDF + b"12 0 obj\n<<>>\n" + b"x" * 4000), "Invoice.pdf").problems


def test_a_large_file_is_looked_at_without_reading_it(tmp_path: Path) -> None:
    path = tmp_path / "huge.pdf"
    with path.open("wb") as file:
        file.write(PDF[:100])
        file.truncate(20_000_000_000)
        file.seek(20_000_000_000 - 6)
        file.write(b"%%EOF\n")

    finding = sniff(path, "huge.pdf")

    assert finding.problems == ()
    assert finding.size_bytes == 20_000_000_000


def test_a_thousand_comments_are_read_at_once() -> None:
    assert content_type_of(b"<!---->" * 1000 + b"no page") is ContentType.XML


@pytest.mark.parametrize(
    "part", [b"<script", b"<meta ", b"<input ", b"<title>", b"<!--", b"<", b"the file ", b"</style"]
)
def test_no_answer_holds_up_the_one_who_looks_at_it(part: bytes) -> None:
    content = b"<html>" + part * (MESSAGE_MAX_BYTES // len(part))

    begun = time.thread_time()
    find_soft_error(content, ContentType.HTML)
    find_soft_error(content, ContentType.TEXT)
    find_soft_error(content, ContentType.XML)

    assert time.thread_time() - begun < 2


@UNHURRIED
@given(st.binary(max_size=2 * HEAD_BYTES), st.sampled_from(["", "x", *(f"x.{known}" for known in FORMATS)]))
def test_any_bytes_have_a_kind_and_a_media_type(head: bytes, label: str) -> None:
    kind = content_type_of(head)

    assert kind in ContentType
    assert "/" in media_type_of(head, kind, promised_format(label, ""), "")


@pytest.mark.parametrize(("content", "label"), [(PDF[:-20], "cut.pdf"), (packed()[:-30], "cut.zip")])
def test_a_file_without_its_end_has_a_note_where_its_declared_size_is_right(
    tmp_path: Path, content: bytes, label: str
) -> None:
    whole = sniff(saved(tmp_path, content), label, declared_size_bytes=len(content))
    unsized = sniff(saved(tmp_path, content), label)

    assert whole.problems == ()
    assert len(whole.notes) == 1
    assert whole.notes[0].startswith(f"{label}: The ")
    assert "is missing: check it." in whole.notes[0]
    assert len(unsized.problems) == 1
    assert unsized.notes == ()


@pytest.mark.parametrize(
    ("content", "is_icy"),
    [
        (b"ICY 200 OK\r\nContent-Type: application/pdf\r\n\r\n" + PDF, True),
        (b"ICY 404 Resource Not Found\r\n", True),
        (b"ICY 200\n", True),
        (b"ICY 200\r\n", True),
        (b"ICY 2000 crates of ice\n", False),
        (b"ICY roads\n", False),
        (b"The server said:\nICY 200 OK\n", False),
        (PDF, False),
    ],
)
def test_an_answer_of_a_radio_server_is_no_file(tmp_path: Path, content: bytes, *, is_icy: bool) -> None:
    told = "The portal answered in ICY, which is not HTTP: the header of its answer is in the file."

    assert (told in sniff(saved(tmp_path, content), "Delivery.txt").problems) == is_icy
    assert told not in sniff(saved(tmp_path, content), "Delivery.txt", origin=FileOrigin.PROCESSOR).problems
