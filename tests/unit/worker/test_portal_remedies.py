"""What people read when no page came."""

from __future__ import annotations

import pytest
from playwright.async_api import Error as PlaywrightError

from poolwright.worker.page.reachability import (
    authentication_schemes,
    describe_failure,
    remedy,
    remedy_for_challenge,
    remedy_for_status,
)

BASE = "https://portal.test"


@pytest.mark.parametrize(
    ("code", "beginning", "setting"),
    [
        ("CERT_AUTHORITY_INVALID", "cannot be opened", "POOLWRIGHT_CA_FILE"),
        ("CERT_COMMON_NAME_INVALID", "cannot be opened", "POOLWRIGHT_BASE_URL"),
        ("CERT_DATE_INVALID", "cannot be opened", "clock"),
        ("SSL_CLIENT_AUTH_CERT_NEEDED", "cannot be opened", "POOLWRIGHT_CLIENT_CERT"),
        ("BAD_SSL_CLIENT_AUTH_CERT", "cannot be opened", "POOLWRIGHT_CLIENT_CERT"),
        ("SOCKET_NOT_CONNECTED", "cannot be opened", "POOLWRIGHT_CLIENT_CERT"),
        ("INVALID_AUTH_CREDENTIALS", "cannot be opened", "POOLWRIGHT_HTTP_USER"),
        ("PROXY_CONNECTION_FAILED", "does not answer", "POOLWRIGHT_PROXY"),
        ("TUNNEL_CONNECTION_FAILED", "does not answer", "POOLWRIGHT_PROXY"),
        ("CONNECTION_CLOSED", "cannot be opened", "was accepted and then closed"),
        ("CONNECTION_RESET", "cannot be opened", "was accepted and then closed"),
        ("EMPTY_RESPONSE", "cannot be opened", "was accepted and then closed"),
        ("CONNECTION_TIMED_OUT", "does not answer", "ERR_CONNECTION_TIMED_OUT"),
        ("CONNECTION_REFUSED", "does not answer", "ERR_CONNECTION_REFUSED"),
    ],
)
def test_it_is_told_what_is_wrong_and_with_which_setting(code: str, beginning: str, setting: str) -> None:
    sentence = describe_failure(BASE, PlaywrightError(f"Page.goto: net::ERR_{code} at {BASE}/\nCall log: …"))

    assert sentence.startswith(f"The portal {BASE} {beginning} (")
    assert setting in sentence
    assert "\n" not in sentence


def test_a_status_of_servers_that_ask_for_a_certificate_names_the_setting() -> None:
    assert "POOLWRIGHT_CLIENT_CERT" in remedy_for_status(400)
    assert remedy_for_status(500) == ""


@pytest.mark.parametrize("address", ["https://sso.test/in", "https://portal.test:8443/in"])
def test_a_host_to_which_the_portal_leads_is_named(address: str) -> None:
    host = address.split("/")[2].partition(":")[0]
    wanted = f"net::ERR_SSL_CLIENT_AUTH_CERT_NEEDED at {address}"

    assert remedy(wanted, BASE) == remedy("net::ERR_SSL_CLIENT_AUTH_CERT_NEEDED", BASE, address)
    assert remedy(wanted, BASE).startswith(f"the portal redirects to {host}, and ")
    assert "POOLWRIGHT_CLIENT_CERT_HOSTS" in remedy(wanted, BASE)
    assert remedy("net::ERR_CERT_AUTHORITY_INVALID", BASE, address).startswith(f"{host}: this machine does not trust")
    assert remedy("net::ERR_FAILED", BASE, address) == ""


@pytest.mark.parametrize(
    ("header", "schemes"),
    [
        ("", ()),
        ('Basic realm="Orders, all"', ("Basic",)),
        ("Negotiate, NTLM", ("Negotiate", "NTLM")),
        ('NTLM, Basic realm="x", charset="UTF-8"', ("NTLM", "Basic")),
        ('Digest realm="x", qop="auth", nonce=abc==, Basic realm="y"', ("Digest", "Basic")),
    ],
)
def test_the_schemes_of_a_challenge_are_found(header: str, schemes: tuple[str, ...]) -> None:
    assert authentication_schemes(header) == schemes


@pytest.mark.parametrize(
    ("schemes", "is_possible"),
    [("Basic", True), ("Negotiate, NTLM", True), ("Digest", True), ("Negotiate", False), ("Bearer", False)],
)
def test_a_scheme_that_no_password_answers_is_named(schemes: str, *, is_possible: bool) -> None:
    told = remedy_for_challenge(schemes, is_login=True)

    assert ("cannot answer" in told) is not is_possible
    assert ("POOLWRIGHT_USER" in told) is is_possible
