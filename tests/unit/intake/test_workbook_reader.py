"""Excel workbooks are read as a person sees them."""

from __future__ import annotations

import contextlib
import io
import random
import zipfile
from datetime import date, datetime, time, timedelta

import pytest
from openpyxl import Workbook
from openpyxl.chart import BarChart

from poolwright.intake.errors import InputRefusedError
from poolwright.intake.workbook_reader import read_workbook
from tests.support.order_files import rezipped, saved, xlsx, zipped

TABLE = [["PO", "Supplier"], ["4500012345", "Acme"]]
SHEET_XML = "xl/worksheets/sheet1.xml"


def cells_of(content: bytes, sheet_name: str | None = None) -> list[tuple[str, ...]]:
    return [row.cells for row in read_workbook(content, "orders.xlsx", sheet_name).rows]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("4500012345", "4500012345"),
        ("0045", "0045"),
        (4500012345, "4500012345"),
        (4500012345.0, "4500012345"),
        (999_999_999_999_999, "999999999999999"),
        (1_000_000_000_000_000, "1000000000000000"),
        (-1_000_000_000_000_000, "-1000000000000000"),
        (4_500_012_345_678_901, "4500012345678901"),
        (1e21, "1E+21"),
        (1e-7, "1E-07"),
        (12.5, "12.5"),
        (-3, "-3"),
        (True, "TRUE"),
        (None, ""),
        (date(2026, 3, 18), "2026-03-18"),
        (datetime(2026, 3, 18), "2026-03-18"),  # noqa: DTZ001  # sheets know no zones
        (datetime(2026, 3, 18, 9, 30), "2026-03-18 09:30:00"),  # noqa: DTZ001
        (time(9, 30), "09:30:00"),
        (timedelta(hours=30), "1 day, 6:00:00"),
        (" a ", " a "),
        ("Ünïcode 国网", "Ünïcode 国网"),
    ],
)
def test_a_cell_is_the_text_that_a_person_sees(value: object, text: str) -> None:
    assert cells_of(xlsx({"A": [["x", value, "y"]]})) == [("x", text, "y")]


@pytest.mark.parametrize("written", ["12345678901234567", "-4006381333931000001", "99999999999999999999"])
@pytest.mark.parametrize("number_format", ["General", "0", "#,##0", '"PO"0'])
def test_a_number_with_more_digits_than_excel_keeps_has_all_that_the_file_has_and_is_no_order(
    written: str, number_format: str
) -> None:
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet["A1"] = 1
    sheet["A1"].number_format = number_format
    content = saved(workbook)
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        edited = packed.read(SHEET_XML).replace(b"<v>1</v>", f"<v>{written}</v>".encode())
    [row] = read_workbook(rezipped(content, {SHEET_XML: edited}), "orders.xlsx").rows

    assert row.cells == (written,)
    assert "its last digits are lost" in row.doubts[0]
    assert row.values == {0}


@pytest.mark.parametrize(
    ("number_format", "text"),
    [("0000000000", "0000012345"), ('"PO"0000000000', "PO0000012345"), ('"PO"0', "PO12345"), ("#,##0", "12345")],
)
@pytest.mark.parametrize("value", [12345, 12345.0])
def test_zeros_and_prefixes_that_only_the_format_shows_are_kept(value: float, number_format: str, text: str) -> None:
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    sheet["A1"] = value
    sheet["A1"].number_format = number_format

    assert cells_of(saved(workbook)) == [(text,)]


def test_rows_are_counted_as_in_the_sheet() -> None:
    content = xlsx({"A": [["PO"], [], [None, " "], ["1"], [], ["2"]]})

    assert [row.row_no for row in read_workbook(content, "orders.xlsx").rows] == [1, 4, 6]


def test_the_preferred_sheet_is_taken_and_the_others_are_told() -> None:
    grid = read_workbook(xlsx({"Notes": [["hello"]], "po_data": TABLE, "More": [["x"]]}), "orders.xlsx")

    assert grid.rows[0].cells == ("PO", "Supplier")
    assert len(grid.notices) == 1
    assert "'po_data'" in grid.notices[0]
    assert "'Notes', 'More'" in grid.notices[0]


def test_the_first_visible_sheet_with_data_is_taken_otherwise() -> None:
    content = xlsx({"Empty": [], "PO_Data": [["secret"]], "Orders": TABLE}, hidden=["PO_Data"])

    assert cells_of(content)[0] == ("PO", "Supplier")


def test_a_single_sheet_needs_no_notice() -> None:
    assert not read_workbook(xlsx({"Orders": TABLE}), "orders.xlsx").notices


