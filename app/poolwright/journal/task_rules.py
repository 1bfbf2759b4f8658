"""The rules of tasks, shared by both journals: valid lists, due times of retries, and the effect of each event.

Pure: a journal stores the state and the transition that a rule returns, both together. The legal transitions are in
``TASK`` of ``domain.states``; this module adds their effect on attempts, deaths and due times.

A due time is stored as a moment, for the next run. Within one run it is measured from the start of the run, so a wall
clock that is set back delays no task, and one that jumps ahead starts none early. The next run cannot know how the
clock was changed before it, so it shortens every wait to the longest delay that exists.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.domain.packed_list import find_repeated
from poolwright.domain.ports import Accepted, Clock
from poolwright.domain.state_machine import IllegalTransitionError, Transition
from poolwright.domain.states import TASK, TaskEvent, TaskStatus, open_count
from poolwright.domain.tasks import FetchedFile, JsonValue, OrderList, POTask, Report
from poolwright.journal.errors import JournalError


def validate_orders(orders: OrderList) -> None:
    """Check that a list contains each of its tasks exactly once.

    Raises:
        JournalError: The list contains a task twice, or a row names a task that it does not contain.
    """
    validate_unique(orders)
    missing = {row.task_id for row in orders.rows if row.task_id is not None} - {task.task_id for task in orders.tasks}
    if missing:
        raise unlisted_task_error(orders, min(missing))


def validate_unique(orders: OrderList) -> None:
    """Check that a list contains each of its tasks once, also if there are a million.

    Raises:
        JournalError: The list contains a task twice.
    """
    repeated = find_repeated((task.task_id for task in orders.tasks), len(orders.tasks))
    seen: set[TaskId] = set()
    for task in orders.tasks if repeated else ():
        if task.task_id in seen:
            raise JournalError(f"The list {orders.source} was refused: it contains a task twice.")
        if task.task_id in repeated:
            seen.add(task.task_id)


def unlisted_task_error(orders: OrderList, task_id: TaskId) -> JournalError:
    """Return the error of a list with a row of a task that it does not contain."""
    return JournalError(
        f"The list {orders.source} was refused: a row names the task {task_id}, which the list does not contain."
    )


def acceptance(new_count: int, counts: Mapping[str, int]) -> Accepted:
    """Return the counts of a list that was accepted.

    Args:
        new_count: Its tasks that are new to the journal.
        counts: Its tasks in each status now.
    """
    still_open = open_count(counts)
    return Accepted(
        new_count=new_count, waiting_count=still_open - new_count, done_count=sum(counts.values()) - still_open
    )


#: Longest delay of a task: a portal that asks for more is tried again after this.
WAIT_MAX_S = 300.0


class RetryClock:
    """A clock for retries within one run, unaffected by changes of the wall clock."""

    def __init__(self, clock: Clock) -> None:
        """Start the run now."""
        self._clock = clock
        self._begun_at, self._begun_s = clock.now(), clock.monotonic()

    def now(self) -> datetime:
        """Return the start of the run plus the time that has passed since, whatever the wall clock shows."""
        return self._begun_at + timedelta(seconds=self._clock.monotonic() - self._begun_s)

    def due_at(self, delay_s: float) -> datetime | None:
        """Return the end of a delay that begins now; ``None`` if there is no delay."""
        return self.now() + timedelta(seconds=delay_s) if delay_s > 0 else None

    def latest_due_at(self) -> datetime:
        """Return the end of the longest delay that could begin now."""
        return self.now() + timedelta(seconds=WAIT_MAX_S)


#: Report of a cancelled task.
CANCELLED_REPORT = Report(reason=Reason.BY_REQUEST)
#: Report of a task whose run crashed during its last attempt.
LOST_REPORT = Report(reason=Reason.WORKER_LOST, detail="The run crashed during the last attempt.")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskState:
    """The state of one task, and the attempts it has used so far."""

    task_id: TaskId
    po_number: str
    portal_number: str
    status: TaskStatus = TASK.start
    #: Attempts that are spent. Counted when one starts; 0 again after ``reopen``.
    attempt_count: int = 0
    #: Workers that crashed on it since it was last reopened.
    death_count: int = 0
    #: Earliest time to claim a queued task; ``None`` if it is due. Without meaning in other states.
    not_before: datetime | None = None
    #: As in the task that was accepted.
    payload: JsonValue = None
    timeout_s: float | None = None
    #: The files that it has, if it is looked at again; ``None`` otherwise.
    known_files: tuple[FetchedFile, ...] | None = None
    #: As in the latest list that gave it one.
    group: str = ""
    #: As in the latest list that gave it some.
    cells: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def from_task(cls, task: POTask) -> TaskState:
        """Return the state of a new task."""
        return cls(
            task_id=task.task_id,
            po_number=task.po_number,
            portal_number=task.portal_number,
            payload=task.payload,
            timeout_s=task.timeout_s,
            group=task.group,
            cells=task.cells,
        )

    @property
    def task(self) -> POTask:
        """Return the task as a worker receives it, with the number of the running or next attempt."""
        is_before_start = self.status in {TaskStatus.QUEUED, TaskStatus.ASSIGNED}
        return POTask(
            task_id=self.task_id,
            po_number=self.po_number,
            portal_number=self.portal_number,
            attempt=self.attempt_count + 1 if is_before_start else max(self.attempt_count, 1),
            death_count=self.death_count,
            payload=self.payload,
            timeout_s=self.timeout_s,
            known_files=self.known_files,
            group=self.group,
            cells=self.cells,
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
    #: Returns the latest transitions of the task, oldest first; called only for an illegal one, for its error.
    history: Callable[[], tuple[Transition, ...]]

    def assign(self) -> TaskMove:
        """Claim it for a run."""
        return self._move(TaskEvent.ASSIGN, self.state)

    def start(self, worker: WorkerRef) -> TaskMove:
        """Begin an attempt, which is spent from now on."""
        started = replace(self.state, attempt_count=self.state.attempt_count + 1)
        return self._move(TaskEvent.START, started, str(worker))

    def requeue(
        self, why: Reason | ReturnReason, detail: str, *, not_before: datetime | None, is_attempt_spent: bool
    ) -> TaskMove:
        """Queue it again. An attempt that did not begin is not spent."""
        refund = 1 if self.state.status is TaskStatus.RUNNING and not is_attempt_spent else 0
        queued = replace(
            self.state,
            attempt_count=self.state.attempt_count - refund,
            not_before=not_before,
        )
        return self._move(TaskEvent.GIVE_BACK, queued, f"{why.value}: {detail}" if detail else why.value)

    def recover(self) -> TaskMove:
        """Queue it again after its run crashed; an attempt that began stays spent."""
        return self._move(TaskEvent.GIVE_BACK, self.state, "its run crashed")

    def finish(self, reason: Reason) -> TaskMove:
        """Finish it with its outcome."""
        return self._move(TaskEvent.FINISH, self.state, reason.value)

    @property
    def is_cancellable(self) -> bool:
        """Whether it still waits: a task that a worker has is not cancelled."""
        return TASK.target(self.state.status, TaskEvent.CANCEL) is not None

    def cancel(self, reason: Reason = CANCELLED_REPORT.reason) -> TaskMove:
        """Cancel it, on request or for another reason."""
        return self._move(TaskEvent.CANCEL, self.state, reason.value)

    def reopen(self) -> TaskMove:
        """Queue it again as a new task."""
        reset = replace(self.state, attempt_count=0, death_count=0, not_before=None)
        return self._move(TaskEvent.REDO, reset)

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
