from __future__ import annotations

import unicodedata
from collections import Counter

import pytest

from poolwright.demo.catalogue.catalogue import INVALID_NUMBER, Catalogue, clean_list, messy_list
from poolwright.demo.catalogue.order import Attachment, LinkForm, Naming, Order, OrderAnswer
from poolwright.demo.catalogue.truth import order_truth
from poolwright.demo.documents import MAXIMUM_BYTES, MINIMUM_BYTES
from poolwright.demo.site import FileStore

SEED = 7


def no_digest(_file: Attachment) -> str:
    return ""


def listed(seed: int = SEED, count: int = 40) -> list[Order]:
    return Catalogue(seed, count).first_orders(count)


def files(orders: list[Order]) -> list[Attachment]:
    return [file for order in orders for file in order.attachments]


@pytest.mark.parametrize("seed", range(5))
def test_forty_orders_hold_every_outcome_of_a_real_list(seed: int) -> None:
    orders = listed(seed)

    outcomes = Counter(order_truth(order, no_digest).outcome for order in orders)
    answers = Counter(order.answer for order in orders)

    assert outcomes == {"COMPLETED": 29, "NO_ATTACHMENTS": 5, "NOT_FOUND": 3, "FORBIDDEN": 2, "PARTIAL": 1}
    assert all(answers[answer] for answer in OrderAnswer)


@pytest.mark.parametrize("seed", range(5))
def test_forty_orders_hold_every_kind_of_link_name_and_size(seed: int) -> None:
    found = files(listed(seed))

    names = {file.name for file in found}
    assert {file.link_form for file in found} == set(LinkForm)
    assert {file.naming for file in found} == set(Naming)
    assert {True, False} == {file.is_chunked for file in found}
    assert {MINIMUM_BYTES, MAXIMUM_BYTES} == {min(f.size_bytes for f in found), max(f.size_bytes for f in found)}
    assert sum(file.size_bytes for file in found) <= 40_000_000
    assert {"../../x.pdf", "CON.pdf", "Final offer.pdf...", 'Offer "final" v2.pdf'} <= names
    assert {300} <= {len(name) for name in names}
    assert any(not unicodedata.is_normalized("NFC", name) for name in names)


def test_one_order_has_the_same_name_twice_with_different_files() -> None:
    shelf = FileStore(seed=SEED, capacity_bytes=1_000_000)

    twins = [file for file in files(listed()) if file.name == "Scan.pdf"]

    assert len(twins) == 2
    assert twins[0].order_number == twins[1].order_number
    assert shelf.sha256(twins[0]) != shelf.sha256(twins[1])


def test_orders_have_at_most_six_files() -> None:
    counts = {len(order.attachments) for order in listed(count=400)}

    assert counts == set(range(7))


def test_numbers_are_distinct_and_lead_back_to_their_order() -> None:
    catalogue = Catalogue(SEED, 2000)

    numbers = catalogue.listed_numbers()

    assert len(set(numbers)) == 2000
    for number in numbers[::97]:
        order = catalogue.order(number)
        assert order is not None
        assert order.number == number
        for file in order.attachments:
            assert catalogue.attachment(file.attachment_id) == file


@pytest.mark.parametrize("number", ["", "1", "PO15800035", "99999999", "٣٤٥٦٧٨٩٠", "-1", "1e7"])
def test_a_number_outside_the_catalogue_has_no_order(number: str) -> None:
    assert Catalogue(SEED, 40).order(number) is None


def test_an_order_behind_the_end_of_the_list_does_not_exist() -> None:
    last = Catalogue(SEED, 41).listed_numbers()[-1]

    assert Catalogue(SEED, 40).order(last) is None


def test_the_list_of_a_longer_portal_begins_with_that_of_a_shorter_one() -> None:
    assert listed(count=80)[:40] == listed(count=40)


def test_another_seed_makes_other_orders() -> None:
    assert Catalogue(1, 40).listed_numbers() != Catalogue(2, 40).listed_numbers()


@pytest.mark.parametrize(
    ("number", "outcome", "hint"),
    [
        ("90000001", "PARTIAL", "truncated"),
        ("90000002", "PARTIAL", "empty"),
        ("90000003", "PARTIAL", "disguised"),
        ("90000004", "PARTIAL", "missing"),
        ("90000005", "FAILED", "missing"),
        ("90000006", "COMPLETED", "all_saved"),
    ],
)
def test_odd_orders_stand_outside_the_list_and_are_judged_by_their_good_files(
    number: str, outcome: str, hint: str
) -> None:
    catalogue = Catalogue(SEED, 40)
    order = catalogue.order(number)
    assert order is not None

    truth = order_truth(order, no_digest)

    assert number in catalogue.odd_numbers()
    assert number not in catalogue.listed_numbers()
    assert (truth.outcome, truth.reason_hint, truth.is_listed) == (outcome, hint, False)


def test_an_order_that_is_not_shown_has_no_files_in_its_truth() -> None:
    hidden = [order for order in listed() if order.answer is OrderAnswer.FORBIDDEN_200]

    truths = [order_truth(order, no_digest) for order in hidden]

    assert [truth.attachments for truth in truths] == [()]
    assert hidden[0].attachments


def test_some_suppliers_are_shown_with_their_number_and_some_without() -> None:
    shown = [(order.supplier.name, order.supplier.shown) for order in listed()]

    plain = [name for name, text in shown if text == name]
    numbered = [name for name, text in shown if text.startswith(f"{name} (1") and text.endswith(")")]
    assert plain
    assert numbered
    assert len(plain) + len(numbered) == len(shown)


def test_the_clean_list_names_each_order_once() -> None:
    catalogue = Catalogue(SEED, 40)

    assert [row.number for row in clean_list(catalogue, 40)] == catalogue.listed_numbers()
    assert len(clean_list(catalogue, 3)) == 3


def test_the_messy_list_holds_prefixes_blanks_a_duplicate_and_an_invalid_number() -> None:
    catalogue = Catalogue(SEED, 40)
    numbers = catalogue.listed_numbers()

    written = [row.number for row in messy_list(catalogue, 40)]

    assert len(written) == 42
    assert written[-2:] == [f"PO{numbers[0]}", INVALID_NUMBER]
    assert [text.upper().strip().removeprefix("PO").removeprefix("PM").strip() for text in written[:40]] == numbers
    assert any(text != text.strip() for text in written)
    assert {"PO", "PM", "po"} <= {text[:2] for text in written}


def test_the_shelf_forgets_the_oldest_file_and_makes_it_again() -> None:
    some = [file for file in files(listed()) if file.defect is None][:10]
    shelf = FileStore(seed=SEED, capacity_bytes=1)

    first = [shelf.content(file) for file in some]

    assert [shelf.content(file) for file in some] == first
    assert [len(content) for content in first] == [file.size_bytes for file in some]
