"""What may leave an order's page."""

from __future__ import annotations

from dataclasses import replace

import pytest

from poolwright.portal.pack_schema import OtherHosts
from poolwright.portal.request_policy import (
    PageRequest,
    RequestRuling,
    body_problems,
    free_addresses,
    is_named,
    local_patterns,
    rule_on_request,
)
from tests.support.sites import pack_of

HOME = "https://portal.test"
PACK = pack_of("", more="").model_copy()
NAMED = PACK.model_copy(
    update={
        "site": PACK.site.model_copy(update={"posts": ("^/graphql$",), "hosts": ("files.test",)}),
        "login": PACK.login.model_copy(update={"hosts": ("sso.test",)}),
    }
)


def ruling(
    method: str, url: str, *, is_navigation: bool = False, sender: str = "", is_clicking: bool = False
) -> RequestRuling:
    """By a pack that names a post, a host of files and one of its login."""
    request = PageRequest(method=method, url=url, is_navigation=is_navigation, sender=sender, is_clicking=is_clicking)
    return rule_on_request(NAMED, HOME, request)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
@pytest.mark.parametrize(
    "url", [f"{HOME}/x", "https://files.test/x", "https://elsewhere.test/chat", "data:text/html,x"]
)
def test_what_only_asks_goes(method: str, url: str) -> None:
    assert ruling(method, url) is RequestRuling.ALLOWED


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "post", "ODD"])
def test_what_could_change_something_does_not(method: str) -> None:
    assert ruling(method, f"{HOME}/order/1") is RequestRuling.BLOCKED
    assert ruling(method, "https://elsewhere.test/") is RequestRuling.BLOCKED


def test_what_the_pack_names_goes_to_the_portal_alone() -> None:
    assert ruling("POST", f"{HOME}/graphql") is RequestRuling.ALLOWED
    assert ruling("POST", f"{HOME}/graphql/x") is RequestRuling.BLOCKED
    assert ruling("POST", "https://elsewhere.test/graphql") is RequestRuling.BLOCKED


def test_a_button_that_the_pack_names_may_send_its_form() -> None:
    assert ruling("POST", f"{HOME}/download", is_navigation=True, is_clicking=True) is RequestRuling.ALLOWED
    assert ruling("DELETE", f"{HOME}/download", is_clicking=True) is RequestRuling.BLOCKED
    assert ruling("POST", "https://elsewhere.test/", is_clicking=True) is RequestRuling.BLOCKED
    assert ruling("GET", "https://store.test/signed", is_navigation=True, is_clicking=True) is RequestRuling.ALLOWED


@pytest.mark.parametrize("url", ["https://elsewhere.test/", "http://169.254.169.254/latest", "http://portal.test/"])
def test_the_page_itself_stays_with_the_portal(url: str) -> None:
    assert ruling("GET", url, is_navigation=True) is RequestRuling.OFF_PORTAL


def test_single_sign_on_that_the_pack_names_goes_both_ways() -> None:
    assert ruling("GET", "https://sso.test/login", is_navigation=True) is RequestRuling.ALLOWED
    assert ruling("POST", "https://sso.test/login", is_navigation=True) is RequestRuling.ALLOWED
    assert ruling("POST", f"{HOME}/acs", is_navigation=True, sender="https://sso.test") is RequestRuling.ALLOWED
    assert ruling("POST", f"{HOME}/acs", is_navigation=True, sender="https://elsewhere.test") is RequestRuling.BLOCKED


def test_a_socket_is_opened_only_where_the_pack_names_it() -> None:
    def of(url: str, *, is_clicking: bool = False) -> RequestRuling:
        request = PageRequest(method="POST", url=url, is_navigation=False, is_clicking=is_clicking, is_socket=True)
        return rule_on_request(NAMED, HOME, request)

    assert of(f"{HOME}/graphql") is RequestRuling.ALLOWED
    assert of(f"{HOME}/live", is_clicking=True) is RequestRuling.BLOCKED
    read = PageRequest(method="GET", url=f"{HOME}/live", is_navigation=False, is_socket=True)
    assert rule_on_request(NAMED, HOME, read) is RequestRuling.BLOCKED


