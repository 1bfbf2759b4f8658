"""The rules of the learner one by one: numbers, words, selectors, trees."""

from __future__ import annotations

import re

import lxml.html
import pytest
from cssselect import SelectorError

from poolwright.learn.examples import SeenPage, row_of
from poolwright.learn.list_signs import generalised_request, number_in, says_none
from poolwright.learn.observations import ObservationError, ObservedPage, ShownKind
from poolwright.learn.order_numbers import number_pattern, order_address
from poolwright.learn.page_marks import fixed_text
from poolwright.learn.page_tree import PageTree, is_shown, saved_address, text_of
from poolwright.learn.selectors import POSITION_COST, candidates, href_parts, is_stable


def tree(body: str) -> PageTree:
    return PageTree(f"<html><body>{body}</body></html>", "https://portal.test/a/b?c=d")


@pytest.mark.parametrize(
    ("numbers", "right", "wrong"),
    [
        (["4500010001"], ["4500010001", "450001000", "4500010001234"], ["45", "PO4500010001", ""]),
        (["PO-1", "PO-22"], ["PO-1", "PO-12345"], ["RQ-1", "1"]),
        (["A1", "B22"], ["C3"], ["33", "AB"]),
        (["12", "A-3"], ["34", "A-5"], ["B", "A5"]),
        (["8015g00000XyzAB", "a0B5g00000XyzAB"], ["8015g00000AbcDE"], ["8015", "8015g00000-AbcDE"]),
        (["12/34"], ["56/7"], ["1234"]),
    ],
)
def test_a_pattern_takes_numbers_of_the_same_kind(numbers: list[str], right: list[str], wrong: list[str]) -> None:
    pattern = number_pattern(numbers)

    assert all(re.fullmatch(pattern, number) for number in [*numbers, *right])
    assert not any(re.fullmatch(pattern, number) for number in wrong)


def order_at(address: str, number: str) -> SeenPage:
    """A page of an order at an address."""
    page = ObservedPage(file="order.html", kind=ShownKind.ORDER, number=number)
    return SeenPage(page=page, tree=PageTree("<p>Order</p>", f"https://portal.test{address}"))


@pytest.mark.parametrize(
    ("address", "number", "order"),
    [
        ("/po/12", "12", "/po/{number}"),
        ("/app#/po/12?tab=2", "12", "/app#/po/{number}?tab=2"),
        ("/#po;find=%5B%22number%22%2C%22PO12%22%5D&v=1", "PO12", "/#po;find=%5B%22number%22%2C%22{number}%22%5D&v=1"),
        ("/#po;find=%5b%2212%22%5d", "12", "/#po;find=%5b%22{number}%22%5d"),
        ("/po/PO%2D12", "PO%2D12", "/po/{number}"),
    ],
)
def test_a_number_is_found_in_an_address_also_between_encoded_signs(address: str, number: str, order: str) -> None:
    assert order_address([order_at(address, number)], []).order == order


@pytest.mark.parametrize(
    ("first", "second", "order"),
    [
        ("/po/12#files", "/po/34", "/po/{number}"),
        ("/po/12", "/po/34#no1", "/po/{number}"),
        ("/po/12#files", "/po/34#files", "/po/{number}#files"),
        ("/#po/12", "/#po/34", "/#po/{number}"),
    ],
)
def test_a_link_to_a_part_of_the_page_does_not_tell_addresses_apart(first: str, second: str, order: str) -> None:
    assert order_address([order_at(first, "12"), order_at(second, "34")], []).order == order


@pytest.mark.parametrize("route", ["#/files", "#!/files"])
def test_another_route_is_another_page(route: str) -> None:
    with pytest.raises(ObservationError, match="different kinds of addresses"):
        order_address([order_at(f"/po/12{route}", "12"), order_at("/po/34", "34")], [])


@pytest.mark.parametrize("address", ["/po/312", "/po/a312", "/po/123", "/po/12a", "/po/1", "/po?q=%2Z312"])
def test_a_part_of_another_word_is_no_number(address: str) -> None:
    with pytest.raises(ObservationError, match="does not contain the number 12"):
        order_address([order_at(address, "12")], [])


@pytest.mark.parametrize("word", ["attachment", "file-list", "po_view", "order_header_supplier", "btn2", "doc"])
def test_words_that_a_person_chose_stay(word: str) -> None:
    assert is_stable(word)


