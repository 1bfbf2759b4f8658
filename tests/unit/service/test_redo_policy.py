"""Which finished orders a second run takes up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import Report, TaskRecord
from poolwright.service.batch import RedoPolicy
from poolwright.service.recovery import tasks_to_redo
from tests.support.tasks import po_task, report


def record(reason: Reason | None, status: str = "DONE") -> TaskRecord:
    report = Report(reason=reason) if reason else None
    return TaskRecord(task=po_task(1), status=status, attempt_count=1, report=report, folder="Acme/PO1")


def is_redone(reason: Reason, redo: RedoPolicy, *, is_whole: bool = True) -> bool:
    return bool(tasks_to_redo([record(reason)], redo, lambda _: is_whole))


@pytest.mark.parametrize(
    ("reason", "redone_by"),
    [
        (Reason.ALL_SAVED, {RedoPolicy.ALL}),
        (Reason.NONE_LISTED, {RedoPolicy.ALL}),
        (Reason.PORTAL_SAYS_MISSING, {RedoPolicy.ALL, RedoPolicy.UNFINISHED}),
        (Reason.NO_PERMISSION, {RedoPolicy.ALL, RedoPolicy.UNFINISHED}),
        (Reason.KILLS_WORKERS, {RedoPolicy.ALL, RedoPolicy.UNFINISHED}),
        (Reason.SOME_FILES_REFUSED, {RedoPolicy.ALL, RedoPolicy.UNFINISHED}),
        (Reason.SOME_FILES_FAILED, {RedoPolicy.ALL, RedoPolicy.UNFINISHED, RedoPolicy.RETRYABLE}),
        (Reason.PORTAL_ERROR, {RedoPolicy.ALL, RedoPolicy.UNFINISHED, RedoPolicy.RETRYABLE}),
        (Reason.ASKS_FOR_LOGIN, {RedoPolicy.ALL, RedoPolicy.UNFINISHED, RedoPolicy.RETRYABLE}),
        (Reason.NO_WORKERS, {RedoPolicy.ALL, RedoPolicy.UNFINISHED, RedoPolicy.RETRYABLE}),
        (Reason.GROUP_SET_ASIDE, set(RedoPolicy)),
        (Reason.BY_REQUEST, {RedoPolicy.ALL, RedoPolicy.UNFINISHED, RedoPolicy.RETRYABLE}),
    ],
)
def test_each_choice_takes_up_what_it_says(reason: Reason, redone_by: set[RedoPolicy]) -> None:
    assert {redo for redo in RedoPolicy if is_redone(reason, redo)} == redone_by


@pytest.mark.parametrize(
    ("redo", "expected"),
    [(RedoPolicy.NOTHING, False), (RedoPolicy.RETRYABLE, True), (RedoPolicy.UNFINISHED, True), (RedoPolicy.ALL, True)],
)
def test_an_order_whose_files_are_gone_is_not_done(redo: RedoPolicy, expected: bool) -> None:
    assert is_redone(Reason.ALL_SAVED, redo, is_whole=False) is expected


@pytest.mark.parametrize(("files", "expected"), [(("a.pdf",), True), ((), False)])
def test_files_of_an_order_in_part_are_brought_again_when_they_are_gone(files: tuple[str, ...], expected: bool) -> None:
    partial = replace(record(Reason.SOME_FILES_REFUSED), report=report(Reason.SOME_FILES_REFUSED, *files))

    assert tasks_to_redo([partial], RedoPolicy.RETRYABLE, lambda _: True) == []
    assert bool(tasks_to_redo([partial], RedoPolicy.RETRYABLE, lambda _: False)) is expected


@pytest.mark.parametrize("status", ["QUEUED", "ASSIGNED", "RUNNING"])
def test_an_order_that_is_still_open_is_not_opened_again(status: str) -> None:
    assert (
        tasks_to_redo([record(Reason.PORTAL_ERROR, status), record(None, status)], RedoPolicy.ALL, lambda _: True) == []
    )
