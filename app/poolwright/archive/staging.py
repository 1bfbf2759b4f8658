"""The staging folder of an attempt: its name, and the completion of its files before they are filed."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from poolwright.archive.manifest import MANIFEST_NAME, Manifest, ManifestError
from poolwright.domain.tasks import POTask, Report
from poolwright.files.disk import DRAFT_SUFFIX, copy_permissions, sha256_of, sync_file, sync_folder, write_file
from poolwright.files.names import name_key

#: Letters of a task's id in the folder name; with four bytes each the name is still shorter than 255 bytes.
_SEEN_LENGTH = 40
#: Hexadecimal digits that distinguish ids with the same letters.
_MARK_LENGTH = 12


def staging_folder_name(task: POTask) -> str:
    """Return the folder name of an attempt below its worker's ``staging_path``; it is unique to the attempt."""
    safe = "".join(letter if letter.isalnum() else "-" for letter in task.task_id[:_SEEN_LENGTH])
    mark = sha256(task.task_id.encode()).hexdigest()[:_MARK_LENGTH]
    return f"{safe}-{mark}.{task.attempt}"


@dataclass(frozen=True, slots=True)
class StagingFolders:
    """The folders in which the workers of a pool stage their files."""

    root: Path

    def worker_folder(self, slot: int) -> Path:
        """Return the staging folder of a slot's worker."""
        return self.root / f"w{slot}"

    def attempt_folder(self, slot: int, task: POTask) -> Path:
        """Return the staging folder of one attempt."""
        return self.worker_folder(slot) / staging_folder_name(task)


def complete_staging(files: Path, manifest: Manifest) -> None:
    """Complete the staged files to the order's future folder, with its manifest, and flush them to the disk.

    May be repeated after any error.

    Raises:
        OSError: A file is missing or has another size, or the disk fails.
    """
    _remove_strays(files, manifest)
    for file in manifest.present:
        size_bytes = (files / file.name).stat().st_size
        if size_bytes != file.size_bytes:
            raise OSError(errno.EIO, f"The staged file has {size_bytes:,} bytes, not {file.size_bytes:,}", file.name)
    write_file(files / MANIFEST_NAME, manifest.text())
    copy_permissions(files / MANIFEST_NAME, files)
    for file in manifest.present:
        sync_file(files / file.name)
    sync_folder(files)


def keep_earlier_files(files: Path, report: Report, former: Iterable[Path]) -> None:
    """Put the earlier file in place of each staged one with the same content, with its inode and its times.

    A file that the portal said is unchanged was not downloaded, so it is not staged. May be repeated after any error.
    Where the disk cannot link files, the staged ones stay, and the others are copied with their times.

    Args:
        files: The folder of the staged files.
        report: The report with these files.
        former: The folders of the order that the new one will replace.

    Raises:
        OSError: The disk fails.
    """
    earlier = _earlier_paths(former)
    for file in report.files:
        path = earlier.get(file.sha256)
        if path is None or sha256_of(path) != file.sha256:
            continue
        draft = files / f".{MANIFEST_NAME}{DRAFT_SUFFIX}"
        draft.unlink(missing_ok=True)
        try:
            draft.hardlink_to(path)
        except OSError:
            if (files / file.name).is_file():
                continue
            shutil.copy2(path, draft)
        draft.replace(files / file.name)
        draft.unlink(missing_ok=True)  # a rename onto another link of the same file does nothing


def _earlier_paths(former: Iterable[Path]) -> dict[str, Path]:
    """Return the path of each present file of the former folders by its hash; the last folder counts."""
    paths: dict[str, Path] = {}
    for folder in former:
        try:
            manifest = Manifest.read(folder)
        except ManifestError:
            continue
        for file in manifest.files:
            path = folder / file.name
            if path.is_file() and not path.is_symlink():
                paths[file.sha256] = path
    return paths


def _remove_strays(files: Path, manifest: Manifest) -> None:
    """Remove files that are not in the manifest: an abandoned download may have left a part of a file."""
    listed = {name_key(file.name) for file in manifest.present}
    for path in files.iterdir():
        if name_key(path.name) in listed:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
