"""The rules of one task as plain values: where it stands, and what each event makes of it.

Pure. Both journals ask here and write down what comes back, status and history together. What is legal stands in
``TASK`` of ``domain.states``; what a move costs in attempts stands here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.domain.state_machine import IllegalTransitionError, Transition
from poolwright.domain.states import TASK, TaskEvent, TaskStatus
from poolwright.domain.tasks import JsonValue, POTask, Report

#: How a task ends that nobody wants any more.
CANCELLED = Report(reason=Reason.BY_REQUEST)
#: How a task ends whose program died at its last attempt.
LOST = Report(reason=Reason.WORKER_LOST, detail="Its run died during the last attempt.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
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
    def of(cls, task: POTask) -> Standing:
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
class Step:
    """A legal transition: the new state and its history entry, to be written together."""

    standing: Standing
    transition: Transition


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """State machine of one task. Every method raises ``IllegalTransitionError`` for a move not in the table."""

    standing: Standing
    #: Aware UTC now.
    at: datetime
    #: The latest moves of the task, oldest first; asked for only when a move is refused.
    story: Callable[[], tuple[Transition, ...]]

    def assigned(self) -> Step:
        """Claim it for a run."""
        return self._step(TaskEvent.ASSIGN, self.standing)

    def started(self, worker: WorkerRef) -> Step:
        """Begin an attempt, which counts from now on."""
        spent = replace(self.standing, attempt_count=self.standing.attempt_count + 1)
        return self._step(TaskEvent.START, spent, str(worker))

    def given_back(
        self, why: Reason | ReturnReason, detail: str, *, not_before: datetime | None, is_attempt_spent: bool
    ) -> Step:
        """Queue it again. An attempt that never began does not count."""
        refund = 1 if self.standing.status is TaskStatus.RUNNING and not is_attempt_spent else 0
        waiting = replace(
            self.standing,
            attempt_count=self.standing.attempt_count - refund,
            not_before=not_before,
        )
        return self._step(TaskEvent.GIVE_BACK, waiting, f"{why.value}: {detail}" if detail else why.value)

    def recovered(self) -> Step:
        """Queue it again after its run died; an attempt that began still counts."""
        return self._step(TaskEvent.GIVE_BACK, self.standing, "its run ended without a word")

    def finished(self, reason: Reason) -> Step:
        """Finish it with its outcome."""
        return self._step(TaskEvent.FINISH, self.standing, reason.value)

    @property
    def is_cancellable(self) -> bool:
        """Whether it still waits; what a worker has in its hands is not taken away."""
        return TASK.target(self.standing.status, TaskEvent.CANCEL) is not None

    def cancelled(self) -> Step:
        """Cancel it."""
        return self._step(TaskEvent.CANCEL, self.standing, CANCELLED.reason.value)

    def reopened(self) -> Step:
        """Queue it again as if it were new."""
        fresh = replace(self.standing, attempt_count=0, death_count=0, not_before=None)
        return self._step(TaskEvent.REDO, fresh)

    def _step(self, event: TaskEvent, after: Standing, cause: str = "") -> Step:
        origin = self.standing.status
        target = TASK.target(origin, event)
        if target is None:
            raise IllegalTransitionError(TASK.name, self.standing.task_id, origin.name, event.name, self.story())
        move = Transition(
            machine=TASK.name,
            entity=self.standing.task_id,
            origin=origin.name,
            event=event.name,
            target=target.name,
            at=self.at,
            cause=cause,
        )
        return Step(standing=replace(after, status=target), transition=move)
