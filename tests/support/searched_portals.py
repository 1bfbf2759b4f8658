# ruff: noqa: E501 - pages of a portal stand in one line
"""Made-up portals whose orders have addresses of their own, so that a person searches for the number."""

from __future__ import annotations

import json
from dataclasses import replace
from html import escape
from urllib.parse import parse_qs, quote, unquote

from tests.support.taught_portals import (
    DIGITS,
    LOGIN_FORM,
    TaughtOrder,
    TaughtPortal,
    TaughtReply,
    moved,
    orders_of,
    page,
)

SEARCHED_NAMES = ("posted", "looked_up")
#: What stands in the addresses of the orders.
IDS: dict[str, str] = dict(zip(DIGITS, ("a17", "a29", "b3", "c44", "d5", "e61"), strict=True))


def _hits(portal: TaughtPortal, query: str) -> list[TaughtOrder]:
    """A search finds numbers that are like the one that was asked for, too."""
    return [order for number, order in portal.orders.items() if query[:9] and number.startswith(query[:9])]


def _row(order: TaughtOrder) -> str:
    return (
        f'<tr><td class="no">{order.number}</td><td class="who">{escape(order.supplier)}</td>'
        f'<td><a class="open" href="/po/{IDS[order.number]}">Open</a></td></tr>'
    )


def _order_page(portal: TaughtPortal, path: str) -> TaughtReply:
    key, _, rest = path.removeprefix("/po/").partition("/")
    number = next((number for number, one in IDS.items() if one == key), "")
    order = portal.orders[number]
    if rest:
        return portal.file_reply(number, unquote(rest))
    if order.is_forbidden:
        return page('<p class="message">Your role does not include this order</p>')
    files = "".join(
        f'<li><a class="file" href="/po/{key}/{quote(name)}">{escape(name)}</a></li>' for name in order.files
    )
    return page(
        f'<article class="po"><h1>Order {number}</h1><p class="seller">{escape(order.supplier)}</p>'
        f'<b class="file-count">{len(order.files)} files</b><ul>{files}</ul></article>'
    )


# 1. A form that is sent by POST; the number stands in a cell beside a link that says "Open".

_FORM = (
    '<nav class="top">Orders</nav><form class="finder" action="/find" method="post"><label>Number <input name="q"></label>'
    '<input type="hidden" name="token" value="x1"><button name="act" value="search">Search</button></form>'
)


def _posted(portal: TaughtPortal, path: str, is_logged_in: bool) -> TaughtReply:
    if path == "/in":
        return page(LOGIN_FORM)
    if not is_logged_in:
        return moved("/in")
    if path.startswith("/po/"):
        return _order_page(portal, path)
    return page(f"{_FORM}<p class=hint>Nothing searched yet</p>" if path == "/find" else '<h1 class="desk">Desk</h1>')


def _posted_call(portal: TaughtPortal, path: str, body: str, is_logged_in: bool) -> TaughtReply:
    if not is_logged_in or path != "/find":
        return moved("/in")
    rows = "".join(map(_row, _hits(portal, parse_qs(body).get("q", [""])[0])))
    return page(_FORM + (f'<table class="hits">{rows}</table>' if rows else '<p class="none">No orders were found</p>'))


# 2. A client that searches on the page itself, by calls; the latest orders are shown before.

_CLIENT = """<script>
const draw = (orders, kind) => {
  const rows = orders.map(([no, key]) => `<li><a class="hit" href="/po/${key}">${no}</a></li>`).join('');
  document.querySelector('.list').innerHTML =
    `<h2 class="${kind}">Orders</h2>` + (rows ? `<ul>${rows}</ul>` : '<p class="nothing">Nothing matches</p>');
};
draw(LATEST, 'latest');
const go = async () => {
  const params = {query: document.querySelector('.q').value};
  const asked = {method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify({method: 'order.search', params})};
  const answer = await fetch('/api', asked);
  const found = await answer.json();
  setTimeout(() => draw(found.result, 'found'), 50);
};
document.querySelector('.go').onclick = go;
</script>"""
_FINDER = (
    '<div class="finder"><input class="q" placeholder="Order number"><span></span><button class="go">Go</button></div>'
)


def _looked_up(portal: TaughtPortal, path: str, is_logged_in: bool) -> TaughtReply:
    if path == "/in":
        return page(LOGIN_FORM)
    if not is_logged_in:
        return moved("/in")
    if path.startswith("/po/"):
        return _order_page(portal, path)
    if path == "/desk":
        return page('<h1 class="desk">Desk</h1>')
    latest = json.dumps([[number, IDS[number]] for number in (DIGITS[4], DIGITS[0])])
    return page(f'{_FINDER}<div class="list"></div>{_CLIENT.replace("LATEST", latest)}')


def _looked_up_call(portal: TaughtPortal, path: str, body: str, is_logged_in: bool) -> TaughtReply:
    assert path == "/api"
    if not is_logged_in:
        return TaughtReply(status=401)
    found = _hits(portal, json.loads(body)["params"]["query"])
    answer = {"result": [[order.number, IDS[order.number]] for order in found]}
    return TaughtReply(body=json.dumps(answer).encode(), kind="application/json")


def searched_source(portal: TaughtPortal, number: str) -> str:
    """The page of a search once its results are there; before the search for no number."""
    if portal.name == "posted":
        if not number:
            return portal.draw(portal, "/find", True).body.decode()
        return _posted_call(portal, "/find", f"q={number}", True).body.decode()
    shown = _hits(portal, number) if number else [portal.orders[DIGITS[4]], portal.orders[DIGITS[0]]]
    rows = "".join(f'<li><a class="hit" href="/po/{IDS[one.number]}">{one.number}</a></li>' for one in shown)
    listed = f"<ul>{rows}</ul>" if rows else '<p class="nothing">Nothing matches</p>'
    kind = "found" if number else "latest"
    return page(f'{_FINDER}<div class="list"><h2 class="{kind}">Orders</h2>{listed}</div>').body.decode()


def searched_portal(name: str) -> TaughtPortal:
    """One of the portals."""
    is_posted = name == "posted"
    orders = orders_of(*DIGITS)
    orders[DIGITS[4]] = replace(orders[DIGITS[4]], files=("Sheet 1.pdf", "Sheet 2.pdf"))
    del orders[DIGITS[5]]
    calls = ({"address": "/api", "body": {"method": ["order.search"]}},)
    return TaughtPortal(
        name=name,
        orders=orders,
        tried=DIGITS[2:5],
        draw=_posted if is_posted else _looked_up,
        call=_posted_call if is_posted else _looked_up_call,
        search_calls=() if is_posted else calls,
        ids=IDS,
        search_path="/find" if is_posted else "/orders",
        search_button="Search" if is_posted else "Go",
        order_path="/po/{number}",
        home_path="/desk",
        missing="4499999999",
        refusal=".message",
        result="Open" if is_posted else "",
    )
