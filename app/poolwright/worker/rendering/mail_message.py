"""Reads what a person sees of a mail: its header lines, its text and the pictures in it. Pure.

The attachments themselves are the matter of ``worker.download.mails.mail_attachments``; here only their names count.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import TypeAlias

import olefile

from poolwright.worker.download.mails.mail_attachments import MailDamagedError, read_internet_mail, read_outlook_message
from poolwright.worker.download.mails.mail_files import INTERNET_TYPE, OUTLOOK_TYPE
from poolwright.worker.rendering.outlook_text import rich_text

#: What the parsers raise for content that is no mail or is damaged.
_DAMAGE = (OSError, LookupError, ValueError, TypeError, AttributeError, RecursionError, struct.error)
_CompoundFile: TypeAlias = "olefile.OleFileIO[str]"

#: Letters of a text that are shown; no person reads more.
TEXT_MAX_CHARS = 2_000_000
#: Bytes of all pictures in a text that are shown.
PICTURES_MAX_BYTES = 30 * 1024 * 1024
CUT_NOTE = "only the beginning of its text is shown"
RICH_NOTE = "its text is only there in Outlook's own form (RTF), and is shown without formatting and pictures"
#: Pictures that a browser shows.
_PICTURE_TYPES = frozenset({"image/bmp", "image/gif", "image/jpeg", "image/png", "image/webp"})
#: Header lines of an Internet mail that are shown, in this order.
_HEADERS = ("From", "To", "Cc", "Date", "Subject")


@dataclass(slots=True, kw_only=True)
class MailMessage:
    """A mail as a person sees it."""

    #: Header lines with a text, in their order.
    headers: dict[str, str] = field(default_factory=dict[str, str])
    #: Its text as HTML; empty if it has none.
    html: str = ""
    #: Its text without HTML; empty if it has none.
    text: str = ""
    #: The names of its attachments, with those of mails in it.
    attachments: tuple[str, ...] = ()
    #: Pictures of the text by their ids, as media type and content.
    pictures: Mapping[str, tuple[str, bytes]] = field(default_factory=dict[str, tuple[str, bytes]])
    #: What is not shown, as parts of a sentence.
    notes: list[str] = field(default_factory=list[str])


def read_mail(content: bytes, media_type: str) -> MailMessage:
    """Return a mail as a person sees it.

    Args:
        content: The whole mail.
        media_type: That of an Internet mail or of an Outlook message.

    Raises:
        MailDamagedError: It is no such mail, or damaged.
    """
    try:
        mail = _READERS[media_type](content)
    except _DAMAGE as error:
        raise MailDamagedError(str(error) or type(error).__name__) from error
    if max(len(mail.html), len(mail.text)) > TEXT_MAX_CHARS:
        mail.html, mail.text = mail.html[:TEXT_MAX_CHARS], mail.text[:TEXT_MAX_CHARS]
        mail.notes.append(CUT_NOTE)
    if not (mail.html.strip() or mail.text.strip() or mail.notes):
        mail.notes.append("it has no text")
    return mail


def _read_internet(content: bytes) -> MailMessage:
    attachments = tuple(attachment.name for attachment in read_internet_mail(content).attachments)
    message = BytesParser(policy=policy.default).parsebytes(content)
    headers = {name: " ".join(str(message[name]).split()) for name in _HEADERS if message[name]}
    mail = MailMessage(headers=headers, attachments=attachments, pictures=_pictures(message))
    part = message.get_body(("html", "plain"))
    if isinstance(part, EmailMessage):
        text = _text_of(part)
        mail.html, mail.text = (text, "") if part.get_content_subtype() == "html" else ("", text)
    elif message.get_content_type() in {"application/pkcs7-mime", "application/x-pkcs7-mime", "multipart/encrypted"}:
        mail.notes.append("its text is encrypted")
    return mail


def _text_of(part: EmailMessage) -> str:
    """Return the text of a part; one with an unknown encoding is read as what most mails have."""
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    try:
        return content.decode(part.get_content_charset("utf-8"), "replace")
    except LookupError:
        return decoded(content)


def _pictures(message: EmailMessage) -> dict[str, tuple[str, bytes]]:
    pictures: dict[str, tuple[str, bytes]] = {}
    size_bytes = 0
    for part in message.walk():
        name = str(part.get("Content-ID") or "").strip("<> ")
        kind = part.get_content_type()
        content = part.get_payload(decode=True) if name and kind in _PICTURE_TYPES else None
        if isinstance(content, bytes) and size_bytes + len(content) <= PICTURES_MAX_BYTES:
            pictures[name] = (kind, content)
            size_bytes += len(content)
    return pictures


def decoded(content: bytes, encoding: str = "") -> str:
    """Return a text in an encoding; if that is not known or wrong, in UTF-8, and else in the one of Western Windows."""
    for name in filter(None, (encoding, "utf-8")):
        try:
            return content.decode(name)
        except (LookupError, UnicodeDecodeError):
            continue
    return content.decode("cp1252", "replace")


#: Numbers of properties of an Outlook message.
_SUBJECT, _SENDER, _SENDER_ADDRESS, _SENDER_SMTP = "0037", "0C1A", "0C1F", "5D01"
_TO, _CC, _BODY, _HTML, _RTF = "0E04", "0E03", "1000", "1013", "1009"
_SENT_AT, _DELIVERED_AT, _CODE_PAGE = 0x0039, 0x0E06, 0x3FDE
_ATTACHMENT = "__attach_version1.0_"
_PROPERTIES = "__properties_version1.0"
#: Bytes before the properties of a message that is a file, and bytes of each.
_HEADER_BYTES, _PROPERTY_BYTES = 32, 16
_TIME, _LONG = 0x0040, 0x0003
_BEGINNING = datetime(1601, 1, 1, tzinfo=UTC)


def _read_outlook(content: bytes) -> MailMessage:
    attachments = tuple(attachment.name for attachment in read_outlook_message(content).attachments)
    file: _CompoundFile = olefile.OleFileIO(io.BytesIO(content))
    with file:
        properties = _fixed_properties(file.openstream(_PROPERTIES).read())
        message = _OutlookMessage(file, f"cp{properties.get((_CODE_PAGE, _LONG), 0)}")
        mail = MailMessage(attachments=attachments, html=message.html, text=message.text(_BODY))
        lines = {
            "From": message.sender,
            "To": message.text(_TO),
            "Cc": message.text(_CC),
            "Date": _moment(properties),
            "Subject": message.text(_SUBJECT),
        }
        mail.headers = {name: " ".join(text.split()) for name, text in lines.items() if text.strip()}
        mail.pictures = message.pictures()
        if not (mail.html.strip() or mail.text.strip()) and (content := message.rich_text):
            mail.text, notes = _rich_text(content)
            mail.notes += notes
    return mail


def _rich_text(content: bytes) -> tuple[str, list[str]]:
    """Return a text that is only there in Outlook's own form, and what is told of it."""
    try:
        text = rich_text(content)
    except _DAMAGE:
        return "", ["its text is only there in Outlook's own form (RTF), and cannot be read"]
    return text, [RICH_NOTE] if text.strip() else []


