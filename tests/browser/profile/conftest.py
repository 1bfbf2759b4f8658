"""A tiny portal, a real browser, and a base profile that has logged in with it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Playwright, sync_playwright

from tests.browser.profile.browsing import log_in, opened
from tests.browser.profile.site import Site, serving
from tests.support.profiles import base

__all__ = ["base", "chromium", "logged_in", "playwright", "site"]


@pytest.fixture(scope="session")
def chromium() -> str:
    """A full browser: the headless shell forgets session cookies."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium on PATH")
    return found


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """The portal, at the same address for all tests: what a browser stores belongs to an address."""
    with serving() as site:
        yield site


@pytest.fixture(scope="module")
def playwright(logged_in: Path) -> Iterator[Playwright]:
    """A driver for all tests of a module, as it costs as much as a browser; the one that made the base has ended."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def logged_in(tmp_path_factory: pytest.TempPathFactory, chromium: str, site: Site) -> Path:
    """A base in which a browser has logged in. Tests read it; who writes takes a copy."""
    folder = tmp_path_factory.mktemp("logged-in") / "base"
    with sync_playwright() as playwright, opened(playwright, folder, chromium) as context:
        log_in(context.pages[0], site)
    return folder
