"""Writes the report of a list as a workbook, as CSV and as JSON, each replaced as a whole or not at all.

The user's own columns stay unchanged, in CSV as well. Text from a portal is untrusted: in CSV, where a spreadsheet
program cannot distinguish text from formulas, an apostrophe is put before a text that it would compute (OWASP, "CSV
Injection").
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from importlib import import_module
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
from poolwright.archive.workbooks.list_workbook import ListWorkbook, NotFillableError
from poolwright.domain.tasks import OrderRow
from poolwright.files.disk import DRAFT_SUFFIX, CancelCheck, never_cancel, sync_file
from poolwright.files.names import folder_variants, safe_name, well_formed
from poolwright.version import __version__

#: Behind the name of the user's workbook in that of its copy with the results.
FILLED_SUFFIX = "-with-results"
#: The number of names that are tried for a report whose file is locked.
_NAMES_TRIED = 9
#: With full-width signs, which some spreadsheet programs treat like the plain ones.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFiles:
    """The files of a report."""

    xlsx: Path
    csv: Path
    json: Path
    #: Notices for the user: another name because of a locked file, an earlier report of another list, content that a
    #: workbook cannot show, missing folders.
    notices: tuple[str, ...] = ()


def load_workbook_writer() -> None:
    """Load what ``write_reports`` needs, at a time at which nobody waits for it. Blocking."""
    import_module("poolwright.archive.report_xlsx")


def write_reports(  # noqa: PLR0913 - each is an independent option
    orders: ReportSource,
    records: TaskRecords,
    folder: Path,
    stem: str,
    *,
    out: Path | None = None,
    is_to_move: bool = False,
    book: ListWorkbook | None = None,
    cancel_check: CancelCheck = never_cancel,
) -> ReportFiles:
    """Write the report of a list in its three formats; return their paths and notices.

    Args:
        orders: The list. Its rows are read several times, and never all at once.
        records: The journal's records of its orders.
        folder: The folder of the report.
        stem: File name without extension. A report of another list with this name is set aside. If a file of that name
            cannot be replaced, because a spreadsheet program has it open, the report is ``stem (2)``. Notices name
            both.
        out: The output folder with the folders of the orders, which are checked for existence; by default ``folder``,
            without the check.
        is_to_move: Whether the report will be moved, so that its links must be absolute.
        book: The user's workbook, of which a copy with the results is written beside the report; ``None`` for none.
        cancel_check: Called regularly; an error of it ends the writing, and an earlier report stays.

    Raises:
        OSError: The folder is full or not writable.
    """
    root = out or folder
    link_prefix = f"{root.absolute().as_posix()}/" if is_to_move else _link_prefix(folder, root)
    content = _ReportContent(orders=orders, records=records, cancel_check=cancel_check)
    counter, missing, omissions, notices = SummaryCounter(), MissingFolders(out), list[str](), list[str]()

    def write_first(path: Path) -> None:
        _write_csv(path, content, counter, missing)
        sync_file(path)
        notices.extend(set_aside(folder, stem, orders.batch_id))

    csv_file = _write_and_replace(folder, stem, ".csv", write_first)
    summary = counter.summary(orders)
    write = partial(_write_xlsx, content=content, summary=summary, link_prefix=link_prefix, full_report=csv_file.name)
    xlsx = _write_and_replace(folder, stem, ".xlsx", lambda path: omissions.extend(write(path)))
    json_file = _write_and_replace(folder, stem, ".json", lambda path: _write_json(path, content, summary))
    renamed = (
        f"{stem}{path.suffix} cannot be replaced (is it open in another program?); the report is in {path.name}."
        for path in (xlsx, csv_file, json_file)
        if path.stem != stem
    )
    remove_set_aside(folder, stem, orders.batch_id)
    copied = () if book is None else (_write_filled(folder, book, content),)
    notices.extend((*renamed, *omissions, *missing.sentences(), *prune_set_aside(folder, stem), *copied))
    return ReportFiles(xlsx=xlsx, csv=csv_file, json=json_file, notices=tuple(notices))


@dataclass(frozen=True, slots=True, kw_only=True)
class _ReportContent:
    """The list and the records of a report."""

    orders: ReportSource
    records: TaskRecords
    cancel_check: CancelCheck

    def rows(self) -> Iterator[ReportRow]:
        """Yield every row of the list with its result."""
        return report_rows(self.orders, self.records, self.cancel_check)


def _write_and_replace(folder: Path, stem: str, extension: str, write: Callable[[Path], None]) -> Path:
    """Write a draft, then rename it to the first name that can be replaced; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{stem}{extension}{DRAFT_SUFFIX}"
    try:
        write(draft)
        sync_file(draft)
        names = list(islice(folder_variants(stem), _NAMES_TRIED))
        for name in names[:-1]:
            try:
                return draft.replace(folder / f"{name}{extension}")
            except (PermissionError, IsADirectoryError):
                continue
        return draft.replace(folder / f"{names[-1]}{extension}")
    finally:
        draft.unlink(missing_ok=True)


