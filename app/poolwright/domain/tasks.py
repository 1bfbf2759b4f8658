"""Tasks: what is asked for one purchase order, what it carries for an own processor, and what came of it.

A payload is any JSON that is small enough to travel in one frame.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile
from typing import Any, TypeAlias

from poolwright.domain.errors import TaskError
from poolwright.domain.ids import BatchId, TaskId
from poolwright.domain.outcomes import REASONS, Outcome, Reason, ReasonInfo
from poolwright.domain.states import OVER, TaskStatus

#: A task that so many workers died on is tried once more, alone in a fresh worker, and only what kills that one too
#: is the task's own doing.
DEATH_LIMIT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class POTask:
    """One purchase order to process. Everything that a worker must know about it travels in here."""

    task_id: TaskId
    #: The number as people write it, with its prefix.
    po_number: str
    #: The number as the portal's addresses hold it.
    portal_number: str
    #: Which try this is; 1 for the first. Written to the journal before the work starts.
    attempt: int = 1
    #: How many workers died while they had it.
    death_count: int = 0
    #: Whatever an own processor needs. Purchase orders have none.
    payload: JsonValue = None
    #: Takes the place of the workers' ``task_timeout_s`` for this task.
    timeout_s: float | None = None

    @property
    def is_on_trial(self) -> bool:
        """Whether it has its last try, which must be its own: workers died on it, perhaps of something else."""
        return self.death_count >= DEATH_LIMIT

    def __post_init__(self) -> None:
        """Refuse what would not survive its way to a worker.

        Raises:
            TaskError: The payload is no JSON or too large, or the time is none.
        """
        if problem := validate_payload(self.payload):
            raise TaskError(f"The task {self.task_id} was refused. {problem}")
        if self.timeout_s is not None and not 0 < self.timeout_s < math.inf:
            raise TaskError(
                f"The task {self.task_id} was refused. Its timeout_s is {self.timeout_s}; "
                "it must be more than 0 seconds, and not without end."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedFile:
    """One attachment that was saved and verified."""

    #: File name within the folder of its order: safe, unique there.
    name: str
    #: How the portal calls it.
    label: str
    size_bytes: int
    #: Lower-case hexadecimal.
    sha256: str
    #: Media type by content, or by name where content does not tell.
    media_type: str
    #: Address that it came from; empty when only a click could fetch it.
    source_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MissedFile:
    """One attachment that the page lists and that could not be saved."""

    label: str
    source_url: str
    #: One sentence: what happened.
    problem: str
    #: Whether another try can help.
    is_retryable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How one attempt at one purchase order went."""

    reason: Reason
    #: One sentence for people; empty when the reason says it all.
    detail: str = ""
    #: What the page told about the order: ``supplier`` and others by the names of the portal pack.
    fields: Mapping[str, str] = field(default_factory=dict[str, str])
    files: tuple[FetchedFile, ...] = ()
    missed: tuple[MissedFile, ...] = ()
    #: Screenshot and page source of a failure, as file names within the staging folder.
    evidence: tuple[str, ...] = ()
    #: Where the page ended.
    page_url: str = ""
    #: The portal asked to wait this long.
    retry_after_s: float | None = None
    duration_s: float = 0.0

    @property
    def meaning(self) -> ReasonInfo:
        """What the reason means to a person."""
        return REASONS[self.reason]

    @property
    def outcome(self) -> Outcome:
        """How it ended."""
        return self.meaning.outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRow:
    """One data row of the user's list, as it was given."""

    #: As a person counts rows in the sheet: the header is row 1 where there is one.
    row_no: int
    #: One cell for each column of the list, as text.
    cells: tuple[str, ...]
    #: The number as it stands in the cell.
    given: str
    #: The task that answers this row; nothing when the number is not valid.
    task_id: TaskId | None = None
    #: Why the row has no task.
    problem: Reason | None = None
    #: One sentence about the problem.
    detail: str = ""
    #: Places of the cells that hold a number, a date or a time; nothing where the list tells no types.
    values: frozenset[int] | None = None

    def may_be_value(self, place: int) -> bool:
        """Whether the cell at a place can be more than its text, for all that the list tells."""
        return self.values is None or place in self.values


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderList:
    """The user's whole list: every column and every row kept in order."""

    batch_id: BatchId
    #: File name, ``-`` for standard input, or ``command line``.
    source: str
    columns: tuple[str, ...]
    rows: tuple[OrderRow, ...]
    tasks: tuple[POTask, ...]
    #: What the user should know about how the list was read.
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRecord:
    """What the journal knows of one task."""

    task: POTask
    #: Name of a ``TaskStatus``.
    status: str
    attempt_count: int
    report: Report | None = None
    #: Folder of the order below the output folder, with forward slashes; empty when it has none.
    folder: str = ""
    finished_at: datetime | None = None

    @property
    def is_over(self) -> bool:
        """Whether the task has its end. One that was taken up again has not, and still its earlier report."""
        return TaskStatus[self.status] in OVER


