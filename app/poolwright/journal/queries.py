"""Queries for people: which lists exist, which orders are in which state, and what failed for which reason.

Reads only. Orders come in the order of their ids, page by page: whoever asks for what comes after the last id that it
saw reads each order once, however many there are and whatever happens meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from sqlite3 import Connection

from poolwright.domain.ids import BatchId, TaskId
from poolwright.domain.outcomes import REASONS, ActionClass, Outcome, Reason
from poolwright.domain.states import OVER, TaskStatus
from poolwright.domain.tasks import POTask, TaskRecord
from poolwright.journal import sql_batches, sql_tasks
from poolwright.journal.sql_tasks import from_text, to_text

#: Orders of one page, where nobody asks for fewer.
PAGE_MAX = 500
#: Orders that are named with a reason for failures.
NAMED_MAX = 5
_FAILED = tuple(
    sorted(
        reason.value
        for reason, meaning in REASONS.items()
        if meaning.action is not ActionClass.DONE and meaning.outcome is not Outcome.CANCELLED
    )
)
_DONE = tuple(sorted(reason.value for reason, meaning in REASONS.items() if meaning.action is ActionClass.DONE))

_LISTS = """
SELECT batch_id, source, accepted_at FROM batches WHERE batch_id <> ?
ORDER BY accepted_at DESC, batch_id LIMIT ? OFFSET ?
"""
_LIST = "SELECT source, columns, notices, accepted_at FROM batches WHERE batch_id = ?"
_COUNTS = "SELECT status, count(*) FROM batch_tasks WHERE batch_id = ? GROUP BY status"
_OUTCOMES = """
SELECT outcome, count(*) FROM batch_tasks JOIN reports USING (task_id)
WHERE batch_id = ? AND status IN ('DONE', 'CANCELLED') GROUP BY outcome
"""
_FAILURES = f"""
SELECT reason, count(*) FROM reports JOIN tasks USING (task_id)
WHERE reason IN ({", ".join("?" * len(_FAILED))}) AND status IN ('DONE', 'CANCELLED')
GROUP BY reason ORDER BY count(*) DESC, reason
"""
_NAMED = """
SELECT task_id FROM reports JOIN tasks USING (task_id)
WHERE reason = ? AND status IN ('DONE', 'CANCELLED') ORDER BY finished_at DESC, task_id LIMIT ?
"""
#: Row by row of the outcomes' own index, whatever the planner thinks of the tables.
_ALL_OUTCOMES = """
SELECT outcome, count(*) FROM reports CROSS JOIN tasks USING (task_id)
WHERE status IN ('DONE', 'CANCELLED') GROUP BY outcome
"""
_ALL_COUNTS = "SELECT status, count(*) FROM tasks GROUP BY status"
#: Of another portal, or of scripts: this pool would look for them where they are not.
_PUT_ASIDE = """
DELETE FROM batch_tasks
WHERE batch_id = ? AND status IN ('QUEUED', 'ASSIGNED', 'RUNNING') AND substr(task_id, 1, ?) <> ?
"""
_COLLECT = """
INSERT INTO batch_tasks (task_id, batch_id, position, status, not_before)
SELECT task_id, ?, ? + row_number() OVER (ORDER BY first.accepted_at, first.position), tasks.status, tasks.not_before
FROM tasks JOIN (
    SELECT task_id, min(accepted_at) AS accepted_at, min(position) AS position
    FROM batch_tasks JOIN batches USING (batch_id) GROUP BY task_id
) AS first USING (task_id)
WHERE tasks.status IN ('QUEUED', 'ASSIGNED', 'RUNNING') AND substr(task_id, 1, ?) = ?
ON CONFLICT (task_id, batch_id) DO NOTHING
"""
_OLDEST = """
SELECT min(accepted_at) FROM batch_tasks JOIN batches USING (batch_id)
WHERE batch_id <> ? AND status IN ('QUEUED', 'ASSIGNED', 'RUNNING')
"""
_END = "SELECT next_position FROM batches WHERE batch_id = ?"
_MAKE = """
INSERT INTO batches (batch_id, source, columns, notices, accepted_at, next_position) VALUES (?, '', '[]', '[]', ?, 0)
ON CONFLICT (batch_id) DO NOTHING
"""
_MOVE_END = """
UPDATE batches SET next_position = (SELECT coalesce(max(position) + 1, 0) FROM batch_tasks WHERE batch_id = ?)
WHERE batch_id = ?
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListView:
    """One list, and how far it is."""

    list_id: BatchId
    source: str
    accepted_at: datetime
    #: Its orders by the name of their ``TaskStatus``.
    counts: dict[str, int]
    #: Those that are over, by outcome.
    outcomes: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalCounts:
    """Counts of all tasks of a journal, each counted once."""

    #: By the name of their ``TaskStatus``; every one is told.
    counts: dict[str, int]
    #: Those that are over, by outcome.
    outcomes: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderQuery:
    """Which orders are asked for; all of it holds at the same time."""

    status: TaskStatus | None = None
    outcome: Outcome | None = None
    reason: Reason | None = None
    list_id: BatchId | None = None
    #: A part of the number, in any case.
    text: str = ""
    #: Only those that are over and about which there is something to do.
    is_undone: bool = False
    #: Only those behind this one.
    after: TaskId | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureClass:
    """All orders that failed for one reason."""

    reason: Reason
    count: int
    #: The latest few.
    orders: tuple[TaskRecord, ...]


def find_lists(connection: Connection, but: BatchId, limit: int, offset: int = 0) -> Sequence[ListView]:
    """A page of the lists, the latest first, without one."""
    found = connection.execute(_LISTS, (but, limit, offset)).fetchall()
    return [_view(connection, BatchId(batch_id), source, at) for batch_id, source, at in found]