def test_a_named_sheet_is_found_without_case_even_when_hidden() -> None:
    content = xlsx({"Orders": TABLE, "Old ones": [["PO"], ["1"]]}, hidden=["Old ones"])

    assert cells_of(content, " OLD ONES ") == [("PO",), ("1",)]
    assert not read_workbook(content, "orders.xlsx", "old ones").notices


def test_an_unknown_sheet_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(InputRefusedError, match=r"no sheet 'Mai'; its sheets are: 'Orders', 'Notes'"):
        cells_of(xlsx({"Orders": TABLE, "Notes": []}), "Mai")


def test_a_sheet_without_data_is_refused() -> None:
    with pytest.raises(InputRefusedError, match=r"sheet 'Notes' of orders\.xlsx is empty"):
        cells_of(xlsx({"Orders": TABLE, "Notes": []}), "Notes")
    with pytest.raises(InputRefusedError, match=r"orders\.xlsx is empty"):
        cells_of(xlsx({"Notes": []}))


def test_a_sheet_of_charts_is_passed_over() -> None:
    workbook = Workbook()
    workbook.worksheets[0].append(["PO"])
    workbook.create_chartsheet("Chart", 0).add_chart(BarChart())

    assert cells_of(saved(workbook)) == [("PO",)]


def test_a_wrong_size_in_the_sheet_hides_no_rows() -> None:
    content = xlsx({"Orders": TABLE})
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        sheet = packed.read(SHEET_XML).replace(b'ref="A1:B2"', b'ref="A1"')

    assert cells_of(rezipped(content, {SHEET_XML: sheet})) == [tuple(row) for row in TABLE]


def test_a_formula_is_its_saved_value_never_its_text() -> None:
    content = xlsx({"Orders": [["PO", '=HYPERLINK("http://x","4500012345")']]})
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        sheet = packed.read(SHEET_XML).replace(b"<v />", b"<v>4500012345</v>").replace(b"<v></v>", b"<v>4500012345</v>")

    assert cells_of(rezipped(content, {SHEET_XML: sheet})) == [("PO", "4500012345")]


@pytest.mark.parametrize(
    ("members", "word"),
    [
        ({"xl/workbook.bin": b"", "[Content_Types].xml": b""}, "damaged"),
        ({"content.xml": b"", "mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}, "damaged"),
        ({"content.xml": b"<a/>", "mimetype": b"application/vnd.oasis.opendocument.text"}, "not a spreadsheet"),
        ({"word/document.xml": b""}, "Word document"),
        ({"Index/Document.iwa": b""}, "Apple Numbers"),
        ({"visio/document.xml": b"", "[Content_Types].xml": b""}, "Visio"),
        ({"[Content_Types].xml": b"", "docProps/app.xml": b""}, "Office file without a workbook"),
        ({"mimetype": b"application/epub+zip", "META-INF/container.xml": b""}, "electronic book"),
        ({"readme.md": b""}, r"without a list in it \(readme\.md\)"),
        ({"B.pdf": b"", "a.docx": b"", "mail.msg": b"", "z.png": b""}, r"\(a\.docx, B\.pdf, mail\.msg and 1 more\)"),
        ({"xl/workbook.xml": b"<workbook/>"}, "damaged"),
    ],
)
def test_other_packed_files_are_refused_with_what_to_do(members: dict[str, bytes], word: str) -> None:
    with pytest.raises(InputRefusedError, match=rf"orders\.xlsx .*{word}.*save"):
        cells_of(zipped(members))


@pytest.mark.parametrize("folder", ["xl", "word", "Index", "ppt"])
def test_a_packed_list_is_named_as_it_is_written_whatever_its_folder(folder: str) -> None:
    members = {f"__MACOSX/{folder}/._Orders.csv": b"", f"{folder}/": b"", f"{folder}/Orders.csv": b"PO\n1\n"}

    with pytest.raises(InputRefusedError, match=rf"is a packed file with {folder}/Orders\.csv in it; unpack"):
        cells_of(zipped(members))


@pytest.mark.parametrize("seed", range(150))
def test_any_damage_is_refused_with_a_sentence_or_does_no_harm(seed: int) -> None:
    good = xlsx({"Orders": [["PO", "n"], *([f"PO{number:06}", number] for number in range(20))]})
    dice = random.Random(seed)
    damaged = bytearray(good)
    for _ in range(dice.randrange(1, 6)):
        damaged[dice.randrange(4, len(good))] = dice.randrange(256)
    length = dice.choice([len(good), dice.randrange(5, len(good))])

    with contextlib.suppress(InputRefusedError):
        read_workbook(bytes(damaged[:length]), "orders.xlsx")
