"""SQL for groups that are set aside, and for the waiting tasks of these groups.

A group belongs to one portal, whose name begins the ids of its tasks. Each function runs within a transaction of its
caller.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import partial
from json import dumps
from sqlite3 import Connection

from poolwright.domain.ids import BatchId
from poolwright.domain.order_groups import GroupSetAside
from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import POTask, Report
from poolwright.journal import sql_batches, sql_reports, sql_tasks
from poolwright.journal.task_rules import TaskMachine

#: The start of a task id that shows its portal; empty for a task of no portal.
_PORTAL = "substr(tasks.task_id, 1, instr(tasks.task_id, ':'))"
_SAVE = f"""
INSERT INTO groups_set_aside (portal, group_name, cause, set_aside_at)
SELECT DISTINCT {_PORTAL}, group_name, ?, ? FROM batch_tasks JOIN tasks USING (task_id)
WHERE batch_id = ? AND group_name = ?
ON CONFLICT (portal, group_name) DO NOTHING
"""
_WAITING = f"""
SELECT {sql_tasks.STATE_COLUMNS}, cause FROM batch_tasks CROSS JOIN tasks USING (task_id)
JOIN groups_set_aside USING (group_name)
WHERE batch_id = ?1 AND batch_tasks.status = 'QUEUED' AND portal = {_PORTAL} AND (?2 IS NULL OR group_name = ?2)
ORDER BY position
"""
_READ = "SELECT group_name, cause FROM groups_set_aside WHERE portal = ? ORDER BY group_name"
_ALL = "SELECT portal, group_name FROM groups_set_aside"
#: Every task of a list whose group is set aside and that has no result for that reason.
_COUNT = """
SELECT group_name, count(*) FROM batch_tasks JOIN tasks USING (task_id) JOIN reports USING (task_id)
WHERE batch_id = ? AND tasks.status = 'CANCELLED' AND reason = 'group_set_aside'
GROUP BY group_name ORDER BY group_name
"""
#: Every task of a portal that ended because its group is set aside, in the order of its first list.
_ENDED = f"""
SELECT {sql_tasks.STATE_COLUMNS} FROM reports CROSS JOIN tasks USING (task_id)
WHERE reason = 'group_set_aside' AND tasks.status = 'CANCELLED' AND group_name = ? AND {_PORTAL} = ?
ORDER BY (SELECT min(position) FROM batch_tasks WHERE batch_tasks.task_id = tasks.task_id), tasks.task_id
"""
_OVERVIEW = f"""
SELECT group_name, cause, set_aside_at, (
    SELECT count(*) FROM reports CROSS JOIN tasks USING (task_id)
    WHERE reason = 'group_set_aside' AND tasks.status = 'CANCELLED' AND tasks.group_name = groups_set_aside.group_name
    AND {_PORTAL} = groups_set_aside.portal
) FROM groups_set_aside WHERE portal = ? ORDER BY group_name
"""
_DELETE = "DELETE FROM groups_set_aside WHERE portal = ? AND group_name IN (SELECT value FROM json_each(?))"


def save_group(connection: Connection, batch_id: BatchId, group: str, cause: str, at: datetime) -> None:
    """Record that a group of a list is set aside, unless it is already."""
    connection.execute(_SAVE, (cause, sql_tasks.to_text(at), batch_id, group))


def cancel_waiting(
    connection: Connection, batch_id: BatchId, at: datetime, group: str | None = None
) -> tuple[POTask, ...]:
    """Cancel the waiting tasks of a list whose groups are set aside, with the cause as report; return these tasks.

    One that was to be looked at again keeps its outcome.

    Args:
        connection: Within a transaction.
        batch_id: The list.
        at: Aware UTC now.
        group: The only group to look at; ``None`` for all.
    """
    tasks: list[POTask] = []
    for *row, cause in connection.execute(_WAITING, (batch_id, group)).fetchall():
        state = sql_tasks.read_state(tuple(row))
        report = Report(reason=Reason.GROUP_SET_ASIDE, detail=cause)
        machine = TaskMachine(state=state, at=at, history=partial(sql_tasks.read_history, connection, state.task_id))
        sql_reports.cancel(connection, machine, report, at)
        tasks.append(state.task)
    return tuple(tasks)


def read_groups(connection: Connection, prefix: str) -> dict[str, str]:
    """Return the groups of a portal that are set aside, with the cause of each."""
    return dict[str, str](connection.execute(_READ, (prefix,)).fetchall())


def reopen_group(connection: Connection, batch_id: BatchId, prefix: str, group: str, at: datetime) -> int:
    """Forget that a group is set aside; queue the tasks that ended for it in a list, and return how many."""
    rows = connection.execute(_ENDED, (group, prefix)).fetchall()
    delete_groups(connection, prefix, (group,))
    tasks: list[POTask] = []
    for row in rows:
        state = sql_tasks.read_state(row)
        machine = TaskMachine(state=state, at=at, history=partial(sql_tasks.read_history, connection, state.task_id))
        sql_tasks.save_move(connection, machine.reopen())
        tasks.append(state.task)
    if tasks:
        sql_batches.extend_list(connection, batch_id, tasks, at)
    return len(tasks)


def read_overview(connection: Connection, prefix: str) -> tuple[GroupSetAside, ...]:
    """Return the groups of a portal that are set aside, by name."""
    return tuple(
        GroupSetAside(name=name, cause=cause, set_aside_at=sql_tasks.from_text(at), order_count=count)
        for name, cause, at, count in connection.execute(_OVERVIEW, (prefix,))
    )


def read_all_groups(connection: Connection) -> frozenset[tuple[str, str]]:
    """Return the portal and the group of every group that is set aside."""
    return frozenset(connection.execute(_ALL).fetchall())


def count_set_aside(connection: Connection, batch_id: BatchId) -> dict[str, int]:
    """Return how many orders of a list are set aside, by their group."""
    return dict[str, int](connection.execute(_COUNT, (batch_id,)).fetchall())


def delete_groups(connection: Connection, prefix: str, groups: Collection[str]) -> None:
    """Forget that these groups of a portal are set aside."""
    connection.execute(_DELETE, (prefix, dumps(list(groups))))
