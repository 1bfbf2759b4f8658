"""What the interface takes and gives, as JSON. Strict: a field that nobody knows is an error of the asker's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.domain.failures import MEANINGS, ActionClass, Outcome, Reason
from app.domain.ids import BatchId, TaskId
from app.domain.ports import Accepted
from app.domain.task import OrderList, TaskRecord
from app.service.batch import Redo
from app.service.daemon.standing import Standing
from app.store.search import FailureClass, ListView
from app.supervisor.snapshot import WorkerSnapshot

#: Numbers that one request may hold; longer lists come as files.
NUMBERS_MAX = 20_000
#: Order ids that one request may name.
IDS_MAX = 10_000
_ID = Annotated[str, Field(min_length=1, max_length=300)]


class _Taken(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Given(BaseModel):
    model_config = ConfigDict(frozen=True)


class NumbersIn(_Taken):
    """Orders by their numbers."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"numbers": ["PO4500012345", "PO4500012346"], "name": "march close"}]},
    )

    numbers: Annotated[list[Annotated[str, Field(max_length=200)]], Field(min_length=1, max_length=NUMBERS_MAX)]
    #: How the list is called in reports.
    name: Annotated[str, Field(min_length=1, max_length=100)] = "api"
    redo: Redo = Redo.RETRYABLE


