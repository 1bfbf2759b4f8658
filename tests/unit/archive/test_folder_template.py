from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolwright.archive.folder_template import (
    DEFAULT_TEMPLATE,
    FolderTemplate,
    ambiguity_notices,
    ambiguous_orders,
    cells_by_task,
    default_template,
    list_columns,
    template_columns,
    with_cells,
)
from poolwright.domain.errors import OptionsError
from poolwright.domain.ids import BatchId
from poolwright.domain.tasks import OrderList, OrderRow
from poolwright.files.names import FOLDER_NAME_MAX_BYTES, FOLDERS_MAX_BYTES
from tests.support.archive_orders import NOON, report_for, task_for
from tests.support.pace import UNHURRIED


def filled(template: str, supplier: str = "Acme", number: str = "PO1001") -> str:
    report = report_for({"a.pdf": b"a"}, supplier=supplier)
    return "/".join(FolderTemplate.parse(template).render(task_for(number), report, NOON))


@pytest.mark.parametrize(
    ("template", "folder"),
    [
        ("{supplier}/{number}", "Acme/PO1001"),
        ("{year}-{month}/{day} {number}", "2026-11/23 PO1001"),
        ("Orders/{currency}/{ supplier }/{portal_number}_{outcome}", "Orders/EUR/Acme/1001_COMPLETED"),
        ("{number}", "PO1001"),
        ("X/{number}", "X/PO1001"),
        ("{{draft}} {number}", "{draft} PO1001"),
        ("{legal entity}/{number}", "Unknown/PO1001"),
        ("{legal entity} - {number}", "Unknown - PO1001"),
    ],
)
def test_a_template_is_filled_with_what_is_known_of_an_order(template: str, folder: str) -> None:
    assert filled(template) == folder


@pytest.mark.parametrize("supplier", ["", "  "])
def test_an_order_without_supplier_goes_to_unknown(supplier: str) -> None:
    assert filled("{supplier}/{number}", supplier=supplier) == "Unknown/PO1001"


def test_a_page_cannot_give_an_order_another_number() -> None:
    report = report_for({"a.pdf": b"a"})
    report = type(report)(reason=report.reason, fields={"number": "PO9999"}, files=report.files)

    assert FolderTemplate.parse("{number}").render(task_for("PO1"), report, NOON) == ("PO1",)


@UNHURRIED
@given(st.text(), st.text())
def test_any_texts_give_as_many_safe_levels_as_the_template_has(supplier: str, number: str) -> None:
    levels = filled("{supplier}/{number} {supplier}", supplier=supplier, number=number).split("/")

    assert len(levels) == 2
    assert all(level and level not in {".", ".."} for level in levels)
    assert all(len(level.encode()) <= FOLDER_NAME_MAX_BYTES for level in levels)


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ("/{number}", "must be relative"),
        ("~/{number}", "must be relative"),
        ("C:/{number}", "must be relative"),
        ("c:/{number}", "must be relative"),
        ("{supplier}\\{number}", "must be relative"),
        ("../{number}", "empty or consists of dots"),
        ("{supplier}/./{number}", "empty or consists of dots"),
        ("{supplier}//{number}", "empty or consists of dots"),
        ("{supplier}/{number}/", "empty or consists of dots"),
        ("{supplier", "an unmatched brace"),
        ("supplier}", "an unmatched brace"),
        ("{}", "plain field name"),
        ("{number:>10}", "plain field name"),
        ("{number!r}", "plain field name"),
        ("{number:{supplier}}", "plain field name"),
    ],
)
def test_a_template_that_cannot_work_is_refused_with_its_reason(template: str, said: str) -> None:
    with pytest.raises(OptionsError, match=said):
        FolderTemplate.parse(template)


def test_a_misspelt_field_is_told_where_the_fields_are_known() -> None:
    with pytest.raises(OptionsError, match=r"uses the unknown field \{suplier\}; known fields: .*supplier"):
        FolderTemplate.parse("{suplier}/{number}", known_fields=["supplier"])

    assert FolderTemplate.parse("{supplier}/{number}/{year}", known_fields=["supplier"])


def test_fields_of_every_order_are_always_known() -> None:
    template = "{number} {portal_number} {outcome} {year} {month} {day}"

    assert FolderTemplate.parse(template, known_fields=[])
    with pytest.raises(OptionsError) as caught:
        FolderTemplate.parse("{x}", known_fields=["supplier"])
    assert str(caught.value) == (
        "The folder template '{x}' uses the unknown field {x};"
        " known fields: day, month, number, outcome, portal_number, supplier, year."
    )


def test_a_refusal_shows_the_template() -> None:
    with pytest.raises(OptionsError) as caught:
        FolderTemplate.parse("../{number}")

    assert str(caught.value) == "The folder template '../{number}' has a level that is empty or consists of dots."


def a_list(
    *rows: tuple[str, ...], columns: tuple[str, ...] = ("Buyer", "PO", " Year ", "day", "supplier", "x", "x")
) -> OrderList:
    tasks = {row[1]: task_for(row[1]) for row in rows}
    return OrderList(
        batch_id=BatchId("b"),
        source="list.csv",
        columns=columns,
        rows=tuple(
            OrderRow(row_no=number, cells=row, given=row[1], task_id=tasks[row[1]].task_id)
            for number, row in enumerate(rows, start=2)
        ),
        tasks=tuple(tasks.values()),
    )


