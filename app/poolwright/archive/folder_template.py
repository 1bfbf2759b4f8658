"""The template of an order's folder, such as ``{supplier}/{number}``: checked once, then filled in for each order.

A field is one that every order has, one of the order's page by the portal pack, or a column of the user's list.
"""

from __future__ import annotations

import re
import string
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from types import MappingProxyType
from typing import Self

from poolwright.domain.errors import OptionsError
from poolwright.domain.ids import TaskId
from poolwright.domain.tasks import OrderList, OrderRow, POTask, Report
from poolwright.files.names import safe_folders

DEFAULT_TEMPLATE = "{supplier}/{number}"
#: The default for portals whose pages show no supplier.
_TEMPLATE_WITHOUT_SUPPLIER = "{number}"
#: Fields that every order has, whatever its page shows.
OWN_FIELDS = ("number", "portal_number", "outcome", "year", "month", "day")
_NO_ROW: Mapping[str, str] = MappingProxyType({})
#: The text for an empty field, alone or beside other text.
_UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class LiteralText:
    """Literal text of the template."""

    text: str


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A field of the template, which each order fills in."""

    name: str


PatternPart = LiteralText | Placeholder


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderTemplate:
    """The levels of folders below the output folder, the order's own folder last."""

    levels: tuple[tuple[PatternPart, ...], ...]

    @classmethod
    def parse(cls, text: str, known_fields: Collection[str] | None = None) -> Self:
        """Parse a template: levels between ``/``, fields in braces.

        Args:
            text: The template.
            known_fields: The fields of this portal's pages; without it any field is accepted.

        Raises:
            OptionsError: The template is not valid, leads out of the output folder, or has an unknown field.
        """
        if not text.strip():
            raise OptionsError(f"The folder template is empty. The default is {DEFAULT_TEMPLATE}.")
        if "\\" in text or text.startswith(("/", "~")) or re.match(r"[A-Za-z]:", text):
            raise OptionsError(
                f"The folder template {text!r} must be relative to the output folder and use / between its levels."
            )
        levels = _split_levels(_pieces(text))
        _check_levels(text, levels)
        _check_fields(text, levels, known_fields)
        return cls(levels=levels)

    @property
    def fields(self) -> frozenset[str]:
        """Return the fields that the template uses."""
        return frozenset(piece.name for level in self.levels for piece in level if isinstance(piece, Placeholder))

    def render(self, task: POTask, report: Report, at: datetime, cells: Mapping[str, str] = _NO_ROW) -> tuple[str, ...]:
        """Return the folder levels for one order, each a safe name.

        Args:
            task: The order.
            report: Its report, with the fields of its page.
            at: The time of filing, aware UTC.
            cells: The cells of its row in the user's list, by column. A field of the page goes before a column.
        """
        values = {
            **cells,
            **report.fields,
            "number": task.po_number,
            "portal_number": task.portal_number,
            "outcome": report.outcome.value,
            "year": f"{at:%Y}",
            "month": f"{at:%m}",
            "day": f"{at:%d}",
        }
        return self._filled(values)

    def preview(self, task: POTask, cells: Mapping[str, str]) -> tuple[str, ...]:
        """Return the folder levels for an order before it is fetched; what only its page tells stays in braces."""
        known = {"number": task.po_number, "portal_number": task.portal_number, **cells}
        return self._filled({**{name: f"{{{name}}}" for name in self.fields}, **known})

    def _filled(self, values: Mapping[str, str]) -> tuple[str, ...]:
        return safe_folders("".join(_text(piece, values) for piece in level) for level in self.levels)


def list_columns(orders: OrderList, page_fields: Collection[str]) -> dict[str, int]:
    """Return the columns of a list that can be folder levels, with their indexes.

    Not a column without a name or with the name of another one, nor one that is called as a field of an order.
    """
    names = [name.strip() for name in orders.columns]
    other = {*OWN_FIELDS, *page_fields, ""}
    return {name: index for index, name in enumerate(names) if name not in other and names.count(name) == 1}


def cells_by_task(
    orders: OrderList, template: FolderTemplate, page_fields: Collection[str]
) -> dict[TaskId, dict[str, str]]:
    """Return the cells that a template uses, by order; of several rows of an order, the first one counts."""
    columns = {name: index for name, index in list_columns(orders, page_fields).items() if name in template.fields}
    cells: dict[TaskId, dict[str, str]] = {}
    for row in orders.rows if columns else ():
        if row.task_id is not None:
            cells.setdefault(row.task_id, {name: _cell(row, index) for name, index in columns.items()})
    return cells