def find_list(connection: Connection, batch_id: BatchId) -> ListView | None:
    """One list; nothing when it is unknown."""
    row = connection.execute(_LIST, (batch_id,)).fetchone()
    return None if row is None else _view(connection, batch_id, row[0], row[3])


def count_outcomes(connection: Connection, batch_id: BatchId) -> Mapping[Outcome, int]:
    """How many orders of a list that are over ended in each way."""
    return {Outcome(name): count for name, count in connection.execute(_OUTCOMES, (batch_id,))}


def find_ids(connection: Connection, query: OrderQuery, limit: int | None = None) -> list[TaskId]:
    """The ids of the orders that are asked for, without reading them; all of them when there is no limit."""
    statement, values = _statement(query)
    found = connection.execute(statement, (*values, -1 if limit is None else limit))
    return [TaskId(task_id) for (task_id,) in found]


def find_orders(connection: Connection, query: OrderQuery) -> Sequence[TaskRecord]:
    """One page of orders, at most ``PAGE_MAX``."""
    return _records(connection, find_ids(connection, query, min(query.limit, PAGE_MAX)))


def find_failures(connection: Connection) -> Sequence[FailureClass]:
    """What failed, by reason, the most frequent first."""
    return [
        FailureClass(
            reason=Reason(reason),
            count=count,
            orders=_records(connection, [one for (one,) in connection.execute(_NAMED, (reason, NAMED_MAX))]),
        )
        for reason, count in connection.execute(_FAILURES, _FAILED).fetchall()
    ]


def find_finished(connection: Connection, task_ids: Collection[TaskId], prefix: str, at: datetime) -> list[POTask]:
    """Those of these tasks that are over and whose ids begin so."""
    cases = sql_tasks.find_finished(connection, task_ids, at)
    return [case.state.task for case in cases if case.state.task_id.startswith(prefix)]


def count_all(connection: Connection) -> JournalCounts:
    """All tasks of the journal, counted."""
    counts = dict[str, int](connection.execute(_ALL_COUNTS).fetchall())
    return JournalCounts(
        counts={status.name: counts.get(status.name, 0) for status in TaskStatus},
        outcomes=dict(connection.execute(_ALL_OUTCOMES).fetchall()),
    )


def oldest_open_at(connection: Connection, but: BatchId) -> datetime | None:
    """When the oldest list came that has an open order, without one list; nothing when no order is open."""
    (at,) = connection.execute(_OLDEST, (but,)).fetchone()
    return None if at is None else from_text(at)


def collect_open(connection: Connection, batch_id: BatchId, prefix: str, at: datetime) -> int:
    """Put every task of any list that is not over into one list too, behind what it has; tells how many came.

    Only those whose ids begin with ``prefix``. Others that are not over leave the list; their own lists keep them.
    """
    connection.execute(_MAKE, (batch_id, to_text(at)))
    (end,) = connection.execute(_END, (batch_id,)).fetchone()
    connection.execute(_PUT_ASIDE, (batch_id, len(prefix), prefix))
    count = connection.execute(_COLLECT, (batch_id, end, len(prefix), prefix)).rowcount
    connection.execute(_MOVE_END, (batch_id, batch_id))
    return count


def _view(connection: Connection, batch_id: BatchId, source: str, accepted_at: str) -> ListView:
    counts = dict[str, int](connection.execute(_COUNTS, (batch_id,)).fetchall())
    return ListView(
        list_id=batch_id,
        source=source,
        accepted_at=from_text(accepted_at),
        counts={status.name: counts.get(status.name, 0) for status in TaskStatus},
        outcomes=dict(connection.execute(_OUTCOMES, (batch_id,)).fetchall()),
    )


def _statement(query: OrderQuery) -> tuple[str, list[str]]:
    """How ids are looked up. The table that narrows most comes first, and its index has them in their order already."""
    tables = [
        *(["batch_tasks"] if query.list_id is not None else []),
        *(["reports"] if _asks_for_report(query) else []),
        "tasks",
    ]
    lead, *others = tables
    conditions, values = _conditions(query, lead)
    joined = " ".join(f"CROSS JOIN {other} ON {other}.task_id = {lead}.task_id" for other in others)
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT {lead}.task_id FROM {lead} {joined} {where} ORDER BY {lead}.task_id LIMIT ?", values


def _conditions(query: OrderQuery, lead: str) -> tuple[list[str], list[str]]:
    told = [
        ("tasks.status = ?", query.status and query.status.name),
        ("reports.outcome = ?", query.outcome and query.outcome.value),
        ("reports.reason = ?", query.reason and query.reason.value),
        ("batch_tasks.batch_id = ?", query.list_id),
        ("instr(lower(tasks.po_number), lower(?)) > 0", query.text),
        (f"{lead}.task_id > ?", query.after),
    ]
    given = [(condition, str(value)) for condition, value in told if value]
    conditions = [condition for condition, _ in given]
    if query.is_undone:
        conditions.append(f"reports.reason NOT IN ({', '.join(map(repr, _DONE))})")
    if _asks_for_report(query):  # one that is done again has its earlier report still
        conditions.append(f"tasks.status IN ({', '.join(repr(status.name) for status in sorted(OVER, key=str))})")
    return conditions, [value for _, value in given]


def _asks_for_report(query: OrderQuery) -> bool:
    return query.outcome is not None or query.reason is not None or query.is_undone


def _records(connection: Connection, task_ids: Sequence[TaskId]) -> tuple[TaskRecord, ...]:
    found = (sql_batches.find_record(connection, task_id) for task_id in task_ids)
    return tuple(record for record in found if record is not None)
