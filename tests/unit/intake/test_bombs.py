"""A list that is made to exhaust memory is refused in one sentence, before the memory is spent."""

from __future__ import annotations

import contextlib
import io
import itertools
import random
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolwright.intake import csv_reader, grid, workbook_guard
from poolwright.intake.errors import InputRefusedError
from poolwright.intake.table import parse_table
from poolwright.intake.workbook_guard import TooMuchError, check_xml_part
from tests.support.order_files import xlsx
from tests.support.pace import UNHURRIED
from tests.unit.intake.xlsx_bombs import MAIN, SHEET, TEXTS, refusal, refusal_and_peak_mb, sheet_of, workbook_with

LAUGHS = (
    b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]>'
)
OUTSIDE = b'<!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
ONE_ROW = b'<row r="1"><c r="A1" t="inlineStr"><is><t>PO</t></is></c></row>'
#: What refusing a bomb may cost: some pieces of a part, never the part.
PEAK_MB = 24.0


def test_a_part_of_blanks_is_refused_by_its_ratio_without_being_unpacked() -> None:
    bomb = workbook_with({SHEET: itertools.repeat(b" " * 1_000_000, 100)})

    assert len(bomb) < 1_000_000
    told, peak_mb = refusal_and_peak_mb(bomb)
    assert peak_mb < PEAK_MB
    assert "unpacks to more than 200 times its size" in told
    assert "as CSV" in told


def test_a_workbook_that_unpacks_to_too_much_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_guard, "UNPACKED_BYTES_MAX", 2 * 1024 * 1024)
    noise = random.Random(7).randbytes(1_000_000)

    assert "unpacks to more than 2 MB; split" in refusal(workbook_with({"xl/media/a.png": [noise, noise, noise]}))


def test_a_workbook_of_very_many_parts_is_refused_before_its_contents_are_listed() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for number in range(workbook_guard.PARTS_MAX + 1):
            packed.writestr(f"xl/{number}", b"")
    bomb = file.getvalue()

    told, peak_mb = refusal_and_peak_mb(bomb)
    assert "more than 10,000 parts" in told
    assert peak_mb < 1


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_way_of_packing_that_no_spreadsheet_program_has_is_refused(method: int) -> None:
    assert "is not packed in the format of spreadsheet programs" in refusal(workbook_with({}, method))


def test_a_size_that_is_a_lie_lets_nothing_grow() -> None:
    """The table of contents says 1,000 bytes, the part holds 60 MB: reading stops, and the sum does not fit."""
    bomb = bytearray(workbook_with({SHEET: sheet_of(itertools.repeat(b"<row/>" * 10_000, 1_000))}))
    with zipfile.ZipFile(io.BytesIO(bomb)) as packed:
        real = packed.getinfo(SHEET).file_size
    assert real > 60_000_000
    place = bomb.rindex(real.to_bytes(4, "little"))
    bomb[place : place + 4] = (1_000).to_bytes(4, "little")

    told, peak_mb = refusal_and_peak_mb(bytes(bomb))
    assert peak_mb < PEAK_MB
    assert "damaged" in told


@pytest.mark.parametrize(
    "name", [SHEET, TEXTS, "xl/workbook.xml", "xl/styles.xml", "[Content_Types].xml", "docProps/core.xml"]
)
@pytest.mark.parametrize("trick", [LAUGHS, OUTSIDE], ids=["laughs", "outside"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_part_with_a_document_type_is_refused(name: str, trick: bytes, encoding: str) -> None:
    text = trick.decode() + "<l>&d;</l>"

    assert "document type" in refusal(workbook_with({name: [text.encode(encoding)]}))


def test_a_sheet_of_too_many_cells_is_refused_before_any_of_them_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_guard, "CELLS_MAX", 100_000)
    bomb = workbook_with({SHEET: sheet_of(itertools.repeat(b"<row>" + b"<c><v>1</v></c>" * 100 + b"</row>", 1_500))})

    told, peak_mb = refusal_and_peak_mb(bomb)
    assert "more than 100,000 cells" in told
    assert peak_mb < PEAK_MB


def test_one_row_of_endless_cells_is_refused_before_any_of_them_is_made() -> None:
    noise = random.Random(7)
    cells = (b'<c s="%d"/>' % noise.randrange(10**9) for _ in range(170_000))
    bomb = workbook_with({SHEET: sheet_of(itertools.chain([b"<row>"], cells, [b"</row>"]))})

    told, peak_mb = refusal_and_peak_mb(bomb)
    assert "a row or a text of more than 163,840 tags" in told
    assert peak_mb < PEAK_MB


def test_tags_outside_the_rows_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_guard, "OTHERS_MAX", 50_000)
    noise = random.Random(7)
    links = b"".join(b'<hyperlink ref="A%d"/>' % noise.randrange(10**9) for _ in range(60_000))
    bomb = workbook_with({SHEET: sheet_of([ONE_ROW], after=b"<hyperlinks>" + links + b"</hyperlinks>")})

    told, peak_mb = refusal_and_peak_mb(bomb)
    assert "50,000 tags beside its rows" in told
    assert peak_mb < PEAK_MB