@pytest.mark.parametrize(
    "word",
    ["css-1q2w3e", "sc-bdVaJa", "jss12", "ember123", "row45", "Button_root__3xK9z", "active", "odd", "a", "x9y8z7"],
)
def test_words_that_change_do_not(word: str) -> None:
    assert not is_stable(word)


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("/files/12/Offer.pdf", ["*='/files/'"]),
        ("/po/12/download", ["*='/po/'", "$='/download'"]),
        ("/get?id=4&name=Offer.pdf", ["*='/get?'", "*='id='", "*='name='"]),
        ("files/12", ["^='files/'"]),
        ("https://x.test/files/12", ["*='files/'"]),
        ("https://x.test/po/12/download", ["*='po/'", "$='download'"]),
        ("#", []),
        ("http://[", []),
    ],
)
def test_the_parts_of_an_address_that_are_of_no_single_file(address: str, parts: list[str]) -> None:
    assert list(href_parts(address)) == parts


def test_every_candidate_matches_its_element() -> None:
    page = tree(
        "<div id=list-of:files class='box main'><ul><li class=row>"
        "<a class='link pdf' data-id=7 title=\"it's\" href='/files/7/x.pdf' "
        "onclick=\"openFile('7')\">x</a></li></ul></div>"
    )
    (element,) = page.select("a")

    found = candidates(element)

    assert all(element in page.select(candidate.css) for candidate in found)
    assert [one.cost for one in found] == sorted(one.cost for one in found)
    assert any(one.cost >= POSITION_COST and "nth-child" in one.css for one in found)
    assert not any("nth-child" in one.css for one in found if one.cost < POSITION_COST)


def test_a_selector_does_not_go_from_a_document_into_a_shadow_root() -> None:
    page = tree("<x-a id=host>out<template shadowrootmode=open><p><b class=in>in</b></p></template> after</x-a>")

    assert [text_of(item) for item in page.select("b.in")] == ["in"]
    assert page.select("#host b") == []
    assert text_of(page.select("#host")[0]) == "out after"
    assert len([item for item in page.elements() if item.tag == "b"]) == 1


def test_closed_templates_are_not_read() -> None:
    assert tree("<template><b>no</b></template><template shadowrootmode=closed><b>no</b></template>").select("b") == []


@pytest.mark.parametrize(
    "hidden",
    [
        "<b hidden>",
        "<b style='display: none'>",
        "<i style='visibility:hidden'><b>",
        "<b data-poolwright-hidden>",
        "<noscript><b>",
    ],
)
def test_hidden_elements(hidden: str) -> None:
    page = tree(f"<p>{hidden}text</b></p>")

    assert not is_shown(page.select("b")[0])
    assert text_of(page.select("p")[0]) == ""


def test_texts_of_blocks_are_apart_and_those_within_a_line_are_not() -> None:
    assert (
        text_of(tree("<div id=a><p>One</p><p>Two</p><b>3</b>4<!-- no --><br>5</div>").select("#a")[0]) == "One Two 34 5"
    )


@pytest.mark.parametrize(
    ("element", "address"),
    [
        ("<a href='x.pdf'>", "https://portal.test/a/x.pdf"),
        ("<a href='#' data-url='/y#z'>", "https://portal.test/y"),
        ("<a href='#/route'>", ""),
        ("<a href='/app#!/route'>", ""),
        ("<a href='javascript:get()'>", ""),
        ("<a href='blob:1'>", ""),
        ("<a href='http://['>", ""),
        ("<a>", ""),
    ],
)
def test_the_address_of_an_element_is_that_of_a_browser(element: str, address: str) -> None:
    page = tree(f"{element}x</a>")

    assert page.address_of(page.select("a")[0], ("href", "data-url")) == address


def test_a_base_element_counts() -> None:
    page = PageTree(
        "<html><head><base href='/c/'></head><body><a href=x>x</a></body></html>", "https://portal.test/a/b"
    )

    assert page.address_of(page.select("a")[0], ("href",)) == "https://portal.test/c/x"


def test_the_addresses_of_a_frame_are_below_the_frame() -> None:
    root = '<template shadowrootmode="open" data-poolwright-address="https://portal.test/f/view">'
    frame = f'<poolwright-frame>{root}<p><a href="x.pdf">x</a></p></template></poolwright-frame>'
    page = tree(f'<a href="x.pdf">y</a>{frame}')

    addresses = [page.address_of(item, ("href",)) for item in page.select("a")]

    assert addresses == ["https://portal.test/a/x.pdf", "https://portal.test/f/x.pdf"]


def test_a_page_of_nothing_has_no_elements_to_speak_of() -> None:
    assert PageTree("", "https://portal.test/").select("a") == []


def test_a_selector_that_is_none_is_an_error() -> None:
    with pytest.raises(SelectorError):
        tree("").select("a[")


