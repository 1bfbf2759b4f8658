"""The cookies of a session: checked after the launch, saved beside the profile and restored into the next browser.

Chromium does not report a cookie that it cannot read: after a wrong key or one flipped bit it deletes all cookies of
the site. The supervisor counts the cookies in the database before each launch; here they are counted in the browser.
Only numbers and hosts are compared and reported.

A snapshot is taken after a login, after each task and before an orderly close, and is kept as long as the worker's
slot. After a crash the next browser on the same profile gets the cookies that the last one had not written to the disk,
and those without an expiry. The first browser on a clone gets the latter from the snapshot of the last login, if it is
a headless shell, which drops them. The file holds a login: only its owner can read it, and it is replaced in one step.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections import Counter
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, cast

import anyio
import anyio.to_thread
from playwright.async_api import BrowserContext
from playwright.async_api import Error as PlaywrightError

from poolwright.domain.ids import SiteCookies
from poolwright.worker.errors import CannotStartError, CookiesLostError, SessionBrokenError

#: The product name of chromium-headless-shell, which always drops session cookies.
_HEADLESS_SHELL = "HeadlessChrome/"
_TOO_OLD = (
    "The browser does not start (the profile was last used by the newer version {theirs}, and this browser, {ours}, "
    "cannot read its cookies; the profile is not damaged). Set the newer browser with --browser, update this one, or "
    "create a new profile with this browser and log in to it."
)
#: Most sites that a sentence names.
_SITE_COUNT_MAX = 5


#: The file in a user-data folder to which a browser writes its version at each start.
_LAST_VERSION_FILE = "Last Version"


def last_browser_version(profile: Path) -> str:
    """Return the version of the last browser that used a profile; empty if unknown. Call it before a launch."""
    try:
        return (profile / _LAST_VERSION_FILE).read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


async def verify_cookies(driver: BrowserContext, expected: Sequence[SiteCookies], last_version: str = "") -> None:
    """Verify that no cookie was lost at the launch, in 1 to 5 ms. Call it before cookies are added to the browser.

    Args:
        driver: A browser that was launched just now.
        expected: The cookies in its profile.
        last_version: The version of the last browser that used the profile.

    Raises:
        CannotStartError: Some are lost, because the last browser was newer and this one cannot read its cookies.
        CookiesLostError: Some are lost; the sentence has their number and their sites.
        SessionBrokenError: The browser is gone.
    """
    try:
        present = Counter(cookie.get("domain", "") for cookie in await driver.cookies())
        lost = count_missing(expected, present)
        product = await _product(driver) if lost else ""
        if lost and product.startswith(_HEADLESS_SHELL):
            lost = count_missing(expected, present, keeps_session=False)
    except PlaywrightError as error:
        msg = "the browser ended right after its launch"
        raise SessionBrokenError(msg) from error
    if lost and is_newer(last_version, product):
        raise CannotStartError(_TOO_OLD.format(theirs=last_version, ours=product.rpartition("/")[2]))
    if lost:
        raise CookiesLostError(describe_missing(lost, expected))


def is_newer(last_version: str, product: str) -> bool:
    """Return whether the last browser of a profile had a later main version than this one. Pure."""
    theirs, ours = (_main_version(text.rpartition("/")[2]) for text in (last_version, product))
    return theirs is not None and ours is not None and theirs > ours


def _main_version(text: str) -> int | None:
    number = text.partition(".")[0]
    return int(number) if number.isascii() and number.isdigit() else None


def count_missing(
    expected: Iterable[SiteCookies], present: Mapping[str, int], *, keeps_session: bool = True
) -> Mapping[str, int]:
    """Return the number of lost cookies by site, without sites that lost none. Pure.

    Args:
        expected: The cookies in the profile.
        present: The cookies in the browser by host. More than expected do not count, also not for other hosts.
        keeps_session: Whether the browser keeps cookies without an expiry.
    """
    required = {site.site: site.lasting_count + (site.session_count if keeps_session else 0) for site in expected}
    return {site: count - present.get(site, 0) for site, count in required.items() if count > present.get(site, 0)}


def describe_missing(lost: Mapping[str, int], expected: Iterable[SiteCookies]) -> str:
    """Return the loss in one sentence, the site with the most lost cookies first. Pure."""
    total = sum(site.lasting_count + site.session_count for site in expected)
    losses = [f"{count} of {site}" for site, count in sorted(lost.items(), key=lambda item: (-item[1], item[0]))]
    more = f" and {len(losses) - _SITE_COUNT_MAX} more sites" if len(losses) > _SITE_COUNT_MAX else ""
    return (
        f"The browser has lost {sum(lost.values())} of the {total} cookies that this profile holds, so a login may be "
        f"gone: {', '.join(losses[:_SITE_COUNT_MAX])}{more}."
    )


async def _product(driver: BrowserContext) -> str:
    """Return product and version of a browser; only the headless shell is not named Chrome."""
    if driver.browser is None:
        return ""
    session = await driver.browser.new_browser_cdp_session()
    version = cast("Mapping[str, str]", await session.send("Browser.getVersion"))  # pyright: ignore[reportUnknownMemberType]
    await session.detach()
    return version["product"]


#: The expiry of a cookie without one.
_NO_EXPIRY = -1
#: Readable for the owner only.
_FILE_MODE = 0o600

_Cookie: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCookiesRestored:
    """What became of the cookies without an expiry that a browser dropped from its profile."""

    restored_count: int = 0
    #: How many the browser does not have, because there is no copy or it refused it.
    lost_count: int = 0


class CookieSnapshot:
    """The snapshot file of one session, which alone writes it, and its content."""

    def __init__(self, path: Path | None) -> None:
        """Save cookies to ``path``, in a folder of the supervisor, or in memory only if no other browser follows."""
        self._path = path
        self._content: bytes | None = None
        #: The cookies of the last save or restore, by site, path and name. Secret: never log them.
        self.cookies: dict[str, Any] = {}
        self._lock = anyio.Lock()

    async def save(self, driver: BrowserContext) -> None:
        """Save the current cookies, if they have changed.

        Raises:
            PlaywrightError: The browser is gone.
            OSError: The file cannot be written; the earlier one stays.
        """
        async with self._lock:
            cookies = await driver.cookies()
            content = json.dumps(cookies).encode()
            if content != self._content:
                self.cookies = _by_key([{**cookie} for cookie in cookies])
                if self._path is not None:
                    await anyio.to_thread.run_sync(_replace, self._path, content)
                self._content = content

    async def restore_session_cookies(
        self, driver: BrowserContext, expected: Sequence[SiteCookies]
    ) -> SessionCookiesRestored:
        """Add the cookies without an expiry that the profile has and the browser dropped, as far as they are saved.

        Args:
            driver: A browser on that profile.
            expected: The cookies in the profile.

        Raises:
            PlaywrightError: The browser is gone, or refuses all of them.
            OSError: The file cannot be read.
            ValueError: The file is no snapshot.
        """
        stored = {site.site: site.session_count for site in expected if site.session_count}
        if not stored:  # so it is with a whole browser that dropped none, and with most profiles
            return SessionCookiesRestored()
        present: Sequence[_Cookie] = [{**cookie} for cookie in await driver.cookies()]
        if not missing_session_count(stored, present):
            return SessionCookiesRestored()
        saved = await anyio.to_thread.run_sync(_read, self._path) if self._path is not None else ()
        missing = dropped_cookies(stored, saved, present)
        restored_count = await _add(driver, missing) if missing else 0
        lost_count = missing_session_count(stored, [*present, *missing]) + len(missing) - restored_count
        return SessionCookiesRestored(restored_count=restored_count, lost_count=lost_count)

    async def restore(self, driver: BrowserContext) -> int:
        """Add the cookies of an earlier browser on the same profile that are missing; return how many were accepted.

        Raises:
            PlaywrightError: The browser is gone, or refuses all of them.
            OSError: The file cannot be read.
            ValueError: The file is no snapshot.
        """
        if self._path is None:
            return 0
        saved = await anyio.to_thread.run_sync(_read, self._path)
        present: Sequence[_Cookie] = [{**cookie} for cookie in await driver.cookies()]
        missing = missing_cookies(saved, present)
        self.cookies = _by_key(saved)
        return await _add(driver, missing) if missing else 0


async def _add(driver: BrowserContext, cookies: Sequence[_Cookie]) -> int:
    """Add cookies to a browser, one by one if it refuses one; return how many it accepted.

    Raises:
        PlaywrightError: It accepted none.
    """
    refusals: list[PlaywrightError] = []
    with _collecting(refusals):
        await driver.add_cookies(cast("Any", cookies))  # the form in which the browser returned them
    if not refusals:
        return len(cookies)
    refusals.clear()
    for cookie in cookies:
        with _collecting(refusals):
            await driver.add_cookies(cast("Any", [cookie]))
    if len(refusals) == len(cookies):
        raise refusals[0]
    return len(cookies) - len(refusals)


@contextlib.contextmanager
def _collecting(refusals: list[PlaywrightError]) -> Generator[None]:
    """Collect the browser's errors in a list."""
    try:
        yield
    except PlaywrightError as error:
        refusals.append(error)


