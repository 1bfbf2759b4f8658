"""Who is let in, and what every answer tells a browser. No pool: an application that notes what it is asked to read."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from poolwright.service.api.app import PAGE_SECURITY_POLICY, PUBLIC_PATHS, find_pages, serve_pages
from poolwright.service.api.middleware import SECURITY_HEADERS, AuthMiddleware, SecurityHeadersMiddleware
from poolwright.service.api.token_auth import WRONG_TOKENS_MAX, WRONG_TOKENS_WINDOW_S, TokenAuth

TOKEN = "t" * 43
RIGHT = {"Authorization": f"Bearer {TOKEN}"}
WRONG = {"Authorization": f"Bearer {TOKEN[:-1]}x"}


@dataclass
class AnyRoute:
    """Answers everything, after reading it."""

    paths: list[str] = field(default_factory=list[str])
    read_bytes: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.paths.append(scope["path"])
        is_whole = False
        while not is_whole:
            message = await receive()
            self.read_bytes += len(message.get("body", b""))
            is_whole = not message.get("more_body", False)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"secret"})


@dataclass
class Time:
    now_s: float = 1000.0

    def monotonic(self) -> float:
        return self.now_s


def asking(app: ASGIApp) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8484")


def guarded(sight: AnyRoute, time: Time | None = None) -> AuthMiddleware:
    return AuthMiddleware(sight, TokenAuth(TOKEN, (time or Time()).monotonic), frozenset(PUBLIC_PATHS))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        WRONG,
        {"Authorization": "Bearer"},
        {"Authorization": TOKEN},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": "Bearer \xe4".encode("latin-1").decode("latin-1")},
        {"Cookie": f"token={TOKEN}"},
    ],
)
async def test_nothing_is_read_of_a_stranger(headers: dict[str, str]) -> None:
    sight = AnyRoute()

    async def much() -> AsyncGenerator[bytes]:
        for _ in range(100):
            yield b"{" * 1000

    async with asking(guarded(sight)) as client:
        raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        answer = await client.post("/api/v1/lists", content=much(), headers=raw)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"
    assert (sight.paths, sight.read_bytes) == ([], 0)


async def test_a_path_that_is_not_known_to_be_open_is_closed() -> None:
    sight = AnyRoute()
    async with asking(guarded(sight)) as client:
        closed = [
            (await client.get(path)).status_code
            for path in ("/", "/metrics", "/api/v1/status", "/docs", "//healthz", "/healthz/", "/readyz/..", "/x")
        ]
        opened = [(await client.get(path)).status_code for path in PUBLIC_PATHS]
        with_token = await client.get("/metrics", headers=RIGHT)
        any_case = await client.get("/metrics", headers={"Authorization": f"bearer {TOKEN}"})

    assert set(closed) == {401}
    assert set(opened) == {200}
    assert (with_token.status_code, any_case.status_code) == (200, 200)


async def test_many_wrong_tokens_have_to_wait_and_the_right_one_never() -> None:
    time = Time()
    async with asking(guarded(AnyRoute(), time)) as client:
        wrong = [await client.get("/x", headers=WRONG) for _ in range(WRONG_TOKENS_MAX + 2)]
        without = await client.get("/x")
        right = await client.get("/x", headers=RIGHT)
        time.now_s += WRONG_TOKENS_WINDOW_S - 1
        early = await client.get("/x", headers=WRONG)
        time.now_s += 2
        later = await client.get("/x", headers=WRONG)

    assert [answer.status_code for answer in wrong] == [401] * WRONG_TOKENS_MAX + [429, 429]
    assert [wrong[-1].headers["retry-after"], early.headers["retry-after"]] == [f"{WRONG_TOKENS_WINDOW_S:.0f}", "1"]
    assert (without.status_code, right.status_code, later.status_code) == (401, 200, 401)


async def test_every_answer_tells_a_browser_to_do_nothing_with_it() -> None:
    async with asking(SecurityHeadersMiddleware(AnyRoute())) as client:
        answer = await client.get("/x")

    assert dict(SECURITY_HEADERS).items() <= {name.title(): value for name, value in answer.headers.items()}.items()


async def test_the_page_is_served_with_its_policy_and_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<!doctype html>page")
    (tmp_path / "dashboard.js").write_text("start()")
    (tmp_path / "notes.txt").write_text("secret")
    app, pages = FastAPI(), find_pages(tmp_path)
    serve_pages(app, pages)

    async with asking(SecurityHeadersMiddleware(app)) as client:
        index, script = await client.get("/"), await client.get("/dashboard.js")
        others = [
            (await client.get(path)).status_code for path in ("/index.html", "/notes.txt", "/%2e%2e/x.js", "/x.css")
        ]
        posted = await client.post("/")

    assert sorted(pages) == ["/", "/dashboard.js"]
    assert (index.text, index.headers["content-type"]) == ("<!doctype html>page", "text/html; charset=utf-8")
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert {index.headers["content-security-policy"], script.headers["content-security-policy"]} == {
        PAGE_SECURITY_POLICY
    }
    assert index.headers["x-content-type-options"] == "nosniff"
    assert (set(others), posted.status_code) == ({404}, 405)


def test_the_page_asks_for_nothing_from_the_root_where_a_proxy_may_have_put_something_else() -> None:
    folder = resources.files("poolwright.service") / "dashboard"
    page, script = ((folder / name).read_text(encoding="utf-8") for name in ("index.html", "dashboard.js"))

    assert re.findall(r"(?:href|src|action)=[\"']?/[^\"'\s>]*", page) == []
    assert re.findall(r"[\"'`]/\w[^\"'`]*", script) == []
    assert 'const API = "api/v1"' in script


def test_without_a_page_there_is_none(tmp_path: Path) -> None:
    assert find_pages(tmp_path / "none") == {}
