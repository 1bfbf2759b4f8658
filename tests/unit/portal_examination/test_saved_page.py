"""What must be found on a saved page is compared with what was found; mistakes in its files are sentences."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.domain.errors import OptionsError
from poolwright.portal.examination.saved_page import (
    EXPECTED_NAME,
    FACTS_NAME,
    ExpectedPage,
    SavedPage,
    differences,
    find_saved_pages,
    read_expected,
    read_saved_page,
    write_expected,
)
from poolwright.portal.triage import Verdict
from tests.unit.portal_examination.packs import BASE, examination_of


def saved(**changes: object) -> SavedPage:
    """A saved page."""
    page = SavedPage(
        pack="tiny",
        base_url=BASE,
        number="1000",
        portal_number="1000",
        url=f"{BASE}/order/1000",
        examination=examination_of("a.pdf"),
    )
    return page.model_copy(update=changes)


def test_what_was_found_is_what_is_expected() -> None:
    found = examination_of("a.pdf", "a.pdf", "b.pdf", supplier="Acme")

    assert differences(ExpectedPage.from_examination(found), found) == ()


@pytest.mark.parametrize(
    ("expected", "sentence"),
    [
        (ExpectedPage(verdict=Verdict.NOT_FOUND, files=("a.pdf",)), "The verdict is ready, not not_found: because."),
        (ExpectedPage(verdict=Verdict.READY, files=("a.pdf", "b.pdf")), "Files that are not found: b.pdf."),
        (ExpectedPage(verdict=Verdict.READY, files=("a.pdf", "a.pdf")), "Files that are not found: a.pdf."),
        (ExpectedPage(verdict=Verdict.READY), "Files that are not expected: a.pdf."),
        (
            ExpectedPage(verdict=Verdict.READY, files=("a.pdf",), fields={"supplier": "Acme"}),
            "The field supplier is '', not 'Acme'.",
        ),
        (
            ExpectedPage(verdict=Verdict.READY, files=("a.pdf",), is_complete=False),
            "The list of attachments counts as complete, and should not.",
        ),
    ],
    ids=str,
)
def test_each_difference_is_a_sentence(expected: ExpectedPage, sentence: str) -> None:
    assert differences(expected, examination_of("a.pdf")) == (sentence,)


def test_a_list_that_became_unsure_is_a_difference() -> None:
    found = examination_of("a.pdf", doubt="It did not arrive.")

    assert differences(ExpectedPage(verdict=Verdict.READY, files=("a.pdf",)), found) == (
        "The list of attachments is not sure: It did not arrive.",
    )


def test_the_order_of_files_does_not_matter() -> None:
    assert differences(ExpectedPage(verdict=Verdict.READY, files=("b", "a")), examination_of("a", "b")) == ()


def test_an_expectation_is_read_as_it_was_written(tmp_path: Path) -> None:
    expected = ExpectedPage.from_examination(examination_of('q"uote.pdf', "Größe.pdf", supplier="Acme"))

    write_expected(tmp_path, expected)

    assert read_expected(tmp_path) == expected


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("verdict = 'redy'", "verdict"),
        ("verdict = 'ready'\nfile = ['a']", "file: Extra inputs"),
        ("verdict =", "Invalid value"),
        (None, "No such file"),
    ],
)
def test_a_mistake_in_an_expectation_is_told(tmp_path: Path, text: str | None, part: str) -> None:
    if text is not None:
        (tmp_path / EXPECTED_NAME).write_text(text)

    with pytest.raises(OptionsError, match=part):
        read_expected(tmp_path)


def test_a_saved_page_is_read_as_it_was_written(tmp_path: Path) -> None:
    (tmp_path / FACTS_NAME).write_text(saved().model_dump_json())

    assert read_saved_page(tmp_path) == saved()


@pytest.mark.parametrize("text", ["", "{}", "[1]", "{", saved(format_version=99).model_dump_json()])
def test_a_file_that_is_no_saved_page_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / FACTS_NAME).write_text(text)

    with pytest.raises(OptionsError, match=r"page\.json"):
        read_saved_page(tmp_path)


def test_pages_are_found_in_their_folders(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        (tmp_path / name / FACTS_NAME).write_text("{}")
    (tmp_path / "c").mkdir()

    assert find_saved_pages(tmp_path) == (tmp_path / "a", tmp_path / "b")
    assert find_saved_pages(tmp_path / "a") == (tmp_path / "a",)
    with pytest.raises(OptionsError, match="no saved pages"):
        find_saved_pages(tmp_path / "c")
