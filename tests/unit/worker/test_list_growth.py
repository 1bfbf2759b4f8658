"""Which lists are looked at again, and what they have added."""

from __future__ import annotations

import pytest

from poolwright.worker.page.page_content import PageContent, PageLink, ReadEnd
from poolwright.worker.processors.list_growth import added_links, is_clicked, may_grow, watch_time_s
from tests.support.raw_portal import raw_pack


def links(*addresses: str) -> list[PageLink]:
    return [PageLink(address=url, selector="a", index=number, names={}) for number, url in enumerate(addresses)]


def reading(*listed: PageLink) -> PageContent:
    return PageContent(url="https://p.test/order/1", end=ReadEnd.ARRIVED, links=list(listed))


def test_one_page_of_files_with_addresses_is_looked_at_again() -> None:
    assert may_grow(raw_pack(), reading(*links("https://p.test/1", "https://p.test/2")))


@pytest.mark.parametrize(
    "attachments",
    [
        '[attachments.next]\nclick = "a.next"\n',
        '[attachments.api]\nrequest = "/files"\ntemplate = "/{id}"\n',
    ],
)
def test_lists_that_are_not_all_on_the_page_are_not(attachments: str) -> None:
    assert not may_grow(raw_pack(attachments), reading(*links("https://p.test/1")))


def test_a_page_that_a_click_has_changed_or_without_files_is_not() -> None:
    in_frame = links("https://p.test/1")[0].model_copy(update={"frame": "https://other.test/"})

    assert not may_grow(raw_pack(), reading(*links("https://p.test/1", "")))
    assert not may_grow(raw_pack(), reading())
    assert not may_grow(raw_pack(), reading(in_frame))


def test_a_list_whose_files_need_a_click_is_looked_at_before_the_first_one() -> None:
    in_frame = links("https://p.test/1")[0].model_copy(update={"frame": "https://other.test/"})

    assert is_clicked(raw_pack(), reading(*links("https://p.test/1", "")))
    assert is_clicked(raw_pack(), reading(in_frame))
    assert not is_clicked(raw_pack(), reading(*links("https://p.test/1")))
    assert not is_clicked(raw_pack(), reading())


@pytest.mark.parametrize(
    "attachments",
    [
        '[attachments.next]\nclick = "a.next"\n',
        '[attachments.api]\nrequest = "/files"\ntemplate = "/{id}"\n',
    ],
)
def test_a_list_that_is_not_all_on_the_page_is_not_looked_at_before_a_click(attachments: str) -> None:
    assert not is_clicked(raw_pack(attachments), reading(*links("")))


@pytest.mark.parametrize(
    ("seen", "time_s"),
    [
        ({"is_scripted": True}, 2.0),
        ({"is_scripted": False}, 0.0),
        ({"is_scripted": True, "count": 1}, 0.0),
        ({"is_scripted": True, "count": 0}, 0.0),
    ],
)
def test_a_list_is_watched_where_scripts_may_add_to_it_and_nothing_counts_it(
    seen: dict[str, object], time_s: float
) -> None:
    page = reading(*links("https://p.test/1")).model_copy(update=seen)

    assert watch_time_s(raw_pack(), page) == time_s
    assert watch_time_s(raw_pack("\n[limits]\nwatch_s = 7\n", limits=""), page) == (7.0 if time_s else 0.0)


def test_what_a_list_has_added_is_what_was_not_there() -> None:
    before, after = links("https://p.test/1?t=a"), links("https://p.test/2?t=b", "https://p.test/1?t=b")

    assert [link.address for link in added_links(("t",), before, after)] == ["https://p.test/2?t=b"]
    assert added_links((), before, after) == after


def test_a_list_of_the_same_length_has_other_addresses_for_the_same_files() -> None:
    assert added_links((), links("https://p.test/1?t=a"), links("https://p.test/1?t=b")) == []
    assert added_links((), links("https://p.test/1", "https://p.test/2"), links("https://p.test/3")) == []
