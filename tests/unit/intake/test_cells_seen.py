"""A cell is what Excel shows in it: formats, formulas, texts in pieces; and what cannot be sure is a question."""

from __future__ import annotations

import io
import zipfile

import pytest

from poolwright.intake.workbooks.cell import Cell, formula_cell
from tests.support.order_files import zipped
from tests.unit.intake import xlsb_books
from tests.unit.intake.raw_books import (
    HEAD,
    A,
    B,
    C,
    book,
    number,
    old_number,
    old_xml,
    open_book,
    open_number,
    open_row,
    open_text,
    read,
    row,
    text,
)


@pytest.mark.parametrize(
    ("code", "value", "shown"),
    [
        ('"PO/"0000000000', 123456, "0000123456"),
        (r"\P\O\/0000000000", 123456, "0000123456"),
        ("PO0000000000", 123456, "0000123456"),
        ("[$PO-409]0000000000", 123456, "0000123456"),
        ("[Color10]\N{NO-BREAK SPACE}0000000000", 123456, "0000123456"),
        ("[<1000000]0000000000;0", 123456, "0000123456"),
        ('[=0]"";0000000000', 123456, "0000123456"),
        ("???0000000", 123456, "0123456"),
        ('0"00"', 450001, "45000100"),
        ("0." + "0" * 30, 450001000112345, "450001000112345"),
        ("# ?/?", 4500010001, A),
    ],
)
def test_a_number_is_the_digits_that_its_format_shows(code: str, value: int, shown: str) -> None:
    assert read(book(HEAD + row(number(value, 1), "x"), [code])) == ([shown], [], "")


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("#,##0,K", 4500010001),
        ("0.0,,", 450001000100000),
        ("#,##0.00,", 450001000123),
        ("0.0", "4500010001.04"),
        ("#,##0.00", "4500010001.004"),
        ('"PO."0', "450001.4"),
        ("0;(0)", -450001),
        ("0;0", -450001),
        ("*00", 450001),
        ("0000000000", 0),
        ('"PO"0000000000', 0),
        ("0,,", 4500010001),
        (";;;", 4500010001),
        ("0%%%%%%%%%%%%%%%%%", 450001000112345),
        ('0000"/"000000', 123456),
        ("0", 450001.6),
        ("0000000000", "NaN"),
        ("0000000000", "INF"),
        ("0000000000", "1e400"),
        ("0000000000", "450_001"),
        ("pp.kk.vvvv", 450001),
        ("[$-F800]dddd, mmmm dd, yyyy", 450001),
    ],
)
def test_a_number_that_is_shown_as_another_one_is_a_question(code: str, value: object) -> None:
    orders, invalid, said = read(book(HEAD + row(number(value, 1), "x") + row(number(C), "y"), [code]))

    assert (orders, invalid) == ([C], [2])
    assert "row 2: " in said


@pytest.mark.parametrize(
    ("code", "value", "shown"),
    [("0%", 4500010001, "450001000100%"), ("0.00%", 45000100.01, "4500010001.00%"), ("0 %", 45000.10001, "4500010 %")],
)
def test_a_percentage_is_a_question_that_names_what_is_shown_and_what_is_held(
    code: str, value: float, shown: str
) -> None:
    orders, invalid, said = read(book(HEAD + row(number(value, 1), "x") + row(number(C), "y"), [code]))

    assert (orders, invalid) == ([C], [2])
    assert f"row 2: The cell shows '{shown}' and holds {value}: format the column as text." in said


@pytest.mark.parametrize(
    ("code", "held", "shown"),
    [
        ('0;0;0;"0000"@', "123456", "0000123456"),
        ('"PO0000"@', "123456", "0000123456"),
        ('General;General;General;"no "@', A, None),
        (";;;", "123456", None),
        ("_(* #,##0_);_(@_)", A, A),
        ("@", A, A),
    ],
)
def test_a_text_is_what_its_format_shows(code: str, held: str, shown: str | None) -> None:
    orders, invalid, _ = read(book(HEAD + row(text(held, 1), "x") + row(number(C), "y"), [code]))

    assert (orders, invalid) == (([shown, C], []) if shown else ([C], [2]))


