"""Web pages named ``.xls``: what a spreadsheet program shows of them, and no order of them lost."""

from __future__ import annotations

import pytest

from poolwright.intake.orders import ReadOptions, orders_from_content
from tests.unit.intake.raw_books import RULES, A, B, C, read

HEAD = "<tr><th>PO Number<th>Supplier</tr>"


def page(rows: str, style: str = "") -> str:
    return f"<html><head><style>{style}</style></head><body><table>{rows}</table></body></html>"


@pytest.mark.parametrize(
    ("cell", "order"),
    [
        ("<td style=\"mso-number-format:'0000000000'\">123456", "0000123456"),
        ("<td style='mso-number-format:\"\\0022PO\\0022 0000000000\"'>123456", "0000123456"),
        ("<td class='a z'>123456", "0000123456"),
        ("<td class=z x:num>123456", "0000123456"),
        (f"<td x:num='{A}'>4.50E+09", A),
        ("<td style='mso-number-format:\"\\@\"'>0000123456", "0000123456"),
        ("<td class=z>0123456", "0123456"),
    ],
)
def test_a_number_is_shown_by_the_format_in_its_style(cell: str, order: str) -> None:
    style = "<!-- .z\n\t{color:red;\n\tmso-number-format:0000000000;} -->"

    assert read(page(f"{HEAD}<tr>{cell}<td>x</tr>", style), "orders.xls")[:2] == ([order], [])


def test_a_number_with_the_format_of_a_date_is_a_question() -> None:
    rows = f"{HEAD}<tr><td style='mso-number-format:\"Short Date\"'>450001<td>x</tr><tr><td>{A}<td>y</tr>"

    assert read(page(rows), "orders.xls")[:2] == ([A], [2])


@pytest.mark.parametrize(
    ("rows", "orders", "invalid"),
    [
        (f"<tr><th>A<th>B<th>PO<tr><td rowspan=3 colspan=2>x<td>{A}<tr><td>{B}<tr><td>{C}", [A, B, C], []),
        (f"<tr><th>PO<th>Line<tr><td rowspan=0>{A}<td>1<tr><td>2<tr><td>3", [A], []),
        (
            f"<tr><th>PO<th>Items<tr><td>{A}<td><table><tr><td>i1<td>q</table><tr><td>{B}<td><table><tr><td>i2</table>",
            [A, B],
            [3, 5],
        ),
    ],
)
def test_cells_that_reach_over_others_or_hold_tables(rows: str, orders: list[str], invalid: list[int]) -> None:
    assert read(page(rows), "orders.xls")[:2] == (orders, invalid)


@pytest.mark.parametrize(
    "row",
    [
        "<tr class=h>",
        "<tbody style='display: none'><tr>",
        "<tr hidden>",
        "<tr style='visibility:collapse'>",
    ],
)
def test_what_a_browser_hides_is_told(row: str) -> None:
    said = read(page(f"{HEAD}{row}<td>{A}<td>x</tr>", ".h{display:none}"), "orders.xls")[2]

    assert "Row 2 of orders.xls is hidden" in said


@pytest.mark.parametrize(("charset", "name"), [("windows-1251", "Номер заказа"), ("Shift_JIS", "発注番号")])
def test_a_page_is_read_in_the_code_page_that_it_declares(charset: str, name: str) -> None:
    head = f"<meta http-equiv='Content-Type' content='text/html; charset={charset}'>"
    content = f"<html><head>{head}</head><table><tr><td>{name}<td>x<tr><td>{A}<td>ｱｲ</table>".replace(
        "ｱｲ", "ｱｲ" if charset == "Shift_JIS" else "ы"
    )
    orders, _, said = read(content.encode(charset), "orders.xls")

    assert orders == [A]
    assert "guess" not in said


