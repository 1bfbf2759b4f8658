# ruff: noqa: E501, PLR0911 - pages of a portal stand in one line
"""Made-up portals whose login or list takes more than one step, from which a pack is learned too."""

from __future__ import annotations

import json
from dataclasses import replace
from html import escape
from urllib.parse import parse_qs, quote, unquote, urlsplit

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

FURTHER_NAMES = ("cells", "paged", "framed", "basic")

# 1. A login of two pages; a table whose links say "Download" and whose files come without a name.


def _cells_login(path: str) -> TaughtReply | None:
    if path.startswith("/sso/password"):
        user = parse_qs(urlsplit(path).query).get("user", [""])[0]
        return page(
            f'<h1>Sign in</h1><form action="/session" method="post" class="step2"><p>{escape(user)}</p><input type="hidden" name="user" '
            f'value="{escape(user)}"><label>Password <input name="pass" type="password"></label><button>Sign in</button></form>'
        )
    if path == "/sso":
        return page(
            '<h1>Sign in</h1><form action="/sso/password" method="get" class="step1"><label>User <input name="user" type="text">'
            "</label><button>Next</button></form>"
        )
    return None


def _cells(portal: TaughtPortal, path: str, is_logged_in: bool) -> TaughtReply:
    if (login := _cells_login(path)) is not None:
        return login
    if not is_logged_in:
        return moved("/sso")
    if path.startswith("/blob/"):
        _, _, number, name = path.split("/", 3)
        return replace(portal.file_reply(number, unquote(name).removesuffix(".x")), headers=())
    if path == "/board":
        return page('<div class="board"><h1>Board</h1></div>')
    order = portal.orders.get(path.removeprefix("/po/"))
    if order is None:
        return page('<h1>Sign in</h1><div class="flash">We have no such order</div>', 404)
    if order.is_forbidden:
        return page('<div class="flash">This order belongs to another department</div>', 403)
    rows = "".join(
        f'<tr><td>{n}</td><td class="doc-name">{escape(name)}</td><td class="by">Anna v1.2</td>'
        f'<td><a class="get" href="/blob/{order.number}/{quote(name)}.x">Download</a></td></tr>'
        for n, name in enumerate(order.files, 1)
    )
    body = (
        f'<table class="docs"><tbody>{rows}</tbody></table>'
        if rows
        else '<p class="nothing">There are no documents</p>'
    )
    return page(
        f'<section class="po"><h1>Order {order.number}</h1><p class="seller">{escape(order.supplier)}</p>'
        f'<b class="doc-count">{len(order.files)} documents</b>{body}</section>'
    )


# 2. A list of several pages, whose next one a script draws; two buttons alike, and a count of all files.

_PAGE_SIZE = 2
_PAGER = """<script>
let first = 0;
const files = FILES;
const show = () => {
  const row = ([name, address]) => `<li><a class="file" href="${address}">${name}</a></li>`;
  document.querySelector('.files').innerHTML = files.slice(first, first + SIZE).map(row).join('');
  document.querySelector('.prev').disabled = first === 0;
  document.querySelector('.next').disabled = first + SIZE >= files.length;
};
document.querySelector('.prev').onclick = () => { first -= SIZE; show(); };
document.querySelector('.next').onclick = () => { first += SIZE; show(); };
</script>"""


def _paged(portal: TaughtPortal, path: str, is_logged_in: bool) -> TaughtReply:
    if path.startswith("/in"):
        return page(LOGIN_FORM)
    if not is_logged_in:
        return moved("/in")
    if path.startswith("/f/"):
        _, _, number, name = path.split("/", 3)
        return portal.file_reply(number, unquote(name))
    if path == "/desk":
        return page('<div class="program"><h1>Desk</h1></div>')
    order = portal.orders.get(path.removeprefix("/po/"))
    if order is None:
        return page('<p class="message">Nothing was found for this number</p>')
    if order.is_forbidden:
        return page('<p class="message">Your role does not include this order</p>')
    files = [(name, f"/f/{order.number}/{quote(name)}") for name in order.files]
    rows = "".join(
        f'<li><a class="file" href="{address}">{escape(name)}</a></li>' for name, address in files[:_PAGE_SIZE]
    )
    is_last = "" if len(files) > _PAGE_SIZE else " disabled"
    pager = f'<button class="turn prev" disabled>Back</button><button class="turn next"{is_last}>Next</button>'
    return page(
        f'<main class="po"><h1>Order {order.number}</h1><p class="seller">{escape(order.supplier)}</p>'
        f'<b class="file-total">{len(files)} files</b><ul class="files">{rows}</ul>{pager}</main>'
        + _PAGER.replace("FILES", json.dumps(files)).replace("SIZE", str(_PAGE_SIZE))
    )


