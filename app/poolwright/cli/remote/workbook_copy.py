"""A copy of the user's own workbook with the results of a list that a daemon processes.

The daemon has the rows of the list and not the workbook, so the copy is made here. It is made only of the very list:
its id depends on every cell of its rows, and a workbook that was changed since it was submitted has another one.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from poolwright.archive.report_table import RESULT_COLUMNS, Value, result_headers
from poolwright.archive.workbooks.list_workbook import ListWorkbook, NotFillableError
from poolwright.cli.order_input import OrderSources, list_workbook, read_orders
from poolwright.domain.errors import OptionsError
from poolwright.domain.tasks import OrderList
from poolwright.portal.pack import Pack


class WorkbookCopy:
    """The copy of one workbook."""

    def __init__(self, sources: OrderSources, pack: Pack, list_id: str) -> None:
        """Read the workbook.

        Args:
            sources: The workbook, with its sheet and column if they are not found by themselves.
            pack: The portal pack of the list.
            list_id: The list.

        Raises:
            InputRefusedError: It cannot be read, or contains no order.
            OptionsError: It is no workbook of which a copy can be made, or another list.
        """
        (name,) = sources.names
        self._orders = read_orders(sources, pack)
        book = list_workbook(sources, self._orders)
        if book is None:
            msg = f"{name} is no workbook of Excel since 2007 (.xlsx, .xlsm); its results are in the report itself."
            raise OptionsError(msg)
        if self._orders.batch_id != list_id:
            msg = (
                f"{name} is not the list {list_id}, or it was changed since then: as it is now, it is the list "
                f"{self._orders.batch_id}. If you submitted it with --sheet or --column, give them here too."
            )
            raise OptionsError(msg)
        self._book: ListWorkbook = book

    @property
    def default_path(self) -> Path:
        """The file beside which nothing of the user's is: in the current folder, with the ending of the workbook."""
        return Path(f"{self._book.path.stem}-with-results{self._book.path.suffix.lower()}")

    def write(self, report: bytes, target: Path) -> None:
        """Write the copy.

        Args:
            report: The report of the list, as a workbook.
            target: The file to write.

        Raises:
            OptionsError: It cannot be written, or the workbook cannot be filled.
        """
        from poolwright.archive.workbooks.filled_workbook import fill_workbook  # noqa: PLC0415 - a heavy library

        if target.absolute() == self._book.path:
            msg = f"{target} is your own workbook, which is never changed; choose another path with --to."
            raise OptionsError(msg)
        headers = result_headers(self._orders.columns)
        try:
            fill_workbook(self._book, target, headers, results_by_row(self._orders, report))
        except NotFillableError as error:
            msg = f"There is no copy of {self._book.path.name} with the results: {error}."
            raise OptionsError(msg) from error
        except OSError as error:
            msg = f"{target} cannot be written ({error.strerror}); choose another path with --to."
            raise OptionsError(msg) from error


def results_by_row(orders: OrderList, report: bytes) -> Mapping[int, Sequence[Value]]:
    """Return the values of the result columns by the row of the user's sheet.

    Raises:
        NotFillableError: The report has other rows than the list.
    """
    from openpyxl import load_workbook  # noqa: PLC0415 - a heavy library

    book = load_workbook(io.BytesIO(report), read_only=True)
    lines = list(book["Report"].iter_rows(min_row=2, values_only=True))
    book.close()
    if len(lines) != len(orders.rows):
        msg = f"the report has {len(lines):,} rows, and the list {len(orders.rows):,}"
        raise NotFillableError(msg)
    count = len(RESULT_COLUMNS)
    return {
        row.row_no: [_value(cell) for cell in (*((None,) * (count - len(line))), *line)[-count:]]
        for row, line in zip(orders.rows, lines, strict=True)
    }


def _value(cell: object) -> Value:
    return cell if cell is None or isinstance(cell, int | datetime) else str(cell)
