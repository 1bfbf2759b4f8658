# ruff: noqa: E501 - pages of a portal stand in one line
"""Made-up single-page clients that talk to their portal by calls: every call is a POST to one address.

Links come late, rows are drawn twice, and each page sends calls that change something.
"""

from __future__ import annotations

import json
from base64 import b64encode
from html import escape

from tests.support.further_portals import FURTHER_NAMES, further_portal
from tests.support.searched_portals import SEARCHED_NAMES, searched_portal
from tests.support.taught_portals import (
    DIGITS,
    LOGIN_FORM,
    NAMES,
    TaughtOrder,
    TaughtPortal,
    TaughtReply,
    page,
    taught_portal,
)

CALLING_NAMES = ("calls", "blobs")
TAUGHT_NAMES = (*NAMES, *FURTHER_NAMES, *CALLING_NAMES, *SEARCHED_NAMES)
#: Names that no disk can have, without an ending, and with two blanks, as they are on disk. A PDF is named as one.
_ODD = {"Terms: A/B?.pdf": "Terms_ A_B_.pdf", "LICENSE": "LICENSE", "Final  2.pdf": "Final 2.pdf", "Plan": "Plan.pdf"}


class _CallingOrder(TaughtOrder):
    """An order with a text among its files."""

    def content(self, name: str) -> bytes:
        return f"{self.number}: who may use this\n".encode() if name == "LICENSE" else super().content(name)


def _orders(name: str) -> dict[str, TaughtOrder]:
    names = ("Offer 1.pdf", *_ODD) if name == "calls" else ("Offer 1.pdf", "Terms: A/B?.pdf")
    numbers = DIGITS[:5]
    made = (
        _CallingOrder(number=numbers[0], files=names[: 3 if name == "calls" else 1]),
        _CallingOrder(number=numbers[1], supplier="Nordwind GmbH", files=("Confirmation.pdf",)),
        _CallingOrder(number=numbers[2], supplier="Nordwind GmbH"),
        _CallingOrder(number=numbers[3], is_forbidden=True),
        _CallingOrder(number=numbers[4], supplier="Globex", files=names[1:]),
    )
    return {order.number: order for order in made}


_CLIENT = """<div id="client"></div><script>
const client = document.querySelector('#client');
const later = (act) => setTimeout(act, 60);
const rpc = async (method, params = {}) => {
  const body = JSON.stringify({id: 1, method, params});
  const answer = await fetch('/client/rpc', {method: 'POST', headers: {'Content-Type': 'application/json'}, body});
  return await answer.json();
};
const draw = (html) => { client.innerHTML = html; };
const show = async () => {
  const session = await rpc('session.get');
  if (session.error) return draw(FORM);
  const number = location.hash.startsWith('#/po/') ? location.hash.slice(5) : '';
  if (!number) return draw('<div class="board"><h2>Today</h2></div>');
  draw('<div class="spinner">Loading</div>');
  const order = await rpc('order.read', {number});
  if (order.error) return draw(`<div class="dialog" role="alert">${order.error.message}</div>`);
  rpc('order.mark_seen', {number}).catch(() => 0);
  rpc('presence.beat', {number}).catch(() => 0);
  draw(order.result);
  const list = await rpc('attachment.search', {number});
  const box = client.querySelector('.po-files');
  later(() => {
    box.innerHTML = list.result.replaceAll('class="fetch"', 'class="fetch busy"').replaceAll('href=', 'data-later=');
    later(() => { box.innerHTML = list.result; });
  });
  client.querySelector('.po-supplier').onmouseenter = () => { box.innerHTML = list.result; };
};
client.addEventListener('click', async (event) => {
  const button = event.target.closest('button.fetch');
  if (!button || button.classList.contains('busy')) return;
  const {result} = await rpc('attachment.content', {place: button.id});
  const bytes = Uint8Array.from(atob(result), (sign) => sign.charCodeAt(0));
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([bytes], {type: 'application/pdf'}));
  link.download = button.closest('tr').querySelector('.file-name').textContent;
  link.click();
});
addEventListener('hashchange', show);
show();
</script>"""


