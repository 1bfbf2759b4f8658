"""What a file is shows in its bytes, never in its name."""

from __future__ import annotations

import pytest

from poolwright.intake import content_kind
from poolwright.intake.content_kind import ContentKind, TextKind, detect_content_kind, detect_text_kind
from poolwright.intake.errors import InputRefusedError
from tests.support.order_files import xlsx

COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
PNG = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + bytes(64)


def test_a_workbook_and_text_are_told_apart() -> None:
    assert detect_content_kind(xlsx({"A": [["PO"]]}), "orders.csv") is ContentKind.WORKBOOK
    assert detect_content_kind(b"PO,A\r\n1,b\r\n", "orders.xlsx") is ContentKind.TEXT


@pytest.mark.parametrize("text", ["BMW order,PO\n1,2\n", "ID3,PO\n1,2\n", "MZ;PO\n1;2\n", "PK;PO\n1;2\n"])
def test_text_that_begins_like_another_kind_is_text(text: str) -> None:
    assert detect_content_kind(text.encode(), "orders.csv") is ContentKind.TEXT
    assert detect_content_kind(text.encode("utf-16"), "orders.csv") is ContentKind.TEXT


@pytest.mark.parametrize("empty", [b"", b"\n\r\n  \t\n", b"\xef\xbb\xbf", b"\xff\xfe\r\0\n\0"])
def test_nothing_but_blanks_is_empty(empty: bytes) -> None:
    with pytest.raises(InputRefusedError, match=r"orders\.csv is empty"):
        detect_content_kind(empty, "orders.csv")


@pytest.mark.parametrize(
    ("foreign", "word"),
    [
        (COMPOUND + "EncryptedPackage".encode("utf-16-le"), "password"),
        (b"%PDF-1.7\n1 0 obj\n", "PDF"),
        (PNG, "png"),
    ],
)
def test_another_kind_is_refused_with_its_name_and_what_to_do(foreign: bytes, word: str) -> None:
    with pytest.raises(InputRefusedError, match=rf"orders\.xls is .*{word}.*save it as \.xlsx"):
        detect_content_kind(foreign, "orders.xls")


@pytest.mark.parametrize("markup", ["<html><table>", " \n<!DOCTYPE html>", "<?xml version='1.0'?>", "<TABLE>"])
def test_a_web_page_named_as_a_spreadsheet_is_known(markup: str) -> None:
    assert detect_text_kind(markup, "orders.xls") in {TextKind.WEB_PAGE, TextKind.XML}


def test_a_column_named_in_angle_brackets_is_no_web_page() -> None:
    for name in ("<|>", "<PO Number>", "< 5"):
        assert detect_text_kind(f"{name},PO\n", "orders.csv") is TextKind.LIST


def test_text_full_of_control_characters_is_refused() -> None:
    with pytest.raises(InputRefusedError, match="not a spreadsheet"):
        detect_text_kind("PO\x00\x01\x02\x03" * 10, "orders.csv")


def test_a_single_control_character_in_a_long_list_is_forgiven() -> None:
    detect_text_kind("4500012345 ; a\tb\r\n" * 1000 + "\x02", "orders.csv")


def test_a_file_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content_kind, "CONTENT_BYTES_MAX", 3 * 1024 * 1024)

    with pytest.raises(InputRefusedError, match="larger than 3 MB"):
        detect_content_kind(b"1\n" * (2 * 1024 * 1024), "orders.csv")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('[{"po": 1}]', "JSON"),
        ('{"po": 1}\n{"po": 2}\n', "JSON"),
        ("[]", "JSON"),
        ('["4500012345", "4500012346"]', "JSON"),
        ("From: a\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related\r\n", "MHTML"),
    ],
)
def test_text_that_is_no_table_is_refused_as_what_it_is(text: str, word: str) -> None:
    with pytest.raises(InputRefusedError, match=word):
        detect_text_kind(text, "orders.csv")


@pytest.mark.parametrize("text", ["[PO],[Supplier]\n1,a\n", "{PO};A\n1;b\n", "PO\n4500012345\x02\n"])
def test_text_that_only_begins_so_is_a_list(text: str) -> None:
    assert detect_text_kind(text, "orders.csv") is TextKind.LIST


@pytest.mark.parametrize(
    ("foreign", "word"),
    [
        (COMPOUND + "\x06DataSpaces DRMEncryptedTransform EncryptedPackage".encode("utf-16-le"), "sensitivity label"),
        (COMPOUND + "WordDocument".encode("utf-16-le"), "Word document"),
        (COMPOUND + "__substg1.0_0037".encode("utf-16-le"), "Outlook message"),
        (b"\x1f\x8b\x08\0" + bytes(20), r"packed file \(gz\); unpack"),
        (b"SQLite format 3\0" + bytes(84), "SQLite"),
        (b"PAR1" + bytes(20), "Parquet"),
        (b"\x05Maria".ljust(55) + b"\x05\0" + "Maria".encode("utf-16-le").ljust(108), "lock file .* Maria has open"),
        (b"{\\rtf1 PO}", "RTF"),
    ],
)
def test_foreign_files_are_told_with_the_next_step(foreign: bytes, word: str) -> None:
    with pytest.raises(InputRefusedError, match=rf"orders\.xls is .*{word}"):
        detect_content_kind(foreign, "orders.xls")


def test_an_old_workbook_is_known_with_and_without_its_container() -> None:
    assert detect_content_kind(COMPOUND, "orders.xls") is ContentKind.OLD_WORKBOOK
    assert detect_content_kind(b"\x09\x08\x08\0\0\x05\x05\0" + bytes(99), "orders.xls") is ContentKind.OLD_WORKBOOK
