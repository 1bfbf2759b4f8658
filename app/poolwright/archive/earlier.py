"""Which files of former folders an order keeps beside its present ones, where, and why. Looks only, moves nothing.

A portal that withdraws or replaces an attachment takes nothing from those who fetched it: the earlier file stays, in
``superseded`` below the order's folder, in a folder named by the moment when it was filed. What the portal still lists
and the last try could not fetch stays among the present files. The same bytes are kept once, and not at all where they
are among the present files, whatever they are called there.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from poolwright.archive.manifest import MANIFEST_NAME, Change, EarlierFile, Manifest, ManifestError
from poolwright.archive.names import RESERVED_NAMES, SUPERSEDED_NAME, UniqueNames, name_key

#: Earlier files that a sentence names; people who want all of them look into the manifest.
NAMES_TOLD = 5


def earlier_files(present: Manifest, former: Iterable[Path]) -> tuple[EarlierFile, ...]:
    """Choose the files of the ``former`` folders to keep, oldest first, and their paths in the folder of ``present``.

    Raises:
        OSError: A former folder cannot be read.
    """
    found, known = _candidates(present, former)
    return _Places(present, known, found).give()


def told_of(manifest: Manifest) -> tuple[str, ...]:
    """Describe the earlier files that are kept, in sentences for a person."""
    superseded = [file for file in manifest.earlier if file.is_superseded]
    missed = [file for file in manifest.earlier if not file.is_superseded]
    of_portal = [f"{file.name} ({file.change.value}, {file.since:%Y-%m-%d})" for file in superseded]
    kept = f"Changed or withdrawn by the portal; old versions are in {SUPERSEDED_NAME}: {_listed(of_portal)}."
    beside = f"Not downloaded this time; kept from an earlier attempt: {_listed([file.kept_as for file in missed])}."
    return (*([kept] if superseded else []), *([beside] if missed else []))


def told_of_earlier_folder(manifest: Manifest, folder: str) -> str:
    """That an order which has no files now has a folder of an earlier time, in a sentence."""
    count = len(manifest.files)
    files = "1 file" if count == 1 else f"{count:,} files"
    return f"The files downloaded on {manifest.fetched_at:%Y-%m-%d} ({files}) remain in {folder}."


def told_of_others(others: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """That folders of the order's name are another account's, in sentences.

    Args:
        others: Each folder, and whose it is.
    """
    return tuple(f"{folder} contains the order of this number of {owner}; it is kept." for folder, owner in others)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMES_TOLD:,} more, listed in {MANIFEST_NAME}" if len(names) > NAMES_TOLD else ""
    return ", ".join(names[:NAMES_TOLD]) + more


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


class _Places:
    """Where each earlier file goes. No two get one place."""

    def __init__(self, present: Manifest, known: set[str], found: list[EarlierFile]) -> None:
        self._present = present
        self._found = found
        self._missed = {missed.label for missed in present.missed}
        fresh = [file for file in present.files if file.sha256 not in known]
        self._fresh_names = {name_key(file.name) for file in fresh}
        self._fresh_labels = {file.label for file in fresh}
        self._taken = {"": UniqueNames({*RESERVED_NAMES, *(file.name for file in present.files)})}

    def give(self) -> tuple[EarlierFile, ...]:
        """Every one in its place; those that had theirs before first, for they keep it."""
        placed = {file.sha256: self._keep(file) for file in self._found if file.is_superseded}
        placed |= {file.sha256: self._place(file) for file in self._found if not file.is_superseded}
        return tuple(placed[file.sha256] for file in self._found)

    def _keep(self, file: EarlierFile) -> EarlierFile:
        drawer, _, name = file.kept_as.rpartition("/")
        return file.model_copy(update={"kept_as": self._free(drawer, name)})

    def _place(self, file: EarlierFile) -> EarlierFile:
        change = self._change(file)
        drawer = "" if change is Change.MISSED else f"{SUPERSEDED_NAME}/{_moment(file.fetched_at)}"
        kept_as = self._free(drawer, file.name)
        return file.model_copy(update={"change": change, "kept_as": kept_as, "since": self._present.fetched_at})

    def _change(self, file: EarlierFile) -> Change:
        if file.label in self._missed:
            return Change.MISSED
        is_replaced = name_key(file.name) in self._fresh_names or file.label in self._fresh_labels
        return Change.CHANGED if is_replaced else Change.WITHDRAWN

    def _free(self, drawer: str, name: str) -> str:
        given = self._taken.setdefault(drawer, UniqueNames()).give(name)
        return f"{drawer}/{given}" if drawer else given


def _moment(at: datetime) -> str:
    """A moment as the name of a folder, which every system takes."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H-%M-%SZ}"
