from __future__ import annotations

import csv
import errno
import hashlib
import json
import math
import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zipfile import ZipFile

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.cell import Cell
from openpyxl.worksheet.worksheet import Worksheet

from poolwright.archive import excel_limits, report, report_xlsx
from poolwright.archive.report import ReportFiles, load_workbook_writer, write_reports
from poolwright.archive.report_rotation import KEPT_COUNT
from poolwright.archive.report_table import RESULT_COLUMNS, SummaryCounter, report_rows, result_headers
from poolwright.archive.workbooks.list_workbook import ListWorkbook
from poolwright.domain.ids import BatchId, TaskId
from poolwright.domain.outcomes import REASONS, ActionClass, Outcome, Reason
from poolwright.domain.tasks import OrderList, OrderRow, Report, TaskRecord
from tests.support.tasks import orders, po_task, task_id
from tests.unit.archive.lists import COLUMNS, FINISHED, ORDERS, RECORDS, ROWS, long_list

HEADERS = [
    *COLUMNS,
    "Outcome (2)",
    "Reason",
    "What to do",
    "Detail",
    "Supplier (portal)",
    "Files found",
    "Files saved",
    "Folder (2)",
    "File names",
    "Attempts",
    "Finished at (UTC)",
]


@pytest.fixture
def files(tmp_path: Path) -> ReportFiles:
    return write_reports(ORDERS, RECORDS, tmp_path, "orders report")


def sheet_of(files: ReportFiles, title: str = "Report") -> Worksheet:
    return load_workbook(files.xlsx)[title]


def cell_of(sheet: Worksheet, row_no: int, header: str) -> Cell:
    cell = sheet.cell(row_no, HEADERS.index(header) + 1)
    assert isinstance(cell, Cell)
    return cell


def table_of(files: ReportFiles) -> list[list[str]]:
    with files.csv.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def result(table: list[list[str]], row_no: int) -> dict[str, str]:
    return dict(zip(RESULT_COLUMNS, table[row_no - 1][len(COLUMNS) :], strict=True))


def test_the_three_forms_lie_beside_each_other_and_nothing_else(files: ReportFiles, tmp_path: Path) -> None:
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "orders report.csv",
        "orders report.json",
        "orders report.xlsx",
    ]
    assert [files.xlsx, files.csv, files.json] == [
        tmp_path / f"orders report.{kind}" for kind in ("xlsx", "csv", "json")
    ]
    assert files.notices == ()


def test_result_columns_follow_under_names_that_the_list_does_not_use(files: ReportFiles) -> None:
    assert table_of(files)[0] == HEADERS
    assert [cell.value for cell in sheet_of(files)[1]] == HEADERS
    assert result_headers(("outcome", "OUTCOME (2)"))[0] == "Outcome (3)"


def test_every_row_of_the_list_is_there_in_order_and_unchanged(files: ReportFiles) -> None:
    table = table_of(files)

    assert len(table) == len(ROWS) + 1
    for given, written in zip(ROWS[:-1], table[1:], strict=False):
        assert tuple(written[: len(COLUMNS)]) == given.cells
    sheet = sheet_of(files)
    assert [cell.value for cell in sheet[2]][:6] == ["PO1", "0001234", "=1+1", "-", "+49 30", "a;b"]


def test_no_text_becomes_a_formula_an_error_or_a_number_in_the_workbook(files: ReportFiles) -> None:
    sheet = sheet_of(files)

    cells = [cell for row in sheet.iter_rows(min_row=2) for cell in row if isinstance(cell.value, str)]
    assert {cell.data_type for cell in cells} == {"s"}
    assert {cell.number_format for cell in cells} == {"@"}
    assert {str(cell.value)[0] for cell in cells if cell.quotePrefix} == {"=", "+", "-", "@"}
    assert cell_of(sheet, 2, "Supplier (portal)").value == "=HYPERLINK(1)"


def test_what_a_portal_told_is_no_formula_in_csv(files: ReportFiles) -> None:
    table = table_of(files)

    assert result(table, 2)["Supplier (portal)"] == "'=HYPERLINK(1)"
    assert result(table, 6)["Detail"] == "'-1 is what the portal said."
    assert result(table, 2)["File names"] == "Größe.pdf\n=cmd|calc.xlsx"