# 3. A list in a frame of the same portal, whose links are relative to the frame.


def _framed_files(order: TaughtOrder) -> str:
    links = "".join(f'<p><a class="doc" href="get/{quote(name)}">{escape(name)}</a></p>' for name in order.files)
    return f'<div class="frame-files"><b class="doc-count">{len(order.files)} documents</b>{links}<a href="help">Help</a></div>'


def _framed_page(order: TaughtOrder, frame: str) -> TaughtReply:
    return page(
        f'<div class="order-head"><h1>Order {order.number}</h1><p class="seller">{escape(order.supplier)}</p></div>{frame}'
    )


def _framed(portal: TaughtPortal, path: str, is_logged_in: bool) -> TaughtReply:
    if path.startswith("/in"):
        return page(LOGIN_FORM)
    if not is_logged_in:
        return moved("/in")
    if path == "/desk":
        return page('<div class="program"><h1>Desk</h1></div>')
    number, _, rest = path.removeprefix("/po/").partition("/")
    order = portal.orders.get(number)
    if order is None:
        return page('<p class="message">Nothing was found for this number</p>')
    if order.is_forbidden:
        return page('<p class="message">Your role does not include this order</p>')
    if rest.startswith("list/get/"):
        return portal.file_reply(number, unquote(rest.removeprefix("list/get/")))
    if rest == "list/view":
        return page(_framed_files(order))
    return _framed_page(order, f'<iframe src="/po/{number}/list/view"></iframe>')


def _framed_drawn(portal: TaughtPortal, path: str, is_logged_in: bool) -> str:
    order = portal.orders.get(path.removeprefix("/po/"))
    if not is_logged_in or order is None or order.is_forbidden:
        return _framed(portal, path if is_logged_in else "/in", is_logged_in).body.decode()
    address = f"{portal.url}/po/{order.number}/list/view"
    frame = f'<iframe src="{address}"></iframe><poolwright-frame><template shadowrootmode="open" data-poolwright-address="{address}">'
    return _framed_page(order, f"{frame}{_framed_files(order)}</template></poolwright-frame>").body.decode()


# 4. A server that asks for user and password itself, wherever somebody comes in.


def _basic(portal: TaughtPortal, path: str, is_logged_in: bool) -> TaughtReply:
    if not is_logged_in:
        refused = page("<h1>Authorization required</h1><p>This server could not verify that you may be here.</p>", 401)
        return replace(refused, headers=('WWW-Authenticate: Basic realm="orders"',))
    if path.startswith("/doc/"):
        _, _, number, name = path.split("/", 3)
        return portal.file_reply(number, unquote(name))
    if path == "/list":
        return page('<table id="latest"><tr><td>Latest orders</td></tr></table>')
    order = portal.orders.get(path.removeprefix("/order/"))
    if order is None:
        return page("<h1>Object not found!</h1>", 404)
    if order.is_forbidden:
        return page("<h1>Access forbidden!</h1>", 403)
    links = "".join(f'<dd><a href="/doc/{order.number}/{quote(name)}">{escape(name)}</a></dd>' for name in order.files)
    return page(
        f'<table id="order"><tr><td class="who">{escape(order.supplier)}</td></tr></table><p id="doc-number">Documents: '
        f"{len(order.files)}</p><dl>{links}</dl>"
    )


def further_portal(name: str) -> TaughtPortal:
    """One of the portals."""
    portals = (
        TaughtPortal(
            name="cells",
            orders=orders_of(*DIGITS),
            draw=_cells,
            order_path="/po/{number}",
            home_path="/board",
            missing="4500099999",
            password_path="/sso/password?user=anna",
            link_text="Download",
        ),
        TaughtPortal(
            name="paged",
            orders=orders_of(*DIGITS)
            | {DIGITS[4]: TaughtOrder(number=DIGITS[4], files=("1.pdf", "2.pdf", "3.pdf", "4.pdf", "5.pdf"))},
            draw=_paged,
            order_path="/po/{number}",
            home_path="/desk",
            missing="4500099999",
            next_button="Next",
            refusal=".message",
        ),
        TaughtPortal(
            name="framed",
            orders=orders_of(*DIGITS),
            draw=_framed,
            drawn=_framed_drawn,
            order_path="/po/{number}",
            home_path="/desk",
            missing="4500099999",
            refusal=".message",
        ),
        TaughtPortal(
            name="basic",
            orders=orders_of(*DIGITS),
            draw=_basic,
            order_path="/order/{number}",
            home_path="/list",
            missing="4500099999",
            refusal="h1",
            is_basic=True,
        ),
    )
    return next(portal for portal in portals if portal.name == name)
