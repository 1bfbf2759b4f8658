"""What counts as a lost cookie, in numbers and in words."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from playwright.async_api import BrowserContext

from poolwright.domain.ids import SiteCookies
from poolwright.worker.browser.cookie_snapshot import (
    count_missing,
    describe_missing,
    is_newer,
    last_browser_version,
    verify_cookies,
)
from poolwright.worker.errors import CannotStartError, CookiesLostError

EXPECTED = (
    SiteCookies(site="a.test", lasting_count=2, session_count=1),
    SiteCookies(site="b.test", lasting_count=0, session_count=2),
)


@pytest.mark.parametrize("present", [{"a.test": 3, "b.test": 2}, {"a.test": 4, "b.test": 2, "c.test": 1}])
def test_a_browser_that_has_all_or_more_lost_none(present: dict[str, int]) -> None:
    assert count_missing(EXPECTED, present) == {}


def test_what_one_site_has_more_makes_up_for_no_other() -> None:
    assert count_missing(EXPECTED, {"a.test": 9, "b.test": 1}) == {"b.test": 1}


def test_a_site_that_is_gone_lost_all() -> None:
    assert count_missing(EXPECTED, {}) == {"a.test": 3, "b.test": 2}


def test_a_browser_that_keeps_no_session_cookies_must_have_the_others() -> None:
    assert count_missing(EXPECTED, {"a.test": 2}, keeps_session=False) == {}
    assert count_missing(EXPECTED, {"a.test": 1}, keeps_session=False) == {"a.test": 1}


def test_a_profile_without_cookies_loses_none() -> None:
    assert count_missing((), {}) == {}


def test_the_sentence_names_numbers_and_sites() -> None:
    assert describe_missing({"a.test": 1, "b.test": 2}, EXPECTED) == (
        "The browser has lost 3 of the 5 cookies that this profile holds, so a login may be gone: "
        "2 of b.test, 1 of a.test."
    )


def test_many_sites_are_not_all_named() -> None:
    sites = {f"{letter}.test": 1 for letter in "abcdefg"}
    assert describe_missing(sites, ()).endswith("1 of d.test, 1 of e.test and 2 more sites.")


@pytest.mark.parametrize(
    ("last_version", "product", "answer"),
    [
        ("150.0.7000.1", "Chrome/149.0.1.2", True),
        ("150.0.7000.1", "Chrome/150.0.1.2", False),
        ("99.0.1", "Chrome/100.0.1", False),
        ("", "Chrome/149.0.1.2", False),
        ("150.0.7000.1", "", False),
        ("?", "Chrome/149.0.1.2", False),
    ],
)
def test_a_profile_of_a_newer_browser_is_known_by_main_versions(last_version: str, product: str, answer: bool) -> None:
    assert is_newer(last_version, product) is answer


def test_a_profile_that_does_not_say_who_used_it_says_nothing(tmp_path: Path) -> None:
    assert last_browser_version(tmp_path) == ""
    (tmp_path / "Last Version").write_text("150.0.7000.1\n")
    assert last_browser_version(tmp_path) == "150.0.7000.1"


class CookielessBrowser:
    """A browser of some version that has no cookie."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.browser = self

    async def cookies(self) -> list[object]:
        return []

    async def new_browser_cdp_session(self) -> CookielessBrowser:
        return self

    async def send(self, _: str) -> dict[str, str]:
        return {"product": f"Chrome/{self.version}"}

    async def detach(self) -> None:
        """Nothing is attached."""


@pytest.mark.parametrize(
    ("version", "last_version", "error", "told"),
    [
        (
            "149.0.1",
            "150.0.2",
            CannotStartError,
            r"newer version 150\.0\.2, and this browser, 149\.0\.1, .* is not damaged",
        ),
        ("150.0.1", "150.0.2", CookiesLostError, "has lost 5 of the 5 cookies"),
        ("150.0.1", "", CookiesLostError, "has lost 5 of the 5 cookies"),
    ],
)
async def test_cookies_that_a_newer_browser_wrote_are_no_damage(
    version: str, last_version: str, error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        await verify_cookies(cast("BrowserContext", CookielessBrowser(version)), EXPECTED, last_version)
