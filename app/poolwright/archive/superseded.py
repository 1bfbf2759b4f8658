"""Earlier folders of an order: their backups during a filing, and the files of them that are kept.

If a portal withdraws or replaces an attachment, the earlier file is kept in ``superseded`` below the order's folder, in
a folder named by the time of its filing. A file that the portal still lists but the last attempt could not fetch stays
among the present files. The same content is kept once, and not at all if a present file has it under any name.

When an earlier folder is merged into the new one, each file moves to its path in the new manifest. Notes of people and
files that they changed move unchanged; only files whose content is among the new ones are deleted.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from poolwright.archive.intents import task_key
from poolwright.archive.manifest import MANIFEST_NAME, EarlierFile, FileChange, Manifest, ManifestError, ManifestFile
from poolwright.domain.ids import TaskId
from poolwright.files.disk import make_folders, make_private_folder, sha256_of
from poolwright.files.names import RESERVED_NAMES, SUPERSEDED_NAME, UniqueNames, name_key, unique_name

#: Earlier files that a sentence names; the manifest lists all of them.
NAMES_SHOWN = 5


def earlier_files(present: Manifest, former: Iterable[Path]) -> tuple[EarlierFile, ...]:
    """Return the files of the ``former`` folders to keep, oldest first, with their paths in the folder of ``present``.

    Raises:
        OSError: A former folder cannot be read.
    """
    candidates, known_hashes = _candidates(present, former)
    return _Allocation(present, known_hashes, candidates).allocate()


def describe_earlier_files(manifest: Manifest) -> tuple[str, ...]:
    """Describe the earlier files that are kept, in sentences for a person."""
    superseded = [file for file in manifest.earlier if file.is_superseded]
    missed = [file for file in manifest.earlier if not file.is_superseded]
    changes = [f"{file.name} ({file.change.value}, {file.since:%Y-%m-%d})" for file in superseded]
    changed_notice = f"Changed or withdrawn by the portal; old versions are in {SUPERSEDED_NAME}: {_listed(changes)}."
    missed_notice = (
        f"Not downloaded this time; kept from an earlier attempt: {_listed([file.kept_as for file in missed])}."
    )
    return (*([changed_notice] if superseded else []), *([missed_notice] if missed else []))


def describe_earlier_folder(manifest: Manifest, folder: str) -> str:
    """Return the notice that an order for which nothing was filed now has a folder of an earlier attempt."""
    if manifest.is_page_only:
        return f"The page of the order, as it was on {manifest.fetched_at:%Y-%m-%d}, remains in {folder}."
    count = len(manifest.files)
    files = "1 file" if count == 1 else f"{count:,} files"
    return f"The files downloaded on {manifest.fetched_at:%Y-%m-%d} ({files}) remain in {folder}."


def describe_other_accounts(others: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return a notice for each folder with the order's name that belongs to another account.

    Args:
        others: Each folder, and its owner.
    """
    return tuple(f"{folder} contains the order with this number from {owner}; it is kept." for folder, owner in others)


def describe_newer_folders(folders: Iterable[str]) -> tuple[str, ...]:
    """Return a notice for each folder with the order's name that a newer version of this program filed."""
    return tuple(f"{folder} was filed by a newer version of Poolwright; it is kept." for folder in folders)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMES_SHOWN:,} more, listed in {MANIFEST_NAME}" if len(names) > NAMES_SHOWN else ""
    return ", ".join(names[:NAMES_SHOWN]) + more


def _candidates(present: Manifest, former: Iterable[Path]) -> tuple[list[EarlierFile], set[str]]:
    """Return the intact former files that are not among the present ones, and the hashes of all former files."""
    candidates: dict[str, EarlierFile] = {}
    fetched = {file.sha256 for file in present.files}
    hashes: set[str] = set()
    for folder in former:
        manifest = _manifest(folder)
        for file in manifest.all_files() if manifest is not None else ():
            hashes.add(file.sha256)
            if file.sha256 not in fetched and file.sha256 not in candidates and file.is_whole_in(folder):
                candidates[file.sha256] = file
    return list(candidates.values()), hashes


def _manifest(folder: Path) -> Manifest | None:
    """Return the manifest of a former folder; ``None`` if a crash left the folder empty."""
    try:
        return Manifest.read(folder)
    except ManifestError:
        return None