def _listed(portal: TaughtPortal, order: TaughtOrder) -> str:
    if not order.files:
        return '<p class="void">There are no files</p>'
    rows = ""
    for place, name in enumerate(order.files):
        action = (
            f'<a class="fetch" title="Download" href="/client/content/{order.number}/{place}"><i class="icon">\u2b07</i></a>'
            if portal.name == "calls"
            else f'<button id="f-{order.number}-{place}" class="fetch" title="Download">\u2b07</button>'
        )
        rows += f'<tr><td class="file-name">{escape(name)}</td><td class="file-by">Anna</td><td>{action}</td></tr>'
    return f'<table class="po-list"><tbody>{rows}</tbody></table>'


def _shown(order: TaughtOrder) -> str:
    return (
        f'<section class="po-pane"><h2>Order {order.number}</h2><span class="po-supplier">{escape(order.supplier)}</span>'
        '<div class="po-files"></div></section>'
    )


def _answered(portal: TaughtPortal, method: str, params: dict[str, str]) -> object:
    """The result of one call, or an error."""
    if method == "attachment.content":
        _, number, place = params["place"].split("-")
        order = portal.orders[number]
        return {"result": b64encode(order.content(order.files[int(place)])).decode()}
    order = portal.orders.get(params.get("number", ""))
    if method == "session.get":
        return {"result": {"user": "anna"}}
    if order is None:
        return {"error": {"code": 404, "message": "No order has this number"}}
    if order.is_forbidden:
        return {"error": {"code": 403, "message": "Your group may not read this order"}}
    return {"result": {"order.read": _shown(order), "attachment.search": _listed(portal, order)}.get(method, "")}


def _call(portal: TaughtPortal, path: str, body: str, is_logged_in: bool) -> TaughtReply:
    assert path == "/client/rpc"
    asked = json.loads(body)
    answer = (
        _answered(portal, asked["method"], asked["params"])
        if is_logged_in
        else {"error": {"code": 100, "message": "Session expired"}}
    )
    return TaughtReply(body=json.dumps(answer).encode(), kind="application/json")


def _draw(portal: TaughtPortal, path: str, is_logged_in: bool) -> TaughtReply:
    if path.startswith("/client/content/") and is_logged_in:
        number, place = path.removeprefix("/client/content/").split("/")
        order = portal.orders[number]
        kind = "text/plain" if order.files[int(place)] == "LICENSE" else "application/pdf"
        return TaughtReply(body=order.content(order.files[int(place)]), kind=kind)
    return page(_CLIENT.replace("FORM", json.dumps(LOGIN_FORM)))


def _drawn(portal: TaughtPortal, path: str, is_logged_in: bool) -> str:
    number = path.partition("#/po/")[2]
    order = portal.orders.get(number)
    if not is_logged_in:
        inner = LOGIN_FORM
    elif not number:
        inner = '<div class="board"><h2>Today</h2></div>'
    elif order is None or order.is_forbidden:
        message = "No order has this number" if order is None else "Your group may not read this order"
        inner = f'<div class="dialog" role="alert">{message}</div>'
    else:
        inner = _shown(order).replace('"po-files">', f'"po-files">{_listed(portal, order)}')
    return f'<html><body><div id="client">{inner}</div></body></html>'


def portal_by_name(name: str) -> TaughtPortal:
    """Any of the portals from which a pack is learned."""
    if name in CALLING_NAMES:
        return calling_portal(name)
    if name in SEARCHED_NAMES:
        return searched_portal(name)
    return further_portal(name) if name in FURTHER_NAMES else taught_portal(name)


def calling_portal(name: str) -> TaughtPortal:
    """One of the clients."""
    methods = ("session.get", "order.read", "order.mark_seen", "presence.beat", "attachment.search")
    return TaughtPortal(
        name=name,
        orders=_orders(name),
        tried=(DIGITS[0], *DIGITS[2:5]) if name == "calls" else (DIGITS[0], DIGITS[4]),
        draw=_draw,
        drawn=_drawn,
        call=_call,
        calls=tuple({"address": "/client/rpc", "body": {"method": [method]}} for method in methods),
        filed=_ODD,
        link_text="\u2b07",
        order_path="/client#/po/{number}",
        home_path="/client#/home",
        missing="4500099999",
        refusal=".dialog",
    )
