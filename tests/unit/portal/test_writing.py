"""What people and spreadsheets put around a number, into it and beside it, piece by piece."""

from __future__ import annotations

import pytest

from poolwright.portal.number_text import (
    bare_texts,
    is_date,
    is_one_number,
    is_shortened,
    plain_text,
    unsure_thousands,
    without_thousands,
)


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("4500", "4500"),
        ("  45  00 ", "45 00"),
        ("45\t00", "45 00"),
        ("45\N{LINE SEPARATOR}00", "45 00"),
        ("\N{FULLWIDTH DIGIT FOUR}\N{FULLWIDTH DIGIT FIVE}", "45"),
        ("\N{ARABIC-INDIC DIGIT FOUR}\N{ARABIC-INDIC DIGIT FIVE}", "45"),
        ("45\x0000", "4500"),
        ("45\N{ZERO WIDTH SPACE}00", "4500"),
        ("PÖ\N{EN DASH}45", "PÖ-45"),
        ('="4500"', "4500"),
        ('="\'4500"', "4500"),
        ("'` 4500", "4500"),
        ("4500'", "4500'"),
        ("4500.0", "4500"),
        ("450,00", "450"),
        ("450.000", "450.000"),
        ("4500.000", "4500"),
        ("4 500 010,00", "4 500 010"),
    ],
)
def test_only_the_number_is_left_of_a_text(written: str, plain: str) -> None:
    assert plain_text(written) == plain


@pytest.mark.parametrize("sign", "\N{MINUS SIGN}\N{HYPHEN BULLET}\N{MODIFIER LETTER MINUS SIGN}\N{HEAVY MINUS SIGN}─")
def test_what_looks_like_a_hyphen_is_one(sign: str) -> None:
    assert plain_text(f"45{sign}00") == "45-00"


@pytest.mark.parametrize(
    ("plain", "bare"),
    [
        ("4500", []),
        ("- 4500", ["4500"]),
        ("2. 4500 3. 4501", ["4500 3. 4501"]),
        ("4500 - 4501", []),
        ("[4500]", ["4500"]),
        ('"4500"', ["4500"]),
        ("4500,", ["4500"]),
        ("* 4500.00,", ["4500.00,", "4500"]),
    ],
)
def test_marks_of_a_list_go_first_and_then_what_stands_around(plain: str, bare: list[str]) -> None:
    assert list(bare_texts(plain)) == [plain, *bare]


def test_some_texts_are_known_for_what_they_are() -> None:
    assert is_shortened("4.5E+09")
    assert not is_shortened("4500")
    assert is_date("2024-01-31")
    assert not is_date("4500-01")


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("4.500.010.001,00", "4500010001"),
        ("4,500,010", "4500010"),
        ("4\N{RIGHT SINGLE QUOTATION MARK}500", "4500"),
        ("4.500,0", "4500"),
        ("450.001", "450.001"),
        ("4\N{RIGHT SINGLE QUOTATION MARK}5", "4\N{RIGHT SINGLE QUOTATION MARK}5"),
    ],
)
def test_signs_between_thousands_go_where_they_can_be_nothing_else(text: str, digits: str) -> None:
    assert without_thousands(text) == digits


@pytest.mark.parametrize(("text", "digits"), [("450.001", "450001"), ("4,500", "4500"), ("4500", ""), ("4.5", "")])
def test_one_sign_between_thousands_may_be_a_fraction(text: str, digits: str) -> None:
    assert unsure_thousands(text) == digits


@pytest.mark.parametrize(
    ("parts", "is_one"),
    [
        ("4 500 012 345", True),
        ("4500 012", True),
        ("4500 12", False),
        ("4 50 012", False),
        ("4 012 50", False),
        ("0151 234", False),
        ("00151 234", False),
        ("000151 234", True),
        ("PO 1", True),
        ("12 34 PO", True),
    ],
)
def test_groups_of_digits_are_one_number_when_people_group_numbers_so(parts: str, is_one: bool) -> None:
    assert is_one_number(parts.split()) is is_one
