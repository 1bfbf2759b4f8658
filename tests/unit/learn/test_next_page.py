"""The button to the next page of a list, among others that look like it."""

from __future__ import annotations

from typing import Any

import pytest

from poolwright.learn.examples import SeenPage
from poolwright.learn.next_page import NextButton, has_next, next_button, next_element
from poolwright.learn.observations import ObservationError, ObservedPage
from poolwright.learn.page_tree import PageTree

MARK = "data-poolwright-next"


def order(body: str, **more: Any) -> SeenPage:  # noqa: ANN401 - keys of a page
    page = ObservedPage.model_validate({"file": "x.html", "kind": "order", "number": "1", "attachments": ["x"], **more})
    return SeenPage(page=page, tree=PageTree(f"<main>{body}</main>", "https://portal.test/1"))


def test_without_a_button_there_is_one_page() -> None:
    page = order("<button>Next</button>")

    assert next_element(page) is None
    found = next_button([page])
    assert (found.selector, found.text) == ("", ())
    assert "its list may have further pages ('Next' can be pressed)" in found.doubts[0]


@pytest.mark.parametrize(
    "other",
    ["<button disabled>Next</button>", "<button>Next order</button>", "<p>Next</p>", "<button hidden>Next</button>"],
)
def test_what_is_no_button_to_a_further_page_is_not_told(other: str) -> None:
    assert next_button([order(other)]) == NextButton()


@pytest.mark.parametrize(
    "other",
    [
        '<a rel="next nofollow" href="?p=2">2</a>',
        '<button aria-label="Next page">x</button>',
        '<a href="?p=2">\u203a</a>',
    ],
)
def test_an_unshown_button_to_a_further_page_is_told_by_its_kind_or_label(other: str) -> None:
    assert len(next_button([order(other)]).doubts) == 1


@pytest.mark.parametrize(
    "body",
    [
        f'<button class="prev">Back</button><button class="next" {MARK}>Next</button>',
        f'<button class="prev">Back</button><a class="next" href="/2"><i {MARK}>Next</i></a>',
    ],
)
def test_a_button_that_was_pointed_at_is_found_by_its_name(body: str) -> None:
    found = next_button([order(body), order('<button class="next" disabled>Next</button>')])

    assert found.selector.endswith(".next")
    assert (found.text, found.doubts) == ((), ())


def test_a_button_is_named_by_its_text_or_label() -> None:
    body = '<button class="back">Back</button><button class="n" aria-label="Go on">&gt;</button>'

    assert next_button([order(body, next="go on")]).selector == "button[aria-label='Go on']"
    assert next_button([order(body, next="Back")]).selector == "button.back"


@pytest.mark.parametrize("named", ["Nowhere", "Twice", "Hidden"])
def test_a_name_that_leads_to_no_single_button_is_refused(named: str) -> None:
    body = "<button>Twice</button><button>Twice</button><button hidden>Hidden</button><p>Nowhere</p>"

    with pytest.raises(ObservationError, match="elements that can be clicked say"):
        next_element(order(body, next=named))


def test_buttons_that_are_told_apart_by_their_texts_alone_have_the_text_and_a_doubt() -> None:
    page = order(f'<button class="turn">Back</button><button class="turn" {MARK}>Next</button>')

    found = next_button([page])

    assert found == NextButton(selector="button.turn", text=("Next",), doubts=found.doubts)
    assert "another language" in found.doubts[0]


def test_a_button_that_could_be_pressed_on_the_only_page_of_a_list_is_none() -> None:
    paged = order(f'<button class="turn" {MARK}>Next</button>')

    with pytest.raises(ObservationError, match="nothing tells the button 'Next'"):
        next_button([paged, order('<button class="turn">Next</button>')])


@pytest.mark.parametrize(
    ("button", "is_there"),
    [
        ('<button class="n">Next</button>', True),
        ('<button class="n">Back</button>', False),
        ('<button class="n" disabled>Next</button>', False),
        ('<button class="n" aria-disabled="true">Next</button>', False),
        ('<button class="n" aria-disabled="false">Next</button>', True),
        ('<button class="n is-disabled">Next</button>', False),
        ('<button class="n undisabledx">Next</button>', True),
        ('<button class="n" hidden>Next</button>', False),
    ],
)
def test_a_button_that_cannot_be_pressed_leads_to_no_page(button: str, *, is_there: bool) -> None:
    assert has_next(order(button), "button.n", ["next"]) is is_there
    assert has_next(order("<p>x</p>"), "button.n", ()) is False


def test_only_an_order_has_a_next_page() -> None:
    with pytest.raises(ValueError, match="only pages of kind 'order'"):
        ObservedPage.model_validate({"file": "x", "kind": "home", "next": "Next"})
