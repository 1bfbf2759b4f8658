"""A made-up portal: a list of orders, the way in which their pages show the files, and the way to log in.

A make is pure: a request in, an answer out. ``serve_make`` puts it on a free port of loopback.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeAlias
from urllib.parse import parse_qs, quote, urlsplit

from poolwright.portal.pack import Pack, parse_toml
from tests.support.raw_portal import pdf
from tests.support.sites import Answer, Answering, Served, serving

USER, PASSWORD = "anna", "correct horse"
#: The files of each order; one has none, and what is not here does not exist.
ORDERS: Mapping[str, tuple[str, ...]] = {
    "1001": ("Offer 7.pdf", "Größe L.pdf", "Terms & conditions.pdf"),
    "1002": (),
    "1003": tuple(f"Drawing {number}.pdf" for number in range(1, 8)),
}
MISSING_NUMBER = "9999"
_PACK = """
schema = 1
name = "{name}"
title = "A portal: {name}"
[numbers]
pattern = '^[0-9]{{4}}$'
describe = "4 digits"
example = "1001"
[site]
order = "{order}"
probe = "/home"
[triage.session_lost]
address = ['^/login']
selector = ["input[type=password]"]
[triage.forbidden]
status = [403]
[triage.not_found]
status = [404]
selector = ["#missing"]
[triage.ready]
selector = ["#home", "#order"]
[fields.supplier]
selector = ["#supplier"]
[limits]
page_s = {page_s}
stall_s = 20
{login}
{attachments}
"""
FORM_LOGIN = """
[login]
ladder = ["form"]
start = "/login"
[login.form]
user = "#user"
password = "#password"
submit = "#submit"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request."""

    method: str
    path: str
    #: The values of the query, the first of each name.
    query: Mapping[str, str]
    #: The values of a form that was sent.
    form: Mapping[str, str]
    cookies: Mapping[str, str]
    headers: Mapping[str, str]

    @classmethod
    def parse(cls, request: str) -> Asked:
        """Read a whole request."""
        head, _, body = request.partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        method, target, *_ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        cookies = (part.strip().partition("=") for part in headers.get("cookie", "").split(";") if part.strip())
        parts = urlsplit(target)
        return cls(
            method=method,
            path=parts.path,
            query=_values(parts.query),
            form=_values(body),
            cookies={name: value for name, _, value in cookies},
            headers=headers,
        )


def _values(text: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(text).items()}


#: Answers what it knows; ``None`` for other requests.
Responding: TypeAlias = Callable[[Asked], Answer | None]


def html(body: str, script: str = "", **more: object) -> Answer:
    """A page."""
    text = f"<!DOCTYPE html><html><head><title>P</title></head><body>{body}<script>{script}</script></body></html>"
    return Answer(body=text, **more)  # pyright: ignore[reportArgumentType] - fields by name


def file_address(number: str, name: str) -> str:
    """Where a file of an order is."""
    return f"/file/{number}/{quote(name)}"


def content_of(number: str, name: str) -> bytes:
    """The bytes of a file, different for each."""
    return pdf(f"{number} {quote(name)}")


def respond_to_files(asked: Asked) -> Answer | None:
    """The files of all orders; the name is in the page alone."""
    if not asked.path.startswith("/file/"):
        return None
    for number, name in all_files():
        if asked.path == file_address(number, name):
            return Answer(body=content_of(number, name).decode(), kind="application/pdf")
    return html("<h1>No such file</h1>", status=404)


def all_files() -> Iterator[tuple[str, str]]:
    """Every file with the number of its order."""
    return ((number, name) for number, names in ORDERS.items() for name in names)


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalMake:
    """How a portal shows orders and lets people in."""

    name: str
    #: The address of an order, with ``{number}``.
    order: str
    #: The table of attachments of its pack.
    attachments: str
    respond: Responding
    #: The tables of its login, and its gate; without one everybody is let in.
    login: str = '[login]\nladder = ["revisit"]'
    gate: Responding | None = None
    calls: list[str] = field(default_factory=list[str])
    #: Seconds for which an order is waited for: also for a list that never gets what its page announces.
    page_s: float = 20.0

    def pack(self) -> Pack:
        """The pack."""
        tables = {"login": self.login, "attachments": self.attachments}
        text = _PACK.format(name=self.name, order=self.order, page_s=self.page_s, **tables)
        return parse_toml(text, self.name)

    def answer(self, request: str) -> Answer:
        """Answer one request."""
        asked = Asked.parse(request)
        self.calls.append(f"{asked.method} {asked.path}")
        if self.gate is not None and (refused := self.gate(asked)) is not None:
            return refused
        if asked.path == "/home":
            return html("<h1 id=home>Welcome</h1>")
        return self.respond(asked) or respond_to_files(asked) or html("<p id=missing>No such page</p>", status=404)


class _EveryPath(Mapping[str, Answer | Answering]):
    """A site that answers every path by one function."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering

    def __getitem__(self, path: str) -> Answering:
        return self._answering

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


@asynccontextmanager
async def serve_make(make: PortalMake) -> AsyncGenerator[Served]:
    """Serve a portal for the block."""
    async with serving(_EveryPath(make.answer)) as served:
        yield served
