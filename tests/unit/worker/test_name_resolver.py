"""What a name leads to, and who connects to it."""

from __future__ import annotations

import anyio
import pytest

from poolwright.domain.options import Proxy
from poolwright.portal.addresses import origin_of
from poolwright.worker.transfer.name_resolver import NameResolver

PROXY = Proxy(address="http://proxy.test:3128", bypass=("near.test", ".inner.test"))


@pytest.fixture(autouse=True)
def _no_proxy_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("host", "scope"),
    [
        ("127.0.0.1", "this machine"),
        ("2130706433", "this machine"),
        ("0x7f000001", "this machine"),
        ("0177.0.0.1", "this machine"),
        ("127.1", "this machine"),
        ("localhost", "this machine"),
        ("[::1]", "this machine"),
        ("[::ffff:127.0.0.1]", "this machine"),
        ("0", "a reserved network"),
        ("10.0.0.1", "a private network"),
        ("167772161", "a private network"),
        ("0xa9fea9fe", "the local link"),
        ("[fe80::1]", "the local link"),
        ("[fd00::1]", "a private network"),
    ],
)
async def test_no_form_of_an_address_hides_where_it_leads(host: str, scope: str) -> None:
    found = await NameResolver().resolve(f"http://{host}:81/x")

    assert (found.usable, scope in found.problem, found.is_unresolved) == ((), True, False)
    assert (await NameResolver(PROXY).resolve(f"http://{host}/x")).problem == found.problem, "a proxy changes nothing"


async def test_addresses_are_usable_in_an_order_that_most_machines_can_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    async def look_up(host: str, port: int) -> list[tuple[object, ...]]:
        assert (host, port) == ("files.test", 443)
        return [(0, 0, 0, "", (address, port)) for address in ("2600::1", "8.8.8.8", "2600::1", "8.8.4.4")]

    monkeypatch.setattr(anyio, "getaddrinfo", look_up)

    found = await NameResolver().resolve("https://files.test/x")

    assert (found.usable, found.problem, found.is_unresolved) == (("8.8.8.8", "8.8.4.4", "2600::1"), "", False)
    assert (await NameResolver(PROXY).resolve("https://files.test/x")).usable == (), "the proxy connects by the name"


@pytest.mark.parametrize("error", [OSError, UnicodeError])
async def test_a_name_that_is_not_found_may_be_found_later_and_a_proxy_may_know_it(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    async def look_up(*_: object) -> list[tuple[object, ...]]:
        raise error

    monkeypatch.setattr(anyio, "getaddrinfo", look_up)

    alone = await NameResolver().resolve("https://files.test/x")

    assert (alone.usable, alone.problem, alone.is_unresolved) == ((), "the host files.test cannot be found", True)
    assert (await NameResolver(PROXY).resolve("https://files.test/x")).problem == ""


async def test_what_is_no_web_address_is_refused() -> None:
    found = await NameResolver().resolve("ftp://files.test/x")

    assert (found.problem, found.is_unresolved) == ("its address is not a web address", False)


@pytest.mark.parametrize(
    ("url", "is_proxied"),
    [
        ("https://files.test", True),
        ("https://near.test", False),
        ("https://far.near.test", True),
        ("https://a.inner.test", False),
        ("https://inner.test", True),
    ],
)
def test_the_proxy_of_the_settings_connects_but_to_the_hosts_of_its_list(url: str, *, is_proxied: bool) -> None:
    origin = origin_of(url)
    assert origin is not None
    assert NameResolver(PROXY).is_proxied(origin) is is_proxied


def test_a_proxy_of_the_system_connects_for_its_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.test:3128")
    monkeypatch.setenv("no_proxy", "near.test,own.test:8443")
    told: dict[str, bool] = {}
    for url in ("https://a.test", "http://a.test", "https://near.test", "https://own.test:8443", "https://own.test"):
        origin = origin_of(url)
        assert origin is not None
        told[url] = NameResolver().is_proxied(origin)

    assert told == {
        "https://a.test": True,
        "http://a.test": False,
        "https://near.test": False,
        "https://own.test:8443": False,
        "https://own.test": True,
    }

    monkeypatch.delenv("https_proxy")
    monkeypatch.setenv("all_proxy", "socks5://proxy.test")
    origin = origin_of("http://a.test")
    assert origin is not None
    assert NameResolver().is_proxied(origin)
