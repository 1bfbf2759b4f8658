"""Several pages of a list are one list, with each file once."""

from __future__ import annotations

import pytest

from poolwright.worker.page.list_reader import are_alike, merge_pages
from poolwright.worker.page.page_content import PageContent, PageLink, ReadEnd


def link(address: str = "", text: str = "", index: int = 0, row: str = "") -> PageLink:
    """A link of a page."""
    return PageLink(address=address, selector="a", index=index, names={"text": text}, row=row)


def page(*links: PageLink, count: int | None = None, end: ReadEnd = ReadEnd.ARRIVED) -> PageContent:
    """One page of a list."""
    return PageContent(url="https://portal.test/", end=end, links=list(links), count=count, is_settled=True)


def shown(content: PageContent) -> list[tuple[str, int]]:
    """The name of each file, and the page of the list that shows it."""
    return [(one.address or one.names["text"], one.list_page) for one in content.links]


A, B, C = link("/a"), link("/b"), link("/c")
X, Y, Z = link(text="x"), link(text="y", index=1), link(text="z", index=2)


@pytest.mark.parametrize("is_scrolled", [False, True])
def test_a_file_with_an_address_is_the_same_on_every_page(*, is_scrolled: bool) -> None:
    merged = merge_pages([page(A, B), page(B, C), page(A)], is_scrolled=is_scrolled)

    assert shown(merged) == [("/a", 1), ("/b", 1), ("/c", 2)]
    assert (merged.link_count, merged.list_page) == (3, 3)


def test_buttons_of_further_pages_are_further_files() -> None:
    assert shown(merge_pages([page(X, Y), page(Y, X)], is_scrolled=False)) == [("x", 1), ("y", 1), ("y", 2), ("x", 2)]


@pytest.mark.parametrize("is_scrolled", [False, True])
def test_buttons_of_a_list_that_grew_are_found_on_its_last_page(*, is_scrolled: bool) -> None:
    merged = merge_pages([page(X), page(X, Y), page(X, Y, Z)], is_scrolled=is_scrolled)

    assert shown(merged) == [("x", 3), ("y", 3), ("z", 3)]


def test_buttons_of_a_list_that_grew_may_look_the_same() -> None:
    assert shown(merge_pages([page(X), page(X, X)], is_scrolled=True)) == [("x", 2), ("x", 2)]


def test_buttons_that_stay_while_others_are_removed_are_the_same() -> None:
    merged = merge_pages([page(X, Y), page(Y, Z)], is_scrolled=True)

    assert shown(merged) == [("x", 1), ("y", 1), ("z", 2)]


def test_a_late_page_makes_the_list_late_and_the_highest_count_holds() -> None:
    merged = merge_pages([page(A, count=2), page(B, count=1, end=ReadEnd.LATE), page(C)], is_scrolled=False)

    assert (merged.end, merged.count, merged.is_settled) == (ReadEnd.LATE, 2, True)


@pytest.mark.parametrize(
    ("pages", "is_so"),
    [
        ([page(A, A), page(A)], False),
        ([page(X, X)], False),
        ([page(X, Y), page(Y, Z)], False),
        ([page(X, X), page(Y)], True),
        ([page(X), page(Y, Y)], True),
        ([page(X), page(Y), page(X)], True),
        ([page(link(text="x", row="1"), link(text="x", row="2")), page(link(text="x", row="3"))], False),
    ],
)
def test_buttons_that_cannot_be_told_apart_are_seen(pages: list[PageContent], *, is_so: bool) -> None:
    assert are_alike(pages) == is_so
