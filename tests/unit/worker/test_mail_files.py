"""What is taken out of a mail and filed beside it, and what is only told."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path, PurePosixPath

import pytest

from poolwright.demo.documents.msg import Storage, Stream, make_msg, write_compound
from poolwright.domain.options import SizeLimits
from poolwright.worker.download.mails import mail_attachments, mail_files
from poolwright.worker.download.mails.mail_attachments import (
    MailDamagedError,
    read_internet_mail,
    read_outlook_message,
)
from poolwright.worker.download.mails.mail_files import mail_type, unpack_mails
from poolwright.worker.download.staged_files import DownloadedFile
from tests.support.tnef import attachment, tnef

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
OUTLOOK, INTERNET = "application/vnd.ms-outlook", "message/rfc822"
SENTENCE = "Not all attachments of the mail offer.eml are beside it: {}."


def internet_mail(**attachments: bytes) -> EmailMessage:
    """A mail with these attachments; the name of each has an underscore for its dot."""
    mail = EmailMessage()
    mail["Subject"] = "Offer 7"
    mail.set_content("Please find attached.")
    for name, content in attachments.items():
        mail.add_attachment(content, "application", "octet-stream", filename=name.replace("_", "."))
    return mail


def outlook_attachment(number: int, *streams: Stream | Storage) -> Storage:
    return Storage(f"__attach_version1.0_#{number:08X}", streams)


def named(name: str, number: str = "3707") -> Stream:
    return Stream(f"__substg1.0_{number}001F", name.encode("utf-16-le"))


def data(content: bytes) -> Stream:
    return Stream("__substg1.0_37010102", content)


PROPERTIES = Stream("__properties_version1.0", bytes(32))


def outlook_message(*members: Stream | Storage) -> bytes:
    return write_compound([PROPERTIES, *members], bytes(16))


def file_of(folder: Path, content: bytes, label: str = "offer.eml", media_type: str = INTERNET) -> DownloadedFile:
    path = folder / "part-1"
    path.write_bytes(content)
    return DownloadedFile(
        path=path,
        label=label,
        size_bytes=len(content),
        sha256="s",
        media_type=media_type,
        source_url="u",
        source="x",
        section="L",
    )


def unpacked(file: DownloadedFile, sizes: SizeLimits | None = None) -> list[DownloadedFile]:
    return unpack_mails([file], sizes or SizeLimits(), file.path.parent)


def test_the_attachments_of_an_internet_mail_are_beside_it_with_their_names_and_digests(tmp_path: Path) -> None:
    mail = file_of(tmp_path, internet_mail(a_pdf=PDF, b_txt=b"text").as_bytes())

    first, *files = unpacked(mail)

    assert first == mail
    assert mail.path.exists()
    assert [(file.label, file.name, file.path.read_bytes()) for file in files] == [
        ("offer.eml: a.pdf", "offer - a.pdf", PDF),
        ("offer.eml: b.txt", "offer - b.txt", b"text"),
    ]
    assert [file.sha256 for file in files] == [hashlib.sha256(content).hexdigest() for content in (PDF, b"text")]
    assert [file.media_type for file in files] == ["application/pdf", "text/plain"]
    assert {(file.source_url, file.source, file.section, file.is_name_given) for file in files} == {
        ("u", "x", "L", True)
    }
    assert [file.size_bytes for file in files] == [len(PDF), 4]
    assert len({file.path for file in (first, *files)}) == 3


def test_the_attachment_of_an_outlook_message_is_beside_it(tmp_path: Path) -> None:
    mail = file_of(tmp_path, make_msg("Offer", 20_000), "Offer 7.msg", OUTLOOK)

    first, file = unpacked(mail)

    assert first == mail
    assert (file.name, file.media_type) == ("Offer 7 - attached.pdf", "application/pdf")
    assert file.path.read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("../../evil.pdf", "offer - evil.pdf"), ("C:\\evil.pdf", "offer - evil.pdf"), ("evil/", "offer - evil/")],
)
def test_no_path_in_a_mail_leads_anywhere(tmp_path: Path, name: str, expected: str) -> None:
    mail = EmailMessage()
    mail.set_content("x")
    mail.add_attachment(PDF, "application", "pdf", filename=name)

    _, file = unpacked(file_of(tmp_path, mail.as_bytes()))

    assert (file.path.parent, file.name) == (tmp_path, expected)


@pytest.mark.parametrize(
    ("label", "media_type", "is_page", "expected"),
    [
        ("a.msg", OUTLOOK, False, OUTLOOK),
        ("a", INTERNET, False, INTERNET),
        ("a.EML", "text/plain", False, INTERNET),
        ("a.msg", "application/octet-stream", False, OUTLOOK),
        ("a.eml", "text/html", True, ""),
        ("WinMail.dat", "application/octet-stream", False, "application/ms-tnef"),
        ("a.dat", "application/vnd.ms-tnef", False, "application/vnd.ms-tnef"),
        ("other.dat", "application/octet-stream", False, ""),
        ("a.pdf", "application/pdf", False, ""),
    ],
)
def test_a_mail_is_known_by_its_content_or_its_name(
    tmp_path: Path, label: str, media_type: str, is_page: bool, expected: str
) -> None:
    assert mail_type(replace(file_of(tmp_path, b"x", label, media_type), is_page=is_page)) == expected


def test_other_files_stay_as_they_are(tmp_path: Path) -> None:
    file = file_of(tmp_path, PDF, "a.pdf", "application/pdf")

    assert unpacked(file) == [file]


def test_a_damaged_mail_stays_with_a_note(tmp_path: Path) -> None:
    files = unpacked(file_of(tmp_path, b"\xd0\xcf\x11\xe0 no message", "offer.eml", OUTLOOK))

    assert [file.label for file in files] == ["offer.eml"]
    assert files[0].notes[0].startswith(SENTENCE.format("it is damaged (").removesuffix("."))


def test_a_mail_that_is_too_large_to_be_read_stays_with_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mail = file_of(tmp_path, internet_mail(a_pdf=PDF).as_bytes())

    monkeypatch.setattr(mail_files, "MAIL_MAX_BYTES", mail.size_bytes)
    assert len(unpacked(mail)) == 2
    monkeypatch.setattr(mail_files, "MAIL_MAX_BYTES", mail.size_bytes - 1)
    assert [file.notes for file in unpacked(mail)] == [(SENTENCE.format("it is too large"),)]


def test_an_attachment_beyond_the_limits_is_told_and_the_others_are_taken(tmp_path: Path) -> None:
    mail = file_of(tmp_path, internet_mail(a_txt=b"a" * 100, b_txt=b"b").as_bytes())

    first, file = unpacked(mail, SizeLimits(order_bytes=mail.size_bytes + 99))
    assert file.name == "offer - b.txt"
    limit = f"with it the order would exceed {mail.size_bytes + 99} bytes, the limit for one order (--order-max-mb)"
    assert first.notes == (SENTENCE.format(f"a.txt was not taken out: {limit}"),)
    assert [each.name for each in unpacked(mail, SizeLimits(order_bytes=mail.size_bytes + 100))] == [
        "",
        "offer - a.txt",
    ]


def test_an_order_that_is_full_gets_nothing_more(tmp_path: Path) -> None:
    mail = file_of(tmp_path, internet_mail(a_txt=b"a").as_bytes())
    other = file_of(tmp_path, mail.path.read_bytes(), "a.pdf", "application/pdf")

    files = unpack_mails([mail, other], SizeLimits(order_bytes=mail.size_bytes), tmp_path)

    assert [file.notes for file in files] == [(SENTENCE.format("the order has the size that it may have"),), ()]


def test_an_attachment_that_is_not_what_it_promises_is_told(tmp_path: Path) -> None:
    first, *files = unpacked(file_of(tmp_path, internet_mail(a_pdf=b"no pdf", b_txt=b"").as_bytes()))

    assert files == []
    assert first.notes[0].startswith(SENTENCE.format("a.pdf was not taken out: ").removesuffix("."))
    assert "b.txt was not taken out: the file is empty." in first.notes[0]
    assert [path.name for path in tmp_path.iterdir()] == ["part-1"]


def test_of_many_notes_the_first_are_told(tmp_path: Path) -> None:
    first, *_ = unpacked(file_of(tmp_path, internet_mail(**{f"a{number}_txt": b"" for number in range(5)}).as_bytes()))

    assert first.notes[0].count("was not taken out") == 3
    assert first.notes[0].endswith("; and 2 more.")


def test_a_mail_in_a_mail_is_taken_out_and_so_is_what_is_in_it() -> None:
    outer = internet_mail(a_pdf=PDF)
    outer.add_attachment(internet_mail(b_pdf=PDF))

    content = read_internet_mail(outer.as_bytes())

    assert [each.name for each in content.attachments] == ["a.pdf", "Offer 7.eml", "b.pdf"]
    inner = read_internet_mail(content.attachments[1].content)
    assert [(each.name, each.content) for each in inner.attachments] == [("b.pdf", PDF)]
    assert content.notes == []


def test_mails_in_mails_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_attachments, "DEPTH_MAX", 2)
    mail = internet_mail(a_pdf=PDF)
    for _ in range(2):
        outer = internet_mail()
        outer.add_attachment(mail)
        mail = outer

    content = read_internet_mail(mail.as_bytes())

    assert [each.name for each in content.attachments] == ["Offer 7.eml", "Offer 7.eml"]
    assert content.notes == ["what is in Offer 7.eml was not taken out: it is in too many other mails"]


def test_only_so_many_attachments_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_attachments, "ATTACHMENTS_MAX", 2)

    content = read_internet_mail(internet_mail(a_txt=b"a", b_txt=b"b", c_txt=b"c", d_txt=b"d").as_bytes())

    assert [each.name for each in content.attachments] == ["a.txt", "b.txt"]
    assert content.notes == ["it has more than 2 attachments, and the others were not taken out"]


def test_an_attachment_without_a_name_gets_one_and_a_text_is_none() -> None:
    mail = EmailMessage()
    mail.set_content("x")
    mail.add_alternative("<b>x</b>", subtype="html")
    mail.add_attachment(PDF, "application", "pdf")

    assert [each.name for each in read_internet_mail(mail.as_bytes()).attachments] == ["attachment 1"]


def test_a_picture_in_the_text_that_has_a_name_is_taken_too() -> None:
    mail = EmailMessage()
    mail.set_content("<img src=cid:1>", subtype="html")
    mail.add_related(b"GIF89a", "image", "gif", cid="<1>", filename="logo.gif", disposition="inline")

    assert [each.name for each in read_internet_mail(mail.as_bytes()).attachments] == ["logo.gif"]


def test_an_attachment_that_is_not_encoded_right_is_left_out() -> None:
    text = internet_mail(a_pdf=PDF * 9).as_bytes().replace(b"JVBERi0", b"JVBER!!", 1)

    content = read_internet_mail(text)

    assert (content.attachments, content.notes) == ([], ["a.pdf was not taken out: it is damaged"])


def test_of_a_mail_that_is_cut_short_the_last_part_is_left_out() -> None:
    whole = internet_mail(a_pdf=PDF, b_pdf=PDF * 50).as_bytes()

    content = read_internet_mail(whole[:-200])

    assert [each.name for each in content.attachments] == ["a.pdf"]
    assert content.notes == ["the last part was not taken out: the mail ends before its end"]


@pytest.mark.parametrize("text", [b"", b"just a text\n"])
def test_a_text_is_no_mail(text: bytes) -> None:
    with pytest.raises(MailDamagedError, match="no header"):
        read_internet_mail(text)


def test_the_attachments_of_an_outlook_message_have_the_first_name_that_is_there() -> None:
    content = read_outlook_message(
        outlook_message(
            outlook_attachment(0, named("long name.pdf"), named("LONG~1.PDF", "3704"), data(PDF)),
            outlook_attachment(1, named("SHORT.PDF", "3704"), named("For people", "3001"), data(PDF * 200)),
            outlook_attachment(2, Stream("__substg1.0_3001001E", "Größe".encode("cp1252")), data(b"c")),
            outlook_attachment(3, Stream("__substg1.0_3707001E", "Größe\0".encode()), data(b"d")),
            outlook_attachment(4, data(b"e")),
        )
    )

    assert [(each.name, each.content) for each in content.attachments] == [
        ("long name.pdf", PDF),
        ("SHORT.PDF", PDF * 200),
        ("Größe", b"c"),
        ("Größe", b"d"),
        ("attachment 5", b"e"),
    ]
    assert content.notes == []


def test_what_an_outlook_message_does_not_contain_is_told() -> None:
    content = read_outlook_message(
        outlook_message(
            outlook_attachment(0, named("link.pdf")),
            outlook_attachment(1, named("Chart"), Storage("__substg1.0_3701000D", (Stream("Contents", b"x"),))),
        )
    )

    assert content.attachments == []
    assert content.notes == [
        "link.pdf was not taken out: the mail has only a link to it",
        "Chart was not taken out: it is an object of another program",
    ]


def test_what_is_in_a_message_in_an_outlook_message_is_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    inner = outlook_attachment(0, named("b.pdf"), data(PDF))
    embedded = Storage("__substg1.0_3701000D", (PROPERTIES, inner))
    given = outlook_message(
        outlook_attachment(0, named("a.pdf"), data(PDF)), outlook_attachment(1, named("Re: Offer"), embedded)
    )

    assert [each.name for each in read_outlook_message(given).attachments] == ["a.pdf", "b.pdf"]

    monkeypatch.setattr(mail_attachments, "DEPTH_MAX", 1)
    content = read_outlook_message(given)
    assert [each.name for each in content.attachments] == ["a.pdf"]
    assert content.notes == ["Re: Offer was not taken out: it is in too many other mails"]


def test_an_outlook_message_that_is_cut_short_gives_no_part_of_a_file() -> None:
    given = outlook_message(outlook_attachment(0, named("a.pdf"), data(PDF * 2000)))

    try:
        content = read_outlook_message(given[: len(given) // 2])
    except MailDamagedError:
        return
    assert content.attachments == []


def test_a_compound_file_of_another_program_is_no_message() -> None:
    with pytest.raises(MailDamagedError, match="no properties"):
        read_outlook_message(write_compound([Stream("Workbook", b"x" * 9000)], bytes(16)))


@pytest.mark.parametrize("label", ["winmail.dat", "wrapped"])
def test_what_outlook_has_wrapped_is_beside_it(tmp_path: Path, label: str) -> None:
    kind = "application/octet-stream" if label == "winmail.dat" else "application/ms-tnef"
    mail = file_of(tmp_path, tnef(attachment(b"a.pdf", PDF)), label, kind)

    first, file = unpacked(mail)

    assert first == mail
    assert (file.name, file.label) == (f"{PurePosixPath(label).stem} - a.pdf", f"{label}: a.pdf")
    assert file.path.read_bytes() == PDF


def test_a_mail_that_was_not_sent_again_is_not_opened(tmp_path: Path) -> None:
    mail = replace(file_of(tmp_path, internet_mail(a_pdf=PDF).as_bytes()), is_unchanged=True)
    mail.path.unlink()

    assert unpacked(mail) == [mail]
