# ruff: noqa: E501, PLR0911 - pages of a portal stand in one line, and each address has its answer
"""Five made-up portals of different makes, from which a pack is learned: small servers with a login and a few orders.

Each page is drawn by one function, for the browser and for the saved pages of the tests alike.
"""

from __future__ import annotations

import contextlib
import json
from base64 import b64encode
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

import anyio
from anyio.abc import SocketAttribute, SocketStream

USER, PASSWORD = "anna", "secret"
#: The same by HTTP.
BASIC = f"Basic {b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"


@dataclass(frozen=True, kw_only=True)
class TaughtOrder:
    """One order: its files by name, or why there is no page of it."""

    number: str
    supplier: str = "Acme Ltd"
    files: tuple[str, ...] = ()
    is_forbidden: bool = False

    def content(self, name: str) -> bytes:
        """The bytes of one file."""
        return f"%PDF-1.4\n%{self.number} {name}\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n".encode()


def orders_of(*numbers: str) -> dict[str, TaughtOrder]:
    """Two orders with files to learn from, one without, one that is forbidden; then two that were never shown."""
    made = (
        TaughtOrder(number=numbers[0], files=("Offer 1.pdf", "Terms.pdf", "Drawing_A.pdf")),
        TaughtOrder(number=numbers[1], supplier="Nordwind GmbH", files=("Confirmation.pdf",)),
        TaughtOrder(number=numbers[2], supplier="Nordwind GmbH"),
        TaughtOrder(number=numbers[3], is_forbidden=True),
        TaughtOrder(number=numbers[4], supplier="Acme Ltd", files=tuple(f"Sheet {n}.pdf" for n in range(1, 4))),
        TaughtOrder(number=numbers[5], supplier="Globex", files=("Delete list.pdf", "2024-05-01 note.pdf")),
    )
    return {order.number: order for order in made}


@dataclass(frozen=True, kw_only=True)
class TaughtReply:
    """One answer."""

    body: bytes = b""
    status: int = 200
    kind: str = "text/html; charset=utf-8"
    headers: tuple[str, ...] = ()


def page(body: str, status: int = 200) -> TaughtReply:
    """A page around a body."""
    return TaughtReply(
        body=f"<!DOCTYPE html><html><head><meta charset=utf-8></head><body>{body}</body></html>".encode(), status=status
    )


def moved(address: str, *headers: str) -> TaughtReply:
    """A redirect."""
    return TaughtReply(status=302, headers=(f"Location: {address}", *headers))


#: What a portal answers to a POST with this path and body, for somebody who is logged in or not.
Call = Callable[["TaughtPortal", str, str, bool], TaughtReply]
#: What a portal answers to the path of a request, for somebody who is logged in or not.
Draw = Callable[["TaughtPortal", str, bool], TaughtReply]


