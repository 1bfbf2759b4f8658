"""The cookie census on real browsers: no sort of cookie raises a false alarm, and no lost one passes."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from playwright.sync_api import sync_playwright

from poolwright.domain.ids import SiteCookies
from poolwright.profile.backups import login_backup_path
from poolwright.profile.clone import clone_profile, is_quarantined
from poolwright.profile.cookie_db import count_live_cookies
from poolwright.profile.errors import ProfileDamagedError
from poolwright.profile.session_cookies import count_session_cookies
from tests.browser.profile.browsing import cookie_names, log_in, opened, stored
from tests.browser.profile.site import COOKIE_NAMES, Site
from tests.browser.profile.test_damage import DAMAGES, flip
from tests.support.display import XVFB, needs_xvfb, virtual_display
from tests.support.generations import browser_options, slot_on
from tests.support.sessions import CHROMIUM

pytestmark = pytest.mark.timeout(120)

SHELL = shutil.which("chromium-headless-shell")
#: For what any browser shows.
QUICKEST = SHELL or CHROMIUM
WRITE_COOKIES = """() => {
  for (let number = 0; number < 600; number++) {
    document.cookie = `w${number % 100}=${number}; Path=/; Max-Age=${number % 3 ? 86400 : 1 + number}`;
  }
}"""


def flip_token(cookies: Path) -> None:
    """Flip a bit of one cookie of the portal, which any browser keeps."""
    for found in re.finditer(rb"localhosttokenv10", cookies.read_bytes()):
        flip(cookies, found.end() + 17)


#: What no structure shows of an unsealed base.
HIDDEN: dict[str, Callable[[Path], object]] = {
    "cookies flipped in a value": lambda base: flip_token(base / "Default/Cookies"),
    "cookies of another host": DAMAGES["cookies of another host"].act,
    "cookies of somebody else": DAMAGES["cookies of somebody else"].act,
}


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


@dataclass(frozen=True, slots=True, kw_only=True)
class CloneSessions:
    """What lives on one clone of the varied base found: in a window, amid writing cookies, and at rest."""

    in_window: dict[str, str]
    #: What the second life had to find.
    expected: dict[str, SiteCookies]
    after_deaths: dict[str, str]
    #: What the last life says, before which a bit of the cookies flipped.
    alarm: str


async def live(folder: Path, base: Path, site: Site, *, has_window: bool) -> CloneSessions:
    async with slot_on(base, folder) as slot:
        async with slot.live(browser_options(headless=not has_window)) as life:
            _, in_window = await life.run(site.url)
            await life.drain()
        async with slot.live() as life:
            expected = {site.site: site for site in slot.profile.expected_cookies}
            await life.run(site.url, WRITE_COOKIES)
            await life.lose_browser()
        async with slot.live() as life:
            await life.run(site.url, WRITE_COOKIES)
            await life.lose_browser()
        async with slot.live() as life:
            _, after_deaths = await life.run(site.url)
            await life.drain()
        flip_token(slot.profile.worker_profile_path / "Default/Cookies")
        with pytest.raises(ProfileDamagedError) as caught:
            async with slot.live():
                pytest.fail("the snapshot hides it")
    return CloneSessions(in_window=in_window, expected=expected, after_deaths=after_deaths, alarm=str(caught.value))


@pytest.fixture(scope="module", name="lives")
def _lives(tmp_path_factory: pytest.TempPathFactory, varied: Path, site: Site) -> CloneSessions:
    with ExitStack() as around:
        if XVFB is not None:
            around.enter_context(virtual_display(around.enter_context(pytest.MonkeyPatch.context())))
        run = partial(live, has_window=XVFB is not None)
        return anyio.run(run, tmp_path_factory.mktemp("lives"), varied, site)


def test_cookies_of_every_sort_raise_no_alarm(lives: CloneSessions) -> None:
    assert lives.expected["d.test"].lasting_count == 2
    assert lives.expected["d.test"].session_count == 1
    assert 100 < lives.expected["many.test"].lasting_count <= 180
    portal = lives.expected["localhost"]
    assert portal.lasting_count + portal.session_count == len(COOKIE_NAMES)


@needs_xvfb
def test_a_window_raises_none_either(lives: CloneSessions) -> None:
    assert lives.in_window.keys() >= COOKIE_NAMES | {"far", "chip", "strict"}


def test_browsers_that_are_killed_amid_their_cookies_raise_none(lives: CloneSessions) -> None:
    assert lives.after_deaths.keys() >= COOKIE_NAMES


def test_a_bit_that_flips_between_two_lives_is_found(lives: CloneSessions) -> None:
    assert re.search(r"\d of localhost", lives.alarm)


@pytest.mark.skipif(SHELL is None, reason="no chromium-headless-shell on PATH")
async def test_a_headless_shell_drops_session_cookies_and_that_is_no_loss(
    tmp_path: Path, varied: Path, site: Site
) -> None:
    """Of three cookies without an expiry it gets the one with a copy back, and the others are told."""
    assert SHELL is not None
    clone_profile(varied, tmp_path / "base")
    copy = {"name": "strict", "value": "1", "domain": "b.test", "path": "/", "sameSite": "Strict", "expires": -1}
    later = {**copy, "name": "lasting", "expires": 4e9}
    login_backup_path(tmp_path / "base").write_text(json.dumps([copy, later]), encoding="utf-8")
    counts = count_session_cookies(tmp_path / "base", datetime.now(UTC))  # noqa: TID251
    async with slot_on(tmp_path / "base", tmp_path, browser_options(SHELL)) as slot, slot.live() as life:
        _, cookies = await life.run(site.url)
        await life.drain()

    assert {"far", "chip", "token", "strict"} <= cookies.keys()
    assert not {"session", "chip-session", "lasting"} & cookies.keys()
    assert counts.copied_count == 1
    assert "restored 1 cookie(s) without an expiry from the last login" in slot.said
    assert any(f"{counts.lost_count} of the profile have no copy" in text for text in slot.said), slot.said


#: Asks a service worker that is kept for each site, and answers one address itself.
_REGISTER = """async () => {
  await navigator.serviceWorker.register('/worker.js');
  await navigator.serviceWorker.ready;
}"""
_ASK_WORKER = "async () => (await fetch('/from-worker')).text()"


@pytest.mark.skipif(SHELL is None, reason="no chromium-headless-shell on PATH")
def test_what_one_browser_stored_the_other_reads(tmp_path: Path, chromium: str, logged_in: Path, site: Site) -> None:
    """From a whole browser to the headless shell and back, in one profile: all but cookies without an expiry."""
    assert SHELL is not None
    lasting = {"remember", "token", "chip"}
    clone_profile(logged_in, tmp_path / "base")
    found: list[tuple[set[str], list[str | None]]] = []
    workers: list[str] = []
    with sync_playwright() as playwright:
        for executable in (SHELL, chromium):
            with opened(playwright, tmp_path / "base", executable) as context:
                found.append((cookie_names(context, site), stored(context.pages[0], site)))
                if executable == SHELL:
                    log_in(context.pages[0], site)
                    context.pages[0].evaluate(_REGISTER)
                else:
                    context.pages[0].goto(site.url)
                    workers.append(context.pages[0].evaluate(_ASK_WORKER))

    assert found == [(lasting, ["kept"] * 3)] * 2
    assert workers == ["worker"]


@pytest.mark.parametrize("name", HIDDEN)
async def test_what_no_structure_shows_of_an_unsealed_base_is_found_before_the_first_order(
    tmp_path: Path, logged_in: Path, name: str
) -> None:
    """By the headless shell too, which drops session cookies."""
    clone_profile(logged_in, tmp_path / "base")
    HIDDEN[name](tmp_path / "base")
    held = sum(
        site.lasting_count + site.session_count
        for site in count_live_cookies(tmp_path / "base", datetime.now(UTC))  # noqa: TID251
    )

    async with slot_on(tmp_path / "base", tmp_path, browser_options(QUICKEST)) as slot:
        with pytest.raises(
            ProfileDamagedError, match=rf"has lost \d of the {held} cookies .*The damaged clone is kept"
        ):
            async with slot.live():
                pytest.fail("it is ready")
        kept = slot.profile.kept_path

    assert kept is not None
    assert is_quarantined(kept)
    assert (kept / "Default/Cookies").is_file(), "for a person to look at, after the run's folder is gone"
