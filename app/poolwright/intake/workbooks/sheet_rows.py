"""Collects the rows of one sheet with hidden and merged cells, within the limits, and parses cell references."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from poolwright.intake.errors import InputRefusedError
from poolwright.intake.grid import CELLS_MAX, COLUMNS_MAX, NO_DOUBTS, Budget, Grid, Row, check_row_count, named_rows
from poolwright.intake.workbooks.cell import EMPTY, SHOWS_NOTHING, UNSAVED_FORMULA, Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetPage:
    """A sheet with the function that reads it."""

    title: str
    is_visible: bool
    read: Callable[[], Grid]


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A rectangle of cells; rows from 1, columns from 0, both ends included."""

    top: int
    bottom: int
    left: int
    right: int


@dataclass(slots=True, kw_only=True)
class SheetRows:
    """The rows of one sheet, collected row by row."""

    source: str
    #: Whether the file distinguishes numbers from texts that look like them.
    knows_types: bool = True
    rows: dict[int, Row] = field(default_factory=dict[int, Row])
    hidden: list[int] = field(default_factory=list[int])
    hidden_columns: set[int] = field(default_factory=set[int])
    is_filtered: bool = False
    #: Number of row numbers that repeat or go back, and of formulas without a value.
    restart_count: int = 0
    unsaved_count: int = 0
    #: Rows that have only formulas, all of which show nothing.
    mute: list[int] = field(default_factory=list[int])
    notices: list[str] = field(default_factory=list[str])
    #: Sets of columns with values by themselves: most rows have the same set, and share one object.
    _kinds: dict[frozenset[int], frozenset[int]] = field(
        init=False, default_factory=dict[frozenset[int], frozenset[int]]
    )
    _budget: Budget = field(init=False)
    _last_row: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self._budget = Budget(self.source)

    def next_row_no(self, row_no: int | None) -> int:
        """Return the number of the next row: the given one, or the one after the last if it is missing or too low."""
        if row_no is None or row_no <= self._last_row:
            self.restart_count += row_no is not None
            row_no = self._last_row + 1
        check_row_count(row_no, self.source)
        self._last_row = row_no
        return row_no

    def add(self, row_no: int, cells: Sequence[Cell], *, is_hidden: bool = False) -> None:
        """Add a row with its number; a blank one is only counted."""
        texts = self._budget.count([cell.text for cell in cells])
        doubts = {index: cell.doubt for index, cell in enumerate(cells) if cell.doubt}
        self.unsaved_count += sum(cell is UNSAVED_FORMULA for cell in cells)
        if not doubts and not any(map(str.strip, texts)):
            if any(cell is SHOWS_NOTHING for cell in cells):
                self.mute.append(row_no)
            return
        ones = frozenset(index for index, cell in enumerate(cells) if cell.is_one)
        struck = frozenset(index for index, cell in enumerate(cells) if cell.is_struck)
        self.rows[row_no] = Row(row_no=row_no, cells=texts, doubts=doubts or NO_DOUBTS, one_numbers=ones, struck=struck)
        if self.knows_types:
            values = frozenset(index for index, cell in enumerate(cells) if cell.is_value)
            self.rows[row_no] = replace(self.rows[row_no], values=self._kinds.setdefault(values, values))
        if is_hidden:
            self.hidden.append(row_no)

    def merge(self, areas: Sequence[Area]) -> None:
        """Copy a merged cell into every row that it spans, as a person sees it."""
        row_numbers = sorted(self.rows)
        filled: set[int] = set()
        spent = 0
        for area in areas:
            first, last = bisect_right(row_numbers, area.top), bisect_right(row_numbers, area.bottom)
            head = self.rows.get(area.top)
            if head is None or area.left >= len(head.cells) or not head.cells[area.left].strip():
                continue
            spent += last - first
            if spent > CELLS_MAX:
                raise InputRefusedError(f"{self.source} has too many merged cells; save the list alone as CSV.")
            for row_no in row_numbers[first:last]:
                if self._fill(row_no, area.left, head):
                    filled.add(row_no)
        if filled:
            self.notices.append(f"Merged cells of {self.source} were read in {named_rows(sorted(filled))} too.")

    def drop_totals(self, area: Area, name: str) -> None:
        """Remove the rows of a table's totals."""
        row_numbers = sorted(self.rows)
        within = row_numbers[bisect_left(row_numbers, area.top) : bisect_right(row_numbers, area.bottom)]
        for row_no in within:
            row = self.rows[row_no]
            cells = tuple("" if area.left <= index <= area.right else cell for index, cell in enumerate(row.cells))
            doubts = {index: doubt for index, doubt in row.doubts.items() if not area.left <= index <= area.right}
            if doubts or any(map(str.strip, cells)):
                self.rows[row_no] = replace(row, cells=cells, doubts=doubts)
            else:
                del self.rows[row_no]
        if within:
            self.notices.append(f"The total of table {name!r} is in {named_rows(within)}: not read as an order.")

    def grid(self) -> Grid:
        """Return all rows and notices."""
        rows = tuple(self.rows[row_no] for row_no in sorted(self.rows))
        return Grid(rows=rows, notices=(*self.notices, *self._hidden_notices(rows), *self._odd_notices()))

    def _fill(self, row_no: int, column: int, head: Row) -> bool:
        row = self.rows[row_no]
        own = row.cells[column] if column < len(row.cells) else ""
        if own.strip():
            if own != head.cells[column]:
                doubt = (
                    f"The cell holds {own!r} below a merged cell that shows {head.cells[column]!r}: unmerge the cells."
                )
                self.rows[row_no] = replace(row, doubts={**row.doubts, column: doubt})
            return False
        cells = [*row.cells, *[""] * (column + 1 - len(row.cells))]
        cells[column] = head.cells[column]
        doubts = {**row.doubts, **({column: head.doubts[column]} if column in head.doubts else {})}
        ones = row.one_numbers | ({column} & head.one_numbers)
        values = None if row.values is None or head.values is None else row.values | ({column} & head.values)
        struck = row.struck | ({column} & head.struck)
        self.rows[row_no] = replace(
            row, cells=tuple(cells), doubts=doubts, one_numbers=ones, values=values, struck=struck
        )
        return True

    def _hidden_notices(self, rows: Sequence[Row]) -> Iterator[str]:
        hidden = [row_no for row_no in self.hidden if row_no in self.rows]
        if hidden:
            cause = " by a filter or by hand" if self.is_filtered else ""
            yield (
                f"{named_rows(hidden).capitalize()} of {self.source} {'is' if len(hidden) == 1 else 'are'} hidden"
                f"{cause} in the sheet but were read; delete those that you do not want."
            )
        filled = {index for row in rows for index in self.hidden_columns if index < len(row.cells) and row.cells[index]}
        if filled:
            letters = ", ".join(map(column_letters, sorted(filled)))
            yield f"Hidden columns of {self.source} were read too: {letters}."

    def _odd_notices(self) -> Iterator[str]:
        if self.restart_count:
            yield (f"Row numbers in {self.source} restart or repeat; its rows were renumbered, and all were read.")
        if self.mute:
            yield (
                f"{named_rows(self.mute).capitalize()} of {self.source} {'holds' if len(self.mute) == 1 else 'hold'} "
                "formulas that show nothing: not read as orders; where they should show numbers, open the workbook in "
                "Excel and save it."
            )
        if self.unsaved_count:
            cells = (
                "1 cell holds a formula" if self.unsaved_count == 1 else f"{self.unsaved_count} cells hold a formula"
            )
            yield (
                f"{cells} without a saved value in {self.source}, which is read as blank; open the workbook in "
                "Excel and save it."
            )


