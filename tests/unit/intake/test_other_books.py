"""Workbooks beside Excel's usual ones: binary, old, OpenDocument, XML of 2003, and web pages named ``.xls``."""

from __future__ import annotations

import contextlib
import random
import struct
from pathlib import Path

import pytest

from poolwright.intake.errors import InputRefusedError
from poolwright.intake.grid import Grid
from poolwright.intake.html_reader import read_html
from poolwright.intake.table import parse_table
from poolwright.intake.workbook_reader import read_workbook, read_xls_workbook, read_xml_workbook
from tests.support.order_files import zipped
from tests.unit.intake.xlsb_books import cell, record, xlsb

CASES = Path(__file__).parent / "cases"
ODS_HEAD = (
    '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
)
XML_HEAD = (
    '<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
    'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">'
)


def cells_of(grid: Grid) -> list[tuple[str, ...]]:
    return [row.cells for row in grid.rows]


def ods(rows: str) -> bytes:
    content = f'{ODS_HEAD}<table:table table:name="Orders">{rows}</table:table>'
    return zipped({"content.xml": f"{content}</office:spreadsheet></office:body></office:document-content>".encode()})


def text_cell(text: str, attributes: str = "") -> str:
    return f'<table:table-cell office:value-type="string" {attributes}><text:p>{text}</text:p></table:table-cell>'


def number(value: str, shown: str, attributes: str = "") -> str:
    return (
        f'<table:table-cell office:value-type="float" office:value="{value}" {attributes}><text:p>{shown}</text:p>'
        "</table:table-cell>"
    )


def ods_row(*cells: str) -> str:
    return f"<table:table-row>{''.join(cells)}</table:table-row>"


class TestBinary:
    def test_cells_are_what_their_formats_show(self) -> None:
        head = [cell(0, "PO"), cell(2, "n")]
        book = xlsb([head, [cell(0, 123456, 1), cell(2, 12.5)], [cell(0, 4500010001.0), cell(2, True)]], ["0000000000"])

        assert cells_of(read_workbook(book, "orders.xlsb")) == [
            ("PO", "", "n"),
            ("0000123456", "", "12.5"),
            ("4500010001", "", "TRUE"),
        ]

    def test_a_number_with_more_digits_than_excel_keeps_is_written_out_and_doubtful(self) -> None:
        [row] = read_workbook(xlsb([[cell(0, 4500012345678901.0)]]), "orders.xlsb").rows

        assert row.cells == ("4500012345678901",)
        assert "its last digits are lost" in row.doubts[0]

    def test_dates_errors_hidden_rows_and_merged_cells_are_told(self) -> None:
        rows = [[cell(0, "PO")], [cell(0, 45413, 1)], [cell(0, b"\x2a")], [cell(0, "450001")], [cell(1, "x")]]
        merged = record(176, struct.pack("<4I", 3, 4, 0, 0))
        grid = read_workbook(xlsb(rows, ["yyyy-mm-dd"], hidden=[1], after=merged), "orders.xlsb")

        assert "holds the number 45413" in grid.rows[1].doubts[0]
        assert "#N/A" in grid.rows[2].doubts[0]
        assert grid.rows[4].cells == ("450001", "x")
        assert any("Row 2 of orders.xlsb is hidden" in notice for notice in grid.notices)

    @pytest.mark.parametrize("seed", range(60))
    def test_any_damage_is_refused_with_a_sentence_or_does_no_harm(self, seed: int) -> None:
        dice = random.Random(seed)
        good = xlsb([[cell(0, "PO"), cell(1, 5)], *([cell(0, 4500010001.0)] for _ in range(20))], ["000"])
        damaged = bytearray(good)
        for _ in range(dice.randrange(1, 6)):
            damaged[dice.randrange(4, len(good))] = dice.randrange(256)

        with contextlib.suppress(InputRefusedError):
            read_workbook(bytes(damaged), "orders.xlsb")


class TestOpenDocument:
    def test_comments_blanks_and_line_breaks(self) -> None:
        odd = "a<text:s text:c='2'/>b<text:line-break/>c<text:span>d</text:span>"
        comment = "<office:annotation><text:p>no</text:p></office:annotation>"
        row = ods_row(
            text_cell(odd),
            f'<table:table-cell office:value-type="string">{comment}<text:p>y</text:p></table:table-cell>',
        )

        assert cells_of(read_workbook(ods(row), "orders.ods")) == [("a  b\ncd", "y")]

    def test_a_cell_that_shows_another_number_is_doubtful(self) -> None:
        grid = read_workbook(ods(ods_row(number("4500010001", "45.000"))), "orders.ods")

        assert "shows '45.000' and holds 4500010001" in grid.rows[0].doubts[0]

    @pytest.mark.parametrize("shown", ["12345678901234567", "1.23E+16", ""])
    def test_a_number_with_more_digits_than_excel_keeps_is_written_out_and_doubtful(self, shown: str) -> None:
        [row] = read_workbook(ods(ods_row(number("12345678901234567", shown))), "orders.ods").rows

        assert row.cells == ("12345678901234567",)
        assert "its last digits are lost" in row.doubts[0]

    def test_formulas_without_values_and_with_errors_are_doubtful(self) -> None:
        bare = '<table:table-cell table:formula="of:=[.A1]"/>'
        wrong = text_cell("#REF!", 'table:formula="of:=[.A1]"')
        total = number("9000020003", "9000020003", 'table:formula="of:=SUM([.A1:.A2])"')
        doubts = read_workbook(ods(ods_row(bare, wrong, total)), "orders.ods").rows[0].doubts

        assert "value was not saved" in doubts[0]
        assert "#REF!" in doubts[1]
        assert "(=SUM)" in doubts[2]

    def test_a_million_filled_rows_of_one_tag_are_refused(self) -> None:
        row = f'<table:table-row table:number-rows-repeated="9999999">{text_cell("x")}</table:table-row>'

        with pytest.raises(InputRefusedError, match="more than 1,048,576 rows"):
            read_workbook(ods(row), "orders.ods")

    def test_a_row_of_endless_columns_is_refused(self) -> None:
        row = ods_row(text_cell("x", 'table:number-columns-repeated="999999999"'))

        with pytest.raises(InputRefusedError, match="more than 16,384 columns"):
            read_workbook(ods(row), "orders.ods")

    def test_a_password_is_told(self) -> None:
        manifest = b"<m><file-entry><encryption-data/></file-entry></m>"

        with pytest.raises(InputRefusedError, match="password"):
            read_workbook(zipped({"content.xml": b"xx", "META-INF/manifest.xml": manifest}), "orders.ods")