class _Allocation:
    """Allocates a path in the present folder for each earlier file, all of them different."""

    def __init__(self, present: Manifest, known_hashes: set[str], candidates: list[EarlierFile]) -> None:
        self._present = present
        self._candidates = candidates
        self._missed = {missed.label for missed in present.missed}
        new_files = [file for file in present.files if file.sha256 not in known_hashes]
        self._new_names = {name_key(file.name) for file in new_files}
        self._new_labels = {file.label for file in new_files}
        self._taken = {"": UniqueNames({*RESERVED_NAMES, *(file.name for file in present.present)})}

    def allocate(self) -> tuple[EarlierFile, ...]:
        """Return all files with their paths; superseded ones are first, because they keep their earlier path."""
        placed = {file.sha256: self._allocate_same(file) for file in self._candidates if file.is_superseded}
        placed |= {file.sha256: self._allocate_new(file) for file in self._candidates if not file.is_superseded}
        return tuple(placed[file.sha256] for file in self._candidates)

    def _allocate_same(self, file: EarlierFile) -> EarlierFile:
        subfolder, _, name = file.kept_as.rpartition("/")
        return file.model_copy(update={"kept_as": self._free(subfolder, name)})

    def _allocate_new(self, file: EarlierFile) -> EarlierFile:
        change = self._change(file)
        subfolder = "" if change is FileChange.MISSED else f"{SUPERSEDED_NAME}/{_moment(file.fetched_at)}"
        kept_as = self._free(subfolder, file.name)
        return file.model_copy(update={"change": change, "kept_as": kept_as, "since": self._present.fetched_at})

    def _change(self, file: EarlierFile) -> FileChange:
        if file.label in self._missed:
            return FileChange.MISSED
        is_replaced = name_key(file.name) in self._new_names or file.label in self._new_labels
        return FileChange.CHANGED if is_replaced else FileChange.WITHDRAWN

    def _free(self, subfolder: str, name: str) -> str:
        unique = self._taken.setdefault(subfolder, UniqueNames()).allocate(name)
        return f"{subfolder}/{unique}" if subfolder else unique


def _moment(at: datetime) -> str:
    """Return a time as a folder name that every system accepts."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H-%M-%SZ}"


class SupersededFolders:
    """Keeps the earlier folders of each order until a new one replaces them. One writer."""

    def __init__(self, root: Path) -> None:
        """Keep folders below ``root``, which only its owner may enter."""
        self._root = root / "replaced"

    @property
    def directory(self) -> Path:
        """The folder of all backups."""
        return self._root

    def backups(self, task_id: TaskId) -> list[Path]:
        """Return the backups of an order, the latest at the end."""
        folder = self._root / task_key(task_id)
        backups = [path for path in folder.iterdir() if path.name.isdecimal()] if folder.is_dir() else []
        return sorted(backups, key=lambda path: int(path.name))

    def backup(self, task_id: TaskId, folder: Path) -> None:
        """Move a folder out of the output tree."""
        backups = self.backups(task_id)
        number = int(backups[-1].name) + 1 if backups else 1
        make_private_folder(self._root)
        folder.rename(make_private_folder(self._root / task_key(task_id)) / str(number))

    def merge_into(self, task_id: TaskId, into: Path) -> None:
        """Move the files to keep from an order's backups ``into`` its present folder, and delete the backups."""
        for folder in self.backups(task_id):
            _merge_folder(folder, into)
        if (root := self._root / task_key(task_id)).is_dir():
            root.rmdir()


def _merge_folder(folder: Path, into: Path) -> None:
    """Move everything to its path in the present folder. Repeatable after a crash.

    The manifest is deleted last, so that a second call still recognizes the folder.
    """
    present, former = Manifest.read(into), _manifest(folder)
    page = former.page_evidence if former is not None else None
    _merge_entries(folder, folder, _MergeTarget(folder=into, present=present, former_page=page))
    (folder / MANIFEST_NAME).unlink(missing_ok=True)
    folder.rmdir()


def _merge_entries(folder: Path, former: Path, receiver: _MergeTarget) -> None:
    """Move all entries out of a former folder. Its superseded files join those of the present folder."""
    for path in sorted(folder.iterdir()):
        relative = path.relative_to(former)
        if relative == Path(MANIFEST_NAME) and _manifest(former) is not None:
            continue
        if relative.parts[0] == SUPERSEDED_NAME and path.is_dir() and not path.is_symlink():
            _merge_entries(path, former, receiver)
            path.rmdir()
        else:
            receiver.receive(path, relative)


class _MergeTarget:
    """The present folder of an order, which receives the entries of former ones."""

    def __init__(self, *, folder: Path, present: Manifest, former_page: ManifestFile | None) -> None:
        self._folder = folder
        #: The order's page of the former filing: unless someone changed it, only that of the last filing is kept.
        self._former_page = former_page
        self._fetched = {file.sha256 for file in present.files}
        self._paths = {file.sha256: file.kept_as for file in present.earlier}

    def receive(self, path: Path, relative: Path) -> None:
        """Move an entry here from its path ``relative`` to the former folder; delete a file that is here already."""
        target = self._folder / relative
        if path.is_file() and not path.is_symlink():
            sha256 = sha256_of(path)
            target = self._folder / self._paths.get(sha256, relative)
            is_old = sha256 in self._fetched or self._is_former_page(relative, sha256)
            if is_old or (target.is_file() and sha256_of(target) == sha256):
                path.unlink()
                return
        make_folders(self._folder, target.parent)
        taken = [other.name for other in target.parent.iterdir()]
        path.rename(target.with_name(unique_name(target.name, [*RESERVED_NAMES, *taken])))

    def _is_former_page(self, relative: Path, sha256: str) -> bool:
        page = self._former_page
        return page is not None and relative == Path(page.name) and sha256 == page.sha256
