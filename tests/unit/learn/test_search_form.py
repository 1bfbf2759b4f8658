"""How a search that was shown becomes ``[site.find]``, and what is refused because it could mislead a run."""

from __future__ import annotations

from typing import Any

import pytest

from poolwright.learn.actions.search_form import SearchForm, SearchPages, is_searched, search_form, searched_numbers
from poolwright.learn.actions.search_results import number_text, search_problem
from poolwright.learn.examples import SeenPage
from poolwright.learn.observations import ObservationError, ObservedPage
from poolwright.learn.page_tree import PageTree
from poolwright.portal.step_schema import SearchRules

HOME = "https://portal.test"
FORM = '<form class="finder" action="/find"><input name="query"><button class="go">Search</button></form>'


def seen(kind: str, source: str, address: str = "/find", number: str = "4711", **more: Any) -> SeenPage:  # noqa: ANN401 - keys of a page
    numbered = {} if kind in {"search", "login"} else {"number": number}
    page = ObservedPage.model_validate({"file": f"{kind}.html", "kind": kind, **numbered, **more})
    return SeenPage(page=page, tree=PageTree(f"<html><body>{source}</body></html>", f"{HOME}{address}"))


def link(number: str, key: str, text: str = "{number}") -> str:
    return f'<li><a class="hit" href="/po/{key}">{text.format(number=number)}</a></li>'


HITS = f'{FORM}<div class="list">{link("4711", "u1")}{link("47110", "u2")}</div>'
NOTHING = f'{FORM}<div class="list"><p class="empty">No orders were found</p></div>'
LOGIN = seen("login", '<form><input name="user"><input type="password"></form>', "/in")


def pages(
    results: str = HITS,
    nothing: str = NOTHING,
    before: str | None = FORM,
    address: str = "/find",
    **more: Any,  # noqa: ANN401 - keys of the search page
) -> SearchPages:
    unknown = address.replace("4711", "9999")
    return SearchPages(
        before=[] if before is None else [seen("search", before, **more)],
        results=[seen("results", results, address)],
        nothing=[seen("not_found", nothing, unknown, "9999")],
        logins=[LOGIN],
    )


def refusal(shown: SearchPages) -> str:
    with pytest.raises(ObservationError) as caught:
        search_form(shown)
    return str(caught.value)


def test_a_form_is_filled_and_sent_and_its_results_are_waited_for() -> None:
    found = search_form(pages(button="Search"))

    assert found == SearchForm(
        page="/find",
        steps=(
            {"fill": "input[name='query']", "value": "{number}"},
            {"click": "button.go", "until": "div.list"},
        ),
        links="a.hit",
        text="{number}",
        ready=found.ready,
        empty=found.empty,
    )
    assert (found.empty.text, found.empty.within) == (("No orders were found",), ("p.empty",))
    assert found.ready == ("form.finder",)


def test_without_a_button_enter_is_pressed_in_the_field() -> None:
    assert search_form(pages()).steps[1] == {"press": "Enter", "on": "input[name='query']", "until": "div.list"}


def test_results_with_the_number_in_their_address_need_no_steps() -> None:
    found = search_form(pages(before=None, address="/find?q=4711&p=1"))

    assert (found.page, found.steps, found.posts) == ("/find?q={number}&p=1", (), ())
    assert search_form(pages(before=None, address="/app#/find/4711")).page == "/app#/find/{number}"


def test_a_form_by_post_is_listed_with_the_value_of_its_button() -> None:
    form = FORM.replace("<form", "<form method=POST")
    plain = search_form(pages(before=form, button="Search"))
    valued = search_form(pages(before=form.replace("<button", "<button name=act value=go"), button="Search"))

    assert plain.posts == (r"^/find(?:\?|$)",)
    assert valued.posts == ({"address": r"^/find(?:\?|$)", "body": {"act": ("go",)}},)
    assert "The search is sent by POST" in plain.doubts[0]


def test_the_field_is_told_by_its_label_name_or_place() -> None:
    two = (
        '<form class="finder"><label>Buyer <input name="who"></label><label for="nn">Order no</label>'
        '<input id="nn" name="no"></form>'
    )

    for field in ("Order no", "no", "nn"):
        assert search_form(pages(before=two, field=field)).steps[0]["fill"] == "#nn"
    assert "2 fields may be that of the search" in refusal(pages(before=two))
    assert "0 fields" in refusal(pages(before=two, field="Date"))


@pytest.mark.parametrize(
    "fixed", ["<input type=password>", "<input type=hidden>", "<input readonly>", "<input disabled>"]
)
def test_a_field_that_nobody_types_a_number_into_is_none(fixed: str) -> None:
    assert search_form(pages(before=FORM + fixed)).steps[0]["fill"] == "input[name='query']"


