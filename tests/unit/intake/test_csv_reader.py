"""Delimited text comes back cell for cell."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolwright.intake import csv_parser, grid
from poolwright.intake.csv_reader import read_csv
from poolwright.intake.encoding import decode
from poolwright.intake.errors import InputRefusedError
from tests.support.order_files import csv_text
from tests.support.pace import UNHURRIED

DELIMITERS = [",", ";", "\t", "|"]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-32"]
ANY_CELL = st.text(st.characters(exclude_categories=["Cc", "Cs"]) | st.sampled_from("\r\n\t"), max_size=8)
PLAIN_CELL = st.text("aZ09é/ .-'\"\n", max_size=6)


def tables(cells: st.SearchStrategy[str]) -> st.SearchStrategy[list[tuple[str, ...]]]:
    return st.integers(2, 5).flatmap(lambda width: st.lists(st.tuples(*[cells] * width), min_size=1, max_size=6))


def cells_of(text: str) -> list[tuple[str, ...]]:
    return [row.cells for row in read_csv(text, "orders.csv").rows]


def filled(table: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return [row for row in table if any(cell.strip() for cell in row)]


@UNHURRIED
@given(table=tables(ANY_CELL), delimiter=st.sampled_from(DELIMITERS), encoding=st.sampled_from(ENCODINGS))
def test_a_quoted_table_comes_back_cell_for_cell(table: list[tuple[str, ...]], delimiter: str, encoding: str) -> None:
    content = csv_text(table, delimiter, csv.QUOTE_ALL).encode(encoding)

    assert cells_of(decode(content, "orders.csv").text) == filled(table)


@UNHURRIED
@given(table=tables(PLAIN_CELL), delimiter=st.sampled_from(DELIMITERS), encoding=st.sampled_from(ENCODINGS))
def test_a_table_with_few_quotes_comes_back_cell_for_cell(
    table: list[tuple[str, ...]], delimiter: str, encoding: str
) -> None:
    content = csv_text(table, delimiter).encode(encoding)

    assert cells_of(decode(content, "orders.csv").text) == filled(table)


@UNHURRIED
@given(st.lists(PLAIN_CELL, min_size=1, max_size=6), st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
def test_one_column_needs_no_delimiter(column: list[str], quoting: int) -> None:
    table = [(cell,) for cell in column]

    assert cells_of(csv_text(table, quoting=quoting)) == filled(table)


@UNHURRIED
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    grid = read_csv(text, "orders.csv")

    assert all(any(cell.strip() for cell in row.cells) for row in grid.rows)


def test_unquoted_commas_in_cells_do_not_hide_the_semicolon() -> None:
    text = "Pedido;Cliente;Preço\nPED1;Rua A, 5, Lisboa; 1,50 \nPED2;Rua B, Porto; 2,00 \nPED3;Rua C; 3,00 \n"

    assert cells_of(text)[1] == ("PED1", "Rua A, 5, Lisboa", " 1,50 ")


def test_decimal_commas_without_a_header_do_not_win_over_semicolons() -> None:
    assert cells_of("4500012345;99,00\n4500012346;12,50\n") == [("4500012345", "99,00"), ("4500012346", "12,50")]


def test_a_few_commas_do_not_part_a_list_of_numbers() -> None:
    lines = [f"45000{number:05}" for number in range(50)] + ["1,2", "3,4", "5,6", "7,8"]

    assert all(len(cells) == 1 for cells in cells_of("\n".join(lines)))


def test_a_long_title_does_not_hide_the_delimiter() -> None:
    titles = "".join(f"Title line {number}\n" for number in range(7))

    assert cells_of(titles + "PO,Supplier\n1,a\n2,b\n")[-1] == ("2", "b")


def test_rows_of_all_widths_are_parted_when_most_are_parted_at_all() -> None:
    assert cells_of("PO,A,B\n1\n2,a,b,c,,e\n") == [("PO", "A", "B"), ("1",), ("2", "a", "b", "c", "", "e")]


def test_a_declared_delimiter_is_believed_and_is_no_row() -> None:
    grid = read_csv("sep=|\r\nPO|Text\r\n1|a;b;c\r\n", "orders.csv")

    assert [(row.row_no, row.cells) for row in grid.rows] == [(1, ("PO", "Text")), (2, ("1", "a;b;c"))]


def test_rows_are_counted_as_in_a_spreadsheet() -> None:
    text = 'PO,Note\r\n\r\n1,"two\r\nlines"\r\n , \r\n,,\r\n2,x\r\n'

    assert [row.row_no for row in read_csv(text, "orders.csv").rows] == [1, 3, 6]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_ends_a_row(end: str) -> None:
    assert cells_of(f"PO,A{end}1,a{end}2,b") == [("PO", "A"), ("1", "a"), ("2", "b")]


def test_signs_that_only_python_takes_for_line_ends_stay_in_their_cell() -> None:
    assert cells_of("PO,A\n1,a\x0cb\u2028c\x85d\n") == [("PO", "A"), ("1", "a\x0cb\u2028c\x85d")]


def test_ragged_rows_keep_their_cells() -> None:
    assert cells_of("PO,A,B\n1\n2,a,b,c,d\n3,a,b\n") == [
        ("PO", "A", "B"),
        ("1",),
        ("2", "a", "b", "c", "d"),
        ("3", "a", "b"),
    ]


def test_a_lone_quote_mark_spoils_its_own_row_only() -> None:
    text = 'PO\tText\tMore\n1\t"a\n2\t"b\tb"\tc\n3\td\t"e\n4\tf\tg\n'
    grid = read_csv(text, "orders.csv")

    assert [row.cells for row in grid.rows][1:] == [("1", '"a'), ("2", "b\tb", "c"), ("3", "d", '"e'), ("4", "f", "g")]
    assert len(grid.notices) == 1
    assert "rows 2, 4 of orders.csv" in grid.notices[0]


def test_an_inch_mark_inside_quotes_keeps_the_cell_together() -> None:
    text = 'PO,Text\n1,"bolt 5" wide, long"\n2,"x, y"\n'

    assert [cells[0] for cells in cells_of(text)] == ["PO", "1", "2"]
    assert cells_of(text)[2] == ("2", "x, y")


def test_good_quoting_beside_bad_is_still_read_over_several_lines() -> None:
    text = 'PO,Text\n1,"a"b\n2,"two\nlines"\n3,c\n'

    assert cells_of(text) == [("PO", "Text"), ("1", "ab"), ("2", "two\nlines"), ("3", "c")]


def test_a_cell_longer_than_the_librarys_limit_does_not_break_the_list() -> None:
    text = f'PO,Text\n1,"{"x" * 200_000}"\n2,b\n'

    assert [cells[0] for cells in cells_of(text)] == ["PO", "1", "2"]


def test_rows_between_two_lone_quote_marks_are_not_lost() -> None:
    grid = read_csv('PO,A,B\n1,"a,b\n2,c,d\n3,e,f\n4,g",h\n5,i,j\n', "orders.csv")

    assert [row.cells[0] for row in grid.rows] == ["PO", "1", "2", "3", "4", "5"]
    assert "row 2 of orders.csv" in grid.notices[0]


def test_a_single_row_between_two_lone_quote_marks_is_not_lost() -> None:
    assert [cells[0] for cells in cells_of('PO,A,B\n1,"a,b\n2,c,d\n3,e",f\n4,g,h\n')] == ["PO", "1", "2", "3", "4"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_cell_of_very_many_lines_is_a_quote_mark_that_was_not_closed(end: str) -> None:
    lines = ["PO,A", '1,"a', *(f"{number},b" for number in range(2, 400)), '400,c"', "401,d"]

    assert [cells[0] for cells in cells_of(end.join(lines))] == ["PO", *map(str, range(1, 402))]


def test_a_long_note_is_one_cell() -> None:
    note = "\n".join(f"line {number}, and more" for number in range(150))

    assert cells_of(csv_text([["PO", "Note"], ["1", note], ["2", "x"]])) == [("PO", "Note"), ("1", note), ("2", "x")]


@pytest.mark.parametrize(
    "address",
    ["Acme, Ltd\nStreet 5, City\nCountry", "Acme\nCity, State, Zip\nCountry", "a\nb, c", "Acme, Ltd\n1, 2, 3\nx"],
)
@pytest.mark.parametrize("position", [1, 2])
def test_an_address_of_several_lines_is_one_cell(address: str, position: int) -> None:
    table = [["PO", "A", "B"], ["1", "x", "y"], ["2", "x", "y"]]
    table[1][position] = address
    grid = read_csv(csv_text(table), "orders.csv")

    assert [list(row.cells) for row in grid.rows] == table
    assert not grid.notices


def test_many_bad_rows_are_told_short() -> None:
    text = "PO,A\n" + '1,"a\n' * 9 + "2,b\n" * 9

    assert "rows 2, 3, 4, 5, 6 and 4 more" in read_csv(text, "orders.csv").notices[0]


def test_more_rows_than_a_sheet_can_hold_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid, "ROWS_MAX", 3)

    with pytest.raises(InputRefusedError, match=r"orders\.csv has more than 3 rows"):
        read_csv("PO\n1\n2\n3\n", "orders.csv")


@pytest.mark.parametrize("delimiter", ["^", "~"])
def test_rare_delimiters_are_found(delimiter: str) -> None:
    assert cells_of(f"PO{delimiter}A\n1{delimiter}b\n2{delimiter}c\n") == [("PO", "A"), ("1", "b"), ("2", "c")]


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        (r'"ACME \"Tools\", Inc","2","x"', ('ACME "Tools", Inc', "2", "x")),
        (r'"5\" pipe, C:\new","2","x"', (r'5" pipe, C:\new', "2", "x")),
        ('"a, b" ,"2" ,"x"', ("a, b", "2", "x")),
    ],
)
def test_a_row_by_other_rules_of_quoting_is_read_by_them_alone_and_told(row: str, cells: tuple[str, ...]) -> None:
    grid = read_csv(f'"S","PO","T"\n"Acme","1","y"\n{row}\n"C:\\","3","z"\n', "orders.csv")

    assert [each.cells for each in grid.rows] == [("S", "PO", "T"), ("Acme", "1", "y"), cells, ("C:\\", "3", "z")]
    assert "row 3" in grid.notices[0]


def test_a_long_list_of_broken_rows_is_changed_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """And not each row with the two hundred lines behind it, which a record may go on in."""
    changed_count = 0

    class Counting:
        def sub(self, repl: str, line: str) -> str:
            nonlocal changed_count
            changed_count += 1
            return line

    monkeypatch.setattr(csv_parser, "_PLAIN_BACKSLASH", Counting())

    rows = cells_of("PO Number,Note,Amount\n" + '4500010001,"a"b,c\n' * 1_000)

    assert len(rows) == 1_001
    assert changed_count < 20_000


def test_every_row_may_have_backslashes() -> None:
    text = 'S,PO,T\n"a \\"x\\", b",1,y\n"c \\"x\\", d",2,y\n'

    assert cells_of(text) == [("S", "PO", "T"), ('a "x", b', "1", "y"), ('c "x", d', "2", "y")]


def test_single_quotes_hold_cells_together() -> None:
    text = "'S','PO'\n'ACME, Inc','1'\n'O''Brien','2'\n"

    assert cells_of(text) == [("S", "PO"), ("ACME, Inc", "1"), ("O'Brien", "2")]


def test_a_word_in_apostrophes_is_no_quoted_cell() -> None:
    assert cells_of("S,PO\n'tis,1\nO'Brien,2\n") == [("S", "PO"), ("'tis", "1"), ("O'Brien", "2")]


def test_blanks_before_quotes_are_no_part_of_the_cell() -> None:
    assert cells_of('S, "PO", "T"\nAcme, "1", "a, b"\nBolt, "2", "c"\n') == [
        ("S", "PO", "T"),
        ("Acme", "1", "a, b"),
        ("Bolt", "2", "c"),
    ]


def test_columns_of_fixed_width_are_parted_and_told() -> None:
    text = (
        "Orders of May\n\nPO Number   Supplier     Amount\n---------   --------     ------\n"
        "450001      Acme Inc       1.00\n450002      Industries     2.00\n"
    )
    grid = read_csv(text, "orders.txt")

    assert [row.cells for row in grid.rows][1] == ("PO Number", "Supplier", "Amount")
    assert [row.cells for row in grid.rows][3:] == [("450001", "Acme Inc", "1.00"), ("450002", "Industries", "2.00")]
    assert "fixed width" in grid.notices[0]


def test_numbers_with_a_blank_between_are_no_columns() -> None:
    assert cells_of("450001 450002\n450003 450004\n") == [("450001 450002",), ("450003 450004",)]


def test_a_declared_delimiter_may_stand_in_quotes() -> None:
    assert cells_of('"sep=;"\nPO;A\n1;b, c\n') == [("PO", "A"), ("1", "b, c")]
