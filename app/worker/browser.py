"""Starts the driver and the browser of a worker. The session owns them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path

import anyio
from playwright.async_api import BrowserContext, Playwright, async_playwright
from playwright.async_api import Error as PlaywrightError

from app.domain.options import BrowserOptions, Sandbox
from app.worker.errors import CannotStartError, first_line

#: A browser starts in 0.4 to 2.4 s; on a machine that swaps it can take far longer.
LAUNCH_LIMIT_S = 60.0
#: The driver ends at once when its pipe closes, unless it hangs.
DRIVER_STOP_LIMIT_S = 3.0
#: Keeps clones small: only state is worth keeping.
DISK_CACHE_BYTES = 50 * 1024 * 1024
#: What driver and browser say of a sandbox that is refused.
NO_SANDBOX = ("Chromium sandboxing failed", "No usable sandbox", "FATAL:sandbox/linux/")
OF_ROOT = "Running as root without --no-sandbox"


@contextlib.asynccontextmanager
async def open_driver() -> AsyncGenerator[Playwright]:
    """The driver process between us and the browser; one that hangs does not hold up the worker's end."""
    playwright = await async_playwright().start()
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
    try:
        return await playwright.chromium.launch_persistent_context(
            profile,
            executable_path=options.executable_path or None,
            headless=options.headless_mode,
            chromium_sandbox=options.sandbox is Sandbox.ON,
            downloads_path=downloads,
            accept_downloads=True,
            no_viewport=is_for_person,
            # Cookies without an expiry survive only so; the clone's own list of tabs is removed before each start.
            args=["--restore-last-session", f"--disk-cache-size={DISK_CACHE_BYTES}"],
            # The supervisor alone decides when a browser ends.
            handle_sigint=False,
            handle_sigterm=False,
            handle_sighup=False,
            timeout=LAUNCH_LIMIT_S * 1000,
        )
    except PlaywrightError as error:
        msg = f"The browser does not start ({_why_no_sandbox(error) or _why(error, profile)})."
        raise CannotStartError(msg) from error


def _why_no_sandbox(error: PlaywrightError) -> str:
    """The driver says first that the browser is gone, and only then what the browser said of its sandbox."""
    if not any(words in error.message for words in NO_SANDBOX):
        return ""
    cause = "which it refuses to root" if OF_ROOT in error.message else "which this system forbids"
    return (
        f"it was asked to use Chromium's own sandbox, {cause}; `poolwright doctor` names the setting to change, and "
        "--sandbox auto starts it without where it must"
    )


def _why(error: PlaywrightError, profile: Path) -> str:
    """Chromium takes whatever keeps it from its lock for another browser."""
    if "ProcessSingleton" not in first_line(error):
        return first_line(error)
    return f"it can't lock {profile}: another browser has it open, or it may not be written, or its disk is read-only"
