"""What a text of a list is in a workbook, and what Excel can hold."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest

from poolwright.archive.excel_limits import TEXT_MAX, escape_text, excel_length, parse_typed, shorten_text, text_columns


@pytest.mark.parametrize(
    ("text", "value", "number_format"),
    [
        ("0", 0, "0"),
        ("42", 42, "0"),
        ("-7", -7, "0"),
        ("123456789012345", 123456789012345, "0"),
        ("1234.50", 1234.5, "0.00"),
        ("0.25", 0.25, "0.00"),
        ("-0.001", -0.001, "0.000"),
        ("1e-07", 1e-07, "General"),
        ("1.5e+20", 1.5e20, "General"),
        ("25%", 0.25, "0%"),
        ("25.00%", 0.25, "0.00%"),
        ("99999999999.1234%", 999999999.991234, "0.0000%"),
        ("12345678901234.5", 12345678901234.5, "0.0"),
        ("2024-05-01", date(2024, 5, 1), "yyyy-mm-dd"),
        ("2024-05-01 14:30:00", datetime(2024, 5, 1, 14, 30), "yyyy-mm-dd hh:mm:ss"),  # noqa: DTZ001 - Excel has no zones
        ("2024-05-01T14:30", datetime(2024, 5, 1, 14, 30), "yyyy-mm-dd\\Thh:mm"),  # noqa: DTZ001
        ("14:30", time(14, 30), "hh:mm"),
    ],
)
def test_a_number_or_a_date_is_one_and_shows_the_same_text(text: str, value: object, number_format: str) -> None:
    found = parse_typed(text)

    assert found is not None
    assert (found.value, type(found.value), found.number_format) == (value, type(value), number_format)


@pytest.mark.parametrize(
    ("text", "value", "number_format"),
    [
        ("1234.5600000000002", 1234.5600000000002, "General"),
        ("1E-07", 1e-07, "General"),
        ("1.5E+20", 1.5e20, "General"),
        ("-1.23457E+300", -1.23457e300, "General"),
        ("0045", 45, "0000"),
    ],
)
def test_a_number_that_the_workbook_has_as_one_stays_one(text: str, value: float, number_format: str) -> None:
    found = parse_typed(text, is_value=True)

    assert found is not None
    assert (found.value, found.number_format) == (value, number_format)


@pytest.mark.parametrize("text", ["4500012345678901", "12345678901234567", "1E+999", "12E+07", "1.5E+2", "1E7"])
def test_a_number_with_more_digits_than_excel_keeps_is_text_in_every_list(text: str) -> None:
    assert parse_typed(text, is_value=True) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-0.00",
        "-0%",
        "1234.5600000000002",
        "4500012345.678901",
        "123456789012345.6",
        "99999999999.12345%",
        "4500012345678901",
        "12345678901234567",
        "-12345678901234567",
        "1.23457E+16",
        "1E-07",
        "0.1234567890123456789",
        "12345678901234.123456",
        "1.23456789012345678901e+25",
        "1e-999",
        "007",
        "-0",
        "+49 30",
        "1,234",
        "1 234",
        "12E4",
        "1e5",
        "1.2.3",
        "1234567890123456",
        "12345678901234567890.5",
        "1e+999",
        "2024-02-30",
        "1899-12-31",
        "1900-02-28",
        "25:00",
        "12-34",
        "\u0661\u0662",
        "4500 001",
        "5 EUR",
        "=1+1",
        "-",
        "nan",
        "0x10",
    ],
)
def test_what_could_be_anything_else_stays_text(text: str) -> None:
    assert parse_typed(text) is None


def test_order_numbers_and_digits_with_leading_zeros_make_their_columns_text() -> None:
    rows = [("4500000001", ("4500000001", "12", "7", "x")), ("4500000002", ("4500000002", "0012", "8", "9"))]

    assert text_columns(rows) == {0, 1}


def test_more_digits_than_a_number_has_make_a_column_text() -> None:
    assert text_columns([("1", ("1", "12")), ("2", ("2", "4006381333931000001"))]) == {0, 1}


def test_what_excel_would_read_as_one_letter_is_told_as_it_is() -> None:
    assert escape_text("_x0041_ and _x004_ and _X0041_") == "_x005F_x0041_ and _x004_ and _X0041_"


def test_what_xml_cannot_hold_is_seen_to_be_missing() -> None:
    assert (
        escape_text("bell \x07 half \ud83d end \uffff\r\nline\rline")
        == "bell \ufffd half \ufffd end \ufffd\nline\nline"
    )


@pytest.mark.parametrize("text", ["", "x" * TEXT_MAX, "\U0001f600" * (TEXT_MAX // 2), "_x0041_" * (TEXT_MAX // 14)])
def test_a_text_that_a_cell_holds_stays_whole(text: str) -> None:
    assert shorten_text(text, " [cut]") is text


@pytest.mark.parametrize("text", ["x" * (TEXT_MAX + 1), "\U0001f600" * 20_000, "_x0041_" * 4_600, "_x0041_" * 9_000])
def test_a_text_that_a_cell_does_not_hold_is_cut_and_says_so(text: str) -> None:
    kept = shorten_text(text, " [cut]")

    assert kept.endswith(" [cut]")
    assert text.startswith(kept.removesuffix(" [cut]"))
    assert TEXT_MAX - 20 <= excel_length(escape_text(kept)) <= TEXT_MAX
