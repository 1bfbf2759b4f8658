from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from app.archive.content import inspect
from app.archive.kinds import FORMATS, HEAD_BYTES, Kind, kind_of, media_type_of, promised_format
from tests.support.pace import UNHURRIED

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\n" + b"x" * 4000 + b"\ntrailer\n<<>>\nstartxref\n0\n%%EOF\n"
COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2040)
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(64)
LOGIN_PAGE = b"<!DOCTYPE html>\n<html><body><table><input type='password'></table></body></html>"
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
        (LOGIN_PAGE, "page.html", "text/html"),
        (b"BMW;M3;1\n" * 90, "cars.csv", "text/csv"),
        ("Größe;1\n".encode("utf-16"), "sizes.csv", "text/csv"),
        ("Größe".encode("cp1252"), "note.txt", "text/plain"),
        (b"{\\rtf1 hello}", "letter.doc", "application/msword"),
        (b"<?xml version='1.0'?><invoice/>", "invoice.xml", "application/xml"),
        (PNG, "scan.jpg", "image/png"),
        (b"\x00\x01\x02odd" * 9, "drawing.dwg9", "application/octet-stream"),
        (LOGIN_PAGE, "what.ever", "text/html"),
    ],
)
def test_a_good_file_has_its_true_type_and_no_problem(
    tmp_path: Path, content: bytes, label: str, media_type: str
) -> None:
    finding = inspect(saved(tmp_path, content), label)

    assert finding.problems == ()
    assert finding.media_type == media_type
    assert finding.size_bytes == len(content)


@pytest.mark.parametrize(
    ("content", "label", "said"),
    [
        (LOGIN_PAGE, "Invoice.pdf", "what came is a web page"),
        (b"\n<!-- hi -->\n" + LOGIN_PAGE, "Invoice.pdf", "what came is a web page"),
        (b"\xef\xbb\xbf" + LOGIN_PAGE, "Invoice.pdf", "what came is a web page"),
        (LOGIN_PAGE.decode().encode("utf-16"), "Invoice.pdf", "what came is a web page"),
        (LOGIN_PAGE + PDF, "Invoice.pdf", "what came is a web page"),
        (LOGIN_PAGE, "table.xls", "what came is a web page"),
        (LOGIN_PAGE, "mail.msg", "what came is a web page"),
        (LOGIN_PAGE, "scan.jpg", "what came is a web page"),
        (LOGIN_PAGE, "list.csv", "what came is a web page"),
        (b'{"error": "gone"}', "prices.xlsx", "what came is text"),
        (b"<Error><Code>AccessDenied</Code></Error>", "all.zip", "what came is XML"),
        (PDF, "all.zip", "what came is a PDF"),
        (sheet(), "Invoice.pdf", "what came is a ZIP container"),
    ],
)
def test_bytes_that_are_not_what_the_name_says_are_told(tmp_path: Path, content: bytes, label: str, said: str) -> None:
    problems = inspect(saved(tmp_path, content), label).problems

    assert len(problems) == 1
    assert problems[0].startswith(label)
    assert problems[0].endswith(f"{said}.")


def test_the_declared_type_is_held_against_a_file_whose_name_says_nothing(tmp_path: Path) -> None:
    path = saved(tmp_path, LOGIN_PAGE)

    assert inspect(path, "Invoice 4711", "application/pdf; charset=binary").problems
    assert inspect(path, "", "application/pdf").problems[0].startswith("The file should be application/pdf")
    assert not inspect(path, "Invoice 4711", "Text/HTML; charset=utf-8").problems
    assert not inspect(path, "Invoice 4711", "application/x-unheard-of").problems


def test_the_declared_type_names_what_nothing_else_can_name(tmp_path: Path) -> None:
    path = saved(tmp_path, b"\x00\x01\x02odd" * 9)

    assert inspect(path, "model.dwg9", "application/x-model").media_type == "application/x-model"


def test_an_empty_file_is_told_once(tmp_path: Path) -> None:
    finding = inspect(saved(tmp_path, b""), "Invoice", "application/PDF; x=1", declared_size_bytes=10)

    assert finding.problems == ("The file is empty.",)
    assert finding.media_type == "application/pdf"


@pytest.mark.parametrize(("declared", "is_told"), [(None, False), (len(PDF), False), (len(PDF) + 1, True), (0, True)])
def test_a_size_other_than_announced_is_told(tmp_path: Path, declared: int | None, is_told: bool) -> None:
    problems = inspect(saved(tmp_path, PDF), "Invoice.pdf", declared_size_bytes=declared).problems

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
    finding = inspect(saved(tmp_path, content[: int(len(content) * kept)]), label)

    assert len(finding.problems) == 1
    assert said in finding.problems[0]


def test_an_early_end_mark_does_not_vouch_for_a_pdf_that_is_cut_short(tmp_path: Path) -> None:
    linearized = b"%PDF-1.7\n%%EOF\n" + b"x" * 100_000

    assert inspect(saved(tmp_path, linearized), "Invoice.pdf").problems


def test_a_large_file_is_looked_at_without_reading_it(tmp_path: Path) -> None:
    path = tmp_path / "huge.pdf"
    with path.open("wb") as file:
        file.write(PDF[:100])
        file.truncate(20_000_000_000)
        file.seek(20_000_000_000 - 6)
        file.write(b"%%EOF\n")

    finding = inspect(path, "huge.pdf")

    assert finding.problems == ()
    assert finding.size_bytes == 20_000_000_000


def test_a_thousand_comments_are_read_at_once() -> None:
    assert kind_of(b"<!---->" * 1000 + b"no page") is Kind.XML


@UNHURRIED
@given(st.binary(max_size=2 * HEAD_BYTES), st.sampled_from(["", "x", *(f"x.{known}" for known in FORMATS)]))
def test_any_bytes_have_a_kind_and_a_media_type(head: bytes, label: str) -> None:
    kind = kind_of(head)

    assert kind in Kind
    assert "/" in media_type_of(head, kind, promised_format(label, ""), "")
