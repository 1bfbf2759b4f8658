"""The tasks of a pool: the order and payload of each, the reports of its attempts, and the lists that they come from.

A payload is any JSON value that is small enough for one frame.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import takewhile
from typing import Any, TypeAlias

from poolwright.domain.errors import TaskError
from poolwright.domain.ids import BatchId, TaskId
from poolwright.domain.outcomes import REASONS, Outcome, Reason, ReasonInfo
from poolwright.domain.refresh import RefreshResult, refresh_result
from poolwright.domain.states import OVER, TaskStatus

#: A task on which this many workers crashed is tried once more, alone in a new worker: only if that one crashes too is
#: the task the cause.
DEATH_LIMIT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class POTask:
    """One purchase order to process, with everything that a worker needs to know about it."""

    task_id: TaskId
    #: The number as people write it, with its prefix.
    po_number: str
    #: The number as it is in the portal's addresses.
    portal_number: str
    #: The number of this attempt, from 1. Written to the journal before the work starts.
    attempt: int = 1
    #: The number of workers that crashed on it.
    death_count: int = 0
    #: The input of a custom processor. Purchase orders have none.
    payload: JsonValue = None
    #: Replaces the workers' ``task_timeout_s`` for this task.
    timeout_s: float | None = None
    #: The files that it has, if this attempt looks at a finished order again; ``None`` for any other attempt.
    known_files: tuple[FetchedFile, ...] | None = None
    #: Its group in the user's list, such as a company code; empty if it has none.
    group: str = ""
    #: The cells of the user's list that name its folder, by column; empty if none does.
    cells: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def is_on_trial(self) -> bool:
        """Whether it is on trial: its last attempt, alone in a new worker, because workers crashed on it."""
        return self.death_count >= DEATH_LIMIT

    def __post_init__(self) -> None:
        """Check the payload and the time limit.

        Raises:
            TaskError: The payload is not JSON or too large, or the time limit is not a positive number.
        """
        if problem := validate_payload(self.payload):
            raise TaskError(f"The task {self.task_id} was refused. {problem}")
        if self.timeout_s is not None and not 0 < self.timeout_s < math.inf:
            raise TaskError(
                f"The task {self.task_id} was refused. Its timeout_s is {self.timeout_s}; "
                "it must be a finite number of seconds above 0."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedFile:
    """One attachment that was saved and verified."""

    #: File name within the folder of its order: safe, unique there.
    name: str
    #: The portal's name for it.
    label: str
    size_bytes: int
    #: Lower-case hexadecimal.
    sha256: str
    #: Media type by content, or by name if the content does not show it.
    media_type: str
    #: The address of the download; empty if only a click could start it.
    source_url: str
    #: Strong validators of the response, to ask later whether the file is the same; empty if there were none.
    etag: str = ""
    last_modified: str = ""
    #: To what it belongs: the further page that listed it, and what the page says, such as a line of the order. It is
    #: in the manifest only.
    section: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MissedFile:
    """One attachment on the page that could not be saved."""

    label: str
    source_url: str
    #: The cause in one sentence.
    problem: str
    #: Whether another attempt can help.
    is_retryable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The result of one attempt at one purchase order."""

    reason: Reason
    #: One sentence for people; empty if the reason needs none.
    detail: str = ""
    #: Facts about the order from its page: ``supplier`` and others by the names of the portal pack.
    fields: Mapping[str, str] = field(default_factory=dict[str, str])
    files: tuple[FetchedFile, ...] = ()
    missed: tuple[MissedFile, ...] = ()
    #: Screenshot and page source of a failure, as file names within the staging folder.
    evidence: tuple[str, ...] = ()
    #: The page of the order as it was read, among its staged files; ``None`` if it is not filed. No attachment, so it
    #: is in the manifest only.
    page_evidence: FetchedFile | None = None
    #: The last address of the page.
    page_url: str = ""
    #: The delay that the portal asked for.
    retry_after_s: float | None = None
    duration_s: float = 0.0

    @property
    def meaning(self) -> ReasonInfo:
        """The outcome, action and next step of the reason."""
        return REASONS[self.reason]

    @property
    def outcome(self) -> Outcome:
        """The outcome of the reason."""
        return self.meaning.outcome


def refresh_of(task: POTask, report: Report, at: datetime) -> RefreshResult | None:
    """Return the result of an attempt that looked at a finished order again; ``None`` for any other attempt."""
    if task.known_files is None:
        return None
    return refresh_result(task.known_files, report.outcome, report.files, at, problem=report.detail)