def test_columns_of_the_list_can_be_levels_unless_they_are_called_as_something_else() -> None:
    assert list_columns(a_list(("Ann", "PO1")), {"supplier"}) == {"Buyer": 0, "PO": 1, "Year": 2}


def test_the_first_row_of_an_order_tells_its_cells_and_others_that_differ_are_named() -> None:
    orders = a_list(("Ann", "PO1", "2025"), ("Bob", "PO1", "2025"), ("Cy", "PO2", "2026"), ("Cy ", "PO2"))
    template = FolderTemplate.parse("{Buyer}/{Year}/{number}")

    cells = cells_by_task(orders, template, ())
    assert [template.render(task, report_for({}), NOON, cells[task.task_id]) for task in orders.tasks] == [
        ("Ann", "2025", "PO1"),
        ("Cy", "2026", "PO2"),
    ]
    first, second = (task.task_id for task in orders.tasks)
    assert ambiguous_orders(orders, template, ()) == {first: ("Buyer",), second: ("Year",)}
    assert cells_by_task(orders, FolderTemplate.parse("{number}"), ()) == {}


def test_a_column_without_a_name_is_no_level_and_a_row_that_is_too_short_has_empty_cells() -> None:
    orders = a_list(("Ann", "PO1"), columns=("Buyer", "PO", "", "Plant"))
    (task,) = orders.tasks

    assert list_columns(orders, ()) == {"Buyer": 0, "PO": 1, "Plant": 3}
    assert cells_by_task(orders, FolderTemplate.parse("{Plant}/{number}"), ()) == {task.task_id: {"Plant": ""}}


def test_the_tasks_of_a_list_get_the_cells_that_the_template_uses() -> None:
    orders = a_list(("Ann", "PO1", "2025"), ("Bob", "PO2", "2026"))

    given = with_cells(orders, FolderTemplate.parse("{Buyer}/{supplier}/{number}"), {"supplier"})

    assert [task.cells for task in given.tasks] == [{"Buyer": "Ann"}, {"Buyer": "Bob"}]
    assert replace(given, tasks=orders.tasks) == orders
    rowless = replace(orders, tasks=(*orders.tasks, task_for("PO9")))
    assert with_cells(rowless, FolderTemplate.parse("{Buyer}/{number}"), ()).tasks[-1].cells == {}
    assert with_cells(orders, FolderTemplate.parse("{number}"), ()) is orders


def test_orders_whose_rows_differ_are_counted_and_the_columns_named_once() -> None:
    one, two = (task.task_id for task in a_list(("Ann", "PO1"), ("Bob", "PO2")).tasks)

    assert ambiguity_notices({}) == ()
    assert ambiguity_notices({one: ("Buyer",)}) == (
        "1 order is in rows that differ in Buyer; the folder is that of the first row.",
    )
    assert ambiguity_notices({one: ("Buyer", "Year"), two: ("Buyer",)}) == (
        "2 orders are in rows that differ in Buyer, Year; the folder is that of the first row.",
    )


def test_the_fields_that_only_a_list_can_fill_are_known() -> None:
    template = FolderTemplate.parse("{Plant}/{Buyer}/{supplier}/{year}/{number}")

    assert template_columns(template, {"supplier", "other"}) == ("Buyer", "Plant")


def test_what_the_page_tells_goes_before_a_column() -> None:
    template = FolderTemplate.parse("{supplier}/{number}")

    levels = template.render(
        task_for("PO1"), report_for({}, supplier="Acme"), NOON, {"supplier": "List", "number": "x"}
    )

    assert levels == ("Acme", "PO1")


def test_a_preview_shows_what_only_the_page_tells_in_braces() -> None:
    template = FolderTemplate.parse("{Buyer}/{supplier}/{year}/{number}")

    assert template.preview(task_for("PO1"), {"Buyer": "A/B:C"}) == ("A_B_C", "{supplier}", "{year}", "PO1")
    assert FolderTemplate.parse("{portal_number}/{number}").preview(task_for("PO12"), {}) == ("12", "PO12")


def test_many_long_levels_are_shortened_so_that_windows_can_open_them() -> None:
    template = FolderTemplate.parse("{a}/{b}/{c}/{number}")
    values = dict.fromkeys("abc", "Ü" * 60)

    levels = template.render(task_for("PO1001"), report_for({}), NOON, values)

    assert sum(len(level.encode()) for level in levels) <= FOLDERS_MAX_BYTES
    assert levels[3] == "PO1001", "a short level stays"
    assert template.render(task_for("PO1001"), report_for({}), NOON, {**values, "c": "x"})[0] == "Ü" * 38


def test_the_default_has_no_level_for_a_supplier_that_no_page_shows() -> None:
    assert default_template({"total", "supplier"}) == DEFAULT_TEMPLATE
    assert default_template({"total"}) == "{number}"
    assert default_template(()) == "{number}"
