"""Reads the attachments out of a mail: Internet mail, Outlook messages, winmail.dat, also mails within mails. Pure.

What cannot be read whole is left out with a note, so that a part of a file never counts as the file: the mail itself
stays and has everything.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import policy
from email.errors import CloseBoundaryNotFoundDefect
from email.message import EmailMessage
from email.parser import BytesParser
from typing import TypeAlias

import olefile

from poolwright.worker.download.mails.tnef_attachments import SIGNATURE, TNEF_TYPES, TnefDamagedError, read_tnef

#: Attachments that are taken out of one mail with all mails in it.
ATTACHMENTS_MAX = 200
#: Mails within mails that are opened; a deeper one is a file like any other.
DEPTH_MAX = 4
#: What the parsers raise for content that is no mail or is damaged.
_DAMAGE = (OSError, LookupError, ValueError, TypeError, AttributeError, RecursionError, struct.error)

_CompoundFile: TypeAlias = "olefile.OleFileIO[str]"

_TOO_DEEP = "it is in too many other mails"
_ATTACHMENT = "__attach_version1.0_"
_PROPERTIES = "__properties_version1.0"
_DATA, _MESSAGE = "__substg1.0_37010102", "__substg1.0_3701000D"
#: Long file name, short file name, name for people: the first that is there counts.
_NAME_PROPERTIES = ("3707", "3704", "3001")
#: Types of a text property: Unicode, and bytes of a code page.
_UNICODE, _CODE_PAGE = "001F", "001E"


class MailDamagedError(Exception):
    """The content is no mail that can be read."""


@dataclass(frozen=True, slots=True)
class MailAttachment:
    """One attachment of a mail."""

    #: As the mail names it; not safe as a file name.
    name: str
    content: bytes


@dataclass(slots=True)
class MailContent:
    """The attachments of a mail in their order, and what a person should know about the others."""

    attachments: list[MailAttachment] = field(default_factory=list[MailAttachment])
    #: Parts of a sentence.
    notes: list[str] = field(default_factory=list[str])

    def add(self, name: str, content: bytes) -> None:
        """Add an attachment, unless they are too many; say so once."""
        if len(self.attachments) < ATTACHMENTS_MAX:
            self.attachments.append(MailAttachment(name, content))
        elif (note := f"it has more than {ATTACHMENTS_MAX} attachments, and the others were not taken out") not in (
            self.notes
        ):
            self.notes.append(note)

    def leave_out(self, name: str, why: str) -> None:
        """Note that an attachment was not taken out."""
        self.notes.append(f"{name} was not taken out: {why}")


def read_outlook_message(content: bytes) -> MailContent:
    """Return the attachments of an Outlook message.

    Raises:
        MailDamagedError: It is no such message, or damaged.
    """
    mail = MailContent()
    try:
        file: _CompoundFile = olefile.OleFileIO(io.BytesIO(content))
        with file:
            if not file.exists(_PROPERTIES):
                msg = "it has no properties"
                raise MailDamagedError(msg)
            _collect_outlook(file, (), 1, mail)
    except _DAMAGE as error:
        raise MailDamagedError(str(error) or type(error).__name__) from error
    return mail


def _collect_outlook(file: _CompoundFile, message: tuple[str, ...], depth: int, mail: MailContent) -> None:
    """Add the attachments of the message in a folder of the file."""
    for number, folder in enumerate(_attachment_folders(file, message), start=1):
        name = _outlook_name(file, folder) or f"attachment {number}"
        if file.exists([*folder, _DATA]):
            _add_stream(file, [*folder, _DATA], name, mail)
        elif not file.exists([*folder, _MESSAGE]):
            mail.leave_out(name, "the mail has only a link to it")
        elif not file.exists([*folder, _MESSAGE, _PROPERTIES]):
            mail.leave_out(name, "it is an object of another program")
        elif depth >= DEPTH_MAX:
            mail.leave_out(name, _TOO_DEEP)
        else:
            _collect_outlook(file, (*folder, _MESSAGE), depth + 1, mail)


def _add_stream(file: _CompoundFile, path: list[str], name: str, mail: MailContent) -> None:
    content = file.openstream(path).read()
    if len(content) < file.get_size(path):
        mail.leave_out(name, "it is damaged")
    else:
        mail.add(name, content)


def _attachment_folders(file: _CompoundFile, message: tuple[str, ...]) -> list[tuple[str, ...]]:
    folders = (tuple(path) for path in file.listdir(streams=False, storages=True))
    level = len(message)
    return sorted(
        path
        for path in folders
        if len(path) == level + 1 and path[:level] == message and path[level].startswith(_ATTACHMENT)
    )


def _outlook_name(file: _CompoundFile, folder: tuple[str, ...]) -> str:
    for number in _NAME_PROPERTIES:
        for kind in (_UNICODE, _CODE_PAGE):
            path = [*folder, f"__substg1.0_{number}{kind}"]
            if file.exists(path) and (name := _text(file.openstream(path).read(), kind)):
                return name
    return ""


def _text(content: bytes, kind: str) -> str:
    if kind == _UNICODE:
        return content.decode("utf-16-le", "replace").strip("\0 ")
    try:
        return content.decode().strip("\0 ")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace").strip("\0 ")


def read_internet_mail(content: bytes) -> MailContent:
    """Return the attachments of an Internet mail.

    Raises:
        MailDamagedError: It is no mail, or damaged.
    """
    mail = MailContent()
    try:
        message = BytesParser(policy=policy.default).parsebytes(content)
        if not message.keys():
            msg = "it has no header"
            raise MailDamagedError(msg)
        _collect_internet(message, 1, mail)
    except _DAMAGE as error:
        raise MailDamagedError(str(error) or type(error).__name__) from error
    return mail


def _collect_internet(message: EmailMessage, depth: int, mail: MailContent) -> None:
    """Add the attachments below a message or a part of one."""
    for part in _leaves(message, mail):
        name = part.get_filename() or ""
        if part.get_content_type() == "message/rfc822" and part.is_multipart():
            _add_mail(part, name, depth, mail)
        elif name or part.get_content_disposition() == "attachment":
            name = name or f"attachment {len(mail.attachments) + 1}"
            content = part.get_payload(decode=True)
            if isinstance(content, bytes) and not part.defects:
                mail.add(name, content)
                if part.get_content_type() in TNEF_TYPES or content.startswith(SIGNATURE):
                    _add_wrapped(name, content, depth, mail)
            else:
                mail.leave_out(name, "it is damaged")


def read_wrapped_mail(content: bytes) -> MailContent:
    """Return the attachments of a ``winmail.dat``, in which Outlook wraps a mail.

    Raises:
        MailDamagedError: It is no such file, or damaged.
    """
    mail = MailContent()
    try:
        _collect_wrapped(content, 1, mail)
    except TnefDamagedError as error:
        raise MailDamagedError(str(error)) from error
    return mail


def _add_wrapped(name: str, content: bytes, depth: int, mail: MailContent) -> None:
    """Add the attachments of a ``winmail.dat`` that is attached to a mail itself."""
    try:
        _collect_wrapped(content, depth, mail)
    except TnefDamagedError as error:
        mail.leave_out(f"what is in {name}", f"it is damaged ({error})")


def _collect_wrapped(content: bytes, depth: int, mail: MailContent) -> None:
    for number, attachment in enumerate(read_tnef(content), start=1):
        name = attachment.name or f"attachment {number}"
        if attachment.is_object:
            mail.leave_out(name, "it is an object of another program")
        elif not attachment.is_message:
            mail.add(name, attachment.content)
        elif depth >= DEPTH_MAX:
            mail.leave_out(name, _TOO_DEEP)
        else:
            _collect_wrapped(attachment.content, depth + 1, mail)


def _add_mail(part: EmailMessage, name: str, depth: int, mail: MailContent) -> None:
    """Add a mail that is attached to another one, and then its own attachments."""
    (inner,) = _parts(part)
    name = name or f"{str(inner.get('Subject') or '').strip() or f'mail {len(mail.attachments) + 1}'}.eml"
    mail.add(name, inner.as_bytes(policy=policy.compat32))
    if depth >= DEPTH_MAX:
        mail.leave_out(f"what is in {name}", _TOO_DEEP)
    else:
        _collect_internet(inner, depth + 1, mail)


def _leaves(message: EmailMessage, mail: MailContent) -> Iterator[EmailMessage]:
    """Yield the parts that contain no others; a mail within the mail is one."""
    parts = _parts(message) if message.get_content_maintype() == "multipart" else []
    if not parts:
        yield message
        return
    if any(isinstance(defect, CloseBoundaryNotFoundDefect) for defect in message.defects):
        mail.leave_out("the last part", "the mail ends before its end")
        parts = parts[:-1]
    for part in parts:
        yield from _leaves(part, mail)


def _parts(message: EmailMessage) -> list[EmailMessage]:
    return [part for part in message.iter_parts() if isinstance(part, EmailMessage)]