class Which(_Taken):
    """Which orders are meant: by their ids, or all of a list, an outcome or a reason."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"reason": "portal_error"}, {"list_id": "0f3a"}]}
    )

    task_ids: Annotated[list[_ID], Field(min_length=1, max_length=IDS_MAX)] | None = None
    list_id: _ID | None = None
    outcome: Outcome | None = None
    reason: Reason | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if all(value is None for value in (self.task_ids, self.list_id, self.outcome, self.reason)):
            msg = "name task_ids, list_id, outcome or reason"
            raise ValueError(msg)
        return self


class InvalidRow(_Given):
    """A row of a list that names no valid order."""

    row_no: int
    given: str
    reason: Reason
    detail: str


class ListTaken(_Given):
    """What became of a list that was sent."""

    list_id: str
    source: str
    new_count: int
    waiting_count: int
    done_count: int
    invalid: list[InvalidRow]
    notices: list[str]

    @classmethod
    def of(cls, orders: OrderList, accepted: Accepted) -> Self:
        """From what the daemon says."""
        return cls(
            list_id=orders.batch_id,
            source=orders.source,
            new_count=accepted.new_count,
            waiting_count=accepted.waiting_count,
            done_count=accepted.done_count,
            invalid=[
                InvalidRow(row_no=row.row_no, given=row.given, reason=row.problem, detail=row.detail)
                for row in orders.rows
                if row.problem is not None
            ],
            notices=list(orders.notices),
        )


class ListOut(_Given):
    """A list, and how far it is."""

    list_id: str
    source: str
    accepted_at: datetime
    counts: dict[str, int]
    outcomes: dict[str, int]

    @classmethod
    def of(cls, view: ListView) -> Self:
        """From what the journal says."""
        return cls(
            list_id=view.list_id,
            source=view.source,
            accepted_at=view.accepted_at,
            counts=view.counts,
            outcomes=view.outcomes,
        )


class OrderOut(_Given):
    """An order, and how it ended where it has."""

    task_id: str
    number: str
    state: str
    attempt_count: int
    outcome: Outcome | None = None
    reason: Reason | None = None
    action: ActionClass | None = None
    next_step: str = ""
    detail: str = ""
    folder: str = ""
    files: list[str] = []
    evidence: list[str] = []
    page_url: str = ""
    finished_at: datetime | None = None

    @classmethod
    def of(cls, record: TaskRecord) -> Self:
        """From what the journal says."""
        known = cls(
            task_id=record.task.task_id,
            number=record.task.po_number,
            state=record.status,
            attempt_count=record.attempt_count,
        )
        report = record.report
        if report is None:
            return known
        told = {
            "outcome": report.outcome,
            "reason": report.reason,
            "action": report.meaning.action,
            "next_step": report.meaning.next_step,
            "detail": report.detail,
            "folder": record.folder,
            "files": [file.name for file in report.files],
            "evidence": list(report.evidence),
            "page_url": report.page_url,
            "finished_at": record.finished_at,
        }
        return known.model_copy(update=told)


class OrdersOut(_Given):
    """One page of orders; ``next`` is what to give as ``after`` for the next one."""

    orders: list[OrderOut]
    next: str | None

    @classmethod
    def of(cls, records: Sequence[TaskRecord], limit: int) -> Self:
        """From what the journal says."""
        last = records[-1].task.task_id if len(records) == limit else None
        return cls(orders=[OrderOut.of(record) for record in records], next=last)


class FailureOut(_Given):
    """All orders that failed for one reason, with the latest few of them."""

    reason: Reason
    outcome: Outcome
    action: ActionClass
    next_step: str
    count: int
    orders: list[OrderOut]

    @classmethod
    def of(cls, found: FailureClass) -> Self:
        """From what the journal says."""
        meaning = MEANINGS[found.reason]
        return cls(
            reason=found.reason,
            outcome=meaning.outcome,
            action=meaning.action,
            next_step=meaning.next_step,
            count=found.count,
            orders=[OrderOut.of(record) for record in found.orders],
        )


class Count(_Given):
    """How many orders were meant by what was asked and could be moved."""

    count: int


class HeldOrder(_Given):
    """An order that a worker has in hand."""

    task_id: str
    number: str


class WorkerOut(_Given):
    """One worker."""

    slot: int
    generation: int
    status: str
    session_status: str
    orders: list[HeldOrder]
    memory_bytes: int
    memory_peak_bytes: int
    processed_count: int

    @classmethod
    def of(cls, worker: WorkerSnapshot) -> Self:
        """From what the pool says."""
        pairs = zip(worker.task_ids, worker.po_numbers, strict=True)
        return cls(
            slot=worker.worker.slot,
            generation=worker.worker.generation,
            status=worker.status.name,
            session_status=worker.session_status,
            orders=[HeldOrder(task_id=task_id, number=number) for task_id, number in pairs],
            memory_bytes=worker.memory_bytes,
            memory_peak_bytes=worker.memory_peak_bytes,
            processed_count=worker.processed_count,
        )


class PoolOut(_Given):
    """The pool."""

    status: str
    holds: list[str]
    open_count: int


class MemoryOut(_Given):
    """Memory of all workers, and what may be used; 0 as long as nobody looked."""

    used_bytes: int
    limit_bytes: int
    peak_bytes: int


class StatusOut(_Given):
    """Everything at one glance."""

    version: str
    started_at: datetime
    pool: PoolOut
    workers: list[WorkerOut]
    tabs_per_worker: int
    counts: dict[str, int]
    memory: MemoryOut
    rate_per_min: float
    eta_s: float | None
    is_draining: bool
    is_ready: bool
    #: Why no work is done, a sentence each.
    reasons: list[str]

    @classmethod
    def of(cls, standing: Standing, version: str) -> Self:
        """From what the daemon says."""
        pool = standing.pool
        return cls(
            version=version,
            started_at=standing.started_at,
            pool=PoolOut(status=pool.status.name, holds=list(pool.holds), open_count=pool.open_count),
            workers=[WorkerOut.of(worker) for worker in pool.workers],
            tabs_per_worker=pool.tabs_per_worker,
            counts=standing.counts,
            memory=MemoryOut(
                used_bytes=pool.memory_bytes,
                limit_bytes=pool.memory_limit_bytes,
                peak_bytes=pool.memory_peak_bytes,
            ),
            rate_per_min=round(standing.rate_per_s * 60, 1),
            eta_s=standing.left_s,
            is_draining=standing.is_draining,
            is_ready=not standing.unready,
            reasons=list(standing.unready),
        )


class Health(_Given):
    """Whether the program lives."""

    status: str = "ok"


class Readiness(_Given):
    """Whether orders are taken and done; else why not."""

    is_ready: bool
    reasons: list[str]


def ids_of(which: Which) -> list[TaskId] | None:
    """The ids that are named, where they are."""
    return None if which.task_ids is None else [TaskId(task_id) for task_id in which.task_ids]


def list_of(which: Which) -> BatchId | None:
    """The list that is named, where one is."""
    return None if which.list_id is None else BatchId(which.list_id)
