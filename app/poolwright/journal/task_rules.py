"""The rules of tasks as plain values, shared by both journals.

Which lists are valid, when a retry is due, and what each event makes of a task.

A wait is written down as a moment, for the next run of the program. Within one run that moment is reckoned from the
run's beginning: a clock that is set back does not make anybody wait, and one that jumps ahead lets nobody start early.
The next run knows nothing of what happened to the clock between, so it lets no task wait longer than any wait can be.

Pure. Both journals ask here and write down what comes back, status and history together. What is legal stands in
``TASK`` of ``domain.states``; what a move costs in attempts stands here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.domain.ports import Accepted, Clock
from poolwright.domain.state_machine import IllegalTransitionError, Transition
from poolwright.domain.states import TASK, TaskEvent, TaskStatus, open_count
from poolwright.domain.tasks import JsonValue, OrderList, POTask, Report
from poolwright.journal.errors import JournalError


def validate_orders(orders: OrderList) -> None:
    """Refuse a list that does not hold each of its tasks exactly once.

    Raises:
        JournalError: A task stands twice among the tasks, or a row names a task that is not among them.
    """
    task_ids = [task.task_id for task in orders.tasks]
    known = set(task_ids)
    if len(known) < len(task_ids):
        raise JournalError(f"The list {orders.source} was refused: it contains a task twice.")
    strays = {row.task_id for row in orders.rows if row.task_id is not None} - known
    if strays:
        raise JournalError(f"The list {orders.source} was refused: it lacks the task {min(strays)} of one of its rows.")


def acceptance(new_count: int, counts: Mapping[str, int]) -> Accepted:
    """Tell what became of a list.

    Args:
        new_count: How many of its tasks were not known before.
        counts: How many of its tasks are in each status now.
    """
    still_open = open_count(counts)
    return Accepted(
        new_count=new_count, waiting_count=still_open - new_count, done_count=sum(counts.values()) - still_open
    )


#: No task is told to wait longer: a portal that asks for more is asked again all the same.
WAIT_MAX_S = 300.0


class RetryClock:
    """A clock for retries within one run, unaffected by changes of the wall clock."""

    def __init__(self, clock: Clock) -> None:
        """The run begins now."""
        self._clock = clock
        self._begun_at, self._begun_s = clock.now(), clock.monotonic()

    def now(self) -> datetime:
        """What the clock on the wall would show, had nobody touched it since the run began."""
        return self._begun_at + timedelta(seconds=self._clock.monotonic() - self._begun_s)

    def due_at(self, delay_s: float) -> datetime | None:
        """When a delay that begins now ends; ``None`` if there is no delay."""
        return self.now() + timedelta(seconds=delay_s) if delay_s > 0 else None

    def latest_due_at(self) -> datetime:
        """The end of the longest wait that could begin now."""
        return self.now() + timedelta(seconds=WAIT_MAX_S)


#: How a task ends that nobody wants any more.
CANCELLED_REPORT = Report(reason=Reason.BY_REQUEST)
#: How a task ends whose program died at its last attempt.
LOST_REPORT = Report(reason=Reason.WORKER_LOST, detail="Its run died during the last attempt.")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskState:
    """The state of one task, and the attempts it has used so far."""

    task_id: TaskId
    po_number: str
    portal_number: str
    status: TaskStatus = TASK.start
    #: Attempts that count. Written when one starts; fresh after ``reopened``.
    attempt_count: int = 0
    #: Workers that died on it since it was last reopened.
    death_count: int = 0
    #: A queued task is not claimed before; nothing when it need not wait. Means nothing in other states.
    not_before: datetime | None = None
    #: As the task was given.
    payload: JsonValue = None
    timeout_s: float | None = None

    @classmethod
    def from_task(cls, task: POTask) -> TaskState:
        """The state of a new task."""
        return cls(
            task_id=task.task_id,
            po_number=task.po_number,
            portal_number=task.portal_number,
            payload=task.payload,
            timeout_s=task.timeout_s,
        )

    @property
    def task(self) -> POTask:
        """The task as a worker receives it, with the number of the running or next attempt."""
        is_before_start = self.status in {TaskStatus.QUEUED, TaskStatus.ASSIGNED}
        return POTask(
            task_id=self.task_id,
            po_number=self.po_number,
            portal_number=self.portal_number,
            attempt=self.attempt_count + 1 if is_before_start else max(self.attempt_count, 1),
            death_count=self.death_count,
            payload=self.payload,
            timeout_s=self.timeout_s,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskMove:
    """A legal transition: the new state and its history entry, to be written together."""

    state: TaskState
    transition: Transition


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskMachine:
    """State machine of one task. Every method raises ``IllegalTransitionError`` for a move not in the table."""

    state: TaskState
    #: Aware UTC now.
    at: datetime
    #: The latest moves of the task, oldest first; asked for only when a move is refused.
    history: Callable[[], tuple[Transition, ...]]

    def assign(self) -> TaskMove:
        """Claim it for a run."""
        return self._move(TaskEvent.ASSIGN, self.state)

    def start(self, worker: WorkerRef) -> TaskMove:
        """Begin an attempt, which counts from now on."""
        spent = replace(self.state, attempt_count=self.state.attempt_count + 1)
        return self._move(TaskEvent.START, spent, str(worker))

    def give_back(
        self, why: Reason | ReturnReason, detail: str, *, not_before: datetime | None, is_attempt_spent: bool
    ) -> TaskMove:
        """Queue it again. An attempt that never began does not count."""
        refund = 1 if self.state.status is TaskStatus.RUNNING and not is_attempt_spent else 0
        waiting = replace(
            self.state,
            attempt_count=self.state.attempt_count - refund,
            not_before=not_before,
        )
        return self._move(TaskEvent.GIVE_BACK, waiting, f"{why.value}: {detail}" if detail else why.value)

    def recover(self) -> TaskMove:
        """Queue it again after its run died; an attempt that began still counts."""
        return self._move(TaskEvent.GIVE_BACK, self.state, "its run ended without a word")

    def finish(self, reason: Reason) -> TaskMove:
        """Finish it with its outcome."""
        return self._move(TaskEvent.FINISH, self.state, reason.value)

    @property
    def is_cancellable(self) -> bool:
        """Whether it still waits; what a worker has in its hands is not taken away."""
        return TASK.target(self.state.status, TaskEvent.CANCEL) is not None

    def cancel(self) -> TaskMove:
        """Cancel it."""
        return self._move(TaskEvent.CANCEL, self.state, CANCELLED_REPORT.reason.value)

    def reopen(self) -> TaskMove:
        """Queue it again as if it were new."""
        fresh = replace(self.state, attempt_count=0, death_count=0, not_before=None)
        return self._move(TaskEvent.REDO, fresh)

    def _move(self, event: TaskEvent, after: TaskState, cause: str = "") -> TaskMove:
        origin = self.state.status
        target = TASK.target(origin, event)
        if target is None:
            raise IllegalTransitionError(TASK.name, self.state.task_id, origin.name, event.name, self.history())
        move = Transition(
            machine=TASK.name,
            entity=self.state.task_id,
            origin=origin.name,
            event=event.name,
            target=target.name,
            at=self.at,
            cause=cause,
        )
        return TaskMove(state=replace(after, status=target), transition=move)
