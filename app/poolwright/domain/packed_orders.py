"""How the rows and the tasks of a list are packed (``domain.packed_list``)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from poolwright.domain.ids import TaskId
from poolwright.domain.outcomes import Reason
from poolwright.domain.packed_list import ItemCodec
from poolwright.domain.tasks import FetchedFile, OrderRow, POTask


def _encode_row(row: OrderRow) -> list[Any]:
    """Return a row; the number as given is mostly one of its cells."""
    given = row.cells.index(row.given) if row.given in row.cells else row.given
    values = None if row.values is None else sorted(row.values)
    good = [row.row_no, row.cells, given, row.task_id]
    return (
        good if row.problem is None and not row.detail and values is None else [*good, row.problem, row.detail, values]
    )


def _decode_row(value: list[Any]) -> OrderRow:
    row_no, cells, given, task_id, *rest = value
    texts = tuple(cells)
    problem, detail, values = rest or (None, "", None)
    return OrderRow(
        row_no=row_no,
        cells=texts,
        given=texts[given] if isinstance(given, int) else given,
        task_id=task_id if task_id is None else TaskId(task_id),
        problem=None if problem is None else Reason(problem),
        detail=detail,
        values=None if values is None else frozenset(values),
    )


def _encode_task(task: POTask) -> list[Any]:
    """Return a task; most have their numbers alone."""
    numbers = [task.task_id, task.po_number, task.portal_number]
    if (task.attempt, task.death_count, task.payload, task.timeout_s, task.known_files) == _NEW and not (
        task.group or task.cells
    ):
        return numbers
    known = None if task.known_files is None else [asdict(file) for file in task.known_files]
    return [
        *numbers,
        task.attempt,
        task.death_count,
        task.payload,
        task.timeout_s,
        known,
        task.group,
        dict(task.cells),
    ]


def _decode_task(value: list[Any]) -> POTask:
    task_id, po_number, portal_number, *rest = value
    if not rest:
        return POTask(task_id=TaskId(task_id), po_number=po_number, portal_number=portal_number)
    attempt, death_count, payload, timeout_s, known, group, cells = rest
    return POTask(
        task_id=TaskId(task_id),
        po_number=po_number,
        portal_number=portal_number,
        attempt=attempt,
        death_count=death_count,
        payload=payload,
        timeout_s=timeout_s,
        known_files=None if known is None else tuple(FetchedFile(**values) for values in known),
        group=group,
        cells=dict(cells),
    )


#: Attempt, deaths, payload, time limit and known files of a task that a list has just named.
_NEW = (1, 0, None, None, None)

ROW_CODEC = ItemCodec(_encode_row, _decode_row)
TASK_CODEC = ItemCodec(_encode_task, _decode_task)
