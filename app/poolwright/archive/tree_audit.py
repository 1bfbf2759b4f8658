"""The audit of an output tree: every file against its manifest, and every folder against the journal if it is there.

It needs no network and changes nothing. It goes from folder to folder and reads files piece by piece, so its memory
does not grow with the tree; only the names of folders with a defect are kept. A folder of an order that is filed anew
meanwhile is looked at again before anything is said about it.
"""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from poolwright.archive.manifest import MANIFEST_NAME, Manifest, ManifestError, ManifestFile, ManifestNewerError
from poolwright.domain.ids import TaskId
from poolwright.domain.tasks import TaskRecord
from poolwright.files.disk import sha256_of
from poolwright.files.names import SUPERSEDED_NAME

#: Levels of folders that are searched; the deepest tree of a template has far fewer.
DEPTH_MAX = 60


class FindingKind(StrEnum):
    """What is wrong with a file or a folder."""

    MISSING = "missing"
    CHANGED = "changed"
    #: It is in no manifest, or, for the folder of an order, not in the journal.
    ADDED = "added"
    NO_MANIFEST = "no_manifest"
    #: Cut short, edited, or otherwise no manifest.
    DAMAGED_MANIFEST = "damaged_manifest"
    #: A newer version wrote it, so its files cannot be checked by this one.
    NEWER_MANIFEST = "newer_manifest"
    #: Manifest and journal contradict each other about the files of an order.
    JOURNAL_DIFFERS = "journal_differs"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One defect of the tree."""

    kind: FindingKind
    #: Folder below the output folder, with forward slashes; empty for the output folder itself.
    folder: str
    #: The file below that folder, with forward slashes; empty if the finding is about the folder.
    file: str = ""
    #: One sentence for people.
    text: str


@dataclass(slots=True)
class AuditCounts:
    """What was checked so far. Written by the audit, read by a display."""

    order_count: int = 0
    file_count: int = 0
    size_bytes: int = 0


class FiledOrders(Protocol):
    """The orders of a journal that have a folder."""

    def find(self, task_id: TaskId, /) -> TaskRecord | None:
        """Return an order with its report; ``None`` if the journal does not contain it."""
        ...

    def folders(self) -> Iterable[tuple[TaskId, str]]:
        """Return every finished order with its folder below the output folder."""
        ...


class TreeAudit:
    """One pass over one output tree."""

    def __init__(
        self,
        root: Path,
        orders: FiledOrders | None = None,
        *,
        private_name: str,
        reports_name: str,
        own_names: Collection[str] = (),
        on_progress: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare a pass; nothing is read yet.

        Args:
            root: The output folder, or a folder below it.
            orders: The journal; without it, folders that are gone cannot be noticed.
            private_name: The folder in ``root`` that belongs to the program and is not searched.
            reports_name: The folder in ``root`` whose files belong to no order.
            own_names: The files in ``root`` that the program itself put there and that belong to no order.
            on_progress: Called after every folder, and after every piece of a file.
        """
        self._root = root
        self._orders = orders
        self._private_name = private_name
        self._reports_name = reports_name
        self._own_names = frozenset(own_names)
        self._on_progress = on_progress
        self._faulty: set[str] = set()
        self.counts = AuditCounts()

    def findings(self) -> Iterator[Finding]:
        """Yield every defect: first those of the folders in the tree, then the folders that the journal alone knows."""
        yield from self._search(self._root, depth=0, is_strict=True)
        if self._orders is not None:
            for task_id, folder in self._orders.folders():
                self._on_progress()
                if folder not in self._faulty:
                    yield from self._absent(task_id, folder)

    def _search(self, folder: Path, *, depth: int, is_strict: bool) -> Generator[Finding, None, bool]:
        """Check everything below a folder; return whether it contains the folder of an order."""
        name = self._name(folder)
        self._on_progress()
        try:
            entries = _entries(folder)
        except OSError as error:
            yield self._fault(FindingKind.UNREADABLE, name, f"{name or folder} cannot be read: {error.strerror}.")
            return False
        if any(entry.name == MANIFEST_NAME for entry in entries):
            yield from self._check_order(folder, name)
            return True
        if depth > DEPTH_MAX:
            yield self._fault(FindingKind.UNREADABLE, name, f"{name} is nested too deep to be searched.")
            return False
        return (yield from self._search_parent(folder, entries, depth=depth, is_strict=is_strict))

    def _search_parent(
        self, folder: Path, entries: list[os.DirEntry[str]], *, depth: int, is_strict: bool
    ) -> Generator[Finding, None, bool]:
        """Check the folders in a folder that is not an order's own; say which files there belong to no order."""
        loose = [entry.name for entry in entries if not entry.is_dir(follow_symlinks=False)]
        if not depth:
            loose = [name for name in loose if name not in self._own_names]
        has_orders = False
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False) or (depth == 0 and entry.name == self._private_name):
                continue
            if loose and depth and entry.name == SUPERSEDED_NAME:
                continue  # it belongs to the folder whose manifest is gone
            is_inner_strict = is_strict and not (depth == 0 and entry.name == self._reports_name)
            found = yield from self._search(Path(entry.path), depth=depth + 1, is_strict=is_inner_strict)
            has_orders = has_orders or found
        if is_strict and loose:
            yield from self._loose(self._name(folder), loose, is_parent=has_orders or not depth)
        return has_orders

    def _loose(self, name: str, loose: list[str], *, is_parent: bool) -> Iterator[Finding]:
        if is_parent:
            for file in loose:
                yield Finding(
                    kind=FindingKind.ADDED, folder=name, file=file, text=f"{_path(name, file)} belongs to no order."
                )
        else:
            text = f"{name} has {len(loose):,} files" if len(loose) > 1 else f"{name} has 1 file"
            yield self._fault(FindingKind.NO_MANIFEST, name, f"{text} and no {MANIFEST_NAME}.")

    def _check_order(self, folder: Path, name: str) -> Iterator[Finding]:
        """Check the folder of an order; if it was filed anew meanwhile, what is said is about the new one."""
        self.counts.order_count += 1
        manifest, found = self._read(folder, name), list[Finding]()
        while isinstance(manifest, Manifest):
            found = list(self._compare(folder, name, manifest))
            again = self._read(folder, name) if found else manifest
            if again == manifest:
                self.counts.file_count += len(manifest.present) + len(manifest.earlier)
                break
            manifest = again
        else:
            found = [manifest]
        if found:
            self._faulty.add(name)
        yield from found

    def _read(self, folder: Path, name: str) -> Manifest | Finding:
        where = _path(name, MANIFEST_NAME)
        try:
            return Manifest.read(folder)
        except ManifestNewerError:
            text = f"{name or folder.name} was filed by a newer version of Poolwright, which has to verify it."
            return self._fault(FindingKind.NEWER_MANIFEST, name, text)
        except ManifestError:
            cause = "is cut short" if _is_cut_short(folder / MANIFEST_NAME) else "is damaged or was edited"
            return self._fault(FindingKind.DAMAGED_MANIFEST, name, f"{where} {cause}.", MANIFEST_NAME)
        except OSError as error:
            text = f"{where} cannot be read: {error.strerror}."
            return self._fault(FindingKind.UNREADABLE, name, text, MANIFEST_NAME)

    def _compare(self, folder: Path, name: str, manifest: Manifest) -> Iterator[Finding]:
        listed = {file.name: file for file in manifest.present} | {file.kept_as: file for file in manifest.earlier}
        for file, entry in listed.items():
            yield from self._compare_file(folder / file, name, file, entry)
        yield from self._compare_names(folder, name, {_key(file) for file in (*listed, MANIFEST_NAME)})
        yield from self._compare_journal(folder, name, manifest)

    def _compare_names(self, folder: Path, name: str, known: set[str]) -> Iterator[Finding]:
        try:
            for file in _files_below(folder):
                if _key(file) not in known:
                    text = f"{_path(name, file)} is not in the manifest."
                    yield Finding(kind=FindingKind.ADDED, folder=name, file=file, text=text)
        except OSError as error:
            text = f"{name or folder.name} cannot be read: {error.strerror}."
            yield Finding(kind=FindingKind.UNREADABLE, folder=name, text=text)

    def _compare_file(self, path: Path, name: str, file: str, entry: ManifestFile) -> Iterator[Finding]:
        where = _path(name, file)
        kind, text = FindingKind.CHANGED, ""
        try:
            status = path.lstat()
            if not stat.S_ISREG(status.st_mode):
                text = f"{where} is no longer a plain file."
            elif status.st_size != entry.size_bytes:
                text = f"{where} has {status.st_size:,} bytes instead of {entry.size_bytes:,}."
            elif sha256_of(path, self._on_progress) != entry.sha256:
                text = f"{where} was changed: its SHA-256 differs."
            self.counts.size_bytes += status.st_size
        except (FileNotFoundError, NotADirectoryError):
            kind, text = FindingKind.MISSING, f"{where} is missing."
        except OSError as error:
            kind, text = FindingKind.UNREADABLE, f"{where} cannot be read: {error.strerror}."
        if text:
            yield Finding(kind=kind, folder=name, file=file, text=text)

    def _compare_journal(self, folder: Path, name: str, manifest: Manifest) -> Iterator[Finding]:
        if self._orders is None:
            return
        record = self._orders.find(TaskId(manifest.task_id))
        kind, text = FindingKind.ADDED, ""
        if record is None:
            text = f"{name} has the files of {manifest.po_number}, an order that the journal does not contain."
        elif record.report is None or not record.is_over or not record.folder:
            return  # it is being filed, or these are the files of an attempt before the last one
        elif record.folder != name and not _is_same(folder, self._root / record.folder):
            text = f"{name} has the files of {manifest.po_number}, which the journal has in {record.folder}."
        elif difference := _difference(manifest, record):
            kind, text = FindingKind.JOURNAL_DIFFERS, f"{difference} of {manifest.po_number} in {name}."
        if text:
            yield Finding(kind=kind, folder=name, text=text)

    def _absent(self, task_id: TaskId, folder: str) -> Iterator[Finding]:
        """Say if the folder that the journal has for an order is gone, or another order's."""
        path = self._root / folder
        try:
            owner = Manifest.read(path).task_id
        except (ManifestError, OSError):
            text = f"{folder} is missing; the journal has it for {_number(task_id)}."
            yield Finding(kind=FindingKind.MISSING, folder=folder, text=text)
            return
        if owner != task_id:
            text = f"{folder} has the files of {_number(owner)}; the journal has it for {_number(task_id)}."
            yield Finding(kind=FindingKind.JOURNAL_DIFFERS, folder=folder, text=text)

    def _fault(self, kind: FindingKind, name: str, text: str, file: str = "") -> Finding:
        self._faulty.add(name)
        return Finding(kind=kind, folder=name, file=file, text=text)

    def _name(self, folder: Path) -> str:
        name = folder.relative_to(self._root).as_posix()
        return "" if name == "." else name


