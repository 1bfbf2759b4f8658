"""A portal on loopback that answers each address with the very bytes of a test: no server stands in between.

Whoever asks is logged in. Pauses are numbers of seconds between the pieces of an answer.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import TypeAlias

import anyio
from anyio.abc import SocketAttribute, SocketStream

from poolwright.portal.pack import Pack, parse_toml

Piece: TypeAlias = bytes | float
_PACK = """
schema = 1
name = "raw"
title = "Raw portal"
[numbers]
pattern = '^[0-9]+$'
describe = "digits"
example = "1"
[site]
order = "/order/{number}"
probe = "/home"
[login]
ladder = ["revisit"]
[triage.session_lost]
address = ['/login', '(?<![a-z])sso(?![a-z])']
selector = ["#password"]
[triage.forbidden]
status = [403]
[triage.not_found]
status = [404]
[triage.ready]
selector = ["#home", "#order"]
[attachments]
links = ["a.att", "object.att", "embed.att", "iframe.att"]
clicks = ["button.att"]
settled = ["#order"]
"""
#: Its pages have their files anywhere, so that an order is there without any.
_EMPTY = 'empty = { selector = ["#order:not(:has(.att))"] }'
_LIMITS = """
[limits]
stall_s = 3
page_s = 10
"""
LOGIN_PAGE = b"<!DOCTYPE html><html><body><form><input id=password type=password></form></body></html>"


def raw_pack(more: str = "", *, attachments: str = "", settled: str = '["#order"]', limits: str = _LIMITS) -> Pack:
    """What is known of the raw portal, with further keys of its table of attachments and further tables.

    ``limits`` is for a test that brings its own. An order without files has none, unless the keys say how it shows it.
    """
    text = f"{_PACK}{limits}".replace('settled = ["#order"]', f"settled = {settled}")
    keys = attachments if "empty" in attachments + more else f"{attachments}\n{_EMPTY}"
    return parse_toml(text.replace("[attachments]\n", f"[attachments]\n{keys}\n") + more, "raw")


def pdf(mark: str) -> bytes:
    """A small PDF that is told from others by its mark."""
    return f"%PDF-1.4\n%{mark}\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n".encode()


def answer(body: bytes, *headers: str, status: str = "200 OK", kind: str = "application/pdf") -> bytes:
    """A whole answer."""
    lines = (
        f"HTTP/1.1 {status}",
        f"Content-Type: {kind}",
        *headers,
        f"Content-Length: {len(body)}",
        "Connection: close",
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def attached(name: str, body: bytes) -> bytes:
    """A file with its name in the header."""
    return answer(body, f'Content-Disposition: attachment; filename="{name}"')


@dataclass(kw_only=True)
class RawPortal:
    """What it answers, and what it was asked."""

    url: str = ""
    user: str = ""
    password: str = ""
    #: Pieces of the answer for each address, the query included.
    routes: dict[str, tuple[Piece, ...]] = field(default_factory=dict[str, tuple[Piece, ...]])
    #: The answer for an address that only its query tells from one of them; nothing for none.
    fallback: tuple[Piece, ...] = ()
    #: Answers that are given once, before those of ``routes``.
    once: dict[str, tuple[Piece, ...]] = field(default_factory=dict[str, tuple[Piece, ...]])
    #: Answers that are given one after the other, each once, before those.
    later: dict[str, list[tuple[Piece, ...]]] = field(default_factory=dict[str, list[tuple[Piece, ...]]])
    #: What must stand in the head of a request for it to get what is in ``routes``.
    demanded: str = ""
    #: Addresses that are refused without a Referer.
    referred: frozenset[str] = frozenset()
    asked: list[str] = field(default_factory=list[str])
    #: The whole head of each request.
    heads: list[str] = field(default_factory=list[str])

    def order(self, number: str, links: str, script: str = "") -> None:
        """Make the page of an order."""
        page = (
            f"<!DOCTYPE html><html><head><meta charset=utf-8></head><body><div id=order>{number}</div>"
            f"{links}<script>{script}</script></body></html>"
        )
        self.routes[f"/order/{number}"] = (answer(page.encode(), kind="text/html"),)

    async def serve(self, stream: SocketStream) -> None:
        """Answer one request."""
        async with stream:
            with contextlib.suppress(anyio.BrokenResourceError, anyio.EndOfStream, anyio.ClosedResourceError):
                head = b""
                while b"\r\n\r\n" not in head:
                    head += await stream.receive()
                target = head.split(b" ", 2)[1].decode()
                self.asked.append(target)
                self.heads.append(head.decode("latin-1"))
                for piece in self._pieces(target, head.decode("latin-1")):
                    if isinstance(piece, bytes):
                        await stream.send(piece)
                    else:
                        await anyio.sleep(piece)

    def _pieces(self, target: str, head: str) -> tuple[Piece, ...]:
        if self.later.get(target):
            return self.later[target].pop(0)
        if target in self.once:
            return self.once.pop(target)
        if target == "/home":
            return (answer(b"<!DOCTYPE html><html><body><div id=home></div></body></html>", kind="text/html"),)
        is_unreferred = target in self.referred and "\nreferer:" not in head.lower()
        if is_unreferred or (self.demanded.lower() not in head.lower() and not target.startswith("/order/")):
            return (answer(b"no", status="403 Forbidden", kind="text/plain"),)
        if self.fallback and target.split("?", maxsplit=1)[0] in self.routes:
            return self.routes.get(target, self.fallback)
        return self.routes.get(target, (answer(b"", status="404 Not Found", kind="text/html"),))


@contextlib.asynccontextmanager
async def raw_portal() -> AsyncGenerator[RawPortal]:
    """Serve a portal on a free port for the time of a block."""
    portal = RawPortal()
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    _, port = listener.extra(SocketAttribute.local_address)  # noqa: S610 - of a socket and no database
    portal.url = f"http://127.0.0.1:{port}"
    async with listener, anyio.create_task_group() as serving:
        serving.start_soon(listener.serve, portal.serve)
        yield portal
        serving.cancel_scope.cancel()