@pytest.mark.parametrize(
    ("row_no", "column", "text"),
    [
        (2, "Outcome", "COMPLETED"),
        (2, "Reason", "all_saved"),
        (2, "What to do", "Nothing to do."),
        (2, "Files found", "2"),
        (2, "Files saved", "2"),
        (2, "Folder", "Acme & Co #1 50%/PO1 Größe"),
        (2, "Attempts", "2"),
        (2, "Finished at (UTC)", "2026-11-23 12:30:05"),
        (3, "Outcome", "PARTIAL"),
        (3, "Files found", "3"),
        (3, "Files saved", "2"),
        (3, "Detail", "Missing: lost.pdf (The server closed the connection.)"),
        (4, "Outcome", "COMPLETED"),
        (4, "Detail", "Same order as row 2."),
        (4, "Files saved", "2"),
        (5, "Outcome", "INVALID"),
        (5, "What to do", REASONS[Reason.BAD_NUMBER].next_step),
        (5, "Detail", "'?' is no order number."),
        (5, "Files found", ""),
        (5, "Attempts", ""),
        (6, "Files found", ""),
        (6, "Files saved", ""),
        (7, "Outcome", "CANCELLED"),
        (7, "Reason", "by_request"),
        (8, "Files saved", "1"),
        (8, "Outcome", ""),
        (8, "What to do", "Not done yet; run the list again."),
        (8, "Detail", "The result shown is from an earlier attempt."),
        (8, "Folder", "Acme/PO5"),
        (8, "Finished at (UTC)", ""),
        (9, "Outcome", "NO_ATTACHMENTS"),
        (9, "Files found", "0"),
        (10, "Outcome", ""),
        (10, "What to do", "Not done yet; run the list again."),
    ],
)
def test_each_row_tells_what_came_of_it(files: ReportFiles, row_no: int, column: str, text: str) -> None:
    assert result(table_of(files), row_no)[column] == text


def test_numbers_and_times_can_be_counted_and_sorted_in_the_workbook(files: ReportFiles) -> None:
    sheet = sheet_of(files)

    assert cell_of(sheet, 3, "Files found").value == 3
    finished = cell_of(sheet, 3, "Finished at (UTC)")
    assert finished.value == FINISHED.replace(tzinfo=None)
    assert finished.number_format == "yyyy-mm-dd hh:mm:ss"


def test_a_folder_is_one_click_away_whatever_its_name(files: ReportFiles) -> None:
    sheet = sheet_of(files)

    link = cell_of(sheet, 2, "Folder (2)").hyperlink
    assert link is not None
    assert link.target == "Acme%20&%20Co%20%231%2050%25/PO1%20Größe"
    assert cell_of(sheet, 6, "Folder (2)").hyperlink is None


def test_a_report_in_a_folder_of_its_own_leads_to_the_folders_of_orders(tmp_path: Path) -> None:
    files = write_reports(ORDERS, RECORDS, tmp_path / "reports", "report", out=tmp_path)

    link = cell_of(sheet_of(files), 3, "Folder (2)").hyperlink
    assert link is not None
    assert link.target == "../Acme/PO2"


def test_the_sheet_is_ready_to_work_with(files: ReportFiles) -> None:
    sheet = sheet_of(files)

    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == f"A1:Q{len(ROWS) + 1}"
    assert all(cell.font.b for cell in sheet[1])
    widths = [dimension.width for dimension in sheet.column_dimensions.values()]
    assert len(widths) == len(HEADERS)
    assert all(8 <= width <= 60 for width in widths)
    assert sheet.column_dimensions["Q"].width == len(HEADERS[-1]) + 5 > len("2026-11-23 12:30:05") + 2
    assert sheet.column_dimensions["A"].width < sheet.column_dimensions["I"].width
    assert cell_of(sheet, 2, "File names").alignment.wrap_text
    fills = {cell_of(sheet, row_no, "Outcome (2)").fill.fgColor.rgb for row_no in (2, 3, 5, 6, 7, 8)}
    assert len(fills) == 6
    heights = {row_no: sheet.row_dimensions[row_no].height for row_no in range(1, len(ROWS) + 2)}
    assert heights[1] is None
    assert heights[2] == 30  # two names of files
    assert set(heights.values()) >= {None, 30}