def test_shared_texts_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_guard, "CELLS_MAX", 1_000)

    texts = [f'<sst xmlns="{MAIN}">'.encode(), b"<si><t>a</t></si>" * 1_001, b"</sst>"]
    assert "1,000 texts" in refusal(workbook_with({TEXTS: texts}))


@pytest.mark.parametrize("where", [b"<worksheet>", b"<worksheet><sheetData><row>"])
def test_tags_within_tags_without_end_are_refused(where: bytes) -> None:
    with pytest.raises(TooMuchError, match="too deep"):
        check_xml_part([where, b"<a>" * 200])


@pytest.mark.parametrize("start", [b"<a>", b'<a b="', b"<!--", b"<a><![CDATA[", b"<?a "])
def test_a_text_without_end_is_refused_while_it_comes(start: bytes) -> None:
    with pytest.raises(TooMuchError, match="text of more than 1,000,000 characters"):
        check_xml_part(itertools.chain([start], itertools.repeat(b"x" * 1_000_000)))


def test_one_long_text_that_every_cell_shows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packed it stands once; in the journal it would stand in every row."""
    monkeypatch.setattr(grid, "CHARACTERS_MAX", 1_000_000)
    text = "x" * 10_000

    bomb = xlsx({"Orders": [["PO", "Note"], *([f"45000{number:05}", text] for number in range(200))]})
    assert "more than 1,000,000 characters" in refusal(bomb)


def test_a_far_column_in_every_row_is_refused_when_the_cells_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid, "CELLS_MAX", 1_000_000)
    rows = (b'<row r="%d"><c r="XFD%d"><v>1</v></c></row>' % (number, number) for number in range(1, 2_000))

    assert "more than 1,000,000 cells; split" in refusal(workbook_with({SHEET: sheet_of(rows)}))


def test_a_column_beyond_all_sheets_is_refused() -> None:
    bomb = workbook_with({SHEET: sheet_of([b'<row r="1"><c r="ZZZ1"><v>1</v></c></row>'])})

    assert "more than 16,384 columns in row 1; keep only" in refusal(bomb)


def test_a_row_far_below_is_refused_without_the_rows_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid, "ROWS_MAX", 50_000)
    bomb = workbook_with({SHEET: sheet_of([ONE_ROW, b'<row r="999999999999"><c><v>1</v></c></row>'])})

    told, peak_mb = refusal_and_peak_mb(bomb)
    assert "more than 50,000 rows" in told
    assert peak_mb < PEAK_MB


def test_names_of_parts_that_climb_out_reach_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    climbing = {"../../out.txt": [b"x"], "/tmp/out.txt": [b"x"], "xl/" + "a/" * 5_000 + "b": [b"x"], "..\\out": [b"x"]}

    assert parse_table(workbook_with(climbing), "orders.xlsx").rows[0].cells == ("4500012345",)
    assert list(tmp_path.rglob("*")) == [tmp_path / "below"]


def test_a_wide_row_does_not_widen_all_others_without_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid, "CELLS_MAX", 200_000)
    text = "PO" + "," * 9_999 + "x\n" + "4500012345,a\n" * 5_000

    told = refusal(text.encode(), "orders.csv")
    assert "5,000 rows and extends to column 10,000" in told
    assert "delete the cells far to the right" in told


def test_a_gigantic_line_is_refused_before_it_is_parted() -> None:
    content = b"PO,A\n" + b"," * (csv_reader.LINE_LENGTH_MAX + 1)

    told, peak_mb = refusal_and_peak_mb(content, "orders.csv")
    assert "a line of more than 4,000,000 characters" in told
    assert peak_mb < PEAK_MB


def test_a_million_columns_are_refused() -> None:
    assert "more than 16,384 columns in row 2" in refusal(b"PO,A\n" + b"," * 1_000_000, "orders.csv")


def test_a_gigantic_cell_is_refused() -> None:
    content = b'PO,A\n1,"' + b"x" * (grid.CELL_LENGTH_MAX + 1) + b'"\n'

    assert "a cell of more than 1,000,000 characters in row 2" in refusal(content, "orders.csv")


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
@pytest.mark.parametrize("first", [b"PO\n4500012345\n", "Größe\n".encode("cp1252")])
def test_endless_blank_lines_are_refused_before_they_are_cut(
    end: bytes, first: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines that were cut would be 60 MB."""
    monkeypatch.setattr(csv_reader, "LINES_MAX", 1_000_000)
    content = first + end * (csv_reader.LINES_MAX + 1)

    told, peak_mb = refusal_and_peak_mb(content, "orders.csv")
    assert "more than 1,000,000 lines" in told
    assert peak_mb < 2 * len(content) / 1024 / 1024 + PEAK_MB


