"""Whether the file that is open still has its name: a journal without one is lost when it is closed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from poolwright.store.errors import JournalAwayError, JournalGoneError
from poolwright.store.storage import refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """Device and inode of a journal and its log when they were opened."""

    path: Path
    #: Device and number of each file.
    files: Mapping[Path, tuple[int, int]]

    @classmethod
    def of(cls, path: Path) -> Presence:
        """What is there now.

        Raises:
            OSError: Nothing is.
        """
        log = path.with_name(f"{path.name}-wal")
        return cls(path=path, files={file: _identity(file) for file in (path, log) if file.exists()})

    def check(self) -> None:
        """Make sure that each file is still where it was.

        Raises:
            JournalGoneError: One was removed, or another file is in its place.
            JournalAwayError: Its whole disk is no longer there; it may come back.
            JournalError: The system does not tell.
        """
        for file, identity in self.files.items():
            try:
                if _identity(file) != identity:
                    raise JournalGoneError(self.path)
            except (FileNotFoundError, NotADirectoryError) as error:
                if _device_of_nearest(file) != identity[0]:
                    raise JournalAwayError(self.path, "its disk is no longer mounted") from error
                raise JournalGoneError(self.path) from error
            except OSError as error:
                raise refused(self.path, error) from error


def _identity(file: Path) -> tuple[int, int]:
    status = file.stat()
    return status.st_dev, status.st_ino


def _device_of_nearest(file: Path) -> int:
    """The disk of the deepest folder on the way that is still there."""
    for folder in file.absolute().parents:
        try:
            return folder.stat().st_dev
        except OSError:
            continue
    return -1