def test_text_that_no_sheet_can_hold_does_not_break_it(files: ReportFiles) -> None:
    assert sheet_of(files).cell(10, 2).value == "bell \ufffd and half \ufffd"
    assert sheet_of(files).cell(3, 4).value == "two\nlines"
    assert table_of(files)[9][1] == "bell \x07 and half ?"


@pytest.mark.parametrize("reason", [Reason.BY_REQUEST, Reason.GROUP_SET_ASIDE])
def test_a_cancelled_order_says_why(reason: Reason) -> None:
    row = OrderRow(row_no=2, cells=("PO1",), given="PO1", task_id=task_id(1))
    record = TaskRecord(task=po_task(1), status="CANCELLED", attempt_count=0, report=Report(reason=reason))
    given = replace(orders(), rows=(row,))

    (line,) = report_rows(given, {task_id(1): record})

    assert line.reason is reason


def test_the_summary_counts_each_order_once(files: ReportFiles) -> None:
    tally = SummaryCounter()
    for line in report_rows(ORDERS, RECORDS):
        tally.add(line)
    summary = tally.summary(ORDERS)

    assert summary.outcomes == {
        Outcome.COMPLETED: 1,
        Outcome.PARTIAL: 1,
        Outcome.NO_ATTACHMENTS: 1,
        Outcome.INVALID: 1,
        Outcome.FAILED: 1,
        Outcome.CANCELLED: 1,
    }
    assert summary.actions == {
        ActionClass.DONE: 2,
        ActionClass.FIX_INPUT: 1,
        ActionClass.RETRY: 1,
        ActionClass.PORTAL_FAULT: 2,
    }
    assert (summary.row_count, summary.order_count, summary.repeated_row_count, summary.not_done_count) == (9, 7, 1, 2)
    assert (summary.saved_file_count, summary.saved_bytes, summary.missed_file_count) == (5, 25, 1)

    shown = {row[0].value: row[1].value for row in sheet_of(files, "Summary").iter_rows(max_col=2) if row[0].value}
    assert shown["List"] == "orders.xlsx"
    assert shown["COMPLETED"] == 1
    assert shown["portal fault"] == 2
    assert shown["Orders not done yet"] == 2
    assert shown["Last finished (UTC)"] == FINISHED.replace(tzinfo=None)
    assert "The column PO was taken." in shown


def test_the_json_form_holds_everything(files: ReportFiles) -> None:
    told = json.loads(files.json.read_text(encoding="utf-8"))

    assert told["columns"] == list(COLUMNS)
    assert told["summary"]["batch_id"] == "batch-1"
    assert told["summary"]["outcomes"]["COMPLETED"] == 1
    assert [row["row_no"] for row in told["rows"]] == [row.row_no for row in ROWS]
    assert told["rows"][0]["cells"] == list(ROWS[0].cells)
    assert told["rows"][0]["files"][0]["name"] == "Größe.pdf"
    assert told["rows"][1]["missed"][0]["label"] == "lost.pdf"
    assert told["rows"][2]["same_as_row_no"] == 2
    assert told["rows"][3]["outcome"] == "INVALID"
    assert told["rows"][6]["outcome"] is None
    assert told["rows"][0]["finished_at"] == "2026-11-23T12:30:05+00:00"


def test_a_list_without_rows_has_a_report_too(tmp_path: Path) -> None:
    orders = type(ORDERS)(batch_id=ORDERS.batch_id, source="-", columns=("PO",), rows=(), tasks=())

    files = write_reports(orders, {}, tmp_path / "made on the way", "report")

    assert json.loads(files.json.read_text())["rows"] == []
    assert sheet_of(files).max_row == 1
    assert len(table_of(files)) == 1


def test_a_second_report_takes_the_place_of_the_first(files: ReportFiles, tmp_path: Path) -> None:
    again = write_reports(ORDERS, {}, tmp_path, "orders report")

    assert (again.xlsx, again.notices) == (files.xlsx, ())
    assert len(list(tmp_path.iterdir())) == 3
    assert result(table_of(again), 2)["Outcome"] == ""


