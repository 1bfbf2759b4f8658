"""The cookie census on real browsers: no sort of cookie raises a false alarm, and no lost one passes."""

from __future__ import annotations

import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from poolwright.profile.clone import clone_profile, is_quarantined
from poolwright.profile.cookie_db import count_live_cookies
from poolwright.profile.errors import ProfileDamagedError
from tests.browser.profile.browsing import log_in, opened
from tests.browser.profile.site import COOKIE_NAMES, Site
from tests.browser.profile.test_damage import DAMAGES, flip_value
from tests.support.display import needs_xvfb, virtual_display
from tests.support.generations import browser_options, slot_on

pytestmark = pytest.mark.timeout(120)

SHELL = shutil.which("chromium-headless-shell")
WRITE_COOKIES = """() => {
  for (let number = 0; number < 600; number++) {
    document.cookie = `w${number % 100}=${number}; Path=/; Max-Age=${number % 3 ? 86400 : 1 + number}`;
  }
}"""


def sorts_of_cookies() -> list[Any]:
    """What sites set, and what Chromium bends: long lives, odd texts, the same name in many places."""
    later = time.time() + 86400  # noqa: TID251 - of the browser's own clock
    plain: list[Any] = [
        {"name": "far", "value": "1", "domain": "a.test", "path": "/", "expires": later * 2},
        {"name": "moment", "value": "1", "domain": "a.test", "path": "/", "expires": later - 86390},
        {"name": "over", "value": "1", "domain": "a.test", "path": "/", "expires": later - 86401},
        {"name": "one", "value": "1", "domain": ".a.test", "path": "/", "expires": later},
        {"name": "one", "value": "1", "domain": "a.test", "path": "/", "expires": later},
        {"name": "one", "value": "1", "domain": "a.test", "path": "/deep", "expires": later},
        {"name": "one", "value": "1", "domain": "www.a.test", "path": "/"},
        {"name": "empty", "value": "", "domain": "a.test", "path": "/", "expires": later},
        {"name": "odd", "value": "ä €", "domain": "a.test", "path": "/", "expires": later},
        {"name": "long", "value": "x" * 4000, "domain": "a.test", "path": "/", "expires": later},
        {"name": "strict", "value": "1", "domain": "b.test", "path": "/", "sameSite": "Strict", "httpOnly": True},
        {"name": "__Host-h", "value": "1", "domain": "c.test", "path": "/", "secure": True, "expires": later},
        {"name": "__Secure-s", "value": "1", "domain": ".c.test", "path": "/", "secure": True},
        {"name": "address", "value": "1", "domain": "127.0.0.1", "path": "/", "expires": later},
    ]
    parted: list[Any] = [
        {
            "name": "chip",
            "value": "1",
            "domain": "d.test",
            "path": "/",
            "secure": True,
            "sameSite": "None",
            "partitionKey": top,
            "expires": expires,
        }
        for top, expires in (("https://one.test", later), ("https://two.test", later), ("https://three.test", -1.0))
    ]
    many: list[Any] = [
        {"name": f"n{number}", "value": "1", "domain": "many.test", "path": "/", "expires": later}
        for number in range(250)  # more than a site may have: the browser drops some
    ]
    return [*plain, *parted, *many]


@pytest.fixture(scope="module", name="varied")
def _varied(tmp_path_factory: pytest.TempPathFactory, chromium: str, site: Site) -> Path:
    """A base with cookies of many sorts."""
    base = tmp_path_factory.mktemp("varied") / "base"
    with sync_playwright() as playwright, opened(playwright, base, chromium) as context:
        log_in(context.pages[0], site)
        context.add_cookies(sorts_of_cookies())
        kept = {cookie.get("name") for cookie in context.cookies()}
    assert {"far", "one", "empty", "long", "strict", "__Host-h", "__Secure-s", "address", "chip"} <= kept
    return base


async def test_cookies_of_every_sort_raise_no_alarm(tmp_path: Path, varied: Path) -> None:
    async with slot_on(varied, tmp_path) as slot:
        for _ in range(2):
            async with slot.live() as life:
                await life.drain()
        expected = {site.site: site for site in slot.profile.expected_cookies}

    assert expected["d.test"].lasting_count == 2
    assert expected["d.test"].session_count == 1
    assert 100 < expected["many.test"].lasting_count <= 180
    assert expected["localhost"].lasting_count + expected["localhost"].session_count == len(COOKIE_NAMES)


@needs_xvfb
async def test_a_window_raises_none_either(tmp_path: Path, varied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with virtual_display(monkeypatch):
        async with slot_on(varied, tmp_path, browser_options(headless=False)) as slot, slot.live() as life:
            await life.drain()


@pytest.mark.skipif(SHELL is None, reason="no chromium-headless-shell on PATH")
async def test_a_headless_shell_drops_session_cookies_and_that_is_no_loss(
    tmp_path: Path, varied: Path, site: Site
) -> None:
    assert SHELL is not None
    async with slot_on(varied, tmp_path, browser_options(SHELL)) as slot:
        async with slot.live() as life:
            _, cookies = await life.run(site.url)
            await life.drain()
        flip_value(slot.profile.worker_profile_path / "Default/Cookies")
        with pytest.raises(ProfileDamagedError, match=r"The browser has lost \d+ of the"):
            async with slot.live():
                pytest.fail("it is ready")

    assert "strict" not in cookies, "a session cookie"
    assert {"far", "chip", "token"} <= cookies.keys()


async def test_a_browser_that_is_killed_amid_its_cookies_raises_none(tmp_path: Path, varied: Path, site: Site) -> None:
    async with slot_on(varied, tmp_path) as slot:
        for _ in range(3):
            async with slot.live() as life:
                await life.run(site.url, WRITE_COOKIES)
                await life.lose_browser()
        async with slot.live() as life:
            _, cookies = await life.run(site.url)
            await life.drain()

    assert cookies.keys() >= COOKIE_NAMES


@pytest.mark.parametrize("name", ["cookies flipped in a value", "cookies of another host", "cookies of somebody else"])
async def test_what_no_structure_shows_of_an_unsealed_base_is_found_before_the_first_order(
    tmp_path: Path, logged_in: Path, name: str
) -> None:
    clone_profile(logged_in, tmp_path / "base")
    DAMAGES[name].act(tmp_path / "base")
    held = sum(
        site.lasting_count + site.session_count
        for site in count_live_cookies(tmp_path / "base", datetime.now(UTC))  # noqa: TID251
    )

    async with slot_on(tmp_path / "base", tmp_path) as slot:
        with pytest.raises(
            ProfileDamagedError, match=rf"has lost \d of the {held} cookies .*The damaged clone is kept"
        ):
            async with slot.live():
                pytest.fail("it is ready")
        kept = slot.profile.kept_path

    assert kept is not None
    assert is_quarantined(kept)
    assert (kept / "Default/Cookies").is_file(), "for a person to look at, after the run's folder is gone"


async def test_a_bit_that_flips_between_two_lives_is_found(tmp_path: Path, logged_in: Path, site: Site) -> None:
    async with slot_on(logged_in, tmp_path) as slot:
        async with slot.live() as life:
            await life.run(site.url)
            await life.drain()
        flip_value(slot.profile.worker_profile_path / "Default/Cookies")

        with pytest.raises(ProfileDamagedError, match=r"\d of localhost"):
            async with slot.live():
                pytest.fail("the snapshot hides it")
