"""Earlier folders of an order: how they are backed up during a move, and which of their files are kept.

A portal that withdraws or replaces an attachment takes nothing from those who fetched it: the earlier file stays, in
``superseded`` below the order's folder, in a folder named by the moment when it was filed. What the portal still lists
and the last try could not fetch stays among the present files. The same bytes are kept once, and not at all where they
are among the present files, whatever they are called there.

Nothing that could be missed is deleted from it. Each file moves to the place that the new manifest has for it; notes
that people put into a folder and files that they changed move on as they are; what is among the new files goes.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from poolwright.archive.intents import task_key
from poolwright.archive.manifest import MANIFEST_NAME, EarlierFile, FileChange, Manifest, ManifestError
from poolwright.domain.ids import TaskId
from poolwright.files.disk import make_folders, make_private_folder, sha256_of
from poolwright.files.names import RESERVED_NAMES, SUPERSEDED_NAME, UniqueNames, name_key, unique_name

#: Earlier files that a sentence names; people who want all of them look into the manifest.
NAMES_SHOWN = 5


def earlier_files(present: Manifest, former: Iterable[Path]) -> tuple[EarlierFile, ...]:
    """Choose the files of the ``former`` folders to keep, oldest first, and their paths in the folder of ``present``.

    Raises:
        OSError: A former folder cannot be read.
    """
    found, known = _candidates(present, former)
    return _Allocation(present, known, found).allocate()


def describe_earlier_files(manifest: Manifest) -> tuple[str, ...]:
    """Describe the earlier files that are kept, in sentences for a person."""
    superseded = [file for file in manifest.earlier if file.is_superseded]
    missed = [file for file in manifest.earlier if not file.is_superseded]
    of_portal = [f"{file.name} ({file.change.value}, {file.since:%Y-%m-%d})" for file in superseded]
    kept = f"Changed or withdrawn by the portal; old versions are in {SUPERSEDED_NAME}: {_listed(of_portal)}."
    beside = f"Not downloaded this time; kept from an earlier attempt: {_listed([file.kept_as for file in missed])}."
    return (*([kept] if superseded else []), *([beside] if missed else []))


def describe_earlier_folder(manifest: Manifest, folder: str) -> str:
    """That an order which has no files now has a folder of an earlier time, in a sentence."""
    count = len(manifest.files)
    files = "1 file" if count == 1 else f"{count:,} files"
    return f"The files downloaded on {manifest.fetched_at:%Y-%m-%d} ({files}) remain in {folder}."


def describe_other_accounts(others: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """That folders of the order's name are another account's, in sentences.

    Args:
        others: Each folder, and whose it is.
    """
    return tuple(f"{folder} contains the order with this number from {owner}; it is kept." for folder, owner in others)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMES_SHOWN:,} more, listed in {MANIFEST_NAME}" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more


def _candidates(present: Manifest, former: Iterable[Path]) -> tuple[list[EarlierFile], set[str]]:
    """Files that are still whole and not among the present ones; and the bytes that were known before, by hash."""
    found: dict[str, EarlierFile] = {}
    fetched = {file.sha256 for file in present.files}
    known: set[str] = set()
    for folder in former:
        manifest = _manifest(folder)
        for file in manifest.all_files() if manifest is not None else ():
            known.add(file.sha256)
            if file.sha256 not in fetched and file.sha256 not in found and file.is_whole_in(folder):
                found[file.sha256] = file
    return list(found.values()), known


def _manifest(folder: Path) -> Manifest | None:
    """The manifest of a former folder; None if a crash left the folder empty."""
    try:
        return Manifest.read(folder)
    except ManifestError:
        return None


class _Allocation:
    """Where each earlier file goes. No two get one place."""

    def __init__(self, present: Manifest, known: set[str], found: list[EarlierFile]) -> None:
        self._present = present
        self._found = found
        self._missed = {missed.label for missed in present.missed}
        fresh = [file for file in present.files if file.sha256 not in known]
        self._fresh_names = {name_key(file.name) for file in fresh}
        self._fresh_labels = {file.label for file in fresh}
        self._taken = {"": UniqueNames({*RESERVED_NAMES, *(file.name for file in present.files)})}

    def allocate(self) -> tuple[EarlierFile, ...]:
        """Every one in its place; those that had theirs before first, for they keep it."""
        placed = {file.sha256: self._allocate_same(file) for file in self._found if file.is_superseded}
        placed |= {file.sha256: self._allocate_new(file) for file in self._found if not file.is_superseded}
        return tuple(placed[file.sha256] for file in self._found)

    def _allocate_same(self, file: EarlierFile) -> EarlierFile:
        drawer, _, name = file.kept_as.rpartition("/")
        return file.model_copy(update={"kept_as": self._free(drawer, name)})

    def _allocate_new(self, file: EarlierFile) -> EarlierFile:
        change = self._change(file)
        drawer = "" if change is FileChange.MISSED else f"{SUPERSEDED_NAME}/{_moment(file.fetched_at)}"
        kept_as = self._free(drawer, file.name)
        return file.model_copy(update={"change": change, "kept_as": kept_as, "since": self._present.fetched_at})

    def _change(self, file: EarlierFile) -> FileChange:
        if file.label in self._missed:
            return FileChange.MISSED
        is_replaced = name_key(file.name) in self._fresh_names or file.label in self._fresh_labels
        return FileChange.CHANGED if is_replaced else FileChange.WITHDRAWN

    def _free(self, drawer: str, name: str) -> str:
        given = self._taken.setdefault(drawer, UniqueNames()).allocate(name)
        return f"{drawer}/{given}" if drawer else given


def _moment(at: datetime) -> str:
    """A moment as the name of a folder, which every system takes."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H-%M-%SZ}"


