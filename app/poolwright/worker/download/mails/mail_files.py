"""Takes the attachments of a mail out of it and writes them beside it, within the limits of an order. Blocking.

A mail is an attachment of an order like any other: it is filed as it is, whatever becomes of what is in it. So nothing
here is missed or fails the order; what could not be taken out is in a note.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from types import MappingProxyType

from poolwright.domain.options import SizeLimits
from poolwright.files.content_type import FileOrigin, sniff
from poolwright.worker.download.mails.mail_attachments import (
    MailAttachment,
    MailContent,
    MailDamagedError,
    read_internet_mail,
    read_outlook_message,
    read_wrapped_mail,
)
from poolwright.worker.download.mails.tnef_attachments import TNEF_TYPES
from poolwright.worker.download.staged_files import DownloadedFile
from poolwright.worker.transfer.download_limits import DownloadAllowance
from poolwright.worker.transfer.received_file import DownloadRefusedError

#: A mail is read into memory as a whole. Mail servers take some 25 to 150 MB.
MAIL_MAX_BYTES = 160 * 1024 * 1024
#: Notes about one mail in a report.
_NOTES_MAX = 3

#: Media types of an Outlook message and of an Internet mail.
OUTLOOK_TYPE, INTERNET_TYPE = "application/vnd.ms-outlook", "message/rfc822"
_READERS: Mapping[str, Callable[[bytes], MailContent]] = MappingProxyType(
    {
        OUTLOOK_TYPE: read_outlook_message,
        INTERNET_TYPE: read_internet_mail,
        **dict.fromkeys(TNEF_TYPES, read_wrapped_mail),
    }
)
#: Portals often send mails as plain text or as bytes; the ending of the name tells what they are.
_ENDINGS: Mapping[str, str] = MappingProxyType({".msg": OUTLOOK_TYPE, ".eml": INTERNET_TYPE})
#: The name under which mail servers pass a mail on that Outlook has wrapped; its ending says nothing.
_WRAPPED_NAME, _WRAPPED_TYPE = "winmail.dat", "application/ms-tnef"


def mail_type(file: DownloadedFile) -> str:
    """Return the media type of a mail; empty if a file is none."""
    return (
        ""
        if file.is_page and file.media_type not in _READERS
        else type_of_mail(file.media_type, file.name or file.label)
    )


def type_of_mail(media_type: str, name: str) -> str:
    """Return the media type of a mail by the type and the name of a file; empty if it is none."""
    if media_type in _READERS:
        return media_type
    if name.lower() == _WRAPPED_NAME:
        return _WRAPPED_TYPE
    return _ENDINGS.get(PurePosixPath(name).suffix.lower(), "")


def unpack_mails(files: Sequence[DownloadedFile], sizes: SizeLimits, folder: Path) -> list[DownloadedFile]:
    """Return the files of an order, each mail followed by its own attachments.

    Args:
        files: The checked files of the order.
        sizes: The limits of one file and of the order, to which the attachments of mails count too.
        folder: The folder of the files, whose disk must have room.

    Raises:
        OSError: The disk is full or not writable.
    """
    allowance = DownloadAllowance(sizes).for_folder(folder)
    try:
        for file in files:
            allowance.consume(file.size_bytes)
    except DownloadRefusedError:
        full = ["the order has the size that it may have"]
        return [_noted(file, full) if mail_type(file) else file for file in files]
    unpacked: list[DownloadedFile] = []
    for file in files:
        unpacked += unpack_mail(file, allowance) if mail_type(file) and not file.is_unchanged else [file]
    return unpacked


def unpack_mail(mail: DownloadedFile, allowance: DownloadAllowance) -> list[DownloadedFile]:
    """Return a mail, with notes about what was not taken out, and then its attachments, beside it on the disk.

    Args:
        mail: A checked file for which ``mail_type`` is not empty.
        allowance: The bytes that the order may still have.

    Raises:
        OSError: The disk is full or not writable.
    """
    if mail.size_bytes > MAIL_MAX_BYTES:
        return [_noted(mail, ["it is too large"])]
    try:
        content = _READERS[mail_type(mail)](mail.path.read_bytes())
    except MailDamagedError as error:
        return [_noted(mail, [f"it is damaged ({error})"])]
    files: list[DownloadedFile] = []
    notes = list(content.notes)
    for number, attachment in enumerate(content.attachments, start=1):
        try:
            files.append(_write(mail, attachment, number, allowance))
        except DownloadRefusedError as refusal:
            notes.append(f"{attachment.name} was not taken out: {refusal}")
    return [_noted(mail, notes), *files]


def _write(
    mail: DownloadedFile, attachment: MailAttachment, number: int, allowance: DownloadAllowance
) -> DownloadedFile:
    """Write one attachment. Its own name is only a label: no path of a mail is used.

    Raises:
        DownloadRefusedError: It is larger than allowed, empty, or not what its name promises.
    """
    size_bytes = len(attachment.content)
    allowance.check_announced(size_bytes)
    path = mail.path.with_name(f"{mail.path.name}-mail-{number}")
    path.write_bytes(attachment.content)
    finding = sniff(path, attachment.name, origin=FileOrigin.PROCESSOR)
    if finding.problems:
        path.unlink()
        raise DownloadRefusedError(" ".join(finding.problems).rstrip(".").lower(), is_retryable=False)
    allowance.consume(size_bytes)
    stem = PurePosixPath(mail.name or mail.label).stem
    return DownloadedFile(
        path=path,
        label=f"{mail.label}: {attachment.name}",
        name=f"{stem} - {_last_part(attachment.name)}",
        size_bytes=size_bytes,
        sha256=hashlib.sha256(attachment.content).hexdigest(),
        media_type=finding.media_type,
        source_url=mail.source_url,
        is_name_given=True,
        is_page=finding.is_page,
        is_text=finding.is_text,
        shows_end=finding.shows_end,
        source=mail.source,
        section=mail.section,
    )


def _last_part(name: str) -> str:
    """Return the last part of a path, which a name of a mail may be; the name itself if that part is empty."""
    return name.replace("\\", "/").rpartition("/")[2] or name


def _noted(mail: DownloadedFile, notes: list[str]) -> DownloadedFile:
    if not notes:
        return mail
    more = [f"and {len(notes) - _NOTES_MAX} more"] if len(notes) > _NOTES_MAX else []
    told = "; ".join([*notes[:_NOTES_MAX], *more])
    return replace(mail, notes=(*mail.notes, f"Not all attachments of the mail {mail.label} are beside it: {told}."))
