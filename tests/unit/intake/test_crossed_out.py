"""Orders that are crossed out, by whatever a program crosses out with, are read and told; nobody is told of others."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from poolwright.intake.workbooks import strike_rules
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
    open_number,
    open_row,
    open_text,
    read,
    row,
    text,
)
from tests.unit.intake.test_cells_seen import in_runs, with_part

OLD_BOOKS = Path(__file__).with_name("old_books")
TOLD = "Row 2 is crossed out in the list and read anyway; delete those that you do not want."
LOOKS = "<dxfs><dxf><fill/></dxf><dxf><font><strike/></font></dxf><dxf><font><strike val='0'/></font></dxf></dxfs>"


def looking(cell_looks: str = "") -> dict[str, str]:
    """The styles of a workbook."""
    return {"xl/styles.xml": f"<styleSheet>{cell_looks}{LOOKS}</styleSheet>"}


class TestStylesOfExcel:
    @pytest.mark.parametrize(
        ("style", "is_told"),
        [
            ("<xf fontId='1'/>", True),
            ("<xf fontId='1' applyFont='0'/>", True),
            ("<xf xfId='1'/>", True),
            ("<xf fontId='0' applyFont='0' xfId='1'/>", True),
            ("<xf fontId='0' applyFont='1' xfId='1'/>", False),
            ("<xf fontId='0' xfId='1'/>", False),
            ("<xf fontId='0' xfId='0' applyFont='0'/>", False),
            ("<xf xfId='9'/>", False),
        ],
    )
    def test_a_style_has_the_font_of_the_named_one_where_it_says_so(self, style: str, is_told: bool) -> None:
        fonts = (
            "<fonts><font/><font><strike/></font></fonts><cellStyleXfs><xf fontId='0'/><xf fontId='1'/></cellStyleXfs>"
        )
        change = looking(f"{fonts}<cellXfs><xf fontId='0'/>{style}</cellXfs>")
        orders, _, said = read(book(HEAD + row(number(A, 1), "x") + row(number(B), "y"), change=change))

        assert orders == [A, B]
        assert (TOLD in said) is is_told

    @pytest.mark.parametrize(
        ("runs", "order", "is_told"),
        [
            (((A, True), (" cancelled", False)), A, True),
            (((A, False), (" old", True)), A, False),
            ((("PO", False), (A, True)), A, True),
        ],
    )
    def test_a_number_in_a_text_that_is_crossed_out_in_part(
        self, runs: tuple[tuple[str, bool], ...], order: str, is_told: bool
    ) -> None:
        orders, invalid, said = read(book(HEAD + row(in_runs(*runs), "x") + row(number(C), "y")))

        assert C in orders
        assert order in orders or invalid == [2]
        assert ("Row 2 is crossed out" in said) is is_told


def formatted(rule: str, area: str = "A2:B3") -> str:
    return f"<conditionalFormatting sqref='{area}'>{rule}</conditionalFormatting>"


def ruled(*rules: str) -> tuple[list[str], str]:
    """The orders of a list with conditional formats, and what is said of it."""
    rows = row(number(A), "Cancelled", "12") + row(number(B), "Open", "7") + row("", "", "")
    head = row("PO Number", "Status", "Days")
    orders, _, said = read(book(head + rows, change=looking(), after="".join(rules)))
    return orders, said


class TestRulesOfExcel:
    @pytest.mark.parametrize(
        "rule",
        [
            "<cfRule type='expression' dxfId='1'><formula>$B2=\"cancelled\"</formula></cfRule>",
            "<cfRule type='expression' dxfId='1'><formula>\"Cancelled\"=$B2</formula></cfRule>",
            "<cfRule type='expression' dxfId='1'><formula>EXACT($B2,\"Cancelled\")</formula></cfRule>",
            "<cfRule type='expression' dxfId='1'><formula>ISNUMBER(SEARCH(\"cancel\",$B2))</formula></cfRule>",
            "<cfRule type='expression' dxfId='1'><formula>AND(LEFT($B2,3)=\"CAN\",NOT($B2=\"\"))</formula></cfRule>",
            "<cfRule type='expression' dxfId='1'><formula>OR($B2=\"x\",LEN($B2)&gt;5)</formula></cfRule>",
            "<cfRule type='expression' dxfId='1'><formula>UPPER(TRIM($B2))&amp;\"!\"=\"CANCELLED!\"</formula></cfRule>",
            "<cfRule type='expression' dxfId='1'><formula>$A2=4500010001</formula></cfRule>",
            "<cfRule type='expression' dxfId='1'><formula>A2=$A$2</formula></cfRule>",
            "<cfRule type='cellIs' operator='equal' dxfId='1'><formula>4500010001</formula></cfRule>",
            "<cfRule type='cellIs' operator='lessThan' dxfId='1'><formula>4500010002</formula></cfRule>",
            "<cfRule type='cellIs' operator='between' dxfId='1'><formula>1</formula><formula>$A$2</formula></cfRule>",
        ],
    )
    def test_rows_that_a_rule_crosses_out_are_told(self, rule: str) -> None:
        orders, said = ruled(formatted(rule))

        assert orders == [A, B]
        assert TOLD in said
        assert "Rows 2" not in said

    @pytest.mark.parametrize(
        "rule",
        [
            "<cfRule type='expression' dxfId='0'><formula>$B2=\"Cancelled\"</formula></cfRule>",
            "<cfRule type='expression' dxfId='2'><formula>$B2=\"Cancelled\"</formula></cfRule>",
            "<cfRule type='expression' dxfId='1'><formula>$B2=\"Deleted\"</formula></cfRule>",
            "<cfRule type='expression' dxfId='1'><formula>SEARCH(\"gone\",$B2)&gt;0</formula></cfRule>",
            "<cfRule type='expression' dxfId='1'><formula>ISBLANK($B2)</formula></cfRule>",
            "<cfRule type='cellIs' operator='notEqual' dxfId='0'><formula>1</formula></cfRule>",
            "<cfRule type='cellIs' operator='notBetween' dxfId='1'><formula>1</formula><formula>$B$2</formula></cfRule>",  # noqa: E501
            "<cfRule type='containsBlanks' dxfId='1'><formula>LEN(TRIM(A2))=0</formula></cfRule>",
            "<cfRule type='colorScale'><colorScale/></cfRule>",
        ],
    )
    def test_rules_that_cross_nothing_out_are_not_told(self, rule: str) -> None:
        orders, said = ruled(formatted(rule))

        assert (orders, said) == ([A, B], "")

    def test_rules_by_words_look_at_the_cell_itself(self) -> None:
        rule = "<cfRule type='{}' text='{}' dxfId='1'><formula>x</formula></cfRule>"
        for kind, words, is_told in (
            ("containsText", "0001", True),
            ("beginsWith", "45", True),
            ("endsWith", "0001", True),
            ("notContainsText", "0002", True),
            ("containsText", "9", False),
        ):
            said = ruled(formatted(rule.format(kind, words), "A2"))[1]

            assert (TOLD in said) is is_told

    def test_rules_in_the_words_of_2010_are_read(self) -> None:
        rule = "<cfRule type='expression'><f>$B2=\"Cancelled\"</f><dxf><font><strike/></font></dxf></cfRule>"
        block = f"<extLst><ext><conditionalFormattings><conditionalFormatting>{rule}<sqref>A2:C3</sqref>"
        _, said = ruled(f"{block}</conditionalFormatting></conditionalFormattings></ext></extLst>")

        assert TOLD in said

    @pytest.mark.parametrize(
        ("rule", "written"),
        [
            ("<cfRule type='expression' dxfId='1'><formula>$C2&lt;TODAY()</formula></cfRule>", "$C2<TODAY()"),
            ("<cfRule type='expression' dxfId='1'><formula>COUNTIF($A:$A,$A2)&gt;1</formula></cfRule>", "COUNTIF"),
            ("<cfRule type='expression' dxfId='1'><formula>Old!A2=1</formula></cfRule>", "Old!A2=1"),
            ("<cfRule type='expression' dxfId='1'><formula>$B2=</formula></cfRule>", "$B2="),
            ("<cfRule type='expression' dxfId='1'><formula>LEFT()=1</formula></cfRule>", "LEFT()=1"),
            ("<cfRule type='duplicateValues' dxfId='1'/>", "duplicateValues"),
            ("<cfRule type='cellIs' operator='equal' dxfId='1'><formula>Limit</formula></cfRule>", "Limit"),
        ],
    )
    def test_a_rule_that_is_not_understood_is_told(self, rule: str, written: str) -> None:
        orders, said = ruled(formatted(rule))

        assert orders == [A, B]
        assert said.startswith("A rule of orders.xlsx (conditional format) crosses cells out in A2:B3 (")
        assert written in said
        assert "crossed out" not in said

    def test_a_rule_that_is_not_understood_and_meets_no_row_is_nobodys_business(self) -> None:
        rule = "<cfRule type='expression' dxfId='1'><formula>$C2&lt;TODAY()</formula></cfRule>"

        assert ruled(formatted(rule, "A40:B90"))[1] == ""

    def test_rules_without_end_are_told_and_not_asked_without_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(strike_rules, "_EVALUATIONS_MAX", 5)
        rule = "<cfRule type='cellIs' operator='equal' dxfId='1'><formula>4500010001</formula></cfRule>"

        assert "crosses cells out in A1:C1048576 (4500010001)" in ruled(formatted(rule, "A1:C1048576"))[1]
        assert "crosses cells out in Y1:Z9 (4500010001), and" in ruled(*[formatted(rule, "Y1:Z9 Y1:Z9")] * 9)[1]


OPEN = "urn:oasis:names:tc:opendocument:xmlns"
SPACES = " ".join(f'xmlns:{name}="{OPEN}:{name}:1.0"' for name in ("office", "table", "text", "style", "calcext"))
LINE = '<style:text-properties style:text-line-through-style="solid"/>'


def open_list(rows: str, *, automatic: str = "", named: str = "", columns: str = "", after: str = "") -> bytes:
    """A workbook of OpenDocument whose styles stand in two parts."""
    head = open_row(open_text("PO Number"), open_text("Status"))
    sheet = f'<table:table table:name="Orders">{columns}{head}{rows}{after}</table:table>'
    content = (
        f"<office:document-content {SPACES}><office:automatic-styles>{automatic}</office:automatic-styles>"
        f"<office:body><office:spreadsheet>{sheet}</office:spreadsheet></office:body></office:document-content>"
    )
    styles = f"<office:document-styles {SPACES}><office:styles>{named}</office:styles></office:document-styles>"
    return zipped({"content.xml": content.encode(), "styles.xml": styles.encode()})


def style(name: str, inner: str = "", tell: str = "") -> str:
    return f'<style:style style:name="{name}" style:family="table-cell" {tell}>{inner}</style:style>'


class TestOpenDocument:
    @pytest.mark.parametrize(
        ("automatic", "named", "is_told"),
        [
            (style("ce1", "", 'style:parent-style-name="Gone"'), style("Gone", LINE), True),
            (
                style("ce1", "", 'style:parent-style-name="Mine"'),
                style("Gone", LINE) + style("Mine", "", 'style:parent-style-name="Gone"'),
                True,
            ),
            (style("ce1", LINE.replace("solid", "none"), 'style:parent-style-name="Gone"'), style("Gone", LINE), False),
            (style("ce1", "", 'style:parent-style-name="ce1"'), "", False),
            (style("ce1", ""), style("ce1", LINE).replace("table-cell", "graphic"), False),
        ],
    )
    def test_a_style_has_the_line_of_the_one_that_it_is_made_after(
        self, automatic: str, named: str, is_told: bool
    ) -> None:
        rows = open_row(open_number(A, A, 'table:style-name="ce1"')) + open_row(open_number(B, B))
        orders, _, said = read(open_list(rows, automatic=automatic, named=named))

        assert orders == [A, B]
        assert (TOLD in said) is is_told

    def test_a_cell_that_the_file_gives_a_named_style(self) -> None:
        rows = open_row(open_number(A, A, 'table:style-name="Gone"')) + open_row(open_number(B, B))

        assert TOLD in read(open_list(rows, named=style("Gone", LINE)))[2]

    def test_cells_have_the_style_of_their_row_or_column_where_they_have_none(self) -> None:
        column = '<table:table-column table:default-cell-style-name="Gone"/>'
        rows = open_row(open_number(A, A)) + open_row(open_number(B, B, 'table:style-name="Plain"'))
        assert TOLD in read(open_list(rows, columns=column, named=style("Gone", LINE)))[2]

        rows = open_row(open_number(A, A), tell='table:default-cell-style-name="Gone"') + open_row(open_number(B, B))
        assert TOLD in read(open_list(rows, named=style("Gone", LINE)))[2]

    def test_digits_that_are_crossed_out_do_not_grow_together_with_others(self) -> None:
        span = '<text:p>{}<text:span text:style-name="T1">{}</text:span>{}</text:p>'
        line = style("T1", LINE).replace("table-cell", "text")
        rows = (
            open_row(open_text("", span.format("", A, " cancelled")))
            + open_row(open_text("", span.format(B, "7", "")))
            + open_row(open_number(C, C))
        )
        orders, invalid, said = read(open_list(rows, automatic=line))

        assert (C in orders, B in orders, 3 in invalid) == (True, False, True)
        assert "Rows 2, 3 are crossed out" in said

    @pytest.mark.parametrize(
        ("value", "is_known"),
        [
            ("formula-is($B2=&quot;Cancelled&quot;)", True),
            ("formula-is([.$B2]=&quot;Cancelled&quot;)", True),
            ("=4500010001", True),
            ("&lt;4500010002", True),
            ("between(1,4500010001)", True),
            ("contains-text(&quot;10001&quot;)", True),
            ("duplicate", False),
            ("formula-is(VLOOKUP($A2;$D$2:$E$9;2;0)=1)", False),
        ],
    )
    def test_rules_of_a_sheet(self, value: str, is_known: bool) -> None:
        condition = f'<calcext:condition calcext:apply-style-name="Gone" calcext:value="{value}"/>'
        block = (
            "<calcext:conditional-formats>"
            '<calcext:conditional-format calcext:target-range-address="Orders.A2:Orders.A3">'
            f"{condition}</calcext:conditional-format></calcext:conditional-formats>"
        )
        rows = open_row(open_number(A, A), open_text("Cancelled")) + open_row(open_number(B, B), open_text("Open"))
        orders, _, said = read(open_list(rows, named=style("Gone", LINE), after=block))

        assert orders == [A, B]
        assert (TOLD in said) is is_known
        assert ("A rule of orders.xlsx (conditional format) crosses cells out in A2:A3" in said) is not is_known

    def test_a_rule_that_stands_in_a_style_is_told(self) -> None:
        rule = '<style:map style:condition="cell-content()=1" style:apply-style-name="Gone"/>'
        said = read(open_list(open_row(open_number(A, A)), automatic=style("ce1", rule), named=style("Gone", LINE)))[2]

        assert "A rule of orders.xlsx (conditional format) crosses cells out (cell-content()=1)" in said


class TestOldBooks:
    def test_what_is_crossed_out_is_told(self) -> None:
        orders, invalid, said = read((OLD_BOOKS / "struck.xls").read_bytes(), "orders.xls")

        assert (orders, invalid) == ([A, B, "4500010004"], [4, 6])
        assert "Rows 3, 4, 5 are crossed out in the list and read anyway" in said

    @pytest.mark.parametrize(("name", "is_told"), [("strike-rule.xls", True), ("other-rule.xls", False)])
    def test_a_rule_that_crosses_out_is_told(self, name: str, is_told: bool) -> None:
        orders, _, said = read((OLD_BOOKS / name).read_bytes(), "orders.xls")

        assert orders == [A, B]
        assert ("A rule of orders.xls (conditional format) crosses cells out" in said) is is_told


class TestBinaryBooks:
    def test_a_rule_that_crosses_out_is_told(self) -> None:
        rows = [[xlsb_books.cell(0, "PO Number")], [xlsb_books.cell(0, A)]]
        for strikes in (True, False):
            properties = struct.pack("<HHHHHB", 0, 0, 2, 0x19, 6, 0) + b"\0" + struct.pack("<HHB", 0x1D, 5, strikes)
            look = xlsb_books.record(507, properties)
            rule = xlsb_books.record(461, bytes(12)) + xlsb_books.record(463, struct.pack("<4I", 1, 0, 0, 1))
            content = with_part(xlsb_books.xlsb(rows, after=rule), "xl/styles.bin", look)

            orders, _, said = read(content, "orders.xlsb")

            assert orders == [A]
            assert ("crosses cells out" in said) is strikes

    def test_a_text_that_is_crossed_out_in_part_is_told(self) -> None:
        fonts = xlsb_books.record(43, bytes(14)) + xlsb_books.record(43, bytes([0, 0, 0x08]) + bytes(11))
        item = b"\x01" + xlsb_books.wide(f"{A} gone") + struct.pack("<IHHHH", 2, 0, 1, 10, 0)
        cell = xlsb_books.record(7, struct.pack("<III", 0, 0, 0))
        content = xlsb_books.xlsb([[xlsb_books.cell(0, "PO Number")], [cell], [xlsb_books.cell(0, B)]])
        arrows = xlsb_books.arrows(
            ("worksheet", "worksheets/sheet1.bin"), ("styles", "styles.bin"), ("sharedStrings", "sharedStrings.bin")
        )
        content = with_part(content, "xl/_rels/workbook.bin.rels", arrows)
        content = with_part(content, "xl/sharedStrings.bin", xlsb_books.record(19, item))

        orders, invalid, said = read(with_part(content, "xl/styles.bin", fonts), "orders.xlsb")

        assert B in orders
        assert A in orders or invalid == [2]
        assert "Row 2 is crossed out" in said


class TestXmlOf2003:
    def test_the_style_of_all_cells_and_pieces_of_a_text(self) -> None:
        default = '<Style ss:ID="Default"><Font ss:StrikeThrough="1"/></Style>'
        assert TOLD in read(old_xml(f"<Row>{old_number(A)}</Row>", default), "orders.xml")[2]

        piece = f'<Cell><ss:Data ss:Type="String"><S>{A}</S> gone</ss:Data></Cell>'
        said = read(old_xml(f"<Row>{piece}</Row><Row>{old_number(B)}</Row>"), "orders.xml")[2]
        assert "Row 2 is crossed out" in said

    def test_a_rule_that_crosses_out_is_told(self) -> None:
        rule = (
            '<ConditionalFormatting xmlns="urn:schemas-microsoft-com:office:excel"><Range>R2C1:R9C3</Range><Condition>'
            "<Value1>RC3=1</Value1><Format Style='text-line-through:single'/></Condition></ConditionalFormatting>"
        )
        orders, _, said = read(
            old_xml(f"<Row>{old_number(A)}</Row>").replace("</Worksheet>", f"{rule}</Worksheet>"), "o.xml"
        )

        assert orders == [A]
        assert "A rule of o.xml (conditional format) crosses cells out (R2C1:R9C3: RC3=1)" in said


@pytest.mark.parametrize("piece", ["<s>{}</s> gone", "<span style='text-decoration:line-through'>{}</span> gone"])
def test_a_number_of_a_web_page_that_is_crossed_out_beside_a_word_is_told(piece: str) -> None:
    page = f"<html><table><tr><th>PO Number<th>S<tr><td>{piece.format(A)}<td>x<tr><td>{B}<td>y</table></html>"

    assert "Row 2 is crossed out" in read(page, "orders.xls")[2]


def test_digits_of_a_web_page_that_a_style_crosses_out_do_not_grow_together_with_others() -> None:
    piece = f"{A}<span style='text-decoration:line-through'>7</span>"
    page = f"<html><table><tr><th>PO Number<th>S<tr><td>{piece}<td>x<tr><td>{B}<td>y</table></html>"

    assert read(page, "orders.xls")[:2] == ([B], [2])


def test_text_in_a_cell_that_is_crossed_out_counts_only_where_most_of_the_row_is() -> None:
    fonts = "<fonts><font/><font><strike/></font></fonts><cellXfs><xf fontId='0'/><xf fontId='1'/></cellXfs>"
    cells = (number(A), text("x", 1), text("y"), text("z"))

    assert "crossed out" not in read(book(HEAD + row(*cells), change=looking(fonts)))[2]
