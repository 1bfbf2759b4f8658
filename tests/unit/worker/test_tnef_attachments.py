"""What is in a ``winmail.dat``, and what is not believed."""

from __future__ import annotations

import struct

import pytest

from poolwright.worker.download.mails.mail_attachments import MailDamagedError, read_internet_mail, read_wrapped_mail
from poolwright.worker.download.mails.tnef_attachments import TnefAttachment, TnefDamagedError, read_tnef
from tests.support.tnef import (
    BEGINNING,
    CONTENT,
    DATA,
    LONG,
    LONG_NAME,
    MESSAGE_ID,
    OBJECT,
    PROPERTIES,
    SHORT,
    SHORT_NAME,
    TEXT,
    TITLE,
    UNICODE,
    attachment,
    code_page,
    part,
    properties,
    tnef,
    value,
)
from tests.unit.worker.test_mail_files import PDF, internet_mail

START = part(BEGINNING, bytes(14))


def names(content: bytes) -> list[str]:
    return [file.name for file in read_tnef(content)]


def test_attachments_come_in_their_order_with_name_and_content() -> None:
    content = tnef(part(0x8004, b"Subject\0", level=1), attachment(b"a.pdf", PDF), attachment(b"b.txt", b"text"))

    assert read_tnef(content) == [
        TnefAttachment(name="a.pdf", content=PDF),
        TnefAttachment(name="b.txt", content=b"text"),
    ]


def test_a_mail_without_attachments_has_none() -> None:
    assert read_tnef(tnef(part(0x8004, b"Subject\0", level=1))) == []


def test_the_long_name_goes_before_the_short_one_and_the_title() -> None:
    long, short = value(LONG_NAME, UNICODE, "Größe 7.pdf".encode("utf-16-le")), value(SHORT_NAME, TEXT, b"GR~1.PDF\0")

    assert names(tnef(attachment(b"TITLE.PDF", PDF), properties(short, long))) == ["Größe 7.pdf"]
    assert names(tnef(attachment(b"TITLE.PDF", PDF), properties(short))) == ["GR~1.PDF"]
    assert names(tnef(attachment(b"TITLE.PDF", PDF), properties())) == ["TITLE.PDF"]


def test_a_title_behind_the_properties_does_not_replace_their_name() -> None:
    long = value(LONG_NAME, TEXT, b"long name.pdf\0")

    assert names(tnef(START, properties(long), part(TITLE, b"LONGNA~1.PDF\0"))) == ["long name.pdf"]


@pytest.mark.parametrize(("number", "name"), [(1251, "Счёт.pdf"), (1252, "Größe.pdf"), (932, "見積.pdf")])
def test_names_are_read_in_the_code_page_of_the_mail(number: int, name: str) -> None:
    assert names(tnef(code_page(number), attachment(name.encode(f"cp{number}"), PDF))) == [name]


@pytest.mark.parametrize("page", [code_page(60_000), part(0x9007, b"x", level=1), b""])
def test_without_a_known_code_page_names_are_western(page: bytes) -> None:
    assert names(tnef(page, attachment("Größe.pdf".encode("cp1252"), PDF))) == ["Größe.pdf"]


def test_values_of_every_length_are_passed_over() -> None:
    rows = (
        struct.pack("<HHHH", SHORT, 1, 7, 0),
        struct.pack("<HHI", LONG, 2, 7),
        struct.pack("<HHQ", 0x40, 3, 7),
        struct.pack("<HH16s", 0x48, 4, bytes(16)),
        struct.pack("<HHIHHHH", SHORT | 0x1000, 5, 3, 1, 2, 3, 0),
        struct.pack("<HHIIIII", TEXT | 0x1000, 6, 2, 1, 0x41, 1, 0x42),
        struct.pack("<HH16sII", LONG, 0x8001, bytes(16), 0, 9) + bytes(4),
        struct.pack("<HH16sII4s", LONG, 0x8002, bytes(16), 1, 2, b"x\0\0\0") + bytes(4),
        value(LONG_NAME, TEXT, b"last.pdf\0"),
    )

    assert names(tnef(attachment(b"TITLE.PDF", PDF), properties(*rows))) == ["last.pdf"]


