"""Every selector of a pack is listed with its key, also those of tables that are added later."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from importlib import resources

import pytest

from poolwright.portal import pack as packs
from poolwright.portal.examination.pack_selectors import pack_selectors
from tests.unit.portal_examination.packs import tiny_pack


def test_selectors_are_listed_in_the_order_of_the_tables() -> None:
    assert [(one.key, one.selector) for one in pack_selectors(tiny_pack())] == [
        ("triage.session_lost.selector", "#password"),
        ("triage.forbidden.within", "h1"),
        ("triage.forbidden.within", "div.flash"),
        ("triage.ready.selector", "#order"),
        ("triage.ready.selector", "#home"),
        ("attachments.links", "a.att"),
        ("attachments.links", "a.file"),
        ("attachments.clicks", "button.att"),
        ("attachments.count.selector", "#count"),
        ("attachments.empty.selector", "#none"),
        ("fields.supplier.selector", ".supplier"),
        ("fields.supplier.selector", "#supplier"),
    ]


#: Keys of the shipped packs whose values are selectors.
_KEYS = {"selector", "within", "links", "clicks", "settled", "user", "password", "submit", "code", "follow"}


def written_in(table: object, key: str = "") -> Iterator[str]:
    """The selectors in a pack file, by the names of their keys."""
    if isinstance(table, dict):
        for name, value in table.items():
            yield from written_in(value, name)
    elif isinstance(table, list):
        for value in table:
            yield from written_in(value, key)
    elif key in _KEYS:
        yield str(table)


@pytest.mark.parametrize("name", packs.shipped_names())
def test_no_selector_of_a_shipped_pack_is_left_out(name: str) -> None:
    text = resources.files("poolwright.portal").joinpath("packs", f"{name}.toml").read_text(encoding="utf-8")

    assert {one.selector for one in pack_selectors(packs.load(name))} == set(written_in(tomllib.loads(text)))


def test_an_address_or_a_text_is_no_selector() -> None:
    listed = {one.selector for one in pack_selectors(tiny_pack())}

    assert listed.isdisjoint({"^/login", "No access", "/order/{number}", "^[0-9]{4}$"})