@dataclass(kw_only=True)
class TaughtPortal:
    """One portal, and where it is."""

    name: str
    orders: dict[str, TaughtOrder]
    draw: Draw
    #: Addresses of its pages.
    order_path: str
    home_path: str
    missing: str
    #: The second page of its login, which asks for the password alone; empty if it has one page.
    password_path: str = ""
    #: Whether its server asks for user and password by HTTP, and has no login page.
    is_basic: bool = False
    #: The text of the button to the next page of a list of two files and more; empty if lists have one page.
    next_button: str = ""
    #: An element of a page that refuses something.
    refusal: str = ".flash, .message, .flash_error, [role=alert], .slds-error"
    #: How an order's page looks once its scripts have run; for portals that draw themselves.
    drawn: Callable[[TaughtPortal, str, bool], str] | None = None
    #: The orders that are brought to try a pack; all but the shown ones with attachments if empty.
    tried: tuple[str, ...] = ()
    #: What stands in the addresses of orders in place of their numbers, where a person searches for these.
    ids: dict[str, str] = field(default_factory=dict[str, str])
    #: The page with the search, its button (empty if results come while one types), and what a result says if not the
    #: number; without the page there is no search. Then the text of the button to the next page of the results.
    search_path: str = ""
    search_button: str = ""
    result: str = ""
    results_next: str = ""
    #: The calls that a search sends.
    search_calls: tuple[dict[str, Any], ...] = ()
    #: What each link or button of a file says, if not the name of the file.
    link_text: str = ""
    #: How it answers the calls of its scripts; for clients that talk by calls.
    call: Call | None = None
    #: The calls that its scripts send on a page, as the window notes them.
    calls: tuple[dict[str, Any], ...] = ()
    #: The names of files on disk, for those that no disk can have.
    filed: dict[str, str] = field(default_factory=dict[str, str])
    url: str = "https://portal.test"
    user: str = USER
    password: str = PASSWORD
    asked: list[str] = field(default_factory=list[str])

    def path_of(self, number: str) -> str:
        """Where an order is."""
        return self.order_path.replace("{number}", self.ids.get(number, number))

    def saved(self, path: str, *, is_logged_in: bool = True) -> tuple[str, str, int]:
        """Source, final address and status of a page as a browser saves it."""
        if self.drawn:
            reply = self.draw(self, path, is_logged_in)
            shown = reply.headers[0].partition(": ")[2] if reply.status == 302 else path
            return self.drawn(self, path, is_logged_in), f"{self.url}{shown}", 200
        reply = self.draw(self, path, is_logged_in)
        while reply.status == 302:
            path = reply.headers[0].partition(": ")[2]
            reply = self.draw(self, path, is_logged_in)
        return reply.body.decode(), f"{self.url}{path}", reply.status

    def file_reply(self, number: str, name: str) -> TaughtReply:
        """One file, with its name in the header."""
        order = self.orders.get(number)
        if order is None or name not in order.files:
            return page("<h1>No such file</h1>", 404)
        header = f"Content-Disposition: attachment; filename*=UTF-8''{quote(name)}"
        return TaughtReply(body=order.content(name), kind="application/pdf", headers=(header,))

    async def serve(self, stream: SocketStream) -> None:
        """Answer one request."""
        async with stream:
            with contextlib.suppress(anyio.BrokenResourceError, anyio.EndOfStream, anyio.ClosedResourceError):
                data = b""
                while b"\r\n\r\n" not in data:
                    data += await stream.receive()
                head, _, body = data.partition(b"\r\n\r\n")
                lines = head.decode("latin-1").split("\r\n")
                headers = {
                    name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])
                }
                while len(body) < int(headers.get("content-length", "0")):
                    body += await stream.receive()
                method, target, _ = lines[0].split(" ", 2)
                self.asked.append(f"{method} {target}")
                is_logged_in = "session=good" in headers.get("cookie", "") or headers.get("authorization") == BASIC
                reply = self._reply(method, target, body.decode(), is_logged_in=is_logged_in)
                top = [f"HTTP/1.1 {reply.status} X", f"Content-Type: {reply.kind}", *reply.headers]
                top += [f"Content-Length: {len(reply.body)}", "Connection: close", "", ""]
                await stream.send("\r\n".join(top).encode() + reply.body)

    def _reply(self, method: str, target: str, body: str, *, is_logged_in: bool) -> TaughtReply:
        if target == "/favicon.ico":
            return TaughtReply(status=404)
        if method == "POST" and target == "/session":
            given = {name: values[0] for name, values in parse_qs(body).items()}
            if given.get("user") == USER and given.get("pass") == PASSWORD:
                return moved(self.home_path, "Set-Cookie: session=good; Path=/; HttpOnly")
            return page("<h1>Wrong</h1>", 401)
        if method == "POST" and self.call:
            self.asked[-1] += f" {body}"
            return self.call(self, target, body, is_logged_in)
        return self.draw(self, target, is_logged_in)


LOGIN_FORM = (
    '<form action="/session" method="post" class="sign-in"><h1>Please sign in</h1><label>User <input name="user" type="text">'
    '</label><label>Password <input name="pass" type="password"></label><button type="submit">Sign in</button></form>'
)


