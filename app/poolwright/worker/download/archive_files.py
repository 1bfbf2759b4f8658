"""Unpacks a ZIP archive of attachments into checked files, within the limits of an order. Blocking."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from poolwright.domain.tasks import MissedFile
from poolwright.files.content_type import FileOrigin, sniff
from poolwright.worker.download.staged_files import DownloadedFile
from poolwright.worker.page.page_content import LINK_COUNT_MAX
from poolwright.worker.transfer.download_limits import DownloadAllowance
from poolwright.worker.transfer.received_file import DownloadRefusedError

#: The media type of an archive that is no document of another format.
ZIP_TYPE = "application/zip"
_PIECE_BYTES = 1024 * 1024
_ENCRYPTED_FLAG, _UTF8_FLAG = 0x1, 0x800
#: Folder in which macOS keeps its own data about files.
_SYSTEM_FOLDER = "__MACOSX/"


class ArchiveLockedError(Exception):
    """An archive is whole, but only a person can unpack it."""


def unpack_archive(archive: DownloadedFile, allowance: DownloadAllowance) -> list[DownloadedFile | MissedFile]:
    """Unpack an archive beside itself, remove it, and return its files in their order; one that is no file is missed.

    Args:
        archive: The archive, a checked file.
        allowance: The bytes that the order may still have.

    Raises:
        ArchiveLockedError: It has a password, or a compression that is not supported. It stays as it is.
        DownloadRefusedError: It is damaged, empty, or larger than allowed.
        OSError: The disk is full or not writable.
    """
    try:
        with zipfile.ZipFile(archive.path) as content:
            entries = list(_entries(content))
            if not entries:
                msg = "the archive contains no file"
                raise DownloadRefusedError(msg, is_retryable=True)
            files = [
                _extract(content, entry, number, archive, allowance) for number, entry in enumerate(entries, start=1)
            ]
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        msg = f"the archive is damaged ({error})"
        raise DownloadRefusedError(msg, is_retryable=True) from error
    except NotImplementedError as error:
        msg = "it has a compression that is not supported"
        raise ArchiveLockedError(msg) from error
    archive.path.unlink()
    return files


def _entries(content: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    """Yield the files of an archive.

    Raises:
        ArchiveLockedError: One has a password.
        DownloadRefusedError: They are too many.
    """
    entries = [
        entry for entry in content.infolist() if not entry.is_dir() and not entry.filename.startswith(_SYSTEM_FOLDER)
    ]
    if len(entries) > LINK_COUNT_MAX:
        msg = f"the archive contains {len(entries):,} files; at most {LINK_COUNT_MAX:,} are taken from one"
        raise DownloadRefusedError(msg, is_retryable=False)
    if any(entry.flag_bits & _ENCRYPTED_FLAG for entry in entries):
        msg = "it has a password"
        raise ArchiveLockedError(msg)
    yield from entries


def _extract(
    content: zipfile.ZipFile, entry: zipfile.ZipInfo, number: int, archive: DownloadedFile, allowance: DownloadAllowance
) -> DownloadedFile | MissedFile:
    """Write one file beside the archive and check it. Its own name is only a label: no path of an archive is used."""
    path = archive.path.with_name(f"{archive.path.name}-entry-{number}")
    label = _label(entry)
    allowance.check_announced(entry.file_size)
    sha256 = _write(content, entry, path, allowance)
    finding = sniff(path, label, declared_size_bytes=entry.file_size, is_vouched=True, origin=FileOrigin.ARCHIVE)
    if finding.problems:
        path.unlink()
        return MissedFile(
            label=label, source_url=archive.source_url, problem=" ".join(finding.problems), is_retryable=True
        )
    allowance.consume(finding.size_bytes)
    return DownloadedFile(
        path=path,
        label=label,
        size_bytes=finding.size_bytes,
        sha256=sha256,
        media_type=finding.media_type,
        source_url=archive.source_url,
        is_name_given=True,
        is_page=finding.is_page,
        is_text=finding.is_text,
        shows_end=finding.shows_end,
        notes=finding.notes,
    )


def _write(content: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path, allowance: DownloadAllowance) -> str:
    """Write the bytes of one file, whose checksum is verified at its end, and return their SHA-256."""
    digest, size_bytes = hashlib.sha256(), 0
    with content.open(entry) as source, path.open("wb") as target:
        while piece := source.read(_PIECE_BYTES):
            size_bytes += len(piece)
            allowance.check(size_bytes)
            digest.update(piece)
            target.write(piece)
    return digest.hexdigest()


def _label(entry: zipfile.ZipInfo) -> str:
    """Return the name of a file within its archive; many programs write UTF-8 without saying so."""
    if entry.flag_bits & _UTF8_FLAG:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return entry.filename
