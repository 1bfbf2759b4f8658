"""Who can reach a daemon: nobody in the network by accident, and no web page by a name of its own."""

from __future__ import annotations

import socket

import httpx
import pytest
from starlette.responses import PlainTextResponse

from app.domain.failures import OptionsError
from app.service.api.limits import Limited
from app.service.api.reach import check_reach, is_local, limits_at

LOCAL = ("127.0.0.1", "127.0.0.2", "::1", "localhost", "LOCALHOST")
REMOTE = ("0.0.0.0", "::", "192.168.1.7", "poolwright.example", "localhost.example")  # noqa: S104 - what is refused


@pytest.mark.parametrize("host", LOCAL)
def test_this_machines_own_addresses_need_no_leave(host: str) -> None:
    check_reach(host, allows_remote=False)

    assert is_local(host)


@pytest.mark.parametrize("host", REMOTE)
def test_any_other_needs_it(host: str) -> None:
    with pytest.raises(OptionsError, match="--allow-remote"):
        check_reach(host, allows_remote=False)
    check_reach(host, allows_remote=True)


async def answered(host: str, *names: str) -> list[int]:
    app = Limited(PlainTextResponse("ok"), limits_at(host, 1000))
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