def _link_prefix(folder: Path, out: Path) -> str:
    """Return the beginning of a link in ``folder`` to a path in ``out``."""
    relative = Path(os.path.relpath(out, folder)).as_posix()
    return "" if relative == "." else f"{relative}/"


def _write_xlsx(
    path: Path, *, content: _ReportContent, summary: Summary, link_prefix: str, full_report: str
) -> tuple[str, ...]:
    from poolwright.archive.report_xlsx import WorkbookLayout, write_workbook  # noqa: PLC0415 - the heaviest library, and used at the end

    rows = ((row.given, _untyped(row)) for row in with_cancel_check(content.orders.rows, content.cancel_check))
    layout = WorkbookLayout(
        columns=content.orders.columns,
        columns_of_text=text_columns(rows),
        link_prefix=link_prefix,
        full_report=full_report,
    )
    return write_workbook(path, layout, content.rows(), summary, content.cancel_check)


def _write_filled(folder: Path, book: ListWorkbook, content: _ReportContent) -> str:
    """Write the copy of the user's workbook with the results, and return the sentence about it."""
    from poolwright.archive.workbooks.filled_workbook import fill_workbook  # noqa: PLC0415 - as above

    headers = result_headers(content.orders.columns)
    results = {line.row.row_no: line.results() for line in content.rows()}
    stem = f"{safe_name(book.path.stem)}{FILLED_SUFFIX}"
    try:
        path = _write_and_replace(
            folder,
            stem,
            book.path.suffix.lower(),
            lambda path: fill_workbook(book, path, headers, results, content.cancel_check),
        )
    except NotFillableError as error:
        return f"There is no copy of your workbook with the results: {error}."
    return f"A copy of your workbook with the results in further columns is in {path.name}."


def _untyped(row: OrderRow) -> tuple[str, ...]:
    """Return the cells whose types must be guessed; if the list has types, only those with the order's number."""
    if row.values is None:
        return row.cells
    return tuple(cell if cell == row.given else "" for cell in row.cells)


def _write_csv(path: Path, content: _ReportContent, counter: SummaryCounter, missing: MissingFolders) -> None:
    """Write and count every row. The file is UTF-8 with a mark at its start, by which Excel recognizes the encoding."""
    columns = content.orders.columns
    with path.open("w", encoding="utf-8-sig", errors="replace", newline="") as file:
        table = csv.writer(file)
        table.writerow([*columns, *result_headers(columns)])
        for line in content.rows():
            counter.add(line)
            if line.folder and line.reason is not None and line.same_as_row_no is None:
                missing.check(line.folder)
            table.writerow([*line.row.cells, *(_neutral(value) for value in line.results())])


def _neutral(value: Value) -> str:
    text = _plain(value)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _plain(value: Value) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return "" if value is None else str(value)


def _write_json(path: Path, content: _ReportContent, summary: Summary) -> None:
    """Write one object: the summary, the user's columns, and a line for each row."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write('{"summary": ' + _json(_summary(content.orders, summary)))
        file.write(',\n"columns": ' + _json(content.orders.columns))
        file.write(',\n"rows": [')
        for number, line in enumerate(content.rows()):
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
    """Return the object of one row. Cells are a list, because two columns may have the same name."""
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
        "refresh": None if line.refresh is None else {"at": _time(line.refresh.at), **line.refresh.to_json()},
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _json(value: object) -> str:
    return well_formed(json.dumps(value, ensure_ascii=False))
