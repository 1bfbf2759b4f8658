"""The report of a list, as a workbook, as CSV and as JSON, each put in place whole or not at all.

The user's own columns stay as they are, in CSV as well: they came from the user, who may need them back unchanged.
What a portal told can be anybody's text, so that in CSV, where a program cannot tell text from formula, an apostrophe
stands before what a spreadsheet would compute (OWASP, "CSV Injection").
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path

from poolwright.archive.excel_limits import MissingFolders, text_columns
from poolwright.archive.report_rotation import prune_set_aside, remove_set_aside, set_aside
from poolwright.archive.report_table import (
    ReportRow,
    ReportSource,
    Summary,
    SummaryCounter,
    TaskRecords,
    Value,
    report_rows,
    result_headers,
    with_cancel_check,
)
from poolwright.domain.tasks import OrderRow
from poolwright.files.disk import DRAFT_SUFFIX, CancelCheck, never_cancel, sync_file
from poolwright.files.names import folder_variants, well_formed
from poolwright.version import __version__

#: Names that are tried for a report whose file is locked.
_NAMES_TRIED = 9
#: Full-width signs too: some spreadsheets take them for the plain ones.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFiles:
    """Where the report is."""

    xlsx: Path
    csv: Path
    json: Path
    #: What the user should know: another name because of a locked file, another list's report that was there,
    #: what a workbook cannot hold, folders that are gone.
    notices: tuple[str, ...] = ()


def write_reports(  # noqa: PLR0913 - each is a wish of its own
    orders: ReportSource,
    records: TaskRecords,
    folder: Path,
    stem: str,
    *,
    out: Path | None = None,
    is_to_move: bool = False,
    heed: CancelCheck = never_cancel,
) -> ReportFiles:
    """Write the report of a list in its three forms.

    Args:
        orders: The list, every row of it. Its rows are read some times over, and never all at once.
        records: What the journal knows of its orders.
        folder: Where the report goes.
        stem: File name without extension. A report of another list that has it already is kept beside. Where a file of
            that name cannot be replaced, because a spreadsheet program has it open, the report is ``stem (2)``. Notices
            say so.
        out: The output folder, that the folders of orders are below and where they are looked for; ``folder`` itself,
            without a look, where it is not given.
        is_to_move: Whether the report will be read elsewhere, so that its links must be whole paths.
        heed: Called now and then; what it raises ends the writing, and what an earlier report is stays.

    Raises:
        OSError: The folder is full or not writable.
    """
    place = out or folder
    way_to_out = f"{place.absolute().as_posix()}/" if is_to_move else _link_prefix(folder, place)
    told = _ReportContent(orders=orders, records=records, heed=heed)
    tally, gone, losses, kept = SummaryCounter(), MissingFolders(out), list[str](), list[str]()

    def write_first(path: Path) -> None:
        _write_csv(path, told, tally, gone)
        sync_file(path)
        kept.extend(set_aside(folder, stem, orders.batch_id))

    csv_file = _write_and_replace(folder, stem, ".csv", write_first)
    summary = tally.summary(orders)
    work = partial(_write_xlsx, told=told, summary=summary, way_to_out=way_to_out, elsewhere=csv_file.name)
    xlsx = _write_and_replace(folder, stem, ".xlsx", lambda path: losses.extend(work(path)))
    json_file = _write_and_replace(folder, stem, ".json", lambda path: _write_json(path, told, summary))
    renamed = (
        f"{stem}{path.suffix} cannot be replaced (is it open in another program?); the report is in {path.name}."
        for path in (xlsx, csv_file, json_file)
        if path.stem != stem
    )
    remove_set_aside(folder, stem, orders.batch_id)
    notices = (*kept, *renamed, *losses, *gone.sentences(), *prune_set_aside(folder, stem))
    return ReportFiles(xlsx=xlsx, csv=csv_file, json=json_file, notices=notices)


@dataclass(frozen=True, slots=True, kw_only=True)
class _ReportContent:
    """What a report tells."""

    orders: ReportSource
    records: TaskRecords
    heed: CancelCheck

    def rows(self) -> Iterator[ReportRow]:
        """Every row of the list with its result."""
        return report_rows(self.orders, self.records, self.heed)


def _write_and_replace(folder: Path, stem: str, extension: str, write: Callable[[Path], None]) -> Path:
    """Write a file aside, then give it the first name that it can take."""
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f".{stem}{extension}{DRAFT_SUFFIX}"
    try:
        write(fresh)
        sync_file(fresh)
        names = list(islice(folder_variants(stem), _NAMES_TRIED))
        for name in names[:-1]:
            try:
                return fresh.replace(folder / f"{name}{extension}")
            except (PermissionError, IsADirectoryError):
                continue
        return fresh.replace(folder / f"{names[-1]}{extension}")
    finally:
        fresh.unlink(missing_ok=True)


def _link_prefix(folder: Path, out: Path) -> str:
    """What a link in ``folder`` begins with that leads to something in ``out``."""
    way = Path(os.path.relpath(out, folder)).as_posix()
    return "" if way == "." else f"{way}/"


def _write_xlsx(
    path: Path, *, told: _ReportContent, summary: Summary, way_to_out: str, elsewhere: str
) -> tuple[str, ...]:
    from poolwright.archive.report_xlsx import WorkbookLayout, write_workbook  # noqa: PLC0415 - the heaviest library, and used at the end

    rows = ((row.given, _untyped(row)) for row in with_cancel_check(told.orders.rows, told.heed))
    layout = WorkbookLayout(
        columns=told.orders.columns,
        columns_of_text=text_columns(rows),
        link_prefix=way_to_out,
        elsewhere=elsewhere,
    )
    return write_workbook(path, layout, told.rows(), summary, told.heed)


def _untyped(row: OrderRow) -> tuple[str, ...]:
    """The cells whose types are to be guessed; where the list tells them, only what is the order's number is text."""
    if row.values is None:
        return row.cells
    return tuple(cell if cell == row.given else "" for cell in row.cells)


