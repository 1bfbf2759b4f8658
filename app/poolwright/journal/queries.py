"""Queries of commands and of the API: lists, orders by state and outcome, and failures by reason.

Only reads. Orders are returned in the order of their ids, page by page. A caller that asks for the orders after the
last id of a page reads each order once, whatever changes meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from json import loads
from sqlite3 import Connection

from poolwright.domain.ids import BatchId, TaskId
from poolwright.domain.order_groups import GroupSetAside
from poolwright.domain.outcomes import REASONS, ActionClass, Outcome, Reason
from poolwright.domain.refresh import RefreshCounts, RefreshResult
from poolwright.domain.states import OVER, TaskStatus, open_count
from poolwright.domain.tasks import POTask, TaskRecord
from poolwright.journal import sql_batches, sql_groups, sql_reports, sql_tasks
from poolwright.journal.sql_tasks import from_text, to_text

#: Most orders of one page.
PAGE_MAX = 500
#: Most orders that are returned with a reason for failures.
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
#: Of a list, or of the whole journal if the list is ``''``. Both tables of counts have a few lines for each list.
_OUTCOMES = """
SELECT outcome, sum(task_count) FROM reason_counts WHERE batch_id = ? AND task_count > 0 GROUP BY outcome
"""
#: ``CROSS JOIN`` makes the planner begin with the orders that were looked at again, which are few or none.
_REFRESHES = """
SELECT result, ended_at FROM refreshes CROSS JOIN batch_tasks USING (task_id) WHERE batch_id = ? AND ended_at >= ?
"""
_FAILURES = f"""
SELECT reason, sum(task_count) AS total FROM reason_counts
WHERE batch_id = '' AND reason IN ({", ".join("?" * len(_FAILED))}) AND task_count > 0
GROUP BY reason ORDER BY total DESC, reason
"""
_NAMED = """
SELECT task_id FROM reports JOIN tasks USING (task_id)
WHERE reason = ? AND status IN ('DONE', 'CANCELLED') ORDER BY finished_at DESC, task_id DESC LIMIT ?
"""
_OLDEST = """
SELECT min(accepted_at) FROM batches WHERE batch_id <> ? AND EXISTS (
    SELECT 1 FROM status_counts WHERE status_counts.batch_id = batches.batch_id
    AND status IN ('QUEUED', 'ASSIGNED', 'RUNNING') AND task_count > 0
)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListView:
    """A list and its progress."""

    list_id: BatchId
    source: str
    accepted_at: datetime
    #: Number of its orders by the name of their ``TaskStatus``; every status is there.
    counts: dict[str, int]
    #: Number of its finished orders by outcome.
    outcomes: dict[str, int]
    #: What came of looking at its finished orders again, since it was accepted last.
    refresh: RefreshCounts = field(default_factory=RefreshCounts)


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalCounts:
    """Counts of all tasks of a journal; a task of several lists is counted once."""

    #: By the name of their ``TaskStatus``; every status is there.
    counts: dict[str, int]
    #: Finished tasks by outcome.
    outcomes: dict[str, int]
    #: Tasks without an outcome on the list of the pool.
    open_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderQuery:
    """The conditions of a search for orders, all of which must hold."""

    status: TaskStatus | None = None
    outcome: Outcome | None = None
    reason: Reason | None = None
    list_id: BatchId | None = None
    #: Part of the order number, in upper or lower case.
    text: str = ""
    #: Only finished orders whose reason leaves something to do.
    is_undone: bool = False
    #: Only orders after this id.
    after: TaskId | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureClass:
    """All orders that failed for one reason."""

    reason: Reason
    count: int
    #: The latest, at most ``NAMED_MAX``.
    orders: tuple[TaskRecord, ...]


def find_lists(connection: Connection, excluded: BatchId, limit: int, offset: int = 0) -> Sequence[ListView]:
    """Return a page of the lists except one, the latest first."""
    rows = connection.execute(_LISTS, (excluded, limit, offset)).fetchall()
    return [_view(connection, BatchId(batch_id), source, at) for batch_id, source, at in rows]


def find_list(connection: Connection, batch_id: BatchId) -> ListView | None:
    """Return a list; ``None`` if it is unknown."""
    row = connection.execute(_LIST, (batch_id,)).fetchone()
    return None if row is None else _view(connection, batch_id, row[0], row[3])


def count_set_aside(connection: Connection, batch_id: BatchId) -> dict[str, int]:
    """Return how many orders of a list were not processed because their group is set aside, by group."""
    return sql_groups.count_set_aside(connection, batch_id)


def find_groups_set_aside(connection: Connection, prefix: str) -> tuple[GroupSetAside, ...]:
    """Return the groups that are set aside, by name, of the tasks whose ids begin with a prefix."""
    return sql_groups.read_overview(connection, prefix)


