"""Keeps earlier reports of other lists under new names, and removes the oldest of them.

Two lists in two folders may have one name, and a list may be changed and run again, or come through a pipe, another one
each time. Whose a report is, its JSON says. So many are kept of one name; the oldest beyond go, each told by
its name, but for those that somebody changed since.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from poolwright.domain.ids import BatchId
from poolwright.files.names import folder_variants

#: Written last, and so the first that is moved.
EXTENSIONS = (".json", ".xlsx", ".csv")
#: Begins each JSON; summaries are longer than that, and what says whose it is stands before all else.
_HEAD_BYTES = 1024
_OWNER = re.compile(rb'\{"summary": \{"program_version": "[^"]{0,100}", "batch_id": "([^"]{1,100})"')
#: Reports of other lists of one name that are kept: a month of days.
KEPT_COUNT = 30
#: Reports that a sentence names.
_NAMED_COUNT = 5
#: A report's files are written one after the other, the JSON last; what is newer somebody has saved again.
_WRITTEN_WITHIN_S = 2.0
#: Letters of a list's id that tell reports of lists of one name apart.
_MARK_LENGTH = 8
_NAMES_TRIED = 1000


def set_aside(folder: Path, stem: str, list_id: BatchId) -> tuple[str, ...]:
    """Set aside an existing report of another list; returns notices that say under which name it is kept.

    What cannot be moved stays, and the new report gets a name beside it. After a cut in the middle, the next call moves
    the rest: nothing is ever overwritten.
    """
    found = [path for extension in EXTENSIONS if (path := folder / f"{stem}{extension}").is_file()]
    owner = _owner(folder / f"{stem}.json") if found else ""
    if not found or owner == list_id:
        return ()
    kept = _free(folder, f"{stem} {_marked(owner)}", found)
    moved = [path for path in found if _moved(path, folder / f"{kept}{path.suffix}")]
    if not moved:
        return ()
    names = ", ".join(f"{kept}{path.suffix}" for path in reversed(moved))
    whose = "another list of this name, or to an earlier version of this list" if owner else "an unknown list"
    return (f"The existing report belongs to {whose}; it is kept as {names}.",)


def remove_set_aside(folder: Path, stem: str, list_id: BatchId) -> None:
    """Remove an earlier report of the same list that was set aside: the new report replaces it."""
    for extension in EXTENSIONS:
        (folder / f"{stem} {_marked(list_id)}{extension}").unlink(missing_ok=True)


def prune_set_aside(folder: Path, stem: str) -> tuple[str, ...]:
    """Remove the oldest reports that were set aside beyond the limit for one name; returns a notice that names them.

    Only what says whose it is goes, and only as it was written: what somebody saved again, or has open, stays with what
    is beside it.
    """
    kept_aside = sorted(_set_aside_reports(folder, stem), key=_written_at, reverse=True)
    removed = [path for path in kept_aside[KEPT_COUNT:] if not _is_changed(path) and _removed(path)]
    if not removed:
        return ()
    named = ", ".join(path.stem for path in removed[:_NAMED_COUNT])
    more = f" and {len(removed) - _NAMED_COUNT:,} more" if len(removed) > _NAMED_COUNT else ""
    told = f"Only the last {KEPT_COUNT} earlier reports of lists with this name are kept; removed: {named}{more}."
    return (f"{told} Run a list again to get its report back.",)


def _set_aside_reports(folder: Path, stem: str) -> Iterator[Path]:
    """The JSON of each report of another list that was put aside here."""
    name = re.compile(rf"{re.escape(stem)} (.{{1,{_MARK_LENGTH}}})(?: \(\d+\))?\.json")
    for path in folder.iterdir():
        found = name.fullmatch(path.name)
        owner = _owner(path) if found else ""
        if found and owner and _marked(owner) == found[1]:
            yield path


def _written_at(path: Path) -> float:
    return path.stat().st_mtime


def _is_changed(path: Path) -> bool:
    beside = (other for extension in EXTENSIONS if (other := path.with_suffix(extension)).exists())
    return any(_written_at(other) > _written_at(path) + _WRITTEN_WITHIN_S for other in beside)


def _removed(path: Path) -> bool:
    """Remove a report, its JSON last, so that one that was cut off in the middle is found again."""
    try:
        for extension in reversed(EXTENSIONS):
            path.with_suffix(extension).unlink(missing_ok=True)
    except OSError:
        return False  # another program has it open
    return True


def _marked(list_id: str) -> str:
    return list_id[-_MARK_LENGTH:] if list_id else "earlier"


def _owner(path: Path) -> str:
    """Which list a report is of; empty where it does not say."""
    try:
        with path.open("rb") as file:
            found = _OWNER.match(file.read(_HEAD_BYTES))
    except OSError:
        return ""
    return found[1].decode("utf-8", "replace") if found else ""


def _free(folder: Path, stem: str, found: Sequence[Path]) -> str:
    names = (name for name, _ in zip(folder_variants(stem), range(_NAMES_TRIED), strict=False))
    return next(name for name in names if not any((folder / f"{name}{path.suffix}").exists() for path in found))


def _moved(path: Path, place: Path) -> bool:
    try:
        path.rename(place)
    except OSError:
        return False  # another program has it open
    return True