def test_endless_cells_are_refused_while_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grid, "CELLS_MAX", 10_000)

    assert "more than 10,000 cells" in refusal(b"1,2,3,4\n" * 5_000, "orders.csv")
    assert "more than 10,000 cells" in refusal(b'1,2,3,4\n2,"a"b,c,d\n' * 5_000, "orders.csv")


@pytest.mark.parametrize("place", [0, 3, 500_000])
def test_zero_bytes_in_text_are_refused(place: int) -> None:
    content = bytearray(b"4500012345,Acme\n" * 50_000)
    content[place : place + 1] = b"\0"

    assert "zero bytes" in refusal(bytes(content), "orders.csv")


@UNHURRIED
@given(st.binary(max_size=400), st.integers(1, 50))
def test_any_bytes_are_walked_through_without_harm_in_any_pieces(content: bytes, size: int) -> None:
    pieces = (content[start : start + size] for start in range(0, len(content), size))

    with contextlib.suppress(TooMuchError):
        check_xml_part(pieces)


@UNHURRIED
@given(st.lists(st.integers(0, 40), max_size=30))
def test_the_count_of_cells_is_exact(widths: list[int]) -> None:
    total = sum(widths)

    def walk(limit: int) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(workbook_guard, "CELLS_MAX", limit)
            check_xml_part(sheet_of(b"<row>" + b"<c><v>1</v></c>" * width + b"</row>" for width in widths))

    walk(total)
    if total:
        with pytest.raises(TooMuchError):
            walk(total - 1)


@UNHURRIED
@given(st.lists(st.lists(st.text("aé€😀", max_size=5), max_size=4), max_size=6), st.data())
def test_what_fits_the_budget_comes_back_and_what_does_not_is_refused(
    rows: list[list[str]], data: st.DataObject
) -> None:
    cell_count, character_count = sum(map(len, rows)), sum(len(cell) for row in rows for cell in row)
    cells_max, characters_max = data.draw(st.integers(0, 30)), data.draw(st.integers(0, 120))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grid, "CELLS_MAX", cells_max)
        patch.setattr(grid, "CHARACTERS_MAX", characters_max)
        counted = grid.Budget("orders.csv")

        def spend() -> Iterator[tuple[str, ...]]:
            yield from map(counted.count, rows)

        if cell_count <= cells_max and character_count <= characters_max:
            assert [list(row) for row in spend()] == rows
        else:
            with pytest.raises(InputRefusedError, match=r"orders\.csv has more than"):
                list(spend())
