"""An order's page as the portal sent it: what it says, and what it does not surely say."""

from __future__ import annotations

import pytest

from poolwright.portal.pack import Pack, parse_toml
from poolwright.worker.lane.static_page import StaticPage, UnclearPageError

BASE = "https://portal.example"
PACK = """
schema = 2
name = "tiny"
title = "Tiny"
lane = "http"
[numbers]
pattern = '^\\d{4}$'
describe = "4 digits"
example = "1000"
[site]
order = "/order/{number}"
probe = "/orders"
[login]
ladder = ["revisit"]
[triage.ready]
selector = ["#order"]
[triage.forbidden]
selector = ["#refused"]
[triage.session_lost]
selector = ["#login"]
[triage.not_found]
text = ["No such order"]
within = ["body"]
[attachments]
links = ["a.file", "span.file"]
clicks = ["button.file"]
[attachments.size]
closest = "li"
selector = ".size"
[attachments.section]
closest = "ul"
attribute = "data-line"
[attachments.count]
selector = "#list"
attribute = "data-count"
[fields.supplier]
selector = ["#supplier"]
[fields.lines]
selector = [".line"]
many = true
"""
LIST = """<ul id=list data-count="2" data-line="10"><li><a class=file title="T" href="/f/1/a.pdf">Offer
 A.pdf</a> <b class=size>12 KB</b></li><li><span class=file data-url="b.pdf#x">B</span></li></ul>"""
FIELDS = "<p id=supplier>Acme <b>Inc.</b></p><i class=line>10</i><i class=line>20</i>"


def pack_with(more: str = "") -> Pack:
    return parse_toml(PACK + more, "tiny.toml")


def page(body: str = f"<div id=order>Order</div>{FIELDS}{LIST}") -> StaticPage:
    html = f"<!doctype html><html><head><title>x</title></head><body>{body}</body></html>"
    return StaticPage(pack_with(), BASE, "1000", html, f"{BASE}/order/1000")


def test_a_page_is_read_as_in_a_tab() -> None:
    reading = page().read()

    assert reading.count == 2
    assert [(link.address, link.selector, link.index) for link in reading.links] == [
        (f"{BASE}/f/1/a.pdf", "a.file", 0),
        (f"{BASE}/order/b.pdf", "span.file", 0),
    ]
    first = reading.links[0]
    assert first.names == {
        "download": "",
        "title": "T",
        "aria-label": "",
        "text": "Offer A.pdf",
        "address": "a.pdf",
    }
    assert (first.size, first.section) == ("12 KB", "10")
    assert reading.fields == {"supplier": ["Acme Inc."], "lines": ["10", "20"]}
    assert reading.url == f"{BASE}/order/1000"


ORDER = "<div id=order>Order</div>"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (f"{FIELDS}{LIST}", "looks like unknown"),
        (f"<div id=order hidden>Order</div>{FIELDS}{LIST}", "looks like unknown"),
        (f"<div style='display: none'>{ORDER}</div>{FIELDS}{LIST}", "looks like unknown"),
        (f"{ORDER}<template><div id=x></div></template><form id=login hidden></form>{FIELDS}{LIST}", "session_lost"),
        (f"{ORDER}<p style='display:none'>No such order</p>{FIELDS}{LIST}", "not_found"),
        (f"{ORDER}<iframe src=/more></iframe>{FIELDS}{LIST}", "frames or shadow roots"),
        (f"{ORDER}<object data=/x.pdf></object>{FIELDS}{LIST}", "frames or shadow roots"),
        (f"{ORDER}<x-list><template shadowrootmode=open></template></x-list>{FIELDS}{LIST}", "frames or shadow roots"),
        (f"{ORDER}{FIELDS}{LIST}<button class=file>C</button>", "need a click"),
        (f"{ORDER}{FIELDS}{LIST}<a class=file>C</a>", "no address"),
        (f"{ORDER}{FIELDS}{LIST}<a class=file href='javascript:open()'>C</a>", "no address"),
        (f"{ORDER}{FIELDS}{LIST}<a class=file href=/f/1/a.pdf>icon</a>", "lead to one file"),
        (f"{ORDER}<p id=supplier></p><i class=line>1</i>{LIST}", "the field supplier"),
        (f"{ORDER}<i class=line>1</i>{LIST}", "the field supplier"),
        (f"{ORDER}<p id=supplier>Acme<br>Berlin</p><i class=line>1</i>{LIST}", "several lines"),
    ],
)
def test_what_the_text_does_not_surely_show_is_unclear(body: str, problem: str) -> None:
    with pytest.raises(UnclearPageError, match=problem):
        page(body).read()


def test_a_selector_that_only_a_browser_knows_is_unclear() -> None:
    pack = parse_toml(PACK.replace('["#order"]', '["#order:is(:hover, :not(:hover))"]'), "tiny.toml")
    html = f"<html><body>{ORDER}{FIELDS}{LIST}</body></html>"

    with pytest.raises(UnclearPageError):
        StaticPage(pack, BASE, "1000", html, f"{BASE}/order/1000").read()


@pytest.mark.parametrize(
    ("count", "found"), [("data-count='1,200'", 1200), ("data-count=''", None), ("data-count=0", 0), ("", None)]
)
def test_the_count_is_that_of_the_page(count: str, found: int | None) -> None:
    body = f"{ORDER}{FIELDS}<ul id=list {count}><li><a class=file href=/a.pdf>A</a></li></ul>"

    assert page(body).read().count == found


def test_more_files_than_an_order_has_are_unclear() -> None:
    many = "".join(f"<a class=file href=/f/{number}>x</a>" for number in range(5_001))

    with pytest.raises(UnclearPageError, match="too many links"):
        page(f"{ORDER}{FIELDS}{many}").read()


def test_elements_that_are_nested_without_measure_are_unclear() -> None:
    depth = 3_000
    deep = "<b>" * depth + "x" + "</b>" * depth

    with pytest.raises(UnclearPageError, match="nested too deep"):
        page(f"{ORDER}{FIELDS}<ul id=list data-count=1><li><a class=file href=/a.pdf>{deep}</a></li></ul>").read()


def test_places_beside_thousands_of_links_are_found_in_one_look_each() -> None:
    rows = "".join(
        f"<li><a class=file href=/f/{number}>f{number}</a><b class=size>{number} KB</b></li>" for number in range(4_000)
    )
    tree = page(f"{ORDER}{FIELDS}<ul id=list data-count=4000 data-line=10>{rows}</ul>")
    asked = list[str]()
    select = tree._tree.select
    tree._tree.select = lambda selector: asked.append(selector) or select(selector)

    reading = tree.read()

    assert [link.size for link in reading.links] == [f"{number} KB" for number in range(4_000)]
    assert {link.section for link in reading.links} == {"10"}
    assert len(asked) == len(set(asked)), "each selector is looked for once"
