"""Small portals on loopback that differ in how one logs in: pages of their own, HTTP authentication, a token, ..."""

from __future__ import annotations

import contextlib
import struct
from base64 import b64decode, b64encode
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import TypeAlias
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from poolwright.demo.portal_client import PortalClient
from poolwright.portal import pack as packs
from poolwright.portal.pack import Pack
from poolwright.service.api.http_server import ListenAddress, listener_url, open_listener, run_server

USER, PASSWORD, TOKEN, CODE = "anna", "hunter2-of-anna", "tok-4711-of-anna", "424242"
BASIC = f"Basic {b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"
#: Each order has one file that only somebody who is logged in gets.
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
#: Earlier values of a cookie that changes at every answer and that the portal still takes, for requests in flight.
GRACE = 8
Pages: TypeAlias = Callable[["LoginPortal", Request, Mapping[str, str]], Response | None]


@dataclass(kw_only=True)
class LoginPortal:
    """A portal, the pages of its login, and what it was asked."""

    pages: Pages
    #: Whether a request is let in without a session, as by a header.
    lets_in: Callable[[Request], bool] | None = None
    #: What a visitor who is not let in gets; else the way to the login page.
    refusal: Response | None = None
    #: Whether each answer sets another cookie.
    is_rotating: bool = False
    #: All sessions end after this many further pages of orders.
    expires_after: int = 0
    url: str = ""
    #: The identity provider, on a host of its own.
    provider_url: str = ""
    asked: list[Request] = field(default_factory=list[Request])
    asked_provider: list[Request] = field(default_factory=list[Request])
    logins: int = 0
    #: The last values of the cookie of each session that is open.
    sessions: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    _numbers: count[int] = field(default_factory=count)

    @property
    def paths(self) -> list[str]:
        """What was asked, in order."""
        return [request.url.path for request in self.asked]

    @property
    def client(self) -> PortalClient:
        """In the place of the demo portal."""
        return PortalClient(url=self.url, admin_token="", user=USER, password=PASSWORD, pid=0)

    def expire(self) -> None:
        """End all sessions."""
        self.sessions.clear()

    def open_session(self, response: Response) -> Response:
        """Log the visitor in who gets this response."""
        self.logins += 1
        name = f"s{next(self._numbers)}"
        self.sessions[name] = [f"{name}.0"]
        response.set_cookie("sid", f"{name}.0", httponly=True)
        return response

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer for the portal."""
        request = Request(scope, receive)
        self.asked.append(request)
        given = dict(parse_qsl((await request.body()).decode()))
        response = self.pages(self, request, given) or self._protected(request)
        await self._rotated(request, response)(scope, receive, send)

    async def serve_provider(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer for the identity provider: a form, or somebody whom it knows already."""
        request = Request(scope, receive)
        self.asked_provider.append(request)
        given = dict(parse_qsl((await request.body()).decode()))
        is_right = (given.get("user"), given.get("password")) == (USER, PASSWORD)
        is_known = request.url.path == "/known"
        response = (
            RedirectResponse(f"{self.url}/acs?ticket=1", 302) if is_right or is_known else _page(FORM, "Provider")
        )
        await response(scope, receive, send)

    def _is_in(self, request: Request) -> bool:
        if self.lets_in is not None:
            return self.lets_in(request)
        sid = request.cookies.get("sid", "")
        return sid in self.sessions.get(sid.partition(".")[0], [])

    def _rotated(self, request: Request, response: Response) -> Response:
        name = request.cookies.get("sid", "").partition(".")[0]
        if self.is_rotating and name in self.sessions and "set-cookie" not in response.headers:
            values = self.sessions[name]
            values.append(f"{name}.{int(values[-1].partition('.')[2]) + 1}")
            del values[:-GRACE]
            response.set_cookie("sid", values[-1], httponly=True)
        return response

    def _protected(self, request: Request) -> Response:
        path = request.url.path
        if path == "/favicon.ico":
            return Response(status_code=404)
        if not self._is_in(request):
            return self.refusal or RedirectResponse("/login", 302)
        if path.startswith("/files/"):
            return Response(
                PDF, media_type="application/pdf", headers={"Content-Disposition": "attachment; filename=a.pdf"}
            )
        if path.startswith("/order/"):
            if self.expires_after:
                self.expires_after -= 1
                if not self.expires_after:
                    self.expire()
            number = path.removeprefix("/order/")
            return _page(f"<div id=order>{number}</div><a class=att href=/files/{number}>a.pdf</a>", "Order")
        return _page("<div id=home>Orders</div>", "Orders")


def _page(body: str, title: str) -> Response:
    return HTMLResponse(f"<!doctype html><html><head><title>{title}</title></head><body>{body}</body></html>")


