"""The interfaces of the clock, the journal and the archive, as the supervisor uses them."""

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
    """The current time; tests set their own."""

    def now(self) -> datetime:
        """Return the time as aware UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that only go forward."""
        ...


class EventSink(Protocol):
    """A receiver of events. Must return at once and never raise."""

    def __call__(self, event: Event, /) -> None:
        """Receive one event."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The counts of a list that the journal accepted."""

    #: Orders that are new to the journal.
    new_count: int
    #: Orders of an earlier, interrupted run that still wait.
    waiting_count: int
    #: Orders that have their outcome from an earlier run.
    done_count: int
    #: Sentences for the sender of the list about what becomes of it.
    notices: tuple[str, ...] = ()


class Journal(Protocol):
    """The record of all tasks. One writer; each change and its history row are one transaction.

    Every method may raise ``JournalError`` of ``poolwright.journal`` when the storage fails, and
    ``IllegalTransitionError`` for a transition that the task table does not have; nothing is written then.
    """

    async def accept(self, orders: OrderList) -> Accepted:
        """Store the list with all its rows, and queue its orders that are new to the journal.

        A list that is accepted again replaces its rows; tasks that are known keep their state. The counts are of this
        list's tasks.
        """
        ...

    async def add(self, batch_id: BatchId, tasks: Sequence[POTask]) -> int:
        """Queue further tasks at the end of a list, which is made if missing; return how many more are open in it.

        A task that the journal has stays unchanged, payload included; a task of another list now belongs to both.
        """
        ...

    async def recover(self, max_attempts: int) -> int:
        """Queue the tasks that a crashed run left ASSIGNED or RUNNING; return how many.

        Attempts that had begun stay spent; a task without a further one ends as if its worker had crashed. A due time
        that is further away than any delay, because the clock was changed, is shortened to the longest delay.
        """
        ...

    async def reopen(self, task_ids: Collection[TaskId]) -> int:
        """Queue those of these tasks that are finished again, with new attempts and no deaths; return how many.

        History and report stay; the next report replaces the old one.
        """
        ...

    async def fetch(self, batch_id: BatchId, limit: int) -> Sequence[POTask]:
        """Claim up to ``limit`` due tasks in the order of the list: QUEUED to ASSIGNED."""
        ...

    async def start(self, task_id: TaskId, worker: WorkerRef) -> POTask:
        """Record that an attempt begins: ASSIGNED to RUNNING. Return the task with its attempt number."""
        ...

    async def requeue(
        self, task_id: TaskId, why: Reason | ReturnReason, *, detail: str, delay_s: float, is_attempt_spent: bool
    ) -> None:
        """Queue a claimed or running task again at its old position, due in ``delay_s``."""
        ...

    async def count_death(self, task_id: TaskId) -> int:
        """Record that a worker crashed on this task; return how many did so far."""
        ...

    async def finish(self, task_id: TaskId, report: Report, folder: str) -> None:
        """Record the outcome with its files, in place of those of an earlier round: to DONE."""
        ...

    async def finish_waiting(self, batch_id: BatchId, report: Report, limit: int) -> Sequence[POTask]:
        """Record one outcome for up to ``limit`` waiting tasks of a list, in its order; return these tasks.

        Tasks that wait for a later attempt are among them.
        """
        ...

    async def cancel(self, task_id: TaskId) -> bool:
        """End a waiting task: QUEUED to CANCELLED, with outcome CANCELLED as its report.

        Return ``False`` if it does not wait: a worker has it, or it is over.
        """
        ...

    async def cancel_all(self, task_ids: Collection[TaskId]) -> Sequence[TaskId]:
        """End those of these tasks that wait, as ``cancel`` does, in one transaction; return their ids."""
        ...

    async def set_aside(self, batch_id: BatchId, group: str, report: Report) -> Sequence[POTask]:
        """Set a group of a list aside, and end its waiting tasks: QUEUED to CANCELLED with this report.

        Return these tasks. A group stays set aside until a person resumes it, also in later runs; if it is already,
        the detail that was stored first counts.
        """
        ...

    async def reopen_group(self, batch_id: BatchId, prefix: str, group: str) -> int:
        """End the setting aside of a group, and queue the tasks that ended for it in a list, behind its others.

        Return how many; all of a portal are queued, whichever list they came in.

        Args:
            batch_id: The list, which is made if missing.
            prefix: Start of the ids of the portal's tasks, with its colon.
            group: The group.
        """
        ...

    async def record(self, transitions: Sequence[Transition]) -> None:
        """Store the transitions of the other state machines."""
        ...

    async def counts(self, batch_id: BatchId) -> Mapping[str, int]:
        """Return the number of a list's tasks in each ``TaskStatus``, by its name; every status is there."""
        ...

    async def members(self, batch_id: BatchId, task_ids: Collection[TaskId]) -> Collection[TaskId]:
        """Return those of these tasks that belong to a list."""
        ...

    async def next_due_s(self, batch_id: BatchId) -> float | None:
        """Return the seconds until the next queued task is due (0 if one is); ``None`` if none is queued."""
        ...

    async def find(self, task_id: TaskId) -> TaskRecord | None:
        """Return a task of any list; ``None`` if it was never accepted."""
        ...

    async def records(self, batch_id: BatchId) -> Sequence[TaskRecord]:
        """Return every task of a list, in the order of the list."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """The result of filing an order."""

    #: Folder below the output folder, with forward slashes; empty if the order has none.
    folder: str
    #: Sentences for the order's report about files that it had before.
    notices: tuple[str, ...] = ()


class Archive(Protocol):
    """The output tree. Its methods block; the supervisor calls them in a thread."""

    def file(self, task: POTask, report: Report, staged: Path) -> Filed:
        """Move the staged files of an order into their final folder, in one rename.

        Raises:
            OSError: The target is full or not writable; nothing is half-filed then, and the call may be repeated.
        """
        ...

    def refusal(self) -> OSError | None:
        """Return the error that prevents any filing now; ``None`` if there is none, so that a failure was one order's.

        The error names the folder that cannot be written.
        """
        ...

    def discard(self, staged: Path) -> None:
        """Remove the rest of a staging folder. A missing folder is no error."""
        ...
