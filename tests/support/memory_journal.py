"""The journal in memory: the same results and errors as the SQLite journal, without a file.

For tests of other packages. The same contract tests run on both journals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from poolwright.domain.ids import BatchId, TaskId, WorkerRef, portal_prefix
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
    """The latest outcome of a task."""

    report: Report
    folder: str
    at: datetime


class MemoryJournal:
    """``domain.ports.Journal`` in dictionaries; its methods are documented there."""

    def __init__(self, clock: Clock) -> None:
        """Start without any task."""
        self._clock = clock
        self._waits = RetryClock(clock)
        #: The tasks of each list in its order.
        self._lists: dict[BatchId, dict[TaskId, None]] = {}
        self._states: dict[TaskId, TaskState] = {}
        self._ends: dict[TaskId, _End] = {}
        self._transitions: list[Transition] = []
        #: The cause of each group that is set aside, by portal and group.
        self._set_aside: dict[tuple[str, str], str] = {}

    async def accept(self, orders: OrderList) -> Accepted:
        validate_orders(orders)
        self._lists[orders.batch_id] = {}
        known_count = len(self._states)
        await self.add(orders.batch_id, orders.tasks)
        for task in orders.tasks:
            state = self._states[task.task_id]
            self._states[task.task_id] = replace(
                state, group=task.group or state.group, cells=task.cells or state.cells
            )
        new_count = len(self._states) - known_count
        return acceptance(new_count, await self.counts(orders.batch_id))

    async def add(self, batch_id: BatchId, tasks: Sequence[POTask]) -> int:
        open_before = self._open_count(batch_id)
        for task in tasks:
            self._states.setdefault(task.task_id, TaskState.from_task(task))
            self._lists.setdefault(batch_id, {}).setdefault(task.task_id)
        return self._open_count(batch_id) - open_before

    async def recover(self, max_attempts: int) -> int:
        self._shorten_waits()
        claimed = [self._machine(state.task_id) for state in self._states.values() if state.status in CLAIMED]
        for machine in claimed:
            if machine.state.attempt_count < max_attempts:
                self._write(machine.recover())
            else:
                await self.finish(machine.state.task_id, LOST_REPORT, "")
        return len(claimed)

    async def reopen(self, task_ids: Collection[TaskId]) -> int:
        wanted = set(task_ids)
        finished = [
            self._machine(state.task_id)
            for state in self._states.values()
            if state.task_id in wanted and state.status in OVER
        ]
        for machine in finished:
            self._write(machine.reopen())
        return len(finished)

    async def fetch(self, batch_id: BatchId, limit: int) -> Sequence[POTask]:
        now = self._waits.now()
        due = [each for each in self._queued(batch_id) if each.not_before is None or each.not_before <= now]
        return tuple(self._write(self._machine(each.task_id).assign()).task for each in due[: max(limit, 0)])

    async def start(self, task_id: TaskId, worker: WorkerRef) -> POTask:
        return self._write(self._machine(task_id).start(worker)).task

    async def requeue(
        self, task_id: TaskId, why: Reason | ReturnReason, *, detail: str, delay_s: float, is_attempt_spent: bool
    ) -> None:
        not_before = self._waits.due_at(delay_s)
        machine = self._machine(task_id)
        self._write(machine.requeue(why, detail, not_before=not_before, is_attempt_spent=is_attempt_spent))

    async def count_death(self, task_id: TaskId) -> int:
        before = self._machine(task_id).state
        self._states[task_id] = replace(before, death_count=before.death_count + 1)
        return before.death_count + 1

    async def finish(self, task_id: TaskId, report: Report, folder: str) -> None:
        machine = self._machine(task_id)
        self._write(machine.finish(report.reason))
        self._ends[task_id] = _End(report=report, folder=folder, at=machine.at)

    async def finish_waiting(self, batch_id: BatchId, report: Report, limit: int) -> Sequence[POTask]:
        waiting = self._queued(batch_id)[: max(limit, 0)]
        for each in waiting:
            await self.finish(each.task_id, report, "")
        return tuple(each.task for each in waiting)

    async def cancel(self, task_id: TaskId) -> bool:
        machine = self._machine(task_id)
        if not machine.is_cancellable:
            return False
        self._write(machine.cancel())
        self._ends[task_id] = _End(report=CANCELLED_REPORT, folder="", at=machine.at)
        return True

    async def cancel_all(self, task_ids: Collection[TaskId]) -> Sequence[TaskId]:
        accepted = sorted(self._states.keys() & set(task_ids))
        waiting = [task_id for task_id in accepted if self._machine(task_id).is_cancellable]
        for task_id in waiting:
            await self.cancel(task_id)
        return tuple(waiting)

    async def set_aside(self, batch_id: BatchId, group: str, report: Report) -> Sequence[POTask]:
        for state in self._members(batch_id):
            if state.group == group:
                self._set_aside.setdefault((portal_prefix(state.task_id), group), report.detail)
        ended = [each for each in self._queued(batch_id) if each.group == group]
        for each in ended:
            own = Report(reason=report.reason, detail=self._set_aside[portal_prefix(each.task_id), each.group])
            machine = self._machine(each.task_id)
            self._write(machine.cancel(own.reason))
            self._ends[each.task_id] = _End(report=own, folder="", at=machine.at)
        return tuple(each.task for each in ended)

    async def reopen_group(self, batch_id: BatchId, prefix: str, group: str) -> int:
        self._set_aside.pop((prefix, group), None)
        ended = [
            state
            for state in self._states.values()
            if (portal_prefix(state.task_id), state.group, state.status) == (prefix, group, TaskStatus.CANCELLED)
            and self._ends[state.task_id].report.reason is Reason.GROUP_SET_ASIDE
        ]
        for state in ended:
            self._lists.setdefault(batch_id, {}).setdefault(state.task_id)
            self._write(self._machine(state.task_id).reopen())
        return len(ended)

    async def record(self, transitions: Sequence[Transition]) -> None:
        self._transitions.extend(transitions)

    async def counts(self, batch_id: BatchId) -> Mapping[str, int]:
        counts = Counter(state.status for state in self._members(batch_id))
        return {status.name: counts[status] for status in TaskStatus}

    async def members(self, batch_id: BatchId, task_ids: Collection[TaskId]) -> Collection[TaskId]:
        return self._lists.get(batch_id, {}).keys() & set(task_ids)

    async def next_due_s(self, batch_id: BatchId) -> float | None:
        now = self._waits.now()
        starts = [each.not_before or now for each in self._queued(batch_id)]
        return max((min(starts) - now).total_seconds(), 0.0) if starts else None

    async def find(self, task_id: TaskId) -> TaskRecord | None:
        state = self._states.get(task_id)
        return None if state is None else self._record(state)

    async def records(self, batch_id: BatchId) -> Sequence[TaskRecord]:
        return tuple(self._record(each) for each in self._members(batch_id))

    @property
    def transitions(self) -> Sequence[Transition]:
        """Return every transition so far, those of tasks and the recorded ones, in their order."""
        return tuple(self._transitions)

    def _shorten_waits(self) -> None:
        longest = self._waits.latest_due_at()
        for each in self._states.values():
            if each.status is TaskStatus.QUEUED and each.not_before is not None and each.not_before > longest:
                self._states[each.task_id] = replace(each, not_before=longest)

    def _members(self, batch_id: BatchId) -> list[TaskState]:
        return [self._states[task_id] for task_id in self._lists.get(batch_id, ())]

    def _open_count(self, batch_id: BatchId) -> int:
        return sum(each.status in OPEN for each in self._members(batch_id))

    def _queued(self, batch_id: BatchId) -> list[TaskState]:
        return [each for each in self._members(batch_id) if each.status is TaskStatus.QUEUED]

    def _machine(self, task_id: TaskId) -> TaskMachine:
        if task_id not in self._states:
            raise UnknownTaskError(task_id)
        return TaskMachine(state=self._states[task_id], at=self._clock.now(), history=partial(self._history, task_id))

    def _history(self, task_id: TaskId) -> tuple[Transition, ...]:
        transitions = [each for each in self._transitions if (each.machine, each.entity) == (TASK.name, task_id)]
        return tuple(transitions[-HISTORY_LENGTH:])

    def _write(self, move: TaskMove) -> TaskState:
        self._states[move.state.task_id] = move.state
        self._transitions.append(move.transition)
        return move.state

    def _record(self, state: TaskState) -> TaskRecord:
        end = self._ends.get(state.task_id)
        return TaskRecord(
            task=state.task,
            status=state.status.name,
            attempt_count=state.attempt_count,
            report=None if end is None else end.report,
            folder="" if end is None else end.folder,
            finished_at=None if end is None else end.at,
        )