def _split(portal: TaughtPortal, path: str, prefix: str) -> TaughtOrder | None:
    return portal.orders.get(unquote(path.removeprefix(prefix)))


# 1. Rendered by the server: a table with a second link in each row, a count, and a login page of its own.


def _table(portal: TaughtPortal, path: str, is_logged_in: bool) -> TaughtReply:
    nav = '<nav><a href="/start">Start</a> <a href="/orders/export.pdf">Manual</a> <a href="/logout">Log out</a></nav>'
    if path.startswith("/login"):
        return page(LOGIN_FORM)
    if not is_logged_in:
        return moved(f"/login?next={quote(path, safe='')}")
    if path.startswith("/files/"):
        _, _, number, name = path.split("/", 3)
        return portal.file_reply(number, unquote(name))
    if path == "/start":
        return page(f'{nav}<div id="welcome"><h1>Welcome, Anna</h1></div>')
    order = _split(portal, path, "/orders/")
    if order is None:
        return page(f'{nav}<div class="flash error">Order {escape(path[8:])} could not be found.</div>', 404)
    if order.is_forbidden:
        return page(f'{nav}<div class="flash error">You are not allowed to see this order.</div>', 403)
    rows = "".join(
        f'<tr class="{"odd" if n % 2 else "even"}"><td>{n}</td><td class="doc"><a href="/files/{order.number}/{quote(name)}">'
        f'{escape(name)}</a></td><td><a href="/files/{order.number}/{quote(name)}/delete" class="danger">Delete</a></td></tr>'
        for n, name in enumerate(order.files, 1)
    )
    files = f"<table><tbody>{rows}</tbody></table>" if rows else '<p class="none">This order has no documents.</p>'
    return page(
        f'{nav}<article id="order-view"><h1>Order {order.number}</h1><dl><dt>Buyer</dt><dd>Anna</dd><dt>Supplier</dt>'
        f'<dd class="vendor">{escape(order.supplier)} (1042)</dd></dl><section id="documents">'
        f'<h2 class="counter">Documents ({len(order.files)})</h2>{files}</section></article>'
    )


# 2. A single page with hash routes; its list comes later by a request; errors and the login stand in place.


def _route(portal: TaughtPortal, route: str) -> tuple[str, str]:
    """The parts that requests bring: the page, and the list of files."""
    order = portal.orders.get(route.removeprefix("/po/"))
    if route == "/home":
        return '<div class="home-board"><h2>Today</h2></div>', ""
    if order is None:
        return '<div class="message">There is no purchase order with this number</div>', ""
    if order.is_forbidden:
        return '<div class="message">You have no permission for this purchase order</div>', ""
    links = "".join(
        f'<li class="row"><a class="file-link" href="/app/file?po={order.number}&amp;name={quote(name)}">{escape(name)}</a></li>'
        for name in order.files
    )
    head = (
        f'<div class="po-view"><h2>Purchase order {order.number}</h2><span class="supplier-name">{escape(order.supplier)}</span>'
        '<div class="file-box"></div></div>'
    )
    listed = f'<ul class="file-list">{links}</ul>' if links else '<span class="blank">Nothing attached</span>'
    return head, listed


_ROUTER = """<div id="app"></div><script>
const show = async () => {
  const route = location.hash.slice(1) || '/home';
  const app = document.querySelector('#app');
  const answer = await fetch('/app/part' + route);
  if (answer.status === 401) { app.innerHTML = FORM; return; }
  app.innerHTML = await answer.text();
  const box = app.querySelector('.file-box');
  if (box) box.innerHTML = await (await fetch('/app/files' + route)).text();
};
addEventListener('hashchange', show);
show();
</script>"""


def _routes(portal: TaughtPortal, path: str, is_logged_in: bool) -> TaughtReply:
    if path == "/app":
        return page(_ROUTER.replace("FORM", json.dumps(LOGIN_FORM)))
    if not is_logged_in:
        return TaughtReply(status=401)
    if path.startswith("/app/file?"):
        given = parse_qs(urlsplit(path).query)
        return portal.file_reply(given["po"][0], given["name"][0])
    kind, route = path.removeprefix("/app/")[:5].rstrip("/"), "/" + path.split("/", 3)[-1]
    head, listed = _route(portal, route)
    return TaughtReply(body=(head if kind == "part" else listed).encode())


