"""A portal of a few fixed answers, for what the demo portal does not do."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

import anyio
from anyio.abc import SocketAttribute, SocketStream

from poolwright.demo.portal_client import PortalClient
from poolwright.portal import pack as packs
from poolwright.portal.pack import Pack


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one address is answered with."""

    body: str = ""
    status: int = 200
    location: str = ""
    delay_s: float = 0.0
    kind: str = "text/html"
    headers: tuple[str, ...] = ()
    #: Whether the line goes dead without a word.
    is_broken: bool = False


Answering: TypeAlias = Callable[[str], Answer]


@dataclass(kw_only=True)
class Served:
    """A site that is up."""

    url: str = ""
    #: Method and path of everything that was asked, in order.
    asked: list[str] = field(default_factory=list[str])


@asynccontextmanager
async def serving(site: Mapping[str, Answer | Answering]) -> AsyncGenerator[Served]:
    """Serve a site; what is not in it is an empty page. An answer may depend on the whole request."""
    served = Served()

    async def answer(stream: SocketStream) -> None:
        async with stream:
            request = (await stream.receive()).decode(errors="replace")
            method, path, *_ = request.split(" ")
            served.asked.append(f"{method} {path}")
            one = site.get(path, Answer())
            one = one if isinstance(one, Answer) else one(request)
            await anyio.sleep(one.delay_s)
            if one.is_broken:
                return
            lines = [f"HTTP/1.1 {one.status} X", f"Content-Type: {one.kind}; charset=utf-8", *one.headers]
            lines += [f"Location: {one.location}"] if one.location else []
            body = one.body.encode()
            head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "Connection: close", "", ""])
            await stream.send(head.encode() + body)

    async def serve(stream: SocketStream) -> None:
        with contextlib.suppress(anyio.BrokenResourceError, anyio.EndOfStream):  # a browser need not wait for an answer
            await answer(stream)

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    served.url = f"http://127.0.0.1:{listener.extra_attributes[SocketAttribute.local_port]()}"
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        yield served
        tasks.cancel_scope.cancel()


def pack_of(attachments: str, *, more: str = "", page_s: float = 4.0) -> Pack:
    """A pack for orders at ``/order/1000`` with a table of attachments of its own."""
    links = "" if "links =" in attachments else 'links = ["a.att"]'
    text = f"""schema = 1
name = "tiny"
title = "Tiny"
[numbers]
pattern = '^\\\\d{{4}}$'
describe = "4 digits"
example = "1000"
[site]
order = "/order/{{number}}"
probe = "/orders"
[login]
ladder = ["revisit"]
[triage.session_lost]
address = ['^/login']
selector = ["#login"]
[triage.forbidden]
status = [403]
[triage.not_found]
status = [404]
[triage.ready]
selector = ["#order", "#orders"]
[limits]
page_s = {page_s}
stall_s = 3
[attachments]
{links}
clicks = ["button.att"]
{attachments}
{more}
"""
    return packs.parse_toml(text.replace("\\\\d", "\\d"), "tiny")


def portal_at(url: str) -> PortalClient:
    """A served site in the place of the demo portal, where nobody logs in."""
    return PortalClient(url=url, admin_token="", user="", password="", pid=0)
