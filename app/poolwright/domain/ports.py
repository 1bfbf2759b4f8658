"""Seams between rooms: what the supervisor needs of the journal, the archive and the clock, without knowing them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from poolwright.domain.events import Event
from poolwright.domain.ids import BatchId, TaskId, WorkerRef
from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.domain.state_machine import Transition
from poolwright.domain.tasks import OrderList, POTask, Report, TaskRecord


class Clock(Protocol):
    """The time, so that tests can set it."""

    def now(self) -> datetime:
        """Aware UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that only go forward."""
        ...


class EventSink(Protocol):
    """Who wants to see events. Must return at once and never raise."""

    def __call__(self, event: Event, /) -> None:
        """Take one event."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What the journal made of a list."""

    #: Orders that it did not know before.
    new_count: int
    #: Orders that it knows and that still wait: an earlier run was cut off.
    waiting_count: int
    #: Orders that have their outcome from an earlier run.
    done_count: int


class Journal(Protocol):
    """The memory of all tasks. One writer; each change and its history row are one transaction.

    Every method may raise ``JournalError`` of ``poolwright.journal`` when the storage fails, and
    ``IllegalTransitionError`` when asked for a move that the task table does not have; nothing is written then.
    """

    async def accept(self, orders: OrderList) -> Accepted:
        """Keep the list with all its rows, and queue its orders that are not known yet.

        A list that is accepted again replaces its rows; tasks that are known stay where they are. The counts are of
        this list's tasks.
        """
        ...

    async def add(self, batch_id: BatchId, tasks: Sequence[POTask]) -> int:
        """Queue further tasks at the end of a list, made when there is none; tells how many more are open in it.

        A task that is known stays as it is and where it is, also its payload; one of another list now stands in both.
        """
        ...

    async def recover(self, max_attempts: int) -> int:
        """Queue again what a dead run left ASSIGNED or RUNNING; tells how many.

        What waits longer than a wait can be, for somebody has set the clock, waits that long from now on.
        Attempts that were begun stay spent. A task whose last one it was is over, as if its worker had been lost.
        """
        ...

    async def reopen(self, task_ids: Collection[TaskId]) -> int:
        """Queue those of these tasks again that are over, with fresh attempts and no deaths; tells how many.

        History and report stay; the next report takes the place of the old one.
        """
        ...

    async def fetch(self, batch_id: BatchId, limit: int) -> Sequence[POTask]:
        """Claim up to ``limit`` due tasks in the order of the list: QUEUED to ASSIGNED."""
        ...

    async def start(self, task_id: TaskId, worker: WorkerRef) -> POTask:
        """Write down that an attempt begins: ASSIGNED to RUNNING. Returns the task with its attempt number."""
        ...

    async def give_back(
        self, task_id: TaskId, why: Reason | ReturnReason, *, detail: str, delay_s: float, is_attempt_spent: bool
    ) -> None:
        """Queue a claimed or running task again, at its old place, not before ``delay_s`` from now."""
        ...

    async def count_death(self, task_id: TaskId) -> int:
        """Note that a worker died on this task; returns how many did so far."""
        ...

    async def finish(self, task_id: TaskId, report: Report, folder: str) -> None:
        """Write the outcome with its files, in place of those of an earlier round: to DONE."""
        ...

    async def finish_waiting(self, batch_id: BatchId, report: Report, limit: int) -> Sequence[POTask]:
        """Write one outcome for tasks of a list that wait, also for a later try: at most ``limit``, in its order.

        Returns which; none when none waits any more.
        """
        ...

    async def cancel(self, task_id: TaskId) -> bool:
        """End a task that still waits: QUEUED to CANCELLED, with outcome CANCELLED as its report.

        False when it does not wait: a worker has it, or it is over.
        """
        ...

    async def cancel_all(self, task_ids: Collection[TaskId]) -> Sequence[TaskId]:
        """End those of these tasks that still wait, as ``cancel`` does, in one go; tells which. Others stay."""
        ...

    async def record(self, transitions: Sequence[Transition]) -> None:
        """Keep the moves of the other machines."""
        ...

    async def counts(self, batch_id: BatchId) -> Mapping[str, int]:
        """How many tasks of a list are in each ``TaskStatus``, by its name; every status is told."""
        ...

    async def members(self, batch_id: BatchId, task_ids: Collection[TaskId]) -> Collection[TaskId]:
        """Which of these tasks a list has."""
        ...

    async def next_due_s(self, batch_id: BatchId) -> float | None:
        """Seconds until the next queued task may start (0 when one may now); ``None`` when none is queued."""
        ...

    async def find(self, task_id: TaskId) -> TaskRecord | None:
        """One task, whatever its list; ``None`` when it was never accepted."""
        ...

    async def records(self, batch_id: BatchId) -> Sequence[TaskRecord]:
        """Every task of a list, in the order of the list."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """Where the files of an order are now."""

    #: Folder below the output folder with forward slashes; empty when the order has none.
    folder: str
    #: What the order's report should say of files that it had before, in sentences.
    told: tuple[str, ...] = ()


class Archive(Protocol):
    """The output tree. Blocking; the supervisor calls it in a thread."""

    def file(self, task: POTask, report: Report, staged: Path) -> Filed:
        """Move what a worker staged for one order into its final place, in one rename.

        Raises:
            OSError: The target is full or not writable; nothing is half-filed then, and the call may be repeated.
        """
        ...

    def refusal(self) -> OSError | None:
        """Why the output folder as a whole takes nothing now; nothing when it does, so that a refusal was one order's.

        The error names the folder that refused.
        """
        ...

    def discard(self, staged: Path) -> None:
        """Remove what is left of a staging folder. A missing folder is no error."""
        ...