class _OutlookMessage:
    """The properties of an Outlook message that have their own streams."""

    def __init__(self, file: _CompoundFile, encoding: str) -> None:
        self._file = file
        self._encoding = {"cp65001": "utf-8", "cp28591": "latin-1"}.get(encoding, encoding)

    @property
    def html(self) -> str:
        content = self._bytes(f"{_HTML}0102")
        return decoded(content, self._encoding) if content else self.text(_HTML)

    @property
    def sender(self) -> str:
        """The name with the address, if they differ; the address of a colleague is no e-mail address in Outlook."""
        name = self.text(_SENDER)
        address = next((text for text in map(self.text, (_SENDER_SMTP, _SENDER_ADDRESS)) if "@" in text), "")
        return f"{name} <{address}>" if name and address and name != address else name or address

    @property
    def rich_text(self) -> bytes:
        """The text in Outlook's own form, compressed; empty if there is none."""
        return self._bytes(f"{_RTF}0102")

    def text(self, number: str, folder: str = "") -> str:
        content = self._bytes(f"{number}001F", folder)
        if content:
            return content.decode("utf-16-le", "replace").strip("\0")
        return decoded(self._bytes(f"{number}001E", folder), self._encoding).strip("\0")

    def pictures(self) -> dict[str, tuple[str, bytes]]:
        pictures: dict[str, tuple[str, bytes]] = {}
        size_bytes = 0
        for path in self._file.listdir(streams=False, storages=True):
            folder = path[0]
            if len(path) > 1 or not folder.startswith(_ATTACHMENT):
                continue
            name, kind = self.text("3712", folder).strip("<> "), self.text("370E", folder).lower()
            content = self._bytes("37010102", folder) if name and kind in _PICTURE_TYPES else b""
            if content and size_bytes + len(content) <= PICTURES_MAX_BYTES:
                pictures[name] = (kind, content)
                size_bytes += len(content)
        return pictures

    def _bytes(self, tag: str, folder: str = "") -> bytes:
        path = [*([folder] if folder else []), f"__substg1.0_{tag}"]
        return self._file.openstream(path).read() if self._file.exists(path) else b""


def _fixed_properties(stream: bytes) -> dict[tuple[int, int], int]:
    """Return the properties with a value of at most eight bytes, by number and type."""
    rows = range(_HEADER_BYTES, len(stream) - _PROPERTY_BYTES + 1, _PROPERTY_BYTES)
    values = (struct.unpack_from("<HHIQ", stream, row) for row in rows)
    return {(number, kind): value for kind, number, _, value in values}


def _moment(properties: Mapping[tuple[int, int], int]) -> str:
    """Return the time at which a message was sent, else that at which it came; empty if neither is there."""
    ticks = properties.get((_SENT_AT, _TIME)) or properties.get((_DELIVERED_AT, _TIME))
    if not ticks:
        return ""
    try:
        return f"{_BEGINNING + timedelta(microseconds=ticks // 10):%Y-%m-%d %H:%M:%S} UTC"
    except OverflowError:
        return ""


_READERS = {INTERNET_TYPE: _read_internet, OUTLOOK_TYPE: _read_outlook}