def missing_cookies(saved: Sequence[_Cookie], present: Sequence[_Cookie]) -> list[_Cookie]:
    """Return the cookies that are missing or have another value; the browser drops expired ones by itself."""
    values = {_cookie_id(cookie): cookie.get("value") for cookie in present}
    return [cookie for cookie in saved if values.get(_cookie_id(cookie)) != cookie.get("value")]


def missing_session_count(stored: Mapping[str, int], present: Iterable[_Cookie]) -> int:
    """Return how many cookies without an expiry a browser does not have. Pure.

    Args:
        stored: Their number in the profile, by host.
        present: The cookies in the browser; more than stored do not count, also not for other hosts.
    """
    found = Counter(cookie.get("domain", "") for cookie in present if _has_no_expiry(cookie))
    return sum(max(0, count - found[host]) for host, count in stored.items())


def dropped_cookies(stored: Mapping[str, int], saved: Iterable[_Cookie], present: Iterable[_Cookie]) -> list[_Cookie]:
    """Return the saved cookies without an expiry that a browser dropped, of hosts that the profile has some of. Pure.

    A cookie that the browser has, with whatever value, is not replaced: it is newer than the saved one.
    """
    known = {_cookie_id(cookie) for cookie in present}
    return [
        cookie
        for cookie in saved
        if _has_no_expiry(cookie) and cookie.get("domain") in stored and _cookie_id(cookie) not in known
    ]


def _has_no_expiry(cookie: _Cookie) -> bool:
    return cookie.get("expires") == _NO_EXPIRY


def _cookie_id(cookie: _Cookie) -> tuple[Any, ...]:
    return tuple(cookie.get(part) for part in ("name", "domain", "path", "partitionKey"))


def _by_key(cookies: Sequence[_Cookie]) -> dict[str, Any]:
    """Return each cookie under a unique key: its site, path, name and partition."""
    by_key: dict[str, Any] = {}
    for cookie in cookies:
        name, domain, path, partition = _cookie_id(cookie)
        within = f" within {partition}" if partition else ""
        by_key[f"{domain}{path} {name}{within}"] = dict(cookie)
    return by_key


def _replace(path: Path, content: bytes) -> None:
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE), "wb") as file:
        file.write(content)
    part.replace(path)


def _read(path: Path) -> Sequence[_Cookie]:
    try:
        cookies: object = json.loads(path.read_bytes())
    except FileNotFoundError:
        return ()
    if not (isinstance(cookies, list) and all(isinstance(entry, dict) for entry in cast("list[object]", cookies))):
        msg = f"{path} holds no list of cookies"
        raise ValueError(msg)
    return cast("Sequence[_Cookie]", cookies)
