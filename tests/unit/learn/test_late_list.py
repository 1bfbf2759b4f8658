"""What shows that a list which arrives in parts is whole, and what is said where nothing does."""

from __future__ import annotations

import pytest

from poolwright.learn.actions.late_list import LateList, late_list, shows_part
from poolwright.learn.examples import SeenPage
from poolwright.learn.file_links import FileSelectors
from poolwright.learn.observations import ObservedPage
from poolwright.learn.page_tree import PageTree

FILES = FileSelectors(links=("a.file",))


def seen(count: int, around: str = "{}", number: str = "1", kind: str = "order") -> SeenPage:
    names = [f"{place}.pdf" for place in range(1, count + 1)]
    links = "".join(f'<li><a class="file" href="/f/{number}/{name}">{name}</a></li>' for name in names)
    attachments = names[:1] if kind == "order" else []
    page = ObservedPage.model_validate(
        {"file": f"{kind}-{number}.html", "kind": kind, "number": number, "attachments": attachments}
    )
    return SeenPage(page=page, tree=PageTree(around.format(f"<ul>{links}</ul>"), f"https://portal.test/{number}"))


WHOLE, ARRIVING = "<main class='box loaded'>{}</main>", "<main class='box'>{}</main>"


def test_a_name_that_only_whole_lists_have_is_the_sign() -> None:
    found = late_list([seen(3, WHOLE), seen(0, WHOLE, "2")], [seen(1, ARRIVING, kind="loading")], FILES)

    assert found.settled == "main.loaded"
    assert found.doubts == (
        "loading-1.html: the list of order 1 arrives in parts; it counts as whole once main.loaded is there.",
    )


@pytest.mark.parametrize(
    ("whole", "arriving", "settled"),
    [
        ("<ul aria-busy=false></ul>{}", "<ul aria-busy=true></ul>{}", "[aria-busy='false']"),
        ("{}<p id=end>All shown</p>", "{}", "#end"),
        ("{}<p id=end>All</p>", "{}<p id=end hidden>All</p>", ""),
        ("<section>{}</section>", "{}", "section"),
        ("<p class='a1 x'>{}</p>", "<p>{}</p>", ""),
    ],
)
def test_other_signs(whole: str, arriving: str, settled: str) -> None:
    orders = [seen(3, whole), seen(0, whole, "2")]

    assert late_list(orders, [seen(1, arriving, kind="loading")], FILES).settled == settled


def test_what_an_empty_list_lacks_or_an_arriving_one_has_is_no_sign() -> None:
    told = "loading-1.html: the list of order 1 arrives in parts, and no element shows when it is whole"
    part = seen(1, ARRIVING, kind="loading")

    assert late_list([seen(3, WHOLE), seen(0, ARRIVING, "2")], [part], FILES).doubts[0].startswith(told)
    assert late_list([seen(3, ARRIVING), seen(0, ARRIVING, "2")], [part], FILES).settled == ""
    # Every state counts that was seen, one without any file too.
    before = seen(0, WHOLE, kind="loading")
    assert late_list([seen(3, WHOLE), seen(0, WHOLE, "2")], [part, before], FILES).settled == ""


def test_without_an_order_that_has_none_the_sign_could_be_of_a_file() -> None:
    found = late_list([seen(3, WHOLE)], [seen(1, ARRIVING, kind="loading")], FILES)

    assert found.settled == ""
    assert "no order without attachments was shown" in found.doubts[0]


@pytest.mark.parametrize(("count", "number"), [(0, "1"), (3, "1"), (1, "7")], ids=["none", "all", "other order"])
def test_only_a_part_of_the_list_of_the_same_order_shows_that_it_comes_late(count: int, number: str) -> None:
    loading = seen(count, ARRIVING, number, kind="loading")

    assert late_list([seen(3, WHOLE), seen(0, WHOLE, "2")], [loading], FILES) == LateList()


@pytest.mark.parametrize(("count", "is_part"), [(0, False), (1, True), (2, True), (3, False)])
def test_a_state_with_some_of_the_files_is_a_part(count: int, *, is_part: bool) -> None:
    assert shows_part(seen(3), seen(count).tree) is is_part


def test_elements_that_lead_elsewhere_are_no_part() -> None:
    assert not shows_part(seen(3), seen(2, number="2").tree)