def _routes_drawn(portal: TaughtPortal, path: str, is_logged_in: bool) -> str:
    head, listed = _route(portal, path.partition("#")[2])
    inner = (
        head.replace('<div class="file-box"></div>', f'<div class="file-box">{listed}</div>')
        if is_logged_in
        else LOGIN_FORM
    )
    return f'<html><body><div id="app">{inner}</div></body></html>'


# 3. Spans with data-url, as Coupa has them; no count, refusals in a flash.


def _spans(portal: TaughtPortal, path: str, is_logged_in: bool) -> TaughtReply:
    if path == "/sessions/new":
        return page(f'<div id="login_box">{LOGIN_FORM}</div>')
    if not is_logged_in:
        return moved("/sessions/new")
    if path.startswith("/attachment/"):
        _, _, number, name = path.split("/", 3)
        return portal.file_reply(number, unquote(name))
    if path == "/order_headers":
        return page(
            '<div id="pageContent"><h1>Orders</h1><table id="order_header_table"><tr><td>none</td></tr></table></div>'
        )
    order = _split(portal, path, "/order_headers/")
    if order is None:
        return page("<div class=flash_error><p>Oops! We couldn't find what you wanted</p></div><h1>Orders</h1>")
    if order.is_forbidden:
        return page("<div class=flash_error><p>You are not authorized to view this page</p></div><h1>Orders</h1>", 403)
    spans = "".join(
        f'<span class="attachmentFile s-{n}" role="link" data-url="/attachment/{order.number}/{quote(name)}" '
        f'title="{escape(name)}">{escape(name)}</span>'
        for n, name in enumerate(order.files, 7_000_001)
    )
    spans = spans or '<span class="emptyText">No attachments</span>'
    return page(
        f'<div id="order_header_show"><h1>Purchase Order #{order.number}</h1><div id="order_header_supplier">{escape(order.supplier)}'
        f'</div><span data-url="/help/topics">Help</span><div class="attachmentsField">{spans}</div></div>'
    )


# 4. Buttons that bring a file when they are clicked.

_CLICK = """<script>
const fetchFile = (place) => { location.href = '/dl/' + place; };
</script>"""


def _buttons(portal: TaughtPortal, path: str, is_logged_in: bool) -> TaughtReply:
    if path == "/signon":
        return page(LOGIN_FORM)
    if not is_logged_in:
        return moved("/signon")
    if path.startswith("/dl/"):
        _, _, number, name = path.split("/", 3)
        return portal.file_reply(number, unquote(name))
    if path == "/desk":
        return page('<main id="desk"><h1>Desk</h1><button class="btn">New</button></main>')
    order = portal.orders.get(parse_qs(urlsplit(path).query).get("po", [""])[0])
    if order is None:
        return page('<main><p role="alert">Unknown purchase order</p></main>')
    if order.is_forbidden:
        return page('<main><p role="alert">Access to this purchase order is denied</p></main>')
    cards = "".join(
        f"""<li class="card"><span class="label">{escape(name)}</span><button class="btn get" title="{escape(name)}" """
        f"""onclick="fetchFile('{order.number}/{quote(name)}')">Get</button></li>"""
        for name in order.files
    )
    return page(
        f'<main id="po-page"><h1>PO {order.number}</h1><p class="party">Supplier: {escape(order.supplier)}</p>'
        f'<button class="btn">Print</button><div class="files" data-total="{len(order.files)}"><ul>{cards}</ul></div></main>{_CLICK}'
    )


# 5. Links in an open shadow root; numbers are keys of letters and digits.


def _shadow_files(order: TaughtOrder) -> str:
    links = "".join(
        f'<a class="item" href="/sfc/servlet.shepherd/version/download/{order.number}-{n}?name={quote(name)}">{escape(name)}</a>'
        for n, name in enumerate(order.files)
    )
    return f'<header>Files <b class="tally">{len(order.files)} files</b></header>{links}'


