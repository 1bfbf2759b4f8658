"""What a cell of a list means as an order number of a portal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from poolwright.domain.outcomes import Reason
from poolwright.portal.numbers import InvalidNumber, LetterCase, NumberRules, OrderNumber, parse_number
from tests.support.pace import UNHURRIED

#: Examples may take their time on a busy machine.
RULES = NumberRules(
    prefixes=("PO", "PM"),
    pattern=r"^\d{6,12}$",
    describe="6 to 12 digits, with or without PO or PM before them",
    example="PO4500012345",
)
LETTERS = NumberRules(pattern=r"[A-Z]+-[A-Z0-9-]+", separators="", describe="letters, then a code", example="PO-JCP-1")
ANYTHING = NumberRules(pattern=r".+", separators="", case=LetterCase.KEEP, describe="any text", example="x")


def valid(text: str, rules: NumberRules = RULES) -> OrderNumber:
    number = parse_number(text, rules)
    assert isinstance(number, OrderNumber), number
    return number


def bad(text: str, rules: NumberRules = RULES) -> InvalidNumber:
    number = parse_number(text, rules)
    assert isinstance(number, InvalidNumber), number
    return number


@pytest.mark.parametrize(
    ("text", "po_number", "portal_number"),
    [
        ("4500012345", "4500012345", "4500012345"),
        ("PO4500012345", "PO4500012345", "4500012345"),
        ("pm4500012345", "PM4500012345", "4500012345"),
        ("PO-4500012345", "PO4500012345", "4500012345"),
        ("PO# 4500012345", "PO4500012345", "4500012345"),
        ("po: 4500 012-345", "PO4500012345", "4500012345"),
        ("  4500012345\t", "4500012345", "4500012345"),
    ],
)
def test_a_prefix_is_kept_for_people_and_removed_for_the_portal(text: str, po_number: str, portal_number: str) -> None:
    assert valid(text) == OrderNumber(po_number=po_number, portal_number=portal_number)


@pytest.mark.parametrize(
    "text",
    [
        "4500012345.0",
        "4500012345.00",
        "4500012345,0",
        "'4500012345",
        "\N{RIGHT SINGLE QUOTATION MARK}4500012345",
        '="4500012345"',
        "4500012345\N{NO-BREAK SPACE}",
        "4500\N{NARROW NO-BREAK SPACE}012\N{NARROW NO-BREAK SPACE}345",
        "\N{ZERO WIDTH NO-BREAK SPACE}4500012345\N{ZERO WIDTH SPACE}",
        "\uff14\uff15\uff10\uff10\uff10\uff11\uff12\uff13\uff14\uff15",
        "\u0664\u0665\u0660\u0660\u0660\u0661\u0662\u0663\u0664\u0665",
        "4500\N{NON-BREAKING HYPHEN}012\N{NON-BREAKING HYPHEN}345",
        "4500\N{EN DASH}012\N{MINUS SIGN}345",
        "4500012345\x00",
    ],
)
def test_what_spreadsheets_add_is_taken_away(text: str) -> None:
    assert valid(text) == OrderNumber(po_number="4500012345", portal_number="4500012345")


def test_leading_zeros_are_kept() -> None:
    assert valid("0000012345").portal_number == "0000012345"
    assert valid('="000012345"').po_number == "000012345"


@pytest.mark.parametrize("text", ["4.5E+09", "4,5E+09", "4.50001E+9", "45e+08", "1E-05", "4.500010002E9"])
@pytest.mark.parametrize("rules", [RULES, ANYTHING])
def test_scientific_notation_is_refused_because_digits_are_lost(text: str, rules: NumberRules) -> None:
    number = bad(text, rules)

    assert number.reason is Reason.BAD_NUMBER
    assert text in number.detail
    assert "digits are lost" in number.detail


@pytest.mark.parametrize("text", ["", " ", "\t", "\N{NO-BREAK SPACE}", "'", '=""', "\N{ZERO WIDTH SPACE}"])
def test_nothing_visible_is_a_blank_number(text: str) -> None:
    assert bad(text).reason is Reason.BLANK_NUMBER


@pytest.mark.parametrize(
    "text",
    ["PO", "12345", "1234567890123", "PO 12 34", "45000l2345", "INV4500012345", "05-24", "1.2.3"],
)
def test_what_breaks_the_rules_is_told_with_what_was_expected(text: str) -> None:
    number = bad(text)

    assert number.reason is Reason.BAD_NUMBER
    assert f"'{text}'" in number.detail
    assert RULES.describe in number.detail
    assert RULES.example in number.detail


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("450001 450002", ["the orders 450001, 450002", "the order 450001450002"]),
        ("450001\n450002", ["the orders 450001, 450002", "the order 450001450002"]),
        ("PO450001 PO450002", ["the orders PO450001, PO450002"]),
        ("450001, 450002; 450003/450004", ["the orders 450001, 450002, 450003 and 1 more"]),
        ("450001 00010", ["the order 450001 with something else beside it", "the order 45000100010"]),
        ("PO450001-1", ["the order PO450001 with something else beside it", "the order PO4500011"]),
        ("450001/10", ["the order 450001 with something else beside it"]),
        ("-4500012345", ["the order 4500012345 with something else beside it"]),
        ("4500012345-", ["the order 4500012345 with something else beside it"]),
        ("4500 012345", ["the order 012345 with something else beside it", "the order 4500012345"]),
        ("030-123456-78", ["the order 123456 with something else beside it", "the order 03012345678"]),
        ("01 23 45 67", ["'01 23 45 67', which is not a single order number", "the order 01234567"]),
        ("0171 234 567", ["'0171 234 567', which is not a single order number", "the order 0171234567"]),
        ("123-45-6789", ["'123-45-6789', which is not a single order number", "the order 123456789"]),
        ("450.001", ["'450.001', which is not a single order number", "the order 450001"]),
        ("450,000", ["'450,000', which is not a single order number", "the order 450000"]),
        ("see 450001 of May", ["the order 450001 with something else beside it"]),
    ],
)
def test_a_cell_that_can_be_read_in_several_ways_is_a_question(text: str, readings: list[str]) -> None:
    assert bad(text).detail == (
        f"'{' '.join(text.split())}' can be read as {', or as '.join(readings)}: keep only one order number in the "
        "cell."
    )


@pytest.mark.parametrize(
    "text",
    ["2024-05-01", "2024-05", "3132-01-22", "01-05-2024", "12-2024", "12 2024", "01 05 2024", "5-24-2024", "05 24 26"],
)
def test_a_date_is_no_number(text: str) -> None:
    assert bad(text).detail == (
        f"'{text}' is a date, or a number that a spreadsheet took for one: format the column as text and fill in the "
        "order number."
    )


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("4500 012 345", "4500012345"),
        ("4500-012-345", "4500012345"),
        ("4 500 012 345", "4500012345"),
        ("45000-12345", "4500012345"),
        ("45 0001 2345", "4500012345"),
        ("2024-0001", "20240001"),
        ("4.500.012.345", "4500012345"),
        ("4.500.012.345,00", "4500012345"),
        ("4,500,012,345.0", "4500012345"),
        ("4'500'012'345", "4500012345"),
        ("4\N{RIGHT SINGLE QUOTATION MARK}500\N{RIGHT SINGLE QUOTATION MARK}012", "4500012"),
        ("450'001", "450001"),
        ("450.001,00", "450001"),
        ("4 500 012 345,00", "4500012345"),
        ("4500012345.000000", "4500012345"),
        ("00000-12345", "0000012345"),
    ],
)
def test_digits_in_groups_are_one_number(text: str, number: str) -> None:
    assert valid(text).portal_number == number


@pytest.mark.parametrize("text", ["00123-45678", "01 23 45 67 89", "450001 450002", "2024-05-01"])
def test_a_cell_that_is_known_to_hold_one_number_holds_one(text: str) -> None:
    number = parse_number(text, RULES, is_one=True)

    assert isinstance(number, OrderNumber)
    assert number.portal_number == text.replace(" ", "").replace("-", "")


@pytest.mark.parametrize(
    "text",
    [
        "- PO4500012345",
        "* 4500012345",
        "\N{BULLET} PO 4500012345",
        "\N{EN DASH} 4500012345",
        "1. PO4500012345",
        "12) 4500012345",
        "(3) 4500012345",
        "[ ] 4500012345",
        "- [x] PO4500012345",
        "> 4500012345",
        '"4500012345"',
        "'4500012345'",
        "<4500012345>",
        "(4500012345)",
        "\N{LEFT DOUBLE QUOTATION MARK}4500012345\N{RIGHT DOUBLE QUOTATION MARK}",
        "4500012345,",
        "4500012345;",
        "PO4500012345.",
        "PO\N{MINUS SIGN}4500012345",
        "PO\N{EM DASH}4500012345",
        "PO\N{HYPHEN BULLET}4500012345",
        "PO\N{SOFT HYPHEN}4500012345",
    ],
)
def test_what_people_put_around_a_number_is_taken_away(text: str) -> None:
    assert valid(text).portal_number == "4500012345"


def test_letters_beside_a_separator_belong_to_the_number() -> None:
    rules = NumberRules(pattern=r"[A-Z]{2}\d{6}", describe="letters and digits", example="AB123456")

    assert valid("ab 12 34 56", rules).portal_number == "AB123456"
    assert "can be read" in bad("AB123456 CD123456", rules).detail


def test_a_number_is_matched_whole() -> None:
    assert bad("4500012345\n99x", RULES.model_copy(update={"pattern": r"\d{6,12}"})).reason is Reason.BAD_NUMBER


def test_a_very_long_cell_is_refused_unread_and_shown_short() -> None:
    number = bad("9" * 5000, ANYTHING)

    assert number.reason is Reason.BAD_NUMBER
    assert len(number.detail) < 200


def test_separators_stay_where_the_portal_has_them() -> None:
    assert valid("po-jcp-2026-0412", LETTERS).portal_number == "PO-JCP-2026-0412"


def test_a_prefix_that_belongs_to_the_number_is_not_taken_off() -> None:
    rules = NumberRules(prefixes=("PO",), pattern=r"PORT\d+|\d{4}", describe="a code", example="PORT1")

    assert valid("PORT77", rules) == OrderNumber(po_number="PORT77", portal_number="PORT77")
    assert valid("PO1234", rules) == OrderNumber(po_number="PO1234", portal_number="1234")


def test_the_longest_prefix_wins() -> None:
    rules = NumberRules(prefixes=("P", "PO"), pattern=r"O?\d{4}", describe="4 digits", example="1234")

    assert valid("PO1234", rules) == OrderNumber(po_number="PO1234", portal_number="1234")


@pytest.mark.parametrize(
    ("case", "expected"), [(LetterCase.UPPER, "AB1"), (LetterCase.LOWER, "ab1"), (LetterCase.KEEP, "aB1")]
)
def test_letters_are_written_as_the_portal_has_them(case: LetterCase, expected: str) -> None:
    rules = NumberRules(pattern=r"[A-Za-z]+\d", case=case, describe="letters and a digit", example="a1")

    assert valid("aB1", rules).portal_number == expected


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"pattern": "("}, "regular expression"),
        ({"prefixes": ["PO", " "]}, "prefixes"),
        ({"example": "12"}, "example"),
        ({"describe": ""}, "describe"),
        ({"colour": "red"}, "colour"),
        ({"case": "title"}, "case"),
    ],
)
def test_rules_that_do_not_hold_together_are_refused(change: dict[str, object], word: str) -> None:
    with pytest.raises(ValidationError, match=word):
        NumberRules.model_validate(RULES.model_dump() | change)


def test_rules_survive_the_way_to_a_worker() -> None:
    assert NumberRules.model_validate_json(RULES.model_dump_json()) == RULES


@UNHURRIED
@given(st.text(max_size=200))
def test_any_text_is_a_number_or_a_reason_with_a_sentence(text: str) -> None:
    match parse_number(text, RULES):
        case OrderNumber() as number:
            assert number.portal_number.isascii()
            assert number.portal_number.isdigit()
            assert parse_number(number.po_number, RULES) == number
        case InvalidNumber() as wrong:
            assert wrong.reason in {Reason.BAD_NUMBER, Reason.BLANK_NUMBER}
            assert wrong.detail.endswith(".")


@UNHURRIED
@given(
    st.from_regex(r"(?=0*[1-9])[0-9]{6,12}", fullmatch=True),
    st.sampled_from(["", "PO", "pm ", "PO-", "Po#", "'", "\xa0"]),
)
def test_a_number_means_the_same_order_however_it_is_written(digits: str, before: str) -> None:
    assert valid(before + digits).portal_number == digits


def test_every_refusal_is_a_sentence_that_helps() -> None:
    assert bad("").detail == "The cell has no order number."
    assert bad("4.5E+09").detail == (
        "'4.5E+09' is a number that the spreadsheet shortened, so its last digits are lost: format the column as text "
        "and fill in the full number."
    )
    assert bad("12-x").detail == (
        "'12-x' is not an order number of this portal: expected 6 to 12 digits, with or without PO or PM before them, "
        "for example PO4500012345."
    )


@pytest.mark.parametrize(("length", "is_read"), [(119, True), (120, True), (121, False)])
def test_a_cell_of_120_characters_is_read_and_no_longer_one(length: int, is_read: bool) -> None:
    assert isinstance(parse_number("x" * length, ANYTHING), OrderNumber) is is_read


@pytest.mark.parametrize(("length", "shown"), [(40, "'" + "x" * 40 + "' is"), (41, "'" + "x" * 40 + "…' is")])
def test_forty_characters_of_a_wrong_number_are_shown(length: int, shown: str) -> None:
    assert bad("x" * length).detail.startswith(shown)


@pytest.mark.parametrize("prefixes", [("p", "PO"), ("PO", "p")])
def test_the_longest_prefix_wins_whatever_its_letters(prefixes: tuple[str, ...]) -> None:
    rules = NumberRules(prefixes=prefixes, pattern=r"O?\d{4}", describe="4 digits", example="1234")

    assert valid("PO1234", rules) == OrderNumber(po_number="PO1234", portal_number="1234")


def test_one_letter_is_enough_to_describe_a_number() -> None:
    assert NumberRules(pattern="x", case=LetterCase.KEEP, describe="x", example="x").describe == "x"


def test_rules_stay_as_they_are() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        RULES.pattern = "x"


@pytest.mark.parametrize("unseen", ["\u200b", "\u00ad", "\u200c", "\u2060", "\ufeff", "\u200f", "\x07", "\0"])
def test_what_nobody_sees_holds_a_number_together_and_keeps_two_apart(unseen: str) -> None:
    assert valid(f"{unseen}45000{unseen}12345{unseen}").portal_number == "4500012345"
    assert "the orders 450001, 450002, or as the order 450001450002" in bad(f"450001{unseen}450002").detail
    assert "the order 450001 with something else" in bad(f"45{unseen}0001 of May").detail


@pytest.mark.parametrize("note", ["²", "¹", "①", "₁", "½", "❶"])
def test_the_number_of_a_note_is_no_digit(note: str) -> None:
    assert "the order 4500012345 with something else" in bad(f"4500012345{note}").detail


@pytest.mark.parametrize("text", ["030.123.456", "(030) 1234567", "(800) 555-1234", "0.450.001", "030. 1234567"])
def test_a_telephone_number_is_no_number_with_a_mark_before_it(text: str) -> None:
    assert bad(text).reason is Reason.BAD_NUMBER


@pytest.mark.parametrize(
    "text", ["\uff30\uff2f4500012345", "=4500012345", "РО4500012345", "① 4500012345", "(2) 4500012345"]
)
def test_what_can_be_read_in_one_way_only_is_read(text: str) -> None:
    assert valid(text).portal_number == "4500012345"


@pytest.mark.parametrize("text", ["45OOO12345", "45000I2345", "PO45000l2345", "45ООО12345"])
def test_letters_that_look_like_digits_are_told(text: str) -> None:
    assert "letters that look like them it would be the order" in bad(text).detail
    assert "4500012345" in bad(text).detail


@pytest.mark.parametrize(("length", "is_told"), [(120, True), (121, False)])
def test_letters_that_look_like_digits_are_told_of_what_is_read(length: int, is_told: bool) -> None:
    rules = NumberRules(pattern=r"\d{6}|\d{120,121}", describe="very many digits", example="450001")

    assert ("letters that look like them" in bad("O" * (length - 1) + "1", rules).detail) is is_told


@pytest.mark.parametrize("text", ["192.168.100.200", "PO 192.168.100.200", "10.100.200.255"])
def test_the_address_of_a_machine_is_a_question(text: str) -> None:
    detail = bad(text).detail

    assert "an IP address, or as the order" in detail


@pytest.mark.parametrize("text", ["10.0.0.1", "1.2.3", "192.168.1.10", "1.22.333", "2024.100.1"])
def test_numbers_with_points_that_are_no_thousands_are_no_order(text: str) -> None:
    assert bad(text)


def test_four_groups_of_thousands_that_no_address_has_are_a_number() -> None:
    assert valid("4.500.010.001").portal_number == "4500010001"
    assert valid("1.200.010.001").portal_number == "1200010001"
    known = parse_number("192.168.100.200", RULES, is_one=True)
    assert isinstance(known, OrderNumber), "a cell of a workbook that holds a single number is one"


@pytest.mark.parametrize("text", ["0", "000000", "0000000000", "0,00", "-0", "0.0"])
def test_zero_is_no_order(text: str) -> None:
    assert bad(text).detail.endswith("' is zero, which spreadsheets show where a value is missing.")
    assert bad(f"PO{text}").reason is Reason.BAD_NUMBER


def test_zero_is_an_order_where_the_portal_says_so() -> None:
    rules = NumberRules(pattern=r"\d{6}", describe="6 digits", example="000000")

    assert valid("000000", rules).portal_number == "000000"


def test_a_number_that_is_seen_in_reverse_is_a_question() -> None:
    assert bad("\N{RIGHT-TO-LEFT OVERRIDE}5432100054").detail == (
        "'5432100054' is shown in reverse by an invisible character, so that another number is seen: fill in the "
        "number by hand."
    )
    assert valid("\N{RIGHT-TO-LEFT MARK}4500012345").portal_number == "4500012345"


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece",
    ["1", "1 ", "1,", "1.", "1-", "1'", " ", "O1", '="', "1E", "((", "- ", "1) ", "\u200b", "²1", "PO ", "1.000", "é"],
)
@pytest.mark.parametrize("end", ["", "x", "!"])
def test_a_cell_of_any_length_is_looked_at_once(piece: str, end: str) -> None:
    assert bad(piece * 20_000 + end)
    assert bad(piece * (118 // len(piece)) + end)


def test_a_zero_is_told_as_it_is_written() -> None:
    assert bad("0.000").detail == "'0.000' is zero, which spreadsheets show where a value is missing."
    assert "is zero" not in bad("0x0").detail


def test_the_address_of_a_machine_has_no_number_above_255() -> None:
    assert valid("192.168.100.256").portal_number == "192168100256"
    assert "an IP address" in bad("192.168.100.255").detail
