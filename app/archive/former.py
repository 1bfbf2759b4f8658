"""A former report that stands where a new one goes: one of the same list gives way, one of another list is kept.

Two lists in two folders may have one name, and a list may be changed and run again. Whose a report is, its JSON says.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from app.archive.names import folder_variants
from app.domain.ids import BatchId

#: Written last, and so the first that is moved.
EXTENSIONS = (".json", ".xlsx", ".csv")
#: Begins each JSON; summaries are longer than that, and what says whose it is stands before all else.
_HEAD_BYTES = 1024
_OWNER = re.compile(rb'\{"summary": \{"program_version": "[^"]{0,100}", "batch_id": "([^"]{1,100})"')
#: Letters of a list's id that tell reports of lists of one name apart.
_MARK_LENGTH = 8
_NAMES_TRIED = 1000


def put_aside(folder: Path, stem: str, list_id: BatchId) -> tuple[str, ...]:
    """Make room for the report of a list; tells of what was of another one, and where that is now.

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
    whose = "another list of this name, or of this one before it was changed" if owner else "an unknown list"
    return (f"The report that was there is of {whose}; it is kept as {names}.",)


def remove_aside(folder: Path, stem: str, list_id: BatchId) -> None:
    """Remove what was once put aside of this very list: its new report says more."""
    for extension in EXTENSIONS:
        (folder / f"{stem} {_marked(list_id)}{extension}").unlink(missing_ok=True)


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
