"""A number is what its format shows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolwright.intake.workbooks.cell import number_cell
from poolwright.intake.workbooks.number_format import FormatKind, NumberFormat, general_text
from tests.support.pace import UNHURRIED


@pytest.mark.parametrize(
    ("number", "code", "text"),
    [
        (123456, "General", "123456"),
        (123456, "", "123456"),
        (123456, "0", "123456"),
        (123456, "@", "123456"),
        (123456, "0000000000", "0000123456"),
        (123456, '"PO-"0000000', "PO-0123456"),
        (123456, "0000000000_ ", "0000123456"),
        (123456, "0000000000_)", "0000123456"),
        (123456, r"\P\O0000000000", "PO0000123456"),
        (123456, "[$-409]0000000000", "0000123456"),
        (123456, "[Red]0000000000", "0000123456"),
        (123456, "[$PO-409]0000000", "PO0123456"),
        (123456, '00000"-"00000', "00001-23456"),
        (123456, "00000-00000", "00001-23456"),
        (123456, r"000\ 000\ 000", "000 123 456"),
        (123456, "*x0000000000", "0000123456"),
        (123456, "0000000000;-0000000000", "0000123456"),
        (-123456, "0000000000;[Red]-0000000000", "-0000123456"),
        (-123456, "0000000000", "-0000123456"),
        (0, '0;-0;"none"', "none"),
        (123456, "[>=100000]0000000000;0", "0000123456"),
        (99, "[>=100000]0000000000;0", "99"),
        (123456, "_-* 0000000000_-;-* 0000000000_-;_-* -_-;_-@_-", "0000123456"),
        (123456, '"PO"#', "PO123456"),
        (123456, '"PO"General', "PO123456"),
        (123456, '"PO"@', "PO123456"),
        (123456, "?????????0", "123456"),
        (123456, "#,##0", "123456"),
        (123456, "#,##0.00", "123456.00"),
        (1234.5600000000001, "0.00", "1234.56"),
        (1234.5, "0.0##", "1234.5"),
        (0.25, "0.00%", "25.00%"),
        (2.5, "0", "3"),
        (1.5, "# ?/?", "1.5"),
        (4500010001, "0.00E+00", "4500010001"),
        (1e-7, "General", "1E-07"),
        (4500010002.0000005, "General", "4500010002"),
        (1e15, "0", "1E+15"),
        (123456, "Standard", "123456"),
        (123456, "Estándar", "123456"),
        (123456, "Geral", "123456"),
        (123456, "Základný", "123456"),
        (123456, "Основной", "123456"),
        (123456, "G/通用格式", "123456"),
    ],
)
def test_a_number_is_what_its_format_shows(number: float, code: str, text: str) -> None:
    assert NumberFormat.parse(code).kind(number) in {FormatKind.GENERAL, FormatKind.NUMBER}
    assert NumberFormat.parse(code).format_number(number) == text


@pytest.mark.parametrize(
    "code",
    [
        "yyyy-mm-dd",
        "m/d/yy",
        "mmm-yy",
        "[$-407]d. mmmm yyyy;@",
        "h:mm AM/PM",
        'yyyy"年"m"月"',
        "yyyy年m月d日",
        "TT.MM.JJJJ",
        "JJ/MM/AAAA",
        "GG/MM/AAAA",
        "ДД.ММ.ГГГГ",
    ],
)
def test_a_date_is_no_number_and_both_are_told(code: str) -> None:
    cell = number_cell(45413, code)

    assert cell.text == "2024-05-01"
    assert "(2024-05-01) and holds the number 45413" in cell.doubt


def test_dates_of_the_mac_begin_later() -> None:
    assert number_cell(43951, "yyyy-mm-dd", is_1904=True).text == "2024-05-01"


@pytest.mark.parametrize("number", [4500010001, 1e300])
def test_a_number_that_is_no_date_in_a_date_format_is_doubtful(number: float) -> None:
    assert "formatted as a date and holds" in number_cell(number, "yyyy-mm-dd").doubt


@pytest.mark.parametrize(
    ("number", "code", "shown", "held"),
    [
        (4500010002.4, "0", "shows '4500010002'", "holds 4500010002.4"),
        (4500010001, "0,", "shows '4500010'", "holds 4500010001"),
        (4500010001, ";;;", "shows nothing", "holds 4500010001"),
        (4500010001, '"see note"', "shows 'see note'", "holds 4500010001"),
    ],
)
def test_a_format_that_hides_digits_makes_the_cell_doubtful(number: float, code: str, shown: str, held: str) -> None:
    doubt = number_cell(number, code).doubt

    assert shown in doubt
    assert held in doubt


def test_text_between_digits_parts_nothing_in_a_number() -> None:
    assert number_cell(123456, "00000-00000").is_one
    assert not number_cell(123456, '"PO-"0000000000_ ').is_one


@UNHURRIED
@given(st.text(max_size=30), st.floats(allow_nan=False, allow_infinity=False))
def test_any_format_shows_something_or_makes_the_cell_doubtful(code: str, number: float) -> None:
    cell = number_cell(number, code)

    assert cell.text or cell.doubt


@UNHURRIED
@given(st.integers(0, 10**15 - 1), st.integers(0, 16))
def test_zeros_fill_up_and_nothing_is_cut(number: int, length: int) -> None:
    assert number_cell(float(number), "0" * (length + 1)).text == str(number).zfill(length + 1)
    assert general_text(float(number)) == str(number)


@pytest.mark.parametrize(
    ("code", "text"),
    [("0" * 500, "4500010001".zfill(500)), ("0" * 501, "4500010001"), ("0." + "0" * 600, "4500010001")],
)
def test_a_format_that_is_longer_than_any_program_allows_is_none(code: str, text: str) -> None:
    assert NumberFormat.parse(code).format_number(4500010001) == text


@pytest.mark.parametrize("code", ["0." + "0" * 498, "0" + "%" * 499, "0." + "0" * 250 + "%" * 248, "0" + "," * 499])
@pytest.mark.parametrize("number", [999999999999999.0, 0.1, 1e-300])
def test_the_longest_format_has_room_for_any_number(code: str, number: float) -> None:
    assert NumberFormat.parse(code).format_number(number)
