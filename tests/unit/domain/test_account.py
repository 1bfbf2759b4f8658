"""Accounts: equal when they are the same place and profile, however the address is written."""

from __future__ import annotations

import pytest

from poolwright.domain.account import Account, page_origin, plain_address


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("https://acme.example", "https://acme.example"),
        ("HTTPS://Acme.Example/", "https://acme.example"),
        ("https://acme.example:443", "https://acme.example"),
        ("http://acme.example:80/", "http://acme.example"),
        ("https://acme.example:8443/", "https://acme.example:8443"),
        ("https://acme.example/tenant-a/", "https://acme.example/tenant-a"),
        ("https://acme.example/TAX/", "https://acme.example/TAX"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("https:///no-host", "https:///no-host"),
    ],
)
def test_an_address_is_written_in_one_way(written: str, plain: str) -> None:
    assert plain_address(written) == plain


def test_tenants_below_one_host_are_two_accounts() -> None:
    one, other = (Account.at(f"https://vendor.example/{name}", portal="p", profile="w") for name in ("a", "b"))

    assert one != other
    assert one == Account(portal="p", address="https://vendor.example/a", profile="w")


@pytest.mark.parametrize(
    ("address", "page", "may"),
    [
        ("https://acme.example", "https://acme.example/orders/1", True),
        ("http://acme.example", "https://www.acme.example/orders/1", True),
        ("https://acme.example", "https://beta.example/orders/1", False),
        ("http://127.0.0.1:8001", "http://127.0.0.1:8001/orders/1", True),
        ("http://127.0.0.1:8001", "http://127.0.0.1:8002/orders/1", False),
        ("https://acme.example", "about:blank", False),
        ("https://acme.example", "https://acme.example:99999/", False),
    ],
)
def test_a_page_tells_whether_it_can_be_of_the_portal(address: str, page: str, may: bool) -> None:
    assert Account.at(address, portal="p", profile="w").may_show(page) is may


def test_where_a_page_is_from() -> None:
    assert page_origin("https://acme.example/orders/1?a=b") == "https://acme.example"
    assert page_origin("about:blank") == "about:blank"