def test_the_address_that_a_browser_saved() -> None:
    assert (
        saved_address("<!DOCTYPE html>\n<!-- saved from url=(0021)https://portal.test/a -->") == "https://portal.test/a"
    )
    assert saved_address("<p>saved from url=(0021)https://portal.test/a</p>") == ""


@pytest.mark.parametrize(
    ("text", "number", "fixed"),
    [
        ("Order PO-7 was not found.", "PO-7", "was not found"),
        ("No order 4711 here", "1", "No order"),
        ("0 files in the list", "", "files in the list"),
        ("short", "", ""),
        ("x" * 161, "", ""),
        ("12345 67890", "", ""),
    ],
)
def test_the_part_of_a_text_that_is_the_same_for_every_order(text: str, number: str, fixed: str) -> None:
    assert fixed_text(text, number) == fixed


@pytest.mark.parametrize(
    ("element", "says"),
    [
        ("<p>No attachments</p>", True),
        ("<p>Es gibt keine Anlagen</p>", True),
        ("<p>Aucun document</p>", True),
        ("<p>No hay archivos</p>", True),
        ('<p class="list-empty">Drop one here</p>', True),
        ('<p id="no-files">Upload</p>', True),
        ('<p class="state none">Upload</p>', True),
        ("<p>Nordwind GmbH</p>", False),
        ("<p>Notable Northern Ltd</p>", False),
        ('<p class="noneuclid">Upload</p>', False),
    ],
)
def test_what_says_that_a_list_is_empty(element: str, *, says: bool) -> None:
    found = lxml.html.fromstring(element)

    css = "".join(f".{name}" for name in (found.get("class") or found.get("id") or "p").split())

    assert says_none(text_of(found), css) is says


@pytest.mark.parametrize(
    ("address", "number", "pattern"),
    [
        ("/api/orders/45/files?page=1", "45", r"^/api/orders/[^/?]+/files(?:\?|$)"),
        ("https://portal.test/rpc/list", "45", r"^/rpc/list(?:\?|$)"),
        ("/a/P%2F1", "P/1", r"^/a/[^/?]+(?:\?|$)"),
    ],
)
def test_a_request_of_any_order(address: str, number: str, pattern: str) -> None:
    assert generalised_request(address, number) == pattern


def test_the_number_in_a_text_has_all_its_digits() -> None:
    assert (number_in("Files (1,204)"), number_in("0"), number_in("none")) == (1204, 0, None)


@pytest.mark.parametrize(
    ("divider", "selector"),
    [
        ("<li class=divider></li>", "li:has(~ li.divider) > a"),
        ("<li class='x menu-separator'></li>", "li:has(~ li.menu-separator) > a"),
        ("<hr>", "li:has(~ hr) > a"),
        ("<li role=separator></li>", "li:has(~ [role='separator']) > a"),
    ],
)
def test_entries_of_a_menu_are_told_from_those_behind_a_divider(divider: str, selector: str) -> None:
    page = tree(f"<ul><li><a>a.pdf</a></li><li><a>b.pdf</a></li>{divider}<li><a>Add</a></li></ul>")
    first, second, third = page.select("a")

    assert selector in [one.css for one in candidates(first)]
    assert page.select(selector) == [first, second]
    assert not any(":has(" in one.css for one in candidates(third))


@pytest.mark.parametrize("kind", ["", "type=text", "type=Search", "type=input", "type=number"])
def test_the_text_of_a_field_is_its_value(kind: str) -> None:
    (field,) = tree(f"<input {kind} value=' Nord  wind '>").select("input")

    assert text_of(field) == "Nord wind"


@pytest.mark.parametrize("kind", ["type=password", "type=submit", "type=checkbox", "type=hidden", "hidden", "disabled"])
def test_what_is_no_field_to_be_read_has_no_text(kind: str) -> None:
    (field,) = tree(f"<p>a <input {kind} value=secret></p>").select("input")

    assert text_of(field) == ("secret" if kind == "disabled" else "")
    assert text_of(tree(f"<p>a <input {kind} value=secret></p>").select("p")[0]) == "a"


@pytest.mark.parametrize(
    ("around", "is_row"),
    [
        ("<article><h1>Order</h1>{}</article>", False),
        ("<article><h3>Offer</h3>{}</article>", True),
        ("<article><h1>Order</h1><ul><li>{}</li></ul></article>", True),
        ("<div role=listitem>{}</div>", True),
        ("<div>{}</div>", False),
    ],
)
def test_the_page_of_an_order_is_no_row_of_a_list(around: str, *, is_row: bool) -> None:
    (link,) = tree(around.format("<a>Offer.pdf</a>")).select("a")

    assert (row_of(link) is not None) is is_row
