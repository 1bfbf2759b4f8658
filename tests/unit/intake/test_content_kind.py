"""What a file is shows in its bytes, never in its name."""

from __future__ import annotations

import struct

import pytest

from poolwright.demo.documents.msg import Storage, Stream, make_msg, write_compound
from poolwright.intake import content_kind
from poolwright.intake.content_kind import ContentKind, TextKind, detect_content_kind, detect_text_kind
from poolwright.intake.errors import InputRefusedError
from tests.support.order_files import xlsx

COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
MAIL = (
    "Received: from a\r\n\tby b; Mon, 1 Jan 2026\r\nFrom: Maria <m@a.b>\r\nTo: x@y.z\r\nSubject: Orders\r\n"
    "Date: Mon, 1 Jan 2026 10:00:00 +0100\r\n"
)
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
        ("[4500012345, 4500012346]", "JSON"),
        ("['4500012345', '4500012346']\n", "in brackets, not a table; write one number in each line"),
        ("('PO-1',\n 'PO-2',\n)", "in brackets"),
        ("{4500012345, 4500012346};\n", "in brackets"),
        ("From: a\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related\r\n", "MHTML"),
        (MAIL + "\r\n4500012345\r\n", "is a mail, not a list; save the list that is attached"),
        ((MAIL + "\r\n4500012345\r\n").replace("\r\n", "\n"), "is a mail"),
        ("X-Mozilla-Status: 0001\r\n" + MAIL, "is a mail"),
        ("\r\n" + MAIL, "is a mail"),
        ("1234      \n" + MAIL, "is a mail"),
        ("From maria@a.b Mon Jan  1 10:00:00 2026\n" + MAIL, "is a mail"),
        ("From: Maria\nSent: Monday\nTo: x@y.z\nSubject: Orders\n\n4500012345\n4500012346\n", "is a mail"),
        ("MIME-Version: 1.0\nTo: x@y.z\n\n4500012345\n", "is a mail"),
        ("MIME-Version: 1.0\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nMIAGCSq\n", "S/MIME"),
        (MAIL + "MIME-Version: 1.0\r\nContent-Type: application/x-pkcs7-mime\r\n\r\nMIAGCSq\r\n", "S/MIME"),
        ("orders:\n  - number: 4500012345\n    supplier: A\n", "is YAML, not a table; export it"),
        ("orders:\r\n- number: 4500012345\r\n", "is YAML"),
        ("# of May\n---\norders:\n  first: 4500012345\n", "is YAML"),
        ("- number: 4500012345\n  supplier: A\n- number: 4500012346\n", "is YAML"),
        ("%YAML 1.2\n---\n- 4500012345\n", "is YAML"),
        ("[orders]\nfirst=4500012345\nsecond=4500012346\n", r"settings file \(INI\), not a list"),
        ("; of May\r\n\r\n[orders]\r\n# the first\r\nfirst number = 4500012345\r\n", "settings file"),
        ("# Orders\n\nPlease get **4500012345**.\n\n- 4500012346\n", "Markdown, not a table; copy its numbers"),
        ("# Orders\n\n- [4500012345](https://a.b/1)\n", "Markdown"),
        ("## Orders\n```\n4500012345\n```\n", "Markdown"),
    ],
)
def test_text_that_is_no_table_is_refused_as_what_it_is(text: str, word: str) -> None:
    with pytest.raises(InputRefusedError, match=word):
        detect_text_kind(text, "orders.csv")


@pytest.mark.parametrize(
    "text",
    [
        "[PO],[Supplier]\n1,a\n",
        "[PO],[Supplier]\n[1],[a]\n",
        "(4500012345, 4500012346\n",
        "4500012345, 4500012346)\n",
        "(PO Number, Supplier)\n",
        "{PO};A\n1;b\n",
        "PO\n4500012345\x02\n",
        "Report: open orders\nFrom: 2026-01-01\nTo: 2026-01-31\nDate: 2026-02-01\n\nPO;Supplier\n4500012345;ACME\n",
        "From: A,To: B,Subject: C,Date: D\n1,2,3,4\n",
        "Subject: Orders\nPO: 4500012345\nPO: 4500012346\n",
        "From 4500012345 to 4500012360\nPO\n4500012345\n",
        "- 4500012345\n- 4500012346\n",
        "orders:\n- 4500012345\n- 4500012346\n",
        "PO:\n4500012345\n",
        "PO: 4500012345\nSupplier: A\n",
        "[PO]\n4500012345\n",
        "[PO]\n=4500012345\n",
        "# Orders\n\n- 4500012345\n",
        "# PO;Note\n1;a **b\n",
        "# Orders\n\n| PO | Note |\n|---|:---:|\n| 4500012345 | **urgent** |\n",
    ],
)
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


def compound(*members: Stream | Storage) -> bytes:
    return write_compound(members, bytes(16))


def named(*names: str) -> bytes:
    return compound(*(Stream(name, b"content") for name in names))


INSTALLER = "\u4840\u3f3f\u4577"
ATTACHED = Storage("__attach_version1.0_#00000000", (Stream("__substg1.0_37010102", COMPOUND + named("Workbook")),))


