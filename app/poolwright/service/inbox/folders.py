"""The folders of an inbox: which files are complete lists, and every move between the folders.

A list is taken in these steps, each of which a kill may be the last:

1. rename into ``taking/<moment>/``: from here on no writer of that name can replace it, and no other look finds it;
2. read it;
3. submit it: the journal has it when that returns;
4. rename into ``done/``; or, when it is refused, write its reason into ``refused/`` and rename it there.

A list that is found in ``taking`` was cut off between 1 and 4 and goes through 2 to 4 again, under the same moment and
so with the same names. Submitting the same list twice changes nothing: its id is made of its orders, and an order that
the journal knows is not taken up again. So no list is lost and no order is fetched twice.
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
    #: Nothing, and nothing is told: another program will take it away or rename it.
    TEMPORARY = auto()
    #: Nothing, and that is told.
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


#: A copy over a slow line pauses for less than this.
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

    def stable_files(self, looks: dict[Path, FileSnapshot], now_s: float) -> list[Path]:
        """Files that look the same as in an earlier look and have done so long enough; the longest first.

        Args:
            looks: Every file that is there now; others are forgotten.
            now_s: Seconds that only go forward.
        """
        kept = {path: seen for path, seen in self._seen.items() if looks.get(path) == seen[0]}
        ready = [path for path, (_, since_s) in kept.items() if now_s - since_s >= STABLE_S]
        self._seen = {path: kept.get(path, (look, now_s)) for path, look in looks.items()}
        return sorted(ready, key=lambda path: (kept[path][1], path))


TAKING, DONE, REFUSED = "taking", "done", "refused"
REASON_SUFFIX = ".reason.txt"


class LinkedFolderError(OSError):
    """A subfolder of the inbox is a symbolic link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderContents:
    """Contents of the watched folder."""

    #: Plain files and how they look now.
    files: dict[Path, FileSnapshot]
    #: Links, which are never followed.
    links: tuple[Path, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxFolders:
    """The watched folder with ``taking``, ``done`` and ``refused`` below it."""

    root: Path

    def scan(self) -> FolderContents:
        """Scan the watched folder."""
        looks: dict[Path, FileSnapshot] = {}
        links: list[Path] = []
        for path in self.root.iterdir():
            # One that vanishes meanwhile is not there.
            with contextlib.suppress(FileNotFoundError):
                status = path.lstat()
                if stat.S_ISREG(status.st_mode):
                    looks[path] = FileSnapshot.from_stat(status)
                elif stat.S_ISLNK(status.st_mode):
                    links.append(path)
        return FolderContents(files=looks, links=tuple(links))

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

    def move_to_done(self, taken: Path) -> Path:
        """Move a submitted list to ``done``."""
        return self._move(taken, DONE)

    def move_to_refused(self, taken: Path, reason: str) -> Path:
        """Move a refused list to ``refused``, with the reason beside it."""
        name = timestamped_name(taken.name, taken.parent.name)
        note = self._folder(REFUSED) / f"{name}{REASON_SUFFIX}"
        note.parent.mkdir(exist_ok=True)
        # First the reason: a list without one would lie there unexplained.
        note.write_text(reason, encoding="utf-8")
        return self._move(taken, REFUSED)

    def _move(self, taken: Path, shelf: str) -> Path:
        folder = self._folder(shelf)
        folder.mkdir(exist_ok=True)
        place = taken.rename(folder / timestamped_name(taken.name, taken.parent.name))
        taken.parent.rmdir()
        return place

    def _folder(self, name: str) -> Path:
        folder = self.root / name
        if folder.is_symlink():
            raise LinkedFolderError(0, "it is a symbolic link, which is not followed", str(folder))
        return folder

    def _claimed_files(self) -> Iterator[Path]:
        folder = self._folder(TAKING)
        for place in folder.iterdir() if folder.is_dir() else ():
            if place.is_symlink() or not place.is_dir():
                continue
            files = [path for path in place.iterdir() if path.is_file() and not path.is_symlink()]
            yield from files
            if not files:
                with contextlib.suppress(OSError):
                    place.rmdir()