def cells_at(columns: Iterator[tuple[int, Cell]]) -> list[Cell]:
    """Return a row of cells from pairs of column (from 0) and cell; cells beyond the last column are only counted."""
    cells: list[Cell] = []
    for index, cell in columns:
        column = min(index, COLUMNS_MAX)
        if column >= len(cells):
            cells.extend([EMPTY] * (column - len(cells)))
            cells.append(cell)
        else:
            cells[column] = _joined(cells[column], cell)
    return cells


def _joined(first: Cell, second: Cell) -> Cell:
    """Return one cell for two with the same reference; they are doubted if they differ, as programs show either."""
    if not second.text.strip() or first.text == second.text:
        return first if first is not EMPTY else second
    if not first.text.strip():
        return second
    return Cell(
        first.text,
        doubt=f"The cell is twice in the file, with {first.text!r} and with {second.text!r}: open the list in the "
        "program that made it and save it again.",
    )


def column_letters(index: int) -> str:
    """Return the letters of a column by its index from 0: ``AB`` for 27."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


REFERENCE = re.compile(r"\$?([A-Z]{1,9})\$?(\d+)", re.IGNORECASE)
#: The sheet in front of a reference of OpenDocument, which may be in quotes.
_SHEET = re.compile(r"\$?(?:'(?:[^']|'')*'|[^\s.':]+)?\.(?=\$?[A-Z]+\$?\d)", re.IGNORECASE)


def area_of(text: str) -> Area | None:
    """Return the area of a reference; ``None`` if it is not valid."""
    ends = [REFERENCE.fullmatch(end) for end in text.split(":")]
    first, last = ends[0], ends[-1]
    if not first or not last:
        return None
    return Area(top=int(first[2]), bottom=int(last[2]), left=column_of(first[1]), right=column_of(last[1]))


def areas_of(text: str) -> Iterator[Area]:
    """Yield all areas in a list of references."""
    for name in _SHEET.sub("", text).split():
        area = area_of(name)
        if area is not None:
            yield area


@lru_cache(maxsize=COLUMNS_MAX)
def column_of(letters: str) -> int:
    """Return the index of a column, from 0: 27 for ``AB``."""
    number = 0
    for letter in letters.upper():
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1