FIELDS = "<input id=user name=user><input id=password name=password type=password>"
FORM = f"<form method=post>{FIELDS}<button id=go>Go</button></form>"


def _is_right(given: Mapping[str, str]) -> bool:
    return (given.get("user", USER), given.get("password")) == (USER, PASSWORD)


def form(portal: LoginPortal, request: Request, given: Mapping[str, str]) -> Response | None:
    """One form on one page, below a search form with fields of the same kind."""
    if request.url.path != "/login":
        return None
    if _is_right(given):
        return portal.open_session(RedirectResponse("/home", 302))
    search = "<form id=search action=/search><input name=user><input name=password><button>Search</button></form>"
    return _page(f"{search}{FORM.replace('<form', '<form id=login')}", "Sign in")


def two_pages(portal: LoginPortal, request: Request, given: Mapping[str, str]) -> Response | None:
    """User, next, password, "Stay signed in?"; the button is called the same on all three pages."""
    path = request.url.path
    if path == "/login/stay" and request.method == "POST":
        return portal.open_session(RedirectResponse("/home", 302))
    ways = {"/login": given.get("user") == USER, "/login/password": _is_right(given)}
    if ways.get(path):
        return RedirectResponse("/login/password" if path == "/login" else "/login/stay", 302)
    titles = {"/login": "Who are you?", "/login/password": "Password", "/login/stay": "Stay signed in?"}
    fields = {
        "/login": "<input id=user name=user>",
        "/login/password": "<input id=password name=password type=password>",
        "/login/stay": "<p>Stay signed in?</p>",
    }
    shown = f"<form method=post>{fields.get(path)}<button id=next>Next</button></form>"
    return _page(shown, titles[path]) if path in titles else None


def two_pages_only(portal: LoginPortal, request: Request, given: Mapping[str, str]) -> Response | None:
    """The same without the last question."""
    if request.url.path == "/login/password" and _is_right(given):
        return portal.open_session(RedirectResponse("/home", 302))
    return two_pages(portal, request, given)


def script(portal: LoginPortal, request: Request, given: Mapping[str, str]) -> Response | None:
    """A script asks a moment later whether the password is right; the page itself stays."""
    if request.url.path == "/api/login":
        right = _is_right(given)
        return portal.open_session(Response("{}")) if right else Response("{}", 403)
    if request.url.path != "/login":
        return None
    send = (
        "const send = () => setTimeout(async () => { const form = new URLSearchParams();"
        "for (const id of ['user', 'password']) form.set(id, document.getElementById(id).value);"
        "const answer = await fetch('/api/login', {method: 'POST', body: form});"
        "if (answer.ok) document.body.innerHTML = '<a id=welcome href=/home>Orders</a>'; }, 300);"
    )
    fields = "<input id=user><input id=password type=password><button id=go onclick='send()'>Go</button>"
    return _page(f"{fields}<script>{send}</script>", "Client")


def frame(portal: LoginPortal, request: Request, given: Mapping[str, str]) -> Response | None:
    """The form is in a frame, which leads the page around it on."""
    if request.url.path == "/login/frame":
        if _is_right(given):
            return portal.open_session(_page("<script>parent.location = '/home'</script>", "In"))
        return _page(FORM, "Frame")
    return _page("<iframe id=login src=/login/frame></iframe>", "Sign in") if request.url.path == "/login" else None


def provider(portal: LoginPortal, request: Request, given: Mapping[str, str]) -> Response | None:
    """The form is on a host of its own."""
    if request.url.path == "/acs":
        return portal.open_session(RedirectResponse("/home", 302))
    return RedirectResponse(f"{portal.provider_url}/form", 302) if request.url.path == "/login" else None


def sign_on(portal: LoginPortal, request: Request, given: Mapping[str, str]) -> Response | None:
    """A button and an address start single sign-on with a provider that knows the visitor."""
    if request.url.path == "/sso":
        return RedirectResponse(f"{portal.provider_url}/known", 302)
    if request.url.path == "/login":
        return _page("<a id=sso href=/sso>Company login</a>", "Sign in")
    return provider(portal, request, given)


def with_code(portal: LoginPortal, request: Request, given: Mapping[str, str]) -> Response | None:
    """One form that asks for a one-time code too."""
    if request.url.path != "/login":
        return None
    if _is_right(given) and given.get("code") == CODE:
        return portal.open_session(RedirectResponse("/home", 302))
    return _page(FORM.replace("<button", "<input id=code name=code><button"), "Sign in")


def no_pages(portal: LoginPortal, request: Request, given: Mapping[str, str]) -> Response | None:
    """No page of a login at all."""
    return None