@pytest.mark.parametrize(
    ("foreign", "word"),
    [
        (make_msg("Orders", 20480), "Outlook message, .* attached to it"),
        (compound(Stream("__nameid_version1.0", b""), Stream("__properties_version1.0", bytes(32))), "Outlook message"),
        (compound(Stream("__properties_version1.0", bytes(32)), ATTACHED), "Outlook message"),
        (named("1Table", "WordDocument"), "Word document"),
        (named("PowerPoint Document", "Current User"), "PowerPoint"),
        (named("VisioDocument"), "Visio"),
        (named("FileHeader", "BodyText"), "Hangul"),
        (named("Props14", "   114"), "Microsoft Project"),
        (named("\x05SummaryInformation", INSTALLER), "installer"),
        (named("EncryptionInfo", "EncryptedPackage"), "password"),
        (
            compound(
                Stream("EncryptedPackage", b""), Storage("\x06DataSpaces", (Stream("DRMEncryptedDataSpace", b""),))
            ),
            "sensitivity label",
        ),
        (named("Workbook", "\x09DRMContent"), "sensitivity label"),
        (named("Catalog", "1", "2"), "file of another program .* save it as .xlsx"),
    ],
)
def test_what_an_office_container_holds_is_told_from_its_directory(foreign: bytes, word: str) -> None:
    with pytest.raises(InputRefusedError, match=rf"orders\.xls is .*{word}"):
        detect_content_kind(foreign, "orders.xls")


@pytest.mark.parametrize("name", ["Workbook", "Book", "WORKBOOK"])
def test_a_workbook_that_contains_another_document_stays_a_workbook(name: str) -> None:
    inside = Storage("MBD0001", (Stream("WordDocument", b"x"), Stream("__substg1.0_0037001F", b"x")))
    text = Stream(name, "WordDocument EncryptedPackage".encode("utf-16-le") * 200)

    assert detect_content_kind(compound(inside, text), "orders.xls") is ContentKind.OLD_WORKBOOK


@pytest.mark.parametrize("cut", [100, 511, 512, 600, 1024])
def test_a_container_that_was_cut_off_is_left_to_the_reader_of_workbooks(cut: int) -> None:
    assert detect_content_kind(named("Workbook")[:cut], "orders.xls") is ContentKind.OLD_WORKBOOK


def test_a_directory_that_leads_in_a_circle_is_read_once() -> None:
    container = bytearray(named("WordDocument", "1Table", "Data"))
    start = (int.from_bytes(container[48:52], "little") + 1) * 512
    for entry in range(start + 128, start + 512, 128):
        container[entry + 68 : entry + 76] = (1).to_bytes(4, "little") * 2

    with pytest.raises(InputRefusedError):
        detect_content_kind(bytes(container), "orders.xls")