def test_a_mail_in_it_and_an_object_of_another_program_are_told_apart() -> None:
    inner = tnef(attachment(b"inner.pdf", PDF))
    mail = START + properties(value(LONG_NAME, TEXT, b"mail"), value(DATA, OBJECT, MESSAGE_ID + inner))
    drawing = START + properties(value(LONG_NAME, TEXT, b"drawing"), value(DATA, OBJECT, bytes(16) + b"ole"))

    assert read_tnef(tnef(mail, drawing)) == [
        TnefAttachment(name="mail", content=inner, is_message=True),
        TnefAttachment(name="drawing", content=b"ole", is_object=True),
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"%PDF-1.4", "it does not begin as a winmail.dat"),
        (b"", "it does not begin as a winmail.dat"),
        (tnef(attachment(b"a.pdf", PDF))[:-1], "it is cut short"),
        (tnef(attachment(b"a.pdf", PDF))[:-20], "it is cut short"),
        (tnef(attachment(b"a.pdf", PDF)).replace(b"%PDF", b"%PDE"), "a checksum is wrong"),
        (tnef(part(CONTENT, PDF)), "a part of an attachment comes before its beginning"),
        (tnef(START, part(PROPERTIES, struct.pack("<I", 2**32 - 1))), "it is cut short"),
        (tnef(START, part(PROPERTIES, struct.pack("<IHHI", 1, TEXT, 1, 2**32 - 1))), "it is cut short"),
    ],
)
def test_what_is_damaged_is_no_mail(content: bytes, problem: str) -> None:
    with pytest.raises(TnefDamagedError, match=problem):
        read_tnef(content)
    with pytest.raises(MailDamagedError, match=problem):
        read_wrapped_mail(content)


def test_what_is_in_a_mail_in_it_is_taken_out_to_a_depth(monkeypatch: pytest.MonkeyPatch) -> None:
    drawing = START + properties(value(LONG_NAME, TEXT, b"drawing"), value(DATA, OBJECT, bytes(16) + b"ole"))
    inner = tnef(attachment(b"inner.pdf", PDF), drawing)
    content = tnef(START, properties(value(DATA, OBJECT, MESSAGE_ID + inner)), attachment(b"outer.pdf", PDF))

    mail = read_wrapped_mail(content)
    monkeypatch.setattr("poolwright.worker.download.mails.mail_attachments.DEPTH_MAX", 1)
    shallow = read_wrapped_mail(content)

    assert [file.name for file in mail.attachments] == ["inner.pdf", "outer.pdf"]
    assert mail.notes == ["drawing was not taken out: it is an object of another program"]
    assert [file.name for file in shallow.attachments] == ["outer.pdf"]
    assert shallow.notes == ["attachment 1 was not taken out: it is in too many other mails"]


def test_what_is_wrapped_in_an_internet_mail_is_taken_out_beside_it() -> None:
    wrapped = tnef(attachment(b"a.pdf", PDF))
    mail = internet_mail(winmail_dat=wrapped, other_dat=b"\x78\x9f\x3e")

    assert [file.name for file in read_internet_mail(mail.as_bytes()).attachments] == [
        "winmail.dat",
        "a.pdf",
        "other.dat",
    ]


def test_a_damaged_one_in_an_internet_mail_stays_and_is_told() -> None:
    mail = read_internet_mail(internet_mail(winmail_dat=tnef(attachment(b"a.pdf", PDF))[:-3]).as_bytes())

    assert [file.name for file in mail.attachments] == ["winmail.dat"]
    assert mail.notes == ["what is in winmail.dat was not taken out: it is damaged (it is cut short)"]