def test_a_cell_of_the_row_may_have_the_number() -> None:
    rows = "".join(
        f'<tr><td class="no">{no}</td><td class="sum">4711.00</td><td><a class="to-po" href="/po/{key}">Open</a></td>'
        for no, key in (("47110", "u2"), ("4711", "u1"))
    )
    found = search_form(pages(f'{FORM}<table class="list">{rows}</table>'))

    assert (found.links, found.text, found.closest, found.cell) == ("a.to-po", "{number}", "tr", "td.no")


def test_words_around_the_number_count_only_if_all_results_have_them() -> None:
    def with_text(text: str) -> SearchPages:
        return pages(f'{FORM}<div class="list">{link("4711", "u1", text)}{link("47110", "u2", text)}</div>')

    assert search_form(with_text("Order {number}")).text == "Order {number}"
    alone = pages(f'{FORM}<div class="list">{link("4711", "u1", "Order {number}")}</div>')
    assert "which part of that is the same for other orders" in refusal(alone)
    other = pages(
        f'{FORM}<div class="list">{link("4711", "u1", "{number} Acme")}{link("47110", "u2", "{number} Globex")}</div>'
    )
    assert "which part of that is the same for other orders" in refusal(other)


def test_a_result_that_does_not_say_the_number_is_refused() -> None:
    shown = pages(f'{FORM}<div class="list">{link("4711", "u1", "Open")}</div>')
    named = SearchPages(
        before=shown.before,
        results=[seen("results", f'{FORM}<div class="list">{link("4711", "u1", "Open")}</div>', result="Open")],
        nothing=shown.nothing,
        logins=shown.logins,
    )

    assert "neither the result that was shown nor a cell of its row says exactly 4711" in refusal(named)
    assert "no element of the page shows or leads to '4711'" in refusal(shown)


def test_orders_that_are_shown_before_the_search_are_never_taken_for_its_results() -> None:
    latest = f'{FORM}<div class="list">{link("4700", "u9")}</div>'

    assert "it shows orders before the search, and nothing tells the results from them" in refusal(pages(before=latest))
    marked = pages(
        HITS.replace("<div", '<div data-state="found"'), NOTHING.replace("<div", '<div data-state="found"'), latest
    )
    assert search_form(marked).steps[1]["until"] == "div[data-state]"


def test_results_and_an_empty_answer_may_be_different_elements() -> None:
    found = search_form(
        pages(f'{FORM}<ul class="hits">{link("4711", "u1")}</ul>', f"{FORM}<p class=none>No orders were found</p>")
    )

    assert found.steps[1]["until"] == "ul.hits, p.none"


def test_without_a_sign_of_the_end_a_run_waits_for_quiet_and_says_so() -> None:
    found = search_form(pages(nothing=FORM))

    assert "until" not in found.steps[1]
    assert found.doubts == (
        "Nothing shows that a search has ended, so a run waits until the page is quiet.",
        "not_found.html: it does not say in words that nothing was found, so no order is ever not_found.",
    )
    assert found.empty.is_empty()


def test_a_text_that_stands_there_before_the_search_does_not_mean_that_nothing_was_found() -> None:
    found = search_form(pages(before=NOTHING))

    assert found.empty.is_empty()
    assert "no order is ever not_found" in found.doubts[-1]


def test_what_is_missing_is_asked_for() -> None:
    shown = pages(before=None)
    assert "the page before the search must be shown too (kind 'search')" in refusal(shown)
    none = SearchPages(before=(), results=(), nothing=shown.nothing, logins=shown.logins)
    assert "show the page with the results of a search for an order too (kind 'results')" in refusal(none)
    assert "2 buttons say 'Search'" in refusal(
        pages(before=FORM.replace("</form>", "<button>Search</button></form>"), button="Search")
    )
    login = SearchPages(before=shown.results, results=shown.results, nothing=shown.nothing, logins=shown.results)
    assert "nothing tells" in refusal(login)


def test_orders_are_where_their_addresses_have_something_in_common() -> None:
    orders = [seen("order", "", f"/po/{key}", number) for key, number in (("u77", "4711"), ("u78", "4712"))]
    numbers = searched_numbers(orders, pages())

    assert is_searched(orders)
    assert (numbers.base_url, numbers.order, numbers.pattern) == (HOME, "/po/", r"^\d{2,7}$")
    routes = [seen("order", "", f"/app#/po/{key}/view", number) for key, number in (("u77", "4711"), ("v78", "4712"))]
    plain = pages(HITS.replace("/po/", "/app#/po/"))
    assert searched_numbers(routes, plain).order == "/app#/po/"
    queries = [seen("order", "", f"/po?id={key}", number) for key, number in (("77", "4711"), ("78", "4712"))]
    assert searched_numbers(queries, pages(HITS.replace("/po/", "/po?id="))).order == "/po?id="