@pytest.mark.parametrize(
    "cell",
    [
        number(0, 1, "<f>B9</f>"),
        number(0, 2, "<f>B9</f>"),
        "<c><f t='array' ref='A2'>B1:B3</f></c>",
        "<c><f t='shared' si='0'/><v/></c>",
    ],
)
def test_a_formula_that_nobody_calculated_is_a_question(cell: str) -> None:
    orders, invalid, said = read(book(HEAD + row(cell, "x") + row(number(C), "y"), ["0000000000", '"PO"0000000000']))

    assert (orders, invalid) == ([C], [2])
    assert "formula" in said


@pytest.mark.parametrize(
    "cell",
    [
        "<c t='str'><v>45000<!-- c -->10001</v></c>",
        "<c t='inlineStr'><is><t>45000<?p i?>10001</t></is></c>",
        "<c t='inlineStr'><is><t><![CDATA[4500010001]]></t></is></c>",
        "<c t='inlineStr'><is><t>_x0050_O4500010001_x000D_</t></is></c>",
        "<c t='n'><v>PO4500010001</v></c>",
    ],
)
def test_a_text_in_pieces_is_read_whole(cell: str) -> None:
    assert read(book(HEAD + row(cell, "x"))) == ([A], [], "")


def test_half_of_a_character_is_replaced() -> None:
    _, invalid, said = read(book(HEAD + row("_xD800_4500010001", "x") + row(C, "_xD83D__xDE00_")))

    assert invalid == [2]
    assert said.encode()


def test_a_cell_that_stands_twice_is_a_question() -> None:
    twice = [f'<c r="A{line}"><v>{value}</v></c>' for line, value in ((2, A), (2, A), (3, B), (3, C))]
    orders, invalid, said = read(book(HEAD + row(*twice[:2], "x") + row(*twice[2:])))

    assert (orders, invalid) == ([A], [3])
    assert f"'{B}' and with '{C}'" in said


class TestOpenDocument:
    @pytest.mark.parametrize(
        ("value", "shown", "order"),
        [
            ("450001.6", "450002", None),
            ("4500010.001", "4.500.010", None),
            ("4500010001.04", "4500010001.0", None),
            ("4500010001.004", "4.500.010.001,00", None),
            ("-4500010001", "(4500010001)", None),
            ("-4500010001", "4500010001", None),
            ("4500010004.0000005", "4500010004", "4500010004"),
            (123456, "PO/0000123456", "0000123456"),
        ],
    )
    def test_a_rounded_number_is_a_question(self, value: object, shown: str, order: str | None) -> None:
        orders, invalid, _ = read(open_book(open_row(open_number(value, shown)) + open_row(open_number(C, C))))

        assert (orders, invalid) == (([order, C], []) if order else ([C], [2]))

    @pytest.mark.parametrize(
        "inner",
        [
            f"<text:list><text:list-item><text:p>{A}</text:p></text:list-item></text:list>",
            f"<text:p><text:ruby><text:ruby-base>{A}</text:ruby-base><text:ruby-text>12</text:ruby-text></text:ruby></text:p>",
            "<text:p>45000<!-- c -->10001</text:p>",
        ],
    )
    def test_text_in_lists_and_beside_reading_aids(self, inner: str) -> None:
        assert read(open_book(open_row(open_text("", inner)))) == ([A], [], "")

    def test_a_text_may_be_written_as_a_value_alone(self) -> None:
        cell = f'<table:table-cell office:value-type="string" office:string-value="{A}"/>'

        assert read(open_book(open_row(cell) + open_row(open_text(B)))) == ([A, B], [], "")

    def test_a_text_that_is_not_shown_is_a_question(self) -> None:
        cell = f'<table:table-cell office:value-type="string" office:string-value="{A}"><text:p/></table:table-cell>'
        orders, invalid, said = read(open_book(open_row(cell) + open_row(open_text(B))))

        assert (orders, invalid) == ([B], [2])
        assert f"shows nothing and holds '{A}'" in said

    @pytest.mark.parametrize(
        "inner",
        [
            f"<text:a>{A}</text:a><text:a>{B}</text:a>",
            f"{A}<text:a>{B}</text:a>",
            f"<text:a>{A}</text:a>{B}",
        ],
    )
    def test_links_side_by_side_are_not_one_number(self, inner: str) -> None:
        rows = open_row(open_text("", f"<text:p>{inner}</text:p>")) + open_row(open_text(C))

        assert read(open_book(rows))[:2] == ([C], [2])

    def test_a_link_is_no_blank_beside_signs(self) -> None:
        cell = open_text("", f"<text:p>PO-<text:a>{A}</text:a>.</text:p>")

        assert read(open_book(open_row(cell))) == ([A], [], "")

    def test_rows_of_a_folded_group_are_told(self) -> None:
        group = f'<table:table-row-group table:display="false">{open_row(open_number(A, A))}</table:table-row-group>'
        orders, _, said = read(open_book(group + open_row(open_number(B, B))))

        assert orders == [A, B]
        assert "Row 2 of orders.xlsx is hidden" in said

    def test_a_table_within_a_cell_is_no_sheet(self) -> None:
        within = f"<table:table>{open_row(open_text('q'))}</table:table>"
        rows = open_row(open_number(A, A), open_text("", within)) + open_row(open_number(B, B))

        assert read(open_book(rows)) == ([A, B], [], "")

    @pytest.mark.parametrize("look", ['style:text-line-through-style="solid"', 'style:text-line-through-type="double"'])
    def test_crossed_out_cells_are_told(self, look: str) -> None:
        style = 'xmlns:style="urn:x:style"'
        styles = f'<style:style {style} style:name="X"><style:text-properties {look}/></style:style>'
        cell = open_number(A, A, 'table:style-name="X"')
        span = f'<text:p><text:span text:style-name="X">{B}</text:span></text:p>'
        rows = open_row(cell) + open_row(open_text("", span)) + open_row(open_number(C, C))
        content = open_book(styles + rows)

        orders, _, said = read(content)

        assert orders == [A, B, C]
        assert "Rows 2, 3 are crossed out" in said

    def test_hidden_columns_are_told(self) -> None:
        column = '<table:table-column table:visibility="collapse"/>'

        assert (
            "Hidden columns of orders.xlsx were read too: A."
            in read(open_book(column + open_row(open_number(A, A))))[2]
        )


