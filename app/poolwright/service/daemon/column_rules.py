"""What a list must have before a daemon accepts it: the columns that its folders and groups need. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from poolwright.archive.folder_template import (
    FolderTemplate,
    ambiguity_notices,
    ambiguous_orders,
    list_columns,
    template_columns,
    with_cells,
)
from poolwright.domain.errors import OptionsError
from poolwright.domain.order_groups import group_orders
from poolwright.domain.tasks import OrderList
from poolwright.intake.errors import InputRefusedError
from poolwright.service.batch import ListOptions, check_refresh

#: Columns that a message names.
_COLUMNS_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnRules:
    """The columns that the settings of a daemon name."""

    #: Folder of one order below the output folder.
    template: str
    #: Fields that the portal pack reads from a page.
    page_fields: Collection[str]
    #: Column whose value is the group of an order, unless the sender of a list names another one; empty for none.
    group_by: str = ""

    @property
    def folder_columns(self) -> tuple[str, ...]:
        """The columns that every list must have, because the template names them, sorted."""
        return template_columns(FolderTemplate.parse(self.template), self.page_fields)

    def prepare(self, orders: OrderList, options: ListOptions) -> OrderList:
        """Return a list with the groups of its orders, the cells that name their folders, and sentences about both.

        Raises:
            InputRefusedError: The list lacks a column, or the options contradict each other. The message names cause
                and next step.
        """
        try:
            if options.is_refresh:
                check_refresh(options.redo)
            return self._with_folders(self._with_groups(orders, options.group_by))
        except OptionsError as error:
            raise InputRefusedError(str(error)) from error

    def _with_groups(self, orders: OrderList, asked: str | None) -> OrderList:
        column = self.group_by if asked is None else asked
        if not column:
            return orders
        try:
            grouped = group_orders(orders, column)
        except OptionsError as error:
            if asked is not None:
                raise
            notices = () if len(orders.columns) == 1 else (f"The orders have no groups. {error}",)
            return replace(orders, notices=(*orders.notices, *notices))
        return replace(grouped.orders, notices=(*grouped.orders.notices, *grouped.notices))

    def _with_folders(self, orders: OrderList) -> OrderList:
        wanted = self.folder_columns
        present = list_columns(orders, self.page_fields)
        missing = [name for name in wanted if name not in present]
        if missing:
            raise InputRefusedError(self._missing_columns_message(orders, missing))
        template = FolderTemplate.parse(self.template)
        notices = ambiguity_notices(ambiguous_orders(orders, template, self.page_fields))
        listed = with_cells(orders, template, self.page_fields)
        return replace(listed, notices=(*listed.notices, *notices))

    def _missing_columns_message(self, orders: OrderList, missing: list[str]) -> str:
        fields = ", ".join(f"{{{name}}}" for name in missing)
        names = [name.strip() for name in orders.columns]
        is_repeated = any(names.count(name) > 1 for name in missing)
        problem = "more than one column of such a name" if is_repeated else "no such column"
        shown = ", ".join(names[:_COLUMNS_SHOWN]) + (", ..." if len(names) > _COLUMNS_SHOWN else "")
        pack_fields = f" (fields of the portal: {', '.join(sorted(self.page_fields))})" if self.page_fields else ""
        return (
            f"The daemon names the folders of orders {self.template!r}, and the list has {problem} for {fields}; its "
            f"columns are {shown}. Send a list with the column, or start the daemon with another --folder-template"
            f"{pack_fields}."
        )


def folder_columns_notice(rules: ColumnRules) -> str:
    """Return a sentence about the columns that every list must have; empty if there are none."""
    columns = rules.folder_columns
    if not columns:
        return ""
    fields = ", ".join(f"{{{name}}}" for name in columns)
    verb = "is no field" if len(columns) == 1 else "are no fields"
    return (
        f"{fields} of the folder template {rules.template!r} {verb} of the portal, so each list must have a column of "
        "that name; lists without it, and typed numbers, are refused."
    )
