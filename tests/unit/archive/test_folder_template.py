from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolwright.archive.folder_template import DEFAULT_TEMPLATE, FolderTemplate, default_template
from poolwright.domain.errors import OptionsError
from poolwright.files.names import FOLDER_NAME_MAX_BYTES
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


def test_the_default_has_no_level_for_a_supplier_that_no_page_shows() -> None:
    assert default_template({"total", "supplier"}) == DEFAULT_TEMPLATE
    assert default_template({"total"}) == "{number}"
    assert default_template(()) == "{number}"
