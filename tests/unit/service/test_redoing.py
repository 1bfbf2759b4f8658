"""Which finished orders a second run takes up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import Report, TaskRecord
from poolwright.service.batch import Redo
from poolwright.service.redoing import to_redo
from tests.support.tasks import po_task, report


def record(reason: Reason | None, status: str = "DONE") -> TaskRecord:
    report = Report(reason=reason) if reason else None
    return TaskRecord(task=po_task(1), status=status, attempt_count=1, report=report, folder="Acme/PO1")


def is_redone(reason: Reason, redo: Redo, *, is_whole: bool = True) -> bool:
    return bool(to_redo([record(reason)], redo, lambda _: is_whole))


@pytest.mark.parametrize(
    ("reason", "redone_by"),
    [
        (Reason.ALL_SAVED, {Redo.ALL}),
        (Reason.NONE_LISTED, {Redo.ALL}),
        (Reason.PORTAL_SAYS_MISSING, {Redo.ALL, Redo.UNFINISHED}),
        (Reason.NO_PERMISSION, {Redo.ALL, Redo.UNFINISHED}),
        (Reason.KILLS_WORKERS, {Redo.ALL, Redo.UNFINISHED}),
        (Reason.SOME_FILES_REFUSED, {Redo.ALL, Redo.UNFINISHED}),
        (Reason.SOME_FILES_FAILED, {Redo.ALL, Redo.UNFINISHED, Redo.RETRYABLE}),
        (Reason.PORTAL_ERROR, {Redo.ALL, Redo.UNFINISHED, Redo.RETRYABLE}),
        (Reason.NO_WORKERS, {Redo.ALL, Redo.UNFINISHED, Redo.RETRYABLE}),
        (Reason.BY_REQUEST, {Redo.ALL, Redo.UNFINISHED, Redo.RETRYABLE}),
    ],
)
def test_each_choice_takes_up_what_it_says(reason: Reason, redone_by: set[Redo]) -> None:
    assert {redo for redo in Redo if is_redone(reason, redo)} == redone_by


@pytest.mark.parametrize(
    ("redo", "expected"), [(Redo.NOTHING, False), (Redo.RETRYABLE, True), (Redo.UNFINISHED, True), (Redo.ALL, True)]
)
def test_an_order_whose_files_are_gone_is_not_done(redo: Redo, expected: bool) -> None:
    assert is_redone(Reason.ALL_SAVED, redo, is_whole=False) is expected


@pytest.mark.parametrize(("files", "expected"), [(("a.pdf",), True), ((), False)])
def test_files_of_an_order_in_part_are_brought_again_when_they_are_gone(files: tuple[str, ...], expected: bool) -> None:
    partial = replace(record(Reason.SOME_FILES_REFUSED), report=report(Reason.SOME_FILES_REFUSED, *files))

    assert to_redo([partial], Redo.RETRYABLE, lambda _: True) == []
    assert bool(to_redo([partial], Redo.RETRYABLE, lambda _: False)) is expected


@pytest.mark.parametrize("status", ["QUEUED", "ASSIGNED", "RUNNING"])
def test_an_order_that_is_still_open_is_not_opened_again(status: str) -> None:
    assert to_redo([record(Reason.PORTAL_ERROR, status), record(None, status)], Redo.ALL, lambda _: True) == []
