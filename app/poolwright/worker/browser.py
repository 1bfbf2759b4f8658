"""Starts the driver and the browser of a worker. The session owns them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path

import anyio
from playwright.async_api import BrowserContext, HttpCredentials, Playwright, ProxySettings, async_playwright
from playwright.async_api import Error as PlaywrightError

from poolwright.domain.options import BrowserOptions, Proxy, Sandbox
from poolwright.worker.errors import CannotStartError, first_line
from poolwright.worker.launch_failure import why
from poolwright.worker.trust import tell

#: A browser starts in 0.4 to 2.4 s; on a machine that swaps it can take far longer.
LAUNCH_LIMIT_S = 60.0
#: The driver, a program for Node, starts in half a second.
DRIVER_START_LIMIT_S = 25.0
#: The driver ends at once when its pipe closes, unless it hangs.
DRIVER_STOP_LIMIT_S = 3.0
#: Keeps clones small: only state is worth keeping.
DISK_CACHE_BYTES = 50 * 1024 * 1024


@contextlib.asynccontextmanager
async def open_driver() -> AsyncGenerator[Playwright]:
    """The driver process between us and the browser; one that hangs does not hold up the worker's end.

    Raises:
        CannotStartError: It does not start.
    """
    playwright = await _start_driver()
    try:
        yield playwright
    finally:
        with anyio.move_on_after(DRIVER_STOP_LIMIT_S, shield=True):
            await playwright.stop()


async def launch(
    playwright: Playwright, options: BrowserOptions, profile: Path, downloads: Path, *, is_for_person: bool = False
) -> BrowserContext:
    """Start a browser on a worker's own profile.

    Args:
        playwright: The driver.
        options: Which browser, and how.
        profile: The user-data folder, made ready for a launch.
        downloads: Where what it downloads lands, under nameless files.
        is_for_person: Whether somebody looks at it: pages are as large as their window then.

    Raises:
        CannotStartError: It does not start.
    """
    environment = await tell(options, profile)
    try:
        return await playwright.chromium.launch_persistent_context(
            profile,
            executable_path=options.executable_path or None,
            headless=options.headless_mode,
            chromium_sandbox=options.sandbox is Sandbox.ON,
            downloads_path=downloads,
            accept_downloads=True,
            no_viewport=is_for_person,
            http_credentials=_http_credentials(options),
            proxy=_through(options.proxy),
            env={**environment} if environment else None,
            # Cookies without an expiry survive only so; the clone's own list of tabs is removed before each start.
            args=["--restore-last-session", f"--disk-cache-size={DISK_CACHE_BYTES}"],
            # The supervisor alone decides when a browser ends.
            handle_sigint=False,
            handle_sigterm=False,
            handle_sighup=False,
            timeout=LAUNCH_LIMIT_S * 1000,
        )
    except PlaywrightError as error:
        msg = f"The browser does not start ({why(error.message, profile)})."
        raise CannotStartError(msg) from error


def _http_credentials(options: BrowserOptions) -> HttpCredentials | None:
    """Given to one place alone, and only when that asks."""
    if not options.http_user:
        return None
    return {
        "username": options.http_user,
        "password": options.http_password.text,
        "origin": options.http_origin,
        "send": "unauthorized",
    }


def _through(proxy: Proxy | None) -> ProxySettings | None:
    """The driver's words for it; without one the browser goes by the system's own."""
    if proxy is None:
        return None
    told: ProxySettings = {"server": proxy.address, "bypass": ",".join(proxy.bypass)}
    return {**told, "username": proxy.user, "password": proxy.password.text} if proxy.user else told


async def _start_driver() -> Playwright:
    try:
        with anyio.fail_after(DRIVER_START_LIMIT_S):
            return await async_playwright().start()
    except Exception as error:  # the driver's library raises nothing narrower
        told = "it does not answer" if isinstance(error, TimeoutError) else first_line(error)
        msg = (
            f"The browser's driver does not start ({told}). Its own words are in the log of the run; variables of Node "
            "in the environment (NODE_OPTIONS), or a damaged installation, are what usually stops it."
        )
        raise CannotStartError(msg) from error
