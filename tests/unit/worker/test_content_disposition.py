"""What the header of an answer says of the file's name, in every form that portals write it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolwright.worker.transfer.content_disposition import NO_DISPOSITION, ContentDisposition, parse_content_disposition
from tests.support.pace import UNHURRIED


def name_of(header: str | bytes, *known: str) -> str:
    content = header if isinstance(header, bytes) else header.encode()
    return parse_content_disposition([content], known).name


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="offer.pdf"', "offer.pdf"),
        ("attachment; filename=offer.pdf", "offer.pdf"),
        ("attachment; filename=Final offer 2024.pdf", "Final offer 2024.pdf"),
        ("attachment;filename=offer.pdf;size=3", "offer.pdf"),
        ('ATTACHMENT ; FileName = "offer.pdf" ; size=3', "offer.pdf"),
        ("attachment; filename='offer.pdf'", "offer.pdf"),
        ('attachment; filename="a;b.pdf"', "a;b.pdf"),
        ('attachment; filename="a \\"b\\" c.pdf"', 'a "b" c.pdf'),
        ('attachment; filename="a "b" c.pdf"', 'a "b" c.pdf'),
        ('attachment; filename="the "X" plan.pdf"', 'the "X" plan.pdf'),
        ('attachment; filename="C:\\\\scans\\\\offer.pdf"', "C:\\scans\\offer.pdf"),
        ("attachment; filename=offer.pdf; size=3; x=1", "offer.pdf"),
        ('attachment; name="filename=x.pdf"; filename="offer.pdf"', "offer.pdf"),
        ('attachment; filename="C:\\scans\\offer.pdf"', "C:\\scans\\offer.pdf"),
        ('attachment; filename="offer.pdf', "offer.pdf"),
        ('attachment; filename="offer.pdf; size=3', "offer.pdf"),
        ('filename="offer.pdf"', "offer.pdf"),
        ('attachment, filename="offer.pdf"', "offer.pdf"),
        ('attachment filename="offer.pdf"', "offer.pdf"),
        ('; filename="offer.pdf"', "offer.pdf"),
        ('attachment; filename="a.pdf", attachment; filename="b.pdf"', "a.pdf"),
        ("attachment; filename=a.pdf, inline; filename=b.pdf", "a.pdf"),
        ("attachment; filename=a.pdf, inline", "a.pdf"),
        ("attachment; filename=Smith, John.pdf", "Smith, John.pdf"),
        ('attachment; filename=""offer.pdf""', "offer.pdf"),
        ("attachment; filename=\"'offer.pdf'\"", "offer.pdf"),
        ("attachment; filename=\u201coffer.pdf\u201d", "offer.pdf"),
        ("attachment; filename=\u201eoffer.pdf\u201c", "offer.pdf"),
        ("attachment; filename=\u00aboffer.pdf\u00bb", "offer.pdf"),
        ("attachment; filename=\"' offer.pdf '\"", "offer.pdf"),
        ('attachment; creation-date="Wed, 12 Feb; 1997"; filename="x.pdf"; size=1', "x.pdf"),
        ('attachment; filename="/"', ""),
        ('attachment; filename=".."', ""),
        ("attachment", ""),
        ("", ""),
        ('attachment; filename=""', ""),
        ("attachment; filename=", ""),
    ],
)
def test_a_plain_name_is_read_leniently(header: str, name: str) -> None:
    assert name_of(header) == name


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("attachment; filename=\"???.pdf\"; filename*=UTF-8''%E8%A6%8B%E7%A9%8D%E6%9B%B8.pdf", "見積書.pdf"),
        ("attachment; filename*=UTF-8''%E8%A6%8B.pdf; filename=\"x.pdf\"", "見.pdf"),
        ("attachment; filename*=utf-8'de'Angebot_M%C3%A4rz.pdf", "Angebot_März.pdf"),
        ("attachment; filename*=ISO-8859-1''Angebot_M%E4rz.pdf", "Angebot_März.pdf"),
        ("attachment; filename*=\"UTF-8''a%20b.pdf\"", "a b.pdf"),
        ("attachment; filename*=UTF-8''\"a b.pdf\"", "a b.pdf"),
        ("attachment; filename*=UTF-8''\"a b.pdf", "a b.pdf"),
        ("attachment; filename*=Angebot_M%C3%A4rz.pdf", "Angebot_März.pdf"),
        ("attachment; filename*=unheard-of''M%C3%A4rz.pdf", "März.pdf"),
        ("attachment; filename=\"\"; filename*=UTF-8''offer.pdf", "offer.pdf"),
        ("attachment; filename=offer.pdf; filename*=UTF-8''", "offer.pdf"),
        ('attachment; filename*0="a long "; filename*1="name.pdf"', "a long name.pdf"),
        ('attachment;filename*0="a long ";filename*1="name.pdf";size=3', "a long name.pdf"),
        ('; filename*0="a long "; filename*1="name.pdf"; size=3', "a long name.pdf"),
        ("attachment; filename=\"offer.pdf;filename*=UTF-8''%E2%82%AC.pdf", "\u20ac.pdf"),
        ("attachment; filename*=windows-1251''%C7%E0%EA%E0%E7.pdf", "Заказ.pdf"),
        ("attachment; filename*=UTF-8''X-ray.pdf", "X-ray.pdf"),
        ("attachment; filename*=UTF-8'%E2%82%AC.pdf'", "\u20ac.pdf"),
        ("attachment; filename*=UTF-8'%E2%82%AC.pdf", "\u20ac.pdf"),
        ("attachment; filename*=O'Brien.pdf", "O'Brien.pdf"),
        ("attachment; filename*=UTF-8''a.pdf, attachment; filename=b.pdf", "a.pdf"),
        ("attachment; filename=\"Angebot.pdf\"; filename*=UTF-8''%C3%28%A0%A1%A2.pdf", "Angebot.pdf"),
        ("attachment; filename*1*=rz.pdf; filename*0*=UTF-8''M%C3%A4", "März.pdf"),
    ],
)
def test_the_extended_form_goes_before_the_plain_one(header: str, name: str) -> None:
    assert name_of(header) == name


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="=?UTF-8?B?QW5nZWJvdF9Nw6Ryei5wZGY=?="', "Angebot_März.pdf"),
        ("attachment; filename==?UTF-8?B?QW5nZWJvdF9Nw6Ryei5wZGY=?=", "Angebot_März.pdf"),
        ('attachment; filename="=?iso-8859-1?Q?Angebot_M=E4rz.pdf?="', "Angebot März.pdf"),
        ('attachment; filename="=?utf-8?q?Ange?= =?utf-8?q?bot.pdf?="', "Angebot.pdf"),
        ('attachment; filename="=?UTF-8?Q?Gr=C3?= =?UTF-8?Q?=B6=C3=9Fe.pdf?="', "Gr\u00f6\u00dfe.pdf"),
        ('attachment; filename="=?UTF-8?Q?Gr=C3?= =?utf-8?Q?=B6=C3=9Fe.pdf?="', "Größe.pdf"),
        ('attachment; filename="=?UTF-8?Q?Gr=C3=B6?= =?iso-8859-1?Q?=DFe.pdf?="', "Größe.pdf"),
        ('attachment; filename="=?UTF-8?B?QW5nZWJvdC5wZGY?="', "Angebot.pdf"),
        ('attachment; filename="=?UTF-8?B?A?=.pdf"', "=?UTF-8?B?A?=.pdf"),
        ('attachment; filename="=?UTF-8?Q?Final offer.pdf?="', "Final offer.pdf"),
        ('attachment; filename="=?unheard-of?Q?a.pdf?="', "=?unheard-of?Q?a.pdf?="),
        ('attachment; filename="Angebot%20M%C3%A4rz.pdf"', "Angebot März.pdf"),
        ('attachment; filename="100%.pdf"', "100%.pdf"),
        ('attachment; filename="Angebot_M%E4rz.pdf"', "Angebot_März.pdf"),
    ],
)
def test_other_ways_to_write_letters_are_read_too(header: str, name: str) -> None:
    assert name_of(header) == name


def test_percent_signs_beside_raw_letters_are_a_part_of_the_name() -> None:
    assert name_of('attachment; filename="Größe 50%20.pdf"') == "Größe 50%20.pdf"


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("报价单.pdf", "gb18030"),
        ("報價單.pdf", "big5"),
        ("見積書.pdf", "shift_jis"),
        ("見積書.pdf", "euc_jp"),
        ("견적서.pdf", "euc_kr"),
        ("Заказ 6.pdf", "cp1251"),
        ("Żółć.pdf", "cp1250"),
        ("þýðing.pdf", "cp1252"),
    ],
)
def test_bytes_are_read_as_the_page_calls_the_file(name: str, encoding: str) -> None:
    raw = name.encode(encoding)
    escaped = "".join(f"%{byte:02X}" for byte in raw).encode()
    plain, extended = b'attachment; filename="' + raw + b'"', b"attachment; filename*=" + escaped

    for header in (plain, extended):
        read = parse_content_disposition([header], ["Download", f"{name.upper()} (3 KB)"])
        assert read == ContentDisposition(name=name, is_attachment=True)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        (b"attachment; filename=offer.pdf", "offer.pdf"),
        ('attachment; filename="見積書.pdf"'.encode(), "見積書.pdf"),
        (b"attachment; filename*=UTF-8''M%C3%A4rz.pdf", "März.pdf"),
        (b"attachment; filename==?UTF-8?Q?M=C3=A4rz.pdf?=", "März.pdf"),
        (b'attachment; filename="Angebot M\xe4rz.pdf"', "Angebot März.pdf"),
        (b'attachment; filename="Gr\xf6\xdfe cr\xe9\xe9e.pdf"', "Größe créée.pdf"),
    ],
)
def test_letters_that_are_told_and_a_few_western_ones_are_no_guess(header: bytes, name: str) -> None:
    assert parse_content_disposition([header], ["Download"]) == ContentDisposition(
        name=name, is_sure=True, is_attachment=True
    )


@pytest.mark.parametrize(
    "raw", ["报价单.pdf".encode("gbk"), b"M\x81ller.pdf"], ids=["eastern", "written by no Windows"]
)
def test_bytes_that_nobody_knows_are_a_guess(raw: bytes) -> None:
    guess = parse_content_disposition([b'attachment; filename="' + raw + b'"'], ["Download"])

    assert not guess.is_sure
    assert guess.name.endswith(".pdf")
    assert "±" not in guess.name, "letters go before signs"


def test_bytes_that_are_letters_in_no_encoding_are_shown_one_by_one() -> None:
    guess = parse_content_disposition([b"attachment; filename=\xff\xa0\xff\xff.pdf"])

    assert guess == ContentDisposition(name="ÿ\u00a0ÿÿ.pdf", is_sure=False, is_attachment=True)


def test_of_several_headers_the_first_that_names_the_file_is_taken() -> None:
    found = parse_content_disposition([b"attachment", b'inline; filename="a.pdf"', b'attachment; filename="b.pdf"'])

    assert found == ContentDisposition(name="a.pdf", is_sure=True, is_attachment=True)


def test_an_answer_without_a_name_says_nothing_of_its_letters() -> None:
    assert (
        parse_content_disposition([])
        == NO_DISPOSITION
        == ContentDisposition(name="", is_sure=True, is_attachment=False)
    )
    assert parse_content_disposition([b"attachment"]) == ContentDisposition(name="", is_sure=True, is_attachment=True)


def test_of_a_header_without_end_the_beginning_is_read() -> None:
    assert name_of(b"filename=" + b"a" * 10_000) == "a" * (8192 - len("filename="))


@pytest.mark.parametrize(
    ("header", "is_attachment"),
    [
        (b"attachment", True),
        (b"form-data; filename=a", True),
        (b'filename="a.pdf"', True),
        (b'inline; filename="a.pdf"; size=3', False),
        (b" INLINE ; filename=a.pdf", False),
        (b"; filename=a.pdf", False),
        (b"size=3", False),
        (b'filename=""', False),
        (b"", False),
    ],
)
def test_only_a_header_that_says_so_vouches_for_a_file(header: bytes, is_attachment: bool) -> None:
    assert parse_content_disposition([header]).is_attachment is is_attachment


@pytest.mark.parametrize(
    "part", [b'"', b"filename=", b";", b"=?", b"'", b"\\", b'filename="', b"%E4", b'" ', b"\xe4\xf6"]
)
def test_no_header_holds_up_the_one_who_reads_it(part: bytes) -> None:
    begun = time.thread_time()

    parse_content_disposition([b'attachment; filename="' + part * 5000])

    assert time.thread_time() - begun < 1


@UNHURRIED
@given(st.binary(max_size=300))
def test_any_bytes_can_be_read(header: bytes) -> None:
    found = parse_content_disposition([b"attachment; filename=" + header, header])

    assert isinstance(found.name, str)