def _difference(manifest: Manifest, record: TaskRecord) -> str:
    """Return what manifest and journal disagree about, as the beginning of a sentence; empty if they agree."""
    report = record.report
    if report is None:
        return ""
    if tuple(map(ManifestFile.from_fetched, report.files)) != manifest.files:
        return "Manifest and journal differ in the files"
    if report.reason is not manifest.reason:
        return "Manifest and journal differ in the outcome"
    return ""


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _files_below(folder: Path) -> Iterator[str]:
    """Yield everything below a folder that is no folder itself, by its path from there.

    Raises:
        OSError: A folder cannot be read.
    """
    waiting = [("", folder)]
    while waiting:
        prefix, current = waiting.pop()
        for entry in _entries(current):
            if entry.is_dir(follow_symlinks=False):
                waiting.append((f"{prefix}{entry.name}/", Path(entry.path)))
            else:
                yield f"{prefix}{entry.name}"


def _is_cut_short(path: Path) -> bool:
    """Return whether a manifest ends before its last brace."""
    try:
        return not path.read_bytes().rstrip().endswith(b"}")
    except OSError:
        return False


def _is_same(folder: Path, other: Path) -> bool:
    try:
        return folder.samefile(other)
    except OSError:
        return False


def _key(file: str) -> str:
    """Return a name as one that file systems with another composition of letters return it."""
    return unicodedata.normalize("NFC", file)


def _path(folder: str, file: str) -> str:
    return f"{folder}/{file}" if folder else file


def _number(task_id: str) -> str:
    """Return the number of an order from its id, which begins with the portal's name."""
    return task_id.partition(":")[2] or task_id
