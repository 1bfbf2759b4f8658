"""Lists of the orders of a report that can be tried again: one CSV per class of outcome, with the user's own columns.

The report as JSON has one row per line, so it is read line by line: a list may have a million rows.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from poolwright.domain.outcomes import Outcome
from poolwright.files.disk import DRAFT_SUFFIX
from poolwright.files.names import safe_name

#: The class of orders without an outcome: a run ended before them.
WAITING = "waiting"
#: Each class with its outcome. A row that is INVALID has no order; its number must be corrected in the list first.
CLASSES = {
    "failed": Outcome.FAILED,
    "partial": Outcome.PARTIAL,
    "not-found": Outcome.NOT_FOUND,
    "forbidden": Outcome.FORBIDDEN,
    "quarantined": Outcome.QUARANTINED,
    "cancelled": Outcome.CANCELLED,
    WAITING: None,
}
_BY_OUTCOME = {None if outcome is None else outcome.value: name for name, outcome in CLASSES.items()}
_SUMMARY, _COLUMNS, _ROWS, _END = '{"summary": ', '"columns": ', '"rows": [', "]}"
_REPORT_SUFFIX = "-report"


class ReportUnreadableError(ValueError):
    """A file is no report as JSON, or not a whole one. The message has the cause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryList:
    """One list that was written."""

    #: One of ``CLASSES``.
    name: str
    path: Path
    row_count: int


class RetryLists:
    """The lists of one report."""

    def __init__(self, report: Path, folder: Path | None = None) -> None:
        """Read from ``report``, a report as JSON, and write to ``folder``; by default to the folder of the report."""
        self._report = report
        self._folder = folder or report.parent
        self._stem = safe_name(report.stem.removesuffix(_REPORT_SUFFIX))

    def write(self, classes: frozenset[str] = frozenset(CLASSES)) -> list[RetryList]:
        """Write a list for each class that has rows, in place of an earlier one; return them in the order of CLASSES.

        Raises:
            ReportUnreadableError: The file is no report as JSON, or is cut short. No list is written then.
            OSError: A file cannot be read or written.
        """
        counts: Counter[str] = Counter()
        drafts: dict[str, Path] = {}
        try:
            with ExitStack() as resources, self._report.open(encoding="utf-8") as report:
                tables: dict[str, Any] = {}
                columns, rows = _read(report, self._report)
                for outcome, cells in rows:
                    name = _BY_OUTCOME.get(outcome)
                    if name is None or name not in classes:
                        continue
                    if name not in tables:
                        drafts[name] = self._folder / f".{self._stem}-{name}.csv{DRAFT_SUFFIX}"
                        file = drafts[name].open("w", encoding="utf-8-sig", errors="replace", newline="")
                        tables[name] = csv.writer(resources.enter_context(file))
                        tables[name].writerow(columns)
                    tables[name].writerow(cells)
                    counts[name] += 1
            names = [name for name in CLASSES if name in drafts]
            paths = {name: drafts[name].replace(self._folder / f"{self._stem}-{name}.csv") for name in names}
        finally:
            for draft in drafts.values():
                draft.unlink(missing_ok=True)
        return [RetryList(name=name, path=paths[name], row_count=counts[name]) for name in names]


def _read(report: IO[str], path: Path) -> tuple[list[str], Iterator[tuple[str | None, list[str]]]]:
    """Return the columns of a report, and its rows as outcome and cells."""
    try:
        summary, columns, rows = (report.readline().rstrip("\n") for _ in range(3))
        is_report = summary.startswith(_SUMMARY) and columns.startswith(_COLUMNS) and rows.startswith(_ROWS)
        if not is_report:
            raise ReportUnreadableError(f"'{path}' is not a report of Poolwright as JSON.")
        names = json.loads(columns.removeprefix(_COLUMNS).removesuffix(","))
    except ValueError as error:  # also of text that is not UTF-8
        if isinstance(error, ReportUnreadableError):
            raise
        raise ReportUnreadableError(f"'{path}' is not a report of Poolwright as JSON.") from error
    return names, _rows(report, path)


def _rows(report: IO[str], path: Path) -> Iterator[tuple[str | None, list[str]]]:
    for line in report:
        text = line.strip()
        if text == _END:
            return
        try:
            entry = json.loads(text.removesuffix(","))
            yield entry["outcome"], entry["cells"]
        except (ValueError, KeyError, TypeError) as error:
            raise ReportUnreadableError(f"'{path}' is damaged or was edited.") from error
    raise ReportUnreadableError(f"'{path}' is cut short.")