def test_orders_without_addresses_of_their_own_are_refused() -> None:
    same = [seen("order", "", "/po/show", number) for number in ("4711", "4712")]

    with pytest.raises(ObservationError, match="cannot be opened by a pack"):
        searched_numbers(same, pages())
    with pytest.raises(ObservationError, match="Show at least two orders"):
        searched_numbers(same[:1], pages())


def test_an_unknown_number_of_another_kind_is_told() -> None:
    orders = [seen("order", "", f"/po/{key}", number) for key, number in (("u77", "4711"), ("u78", "4712"))]
    shown = pages()
    odd = SearchPages(before=(), results=shown.results, nothing=[seen("not_found", NOTHING, number="X-1")], logins=())

    assert searched_numbers(orders, odd).doubts == (
        "The unknown number X-1 does not look like the other ones; it is refused.",
    )


@pytest.mark.parametrize(
    ("address", "number", "searched"),
    [
        ("/po/4711", "4711", False),
        ("/po/4711", "PO 4711", False),
        ("/po/47-11", "47-11", False),
        ("/po/4711", "47-11", False),
        ("/po/ab%2F1", "ab/1", False),
        ("/po/u77", "4711", True),
    ],
)
def test_a_portal_is_searched_if_an_address_lacks_the_number(address: str, number: str, *, searched: bool) -> None:
    assert is_searched([seen("order", "", address, number)]) is searched


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("4711", "{number}"),
        ("  PO \n4711 ", "PO {number}"),
        ("Order 4711, open", "Order {number}, open"),
        ("47110", ""),
        ("X4711", ""),
        ("{4711}", ""),
        ("", ""),
    ],
)
def test_a_text_says_the_number_as_a_whole_word(text: str, told: str) -> None:
    assert number_text(text, "4711") == told


RULES = SearchRules.model_validate({"page": "/find?q={number}", "links": ["a.hit"]})


@pytest.mark.parametrize(
    ("kind", "source", "told"),
    [
        ("results", HITS, ""),
        ("results", NOTHING, "results.html: 0 results say exactly 4711, and not one."),
        ("results", HITS + link("4711", "u5"), "results.html: 2 results say exactly 4711, and not one."),
        ("results", HITS + link("4711", "u1"), ""),
        ("not_found", NOTHING, ""),
        ("not_found", HITS, "not_found.html: 1 results say 4711, although no order has it."),
        ("search", HITS, ""),
    ],
)
def test_the_learned_search_is_tried_on_its_pages(kind: str, source: str, told: str) -> None:
    assert search_problem(RULES, seen(kind, source)) == told


def test_the_cell_of_a_row_is_tried_too() -> None:
    rules = SearchRules.model_validate(
        {"page": "/find?q={number}", "links": ["a.hit"], "row": {"closest": "li", "selector": "b"}}
    )
    row = '<li><b>{0}</b><a class="hit" href="/po/{1}">Open</a></li>'

    assert search_problem(rules, seen("results", row.format("4711", "u1") + row.format("4712", "u2"))) == ""
    assert search_problem(rules, seen("results", row.format("4712", "u2"))).startswith("results.html: 0 results")


def test_results_that_come_while_one_types_are_waited_for_after_a_key() -> None:
    steps = search_form(pages(typed=True)).steps

    assert steps == (
        {"fill": "input[name='query']", "value": "{number}"},
        {"press": "End", "on": "input[name='query']", "until": "div.list"},
    )


def test_a_grid_that_is_filtered_in_place_is_told_by_its_words() -> None:
    def grid(words: str, *rows: str) -> str:
        return f'{FORM}<p class="info">{words}</p><div class="list">{"".join(rows)}</div>'

    found = search_form(
        pages(
            grid("2 orders match", link("4711", "u1"), link("47110", "u2")),
            grid("No order matches"),
            grid("All orders", link("4700", "u9"), link("4711", "u1")),
            typed=True,
        )
    )

    assert found.steps[1] == {
        "press": "End",
        "on": "input[name='query']",
        "until": "p.info",
        "until_text": ("orders match", "No order matches"),
    }
    same = pages(grid("Orders", link("4711", "u1")), grid("Orders"), grid("Orders", link("4711", "u1")), typed=True)
    assert "it shows orders before the search, and nothing tells the results from them" in refusal(same)


def test_the_next_page_of_results_is_a_button_that_was_shown() -> None:
    turn, last = "<button class=turn>Next</button>", "<button class=turn disabled>Next</button>"
    shown = pages(HITS + turn, NOTHING + last)
    named = SearchPages(
        before=shown.before,
        results=[seen("results", HITS + turn, next="Next")],
        nothing=shown.nothing,
        logins=shown.logins,
    )

    assert search_form(named).following.selector == "button.turn"
    assert search_form(shown).following.selector == ""
    assert "results.html: its list may have further pages ('Next' can be pressed)" in search_form(shown).doubts[-1]
