"""Names in a folder that some disks take for one: a tree is copied to Windows and macOS, where case counts for nothing.

A folder is listed once, and of what is in it only names are kept that cannot be asked for: those neither of capital nor
of small letters alone.
"""

from __future__ import annotations

import os
from pathlib import Path

from poolwright.archive.names import name_key

#: So many folders are remembered; beyond, all are listed anew when they are asked for.
_FOLDERS_MAX = 1000


class Spellings:
    """How the folders within folders are written. One writer."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._mixed: dict[Path, dict[str, set[str]]] = {}

    def others(self, folder: Path) -> list[Path]:
        """What stands beside a folder, or beside where it would be, under another spelling of its name."""
        key, parent = name_key(folder.name), folder.parent
        names = {key, key.upper(), *self._known(parent).get(key, ())} - {folder.name}
        found = (parent / name for name in sorted(names))
        return [path for path in found if os.path.lexists(path) and not _is_one(path, folder)]

    def add(self, folder: Path) -> None:
        """Take note of a folder that is about to be made."""
        known, key = self._known(folder.parent), name_key(folder.name)
        if folder.name not in {key, key.upper()}:
            known.setdefault(key, set()).add(folder.name)

    def _known(self, parent: Path) -> dict[str, set[str]]:
        known = self._mixed.get(parent)
        if known is None:
            if len(self._mixed) >= _FOLDERS_MAX:
                self._mixed.clear()
            known = self._mixed[parent] = {}
            for place in parent.iterdir() if parent.is_dir() else ():
                self.add(place)
        return known


def _is_one(path: Path, folder: Path) -> bool:
    """Whether the disk takes both names for one."""
    return os.path.lexists(folder) and os.path.samestat(path.lstat(), folder.lstat())
