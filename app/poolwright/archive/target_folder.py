"""Chooses the folder of an order in the output tree, so that no two orders share one on any file system.

A folder is listed once. Of its names only those in mixed case are remembered, because the lower and upper case variants
of a name can be looked up directly.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from poolwright.archive.manifest import MANIFEST_NAME, Manifest, ManifestError, ManifestNewerError
from poolwright.domain.account import Account
from poolwright.domain.ids import TaskId
from poolwright.files.names import folder_variants, name_key

#: Remembered folders; beyond this number all are forgotten, and listed again when they are needed.
_FOLDERS_MAX = 1000


class SpellingVariants:
    """Finds names that differ from a folder's name in spelling alone. One writer."""

    def __init__(self) -> None:
        """Start without remembered folders."""
        self._mixed: dict[Path, dict[str, set[str]]] = {}

    def find(self, folder: Path) -> list[Path]:
        """Return the existing paths with another spelling of a folder's name, whether the folder exists or not."""
        key, parent = name_key(folder.name), folder.parent
        names = {key, key.upper(), *self._mixed_names(parent).get(key, ())} - {folder.name}
        paths = (parent / name for name in sorted(names))
        return [path for path in paths if os.path.lexists(path) and not _is_same(path, folder)]

    def add(self, folder: Path) -> None:
        """Remember a folder that is about to be made."""
        names, key = self._mixed_names(folder.parent), name_key(folder.name)
        if folder.name not in {key, key.upper()}:
            names.setdefault(key, set()).add(folder.name)

    def _mixed_names(self, parent: Path) -> dict[str, set[str]]:
        names = self._mixed.get(parent)
        if names is None:
            if len(self._mixed) >= _FOLDERS_MAX:
                self._mixed.clear()
            names = self._mixed[parent] = {}
            for path in parent.iterdir() if parent.is_dir() else ():
                self.add(path)
        return names


def _is_same(path: Path, folder: Path) -> bool:
    """Whether both names are the same file on this disk."""
    return os.path.lexists(folder) and os.path.samestat(path.lstat(), folder.lstat())


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderRequest:
    """An order that needs a folder."""

    task_id: TaskId
    #: Folders of the order by the intent log, below the output folder, with forward slashes.
    known: Collection[str] = ()


class TargetFolders:
    """Chooses folders of one output folder for the orders of one account.

    Another account uses the same numbers for different orders. The journal keeps two accounts from sharing an output
    tree; if it was removed, only the manifests show whose a folder is.
    """

    def __init__(self, out: Path, account: Account | None) -> None:
        """Choose folders below ``out`` for orders of ``account``; without one the number alone identifies an order."""
        self._out = out
        self._account = account
        self._spellings = SpellingVariants()

    def choose(self, levels: tuple[str, ...], request: FolderRequest) -> Path:
        """Return the folder for an order: the first variant of its name that is free or its own.

        It is never within the folder of another order, and never replaces a folder of other origin.
        """
        *_, folder = self._candidates(levels, request)
        self._spellings.add(folder)
        return folder

    def of_other_accounts(self, levels: tuple[str, ...], request: FolderRequest) -> list[tuple[Path, Manifest]]:
        """Return the folders with the order's name that belong to the same number of another account."""
        *taken, _ = self._candidates(levels, request)
        manifests = ((path, read_manifest(path)) for path in taken)
        return [(path, manifest) for path, manifest in manifests if manifest and manifest.task_id == request.task_id]

    def of_newer_versions(self, levels: tuple[str, ...], request: FolderRequest) -> list[Path]:
        """Return the folders with the order's name that a newer version of this program filed."""
        *taken, _ = self._candidates(levels, request)
        return [path for path in taken if _is_newer(path)]

    def _candidates(self, levels: tuple[str, ...], request: FolderRequest) -> Iterator[Path]:
        """Yield the variants of the order's folder that are taken, then the first one that is not."""
        parent = self._out
        for level in levels[:-1]:
            parent = next(path for path in map(self._usable_parent, _variants(parent, level)) if path is not None)
        for path in _variants(parent, levels[-1]):
            yield path
            others = self._spellings.find(path)
            is_taken = any(not self._is_own(other, request) for other in others)
            if self._is_own(path, request) or (_is_free(path) and not is_taken):
                return

    def _usable_parent(self, folder: Path) -> Path | None:
        """Return the folder of this name, in its existing spelling; ``None`` if no orders can be below it."""
        others = self._spellings.find(folder)
        if not all(map(_can_hold_orders, (folder, *others))):
            return None
        return folder if folder.exists() or not others else others[0]

    def _is_own(self, folder: Path, request: FolderRequest) -> bool:
        manifest = read_manifest(folder)
        if manifest is None or manifest.task_id != request.task_id:
            return False
        is_known = folder.relative_to(self._out).as_posix() in request.known
        return is_known or self._account is None or manifest.may_be_of(self._account)


def read_manifest(folder: Path) -> Manifest | None:
    """Read the manifest of a folder; ``None`` if it has none that this program wrote."""
    if folder.is_symlink():
        return None
    try:
        return Manifest.read(folder)
    except ManifestError:
        return None


def _is_newer(folder: Path) -> bool:
    try:
        Manifest.read(folder)
    except ManifestNewerError:
        return True
    except ManifestError:
        return False
    return False


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
