"""Who can reach a daemon: nobody in the network by accident, and no web page by a name of its own."""

from __future__ import annotations

import socket

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from poolwright.domain.errors import OptionsError
from poolwright.service.api.http_server import check_bind_address, is_local_host, request_limits_for
from poolwright.service.api.middleware import PathPrefixMiddleware, RequestLimitMiddleware

LOCAL = ("127.0.0.1", "127.0.0.2", "::1", "localhost", "LOCALHOST", "localhost.")
REMOTE = ("0.0.0.0", "::", "192.168.1.7", "poolwright.example", "localhost.example")  # noqa: S104 - what is refused


@pytest.mark.parametrize("host", LOCAL)
def test_this_machines_own_addresses_need_no_leave(host: str) -> None:
    check_bind_address(host, allows_remote=False)

    assert is_local_host(host)


@pytest.mark.parametrize("host", REMOTE)
def test_any_other_needs_it(host: str) -> None:
    with pytest.raises(OptionsError, match="--allow-remote"):
        check_bind_address(host, allows_remote=False)
    check_bind_address(host, allows_remote=True)


async def answered(host: str, *names: str) -> list[int]:
    app = RequestLimitMiddleware(PlainTextResponse("ok"), request_limits_for(host, 1000))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        return [(await client.get("http://x/", headers={"Host": name})).status_code for name in names]


async def test_at_home_only_names_of_home_are_answered() -> None:
    assert await answered("127.0.0.2", "127.0.0.2:8484", "localhost", "[::1]:1") == [200, 200, 200]
    assert await answered("127.0.0.1", "evil.example", "192.168.1.7", "127.0.0.1.evil.example", "") == [421] * 4


async def test_in_the_network_figures_are_answered_and_names_of_others_are_not() -> None:
    names = ("192.168.1.7:8484", "[fe80::1]:8484", f"{socket.gethostname().upper()}:8484", "localhost")

    assert await answered("0.0.0.0", *names) == [200] * 4  # noqa: S104 - it is asked within the test alone
    assert await answered("0.0.0.0", "evil.example", "1.2.3.4.evil.example") == [421, 421]  # noqa: S104
    assert await answered("pool.example", "Pool.Example:80") == [200]


async def test_names_of_a_proxy_in_front_are_answered_where_settings_name_them() -> None:
    app = RequestLimitMiddleware(PlainTextResponse("ok"), request_limits_for("127.0.0.1", 1000, ("Pool.example.com",)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        codes = [
            (await client.get("http://x/", headers={"Host": name})).status_code
            for name in ("pool.example.com", "POOL.example.com:443", "other.example.com", "localhost")
        ]

    assert codes == [200, 200, 421, 200]


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("bücher.example", "xn--bcher-kva.example"),
        ("Bücher.Example", "xn--bcher-kva.example:8443"),
        ("pool.example.", "pool.example"),
        ("pool.example", "pool.example.:443"),
        ("[fd00::7]", "[fd00::7]:8484"),
    ],
)
async def test_a_name_is_known_however_it_is_written(name: str, asked: str) -> None:
    app = RequestLimitMiddleware(PlainTextResponse("ok"), request_limits_for("127.0.0.1", 1000, (name,)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        codes = [(await client.get("http://x/", headers={"Host": host})).status_code for host in (asked, f"x{asked}")]

    assert codes == [200, 421]


def is_own(path: str) -> bool:
    return path in {"/", "/healthz"} or path.startswith("/api/v1/")


async def paths_behind(prefix: str, *asked: str) -> list[tuple[int, str]]:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse(scope["path"])(scope, receive, send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(PathPrefixMiddleware(app, prefix, is_own))) as client:
        answers = [await client.get(f"http://x{path}") for path in asked]
    return [(answer.status_code, answer.headers.get("location", answer.text)) for answer in answers]


async def test_below_a_path_of_a_proxy_the_same_is_found_whether_it_takes_the_path_off_or_not() -> None:
    assert await paths_behind("/pool", "/pool/", "/pool/api/v1/status", "/api/v1/status", "/poolside") == [
        (200, "/"),
        (200, "/api/v1/status"),
        (200, "/api/v1/status"),
        (200, "/poolside"),
    ]
    assert await paths_behind("/pool", "/pool") == [(308, "/pool/")]
    assert await paths_behind("", "/pool/x", "/") == [(200, "/pool/x"), (200, "/")]


@pytest.mark.parametrize("prefix", ["/api", "/api/v1", "/healthz"])
async def test_a_path_that_begins_like_one_of_ours_is_told_apart_by_what_is_left(prefix: str) -> None:
    taken_off = ("/api/v1/status", "/")
    handed_on = (f"{prefix}/api/v1/status", f"{prefix}/", f"{prefix}/healthz")

    assert await paths_behind(prefix, *taken_off) == [(200, path) for path in taken_off]
    assert await paths_behind(prefix, *handed_on) == [(200, path.removeprefix(prefix)) for path in handed_on]
