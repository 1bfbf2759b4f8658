"""Starts the driver and the browser of a worker, and explains why a browser does not start.

The driver says first that the browser is gone; what the browser said before it went stands in the driver's log below.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import anyio
from playwright.async_api import BrowserContext, HttpCredentials, Playwright, ProxySettings, async_playwright
from playwright.async_api import Error as PlaywrightError

from poolwright.domain.options import BrowserOptions, Proxy, Sandbox
from poolwright.worker.browser.certificate_store import prepare_certificates
from poolwright.worker.errors import CannotStartError, first_line

#: What driver and browser say of a sandbox that is refused.
NO_SANDBOX = ("Chromium sandboxing failed", "No usable sandbox", "FATAL:sandbox/linux/")
ROOT_WITHOUT_SANDBOX = "Running as root without --no-sandbox"
#: What tells the cause, the most telling first; what else a browser says on its way out is noise as often as not.
_TELLING = (
    "error while loading shared libraries",
    "Too many open files",
    "Missing X server",
    "cannot open display",
    "FATAL",
    "Failed to create",
    "No space left",
    "Permission denied",
    "not found",
)
#: What every browser in a container complains of, whether it starts or not.
_NOISE = ("dbus", "DevTools listening", "vaapi", "Gtk-WARNING", "gcm/", "google_apis")
_BROWSER_LINE = re.compile(r"^(?:\s*- )?\[pid=\w+\]\[err\] ?(.*)$", re.MULTILINE)
_END = re.compile(r"<process did exit: exitCode=(\w+), signal=(\w+)>")
#: Time, place and weight in front of what Chromium logs.
_PREFIX = re.compile(r"^\[[^\]]+\]\s*")
#: What the driver calls its own step.
_STEP = re.compile(r"^\w+\.\w+: ")
_LENGTH_MAX = 300

_STEPS: tuple[tuple[str, str], ...] = (
    ("error while loading shared libraries", "install the package of that library, or another browser"),
    ("Too many open files", "raise the limit of open files: `ulimit -n 4096`, LimitNOFILE of the service"),
    ("Missing X server", "use --headless, or start it where there is a display"),
    ("cannot open display", "use --headless, or start it where there is a display"),
    ("No space left", "free some space"),
)


def explain_launch_failure(message: str, profile: Path) -> str:
    """What went wrong, and where that is known what to do, to stand in brackets.

    Args:
        message: Everything that the driver tells, several lines.
        profile: The user-data folder that was to be opened.
    """
    if any(words in message for words in NO_SANDBOX):
        return _of_sandbox(message)
    first = _STEP.sub("", message.strip().split("\n", 1)[0])
    if "ProcessSingleton" in message:
        # Chromium takes whatever keeps it from its lock for another browser.
        return (
            f"it can't lock {profile}: another browser has it open, or it may not be written, or its disk is read-only"
        )
    said = _browser_message(message)
    if said:
        step = next((step for words, step in _STEPS if words in said), "")
        return f"its output: {said}" + (f"; {step}" if step else "")
    end = _END.search(message)
    if end:
        code, signal = end.groups()
        how = f"with exit code {code}" if signal == "null" else f"by {signal}"
        return f"it exited at once {how} without any output; is it a browser?"
    if message.startswith("Timeout") or "Timeout" in first:
        return f"it started but did not answer: {first}; is it a browser?"
    return first


def _browser_message(message: str) -> str:
    said: Sequence[str] = [line.strip() for line in _BROWSER_LINE.findall(message) if line.strip()]
    said = [line for line in said if not any(word in line for word in _NOISE)]
    telling = (line for words in _TELLING for line in said if words in line)
    found = next(telling, said[-1] if said else "")
    return _PREFIX.sub("", found)[:_LENGTH_MAX].rstrip(".")


def _of_sandbox(message: str) -> str:
    cause = "which it refuses to root" if ROOT_WITHOUT_SANDBOX in message else "which this system forbids"
    return (
        f"it was asked to use Chromium's own sandbox, {cause}; `poolwright doctor` names the setting to change, and "
        "--sandbox auto starts it without where it must"
    )


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


async def launch_browser(
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
    environment = await prepare_certificates(options, profile)
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
            proxy=_proxy_settings(options.proxy),
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
        msg = f"The browser does not start ({explain_launch_failure(error.message, profile)})."
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


def _proxy_settings(proxy: Proxy | None) -> ProxySettings | None:
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
