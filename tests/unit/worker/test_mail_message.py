"""What a person sees of a mail, and what is told of the rest."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from compressed_rtf import compress

from poolwright.demo.documents.msg import Storage, Stream, make_msg, write_compound
from poolwright.worker.download.mails.mail_attachments import MailDamagedError
from poolwright.worker.rendering import mail_message
from poolwright.worker.rendering.mail_message import CUT_NOTE, RICH_NOTE, MailMessage, decoded, read_mail
from tests.unit.worker.test_mail_files import INTERNET, OUTLOOK, PDF, data, internet_mail, named, outlook_attachment

PNG = b"\x89PNG picture"


def read(mail: EmailMessage | bytes) -> MailMessage:
    return read_mail(mail if isinstance(mail, bytes) else mail.as_bytes(), INTERNET)


def text(number: str, content: str) -> Stream:
    return Stream(f"__substg1.0_{number}001F", content.encode("utf-16-le"))


def outlook(*members: Stream | Storage, fixed: tuple[tuple[int, int, int], ...] = ()) -> MailMessage:
    rows = b"".join(struct.pack("<HHIQ", kind, number, 6, value) for number, kind, value in fixed)
    return read_mail(
        write_compound([Stream("__properties_version1.0", bytes(32) + rows), *members], bytes(16)), OUTLOOK
    )


def ticks(at: datetime) -> int:
    return round((at - datetime(1601, 1, 1, tzinfo=UTC)).total_seconds()) * 10_000_000


def test_the_header_lines_of_an_internet_mail_are_decoded_and_in_their_order() -> None:
    mail = EmailMessage()
    mail["Subject"], mail["Date"] = "Größe", "Mon, 23 Nov 2026 10:00:00 +0100"
    mail["X-Other"], mail["To"], mail["From"] = "x", "b@x.example", "Märta <m@x.example>"
    mail.set_content("Guten Tag\n")

    message = read(mail)

    assert list(message.headers.items()) == [
        ("From", "Märta <m@x.example>"),
        ("To", "b@x.example"),
        ("Date", "Mon, 23 Nov 2026 10:00:00 +0100"),
        ("Subject", "Größe"),
    ]
    assert (message.html, message.text, message.notes) == ("", "Guten Tag\n", [])


def test_html_goes_before_plain_text_and_attachments_are_named() -> None:
    mail = internet_mail(a_pdf=PDF, b_txt=b"text")
    mail.get_payload()[0].add_alternative("<p>Hello</p>", subtype="html")  # type: ignore[union-attr, index]

    message = read(mail)

    assert (message.html.strip(), message.text) == ("<p>Hello</p>", "")
    assert message.attachments == ("a.pdf", "b.txt")


@pytest.mark.parametrize(
    ("encoding", "body", "shown"),
    [
        ("iso-8859-1", "Größe".encode("latin-1"), "Größe"),
        ("x-unknown", "Größe".encode(), "Größe"),
        ("x-unknown", "Größe".encode("cp1252"), "Größe"),
        ("us-ascii", "Größe".encode(), "Gr����e"),
    ],
)
def test_a_text_is_read_in_its_encoding(encoding: str, body: bytes, shown: str) -> None:
    head = f"Subject: x\nContent-Type: text/plain; charset={encoding}\nContent-Transfer-Encoding: 8bit\n\n"

    assert read(head.encode() + body).text == shown


@pytest.mark.parametrize(
    ("content", "encoding", "shown"),
    [
        (b"a", "", "a"),
        ("ö".encode(), "", "ö"),
        (b"\xf6", "", "ö"),
        (b"\xf6", "latin-1", "ö"),
        ("ö".encode(), "ascii", "ö"),
        ("ж".encode("cp1251"), "cp1251", "ж"),
        (b"a", "cp0", "a"),
    ],
)
def test_bytes_become_letters(content: bytes, encoding: str, shown: str) -> None:
    assert decoded(content, encoding) == shown


def test_pictures_of_the_text_are_found_by_their_ids_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    mail = EmailMessage()
    mail["Subject"] = "x"
    mail.set_content("<img src='cid:logo@x'>", subtype="html")
    for name, kind in (("<logo@x>", "png"), ("<second@x>", "png"), ("<vector@x>", "svg+xml")):
        mail.add_related(PNG, "image", kind, cid=name)

    assert read(mail).pictures == {"logo@x": ("image/png", PNG), "second@x": ("image/png", PNG)}
    monkeypatch.setattr(mail_message, "PICTURES_MAX_BYTES", 2 * len(PNG) - 1)
    assert list(read(mail).pictures) == ["logo@x"]


def test_a_mail_without_a_text_and_an_encrypted_one_are_told() -> None:
    empty = EmailMessage()
    empty["Subject"] = "x"
    empty.set_content(" \n")
    secret = b"Subject: x\nContent-Type: application/pkcs7-mime; name=smime.p7m\n\nabc"

    assert read(empty).notes == ["it has no text"]
    assert read(secret).notes == ["its text is encrypted"]


def test_a_text_that_is_too_long_is_cut_and_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    mail = EmailMessage()
    mail["Subject"] = "x"
    mail.set_content("abcde")
    monkeypatch.setattr(mail_message, "TEXT_MAX_CHARS", 6)
    assert (read(mail).text, read(mail).notes) == ("abcde\n", [])

    monkeypatch.setattr(mail_message, "TEXT_MAX_CHARS", 4)

    assert (read(mail).text, read(mail).notes) == ("abcd", [CUT_NOTE])


@pytest.mark.parametrize("kind", [INTERNET, OUTLOOK])
def test_what_is_no_mail_is_damaged(kind: str) -> None:
    with pytest.raises(MailDamagedError):
        read_mail(b"%PDF-1.4", kind)


def test_an_outlook_message_has_the_same_lines() -> None:
    message = outlook(
        text("0037", "Offer 7"),
        text("0C1A", "Sales"),
        text("5D01", "sales@x.example"),
        text("0E04", "Buyer; Other"),
        text("0E03", "Third"),
        text("1000", "Guten Tag"),
        outlook_attachment(0, named("a.pdf"), data(PDF)),
        fixed=((0x0039, 0x40, ticks(datetime(2026, 11, 23, 9, 30, tzinfo=UTC))), (0x0E06, 0x40, 7)),
    )

    assert list(message.headers.items()) == [
        ("From", "Sales <sales@x.example>"),
        ("To", "Buyer; Other"),
        ("Cc", "Third"),
        ("Date", "2026-11-23 09:30:00 UTC"),
        ("Subject", "Offer 7"),
    ]
    assert (message.text, message.html, message.attachments, message.notes) == ("Guten Tag", "", ("a.pdf",), [])


def test_the_time_at_which_a_message_came_counts_if_it_has_no_other() -> None:
    came = outlook(fixed=((0x0E06, 0x40, ticks(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))),))

    assert came.headers == {"Date": "2026-01-02 03:04:05 UTC"}
    assert outlook(fixed=((0x0039, 0x40, 2**64 - 1),)).headers == {}
    assert outlook(fixed=((0x0039, 0x03, 5),)).headers == {}


@pytest.mark.parametrize(
    ("members", "sender"),
    [
        ([text("0C1A", "Sales")], "Sales"),
        ([text("0C1F", "s@x.example")], "s@x.example"),
        ([text("0C1A", "s@x.example"), text("0C1F", "s@x.example")], "s@x.example"),
        ([text("0C1A", "Sales"), text("0C1F", "/O=X/CN=SALES")], "Sales"),
        ([text("0C1A", "Sales"), text("0C1F", "a@x.example"), text("5D01", "b@x.example")], "Sales <b@x.example>"),
    ],
)
def test_the_sender_is_a_name_with_an_address(members: list[Stream], sender: str) -> None:
    assert outlook(*members).headers == {"From": sender}


def test_the_html_of_an_outlook_message_is_read_in_its_code_page() -> None:
    html = Stream("__substg1.0_10130102", "<p>Счёт</p>".encode("cp1251"))

    assert outlook(html, text("1000", "Plain"), fixed=((0x3FDE, 3, 1251),)).html == "<p>Счёт</p>"
    assert outlook(Stream("__substg1.0_10130102", b"<p>\xf6</p>"), fixed=((0x3FDE, 3, 28591),)).html == "<p>ö</p>"
    assert outlook(Stream("__substg1.0_10130102", "ö".encode()), fixed=((0x3FDE, 3, 65001),)).html == "ö"
    assert outlook(text("1013", "<p>x</p>")).html == "<p>x</p>"
    assert outlook(Stream("__substg1.0_1000001E", b"\xf6\0")).text == "ö"


def test_a_picture_of_an_outlook_message_is_found_by_its_id() -> None:
    picture = outlook_attachment(0, named("l.png"), data(PNG), text("3712", "logo@x"), text("370E", "image/PNG"))
    other = outlook_attachment(1, named("a.pdf"), data(PDF), text("3712", "file@x"), text("370E", "application/pdf"))

    assert outlook(picture, other, text("1013", "<p>x</p>")).pictures == {"logo@x": ("image/png", PNG)}


def rich(content: bytes) -> Stream:
    return Stream("__substg1.0_10090102", content)


def test_a_text_that_is_only_in_outlooks_own_form_is_read_without_its_formatting() -> None:
    message = outlook(rich(compress(b"{\\rtf1\\ansi Hello {\\b World}}")))

    assert (message.text, message.html, message.notes) == ("Hello World", "", [RICH_NOTE])


def test_a_text_in_outlooks_own_form_is_the_last_choice_and_told_if_it_is_damaged() -> None:
    rtf = rich(b"LZFu")

    assert outlook(rtf).notes == ["its text is only there in Outlook's own form (RTF), and cannot be read"]
    assert outlook(rtf, text("1000", "Plain")).notes == []
    assert outlook(rich(compress(b"{\\rtf1\\ansi }"))).notes == ["it has no text"]
    assert outlook().notes == ["it has no text"]


def test_a_message_of_the_demo_can_be_read() -> None:
    message = read_mail(make_msg("Offer 4711", 20_000), OUTLOOK)

    assert message.headers["Subject"] == "Offer 4711"
    assert message.headers["Date"] == "2025-01-01 00:00:00 UTC"
    assert message.attachments == ("attached.pdf",)