@pytest.mark.parametrize(
    ("foreign", "word"),
    [
        (b"\xef\xbb\xbf\r\n%PDF-1.4\n1 0 obj\n", "PDF"),
        (b"%!PS-Adobe-3.0\n", "PostScript"),
        (b"\x78\x9f\x3e\x22" + bytes(60), r"winmail\.dat"),
        (b"!BDN" + bytes(60), "mailbox of Outlook"),
        (b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nSUMMARY:4500012345\r\n", "calendar"),
        (b"BEGIN:VCARD\r\nTEL:4500012345\r\n", "address card"),
        (b"-----BEGIN PGP MESSAGE-----\n\nabc\n", "decrypt"),
        (b"[Desktop Entry]\nType=Link\n", "link to a web page"),
        (b'TABLE\n0,1\n"EXCEL"\n', "DIF"),
        (b"UNA:+.? '\r\nUNB+UNOA:1+A+B'BGM+220+4500012345+9'", "EDIFACT"),
        (b"ISA*00*          *00*~BEG*00*SA*4500012345**20200101~", "X12"),
        (b"\0\1\0\0Standard ACE DB\0" + bytes(60), "Access database; export the table"),
        (b"BZh91AY&SY" + bytes(20), r"packed file \(bz2\); unpack"),
        (bytes(257) + b"ustar\x0000" + bytes(300), r"packed file \(tar\); unpack"),
        (b"\1\0\0\0" + bytes(36) + b" EMF" + bytes(60), "picture"),
        (b"\0\0\0\x18ftypmp42" + bytes(60), "recording"),
        (b"\x7fELF\2\1\1" + bytes(60), "an elf file"),
        (b"begin:vcard\r\nversion:4.0\r\nTEL:4500012345\r\n", "address card"),
        (b"\0\0\2\0\6\4\6\0\x08\0" + bytes(60), "Lotus 1-2-3; open it"),
        (b"\0\0\x1a\0\0\x10\4\0" + bytes(60), "Lotus 1-2-3; open it"),
        (b"\0\0\2\0\x20\x51" + bytes(60), "Quattro Pro; open it"),
        (b"ID;PWXL;N;E\r\nP;PGeneral\r\n", "SYLK"),
        (b"ID;PCALC3\nE\n", "SYLK"),
        (b"Obj\1" + bytes(60), "Avro"),
        (b"\x89HDF\r\n\x1a\n" + bytes(60), "HDF5"),
        (b"$FL2@(#) IBM", "SPSS"),
        (b"$FL3@(#) IBM", "SPSS"),
        (b"<stata_dta><header>", "Stata"),
        (b"RDX2\nX\n", "file of R"),
        (b"RDX3\nX\n", "file of R"),
        (b"\x80\4\x95" + bytes(9), "pickle"),
        (b"\x80\5\x95" + bytes(9), "pickle"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d\n", "pointer of Git LFS"),
        (b"data:text/csv;charset=utf-8;base64,UE8=", "Base64 text; decode it"),
        (b"UEsDBBQAAAAAAEgGgV14//v11gAAANYAAAAPAAAA", "Base64"),
        (b"JVBERi0xLjcKJeLjz9MKMSAwIG9iago8PD4", "Base64"),
        (b"begin 644 orders.xlsx\nM4$L#\n", "uuencode"),
        (b"=ybegin line=128\n", "yEnc"),
        (b"INSERT INTO orders VALUES ('4500012345');", "SQL"),
        (b"-- dump\n--\n/* x */;\ndrop table orders;", "SQL"),
        (b"0\x80\6\x09\x2a\x86\x48\x86\xf7\x0d\1\7\3\xa0\x80" + bytes(60), "S/MIME"),
        (b"0\x82\x0d\x0a\6\x09\x2a\x86\x48\x86\xf7\x0d\1\7\2\xa0" + bytes(60), "S/MIME"),
    ],
)
def test_other_files_that_people_give_are_told_with_the_next_step(foreign: bytes, word: str) -> None:
    with pytest.raises(InputRefusedError, match=rf"orders\.csv is .*{word}"):
        detect_content_kind(foreign, "orders.csv")


def test_an_old_workbook_is_known_with_and_without_its_container() -> None:
    assert detect_content_kind(COMPOUND, "orders.xls") is ContentKind.OLD_WORKBOOK
    assert detect_content_kind(b"\x09\x08\x08\0\0\x05\x05\0" + bytes(99), "orders.xls") is ContentKind.OLD_WORKBOOK


def dbase(version: int, rows: bytes = b" 4500012345", *, month: int = 5, end: int = 0x0D) -> bytes:
    """A table of dBase with one field."""
    head = bytes([version, 126, month, 31]) + struct.pack("<IHH", 1, 65, len(rows)) + bytes(20)
    return head + b"PO".ljust(11, b"\0") + b"C" + bytes(4) + bytes([10, 0]) + bytes(14) + bytes([end]) + rows + b"\x1a"


@pytest.mark.parametrize("version", [0x03, 0x30, 0x83, 0xF5])
def test_a_dbase_table_is_known_by_its_head(version: int) -> None:
    with pytest.raises(InputRefusedError, match=r"orders\.csv is a dBase table \(\.dbf\); open it"):
        detect_content_kind(dbase(version), "orders.csv")


@pytest.mark.parametrize("other", [dbase(0x41), dbase(0x03, month=13), dbase(0x03, b" "), dbase(0x03, end=0), b"\x03A"])
def test_what_only_begins_like_a_dbase_table_is_none(other: bytes) -> None:
    assert detect_content_kind(other, "orders.csv") is ContentKind.TEXT


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "line",
    [
        "# " + " " * 60_000,
        "[a]\n" + "a " * 30_000,
        "# a\n" + "[" * 60_000,
        "# a\n" + "*" * 60_000,
        "# a\n" + " " * 60_000 + "x",
        "[" + " " * 60_000 + "x",
        "[" + "a" * 60_000 + " ;]",
        "[" + "," * 60_000 + ";]",
    ],
    ids=["comment", "setting", "links", "stars", "blanks", "bracket", "word", "commas"],
)
def test_a_line_of_any_length_is_looked_at_once(line: str) -> None:
    assert detect_text_kind(f"{line}\n", "orders.csv") is TextKind.LIST


@pytest.mark.parametrize(
    "text",
    [
        b"ID;PO Number\n1;4500012345\n",
        b"ID;PO\n1;4500012345\n",
        b"Select\tPO\tFrom\t\n",
        b"Insert;PO\n1;4500012345\n",
        b"begin 4500012345\n",
        b"UEsDB;PO\n",
    ],
)
def test_a_list_whose_header_begins_like_another_kind_is_text(text: bytes) -> None:
    assert detect_content_kind(text, "orders.csv") is ContentKind.TEXT


@pytest.mark.parametrize("tag", ["p", "SPAN", "br /", "a href='x'", "h1", "title", "frameset"])
def test_a_piece_of_a_web_page_is_one(tag: str) -> None:
    assert detect_text_kind(f"<{tag}>4500012345", "orders.csv") is TextKind.WEB_PAGE
    assert detect_text_kind(f"<rss><{tag}>4500012345", "orders.csv") is TextKind.XML