def _write_csv(path: Path, told: _ReportContent, tally: SummaryCounter, gone: MissingFolders) -> None:
    """UTF-8 with a mark at its start, by which Excel knows the letters; every line of it is counted."""
    columns = told.orders.columns
    with path.open("w", encoding="utf-8-sig", errors="replace", newline="") as file:
        table = csv.writer(file)
        table.writerow([*columns, *result_headers(columns)])
        for line in told.rows():
            tally.add(line)
            if line.folder and line.same_as_row_no is None:
                gone.check(line.folder)
            table.writerow([*line.row.cells, *(_neutral(value) for value in line.results())])


def _neutral(value: Value) -> str:
    text = _plain(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _plain(value: Value) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return "" if value is None else str(value)


def _write_json(path: Path, told: _ReportContent, summary: Summary) -> None:
    """One object: the summary, the user's columns, and a line for each row."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write('{"summary": ' + _json(_summary(told.orders, summary)))
        file.write(',\n"columns": ' + _json(told.orders.columns))
        file.write(',\n"rows": [')
        for number, line in enumerate(told.rows()):
            file.write((",\n" if number else "\n") + _json(_entry(line)))
        file.write("\n]}\n")


def _summary(orders: ReportSource, summary: Summary) -> dict[str, object]:
    return {
        "program_version": __version__,
        "batch_id": orders.batch_id,
        "source": summary.source,
        "row_count": summary.row_count,
        "order_count": summary.order_count,
        "repeated_row_count": summary.repeated_row_count,
        "outcomes": dict(summary.outcomes),
        "actions": dict(summary.actions),
        "not_done_count": summary.not_done_count,
        "saved_file_count": summary.saved_file_count,
        "saved_bytes": summary.saved_bytes,
        "missed_file_count": summary.missed_file_count,
        "first_finished_at": _time(summary.first_finished_at),
        "last_finished_at": _time(summary.last_finished_at),
        "notices": summary.notices,
    }


def _entry(line: ReportRow) -> dict[str, object]:
    """One row. Cells are a list: two columns of a list may have one name."""
    meaning, report = line.reason_info, line.report
    return {
        "row_no": line.row.row_no,
        "cells": line.row.cells,
        "task_id": line.row.task_id,
        "same_as_row_no": line.same_as_row_no,
        "outcome": meaning.outcome if meaning else None,
        "reason": line.reason,
        "action": meaning.action if meaning else None,
        "next_step": meaning.next_step if meaning else None,
        "detail": line.detail,
        "fields": dict(report.fields) if report else {},
        "found_count": line.found_count,
        "folder": line.folder,
        "files": [
            {"name": file.name, "label": file.label, "size_bytes": file.size_bytes, "sha256": file.sha256}
            for file in (report.files if report else ())
        ],
        "missed": [
            {"label": missed.label, "problem": missed.problem, "source_url": missed.source_url}
            for missed in (report.missed if report else ())
        ],
        "attempt_count": line.attempt_count,
        "finished_at": _time(line.finished_at),
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _json(value: object) -> str:
    return well_formed(json.dumps(value, ensure_ascii=False))