def ambiguous_orders(
    orders: OrderList, template: FolderTemplate, page_fields: Collection[str]
) -> dict[TaskId, tuple[str, ...]]:
    """Return the orders whose rows differ in a column that a template uses, with these columns."""
    columns = {name: index for name, index in list_columns(orders, page_fields).items() if name in template.fields}
    values: dict[TaskId, dict[str, set[str]]] = {}
    for row in orders.rows if columns else ():
        if row.task_id is not None:
            seen = values.setdefault(row.task_id, {name: set() for name in columns})
            for name, index in columns.items():
                seen[name].add(_cell(row, index).strip())
    differing = {task_id: tuple(name for name in seen if len(seen[name]) > 1) for task_id, seen in values.items()}
    return {task_id: names for task_id, names in differing.items() if names}


def ambiguity_notices(ambiguous: Mapping[TaskId, tuple[str, ...]]) -> tuple[str, ...]:
    """Return a sentence about orders whose rows name different folders, from ``ambiguous_orders``."""
    if not ambiguous:
        return ()
    columns = ", ".join(dict.fromkeys(name for names in ambiguous.values() for name in names))
    orders = "1 order is" if len(ambiguous) == 1 else f"{len(ambiguous):,} orders are"
    return (f"{orders} in rows that differ in {columns}; the folder is that of the first row.",)


def with_cells(orders: OrderList, template: FolderTemplate, page_fields: Collection[str]) -> OrderList:
    """Return the list with the cells that a template uses in each of its tasks."""
    cells = cells_by_task(orders, template, page_fields)
    if not cells:
        return orders
    tasks = tuple(replace(task, cells=cells.get(task.task_id, {})) for task in orders.tasks)
    return replace(orders, tasks=tasks)


def template_columns(template: FolderTemplate, page_fields: Collection[str]) -> tuple[str, ...]:
    """Return the fields of a template that only a column of a list can fill, sorted."""
    return tuple(sorted(template.fields - {*OWN_FIELDS, *page_fields}))


def _cell(row: OrderRow, index: int) -> str:
    return row.cells[index] if index < len(row.cells) else ""


def default_template(known_fields: Collection[str]) -> str:
    """Return the default template for a portal with these fields on its pages."""
    return DEFAULT_TEMPLATE if "supplier" in known_fields else _TEMPLATE_WITHOUT_SUPPLIER


def _pieces(text: str) -> list[PatternPart]:
    parts: list[PatternPart] = []
    try:
        for words, name, form, conversion in string.Formatter().parse(text):
            if words:
                parts.append(LiteralText(words))
            if name is None:
                continue
            if not name.strip() or form or conversion:
                raise OptionsError(f"The folder template {text!r} must have a plain field name in each pair of braces.")
            parts.append(Placeholder(name.strip()))
    except ValueError as error:
        if isinstance(error, OptionsError):
            raise
        raise OptionsError(
            f"The folder template {text!r} has an unmatched brace; fields look like {{number}}."
        ) from error
    return parts


def _split_levels(pieces: list[PatternPart]) -> tuple[tuple[PatternPart, ...], ...]:
    levels: list[list[PatternPart]] = [[]]
    for piece in pieces:
        match piece:
            case LiteralText(text=text):
                first, *others = ([LiteralText(part)] if part else [] for part in text.split("/"))
                levels[-1].extend(first)
                levels.extend(list[PatternPart](other) for other in others)
            case Placeholder():
                levels[-1].append(piece)
    return tuple(tuple(level) for level in levels)


def _check_levels(text: str, levels: tuple[tuple[PatternPart, ...], ...]) -> None:
    for level in levels:
        text_of_level = "".join(piece.text for piece in level if isinstance(piece, LiteralText))
        has_field = any(isinstance(piece, Placeholder) for piece in level)
        if not has_field and not text_of_level.strip(" ."):
            raise OptionsError(f"The folder template {text!r} has a level that is empty or consists of dots.")


def _check_fields(text: str, levels: tuple[tuple[PatternPart, ...], ...], known_fields: Collection[str] | None) -> None:
    if known_fields is None:
        return
    allowed = {*OWN_FIELDS, *known_fields}
    for piece in chain.from_iterable(levels):
        if isinstance(piece, Placeholder) and piece.name not in allowed:
            raise OptionsError(
                f"The folder template {text!r} uses the unknown field {{{piece.name}}};"
                f" known fields: {', '.join(sorted(allowed))}."
            )


def _text(piece: PatternPart, values: Mapping[str, str]) -> str:
    match piece:
        case LiteralText(text=text):
            return text
        case Placeholder(name=name):
            return values.get(name, "").strip() or _UNKNOWN