#: Anything that JSON can say. What stands inside lists and objects is told by ``problem_of``, not by types: validation
#: of frames cannot follow a type that names itself.
JsonValue: TypeAlias = bool | int | float | str | list[Any] | dict[str, Any] | None

#: Half of the largest frame: a payload is no place for files.
PAYLOAD_MAX_BYTES = 512 * 1024
#: Readers of JSON refuse what lies deeper in itself than some 200 lists; a frame has a few of its own around a payload.
DEPTH_MAX = 100
#: How much of a payload a person is shown before the place that counts, and from there on.
_BEFORE_COUNT, _AFTER_COUNT = 30, 30


def validate_payload(payload: JsonValue) -> str:
    """Why a payload would not reach its processor as it was given, in one sentence; empty when it would."""
    if payload is None:
        return ""
    try:
        text = json.dumps(payload, allow_nan=False)
        is_same = json.loads(text) == payload
    except (TypeError, ValueError, RecursionError) as error:
        return f"Its payload is no JSON: {error}."
    if not is_same:
        return "Its payload would be another one as JSON: use lists for tuples, and texts for the keys."
    return _too_much(payload, size_bytes=len(text))


def _too_much(payload: JsonValue, *, size_bytes: int) -> str:
    """Why JSON that is well-formed would not travel all the same; empty when it would."""
    if not _is_whole(payload):
        return "Its payload holds half of a character (a lone surrogate), which UTF-8 cannot carry."
    if _depth(payload) > DEPTH_MAX:
        return f"Its payload has lists and objects more than {DEPTH_MAX} deep within each other."
    if size_bytes > PAYLOAD_MAX_BYTES:
        return f"Its payload has {size_bytes:,} bytes as JSON; at most {PAYLOAD_MAX_BYTES:,} can travel."
    return ""


def _is_whole(payload: JsonValue) -> bool:
    try:
        json.dumps(payload, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _depth(payload: JsonValue) -> int:
    """How many lists and objects lie within each other. Looked at level by level, so that no depth ends the stack."""
    depth, level = 0, [payload]
    while level := [inner for part in level for inner in _parts(part)]:
        depth += 1
    return depth


def _parts(value: JsonValue) -> Iterable[JsonValue]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def payload_diff(known: JsonValue, given: JsonValue) -> str:
    """Where two payloads part, in a few words; empty when they say the same. Both have no problem."""
    texts = [json.dumps(payload, sort_keys=True, ensure_ascii=False) for payload in (known, given)]
    if texts[0] == texts[1]:
        return ""
    place = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(*texts, strict=False)))
    known_text, given_text = (_excerpt(text, place) for text in texts)
    return f"{known_text} was known, {given_text} is given"


def _excerpt(text: str, place: int) -> str:
    start, end = max(place - _BEFORE_COUNT, 0), place + _AFTER_COUNT
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"
