"""The folder that a demo plays in: made by a demo, emptied by the next one, and never anybody else's."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from openpyxl import Workbook

from poolwright.archive.manifest import MANIFEST_NAME
from poolwright.cli.truth import Found
from poolwright.demo.catalogue.lists import Columns, ListedOrder
from poolwright.domain.errors import OptionsError
from poolwright.domain.events import TaskEnded
from poolwright.files.disk import remove_tree

#: Stands in a folder that a demo made; without it nothing is removed.
MARKER_NAME = ".made-by-poolwright-demo"
LIST_NAME = "orders.xlsx"


def clear_stage(out: Path) -> None:
    """Make an empty folder, in the place of what an earlier demo left there.

    Raises:
        OptionsError: Something else is there, or the folder cannot be made.
    """
    try:
        if (out / MARKER_NAME).is_file():
            remove_tree(out)
        elif out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise OptionsError(f"{out} is not empty and was not created by a demo; name another folder with --out.")
        out.mkdir(parents=True, exist_ok=True)
        (out / MARKER_NAME).touch()
    except OSError as error:
        raise OptionsError(f"{out} cannot be emptied for the demo: {error.strerror}.") from error


def write_list(path: Path, orders: Iterable[ListedOrder]) -> None:
    """Write the list that a user would bring."""
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("PO_Data")
    sheet.append(list(Columns()))
    for order in orders:
        sheet.append([order.number, order.supplier, order.company, order.year, order.comment])
    workbook.save(path)


def look_at(out: Path, ended: Mapping[str, TaskEnded]) -> dict[str, Found]:
    """What is on the disk now of orders that ended, by number. Reads every file."""
    return {number: _found(out, event) for number, event in ended.items()}


def _found(out: Path, event: TaskEnded) -> Found:
    folder = out / event.folder if event.folder else None
    paths = sorted(path for path in folder.rglob("*") if path.is_file()) if folder is not None else []
    return Found(
        outcome=event.report.outcome,
        digests={path.relative_to(out).as_posix(): _sha256(path) for path in paths if path.name != MANIFEST_NAME},
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