def test_a_pack_may_block_all_hosts_that_it_does_not_name() -> None:
    strict = NAMED.model_copy(update={"site": NAMED.site.model_copy(update={"other_hosts": OtherHosts.BLOCK})})

    def of(url: str, *, method: str = "GET", is_navigation: bool = False, is_clicking: bool = False) -> RequestRuling:
        request = PageRequest(method=method, url=url, is_navigation=is_navigation, is_clicking=is_clicking)
        return rule_on_request(strict, HOME, request)

    for url in (f"{HOME}/x", "https://files.test/x", "https://sso.test/x"):
        assert of(url) is RequestRuling.ALLOWED
    assert of("https://elsewhere.test/font") is RequestRuling.OTHER_HOST
    assert of("https://elsewhere.test/font", method="POST") is RequestRuling.OTHER_HOST
    assert of("https://elsewhere.test/font", is_clicking=True) is RequestRuling.OTHER_HOST
    assert of("https://elsewhere.test/", is_navigation=True) is RequestRuling.OFF_PORTAL
    assert of("https://store.test/signed", is_navigation=True, is_clicking=True) is RequestRuling.ALLOWED
    assert of(f"{HOME}/save", method="POST") is RequestRuling.BLOCKED
    assert of("data:text/html,x") is RequestRuling.ALLOWED


@pytest.mark.parametrize(
    ("url", "is_right"),
    [
        (f"{HOME}/x", True),
        ("https://files.test/x", True),
        ("https://sso.test/x", True),
        ("https://elsewhere.test/x", False),
        ("http://127.0.0.1/", False),
    ],
)
def test_the_portal_its_hosts_and_those_of_its_login_are_named(url: str, *, is_right: bool) -> None:
    assert is_named(NAMED, HOME, url) is is_right


def test_places_that_are_not_on_the_internet_are_checked_whatever_is_loaded_from_them() -> None:
    every = (
        "*://localhost*",
        "*://*.localhost*",
        "*://0.*",
        "*://10.*",
        "*://100.*",
        "*://127.*",
        "*://169.254.*",
        "*://172.1?.*",
        "*://172.2?.*",
        "*://172.3?.*",
        "*://192.168.*",
        "*://[*",
    )
    assert local_patterns(HOME) == every


@pytest.mark.parametrize(
    ("base_url", "left_out"),
    [
        ("http://localhost:8000", "*://localhost*"),
        ("http://a.localhost", "*://*.localhost*"),
        ("https://10.1.2.3", "*://10.*"),
        ("https://172.20.1.1", "*://172.2?.*"),
        ("https://[fd00::1]:8443", "*://[*"),
        ("no address", ""),
    ],
)
def test_only_those_of_the_portal_itself_load_unchecked(base_url: str, left_out: str) -> None:
    assert [one for one in local_patterns(HOME) if one not in local_patterns(base_url)] == [left_out][: bool(left_out)]


def test_a_call_that_is_listed_with_its_body_goes_with_no_other_body() -> None:
    rules = NAMED.site.model_dump() | {
        "posts": (
            "^/graphql$",
            {"address": "^/rpc$", "body": {"method": "read"}},
            {"address": "^/rpc", "body": {"method": "count"}},
        )
    }
    pack = NAMED.model_copy(update={"site": type(NAMED.site).model_validate(rules)})

    def of(body: bytes | None, url: str = f"{HOME}/rpc", *, is_socket: bool = False) -> RequestRuling:
        request = PageRequest(method="POST", url=url, is_navigation=False, body=body, is_socket=is_socket)
        return rule_on_request(pack, HOME, request)

    assert of(b'{"method": "read"}') is RequestRuling.ALLOWED
    assert of(b'{"method": "count"}') is RequestRuling.ALLOWED
    assert of(b'{"method": "write"}') is RequestRuling.OTHER_BODY
    assert of(None) is RequestRuling.OTHER_BODY
    assert of(b'{"method": "read"}', is_socket=True) is RequestRuling.OTHER_BODY
    assert of(b'{"method": "read"}', "https://elsewhere.test/rpc") is RequestRuling.BLOCKED
    assert of(b'{"method": "read"}', f"{HOME}/other") is RequestRuling.BLOCKED
    assert of(b"anything", f"{HOME}/graphql") is RequestRuling.ALLOWED
    assert free_addresses(pack) == ("^/graphql$",)
    request = PageRequest(method="POST", url=f"{HOME}/rpc", is_navigation=False, body=b'{"method": "count"}')
    assert body_problems(pack, request) == ["its body has method = 'count'", ""]


def test_the_type_of_a_body_is_that_of_its_header() -> None:
    rules = NAMED.site.model_dump() | {"posts": ({"address": "^/rpc$", "body": {"method": "read"}},)}
    pack = NAMED.model_copy(update={"site": type(NAMED.site).model_validate(rules)})
    request = PageRequest(
        method="POST",
        url=f"{HOME}/rpc",
        is_navigation=False,
        body=b"method=read",
        content_type="application/x-www-form-urlencoded",
    )

    assert rule_on_request(pack, HOME, request) is RequestRuling.ALLOWED
    assert rule_on_request(pack, HOME, replace(request, content_type="")) is RequestRuling.OTHER_BODY
