"""The journal without a file: the same answers and errors as the SQLite journal, lost when it is dropped.

For tests of other rooms, and for runs that need no memory. One contract suite runs over both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from poolwright.domain.ids import BatchId, TaskId, WorkerRef
from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.domain.ports import Accepted, Clock
from poolwright.domain.state_machine import HISTORY_LENGTH, Transition
from poolwright.domain.states import CLAIMED, OPEN, OVER, TASK, TaskStatus
from poolwright.domain.tasks import OrderList, POTask, Report, TaskRecord
from poolwright.journal.errors import UnknownTaskError
from poolwright.journal.task_rules import (
    CANCELLED_REPORT,
    LOST_REPORT,
    RetryClock,
    TaskMachine,
    TaskMove,
    TaskState,
    acceptance,
    validate_orders,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    """How a task ended the last time."""

    report: Report
    folder: str
    at: datetime


class MemoryJournal:
    """``domain.ports.Journal`` in dictionaries. What its methods promise is written there."""

    def __init__(self, clock: Clock) -> None:
        """Begin empty."""
        self._clock = clock
        self._waits = RetryClock(clock)
        #: The tasks of each list in its order.
        self._lists: dict[BatchId, dict[TaskId, None]] = {}
        self._standings: dict[TaskId, TaskState] = {}
        self._ends: dict[TaskId, _End] = {}
        self._transitions: list[Transition] = []

    async def accept(self, orders: OrderList) -> Accepted:
        validate_orders(orders)
        self._lists[orders.batch_id] = {}
        known_count = len(self._standings)
        await self.add(orders.batch_id, orders.tasks)
        new_count = len(self._standings) - known_count
        return acceptance(new_count, await self.counts(orders.batch_id))

    async def add(self, batch_id: BatchId, tasks: Sequence[POTask]) -> int:
        open_before = self._open_count(batch_id)
        for task in tasks:
            self._standings.setdefault(task.task_id, TaskState.from_task(task))
            self._lists.setdefault(batch_id, {}).setdefault(task.task_id)
        return self._open_count(batch_id) - open_before

    async def recover(self, max_attempts: int) -> int:
        self._shorten_waits()
        held = [self._machine(each.task_id) for each in self._standings.values() if each.status in CLAIMED]
        for case in held:
            if case.state.attempt_count < max_attempts:
                self._write(case.recover())
            else:
                await self.finish(case.state.task_id, LOST_REPORT, "")
        return len(held)

    async def reopen(self, task_ids: Collection[TaskId]) -> int:
        wanted = set(task_ids)
        over = [
            self._machine(each.task_id)
            for each in self._standings.values()
            if each.task_id in wanted and each.status in OVER
        ]
        for case in over:
            self._write(case.reopen())
        return len(over)

    async def fetch(self, batch_id: BatchId, limit: int) -> Sequence[POTask]:
        now = self._waits.now()
        due = [each for each in self._queued(batch_id) if each.not_before is None or each.not_before <= now]
        return tuple(self._write(self._machine(each.task_id).assign()).task for each in due[: max(limit, 0)])

    async def start(self, task_id: TaskId, worker: WorkerRef) -> POTask:
        return self._write(self._machine(task_id).start(worker)).task

    async def give_back(
        self, task_id: TaskId, why: Reason | ReturnReason, *, detail: str, delay_s: float, is_attempt_spent: bool
    ) -> None:
        not_before = self._waits.due_at(delay_s)
        case = self._machine(task_id)
        self._write(case.give_back(why, detail, not_before=not_before, is_attempt_spent=is_attempt_spent))

    async def count_death(self, task_id: TaskId) -> int:
        before = self._machine(task_id).state
        self._standings[task_id] = replace(before, death_count=before.death_count + 1)
        return before.death_count + 1

    async def finish(self, task_id: TaskId, report: Report, folder: str) -> None:
        case = self._machine(task_id)
        self._write(case.finish(report.reason))
        self._ends[task_id] = _End(report=report, folder=folder, at=case.at)

    async def finish_waiting(self, batch_id: BatchId, report: Report, limit: int) -> Sequence[POTask]:
        waiting = self._queued(batch_id)[: max(limit, 0)]
        for each in waiting:
            await self.finish(each.task_id, report, "")
        return tuple(each.task for each in waiting)

    async def cancel(self, task_id: TaskId) -> bool:
        case = self._machine(task_id)
        if not case.is_cancellable:
            return False
        self._write(case.cancel())
        self._ends[task_id] = _End(report=CANCELLED_REPORT, folder="", at=case.at)
        return True

    async def cancel_all(self, task_ids: Collection[TaskId]) -> Sequence[TaskId]:
        known = sorted(self._standings.keys() & set(task_ids))
        waiting = [task_id for task_id in known if self._machine(task_id).is_cancellable]
        for task_id in waiting:
            await self.cancel(task_id)
        return tuple(waiting)

    async def record(self, transitions: Sequence[Transition]) -> None:
        self._transitions.extend(transitions)

    async def counts(self, batch_id: BatchId) -> Mapping[str, int]:
        found = Counter(each.status for each in self._members(batch_id))
        return {status.name: found[status] for status in TaskStatus}

    async def members(self, batch_id: BatchId, task_ids: Collection[TaskId]) -> Collection[TaskId]:
        return self._lists.get(batch_id, {}).keys() & set(task_ids)

    async def next_due_s(self, batch_id: BatchId) -> float | None:
        now = self._waits.now()
        starts = [each.not_before or now for each in self._queued(batch_id)]
        return max((min(starts) - now).total_seconds(), 0.0) if starts else None

    async def find(self, task_id: TaskId) -> TaskRecord | None:
        standing = self._standings.get(task_id)
        return None if standing is None else self._record(standing)

    async def records(self, batch_id: BatchId) -> Sequence[TaskRecord]:
        return tuple(self._record(each) for each in self._members(batch_id))

    @property
    def transitions(self) -> Sequence[Transition]:
        """Every move so far, tasks' and recorded ones, in the order in which they were told."""
        return tuple(self._transitions)

    def _shorten_waits(self) -> None:
        longest = self._waits.latest_due_at()
        for each in self._standings.values():
            if each.status is TaskStatus.QUEUED and each.not_before is not None and each.not_before > longest:
                self._standings[each.task_id] = replace(each, not_before=longest)

    def _members(self, batch_id: BatchId) -> list[TaskState]:
        return [self._standings[task_id] for task_id in self._lists.get(batch_id, ())]

    def _open_count(self, batch_id: BatchId) -> int:
        return sum(each.status in OPEN for each in self._members(batch_id))

    def _queued(self, batch_id: BatchId) -> list[TaskState]:
        return [each for each in self._members(batch_id) if each.status is TaskStatus.QUEUED]

    def _machine(self, task_id: TaskId) -> TaskMachine:
        if task_id not in self._standings:
            raise UnknownTaskError(task_id)
        return TaskMachine(
            state=self._standings[task_id], at=self._clock.now(), history=partial(self._history, task_id)
        )

    def _history(self, task_id: TaskId) -> tuple[Transition, ...]:
        own = [move for move in self._transitions if (move.machine, move.entity) == (TASK.name, task_id)]
        return tuple(own[-HISTORY_LENGTH:])

    def _write(self, step: TaskMove) -> TaskState:
        self._standings[step.state.task_id] = step.state
        self._transitions.append(step.transition)
        return step.state

    def _record(self, standing: TaskState) -> TaskRecord:
        end = self._ends.get(standing.task_id)
        return TaskRecord(
            task=standing.task,
            status=standing.status.name,
            attempt_count=standing.attempt_count,
            report=None if end is None else end.report,
            folder="" if end is None else end.folder,
            finished_at=None if end is None else end.at,
        )
