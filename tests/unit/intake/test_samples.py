"""Order lists from public repositories are read right. They lie beside the repository, never in it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TypedDict

import pytest

from poolwright.domain.outcomes import Reason
from poolwright.intake.errors import InputRefusedError
from poolwright.intake.orders import ReadOptions, orders_from_file
from tests.support.order_files import ANYTHING
from tests.support.paths import ROOT

SAMPLES = ROOT.parent / "shared" / "samples"
READING = ReadOptions(portal_name="any", rules=ANYTHING)
#: Names that people of these lists would not swear by.
GUESSED = {"20-docnumber-json-in-cells.csv", "23-tab-metadata-rows.csv"}
WITHOUT_HEADER = "24-title-row-no-header.csv"


class Truth(TypedDict):
    """What is known of a list."""

    column: str
    rows: int
    distinct: int


def truths() -> dict[str, Truth]:
    path = SAMPLES / "truth.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


pytestmark = pytest.mark.skipif(
    not truths(), reason="the sample lists are not beside the repository (../shared/samples)"
)


@pytest.mark.parametrize(("name", "truth"), truths().items(), ids=list(truths()))
def test_a_real_list_is_read_right(name: str, truth: Truth) -> None:
    position = truth["column"] if truth["column"].startswith("#") else None
    orders = orders_from_file(SAMPLES / name, replace(READING, column=position))

    index = orders.columns.index(truth["column"])
    assert all(row.given == row.cells[index] for row in orders.rows)
    assert len(orders.rows) == truth["rows"]
    assert len(orders.tasks) == truth["distinct"]


@pytest.mark.parametrize("name", truths())
def test_doubt_about_the_column_is_told_and_only_then(name: str) -> None:
    if name == WITHOUT_HEADER:
        with pytest.raises(InputRefusedError, match=r"no header, .*--column '#1'"):
            orders_from_file(SAMPLES / name, READING)
        return

    notices = orders_from_file(SAMPLES / name, READING).notices

    assert any("which is a guess" in notice for notice in notices) == (name in GUESSED)


@pytest.mark.parametrize(("name", "truth"), truths().items(), ids=list(truths()))
def test_naming_the_column_gives_the_same_list(name: str, truth: Truth) -> None:
    orders = orders_from_file(SAMPLES / name, replace(READING, column=truth["column"]))

    assert (len(orders.rows), len(orders.tasks)) == (truth["rows"], truth["distinct"])
    assert not any("which is a guess" in notice for notice in orders.notices)


def test_repeated_order_lines_are_told() -> None:
    notices = orders_from_file(SAMPLES / "21-one-order-many-lines.csv", READING).notices

    assert notices == ("11 rows repeat an order that is already in the list; each order is fetched once.",)


def test_a_row_without_a_number_is_kept_and_told() -> None:
    orders = orders_from_file(SAMPLES / "15-blank-order-number.csv", READING)

    assert [row.row_no for row in orders.rows if row.problem is Reason.BLANK_NUMBER] == [6]


def test_rows_that_describe_columns_are_told() -> None:
    notices = orders_from_file(SAMPLES / "23-tab-metadata-rows.csv", READING).notices

    assert any("Rows 2 to 6" in notice for notice in notices)
