"""When the list of attachments is read from JSON that the page got, by which rule, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from poolwright.learn.actions.json_lists import list_request, lists_files
from poolwright.learn.actions.listed_files import ListedFiles, listed_files, read_lists
from poolwright.learn.examples import SeenPage
from poolwright.learn.file_links import FileSelectors
from poolwright.learn.observations import ObservedPage
from poolwright.learn.page_tree import PageTree
from poolwright.portal.file_rules import FileListRequest

HOME = "https://portal.test"
LINKS = FileSelectors(links=("a.file",))
CLICKS = FileSelectors(clicks=("button.get",))


def entry(name: str, key: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    return {"id": key, "title": name, "size": 10, **more}


def link(name: str, key: int) -> str:
    return f'<li><a class="file" href="/files/{key}/get">{name}</a></li>'


def button(name: str, _: int) -> str:
    return f"<li><b>{name}</b><button class=get>Get</button></li>"


def order(
    entries: list[dict[str, Any]],
    shown: str,
    number: str = "1",
    *,
    attachments: tuple[str, ...] = ("A.pdf",),
    answers: tuple[tuple[str, object], ...] | None = None,
) -> SeenPage:
    page = ObservedPage.model_validate(
        {"file": f"{number}.html", "kind": "order", "number": number, "attachments": attachments}
    )
    made = ((f"{HOME}/api/po/{number}/files?v=2", {"data": {"files": entries}}),) if answers is None else answers
    return SeenPage(page=page, tree=PageTree(f"<ul>{shown}</ul>", f"{HOME}/po/{number}"), answers=made)


NAMES = (("A.pdf", 71), ("B.pdf", 72), ("C.pdf", 73))
ALL = [entry(name, key) for name, key in NAMES]
TWO = "".join(link(name, key) for name, key in NAMES[:2])
EMPTY = order([], "", "3", attachments=())


def learned(*orders: SeenPage, files: FileSelectors = LINKS, has_next: bool = False) -> ListedFiles:
    return listed_files(orders, files, has_next=has_next)


def test_a_response_with_more_files_than_the_page_shows_is_read_by_the_addresses_of_its_links() -> None:
    shown = [order(ALL, TWO), order(ALL[:1], link(*NAMES[0]), "2"), EMPTY]
    found = learned(*shown)

    assert found.rule is not None
    assert found.rule == FileListRequest(
        request=r"^/api/po/[^/?]+/files(?:\?|$)", items="data.files", template="/files/{id}/get", name="title"
    )
    assert found.counts == {"1.html": 3, "2.html": 1, "3.html": 0}
    (doubt,) = found.doubts
    told = "1.html: the portal lists 3 attachments for it, but its page shows 2; all are read from the response to"
    assert doubt == f"{told} {found.rule.request}."
    assert [read_lists(found.rule, one) for one in shown] == [
        [f"{HOME}/files/{key}/get" for _, key in NAMES],
        [f"{HOME}/files/71/get"],
        [],
    ]


def test_links_are_preferred_where_the_page_shows_all_files() -> None:
    whole = "".join(link(name, key) for name, key in NAMES)

    assert learned(order(ALL, whole), EMPTY) == ListedFiles(counts={})
    assert learned(order(ALL, TWO), EMPTY, has_next=True) == ListedFiles(counts={})
    assert learned(order(ALL, TWO, answers=()), EMPTY) == ListedFiles(counts={})


def test_an_address_in_the_entries_is_taken_where_the_page_has_none() -> None:
    listed = [entry(name, key, links={"self": f"/api/file/{key}", "content": f"/f/{key}"}) for name, key in NAMES]
    shown = "".join(button(name, key) for name, key in NAMES)
    found = learned(order(listed, shown), EMPTY, files=CLICKS)

    assert found.rule is not None
    assert found.rule.template == "{links.content:raw}"
    assert "no link of the pages shows that it is the file" in found.doubts[0]


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"links": {"self": "/api/file/1"}},
        {"preview_url": "/p/1"},
        {"url": "/a/1", "download": "/b/1"},
        {"url": "no address"},
    ],
    ids=["none", "self", "preview", "two", "text"],
)
def test_without_one_address_of_a_file_in_the_entries_the_buttons_are_clicked(more: dict[str, Any]) -> None:
    shown = button(*NAMES[0])

    assert learned(order([entry("A.pdf", 1, **more)], shown), EMPTY, files=CLICKS) == ListedFiles(counts={})


def test_a_whole_value_is_the_address_before_parts_of_it() -> None:
    listed = [entry(name, key, place=f"/files/{key}/get") for name, key in NAMES]
    found = learned(order(listed, TWO), EMPTY)

    assert found.rule is not None
    assert found.rule.template == "{place:raw}"


def refused(*orders: SeenPage) -> str:
    found = learned(*orders)
    assert found.rule is None
    assert found.counts == {}
    (doubt,) = found.doubts
    start, end = (
        "1.html: the portal lists 3 attachments for it, but its page shows 2, and ",
        ": the others are not brought.",
    )
    assert doubt.startswith(start)
    assert doubt.endswith(end)
    return doubt.removeprefix(start).removesuffix(end)


def test_what_would_not_read_every_order_is_refused_in_words() -> None:
    first = order(ALL, TWO)
    other = order(ALL[:1], link(*NAMES[0]), "2", answers=((f"{HOME}/other", {"data": {"files": ALL[:1]}}),))
    nothing = order([], "", "3", attachments=(), answers=())
    odd = order([], "", "3", attachments=(), answers=((f"{HOME}/api/po/3/files", {"data": {}}),))
    with_others = order([], "", "3", attachments=(), answers=((f"{HOME}/api/po/3/files", {"data": {"files": ALL}}),))
    unlike = order(ALL, TWO.replace("/72/", "/99/"))

    assert refused(first, other) == "the responses of the orders are not alike"
    assert (
        refused(first, order(ALL, link(*NAMES[0]), "2", answers=()))
        == "the response for another order has no such list"
    )
    assert refused(first, nothing) == "the response for 3.html has no such list"
    assert refused(first, odd) == "the response for 3.html has no such list"
    assert refused(first, with_others) == "the responses for 3.html list others too"
    assert refused(unlike, EMPTY) == "nothing in the response says where they are"
    twice = order([*ALL[:2], entry("A.pdf", 74)], TWO)
    assert refused(twice, EMPTY) == "nothing in the response says where they are"


def with_keys(query: str, **around: object) -> tuple[SeenPage, SeenPage]:
    answers = ((f"{HOME}/api/po/1/files{query}", {"data": {"files": ALL}, **around}),)
    return order(ALL, TWO, answers=answers), EMPTY


@pytest.mark.parametrize(
    "around", [{"total": 4}, {"count": 9}, {"meta": {"totalCount": 4}}, {"paging": {"total_items": 5, "x": []}}]
)
def test_a_response_that_counts_more_than_it_lists_is_refused(around: dict[str, object]) -> None:
    assert refused(*with_keys("", **around)) == "the response itself lists a part of what it counts"


@pytest.mark.parametrize(
    ("query", "around", "keys"),
    [
        ("", {"total": 3}, "total"),
        ("", {"next": None}, "next"),
        ("", {"links": {"nextPage": "/x"}}, "nextPage"),
        ("?limit=50&v=1", {}, "limit"),
        ("", {"meta": {"page": 1, "has_more": False}}, "page, has_more"),
    ],
)
def test_a_response_that_speaks_of_parts_is_read_and_told(query: str, around: dict[str, object], keys: str) -> None:
    found = learned(*with_keys(query, **around))

    assert found.rule is not None
    assert f"speaks of parts ({keys}): of long lists it may have the first part only" in found.doubts[-1]


@pytest.mark.parametrize("around", [{"account": 9, "next_step": "x"}, {"user": {"id": 9}}, {"files": [{"total": 9}]}])
def test_other_keys_do_not_speak_of_parts(around: dict[str, object]) -> None:
    found = learned(*with_keys("?v=1", **around))

    assert found.rule is not None
    assert len(found.doubts) == 1


def test_all_responses_of_the_request_must_be_such_lists() -> None:
    answers = (
        (f"{HOME}/api/po/1/files", {"data": {"files": ALL}}),
        (f"{HOME}/api/po/1/files", {"error": "busy"}),
    )

    assert refused(order(ALL, TWO, answers=answers), EMPTY) == "the response for 1.html has no such list"


@pytest.mark.parametrize(
    ("address", "page", "request_rule"),
    [
        ("/api/po/45/files", "/po/45", r"^/api/po/[^/?]+/files(?:\?|$)"),
        ("/api/po/a7/files?x=1", "/po/a7?tab=2", r"^/api/po/[^/?]+/files(?:\?|$)"),
        ("/api/a7", "/app#/po/a7", r"^/api/[^/?]+(?:\?|$)"),
        ("/api/files?kind=x&po=45", "/po/45", r"^/api/files\?(?:.*&)?po="),
        ("/api/files?key=a7", "/po/a7", r"^/api/files\?(?:.*&)?key="),
        ("/api/po-45/files?po=45", "/po/45", r"^/api/po\-[^/?]+/files(?:\?|$)"),
        ("/api/files", "/po/45", r"^/api/files(?:\?|$)"),
        ("/api/files?kind=po", "/po/45", r"^/api/files(?:\?|$)"),
        ("/api/po(45)", "/po/45", r"^/api/po\([^/?]+\)(?:\?|$)"),
    ],
)
def test_a_request_is_the_same_for_any_order(address: str, page: str, request_rule: str) -> None:
    assert list_request(f"{HOME}{address}", " 45 ", f"{HOME}{page}") == request_rule


def test_a_response_is_one_of_the_list_if_it_names_what_was_clicked() -> None:
    shown = order([], TWO)

    assert lists_files(shown, {"a": [{"b": {"c": "a.PDF"}}]})
    assert lists_files(order([], button("A.pdf", 1)), ["A.pdf"])
    assert not lists_files(shown, {"A.pdf": 1, "a": ["A.pdf.html", 2, None]})