class SupersededFolders:
    """Keeps the earlier folders of each order until a new one replaces them. One writer."""

    def __init__(self, root: Path) -> None:
        """Keep folders below ``root``, which only its owner may enter."""
        self._root = root / "replaced"

    @property
    def directory(self) -> Path:
        """Where they all are."""
        return self._root

    def backups(self, task_id: TaskId) -> list[Path]:
        """The former folders of an order, the one that was put here last at the end."""
        place = self._root / task_key(task_id)
        found = [path for path in place.iterdir() if path.name.isdecimal()] if place.is_dir() else []
        return sorted(found, key=lambda path: int(path.name))

    def backup(self, task_id: TaskId, folder: Path) -> None:
        """Move a folder out of the tree."""
        held = self.backups(task_id)
        number = int(held[-1].name) + 1 if held else 1
        make_private_folder(self._root)
        folder.rename(make_private_folder(self._root / task_key(task_id)) / str(number))

    def merge_into(self, task_id: TaskId, into: Path) -> None:
        """Delete the former folders of an order, after what is to be kept has moved ``into`` its present one."""
        for folder in self.backups(task_id):
            _merge_folder(folder, into)
        if (place := self._root / task_key(task_id)).is_dir():
            place.rmdir()


def _merge_folder(folder: Path, into: Path) -> None:
    """Bring everything to its place. What was brought there before a crash is no longer here.

    The manifest goes last: as long as it is there, a second try knows what is ours.
    """
    present = Manifest.read(into)
    _merge_entries(folder, folder, _MergeTarget(folder=into, present=present))
    (folder / MANIFEST_NAME).unlink(missing_ok=True)
    folder.rmdir()


def _merge_entries(place: Path, former: Path, receiver: _MergeTarget) -> None:
    """Empty a place in a former folder. What is superseded there joins what is superseded in the present folder."""
    for path in sorted(place.iterdir()):
        way = path.relative_to(former)
        if way == Path(MANIFEST_NAME) and _has_manifest(former):
            continue
        if way.parts[0] == SUPERSEDED_NAME and path.is_dir() and not path.is_symlink():
            _merge_entries(path, former, receiver)
            path.rmdir()
        else:
            receiver.receive(path, way)


def _has_manifest(folder: Path) -> bool:
    try:
        Manifest.read(folder)
    except ManifestError:
        return False
    return True


class _MergeTarget:
    """The present folder of an order, which takes what former ones had."""

    def __init__(self, *, folder: Path, present: Manifest) -> None:
        self._folder = folder
        self._fetched = {file.sha256 for file in present.files}
        self._places = {file.sha256: file.kept_as for file in present.earlier}

    def receive(self, path: Path, way: Path) -> None:
        """Take a file or a person's folder, which was ``way`` below the former folder; delete what is here already."""
        target = self._folder / way
        if path.is_file() and not path.is_symlink():
            sha256 = sha256_of(path)
            target = self._folder / self._places.get(sha256, way)
            if sha256 in self._fetched or (target.is_file() and sha256_of(target) == sha256):
                path.unlink()
                return
        make_folders(self._folder, target.parent)
        taken = [other.name for other in target.parent.iterdir()]
        path.rename(target.with_name(unique_name(target.name, [*RESERVED_NAMES, *taken])))
