"""What the plan can ask of the pool. The pool performs each command and brings what comes of it back as facts."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.failures import GivenBack, Reason
from app.domain.ids import WorkerRef
from app.domain.task import POTask, Report
from app.supervisor.facts import StopCause


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """Put the files in place, then write the outcome down."""

    worker: WorkerRef | None
    task: POTask
    report: Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Requeue:
    """Put a task back into the queue, at its old place."""

    worker: WorkerRef
    task: POTask
    why: Reason | GivenBack
    detail: str
    delay_s: float
    is_attempt_spent: bool
    #: Whether a worker died on it.
    is_death: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Spawn:
    """Start the next generation of a slot on the same profile."""

    worker: WorkerRef
    delay_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """Leave a slot empty for the rest of the session."""

    worker: WorkerRef
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Drain the workers and end the pool; what is queued stays queued."""

    cause: StopCause
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FailRest:
    """End every task that is still queued: nobody is left to do it."""

    reason: Reason


Command = File | Requeue | Spawn | GiveUp | Stop | FailRest
