"""What must be clicked before the list of an order is there, by what a person clicked on the pages that were shown."""

from __future__ import annotations

import pytest

from poolwright.learn.actions.list_opening import OpeningClick, list_opening
from poolwright.learn.examples import SeenPage
from poolwright.learn.observations import ObservedPage, ShownKind
from poolwright.learn.page_tree import CLICKED_MARK, OPENED_MARK, PageTree

MENU = "<button id=clip {opened}><img {inner}></button><button id=note></button><ul class=menu {hidden}>{rows}</ul>"
FILE = f"<li><a {CLICKED_MARK}>a.pdf</a></li>"


def order(number: str, source: str, *, files: bool = True) -> SeenPage:
    attachments = ("a.pdf",) if files else ()
    page = ObservedPage(file=f"{number}.html", kind=ShownKind.ORDER, number=number, attachments=attachments)
    return SeenPage(page=page, tree=PageTree(source, f"https://portal.test/po/{number}"))


def menu(opened: str = "", inner: str = "", rows: str = FILE, hidden: str = "") -> str:
    return MENU.format(opened=opened, inner=inner, rows=rows, hidden=hidden)


def test_what_was_clicked_on_each_order_is_clicked_until_the_list_is_seen() -> None:
    first = order("1", menu(inner=f"{OPENED_MARK}=0"))
    second = order("2", menu(opened=f"{OPENED_MARK}=0"))
    without = order("3", menu(rows="<li>Add</li>"), files=False)

    found = list_opening([first, second, without])

    assert (found.clicks, found.doubts) == ((OpeningClick(click="#clip", until="li"),), ())


def test_nothing_is_waited_for_that_an_order_without_files_does_not_show() -> None:
    closed = order("3", menu(rows="<li>Add</li>", hidden="hidden"), files=False)

    found = list_opening([order("1", menu(inner=f"{OPENED_MARK}=0")), closed])

    assert found.clicks == (OpeningClick(click="#clip"),)


def test_several_clicks_are_made_in_their_order() -> None:
    tabs = f"<b id=late {OPENED_MARK}=1 onclick=x()></b><b id=early {OPENED_MARK}=0 onclick=x()></b>{menu()}"

    clicks = list_opening([order("1", tabs)]).clicks

    assert [(one.click, one.until) for one in clicks] == [("#early", ""), ("#late", "li")]


@pytest.mark.parametrize("source", [menu(), "<p>a.pdf</p>"])
def test_a_list_that_was_there_is_opened_by_nothing(source: str) -> None:
    assert list_opening([order("1", source)]) == list_opening([])


def test_orders_whose_lists_were_opened_in_different_ways_are_told() -> None:
    found = list_opening([order("1", menu(inner=f"{OPENED_MARK}=0")), order("2", menu())])

    assert found.clicks == ()
    assert found.doubts[0].startswith("2.html: its list was opened by other clicks than that of another order")


def test_what_another_order_does_not_have_is_told() -> None:
    found = list_opening([order("1", menu(inner=f"{OPENED_MARK}=0")), order("3", "<p>Nothing</p>", files=False)])

    assert found.clicks == ()
    assert found.doubts == ("1.html: no selector finds on each order what was clicked to open the list.",)