class TestOldExcel:
    @pytest.mark.parametrize("seed", range(60))
    def test_any_damage_is_refused_with_a_sentence_or_does_no_harm(self, seed: int) -> None:
        dice = random.Random(seed)
        damaged = bytearray((CASES / "old-excel.xls").read_bytes())
        for _ in range(dice.randrange(1, 30)):
            damaged[dice.randrange(8, len(damaged))] = dice.randrange(256)

        with contextlib.suppress(InputRefusedError):
            read_xls_workbook(bytes(damaged[: dice.choice([len(damaged), 3000])]), "orders.xls")


class TestXmlOf2003:
    def test_formats_merged_cells_and_jumps(self) -> None:
        style = '<Styles><Style ss:ID="z"><NumberFormat ss:Format="0000000000"/></Style></Styles>'
        rows = (
            '<Row ss:Index="3"><Cell ss:MergeDown="1" ss:StyleID="z"><Data ss:Type="Number">123456</Data></Cell>'
            '<Cell ss:Index="3"><Data ss:Type="String">a</Data></Cell></Row>'
            '<Row ss:Hidden="1"><Cell ss:Index="3"><Data ss:Type="DateTime">2024-05-01T00:00:00.000</Data></Cell></Row>'
            '<Row><Cell><Data ss:Type="Number">12345678901234567</Data></Cell></Row>'
        )
        sheet = f'<Worksheet ss:Name="Orders"><Table>{rows}</Table></Worksheet>'
        grid = read_xml_workbook(f"{XML_HEAD}{style}{sheet}</Workbook>".encode(), "orders.xls")

        assert [(row.row_no, row.cells) for row in grid.rows] == [
            (3, ("0000123456", "", "a")),
            (4, ("0000123456", "", "2024-05-01")),
            (5, ("12345678901234567",)),
        ]
        assert 2 in grid.rows[1].doubts
        assert "its last digits are lost" in grid.rows[2].doubts[0]
        assert any("Row 4" in notice and "hidden" in notice for notice in grid.notices)

    def test_other_xml_is_refused_as_what_it_is(self) -> None:
        with pytest.raises(InputRefusedError, match="XML file, not a spreadsheet"):
            parse_table(b"<?xml version='1.0'?><orders><order po='1'/></orders>", "orders.xml")
        with pytest.raises(InputRefusedError, match="document type"):
            parse_table(b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><orders/>", "orders.xml")
        with pytest.raises(InputRefusedError, match="damaged"):
            parse_table(b"<?xml version='1.0'?><orders><order>", "orders.xml")


class TestWebPage:
    def test_cells_that_reach_over_rows_and_columns_keep_their_places(self) -> None:
        page = (
            "<table><tr><th>PO<th>Line<th>Text</tr><tr><td rowspan=2>450001<td>1<td>a</tr><tr><td>2<td>b</tr>"
            "<tr><td colspan=2>450002<td>c</tr></table>"
        )

        assert cells_of(read_html(page, "orders.xls")) == [
            ("PO", "Line", "Text"),
            ("450001", "1", "a"),
            ("450001", "2", "b"),
            ("450002", "", "c"),
        ]

    def test_lines_in_a_cell_stay_apart_and_scripts_are_not_read(self) -> None:
        page = (
            "<table><tr><td>450001<br>450002</td><td><script>x</script><b>A</b>cme\n Inc<!-- no --></td></tr></table>"
        )

        assert cells_of(read_html(page, "orders.xls")) == [("450001\n450002", "Acme Inc")]

    def test_rows_of_all_tables_are_read_and_those_that_hold_tables_are_not(self) -> None:
        page = (
            "<table><tr><td>menu<table><tr><td>PO<td>x</tr><tr><td>450001<td>y</tr></table></td></tr></table>"
            "<table><tr style='display: none'><td>450002<td>z</tr></table>"
        )
        grid = read_html(page, "orders.xls")

        assert cells_of(grid) == [("PO", "x"), ("450001", "y"), ("450002", "z")]
        assert any("hidden" in notice for notice in grid.notices)

    @pytest.mark.parametrize("page", ["<html><body><form>Log in</form></body></html>", "<!-- -->", "<html></html>"])
    def test_a_page_without_a_table_is_refused_as_what_it_is(self, page: str) -> None:
        with pytest.raises(InputRefusedError, match=r"web page.*save the list as|XML file"):
            parse_table(page.encode(), "orders.xls")