class TestXmlOf2003:
    def test_a_style_has_the_format_of_the_one_that_it_is_made_after(self) -> None:
        styles = '<Style ss:ID="z"><NumberFormat ss:Format="0000000000"/></Style><Style ss:ID="k" ss:Parent="z"/>'
        cell = old_number(123456, 'ss:StyleID="k"')
        orders, _, _ = read(old_xml(f"<Row>{cell}</Row>", styles), "orders.xml")

        assert orders == ["0000123456"]

    def test_crossed_out_cells_are_told(self) -> None:
        styles = '<Style ss:ID="k"><Font ss:StrikeThrough="1"/></Style>'
        struck = old_number(A, 'ss:StyleID="k"')
        orders, _, said = read(old_xml(f"<Row>{struck}</Row><Row>{old_number(B)}</Row>", styles), "orders.xml")

        assert orders == [A, B]
        assert "Row 2 is crossed out" in said

    def test_a_cell_that_stands_twice_is_a_question(self) -> None:
        twice = old_number(A) + old_number(B, 'ss:Index="1"')
        orders, invalid, said = read(old_xml(f"<Row>{twice}</Row><Row>{old_number(C)}</Row>"), "orders.xml")

        assert (orders, invalid) == ([C], [2])
        assert B in said


@pytest.mark.parametrize("formula", ["A2+A3", "Sheet1!A2 + Sheet1!A3", "+A2+$A$3", "[.A2]+[.A3]"])
def test_cells_that_a_formula_adds_up_are_a_total(formula: str) -> None:
    orders, invalid, said = read(book(HEAD + row(number(C), "x") + row(number(B, 0, f"<f>{formula}</f>"), "y")))

    assert (orders, invalid) == ([C], [3])
    assert "adds up other cells" in said


@pytest.mark.parametrize("look", ["<vertAlign val='superscript'/>", "<strike/>"])
def test_a_note_and_what_is_struck_out_do_not_grow_together_with_a_number(look: str) -> None:
    cell = f"<c t='inlineStr'><is><r><t>{A}</t></r><r><rPr><b/>{look}</rPr><t>1</t></r></is></c>"
    bold = "<c t='inlineStr'><is><r><t>45000</t></r><r><rPr><b/><strike val='0'/></rPr><t>10003</t></r></is></c>"
    orders, invalid, said = read(book(HEAD + row(cell, "x") + row(bold, "y")))

    assert (orders, invalid) == ([C], [2])
    assert A in said


STRIKES = {
    "xl/styles.xml": "<styleSheet><fonts><font/><font><strike/></font><font><strike val='0'/></font></fonts>"
    "<cellXfs><xf fontId='0'/><xf fontId='1'/><xf fontId='2'/></cellXfs></styleSheet>"
}