def test_the_report_of_another_list_of_this_name_is_kept_and_told(files: ReportFiles, tmp_path: Path) -> None:
    before = {path.suffix: path.read_bytes() for path in tmp_path.iterdir()}
    other = replace(ORDERS, batch_id=BatchId("batch-of-another"))

    written = write_reports(other, RECORDS, tmp_path, "orders report")

    assert (written.xlsx, written.csv, written.json) == (files.xlsx, files.csv, files.json)
    kept = {suffix: f"orders report {ORDERS.batch_id[-8:]}{suffix}" for suffix in before}
    assert {suffix: (tmp_path / name).read_bytes() for suffix, name in kept.items()} == before
    [notice] = written.notices
    assert notice.startswith("The existing report belongs to another list")
    assert all(name in notice for name in kept.values())
    assert write_reports(other, RECORDS, tmp_path, "orders report").notices == ()

    [notice] = write_reports(ORDERS, RECORDS, tmp_path, "orders report").notices

    assert "orders report -another.csv" in notice
    assert len(list(tmp_path.iterdir())) == 6, "what was kept of this list gave way to its new report"


@pytest.mark.parametrize("ending", [".csv", ".xlsx", ".json"])
def test_a_file_that_does_not_say_whose_report_it_is_is_kept_and_told(tmp_path: Path, ending: str) -> None:
    for number in (1, 2):
        (tmp_path / f"orders report{ending}").write_text(f"mine {number}")
        for other in {".csv", ".xlsx", ".json"} - {ending}:
            (tmp_path / f"orders report{other}").unlink(missing_ok=True)

        assert "an unknown list" in " ".join(write_reports(ORDERS, RECORDS, tmp_path, "orders report").notices)

    assert (tmp_path / f"orders report earlier{ending}").read_text() == "mine 1"
    assert (tmp_path / f"orders report earlier (2){ending}").read_text() == "mine 2"


def earlier_report(folder: Path, number: int, *, hours_after: int = 0) -> Path:
    """A report of another list that was put aside; its workbook may have been saved again later."""
    list_id = f"batch-{number:08d}"
    names = [folder / f"orders report {list_id[-8:]}{ending}" for ending in (".json", ".csv", ".xlsx")]
    for name in names:
        name.write_text(f'{{"summary": {{"program_version": "1", "batch_id": "{list_id}"}}}}')
        os.utime(name, (number, number + 3600 * hours_after * (name.suffix == ".xlsx")))
    return names[0]


def test_of_earlier_reports_the_newest_are_kept_and_the_others_are_told(tmp_path: Path) -> None:
    reports = [earlier_report(tmp_path, number) for number in range(1, KEPT_COUNT + 8)]
    changed = earlier_report(tmp_path, 0, hours_after=1)
    mine = [tmp_path / name for name in ("orders report 00000003 mine.json", "orders report x.json", "orders.json")]
    for path in mine:
        path.write_text("{}")

    [notice] = write_reports(ORDERS, RECORDS, tmp_path, "orders report").notices

    oldest, newest = reports[:7], reports[7:]
    assert not any(path.with_suffix(ending).exists() for path in oldest for ending in (".json", ".csv", ".xlsx"))
    assert all(path.with_suffix(ending).exists() for path in newest for ending in (".json", ".csv", ".xlsx"))
    assert all(path.exists() for path in (*mine, changed, changed.with_suffix(".xlsx"))), "somebody's own"
    assert notice == (
        f"Only the last {KEPT_COUNT} earlier reports of lists with this name are kept; removed: "
        "orders report 00000007, orders report 00000006, orders report 00000005, orders report 00000004, "
        "orders report 00000003 and 2 more. "
        "Run a list again to get its report back."
    )
    assert write_reports(ORDERS, RECORDS, tmp_path, "orders report").notices == ()


def test_an_earlier_report_that_cannot_be_removed_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reports = [earlier_report(tmp_path, number) for number in range(1, KEPT_COUNT + 2)]
    unlink = Path.unlink

    def refuse(path: Path, *, missing_ok: bool = False) -> None:
        if path.stem == reports[0].stem:
            raise PermissionError(13, "The process cannot access the file because it is being used")
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)

    assert write_reports(ORDERS, RECORDS, tmp_path, "orders report").notices == ()
    assert reports[0].exists()


