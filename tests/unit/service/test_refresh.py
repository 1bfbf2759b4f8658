"""``--refresh``: which finished orders are looked at again, and what the report says about them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from poolwright.archive.output_tree import OutputTree
from poolwright.archive.report import write_reports
from poolwright.archive.report_table import report_rows
from poolwright.domain.ids import TaskId
from poolwright.domain.outcomes import Outcome, Reason
from poolwright.domain.refresh import FileChanges, RefreshResult
from poolwright.domain.tasks import Report, TaskRecord
from poolwright.journal.sqlite_journal import SqliteJournal
from poolwright.service.batch import RedoPolicy
from poolwright.service.recovery import reopen
from tests.support.archive_orders import StoppedClock, fetched, report_for, task_for
from tests.support.filed_trees import file_orders, journal_path, list_of
from tests.support.manual_clock import ManualClock

ORDERS = {
    "PO1": {"a.pdf": b"a"},
    "PO2": {},
    "PO3": {},
    "PO4": {"b.pdf": b"b"},
    "PO5": {"c.pdf": b"c"},
    "PO6": {},
}
REPORTS = {
    "PO3": Report(reason=Reason.PORTAL_SAYS_MISSING),
    "PO5": report_for(ORDERS["PO5"], reason=Reason.SOME_FILES_REFUSED),
    "PO6": Report(reason=Reason.PORTAL_ERROR),
}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A tree of orders, of which the files of PO4 are gone."""
    out = tmp_path / "out"
    file_orders(out, ORDERS, reports=REPORTS)
    (out / "Acme/PO4/b.pdf").unlink()
    return out


@pytest.mark.parametrize(
    ("redo", "is_refresh", "refreshed", "fetched_anew"),
    [
        (RedoPolicy.RETRYABLE, True, ["PO1", "PO2"], ["PO4", "PO6"]),
        (RedoPolicy.UNFINISHED, True, ["PO1", "PO2"], ["PO3", "PO4", "PO5", "PO6"]),
        (RedoPolicy.RETRYABLE, False, [], ["PO4", "PO6"]),
    ],
)
async def test_orders_that_are_done_and_whole_are_looked_at_again(
    out: Path, redo: RedoPolicy, *, is_refresh: bool, refreshed: list[str], fetched_anew: list[str]
) -> None:
    listed = list_of(ORDERS)
    async with SqliteJournal(journal_path(out), ManualClock()) as journal:
        tree = OutputTree(out, clock=StoppedClock())
        await reopen(journal, tree, listed.batch_id, redo, is_refresh=is_refresh)
        tasks = await journal.fetch(listed.batch_id, 10)

    known = {task.po_number: task.known_files for task in tasks}
    assert [number for number, files in known.items() if files is not None] == refreshed
    assert [number for number, files in known.items() if files is None] == fetched_anew
    if is_refresh:
        assert known["PO1"] == (fetched("a.pdf", b"a"),)
        assert known["PO2"] == ()


class Records(dict[TaskId, TaskRecord]):
    """The journal's records, in memory."""


def records_of(record: TaskRecord) -> Records:
    return Records({record.task.task_id: record})


AT = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
CHANGED = RefreshResult(at=AT, changes=FileChanges(new=("b.pdf",), same_count=1))


DONE = TaskRecord(
    task=task_for("PO1"),
    status="DONE",
    attempt_count=1,
    report=Report(reason=Reason.ALL_SAVED, detail="Fine."),
    finished_at=AT,
)


def test_the_report_says_what_looking_again_found(tmp_path: Path) -> None:
    orders = list_of({"PO1": {}})

    files = write_reports(orders, records_of(replace(DONE, refresh=CHANGED)), tmp_path, "orders-report")

    sentence = "Looked at again on 2026-11-30: 1 new (b.pdf), 1 the same."
    assert f'"Fine.\n{sentence}"' in files.csv.read_text(encoding="utf-8-sig")
    [row] = json.loads(files.json.read_text(encoding="utf-8"))["rows"]
    assert row["refresh"] == {
        "at": "2026-11-30T09:00:00+00:00",
        "is_done": True,
        "new": ["b.pdf"],
        "changed": [],
        "withdrawn": [],
        "same_count": 1,
        "problem": "",
    }


def test_an_order_that_was_never_looked_at_again_says_nothing_about_it(tmp_path: Path) -> None:
    files = write_reports(list_of({"PO1": {}}), records_of(DONE), tmp_path, "orders-report")

    assert "Looked" not in files.csv.read_text(encoding="utf-8-sig")
    assert json.loads(files.json.read_text(encoding="utf-8"))["rows"][0]["refresh"] is None


def test_an_order_that_still_waits_for_it_keeps_its_row() -> None:
    waiting = replace(DONE, status="QUEUED", task=replace(DONE.task, known_files=()))
    [row] = report_rows(list_of({"PO1": {}}), records_of(waiting))

    assert row.reason_info is not None
    assert row.reason_info.outcome is Outcome.COMPLETED
    assert row.finished_at == AT
    assert row.explanation == "Fine. It waits for being looked at again; run the list again."