@pytest.mark.parametrize(
    ("cell", "orders"),
    [
        ("<span>45000</span><b>10001</b>", [A]),
        ("45000<wbr>10001", [A]),
        ("45000&shy;10001", [A]),
        ("4500010001<wbr>4500010002", []),
        ("N<sup>o</sup>", []),
        ("4500010001<sup>1</sup>", []),
        ("<del>4500010009</del>4500010001", []),
        ("<span style='display: none'>999</span>4500010001", [A]),
        ("4500010001<select><option>1<option>2</select>", []),
        ("4500010001<br>4500010002", []),
        ("<ul><li>4500010001<li>4500010002</ul>", []),
        ("<span>4500010001</span><span>4500010002</span>", []),
        ("<a href='1'>4500010001</a><a href='2'>4500010002</a>", []),
        ("4500010001<img src='x'>4500010002", []),
        ("4500010001<hr>4500010002", []),
        ("<p>4500010001</p>4500010002", []),
        ("<mark>4500</mark>010001", [A]),
        ("45<b>0001</b>0001", [A]),
        ("4500010001<!-- 1 -->", [A]),
        ("<a href='1'>4500010001</a>", [A]),
        ("<span id='key'>99</span>4500010001", [A]),
        ("&#8238;1000100054", []),
    ],
)
def test_only_what_belongs_together_grows_together(cell: str, orders: list[str]) -> None:
    invalid = [] if orders else [2]

    content = page(f"{HEAD}<tr><td>{cell}<td>x<tr><td>{C}<td>y", "#key{display:none}")
    assert read(content, "orders.xls")[:2] == ([*orders, C], invalid)


def test_a_text_in_pieces_has_nothing_invisible_between_them() -> None:
    content = page(f"{HEAD}<tr><td>{A}<td><b>12</b><i>345</i>6 <span>x</span>y")
    orders = orders_from_content(content.encode(), "orders.xls", ReadOptions(portal_name="any", rules=RULES))

    assert orders.rows[0].cells == (A, "123456 xy")


TABLE = "<table><tr><td>PO Number<td>x<tr><td>{}<td>y</table>"


@pytest.mark.parametrize("between", ["</body></html><html><body>", "</BODY ></HTML>\n", "</html><!-- page 2 -->"])
def test_what_follows_the_end_of_a_page_is_read_too(between: str) -> None:
    orders, invalid, said = read(f"<html><body>{TABLE.format(A)}{between}{TABLE.format(B)}</body></html>", "orders.xls")

    assert (orders, invalid) == ([A, B], [])
    assert "not read, since" not in said


def test_tables_within_each_other_are_read_far_down() -> None:
    numbers = [str(4500010000 + place) for place in range(400)]
    orders, _, said = read("<html>" + "".join(f"<font>{TABLE.format(number)}" for number in numbers), "orders.xls")

    assert orders == numbers
    assert "not read, since" not in said


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (f"{TABLE.format(A)[:-8]}</tr><td>{B}<td>z</tr></table>", "2 of the 6 cells of orders.xls were not read"),
        (
            f"{TABLE.format(A)}<!-- <td>1 --><script>'<td>'</script><textarea><td></textarea><!--><style></td></style>",
            "",
        ),
        (f"{TABLE.format(A)}<table><td>{B}</td></table>", "1 of the 5 cells"),
        (f"<!--<script>-->{TABLE.format(A)}<table><TH>{B}</table>", "1 of the 5 cells"),
    ],
)
def test_cells_that_are_lost_with_their_tags_are_counted(content: str, told: str) -> None:
    orders, _, said = read(f"<html>{content}</html>", "orders.xls")

    assert orders == [A]
    assert told in said
    assert ("not read, since" in said) is bool(told)


def test_a_formula_of_a_page_that_adds_up_cells_is_a_total() -> None:
    sums = f"<tr><td x:fmla='=SUM(A2:A3)' x:num='{B}'>{B}<td>x"
    orders, invalid, said = read(page(f"{HEAD}<tr><td>{A}<td>x{sums}"), "orders.xls")

    assert (orders, invalid) == ([A], [3])
    assert "aggregates other cells (=SUM)" in said
