"""What may leave an order's page."""

from __future__ import annotations

import pytest

from poolwright.portal.request_policy import PageRequest, RequestRuling, rule_on_request
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
