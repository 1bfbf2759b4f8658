"""Request and response models of the HTTP interface. Requests with unknown fields are rejected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from poolwright.domain.ids import BatchId, TaskId
from poolwright.domain.outcomes import REASON_SENTENCES, REASONS, ActionClass, Outcome, Reason
from poolwright.domain.ports import Accepted
from poolwright.domain.refresh import RefreshCounts
from poolwright.domain.states import ended_count, open_count
from poolwright.domain.tasks import OrderList, TaskRecord
from poolwright.journal.queries import FailureClass, ListView
from poolwright.service.batch import RedoPolicy
from poolwright.service.daemon.file_checks import FileCheck

#: Maximum count of numbers in one request; longer lists are uploaded as files.
NUMBERS_MAX = 20_000
#: Maximum count of order ids in one request.
IDS_MAX = 10_000
_ID = Annotated[str, Field(min_length=1, max_length=300)]


class RequestModel(BaseModel):
    """Base of request models."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ResponseModel(BaseModel):
    """Base of response models."""

    model_config = ConfigDict(frozen=True)


class NumbersIn(RequestModel):
    """Orders by their numbers."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"numbers": ["PO4500012345", "PO4500012346"], "name": "march close"}]},
    )

    numbers: Annotated[list[Annotated[str, Field(max_length=200)]], Field(min_length=1, max_length=NUMBERS_MAX)]
    #: Name of the list in reports.
    name: Annotated[str, Field(min_length=1, max_length=100)] = "api"
    redo: RedoPolicy = RedoPolicy.RETRYABLE
    #: Whether finished orders are looked at again.
    refresh: bool = False


class GroupSelection(RequestModel):
    """Selects a group of orders."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"group": "2000"}]})

    #: As the status names it.
    group: _ID


class OrderSelection(RequestModel):
    """Selects orders by id, list, outcome or reason."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"reason": "portal_error"}, {"list_id": "0f3a"}]}
    )

    task_ids: Annotated[list[_ID], Field(min_length=1, max_length=IDS_MAX)] | None = None
    list_id: _ID | None = None
    outcome: Outcome | None = None
    reason: Reason | None = None

    @model_validator(mode="after")
    def _check_not_empty(self) -> Self:
        if all(value is None for value in (self.task_ids, self.list_id, self.outcome, self.reason)):
            msg = "name task_ids, list_id, outcome or reason"
            raise ValueError(msg)
        return self


class InvalidRow(ResponseModel):
    """A row of a list that names no valid order."""

    row_no: int
    given: str
    reason: Reason
    detail: str


class ListAccepted(ResponseModel):
    """The result of submitting a list."""

    list_id: str
    source: str
    new_count: int
    waiting_count: int
    done_count: int
    invalid: list[InvalidRow]
    notices: list[str]
    #: Whether the files of finished orders are being checked; incomplete orders run again. The list shows the progress.
    is_checking: bool = False

    @classmethod
    def from_accepted(cls, orders: OrderList, accepted: Accepted, *, is_checking: bool) -> Self:
        """Build it from what the daemon returned."""
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
            notices=[*orders.notices, *accepted.notices],
            is_checking=is_checking,
        )


class FileCheckOut(ResponseModel):
    """Progress of the file check that decides which orders run again."""

    looked_count: int
    #: 0 until the check of this list starts.
    total_count: int

    @classmethod
    def from_check(cls, check: FileCheck) -> Self:
        """Build it from what the daemon returned."""
        return cls(looked_count=check.progress.count, total_count=check.progress.total_count)


class RefreshOut(ResponseModel):
    """What came of looking at finished orders again, since the list was accepted last."""

    order_count: int
    same_count: int
    changed_count: int
    #: Orders that could not be looked at; they keep their results.
    failed_count: int
    new_file_count: int
    changed_file_count: int
    withdrawn_file_count: int
    #: The same for people.
    sentence: str

    @classmethod
    def from_counts(cls, counts: RefreshCounts) -> Self | None:
        """Build it from the journal's counts; ``None`` if no order was looked at again."""
        if not counts.order_count:
            return None
        return cls(order_count=counts.order_count, sentence=counts.sentence, **asdict(counts))


class ListOut(ResponseModel):
    """A list and its progress."""

    list_id: str
    source: str
    accepted_at: datetime
    #: Its orders by state.
    counts: dict[str, int]
    open_count: int
    #: Those that have ended, cancelled ones included.
    ended_count: int
    outcomes: dict[str, int]
    #: Progress of the check of earlier files; ``None`` without one.
    checking: FileCheckOut | None = None
    #: ``None`` if no order was looked at again.
    refresh: RefreshOut | None = None

    @classmethod
    def from_view(cls, view: ListView, check: FileCheck | None) -> Self:
        """Build it from the journal's records."""
        return cls(
            list_id=view.list_id,
            source=view.source,
            accepted_at=view.accepted_at,
            counts=view.counts,
            open_count=open_count(view.counts),
            ended_count=ended_count(view.counts),
            outcomes=view.outcomes,
            checking=None if check is None else FileCheckOut.from_check(check),
            refresh=RefreshOut.from_counts(view.refresh),
        )


class OrderOut(ResponseModel):
    """An order and, once it is finished, its outcome."""

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
    def from_record(cls, record: TaskRecord) -> Self:
        """Build it from the journal's records."""
        order = cls(
            task_id=record.task.task_id,
            number=record.task.po_number,
            state=record.status,
            attempt_count=record.attempt_count,
        )
        report = record.report
        if report is None:
            return order
        fields = {
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
        return order.model_copy(update=fields)


class OrdersOut(ResponseModel):
    """One page of orders; ``next`` is the value of ``after`` for the next page."""

    orders: list[OrderOut]
    next: str | None

    @classmethod
    def from_records(cls, records: Sequence[TaskRecord], limit: int) -> Self:
        """Build it from the journal's records."""
        last = records[-1].task.task_id if len(records) == limit else None
        return cls(orders=[OrderOut.from_record(record) for record in records], next=last)


class FailureOut(ResponseModel):
    """All orders that failed for one reason, with the latest few of them."""

    reason: Reason
    #: What happened, in one sentence.
    sentence: str
    outcome: Outcome
    action: ActionClass
    next_step: str
    count: int
    orders: list[OrderOut]

    @classmethod
    def from_failures(cls, failures: FailureClass) -> Self:
        """Build it from the journal's records."""
        meaning = REASONS[failures.reason]
        return cls(
            reason=failures.reason,
            sentence=REASON_SENTENCES[failures.reason],
            outcome=meaning.outcome,
            action=meaning.action,
            next_step=meaning.next_step,
            count=failures.count,
            orders=[OrderOut.from_record(record) for record in failures.orders],
        )


class AffectedCount(ResponseModel):
    """The number of affected orders."""

    count: int


def selected_ids(selection: OrderSelection) -> list[TaskId] | None:
    """Return the ids of the selection; ``None`` if it names none."""
    return None if selection.task_ids is None else [TaskId(task_id) for task_id in selection.task_ids]


def selected_list(selection: OrderSelection) -> BatchId | None:
    """Return the list of the selection; ``None`` if it names none."""
    return None if selection.list_id is None else BatchId(selection.list_id)
