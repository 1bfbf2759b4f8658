"""Sets earlier reports of other lists aside under new names, and removes the oldest of them.

Lists of different folders may have the same name; a list may be changed and run again, or a pipe may bring a different
one each time. The JSON of a report has the id of its list. A limited number of reports is kept for one name; the oldest
others are removed, with a notice, unless a person has changed them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from poolwright.domain.ids import BatchId
from poolwright.files.names import folder_variants

#: The JSON is written last, and moved first.
EXTENSIONS = (".json", ".xlsx", ".csv")
#: Bytes at the beginning of a JSON report, which have the id of its list.
_HEAD_BYTES = 1024
_OWNER = re.compile(rb'\{"summary": \{"program_version": "[^"]{0,100}", "batch_id": "([^"]{1,100})"')
#: Reports of other lists of one name that are kept: a month of days.
KEPT_COUNT = 30
#: Reports that a sentence names.
_NAMED_COUNT = 5
#: A report's files are written in sequence, the JSON last; a file that is newer than this was saved by a person.
_WRITTEN_WITHIN_S = 2.0
#: Letters of a list's id that distinguish reports of lists with the same name.
_MARK_LENGTH = 8
_NAMES_TRIED = 1000


def set_aside(folder: Path, stem: str, list_id: BatchId) -> tuple[str, ...]:
    """Set aside an existing report of another list; return a notice with its new name.

    A file that cannot be moved stays, and the new report gets another name. After an interruption, the next call moves
    the rest: no file is ever overwritten.
    """
    files = [path for extension in EXTENSIONS if (path := folder / f"{stem}{extension}").is_file()]
    owner = _owner(folder / f"{stem}.json") if files else ""
    if not files or owner == list_id:
        return ()
    name = _free(folder, f"{stem} {_marked(owner)}", files)
    moved = [path for path in files if _moved(path, folder / f"{name}{path.suffix}")]
    if not moved:
        return ()
    names = ", ".join(f"{name}{path.suffix}" for path in reversed(moved))
    whose = "another list of this name, or to an earlier version of this list" if owner else "an unknown list"
    return (f"The existing report belongs to {whose}; it is kept as {names}.",)


def remove_set_aside(folder: Path, stem: str, list_id: BatchId) -> None:
    """Remove an earlier report of the same list that was set aside: the new report replaces it."""
    for extension in EXTENSIONS:
        (folder / f"{stem} {_marked(list_id)}{extension}").unlink(missing_ok=True)


def prune_set_aside(folder: Path, stem: str) -> tuple[str, ...]:
    """Remove the oldest reports beyond the limit of one name that were set aside; return a notice that names them.

    Only reports with the id of their list are removed. A report of which a person has saved or opened a file stays.
    """
    reports = sorted(_set_aside_reports(folder, stem), key=_written_at, reverse=True)
    removed = [path for path in reports[KEPT_COUNT:] if not _is_changed(path) and _removed(path)]
    if not removed:
        return ()
    named = ", ".join(path.stem for path in removed[:_NAMED_COUNT])
    more = f" and {len(removed) - _NAMED_COUNT:,} more" if len(removed) > _NAMED_COUNT else ""
    sentence = f"Only the last {KEPT_COUNT} earlier reports of lists with this name are kept; removed: {named}{more}."
    return (f"{sentence} Run a list again to get its report back.",)


def _set_aside_reports(folder: Path, stem: str) -> Iterator[Path]:
    """Yield the JSON of each report of another list that was set aside here."""
    name = re.compile(rf"{re.escape(stem)} (.{{1,{_MARK_LENGTH}}})(?: \(\d+\))?\.json")
    for path in folder.iterdir():
        match = name.fullmatch(path.name)
        owner = _owner(path) if match else ""
        if match and owner and _marked(owner) == match[1]:
            yield path


def _written_at(path: Path) -> float:
    return path.stat().st_mtime


def _is_changed(path: Path) -> bool:
    beside = (other for extension in EXTENSIONS if (other := path.with_suffix(extension)).exists())
    return any(_written_at(other) > _written_at(path) + _WRITTEN_WITHIN_S for other in beside)


def _removed(path: Path) -> bool:
    """Remove a report, its JSON last, so that an interrupted removal is found again; return whether it was removed."""
    try:
        for extension in reversed(EXTENSIONS):
            path.with_suffix(extension).unlink(missing_ok=True)
    except OSError:
        return False  # another program has it open
    return True


def _marked(list_id: str) -> str:
    return list_id[-_MARK_LENGTH:] if list_id else "earlier"


def _owner(path: Path) -> str:
    """Return the id of a report's list; empty if it has none."""
    try:
        with path.open("rb") as file:
            match = _OWNER.match(file.read(_HEAD_BYTES))
    except OSError:
        return ""
    return match[1].decode("utf-8", "replace") if match else ""


def _free(folder: Path, stem: str, files: Sequence[Path]) -> str:
    names = (name for name, _ in zip(folder_variants(stem), range(_NAMES_TRIED), strict=False))
    return next(name for name in names if not any((folder / f"{name}{path.suffix}").exists() for path in files))


def _moved(path: Path, target: Path) -> bool:
    try:
        path.rename(target)
    except OSError:
        return False  # another program has it open
    return True
