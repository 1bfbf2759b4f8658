"""Which finished orders of an earlier run are done again. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import assert_never

from poolwright.domain.ids import TaskId
from poolwright.domain.outcomes import ActionClass
from poolwright.domain.tasks import Report, TaskRecord
from poolwright.service.batch import Redo


def to_redo(records: Iterable[TaskRecord], redo: Redo, is_whole: Callable[[TaskRecord], bool]) -> list[TaskId]:
    """Return the tasks to queue again.

    Args:
        records: What the journal knows of the list.
        redo: What the user wants done again.
        is_whole: Whether the files of a finished order are all there and unchanged; one whose files are not is done
            again unless the user wants nothing done again, also where it had but a part of them.
    """
    return [
        record.task.task_id
        for record in records
        if record.is_over and record.report is not None and _is_wanted(record.report, redo, partial(is_whole, record))
    ]


def _is_wanted(report: Report, redo: Redo, is_whole: Callable[[], bool]) -> bool:
    is_done = report.meaning.action is ActionClass.DONE
    # An order of which a person must get the rest has files all the same.
    has_files = is_done or bool(report.files)
    match redo:
        case Redo.NOTHING:
            return False
        case Redo.ALL:
            return True
        case Redo.UNFINISHED:
            return not (is_done and is_whole())
        case Redo.RETRYABLE:
            # What needs a person's doing first is left alone: a wrong number, a missing right, a file not handed out.
            can_help = report.meaning.is_retryable or report.meaning.action is ActionClass.RETRY
            return can_help or (has_files and not is_whole())
        case _:
            assert_never(redo)
