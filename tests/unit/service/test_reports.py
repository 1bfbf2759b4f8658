"""A report that is made of the journal: the same as that of a list in memory, and of one moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import anyio
import anyio.from_thread
import pytest
from anyio.lowlevel import current_token
from openpyxl import load_workbook

from poolwright.archive.report import ReportFiles, write_reports
from poolwright.archive.report_table import ReportSource, TaskRecords
from poolwright.domain.ids import BatchId
from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import OrderList, OrderRow
from poolwright.journal.reader import JournalReader
from poolwright.journal.sqlite_journal import SqliteJournal
from poolwright.service.daemon.errors import NotFoundError
from poolwright.service.daemon.reports import write_list_report
from tests.support.manual_clock import ManualClock
from tests.support.tasks import BATCH, WORKER, missed, orders, report, task_id

BAD = OrderRow(row_no=5, cells=("x", "=1+1"), given="x", problem=Reason.BAD_NUMBER, detail="No number.")
AGAIN = OrderRow(row_no=6, cells=("PO1", "0,5"), given="PO1", task_id=task_id(1))
GIVEN = orders(1, 2, 3, rows=[BAD, AGAIN])


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def with_outcomes(journal: SqliteJournal, given: OrderList = GIVEN) -> None:
    await journal.accept(given)
    for number, ended in (
        (1, report(Reason.ALL_SAVED, "a.pdf", "b.pdf")),
        (2, replace(report(Reason.SOME_FILES_FAILED, "a.pdf"), missed=(missed("b"),), fields={"supplier": "Größe"})),
    ):
        await journal.fetch(given.batch_id, 1)
        await journal.start(task_id(number), WORKER)
        await journal.finish(task_id(number), ended, f"Acme/PO{number}")


def texts(files: ReportFiles) -> tuple[str, str, Sequence[tuple[object, ...]]]:
    sheets = load_workbook(files.xlsx).worksheets
    cells = [row for sheet in sheets for row in sheet.iter_rows(values_only=True)]
    return files.csv.read_text(encoding="utf-8-sig"), files.json.read_text(encoding="utf-8"), cells


async def test_it_is_the_same_as_that_of_a_list_in_memory(tmp_path: Path) -> None:
    async with SqliteJournal(tmp_path / "journal.db", ManualClock()) as journal:
        await with_outcomes(journal)
        records = {record.task.task_id: record for record in await journal.records(BATCH)}

        def write(reading: JournalReader) -> ReportFiles:
            found = reading.order_list(BATCH)
            assert found is not None
            stored: tuple[ReportSource, TaskRecords] = found, reading
            return write_reports(*stored, tmp_path / "stored", "report", out=tmp_path)

        stored = await journal.read(write)
    in_memory = write_reports(GIVEN, records, tmp_path / "memory", "report", out=tmp_path)

    assert texts(stored) == texts(in_memory)
    assert "Größe" in texts(stored)[0]


async def test_it_is_of_one_moment_whatever_is_written_meanwhile(tmp_path: Path) -> None:
    async with SqliteJournal(tmp_path / "journal.db", ManualClock()) as journal:
        await with_outcomes(journal)
        loop = current_token()

        def look(reading: JournalReader) -> tuple[object, ...]:
            before = reading.get(task_id(3))
            anyio.from_thread.run(journal.cancel, task_id(3), token=loop)
            return before, reading.get(task_id(3))

        before, after = await journal.read(look)
        now = await journal.find(task_id(3))

    assert before == after != now


async def test_orders_are_read_one_by_one_as_they_are_all_at_once(tmp_path: Path) -> None:
    async with SqliteJournal(tmp_path / "journal.db", ManualClock()) as journal:
        await with_outcomes(journal)

        assert await journal.read(lambda reading: tuple(reading.records(BATCH))) == await journal.records(BATCH)


async def test_an_unknown_list_leaves_nothing_behind(tmp_path: Path) -> None:
    async with SqliteJournal(tmp_path / "journal.db", ManualClock()) as journal:
        with pytest.raises(NotFoundError, match="There is no list no"):
            await write_list_report(journal, BatchId("no"), tmp_path / "out")

    assert files_below(tmp_path / "out") == []
