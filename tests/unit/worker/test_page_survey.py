"""The matches of all parts of a page are added up, and a link is named as a run names its file."""

from __future__ import annotations

import pytest

from poolwright.portal.examination.pack_selectors import PackSelector
from poolwright.portal.pack import NameSource
from poolwright.worker.examination.page_survey import name_link
from poolwright.worker.page.page_content import PageLink
from poolwright.worker.page.selector_matches import Matches, add_matches

SOURCES = (NameSource.DISPOSITION, NameSource.TEXT, NameSource.TITLE, NameSource.ADDRESS)


def link(address: str = "", **names: str) -> PageLink:
    """A link of a page."""
    return PageLink(address=address, selector="a.att", index=0, names=names)


@pytest.mark.parametrize(
    ("one", "name", "source"),
    [
        (link(text="Offer.pdf"), "Offer.pdf", "text"),
        (link(text="Download", title="Offer.pdf"), "Offer.pdf", "title"),
        (link("https://portal.test/f/Offer.pdf", text="Download"), "Offer.pdf", "address"),
        (link(), "attachment", ""),
    ],
)
def test_a_link_has_the_name_and_the_source_that_a_run_takes(one: PageLink, name: str, source: str) -> None:
    found = name_link(SOURCES, one)

    assert (found.name, found.source) == (name, source)


def test_matches_of_frames_are_added_to_those_of_the_page() -> None:
    selectors = (PackSelector(key="attachments.links", selector="a"), PackSelector(key="x.within", selector="b"))
    page = [Matches(selector="a", count=2, shown_count=1, texts=("one", "two"))]
    frame = [Matches(selector="a", count=3, shown_count=3, texts=("three", "four"), problem="odd")]

    links, within = add_matches(selectors, [page, frame])

    assert (links.count, links.shown_count, links.texts, links.problem) == (5, 4, ("one", "two", "three"), "odd")
    assert (within.key, within.count, within.texts) == ("x.within", 0, ())