def with_part(content: bytes, name: str, part: bytes) -> bytes:
    """A package with another part in the place of one."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        return zipped({**{known: packed.read(known) for known in packed.namelist()}, name: part})


def in_runs(*runs: tuple[str, bool]) -> str:
    """A cell of text whose runs are crossed out or not."""
    told = "".join(f"<r><rPr>{'<strike/>' if is_struck else ''}</rPr><t>{words}</t></r>" for words, is_struck in runs)
    return f"<c t='inlineStr'><is>{told}</is></c>"


@pytest.mark.parametrize(
    ("cells", "is_told"),
    [
        ((number(A, 1), "x"), True),
        ((text(A, 1), text("x", 1)), True),
        ((number(A, 2), "x"), False),
        ((number(A), text("x", 1), text("y"), text("z")), False),
        ((number(A), text("x", 1), text("y", 1), text("z", 1)), True),
        ((in_runs((A, True)), "x"), True),
        ((in_runs(("45000", True), ("10001", True)), "x"), True),
        ((in_runs((A, False), ("old", True)), "x"), False),
    ],
)
def test_what_is_crossed_out_is_read_and_told(cells: tuple[str, ...], is_told: bool) -> None:
    orders, _, said = read(book(HEAD + row(*cells) + row(number(C), "y"), change=STRIKES))

    assert C in orders
    assert ("Row 2 is crossed out in the list and read anyway; delete those that you do not want." in said) is is_told


def test_a_crossed_out_cell_of_a_binary_workbook_is_told() -> None:
    fonts = xlsb_books.record(43, bytes(14)) + xlsb_books.record(43, bytes([0, 0, 0x08]) + bytes(11))
    styles = xlsb_books.record(47, bytes(16)) + xlsb_books.record(47, bytes(4) + b"\x01\x00" + bytes(10))
    rows = [[xlsb_books.cell(0, "PO Number")], [xlsb_books.cell(0, A, 1)], [xlsb_books.cell(0, B)]]
    content = with_part(
        xlsb_books.xlsb(rows), "xl/styles.bin", fonts + xlsb_books.record(617) + styles + xlsb_books.record(618)
    )

    orders, _, said = read(content, "orders.xlsb")

    assert orders == [A, B]
    assert "Row 2 is crossed out" in said


@pytest.mark.parametrize(
    "line",
    [
        "<tr style='text-decoration: line-through'><td>{}</td><td>x</td></tr>",
        "<tr><td class='gone'>{}</td><td>x</td></tr>",
        "<tr><td><s>{}</s></td><td>x</td></tr>",
        "<tr><td><span style='text-decoration:line-through'>{}</span></td><td>x</td></tr>",
    ],
)
def test_a_crossed_out_cell_of_a_web_page_is_told(line: str) -> None:
    head = "<style>.gone {{text-decoration-line: line-through}}</style><table><tr><th>PO Number</th><th>S</th></tr>"
    page = f"<html>{head}{line.format(A)}<tr><td>{B}</td><td><s>x</s></td></tr></table></html>".replace("{{", "{")
    orders, _, said = read(page.replace("}}", "}"), "orders.xls")

    assert orders == [A, B]
    assert "Row 2 is crossed out" in said


def test_a_value_below_a_merged_cell_that_shows_another_one_is_a_question() -> None:
    rows = HEAD + "".join(row(number(value), "x") for value in (A, C, A, B))
    orders, invalid, said = read(book(rows, after="<mergeCells><mergeCell ref='A2:A4'/></mergeCells>"))

    assert (orders, invalid) == ([A, B], [3])
    assert f"holds '{C}' below a merged cell that shows '{A}'" in said


def test_amounts_below_zero_are_read_as_they_are_shown() -> None:
    rows = HEAD + row(number(A), number(-5, 1)) + row(number(B), number("-1.25", 1))

    assert read(book(rows, ["0.00;(0.00)"])) == ([A, B], [], "")


@pytest.mark.timeout(60)
@pytest.mark.parametrize("formula", ["O1" * 30_000, "A1" * 30_000 + "+", "A1+" * 20_000, "A1 " + "+" * 30_000])
def test_a_long_formula_is_looked_at_once(formula: str) -> None:
    assert not formula_cell(Cell("1"), formula).doubt