def basic_portal() -> LoginPortal:
    """HTTP authentication."""
    asking = HTMLResponse("who are you?", 401, {"WWW-Authenticate": 'Basic realm="orders, all"'})
    return LoginPortal(pages=no_pages, refusal=asking, lets_in=lambda one: one.headers.get("authorization") == BASIC)


def digest_portal() -> LoginPortal:
    """HTTP authentication that sends no password."""
    asking = HTMLResponse("who are you?", 401, {"WWW-Authenticate": 'Digest realm="orders", qop="auth", nonce="4711"'})
    begin = f'Digest username="{USER}"'
    return LoginPortal(
        pages=no_pages, refusal=asking, lets_in=lambda one: one.headers.get("authorization", "").startswith(begin)
    )


def ntlm_portal() -> LoginPortal:
    """HTTP authentication by NTLM: it takes three requests, and holds for their connection alone."""
    known: set[int] = set()  # connections, by the port of the visitor

    def message(request: Request) -> bytes:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return b64decode(token) if scheme == "NTLM" else b""

    def challenge(portal: LoginPortal, request: Request, given: Mapping[str, str]) -> Response | None:
        is_first = message(request)[8:9] == b"\1"
        return HTMLResponse("go on", 401, {"WWW-Authenticate": _ntlm_challenge()}) if is_first else None

    def is_in(request: Request) -> bool:
        told = message(request)
        assert request.client is not None
        if told[8:9] == b"\3":
            length, _, start = struct.unpack_from("<HHI", told, 36)
            if told[start : start + length].decode("utf-16-le") == USER:
                known.add(request.client.port)
        return request.client.port in known

    asking = HTMLResponse("who are you?", 401, {"WWW-Authenticate": "NTLM"})
    return LoginPortal(pages=challenge, refusal=asking, lets_in=is_in)


def _ntlm_challenge() -> str:
    """The second message of NTLM: who asks, and a number to be used with the password."""
    name = "PORTAL".encode("utf-16-le")
    fields = struct.pack("<HH", 2, len(name)) + name + struct.pack("<HH", 1, len(name)) + name + bytes(4)
    start = 56
    flags = 0x008A8205  # texts in Unicode, of a domain, with the fields; signed
    head = b"NTLMSSP\0" + struct.pack("<IHHII", 2, len(name), len(name), start, flags) + b"12345678" + bytes(8)
    place = struct.pack("<HHI", len(fields), len(fields), start + len(name)) + bytes(8)
    return f"NTLM {b64encode(head + place + name + fields).decode()}"


def token_portal() -> LoginPortal:
    """A token in a header."""
    refusal = HTMLResponse("<p id=denied>no token</p>", 401)
    return LoginPortal(
        pages=no_pages, refusal=refusal, lets_in=lambda one: one.headers.get("x-key") == f"Bearer {TOKEN}"
    )


def steps(*lines: str) -> str:
    """Login steps, one line each."""
    return "".join("\n".join(("", "[[login.steps]]", *line.split("; "), "")) for line in lines)


AS_FORM = steps('fill = "#user"; value = "{user}"', 'fill = "#password"; value = "{password}"', 'click = "#go"')


def login_pack(login: str, *, ladder: str = '"revisit", "form"', page_s: float = 10.0) -> Pack:
    """A pack for these portals."""
    return packs.parse_toml(pack_text(login, ladder=ladder, page_s=page_s), "mine")


def pack_text(login: str, *, ladder: str = '"revisit", "form"', page_s: float = 10.0) -> str:
    """The text of that pack; ``login`` comes after the keys of its table."""
    return f"""schema = 1
name = "mine"
title = "Mine"
[numbers]
pattern = '^[0-9]+$'
describe = "digits"
example = "1"
[site]
order = "/order/{{number}}"
probe = "/home"
[triage.session_lost]
address = ['^/login']
selector = ["#denied"]
[triage.forbidden]
status = [403]
[triage.not_found]
status = [404]
[triage.ready]
selector = ["#home", "#order"]
[attachments]
links = ["a.att"]
settled = ["#order"]
[limits]
page_s = {page_s}
stall_s = 10
[login]
ladder = [{ladder}]
start = "/"
{login}
"""


@contextlib.asynccontextmanager
async def login_portal(portal: LoginPortal) -> AsyncGenerator[LoginPortal]:
    """Serve a portal on a free port, and its identity provider as another host."""
    address = ListenAddress(host="127.0.0.1", port=0)

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        await portal.serve(scope, receive, send)

    async def serve_provider(scope: Scope, receive: Receive, send: Send) -> None:
        await portal.serve_provider(scope, receive, send)

    with open_listener(address) as listener, open_listener(address) as provider_listener:
        portal.url = listener_url(listener)
        portal.provider_url = listener_url(provider_listener).replace("127.0.0.1", "localhost")
        async with run_server(serve, listener), run_server(serve_provider, provider_listener):
            yield portal