def count_outcomes(connection: Connection, batch_id: BatchId) -> Mapping[Outcome, int]:
    """Return the number of a list's finished orders for each outcome."""
    return {Outcome(name): count for name, count in connection.execute(_OUTCOMES, (batch_id,))}


def count_refreshes(connection: Connection, batch_id: BatchId, since: datetime) -> RefreshCounts:
    """Return what came of the orders of a list that were looked at again since a moment."""
    rows = connection.execute(_REFRESHES, (batch_id, to_text(since)))
    return RefreshCounts.count(RefreshResult.from_json(loads(result), from_text(at)) for result, at in rows)


def find_ids(connection: Connection, query: OrderQuery, limit: int | None = None) -> list[TaskId]:
    """Return the ids of the orders that match, all of them if there is no limit. ``query.limit`` is not used."""
    statement, values = _statement(query)
    rows = connection.execute(statement, (*values, -1 if limit is None else limit))
    return [TaskId(task_id) for (task_id,) in rows]


def find_orders(connection: Connection, query: OrderQuery) -> Sequence[TaskRecord]:
    """Return a page of the orders that match, at most ``PAGE_MAX``."""
    return _records(connection, find_ids(connection, query, min(query.limit, PAGE_MAX)))


def find_failures(connection: Connection) -> Sequence[FailureClass]:
    """Return the failed orders by reason, the most frequent first."""
    return [
        FailureClass(
            reason=Reason(reason),
            count=count,
            orders=_records(connection, [task_id for (task_id,) in connection.execute(_NAMED, (reason, NAMED_MAX))]),
        )
        for reason, count in connection.execute(_FAILURES, _FAILED).fetchall()
    ]


def find_finished_ids(connection: Connection, task_ids: Collection[TaskId], prefix: str, at: datetime) -> list[POTask]:
    """Return those of these tasks that are finished and whose ids begin with ``prefix``."""
    machines = sql_tasks.find_finished(connection, task_ids, at)
    return [machine.state.task for machine in machines if machine.state.task_id.startswith(prefix)]


def count_all(connection: Connection, pool_list: BatchId) -> JournalCounts:
    """Count all tasks of the journal, and the open ones of the list of a pool, at the same moment."""
    return JournalCounts(
        counts=sql_batches.count_by_status(connection, sql_batches.WHOLE_JOURNAL),
        outcomes=dict(connection.execute(_OUTCOMES, (sql_batches.WHOLE_JOURNAL,)).fetchall()),
        open_count=open_count(sql_batches.count_by_status(connection, pool_list)),
    )


def oldest_open_at(connection: Connection, excluded: BatchId) -> datetime | None:
    """Return when the oldest list with an open order, except one list, was accepted; ``None`` if none is open."""
    (at,) = connection.execute(_OLDEST, (excluded,)).fetchone()
    return None if at is None else from_text(at)


def _view(connection: Connection, batch_id: BatchId, source: str, accepted_at: str) -> ListView:
    return ListView(
        list_id=batch_id,
        source=source,
        accepted_at=from_text(accepted_at),
        counts=sql_batches.count_by_status(connection, batch_id),
        outcomes=dict(connection.execute(_OUTCOMES, (batch_id,)).fetchall()),
        refresh=count_refreshes(connection, batch_id, from_text(accepted_at)),
    )


def _statement(query: OrderQuery) -> tuple[str, list[str]]:
    """Return the SQL for ids and its values. The most selective table leads; its index has the ids in their order."""
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
    filters = [
        (f"{'batch_tasks' if lead == 'batch_tasks' else 'tasks'}.status = ?", query.status and query.status.name),
        ("reports.outcome = ?", query.outcome and query.outcome.value),
        ("reports.reason = ?", query.reason and query.reason.value),
        ("batch_tasks.batch_id = ?", query.list_id),
        ("instr(lower(tasks.po_number), lower(?)) > 0", query.text),
        (f"{lead}.task_id > ?", query.after),
    ]
    active = [(condition, str(value)) for condition, value in filters if value]
    conditions = [condition for condition, _ in active]
    if query.is_undone:
        conditions.append(f"reports.reason NOT IN ({', '.join(map(repr, _DONE))})")
    if _asks_for_report(query):  # a reopened order still has its earlier report
        conditions.append(f"tasks.status IN ({', '.join(repr(status.name) for status in sorted(OVER, key=str))})")
    return conditions, [value for _, value in active]


def _asks_for_report(query: OrderQuery) -> bool:
    return query.outcome is not None or query.reason is not None or query.is_undone


def _records(connection: Connection, task_ids: Sequence[TaskId]) -> tuple[TaskRecord, ...]:
    records = (sql_reports.find_record(connection, task_id) for task_id in task_ids)
    return tuple(record for record in records if record is not None)