def test_a_report_that_is_open_in_another_program_gets_a_name_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    move: Callable[[Path, Path], None] = os.replace

    def refuse_locked(origin: Path, target: Path) -> None:
        """As Windows refuses it."""
        if Path(target).name == "orders report.xlsx":
            raise PermissionError(13, "The process cannot access the file because it is being used")
        move(origin, target)

    monkeypatch.setattr(os, "replace", refuse_locked)
    files = write_reports(ORDERS, RECORDS, tmp_path, "orders report")

    assert files.xlsx.name == "orders report (2).xlsx"
    assert files.csv.name == "orders report.csv"
    [notice] = files.notices
    assert notice.startswith("orders report.xlsx cannot be replaced")
    assert notice.endswith("the report is in orders report (2).xlsx.")
    assert sheet_of(files).max_row == len(ROWS) + 1


def test_a_folder_in_the_place_of_a_report_stays(tmp_path: Path) -> None:
    (tmp_path / "orders report.csv").mkdir()

    files = write_reports(ORDERS, RECORDS, tmp_path, "orders report")

    assert files.csv.name == "orders report (2).csv"
    assert len(files.notices) == 1


def test_a_report_that_cannot_be_written_leaves_the_old_one_whole(
    files: ReportFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(descriptor: int) -> None:
        del descriptor
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_reports(ORDERS, {}, tmp_path, "orders report")

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_rows_and_links_beyond_what_excel_takes_are_left_out_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders, records = long_list(30)
    for module in (report_xlsx, excel_limits):
        monkeypatch.setattr(module, "ROWS_MAX", 21)
    monkeypatch.setattr(report_xlsx, "LINKS_MAX", 5)

    files = write_reports(orders, records, tmp_path, "report")

    sheet = sheet_of(files)
    assert sheet.max_row == 21
    assert sum(cell_of(sheet, row_no, "Folder (2)").hyperlink is not None for row_no in range(2, 22)) == 5
    assert files.notices == (
        "A sheet holds 21 rows; the other 10 rows are only in report.csv.",
        "15 folders have no link: Excel limits the number and the length of links.",
    )
    assert len(table_of(files)) == 31


def test_cells_of_one_look_share_it_however_many_there_are(tmp_path: Path) -> None:
    few, many = (write_reports(*long_list(count), tmp_path, f"report {count}") for count in (3, 300))

    looks = [ZipFile(files.xlsx).read("xl/styles.xml").count(b"<xf ") for files in (few, many)]
    assert looks[0] == looks[1] < 20
    sheet = sheet_of(many)
    links = [cell_of(sheet, row_no, "Folder (2)").hyperlink for row_no in (2, 301)]
    assert [link.target for link in links if link is not None] == ["Acme/PO0", "Acme/PO299"]


def test_columns_are_as_wide_as_their_first_rows_need(tmp_path: Path) -> None:
    orders, records = long_list(500)

    sheet = sheet_of(write_reports(orders, records, tmp_path, "report"))

    assert sheet.max_row == 501
    assert sheet.column_dimensions["B"].width == len("Cost centre") + 5, "bold, and beside the button of its filter"
    assert [line.row.row_no for line in report_rows(orders, records)] == list(range(2, 502))


@pytest.mark.parametrize("number", [1, 2])
def test_a_disk_that_fills_up_under_a_sheet_is_an_error_of_the_disk_and_leaves_nothing(
    tmp_path: Path, number: int
) -> None:
    (tmp_path / f".report.xlsx.new.{number}").symlink_to("/dev/full")

    with pytest.raises(OSError, match="No space left on device"):
        write_reports(*long_list(30), tmp_path, "report")

    assert [path.name for path in tmp_path.iterdir()] == ["report.csv"]


def test_nothing_of_a_report_is_anywhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))

    def heed() -> None:
        assert not list((tmp_path / "temporary").iterdir())

    write_reports(ORDERS, RECORDS, tmp_path / "out", "report", cancel_check=heed)

    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["report.csv", "report.json", "report.xlsx"]


def list_of(columns: tuple[str, ...], *rows: tuple[str, ...]) -> OrderList:
    """A list whose first column holds the numbers of orders."""
    told = tuple(
        OrderRow(row_no=row_no, cells=cells, given=cells[0], task_id=TaskId(f"demo:{cells[0]}"))
        for row_no, cells in enumerate(rows, 2)
    )
    return OrderList(batch_id=BatchId("batch-2"), source="list.csv", columns=columns, rows=told, tasks=())


