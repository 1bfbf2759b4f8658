"""Lists as other programs write them and people keep them, each with the orders that are right and what must be told.

The inputs lie in ``cases``, what is right stands in its ``truth.json``: the portal's numbers in ``orders``, rows that
must be INVALID in ``invalid``, a pattern for a notice or a detail in ``told``, and for a file that is not taken one for
the sentence in ``refused``.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TypedDict

import pytest

from poolwright.intake.errors import InputRefusedError
from poolwright.intake.orders import ReadOptions, orders_from_file
from poolwright.portal.numbers import NumberRules

CASES = Path(__file__).parent / "cases"
#: As loose as a real portal's.
RULES = NumberRules(
    prefixes=("PO", "PM"), pattern=r"^\d{6,}$", describe="at least 6 digits, with or without PO", example="PO4500012345"
)
READING = ReadOptions(portal_name="any", rules=RULES)


class Truth(TypedDict, total=False):
    """What is right for one list."""

    what: str
    orders: list[str]
    invalid: list[int]
    told: str
    refused: str


TRUTHS: dict[str, Truth] = json.loads((CASES / "truth.json").read_text(encoding="utf-8"))
READ = {name: truth for name, truth in TRUTHS.items() if "orders" in truth}
REFUSED = {name: truth["refused"] for name, truth in TRUTHS.items() if "refused" in truth}


def test_every_input_has_its_truth() -> None:
    assert {path.name for path in CASES.iterdir()} == {*TRUTHS, "truth.json"}
    assert len(READ) + len(REFUSED) == len(TRUTHS)


@pytest.mark.parametrize(("name", "truth"), READ.items(), ids=list(READ))
def test_a_list_gives_its_orders_and_says_what_was_odd(name: str, truth: Truth) -> None:
    orders = orders_from_file(CASES / name, READING)

    said = "\n".join([*orders.notices, *(row.detail for row in orders.rows)])
    assert [task.portal_number for task in orders.tasks] == truth.get("orders")
    assert [row.row_no for row in orders.rows if row.problem] == truth.get("invalid", [])
    assert re.search(truth.get("told", ""), said, re.IGNORECASE), said


@pytest.mark.parametrize(("name", "refused"), REFUSED.items(), ids=list(REFUSED))
def test_a_file_that_is_no_list_is_refused_with_what_it_is(name: str, refused: str) -> None:
    with pytest.raises(InputRefusedError, match=f"(?is){refused}") as error:
        orders_from_file(CASES / name, READING)

    assert str(error.value).endswith(".")
    assert "\n" not in str(error.value)