def shown_report(task: POTask, report: Report, at: datetime) -> Report:
    """Return the report of an attempt as observers see it: one that keeps the earlier result shows that."""
    result = refresh_of(task, report, at)
    if result is None or task.known_files is None:
        return report
    if result.changes is None:
        kept = Reason.ALL_SAVED if task.known_files else Reason.NONE_LISTED
        return Report(reason=kept, detail=result.sentence, page_url=report.page_url, duration_s=report.duration_s)
    return replace(report, detail=" ".join(filter(None, (report.detail, result.sentence))))


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRow:
    """One data row of the user's list, unchanged."""

    #: The row number in the sheet: a header, if there is one, is row 1.
    row_no: int
    #: One cell for each column of the list, as text.
    cells: tuple[str, ...]
    #: The text of the cell with the order number.
    given: str
    #: The task of this row; ``None`` if the number is not valid.
    task_id: TaskId | None = None
    #: The reason why the row has no task.
    problem: Reason | None = None
    #: One sentence about the problem.
    detail: str = ""
    #: Indexes of the cells with a number, a date or a time; ``None`` if the list has no types.
    values: frozenset[int] | None = None

    def may_be_value(self, index: int) -> bool:
        """Whether the cell at an index can be a number, a date or a time, as far as the list shows types."""
        return self.values is None or index in self.values


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderList:
    """The user's whole list: every column and every row in order."""

    batch_id: BatchId
    #: File name, ``-`` for standard input, or ``command line``.
    source: str
    columns: tuple[str, ...]
    rows: Sequence[OrderRow]
    tasks: Sequence[POTask]
    #: Notices for the user about the reading of the list.
    notices: tuple[str, ...] = ()
    #: The workbook's sheet with the list; empty for a list that is in none.
    sheet: str = ""
    #: Number of the row with the names of the columns; ``None`` if the list has none.
    header_row_no: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRecord:
    """The journal's record of one task."""

    task: POTask
    #: Name of a ``TaskStatus``.
    status: str
    attempt_count: int
    report: Report | None = None
    #: Folder of the order below the output folder, with forward slashes; empty if it has none.
    folder: str = ""
    finished_at: datetime | None = None
    #: The result of the last time that it was looked at again; ``None`` if it was not, or was fetched anew since.
    refresh: RefreshResult | None = None

    @property
    def is_refreshing(self) -> bool:
        """Whether it has its outcome and waits for being looked at again."""
        return not self.is_over and self.task.known_files is not None

    @property
    def is_over(self) -> bool:
        """Whether the task has its outcome. One that was reopened does not, and still has its earlier report."""
        return TaskStatus[self.status] in OVER


#: Any JSON value. The content of lists and objects is checked by ``validate_payload``, not by types: the validation of
#: frames does not support a recursive type.
JsonValue: TypeAlias = bool | int | float | str | list[Any] | dict[str, Any] | None

#: A payload is not meant for files.
PAYLOAD_MAX_BYTES = 512 * 1024
#: JSON parsers reject more than about 200 nested lists; a frame has a few levels of its own around a payload.
DEPTH_MAX = 100
#: Characters of a payload that a person sees before and after the first difference.
_BEFORE_COUNT, _AFTER_COUNT = 30, 30


def validate_payload(payload: JsonValue) -> str:
    """Return the problem that keeps a payload from reaching its processor unchanged, as a sentence; empty if none."""
    if payload is None:
        return ""
    try:
        text = json.dumps(payload, allow_nan=False)
        is_same = json.loads(text) == payload
    except (TypeError, ValueError, RecursionError) as error:
        return f"Its payload is not JSON: {error}."
    if not is_same:
        return "Its payload would change as JSON: use lists instead of tuples, and strings as keys."
    return _transport_problem(payload, size_bytes=len(text))


def _transport_problem(payload: JsonValue, *, size_bytes: int) -> str:
    """Return the problem that keeps well-formed JSON from being sent; empty if there is none."""
    if not _is_whole(payload):
        return "Its payload contains half of a character (a lone surrogate), which UTF-8 cannot encode."
    if _depth(payload) > DEPTH_MAX:
        return f"Its payload nests lists and objects more than {DEPTH_MAX} levels deep."
    if size_bytes > PAYLOAD_MAX_BYTES:
        return f"Its payload has {size_bytes:,} bytes as JSON; at most {PAYLOAD_MAX_BYTES:,} are allowed."
    return ""


def _is_whole(payload: JsonValue) -> bool:
    try:
        json.dumps(payload, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _depth(payload: JsonValue) -> int:
    """Return how deep lists and objects are nested; counted level by level, so that no depth exhausts the stack."""
    depth, level = 0, [payload]
    while level := [inner for value in level for inner in _children(value)]:
        depth += 1
    return depth


def _children(value: JsonValue) -> Iterable[JsonValue]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def payload_diff(before: JsonValue, now: JsonValue) -> str:
    """Return the first difference of two valid payloads, in a few words; empty if they are equal."""
    texts = [json.dumps(payload, sort_keys=True, ensure_ascii=False) for payload in (before, now)]
    if texts[0] == texts[1]:
        return ""
    index = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(*texts, strict=False)))
    text_before, text_now = (_excerpt(text, index) for text in texts)
    return f"{text_before} before, {text_now} now"


def _excerpt(text: str, index: int) -> str:
    start, end = max(index - _BEFORE_COUNT, 0), index + _AFTER_COUNT
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"