def test_numbers_and_dates_of_the_list_are_such_in_the_workbook_and_texts_elsewhere(tmp_path: Path) -> None:
    columns = ("PO", "Amount", "Share", "Tiny", "Due", "Centre")
    orders = list_of(
        columns,
        ("4500000001", "1234.56", "25.00%", "1e-07", "2024-05-01", "0042"),
        ("4500000002", "10.00", "n/a", "", "soon", "1000"),
    )

    files = write_reports(orders, {}, tmp_path, "report")

    first, second = ([cell.value for cell in row][:6] for row in sheet_of(files).iter_rows(min_row=2))
    assert first == ["4500000001", 1234.56, 0.25, 1e-07, datetime(2024, 5, 1), "0042"]  # noqa: DTZ001
    assert second == ["4500000002", 10, "n/a", None, "soon", "1000"]
    assert table_of(files)[1][1] == "1234.56"


def test_a_text_that_no_cell_holds_is_cut_in_the_workbook_alone_and_told(tmp_path: Path) -> None:
    note = "n" * 40_000 + "END"
    orders = list_of(("PO", "note"), ("4500000001", note), ("4500000002", "short"), ("4500000003", note))

    files = write_reports(orders, {}, tmp_path, "report")

    told = (
        "Shortened (row 2, note: 40,003 characters, and 1 more): an Excel cell holds at most 32,767 characters; "
        "the full text is in report.csv."
    )
    assert files.notices == (told,)
    cell = str(sheet_of(files).cell(2, 2).value)
    assert (len(cell), cell[-6:]) == (32_767, " [cut]")
    assert told in [row[0].value for row in sheet_of(files, "Summary").iter_rows()]
    assert table_of(files)[1][1] == note
    assert json.loads(files.json.read_text())["rows"][0]["cells"][1] == note


def test_columns_beyond_what_a_sheet_takes_give_way_to_the_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (report_xlsx, excel_limits):
        monkeypatch.setattr(module, "COLUMNS_MAX", 13)
    orders = list_of(("PO", "a", "b", "c"), ("4500000001", "1", "2", "3"))

    files = write_reports(orders, {}, tmp_path, "report")

    assert [cell.value for cell in sheet_of(files)[1]][:3] == ["PO", "a", "Outcome"]
    assert files.notices == ("A sheet holds 13 columns; the last 2 of the list are only in report.csv.",)
    assert table_of(files)[1][:4] == ["4500000001", "1", "2", "3"]


def test_a_link_that_excel_does_not_take_is_left_out(tmp_path: Path) -> None:
    orders, records = long_list(1)
    (task_id,) = records
    records[task_id] = replace(records[task_id], folder="Acme/" + "\u00e4 " * 900)

    files = write_reports(orders, records, tmp_path, "report")

    assert cell_of(sheet_of(files), 2, "Folder (2)").hyperlink is None
    assert files.notices == ("1 folders have no link: Excel limits the number and the length of links.",)


def test_a_text_that_looks_like_a_letter_of_excel_stays_as_it_is(tmp_path: Path) -> None:
    files = write_reports(list_of(("PO", "code"), ("4500000001", "_x0041_")), {}, tmp_path, "report")

    assert b"_x005F_x0041_" in ZipFile(files.xlsx).read("xl/worksheets/sheet1.xml")


@pytest.mark.parametrize("enough", [1, 2, 3, 5, 8])
def test_whoever_wants_no_report_any_more_ends_it_and_keeps_the_old_one(
    enough: int, files: ReportFiles, tmp_path: Path
) -> None:
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    asked = 0

    def heed() -> None:
        nonlocal asked
        asked += 1
        if asked == enough:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        write_reports(ORDERS, {}, tmp_path, "other", cancel_check=heed)

    left = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.stem == "orders report"}
    assert left == before
    assert not list(tmp_path.glob(".*"))


