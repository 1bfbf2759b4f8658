"""The demo's folder: emptied only where a demo made it, and read back from the disk."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import load_workbook

from poolwright.cli.demo_check import inspect_files, prepare_folder, write_order_list
from poolwright.demo.catalogue.catalogue import ListedOrder
from poolwright.domain.errors import OptionsError
from poolwright.domain.outcomes import Outcome
from poolwright.service.output_folder import DEMO_MARKER_NAME
from tests.support.archive_orders import fetched
from tests.support.events import ended


def test_a_new_folder_is_made_and_marked(tmp_path: Path) -> None:
    prepare_folder(tmp_path / "below/demo")

    assert [path.name for path in (tmp_path / "below/demo").iterdir()] == [DEMO_MARKER_NAME]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    prepare_folder(tmp_path)

    assert (tmp_path / DEMO_MARKER_NAME).is_file()


def test_what_an_earlier_demo_left_is_removed(tmp_path: Path) -> None:
    prepare_folder(tmp_path / "demo")
    (tmp_path / "demo/sub").mkdir()
    (tmp_path / "demo/sub/old.pdf").write_text("old")

    prepare_folder(tmp_path / "demo")

    assert [path.name for path in (tmp_path / "demo").iterdir()] == [DEMO_MARKER_NAME]


def test_what_no_demo_made_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("years of work")

    with pytest.raises(OptionsError, match="is not empty and was not created by a demo"):
        prepare_folder(tmp_path)

    assert (tmp_path / "thesis.docx").read_text() == "years of work"


def test_a_file_in_its_place_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "demo").write_text("mine")

    with pytest.raises(OptionsError):
        prepare_folder(tmp_path / "demo")

    assert (tmp_path / "demo").read_text() == "mine"


def test_the_list_is_a_workbook_with_a_header(tmp_path: Path) -> None:
    order = ListedOrder(number="4500000001", supplier="Ärmel & Söhne", company="1000", year="2026", comment="=1+1")

    write_order_list(tmp_path / "orders.xlsx", [order])

    rows = list(load_workbook(tmp_path / "orders.xlsx")["PO_Data"].iter_rows(values_only=True))
    assert rows[0] == ("PO_NUMBER", "Supplier", "Company", "Year", "Comment")
    assert rows[1][:2] == ("4500000001", "Ärmel & Söhne")


def test_files_are_read_from_the_disk_and_not_from_what_was_told(tmp_path: Path) -> None:
    folder = tmp_path / "Acme/PO4500001"
    folder.mkdir(parents=True)
    (folder / "offer.pdf").write_bytes(b"content")
    (folder / "manifest.json").write_text("{}")

    found = inspect_files(tmp_path, {"1": ended(1), "2": replace(ended(2), folder="")})

    assert found["1"].digests == {"Acme/PO4500001/offer.pdf": hashlib.sha256(b"content").hexdigest()}
    assert found["1"].outcome is Outcome.COMPLETED
    assert found["2"].digests == {}


def test_the_page_of_an_order_is_not_compared_with_the_files_of_the_portal(tmp_path: Path) -> None:
    folder = tmp_path / "Acme/PO4500001"
    folder.mkdir(parents=True)
    for name in ("order page.pdf", "offer.pdf"):
        (folder / name).write_bytes(b"content")
    event = ended(1)
    page = fetched("order page.pdf", b"content")

    found = inspect_files(tmp_path, {"1": replace(event, report=replace(event.report, page_evidence=page))})

    assert list(found["1"].digests) == ["Acme/PO4500001/offer.pdf"]
