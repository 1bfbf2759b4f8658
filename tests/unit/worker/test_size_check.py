"""The size that a page or a response states for a file."""

from __future__ import annotations

import pytest

from poolwright.worker.download.size_check import check_size
from poolwright.worker.page.page_content import PageLink


def link(size: str = "", **names: str) -> PageLink:
    return PageLink(address="", selector="a", index=0, names=names, size=size)


def test_a_place_of_the_pack_is_believed() -> None:
    wrong = check_size(link("12 KB", text="a.pdf (135 bytes)"), "a.pdf", 135)

    assert wrong.problem == "a.pdf has 135 bytes, but the portal states 12 KB."
    assert wrong.note == ""
    assert check_size(link("135"), "a.pdf", 135).problem == ""
    assert check_size(link("136"), "a.pdf", 135).problem != ""


@pytest.mark.parametrize("source", ["text", "title", "aria-label"])
def test_a_size_beside_a_name_gives_a_note(source: str) -> None:
    names = {source: "a.pdf (12 KB)"}
    wrong = check_size(link(**names), "a.pdf", 135)

    assert wrong.problem == ""
    assert wrong.note == "a.pdf has 135 bytes, but the portal states 12 KB: check whether it is the file."
    assert check_size(link(**names), "a.pdf", 12_100).note == ""


def test_the_text_counts_where_the_place_states_no_size() -> None:
    assert check_size(link("unknown", text="a.pdf (12 KB)"), "a.pdf", 135).note != ""
    assert check_size(link("unknown"), "a.pdf", 135).note == ""


def test_other_texts_of_a_link_state_no_size() -> None:
    assert check_size(link(address="a.pdf 12 KB", download="a 12 KB"), "a.pdf", 135).note == ""
