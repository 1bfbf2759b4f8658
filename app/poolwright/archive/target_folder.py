"""Chooses the folder of an order in the output tree, so that no two orders share one on any file system.

A folder is listed once, and of what is in it only names are kept that cannot be asked for: those neither of capital nor
of small letters alone.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from poolwright.archive.manifest import MANIFEST_NAME, Manifest, ManifestError
from poolwright.domain.account import Account
from poolwright.domain.ids import TaskId
from poolwright.files.names import folder_variants, name_key

#: So many folders are remembered; beyond, all are listed anew when they are asked for.
_FOLDERS_MAX = 1000


class SpellingVariants:
    """How the folders within folders are written. One writer."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._mixed: dict[Path, dict[str, set[str]]] = {}

    def find(self, folder: Path) -> list[Path]:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderRequest:
    """An order that needs a folder."""

    task_id: TaskId
    #: Folders that are known to be its own, below the output folder, with forward slashes.
    known: Collection[str] = ()


class TargetFolders:
    """The folders of one output folder that orders of one account may have.

    Another account of the same portal's kind knows the same numbers, and means other orders by them. As long as the
    ledger stands no two accounts share a tree; where somebody removed it, manifests alone tell whose a folder is.
    """

    def __init__(self, out: Path, account: Account | None) -> None:
        """Seat orders of ``account`` below ``out``; where it is not known, a number alone says which order it is."""
        self._out = out
        self._account = account
        self._spellings = SpellingVariants()

    def choose(self, levels: tuple[str, ...], sitter: FolderRequest) -> Path:
        """The folder for an order: the first of its name that is free or its own.

        Never within the folder of another order, never in the place of what is not ours.
        """
        *_, place = self._candidates(levels, sitter)
        self._spellings.add(place)
        return place

    def of_other_accounts(self, levels: tuple[str, ...], sitter: FolderRequest) -> list[tuple[Path, Manifest]]:
        """The folders of its name that another account's order of the same number has."""
        *taken, _ = self._candidates(levels, sitter)
        found = ((path, read_manifest(path)) for path in taken)
        return [(path, manifest) for path, manifest in found if manifest and manifest.task_id == sitter.task_id]

    def _candidates(self, levels: tuple[str, ...], sitter: FolderRequest) -> Iterator[Path]:
        """Every folder of its name that is taken, and the one that is not."""
        parent = self._out
        for level in levels[:-1]:
            parent = next(path for path in map(self._usable_parent, _variants(parent, level)) if path is not None)
        for path in _variants(parent, levels[-1]):
            yield path
            others = self._spellings.find(path)
            is_taken = any(not self._is_own(other, sitter) for other in others)
            if self._is_own(path, sitter) or (_is_free(path) and not is_taken):
                return

    def _usable_parent(self, folder: Path) -> Path | None:
        """The folder of this name, however it is written there, that orders can be below."""
        others = self._spellings.find(folder)
        if not all(map(_can_hold_orders, (folder, *others))):
            return None
        return folder if folder.exists() or not others else others[0]

    def _is_own(self, folder: Path, sitter: FolderRequest) -> bool:
        manifest = read_manifest(folder)
        if manifest is None or manifest.task_id != sitter.task_id:
            return False
        is_known = folder.relative_to(self._out).as_posix() in sitter.known
        return is_known or self._account is None or manifest.may_be_of(self._account)


def read_manifest(folder: Path) -> Manifest | None:
    """Read the manifest of a folder; None if it has none that this program wrote."""
    if folder.is_symlink():
        return None
    try:
        return Manifest.read(folder)
    except ManifestError:
        return None


def is_owned(folder: Path, task_id: TaskId) -> bool:
    """Whether the manifest of a folder still names this order."""
    manifest = read_manifest(folder)
    return manifest is not None and manifest.task_id == task_id


def is_intact(folder: Path) -> bool:
    """Whether every file that the folder's manifest names is there and unchanged."""
    try:
        return not Manifest.read(folder).problems(folder)
    except ManifestError:
        return False


def _variants(parent: Path, level: str) -> Iterator[Path]:
    return (parent / name for name in folder_variants(level))


def _can_hold_orders(folder: Path) -> bool:
    return not os.path.lexists(folder) or (folder.is_dir() and not (folder / MANIFEST_NAME).exists())


def _is_free(folder: Path) -> bool:
    """Whether nothing is there, or an empty folder."""
    if folder.is_symlink():
        return False
    return not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))
