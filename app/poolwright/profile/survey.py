"""What there is to copy in a user-data folder, with sizes and times, so that a second look shows any change."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from poolwright.profile.selection import is_wanted


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class SourceFile:
    """One file as it stood."""

    #: Below the user-data folder, with forward slashes.
    path: str
    size_bytes: int
    modified_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """All that a clone needs, in a fixed order. Two surveys are equal when nothing happened between them."""

    #: Parents before their children, the empty ones too.
    folders: tuple[str, ...]
    files: tuple[SourceFile, ...]

    @property
    def size_bytes(self) -> int:
        """Room that the files take."""
        return sum(file.size_bytes for file in self.files)


def survey(user_data: Path) -> Survey:
    """Look at every wanted file and folder. Links, sockets and pipes are passed over: only locks use them.

    Raises:
        OSError: A folder can't be listed.
    """
    folders: list[str] = []
    files: list[SourceFile] = []
    pending: list[tuple[str, ...]] = [()]
    while pending:
        parts = pending.pop()
        with os.scandir(user_data.joinpath(*parts)) as entries:
            for entry in entries:
                path = (*parts, entry.name)
                if entry.is_dir(follow_symlinks=False) and is_wanted(path, is_folder=True):
                    folders.append("/".join(path))
                    pending.append(path)
                elif entry.is_file(follow_symlinks=False) and is_wanted(path, is_folder=False):
                    files.append(_seen(entry, "/".join(path)))
    return Survey(folders=tuple(sorted(folders)), files=tuple(sorted(files)))


def _seen(entry: os.DirEntry[str], path: str) -> SourceFile:
    status = entry.stat(follow_symlinks=False)
    return SourceFile(path=path, size_bytes=status.st_size, modified_ns=status.st_mtime_ns)
