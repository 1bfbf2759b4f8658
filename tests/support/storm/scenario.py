"""What a list has come to: the journal, the folders, the report and what is left lying about, read from outside.

Reads only, and judges nothing: that is for ``properties``.
"""

from __future__ import annotations

import csv
import fcntl
import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from poolwright.archive.manifest import MANIFEST_NAME
from poolwright.archive.output_tree import PRIVATE_NAME
from poolwright.demo.catalogue.truth import OrderTruth
from poolwright.files.disk import DRAFT_SUFFIX
from poolwright.service.batch_run import REPORTS_NAME
from poolwright.service.output_folder import JOURNAL_NAME
from tests.support.program import ProgramFolder
from tests.support.storm.session import Session

_ORDERS = """
SELECT task_id, portal_number, status, outcome, reason, folder FROM tasks LEFT JOIN reports USING (task_id)
"""
_MOVES = "SELECT machine, entity, origin, event, target FROM transitions ORDER BY transition_id"
_ATTEMPTS = "SELECT task_id, attempt, is_spent, ended_at IS NULL FROM attempts ORDER BY attempt_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order as the journal knows it."""

    task_id: str
    number: str
    status: str
    outcome: str | None
    reason: str | None
    folder: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder that holds the files of an order."""

    path: str
    number: str
    #: SHA-256 of every file but the manifest, by name.
    digests: Mapping[str, str]
    #: The same as the manifest has it.
    vouched: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A try at an order."""

    task_id: str
    number: int
    is_spent: bool
    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A move of a machine."""

    machine: str
    entity: str
    origin: str
    event: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """All that the properties ask about."""

    #: What the portal has, for the orders of the list.
    truths: Mapping[str, OrderTruth]
    sessions: tuple[Session, ...]
    #: Whether the last start had no accident: then nothing excuses an order that is not as the portal has it.
    is_calm: bool
    #: What SQLite finds wrong with the journal.
    damage: tuple[str, ...] = ()
    orders: tuple[Order, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    moves: tuple[Move, ...] = ()
    #: Order numbers and outcomes of the report, row by row.
    rows: tuple[tuple[str, str], ...] = ()
    folders: tuple[Folder, ...] = ()
    #: Files in the output folder that belong to no order.
    strays: tuple[str, ...] = ()
    #: Processes, clones, temporary files and locks that should be gone.
    left: tuple[str, ...] = ()
    #: Files of the base profile that are not as they were before the first start.
    base_changes: tuple[str, ...] = ()


def read_scenario(
    program: ProgramFolder,
    truths: Mapping[str, OrderTruth],
    sessions: tuple[Session, ...],
    base_before: Mapping[str, str],
    *,
    list_name: str,
    is_calm: bool,
) -> Scenario:
    """Read everything. Blocking; the program must have ended."""
    left = tuple(_left(program))  # before anything else is touched
    journal = program.out / PRIVATE_NAME / JOURNAL_NAME
    base_now = read_base(program)
    damage = _damage(journal)
    folders = tuple(_folders(program.out))
    return Scenario(
        truths=truths,
        sessions=sessions,
        is_calm=is_calm,
        damage=damage,
        **({} if damage else _told(journal)),
        rows=tuple(_rows(program.out / REPORTS_NAME / f"{Path(list_name).stem}-report.csv")),
        folders=folders,
        strays=tuple(_strays(program.out, {folder.path for folder in folders})),
        left=left,
        base_changes=tuple(sorted(name for name, _ in base_before.items() ^ base_now.items())),
    )


def read_base(program: ProgramFolder) -> dict[str, str]:
    """Digests of the base profile's files, by path."""
    base = program.folder / "profiles" / "demo" / "base"
    return {str(path.relative_to(base)): _sha256(path) for path in base.rglob("*") if path.is_file()}


def _damage(journal: Path) -> tuple[str, ...]:
    try:
        whole = _query(journal, "PRAGMA integrity_check")
        foreign = _query(journal, "PRAGMA foreign_key_check")
    except sqlite3.Error as error:
        return (str(error),)
    return tuple(str(row) for row in [*whole, *foreign] if row != ("ok",))


def _told(journal: Path) -> dict[str, Any]:
    names = ("task_id", "number", "status", "outcome", "reason", "folder")
    return {
        "orders": tuple(Order(**dict(zip(names, row, strict=True))) for row in _query(journal, _ORDERS)),
        "attempts": tuple(
            Attempt(task_id=task_id, number=number, is_spent=bool(is_spent), is_open=bool(is_open))
            for task_id, number, is_spent, is_open in _query(journal, _ATTEMPTS)
        ),
        "moves": tuple(
            Move(machine=machine, entity=entity, origin=origin, event=event, target=target)
            for machine, entity, origin, event, target in _query(journal, _MOVES)
        ),
    }


def _query(journal: Path, sql: str) -> list[tuple[Any, ...]]:
    # A reader of a journal makes files beside it, unless it is told that nobody writes.
    mode = "ro" if journal.with_name(f"{journal.name}-wal").exists() else "ro&immutable=1"
    with closing(sqlite3.connect(f"{journal.as_uri()}?mode={mode}", uri=True)) as connection:
        return connection.execute(sql).fetchall()


def _rows(report: Path) -> Iterator[tuple[str, str]]:
    if report.is_file():
        with report.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                yield row["PO_NUMBER"].removeprefix("PO"), row["Outcome"]


def _folders(out: Path) -> Iterator[Folder]:
    for manifest in sorted(out.rglob(MANIFEST_NAME)):
        if PRIVATE_NAME in manifest.parts:
            continue
        told = json.loads(manifest.read_text())
        files = [path for path in manifest.parent.iterdir() if path != manifest]
        yield Folder(
            path=manifest.parent.relative_to(out).as_posix(),
            number=told["portal_number"],
            digests={path.name: _sha256(path) if path.is_file() else "no file" for path in files},
            vouched={file["name"]: file["sha256"] for file in told["files"]},
        )


def _strays(out: Path, folders: set[str]) -> Iterator[str]:
    """Files outside the folders of orders, and folders that hold nothing."""
    for path in sorted(out.rglob("*")):
        name = path.relative_to(out)
        if name.parts[0] in {PRIVATE_NAME, REPORTS_NAME}:
            continue
        is_empty = path.is_dir() and not any(path.iterdir())
        if is_empty or (not path.is_dir() and name.parent.as_posix() not in folders):
            yield name.as_posix()


def _left(program: ProgramFolder) -> Iterator[str]:
    yield from program.left_over()
    private = program.out / PRIVATE_NAME
    for place in (*(private / name for name in ("staging", "filing", "replaced")), temp_folder(program)):
        yield from (str(path) for path in place.glob("*"))
    yield from (str(path) for path in program.folder.rglob(f"*{DRAFT_SUFFIX}"))
    yield from (str(path) for path in private.glob(f"{JOURNAL_NAME}-*"))
    yield from (str(path) for path in program.folder.glob("profiles/*/base/Singleton*"))
    yield from (f"{path} is still held" for path in program.folder.rglob("*.lock") if _is_held(path))


def temp_folder(program: ProgramFolder) -> Path:
    """Where the program puts its temporary files."""
    return program.folder / "tmp"


def _is_held(path: Path) -> bool:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