def _shadow_page(order: TaughtOrder, files: str) -> str:
    return (
        f'<record-page><h1>Order record</h1><p class="account">{escape(order.supplier)}</p><a href="/setup">Setup</a>'
        f"{files}</record-page>"
    )


def _shadow(portal: TaughtPortal, path: str, is_logged_in: bool) -> TaughtReply:
    if path == "/auth":
        return page(LOGIN_FORM)
    if not is_logged_in:
        return moved("/auth")
    if path.startswith("/sfc/"):
        place = urlsplit(path)
        return portal.file_reply(place.path.rpartition("/")[2].rpartition("-")[0], parse_qs(place.query)["name"][0])
    if path == "/lightning/home":
        return page('<home-page><h1>Home</h1><p class="greeting">Good morning</p></home-page>')
    order = _split(portal, path.removesuffix("/view"), "/lightning/r/Order/")
    if order is None:
        return page('<div class="slds-error">This record does not exist or was deleted</div>')
    if order.is_forbidden:
        return page('<div class="slds-error">Insufficient privileges</div>')
    script = (
        "<script>customElements.define('related-files', class extends HTMLElement { connectedCallback() {"
        f"this.attachShadow({{mode: 'open'}}).innerHTML = {json.dumps(_shadow_files(order))}; }} }});</script>"
    )
    return page(_shadow_page(order, f"<related-files></related-files>{script}"))


def _shadow_drawn(portal: TaughtPortal, path: str, is_logged_in: bool) -> str:
    order = _split(portal, path.removesuffix("/view"), "/lightning/r/Order/")
    if not is_logged_in or order is None or order.is_forbidden:
        return _shadow(portal, path if is_logged_in else "/auth", is_logged_in).body.decode()
    inner = f'<related-files><template shadowrootmode="open">{_shadow_files(order)}</template></related-files>'
    return page(_shadow_page(order, inner)).body.decode()


DIGITS = ("4500010001", "4500010002", "4500010003", "4500010004", "4500010005", "4500010006")
_KEYS = tuple(f"8015g00000{tail}" for tail in ("XyzAB", "AbcDE", "QrsTU", "LmnOP", "aBcXy", "ZzYyX"))
NAMES = ("table", "routes", "spans", "buttons", "shadow")


def taught_portal(name: str) -> TaughtPortal:
    """One of the five portals."""
    digits, keys = orders_of(*DIGITS), orders_of(*_KEYS)
    missing, key = "4500099999", "8015g00000NoneX"
    portals = (
        TaughtPortal(
            name="table", orders=digits, draw=_table, order_path="/orders/{number}", home_path="/start", missing=missing
        ),
        TaughtPortal(
            name="routes",
            orders=digits,
            draw=_routes,
            drawn=_routes_drawn,
            order_path="/app#/po/{number}",
            home_path="/app#/home",
            missing=missing,
        ),
        TaughtPortal(
            name="spans",
            orders=digits,
            draw=_spans,
            order_path="/order_headers/{number}",
            home_path="/order_headers",
            missing=missing,
        ),
        TaughtPortal(
            name="buttons",
            orders=digits,
            draw=_buttons,
            order_path="/view?po={number}",
            link_text="Get",
            home_path="/desk",
            missing=missing,
        ),
        TaughtPortal(
            name="shadow",
            orders=keys,
            draw=_shadow,
            drawn=_shadow_drawn,
            order_path="/lightning/r/Order/{number}/view",
            home_path="/lightning/home",
            missing=key,
        ),
    )
    return next(portal for portal in portals if portal.name == name)


@contextlib.asynccontextmanager
async def serving_taught(portal: TaughtPortal) -> AsyncGenerator[TaughtPortal]:
    """Serve a portal on a free port for the time of a block."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    portal.url = f"http://127.0.0.1:{listener.extra_attributes[SocketAttribute.local_port]()}"
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, portal.serve)
        yield portal
        tasks.cancel_scope.cancel()
