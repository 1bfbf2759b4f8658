# ruff: noqa: E501 - pages of a portal stand in one line
"""Made-up portals that search while one types, whose lists come as JSON or in parts, and whose results have pages."""

from __future__ import annotations

import json
from dataclasses import replace
from html import escape
from urllib.parse import quote, unquote

from tests.support.searched_portals import IDS
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

TYPED_NAMES = ("suggested", "filtered")


def _json(value: object) -> TaughtReply:
    return TaughtReply(body=json.dumps(value).encode(), kind="application/json")


def _order_at(portal: TaughtPortal, key: str) -> TaughtOrder:
    return portal.orders[next(number for number, one in IDS.items() if one == key)]


def _head(order: TaughtOrder) -> str:
    return f'<article class="po"><h1>Order {order.number}</h1><p class="seller">{escape(order.supplier)}</p>'


def _shared(portal: TaughtPortal, path: str, is_logged_in: bool) -> TaughtReply | None:
    """What both portals answer alike."""
    if path == "/in":
        return page(LOGIN_FORM)
    if not is_logged_in:
        return moved("/in")
    if path == "/desk":
        return page('<h1 class="desk">Desk</h1>')
    if path.startswith("/f/"):
        _, _, key, name = path.split("/", 3)
        return portal.file_reply(_order_at(portal, key).number, unquote(name))
    if path.startswith("/po/") and _order_at(portal, path[4:]).is_forbidden:
        return page('<p class="message">Your role does not include this order</p>')
    return None


# 1. Suggestions below the field, which close when it is left; a list of which the page draws two rows only.

_SUGGEST = """<div class="finder"><input class="q" placeholder="Order number"><ul class="hits" hidden></ul></div><script>
const [field, box] = [document.querySelector('.q'), document.querySelector('.hits')];
field.onkeyup = async () => {
  const asked = field.value;
  const found = await (await fetch('/suggest?q=' + asked)).json();
  if (field.value !== asked) return;
  const rows = found.map(([no, key]) => `<li><a class="hit" href="/po/${key}">${no}</a></li>`).join('');
  box.innerHTML = rows || '<li class="nothing">No order matches</li>';
  box.hidden = false;
};
field.onblur = () => { box.hidden = true; };
</script>"""
_DRAWN = """<div class="papers"></div></article><script>
fetch('/api' + location.pathname + '/files').then((answer) => answer.json()).then(({data}) => {
  const rows = data.files.slice(0, 2).map((one) => `<p><a class="paper" href="${one.links.content}">${one.title}</a></p>`);
  document.querySelector('.papers').innerHTML = rows.join('');
});
</script>"""


def _suggested(portal: TaughtPortal, path: str, is_logged_in: bool) -> TaughtReply:
    if (shared := _shared(portal, path, is_logged_in)) is not None:
        return shared
    if path.startswith("/suggest?q="):
        query = path.partition("=")[2]
        return _json([[number, IDS[number]] for number in portal.orders if len(query) > 3 and number.startswith(query)])
    if path.startswith("/api/po/"):
        key = path.split("/")[3]
        files = [
            {"id": place, "title": name, "links": {"self": f"/api/file/{place}", "content": f"/f/{key}/{quote(name)}"}}
            for place, name in enumerate(_order_at(portal, key).files)
        ]
        return _json({"data": {"files": files}})
    return page(_SUGGEST if path == "/search" else _head(_order_at(portal, path[4:])) + _DRAWN)


# 2. A grid that is filtered while one types and has several pages; a list that arrives in two parts.

_GRID = """<div class="finder"><input name="no"></div><p class="info">All orders</p><table class="grid"></table>
<button class="turn">Next</button><script>
let [shown, first] = [ALL, 0];
const draw = () => {
  const row = ([no, key]) => `<tr><td class="no">${no}</td><td><a class="open" href="/po/${key}">Open</a></td></tr>`;
  document.querySelector('.grid').innerHTML = shown.slice(first, first + 2).map(row).join('');
  document.querySelector('.turn').disabled = first + 2 >= shown.length;
};
document.querySelector('.turn').onclick = () => { first += 2; draw(); };
document.querySelector('.finder input').oninput = (event) => {
  const query = event.target.value.slice(0, 9);
  setTimeout(() => {
    [shown, first] = [ALL.filter(([no]) => no.startsWith(query)), 0];
    document.querySelector('.info').textContent = shown.length ? shown.length + ' orders match the filter' : 'No order matches the filter';
    draw();
  }, 50);
};
draw();
</script>"""
_IN_PARTS = """<ul class="papers"></ul></article><script>
const add = (files) => {
  for (const [name, address] of files) document.querySelector('.papers').innerHTML += `<li><a class="paper" href="${address}">${name}</a></li>`;
};
const files = FILES;
add(files.slice(0, 1));
setTimeout(() => {
  add(files.slice(1));
  document.querySelector('.papers').classList.add('loaded');
}, 1200);
</script>"""


def _filtered(portal: TaughtPortal, path: str, is_logged_in: bool) -> TaughtReply:
    if (shared := _shared(portal, path, is_logged_in)) is not None:
        return shared
    if path == "/orders":
        return page(_GRID.replace("ALL", json.dumps([[number, IDS[number]] for number in portal.orders])))
    order = _order_at(portal, path[4:])
    files = [(name, f"/f/{path[4:]}/{quote(name)}") for name in order.files]
    return page(_head(order) + _IN_PARTS.replace("FILES", json.dumps(files)))


def typed_portal(name: str) -> TaughtPortal:
    """One of the portals."""
    is_grid = name == "filtered"
    orders = orders_of(*DIGITS)
    orders[DIGITS[4]] = replace(orders[DIGITS[4]], files=("Sheet 1.pdf", "Sheet 2.pdf", "Sheet 3.pdf"))
    del orders[DIGITS[5]]
    return TaughtPortal(
        name=name,
        orders=orders,
        tried=DIGITS[2:5],
        draw=_filtered if is_grid else _suggested,
        ids=IDS,
        search_path="/orders" if is_grid else "/search",
        order_path="/po/{number}",
        home_path="/desk",
        missing="4499999999",
        refusal=".message",
        result="Open" if is_grid else "",
        results_next="Next" if is_grid else "",
    )
