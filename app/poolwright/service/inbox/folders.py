"""The folders of an inbox: which files are complete lists, and every move between the folders.

A list is processed in these steps; the process may be killed after each of them:

1. rename it into ``taking/<moment>/``: now no writer of that name can replace it, and no other scan finds it;
2. read it;
3. submit it: when this returns, the list is in the journal;
4. rename it into ``done/``, or write the reason of a refusal into ``refused/`` and rename it there.

A list that is found in ``taking`` was interrupted between 1 and 4 and goes through 2 to 4 again, with the same moment
and so with the same names. Submitting the same list twice changes nothing: its id is derived from its orders, and
known orders are not added again. So no list is lost and no order is processed twice.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from pathlib import Path, PurePath

from poolwright.intake.content_kind import LIST_SUFFIXES

#: Files that programs write beside or before the real one: office programs, browsers, copying tools.
_TEMPORARY_PREFIXES = (".", "~")
_TEMPORARY_SUFFIXES = ("~", ".part", ".partial", ".filepart", ".tmp", ".temp", ".crdownload", ".download", ".lock")
_STAMP = "%Y%m%dT%H%M%S%fZ"


class InboxFileKind(Enum):
    """Kinds of files in the inbox."""

    LIST = auto()
    #: Ignored without a notice: another program will remove or rename it.
    TEMPORARY = auto()
    #: Ignored with a notice.
    FOREIGN = auto()


def file_kind(name: str) -> InboxFileKind:
    """Return the kind of a file by its name."""
    if name.startswith(_TEMPORARY_PREFIXES) or name.lower().endswith(_TEMPORARY_SUFFIXES):
        return InboxFileKind.TEMPORARY
    return InboxFileKind.LIST if PurePath(name).suffix.lower() in LIST_SUFFIXES else InboxFileKind.FOREIGN


def timestamp(now: datetime) -> str:
    """Return a unique, sortable timestamp for file names."""
    return now.strftime(_STAMP)


def timestamped_name(name: str, moment: str) -> str:
    """Return the file name with a timestamp, so that files of one name do not collide."""
    path = PurePath(name)
    return f"{path.stem}.{moment}{path.suffix}"


#: A file that is unchanged for this time is complete: a copy over a slow connection pauses for less.
STABLE_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSnapshot:
    """Size, time and inode of a file; any write changes it."""

    size_bytes: int
    mtime_ns: int
    inode: int

    @classmethod
    def from_stat(cls, status: os.stat_result) -> FileSnapshot:
        """Create a snapshot from a stat result."""
        return cls(size_bytes=status.st_size, mtime_ns=status.st_mtime_ns, inode=status.st_ino)


@dataclass(slots=True, kw_only=True)
class StabilityCheck:
    """Tracks since when each file is unchanged, by the local monotonic clock."""

    _seen: dict[Path, tuple[FileSnapshot, float]] = field(default_factory=dict[Path, tuple[FileSnapshot, float]])

    def stable_files(self, snapshots: dict[Path, FileSnapshot], now_s: float) -> list[Path]:
        """Return the files that have been unchanged for ``STABLE_S``, the longest first.

        Args:
            snapshots: Every file that exists now; others are forgotten.
            now_s: Monotonic time.
        """
        unchanged = {path: seen for path, seen in self._seen.items() if snapshots.get(path) == seen[0]}
        ready = [path for path, (_, since_s) in unchanged.items() if now_s - since_s >= STABLE_S]
        self._seen = {path: unchanged.get(path, (snapshot, now_s)) for path, snapshot in snapshots.items()}
        return sorted(ready, key=lambda path: (unchanged[path][1], path))


TAKING, DONE, REFUSED = "taking", "done", "refused"
REASON_SUFFIX = ".reason.txt"


class LinkedFolderError(OSError):
    """A subfolder of the inbox is a symbolic link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderContents:
    """Contents of the watched folder."""

    #: Regular files.
    files: dict[Path, FileSnapshot]
    #: Symbolic links, which are never followed.
    links: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxFolders:
    """The watched folder with ``taking``, ``done`` and ``refused`` below it."""

    root: Path

    def scan(self) -> FolderContents:
        """Scan the watched folder."""
        files: dict[Path, FileSnapshot] = {}
        links: list[Path] = []
        for path in self.root.iterdir():
            # A file may be removed during the scan.
            with contextlib.suppress(FileNotFoundError):
                status = path.lstat()
                if stat.S_ISREG(status.st_mode):
                    files[path] = FileSnapshot.from_stat(status)
                elif stat.S_ISLNK(status.st_mode):
                    links.append(path)
        return FolderContents(files=files, links=tuple(links))

    def interrupted(self) -> list[Path]:
        """Return lists whose processing was interrupted, the oldest first. Empty folders are removed."""
        return sorted(self._claimed_files())

    def claim(self, path: Path, moment: str) -> Path:
        """Move a list into ``taking``, out of reach of its writer; return its new path."""
        self._folder(TAKING).mkdir(exist_ok=True)
        folder = self._folder(TAKING) / moment
        folder.mkdir()
        try:
            return path.rename(folder / path.name)
        except OSError:
            folder.rmdir()
            raise

    def move_to_done(self, claimed: Path) -> Path:
        """Move a submitted list to ``done``."""
        return self._move(claimed, DONE)

    def move_to_refused(self, claimed: Path, reason: str) -> Path:
        """Move a refused list to ``refused``, with the reason beside it."""
        name = timestamped_name(claimed.name, claimed.parent.name)
        note = self._folder(REFUSED) / f"{name}{REASON_SUFFIX}"
        note.parent.mkdir(exist_ok=True)
        # The reason is written first, so that no list lies in the folder without it.
        note.write_text(reason, encoding="utf-8")
        return self._move(claimed, REFUSED)

    def _move(self, claimed: Path, folder_name: str) -> Path:
        folder = self._folder(folder_name)
        folder.mkdir(exist_ok=True)
        path = claimed.rename(folder / timestamped_name(claimed.name, claimed.parent.name))
        claimed.parent.rmdir()
        return path

    def _folder(self, name: str) -> Path:
        folder = self.root / name
        if folder.is_symlink():
            raise LinkedFolderError(0, "it is a symbolic link, which is not followed", str(folder))
        return folder

    def _claimed_files(self) -> Iterator[Path]:
        folder = self._folder(TAKING)
        for claim in folder.iterdir() if folder.is_dir() else ():
            if claim.is_symlink() or not claim.is_dir():
                continue
            files = [path for path in claim.iterdir() if path.is_file() and not path.is_symlink()]
            yield from files
            if not files:
                with contextlib.suppress(OSError):
                    claim.rmdir()
