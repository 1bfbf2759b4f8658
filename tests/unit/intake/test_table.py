"""A file becomes a table, nothing of it lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from poolwright.intake import table as sheet_module
from poolwright.intake.errors import InputRefusedError
from poolwright.intake.table import Table, column_position, parse_table, read_table
from tests.support.order_files import csv_text, xlsx

TABLE = [["PO Number", "Supplier"], ["4500012345", "Acme"], ["4500012346", "Müller"]]


def parsed(text: str) -> Table:
    return parse_table(text.encode(), "orders.csv")


@pytest.mark.parametrize(
    "content",
    [
        csv_text(TABLE).encode(),
        csv_text(TABLE, ";").encode("cp1252"),
        csv_text(TABLE, "\t").encode("utf-16"),
        csv_text(TABLE, "|").encode("utf-8-sig"),
        xlsx({"Orders": TABLE}),
    ],
    ids=["comma", "semicolon", "tab", "pipe", "xlsx"],
)
def test_every_kind_of_file_gives_the_same_table(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "orders.dat"
    path.write_bytes(content)

    sheet = read_table(path)

    assert sheet.source == "orders.dat"
    assert sheet.columns == tuple(TABLE[0])
    assert [list(row.cells) for row in sheet.rows] == TABLE[1:]
    assert [row.row_no for row in sheet.rows] == [2, 3]
    assert sheet.has_header


def test_names_stay_as_they_were_given() -> None:
    assert parsed("PO#,PO Status, Value# ,PO Status,\n1,a,b,c,d\n").columns == (
        "PO#",
        "PO Status",
        " Value# ",
        "PO Status",
        "",
    )


def test_short_rows_are_filled_up_and_long_ones_get_columns() -> None:
    sheet = parsed("PO,A,B\n1001\n1002,a,b,c,,e\n")

    assert sheet.columns == ("PO", "A", "B", "#4", "#5", "#6")
    assert [row.cells for row in sheet.rows] == [("1001", "", "", "", "", ""), ("1002", "a", "b", "c", "", "e")]


def test_delimiters_at_the_end_of_rows_make_no_columns() -> None:
    sheet = parsed("PO,A,,,\n1001,a,,,\n1002,b,,,\n")

    assert sheet.columns == ("PO", "A")
    assert sheet.rows[0].cells == ("1001", "a")


def test_columns_without_a_header_are_named_by_position() -> None:
    sheet = parsed("PO001,IC101,50\nPO002,IC102,20\n")

    assert sheet.columns == ("#1", "#2", "#3")
    assert not sheet.has_header
    assert [row.row_no for row in sheet.rows] == [1, 2]


def test_a_told_column_helps_to_find_the_header_and_a_position_does_not() -> None:
    content = b"Vorgang,2024\n1001,5\n1002,6\n"

    assert parse_table(content, "orders.csv", column="Vorgang").has_header
    assert not parse_table(content, "orders.csv", column="#1").has_header


def test_every_step_adds_its_notices() -> None:
    content = 'Offene Bestellungen\r\nBestellnummer;Lieferant\r\n1001;Müller\r\n1002;"x\r\n1003;y\r\n'.encode("cp1252")
    notices = parse_table(content, "orders.csv", sheet_name="Mai").notices

    for part in ("cp1252", "no sheets", "Unpaired quotation marks", "Row 1 is above"):
        assert any(part in notice for notice in notices), part


@pytest.mark.parametrize(("name", "position"), [("#3", 3), (" #12 ", 12), ("PO#", None), ("#", None), ("3", None)])
def test_a_position_is_a_number_behind_its_sign(name: str, position: int | None) -> None:
    assert column_position(name) == position


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefusedError, match=r"There is no file .*orders\.csv; check"):
        read_table(tmp_path / "orders.csv")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefusedError, match="is a folder"):
        read_table(tmp_path)


def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "orders.csv"
    path.touch()

    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)

    with pytest.raises(InputRefusedError, match=r"orders\.csv cannot be read \(Permission denied\)"):
        read_table(path)


def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefusedError, match="cannot be read"):
        read_table(tmp_path / ("x" * 5000))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_file_without_end_is_refused_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet_module, "CONTENT_BYTES_MAX", 1000)
    monkeypatch.setattr("poolwright.intake.content_kind.CONTENT_BYTES_MAX", 1000)

    with pytest.raises(InputRefusedError, match="larger than"):
        read_table(Path("/dev/zero"))


def test_a_header_alone_is_refused() -> None:
    with pytest.raises(InputRefusedError, match=r"orders\.csv has a header but no rows"):
        parsed("PO Number,Supplier\n")


@pytest.mark.parametrize("text", [" , ,\n,,\n", '""\n', "\N{NO-BREAK SPACE}\n"])
def test_rows_without_any_value_are_no_list(text: str) -> None:
    with pytest.raises(InputRefusedError, match=r"orders\.csv is empty"):
        parsed(text)
