"""Unpacks ZIP archives of attachments into checked files, within the limits of an order. Blocking.

Either an archive holds the attachments of an order, so that its files take its place, or it is an attachment itself,
and its files are filed beside it; then nothing in it fails the order, and what could not be taken out is in a note.
"""

from __future__ import annotations

import errno
import hashlib
import lzma
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from poolwright.domain.options import SizeLimits
from poolwright.domain.tasks import MissedFile
from poolwright.files.content_type import FileOrigin, sniff
from poolwright.worker.download.staged_files import DownloadedFile
from poolwright.worker.page.page_content import LINK_COUNT_MAX
from poolwright.worker.transfer.download_limits import DownloadAllowance
from poolwright.worker.transfer.received_file import DownloadRefusedError

#: The media type of an archive that is no document of another format.
ZIP_TYPE = "application/zip"
#: Media types of other archives, which are not unpacked.
_OTHER_TYPES = frozenset(
    {
        *("application/x-7z-compressed", "application/vnd.rar", "application/x-tar"),
        *("application/gzip", "application/x-bzip2", "application/x-xz"),
    }
)
#: Notes about one archive in a report.
_NOTES_MAX = 3
_PIECE_BYTES = 1024 * 1024
#: What the library raises for a damaged archive, besides errors of the system that have no number or name a place that
#: cannot be: those of bzip2, and of a position before the beginning of the file.
_DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, UnicodeDecodeError)
_DAMAGE_NUMBERS = frozenset({None, errno.EINVAL})
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
    files = list(_extracted(archive, allowance))
    archive.path.unlink()
    return files


def is_archive(media_type: str, name: str) -> bool:
    """Return whether a file is a ZIP archive that is no document, by its media type and name."""
    return media_type == ZIP_TYPE or PurePosixPath(name).suffix.lower() == ".zip"


def unpack_archives(files: Sequence[DownloadedFile], sizes: SizeLimits, folder: Path) -> list[DownloadedFile]:
    """Return the files of an order, each archive followed by its own files, beside it on the disk.

    Args:
        files: The checked files of the order.
        sizes: The limits of one file and of the order, to which the files of archives count too.
        folder: The folder of the files, whose disk must have room.

    Raises:
        OSError: The disk is full or not writable.
    """
    allowance = DownloadAllowance(sizes).for_folder(folder)
    try:
        for file in files:
            allowance.consume(file.size_bytes)
    except DownloadRefusedError as refusal:
        return [_noted(file, [str(refusal)]) if file.media_type == ZIP_TYPE else file for file in files]
    unpacked: list[DownloadedFile] = []
    for file in files:
        if file.media_type == ZIP_TYPE and not file.is_unchanged:
            unpacked += _beside(file, allowance)
        elif file.media_type in _OTHER_TYPES:
            unpacked.append(_noted(file, ["only ZIP archives are unpacked"]))
        else:
            unpacked.append(file)
    return unpacked


def _beside(archive: DownloadedFile, allowance: DownloadAllowance) -> list[DownloadedFile]:
    """Return an archive, with notes about what was not taken out, and then its files."""
    files: list[DownloadedFile] = []
    notes: list[str] = []
    stem = PurePosixPath(archive.name or archive.label).stem
    try:
        for file in _extracted(archive, allowance):
            if isinstance(file, MissedFile):
                notes.append(f"{file.label}: {file.problem}")
                continue
            name = f"{stem} - {_last_part(file.label)}"
            files.append(
                replace(
                    file,
                    label=f"{archive.label}: {file.label}",
                    name=name,
                    source=archive.source,
                    section=archive.section,
                )
            )
    except (ArchiveLockedError, DownloadRefusedError) as error:
        notes.append(str(error))
    return [_noted(archive, notes), *files]


def _noted(archive: DownloadedFile, notes: list[str]) -> DownloadedFile:
    if not notes:
        return archive
    more = [f"and {len(notes) - _NOTES_MAX} more"] if len(notes) > _NOTES_MAX else []
    told = "; ".join(note.rstrip(".") for note in (*notes[:_NOTES_MAX], *more))
    return replace(
        archive, notes=(*archive.notes, f"Not all files of the archive {archive.label} are beside it: {told}.")
    )


def _last_part(name: str) -> str:
    """Return the last part of a path; the name itself if that part is empty."""
    return name.replace("\\", "/").rpartition("/")[2] or name


def _extracted(archive: DownloadedFile, allowance: DownloadAllowance) -> Iterator[DownloadedFile | MissedFile]:
    """Unpack an archive beside itself, and yield each of its files in their order; one that is no file is missed.

    Raises:
        ArchiveLockedError: It has a password, or a compression that is not supported.
        DownloadRefusedError: It is damaged, empty, or larger than allowed.
        OSError: The disk is full or not writable.
    """
    try:
        with zipfile.ZipFile(archive.path) as content:
            entries = list(_entries(content))
            if not entries:
                msg = "the archive contains no file"
                raise DownloadRefusedError(msg, is_retryable=True)
            for number, entry in enumerate(entries, start=1):
                yield _extract(content, entry, number, archive, allowance)
    except _DAMAGE as error:
        raise _damaged(error) from error
    except OSError as error:
        if error.errno not in _DAMAGE_NUMBERS:
            raise
        raise _damaged(error) from error
    except NotImplementedError as error:
        msg = "it has a compression that is not supported"
        raise ArchiveLockedError(msg) from error


def _damaged(error: Exception) -> DownloadRefusedError:
    return DownloadRefusedError(f"the archive is damaged ({error})", is_retryable=True)


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
