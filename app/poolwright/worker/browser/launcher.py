"""Starts the driver and the browser of a worker, and explains why a browser does not start.

The first line of the driver's error only reports that the browser is gone; the browser's own output follows in its log.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import AsyncGenerator, Collection, Sequence
from pathlib import Path
from typing import Any, cast

import anyio.to_thread
from playwright.async_api import BrowserContext, HttpCredentials, Playwright, ProxySettings
from playwright.async_api import Error as PlaywrightError

from poolwright.domain.options import BrowserOptions, Proxy, Sandbox, Skipped
from poolwright.worker.browser.certificate_store import prepare_certificates
from poolwright.worker.browser.driver_start import DriverStart
from poolwright.worker.errors import CannotStartError, first_line

#: Messages of the driver and the browser for a refused sandbox.
NO_SANDBOX = ("Chromium sandboxing failed", "No usable sandbox", "FATAL:sandbox/linux/")
ROOT_WITHOUT_SANDBOX = "Running as root without --no-sandbox"
#: Texts that name the cause, the most precise first; other output of a browser that ends is often unrelated.
_CAUSES = (
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
#: Complaints of every browser in a container, whether it starts or not.
_NOISE = ("dbus", "DevTools listening", "vaapi", "Gtk-WARNING", "gcm/", "google_apis")
_BROWSER_LINE = re.compile(r"^(?:\s*- )?\[pid=\w+\]\[err\] ?(.*)$", re.MULTILINE)
_END = re.compile(r"<process did exit: exitCode=(\w+), signal=(\w+)>")
#: Time, source and level before a log line of Chromium.
_PREFIX = re.compile(r"^\[[^\]]+\]\s*")
#: The name of the driver's step before its message.
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
    """Return the cause of a failed launch, and the next step if one is known, for use in brackets.

    Args:
        message: The whole message of the driver, which has several lines.
        profile: The user-data folder of the browser.
    """
    if any(words in message for words in NO_SANDBOX):
        return _sandbox_failure(message)
    first = _STEP.sub("", message.strip().split("\n", 1)[0])
    if "ProcessSingleton" in message:
        # Chromium reports every failure to lock its profile as another browser.
        return f"it cannot lock {profile}: another browser uses it, it is not writable, or its disk is read-only"
    output = _browser_message(message)
    if output:
        step = next((step for words, step in _STEPS if words in output), "")
        return f"its output: {output}" + (f"; {step}" if step else "")
    end = _END.search(message)
    if end:
        code, signal = end.groups()
        end_text = f"with exit code {code}" if signal == "null" else f"by {signal}"
        return f"it exited at once {end_text} without any output; check that the file is a browser"
    if message.startswith("Timeout") or "Timeout" in first:
        return f"it started but did not answer: {first}; check that the file is a browser"
    return first


def _browser_message(message: str) -> str:
    lines: Sequence[str] = [line.strip() for line in _BROWSER_LINE.findall(message) if line.strip()]
    lines = [line for line in lines if not any(word in line for word in _NOISE)]
    causes = (line for words in _CAUSES for line in lines if words in line)
    cause = next(causes, lines[-1] if lines else "")
    return _PREFIX.sub("", cause)[:_LENGTH_MAX].rstrip(".")


def _sandbox_failure(message: str) -> str:
    cause = "root cannot use it" if ROOT_WITHOUT_SANDBOX in message else "this system forbids it"
    return (
        f"Chromium's own sandbox was requested, but {cause}; `poolwright doctor` names the setting to change, and "
        "--sandbox auto starts the browser without it if necessary"
    )


#: A browser starts in 0.4 to 2.4 s; on a machine that swaps it takes far longer. The first one of a run has two tries.
LAUNCH_LIMIT_S = 45.0
#: An orderly close of a browser takes 0.2 to 0.4 s, a little more in a headed one with many pages, and only it writes
#: all cookies to the disk.
BROWSER_CLOSE_LIMIT_S = 8.0
#: What the driver itself says with ``--blink-settings`` of a browser without windows; only the last one counts.
_POINTERS = "primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,availablePointerTypes=4"
#: Keeps clones small; a cache need not be large.
DISK_CACHE_BYTES = 50 * 1024 * 1024


#: Where a profile has the languages in which its pages are wanted, and those of a browser that was never told any.
_PREFERENCES, _LANGUAGE_KEYS = Path("Default", "Preferences"), ("selected_languages", "accept_languages")
_LANGUAGES, _USUAL_LANGUAGES = (
    re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*(?:,[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*)*"),
    "en-US,en",
)


def preferred_languages(profile: Path) -> str:
    """Return the languages in which a profile wants its pages, with commas; those of English if it does not say.

    Args:
        profile: The user-data folder.
    """
    try:
        settings = cast("object", json.loads((profile / _PREFERENCES).read_bytes()))
    except (OSError, ValueError):
        return _USUAL_LANGUAGES
    section = cast("dict[str, Any]", settings).get("intl") if isinstance(settings, dict) else None
    values = [cast("dict[str, Any]", section).get(key) for key in _LANGUAGE_KEYS] if isinstance(section, dict) else []
    return next((value for value in values if isinstance(value, str) and _LANGUAGES.fullmatch(value)), _USUAL_LANGUAGES)


@contextlib.asynccontextmanager
async def open_driver(start: DriverStart | None = None) -> AsyncGenerator[Playwright]:
    """Open the driver for the block, and end it.

    Args:
        start: Its start, if that has begun already.

    Raises:
        CannotStartError: The driver does not start.
    """
    if start is None:
        start = DriverStart()
        await start.run()
    playwright = await _result_of(start)
    try:
        yield playwright
    finally:
        await start.stop()  # noqa: ASYNC102 - it shields itself, with a limit


async def launch_browser(
    playwright: Playwright,
    options: BrowserOptions,
    profile: Path,
    downloads: Path,
    *,
    is_for_person: bool = False,
    skipped: Collection[Skipped] = (),
) -> BrowserContext:
    """Start a browser on the profile of a worker and return it.

    Args:
        playwright: The driver.
        options: Which browser, and how.
        profile: The user-data folder, prepared for a launch.
        downloads: The folder of its downloads, whose files have no names.
        is_for_person: Whether a person uses it, so that pages are as large as their window.
        skipped: What its pages do not load.

    Raises:
        CannotStartError: The browser does not start.
    """
    environment = await prepare_certificates(options, profile)
    # Only this keeps cookies without an expiry; the clone's list of tabs is removed before each start.
    args = ["--restore-last-session", f"--disk-cache-size={DISK_CACHE_BYTES}", *_skip_arguments(skipped)]
    if options.headless_mode:
        # A headless shell does not look into its profile: it would ask for no language, which portals refuse or
        # answer in another one.
        args.append(f"--accept-lang={await anyio.to_thread.run_sync(preferred_languages, profile)}")
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
            args=args,
            # The supervisor alone decides when a browser ends.
            handle_sigint=False,
            handle_sigterm=False,
            handle_sighup=False,
            timeout=LAUNCH_LIMIT_S * 1000,
        )
    except PlaywrightError as error:
        msg = f"The browser does not start ({explain_launch_failure(error.message, profile)})."
        raise CannotStartError(msg) from error


def _skip_arguments(skipped: Collection[Skipped]) -> list[str]:
    """Return the arguments for what the browser itself can leave out; ``RequestGuard`` blocks the rest."""
    by_kind = {
        Skipped.IMAGE: f"--blink-settings={_POINTERS},imagesEnabled=false",
        Skipped.FONT: "--disable-remote-fonts",
    }
    return [argument for kind, argument in by_kind.items() if kind in skipped]


def _http_credentials(options: BrowserOptions) -> HttpCredentials | None:
    """Return the HTTP user and password, sent to one origin and only at its request; ``None`` if no user is set."""
    if not options.http_user:
        return None
    return {
        "username": options.http_user,
        "password": options.http_password.text,
        "origin": options.http_origin,
        "send": "unauthorized",
    }


def _proxy_settings(proxy: Proxy | None) -> ProxySettings | None:
    """Return a proxy in the form of the driver; ``None`` for the proxy of the system."""
    if proxy is None:
        return None
    settings: ProxySettings = {"server": proxy.address, "bypass": ",".join(proxy.bypass)}
    return {**settings, "username": proxy.user, "password": proxy.password.text} if proxy.user else settings


async def _result_of(start: DriverStart) -> Playwright:
    try:
        return await start.result()
    except Exception as error:  # the driver's library raises nothing narrower
        cause = "it does not answer" if isinstance(error, TimeoutError) else first_line(error)
        msg = (
            f"The browser's driver does not start ({cause}). Its output is in the log of the run; check the variables "
            "of Node in the environment (NODE_OPTIONS), or install Poolwright again."
        )
        raise CannotStartError(msg) from error
