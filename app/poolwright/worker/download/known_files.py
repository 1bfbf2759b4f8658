"""The files that an order has when it is looked at again: those that the portal says are the same need no download.

A file is asked for by the validators of its last download (``worker.transfer.validators``). What has none, or is not
known by its address, is downloaded and compared by its content.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from poolwright.domain.tasks import FetchedFile
from poolwright.portal.pack import Pack
from poolwright.portal.pack_schema import ArchivePolicy, MailPolicy
from poolwright.worker.download.archive_files import is_archive
from poolwright.worker.download.staged_files import DownloadedFile
from poolwright.worker.transfer.received_file import ReceivedFile
from poolwright.worker.transfer.validators import NO_VALIDATORS, Validators


class KnownFiles:
    """The files of one order that can be asked for by their validators."""

    def __init__(self, pack: Pack, files: Sequence[FetchedFile]) -> None:
        """Take the files by their addresses.

        Not those of an address that brought several, nor any if archives are unpacked: a file may then be a part of
        one. Nor mails and archives whose contents or PDF belong to the order's files: those are made of them.
        """
        counts = Counter(file.source_url for file in files)
        is_whole = pack.attachments.archive is not ArchivePolicy.UNPACK
        is_mail_used = pack.attachments.mail is MailPolicy.UNPACK or pack.attachments.mail_pdf
        is_archive_used = pack.attachments.archive is ArchivePolicy.BESIDE
        self._by_address = {
            file.source_url: file
            for file in files
            if is_whole and file.source_url and counts[file.source_url] == 1
            if not (is_mail_used and _is_mail(file))
            if not (is_archive_used and is_archive(file.media_type, file.label))
        }

    def validators(self, address: str) -> Validators:
        """Return what to ask with for the file of an address; no validators if it is not known."""
        known = self._by_address.get(address)
        return _validators_of(known) if known is not None else NO_VALIDATORS

    def unchanged(self, received: ReceivedFile) -> DownloadedFile | None:
        """Return the known file as if it had been downloaded, if the portal answered that it is the same."""
        known = self._by_address.get(received.source_url)
        if known is None or not received.is_unchanged:
            return None
        return DownloadedFile(
            path=received.path,
            label=known.label,
            size_bytes=known.size_bytes,
            sha256=known.sha256,
            media_type=known.media_type,
            source_url=known.source_url,
            name=known.name,
            is_name_given=True,
            validators=_validators_of(known),
            is_unchanged=True,
        )


def _validators_of(known: FetchedFile) -> Validators:
    return Validators(etag=known.etag, last_modified=known.last_modified)


def _is_mail(file: FetchedFile) -> bool:
    from poolwright.worker.download.mails.mail_files import type_of_mail  # noqa: PLC0415 - few packs want it

    return bool(type_of_mail(file.media_type, file.label))
