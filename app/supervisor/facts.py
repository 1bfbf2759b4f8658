"""What can happen to a running pool, as the plan is told. Each fact of a worker names its generation."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.domain.failures import GivenBack
from app.domain.ids import TaskId, WorkerRef
from app.domain.task import POTask, Report


class StopCause(StrEnum):
    """Why the pool ends before its queue is empty."""

    ASKED = "asked"
    LOGIN_REQUIRED = "login_required"
    PROFILE_DAMAGED = "profile_damaged"
    SETUP_FAILED = "setup_failed"
    NO_WORKERS = "no_workers"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerReady:
    """A worker has its browser open and is logged in."""

    worker: WorkerRef


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTaken:
    """A worker with a free tab took a task from the queue."""

    worker: WorkerRef
    task: POTask


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskReported:
    """A worker finished an attempt."""

    worker: WorkerRef
    task_id: TaskId
    report: Report


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskReturned:
    """A worker gave a task back undone."""

    worker: WorkerRef
    task_id: TaskId
    why: GivenBack
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FilingFailed:
    """The files of a report could not be put in place."""

    worker: WorkerRef
    task: POTask
    report: Report
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLost:
    """A worker process is gone, and not because we drained it."""

    worker: WorkerRef
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerEnded:
    """A worker process closed its browser and ended in order."""

    worker: WorkerRef


@dataclass(frozen=True, slots=True, kw_only=True)
class StopNeeded:
    """The pool cannot or shall not go on."""

    cause: StopCause
    detail: str = ""


WorkerFact = WorkerReady | TaskTaken | TaskReported | TaskReturned | FilingFailed | WorkerLost | WorkerEnded
Fact = WorkerFact | StopNeeded
