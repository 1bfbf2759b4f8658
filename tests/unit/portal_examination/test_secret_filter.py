"""Saved pages hold no cookies and no keys, and links that differ only by their keys stay different."""

from __future__ import annotations

import pytest

from poolwright.portal.examination.secret_filter import SecretFilter

COOKIE = "s%3Aq8f7Xk21-hh72ab"


def test_the_value_of_a_cookie_is_removed_wherever_it_stands() -> None:
    cleaned = SecretFilter([COOKIE]).clean(f'<a href="/x;jsession={COOKIE}">{COOKIE}</a>')

    assert COOKIE not in cleaned
    assert cleaned.count("removed-1") == 2


@pytest.mark.parametrize("value", ["en-GB", "dark", "purchase-orders-overview", "12345"])
def test_a_cookie_with_the_choice_of_a_user_is_no_secret(value: str) -> None:
    assert SecretFilter([value]).clean(f"<b>{value}</b>") == f"<b>{value}</b>"


@pytest.mark.parametrize(
    "name",
    [
        "token",
        "access_token",
        "csrfToken",
        "X-Amz-Signature",
        "sig",
        "sid",
        "session_id",
        "auth",
        "api_key",
        "SAMLResponse",
    ],
)
@pytest.mark.parametrize("before", ["?", "?a=1&", "?a=1&amp;", "/x;"])
def test_a_key_in_an_address_is_removed(name: str, before: str) -> None:
    cleaned = SecretFilter([]).clean(f'<a href="/f{before}{name}=abcdef123456789&b=2">')

    assert cleaned == f'<a href="/f{before}{name}=removed-1&b=2">'


@pytest.mark.parametrize("text", ["/f?page=abcdef123456789", "/f?token=1", "/f?code=OPEN", "token=abcdef123456789"])
def test_what_is_no_key_stays(text: str) -> None:
    assert SecretFilter([]).clean(text) == text


def test_two_keys_stay_two_and_one_stays_one() -> None:
    secrets = SecretFilter([])
    first, second, third = "a" * 20, "b" * 20, "a" * 20

    cleaned = [secrets.clean(f"/f?token={value}") for value in (first, second, third)]

    assert cleaned == ["/f?token=removed-1", "/f?token=removed-2", "/f?token=removed-1"]
    assert [secrets.clean(text) for text in cleaned] == cleaned