def test_folders_that_are_gone_are_told_and_a_disk_that_is_away_is_not_blamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders, records = long_list(3)
    out = tmp_path / "out"
    folders = sorted(record.folder for record in records.values())
    (out / folders[0]).mkdir(parents=True)

    def told() -> tuple[str, ...]:
        return write_reports(orders, records, out / "reports", "report", out=out).notices

    (gone,) = told()
    for folder in folders:
        (out / folder).mkdir(parents=True, exist_ok=True)
    all_there = told()
    for folder in folders:
        (out / folder).rmdir()
    (out / "Acme").rmdir()
    honest = Path.stat

    def stat(path: Path, **options: bool) -> os.stat_result:
        if path.is_relative_to(out / "Acme"):
            raise OSError(errno.ESTALE, "Stale file handle")
        return honest(path, **options)

    monkeypatch.setattr(Path, "stat", stat)
    nobody_knows = told()

    assert gone == (
        f"{folders[1]} and 1 more: no longer in {out}, where the files were put. "
        "Move them back, or run the list again to download the missing files."
    )
    assert (all_there, nobody_knows) == ((), ())


def test_what_a_report_needs_can_be_loaded_before_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    monkeypatch.setattr(report, "import_module", loaded.append)

    load_workbook_writer()

    assert loaded == [report_xlsx.__name__]


def book_of(path: Path) -> ListWorkbook:
    """The workbook from which the list of these tests could have been read."""
    workbook = Workbook()
    sheet = workbook.active
    assert isinstance(sheet, Worksheet)
    sheet.title = "Mine"
    for row_no in range(1, max(row.row_no for row in ROWS) + 1):
        sheet.append(list(COLUMNS) if row_no == 1 else ["x"] * len(COLUMNS))
    workbook.save(path)
    return ListWorkbook(path=path, sha256=hashlib.sha256(path.read_bytes()).hexdigest(), sheet="Mine", header_row_no=1)


def test_the_results_are_in_a_copy_of_the_users_workbook_too(tmp_path: Path) -> None:
    book = book_of(tmp_path / "March.XLSX")

    files = write_reports(ORDERS, RECORDS, tmp_path / "reports", "March-report", book=book)

    assert files.notices[-1] == (
        "A copy of your workbook with the results in further columns is in March-with-results.xlsx."
    )
    filled, report = load_workbook(tmp_path / "reports/March-with-results.xlsx")["Mine"], sheet_of(files)
    results = slice(len(COLUMNS), None)
    assert [cell.value for cell in filled[1]] == HEADERS
    for row_no, line in zip((row.row_no for row in ROWS), report.iter_rows(min_row=2, values_only=True), strict=True):
        same = [cell.value for cell in filled[row_no]][results]
        assert [str(value or "") for value in same] == [str(value or "").replace("\n", "; ") for value in line[results]]


def test_a_workbook_that_cannot_be_filled_is_told_and_the_report_is_there(tmp_path: Path) -> None:
    book = book_of(tmp_path / "March.xlsx")
    book.path.write_bytes(b"other")

    files = write_reports(ORDERS, RECORDS, tmp_path / "reports", "March-report", book=book)

    assert files.notices[-1] == (
        f"There is no copy of your workbook with the results: {book.path} was changed after the list was read."
    )
    assert files.xlsx.is_file()
    assert {path.suffix for path in (tmp_path / "reports").iterdir()} == {".xlsx", ".csv", ".json"}
    assert len(list((tmp_path / "reports").iterdir())) == 3


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [("", 10, 1), ("a\nb\n\nc", 10, 4), ("x" * 9, 10, 1), ("x" * 10, 10, 2), ("x" * 18, 10, 2), ("x" * 19, 10, 3)],
)
def test_a_wrapped_text_has_the_lines_that_its_column_needs(text: str, width: int, lines: int) -> None:
    assert report_xlsx.wrapped_line_count(text, width) == lines


def test_a_row_has_room_for_its_tallest_wrapped_text_and_no_more_than_a_screen(tmp_path: Path) -> None:
    orders, records = long_list(3)
    told: dict[TaskId, TaskRecord] = {}
    for (name, record), detail in zip(records.items(), ("word " * 60, "word\n" * 60, "short"), strict=True):
        assert record.report is not None
        told[name] = replace(record, report=replace(record.report, detail=detail))

    sheet = sheet_of(write_reports(orders, told, tmp_path, "report"))

    lines = math.ceil(300 * 1.1 / 60)
    assert [sheet.row_dimensions[row_no].height for row_no in (2, 3, 4)] == [15 * lines, 15 * 25, 30]
