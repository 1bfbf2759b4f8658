"""Lists of what can be tried again: the user's rows by class of outcome, as ``run`` takes them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from poolwright.archive.report import write_reports
from poolwright.archive.retry_lists import CLASSES, ReportUnreadableError, RetryLists
from poolwright.domain.ids import BatchId, TaskId
from poolwright.domain.outcomes import Outcome, Reason
from poolwright.domain.tasks import OrderList, OrderRow, Report, TaskRecord
from tests.support.archive_orders import task_for

#: What became of each order of the list; nothing for one that still waits.
REASONS = {
    "PO1": Reason.ALL_SAVED,
    "PO2": Reason.PORTAL_ERROR,
    "PO3": Reason.PORTAL_SAYS_MISSING,
    "PO4": None,
    "PO5": Reason.PORTAL_ERROR,
    "PO6": Reason.NO_PERMISSION,
}
CELLS = {number: (number, f'a "quoted", {number}\nline', "=1+1", "") for number in REASONS}
COLUMNS = ("PO", "Größe", "Formula", "")


class Records(dict[TaskId, TaskRecord]):
    """The journal's records, in memory."""


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """The report of a list as JSON."""
    tasks = {number: task_for(number) for number in REASONS}
    rows = [
        OrderRow(row_no=place, cells=CELLS[number], given=number, task_id=task.task_id)
        for place, (number, task) in enumerate(tasks.items(), 2)
    ]
    rows.append(OrderRow(row_no=8, cells=("x", "", "", ""), given="x", problem=Reason.BAD_NUMBER))
    rows.append(OrderRow(row_no=9, cells=("PO2", "again", "", ""), given="PO2", task_id=tasks["PO2"].task_id))
    orders = OrderList(
        batch_id=BatchId("list"), source="orders.csv", columns=COLUMNS, rows=tuple(rows), tasks=tuple(tasks.values())
    )
    records = Records()
    for number, reason in REASONS.items():
        done = None if reason is None else Report(reason=reason)
        records[tasks[number].task_id] = TaskRecord(
            task=tasks[number], status="DONE" if done else "QUEUED", attempt_count=1, report=done
        )
    return write_reports(orders, records, tmp_path / "reports", "orders-report").json


def rows_of(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def test_each_class_has_a_list_with_the_users_rows(report: Path) -> None:
    written = RetryLists(report).write()

    assert [(entry.name, entry.path.name, entry.row_count) for entry in written] == [
        ("failed", "orders-failed.csv", 3),
        ("not-found", "orders-not-found.csv", 1),
        ("forbidden", "orders-forbidden.csv", 1),
        ("waiting", "orders-waiting.csv", 1),
    ]
    failed, *_, waiting = (rows_of(entry.path) for entry in written)
    assert failed == [list(COLUMNS), list(CELLS["PO2"]), list(CELLS["PO5"]), ["PO2", "again", "", ""]]
    assert waiting == [list(COLUMNS), list(CELLS["PO4"])]
    assert {path.name for path in report.parent.glob(".*")} == set()


def test_only_the_classes_that_are_asked_for_are_written(report: Path, tmp_path: Path) -> None:
    folder = tmp_path / "lists"
    folder.mkdir()

    [entry] = RetryLists(report, folder).write(frozenset({"not-found", "partial"}))

    assert list(folder.iterdir()) == [entry.path]
    assert rows_of(entry.path)[1:] == [list(CELLS["PO3"])]


def test_a_list_replaces_the_earlier_one(report: Path) -> None:
    (report.parent / "orders-failed.csv").write_text("old")

    RetryLists(report).write()

    assert len(rows_of(report.parent / "orders-failed.csv")) == 4


def test_every_outcome_but_those_that_need_nothing_more_has_a_class() -> None:
    without = {Outcome.COMPLETED, Outcome.NO_ATTACHMENTS, Outcome.INVALID}

    assert {*CLASSES.values(), *without} == {*Outcome, None}


@pytest.mark.parametrize(
    ("harm", "cause"),
    [
        (lambda text: "", "is not a report of Poolwright as JSON"),
        (lambda text: "PO;Name\n1;2\n", "is not a report of Poolwright as JSON"),
        (lambda text: text.replace('"columns": [', '"columns": {', 1), "is not a report of Poolwright as JSON"),
        (lambda text: text.replace('"columns"', '"Columns"', 1), "is not a report of Poolwright as JSON"),
        (lambda text: text.replace('"rows"', '"lines"', 1), "is not a report of Poolwright as JSON"),
        (lambda text: text[: text.rindex("\n]}")], "is cut short"),
        (lambda text: text[:-40], "is damaged or was edited"),
        (lambda text: text.replace('"cells"', '"Cells"', 1), "is damaged or was edited"),
        (lambda text: text.replace('{"row_no": 2', "3, {", 1), "is damaged or was edited"),
    ],
)
def test_what_is_no_whole_report_gives_no_list(report: Path, harm: Callable[[str], str], cause: str) -> None:
    report.write_text(harm(report.read_text(encoding="utf-8")), encoding="utf-8")

    with pytest.raises(ReportUnreadableError, match=cause):
        RetryLists(report).write()

    assert not list(report.parent.glob("orders-f*.csv"))
    assert not list(report.parent.glob(".*"))


def test_bytes_that_are_no_text_are_refused(report: Path) -> None:
    report.write_bytes(b"\xff\xfe\x00PK")

    with pytest.raises(ReportUnreadableError, match="is not a report"):
        RetryLists(report).write()


def test_the_rows_of_a_report_are_one_line_each(report: Path) -> None:
    assert len(json.loads(report.read_text(encoding="utf-8"))["rows"]) == len(
        report.read_text(encoding="utf-8").splitlines()[3:-1]
    )
