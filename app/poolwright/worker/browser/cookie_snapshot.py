"""The cookies of a session: checked after the launch, saved beside the profile and restored into the next browser.

Chromium never tells of a cookie that it can't read: a wrong key or one flipped bit, and it deletes all cookies of that
site. The supervisor counts them in the database before each launch; here they are counted in the browser. Only numbers
and hosts are compared and told.

A snapshot is taken after a login, after each task and before an orderly close, and lives as long as the worker's slot.
After a crash the next browser on the same profile is given back what its disk had not seen yet, cookies without an
expiry too. The file holds a login: it is for the owner's eyes, and replaced in one step.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections import Counter
from collections.abc import Generator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, cast

import anyio
import anyio.to_thread
from playwright.async_api import BrowserContext
from playwright.async_api import Error as PlaywrightError

from poolwright.domain.ids import SiteCookies
from poolwright.worker.errors import CannotStartError, CookiesLostError, SessionBrokenError

#: How a browser names itself that drops session cookies whatever it is told: chromium-headless-shell.
_HEADLESS_SHELL = "HeadlessChrome/"
_TOO_OLD = (
    "The browser does not start (the profile was last used by the newer version {theirs}, and this browser, {ours}, "
    "cannot read what that wrote; the profile is whole). Name the newer one with --browser, update this one, or log in "
    "anew to a profile that this one makes."
)
#: More sites than these help nobody.
_SITE_COUNT_MAX = 5


#: Where a browser writes its version into its user-data folder, at each start.
_LAST_VERSION_FILE = "Last Version"


def last_browser_version(profile: Path) -> str:
    """The version of the browser that used a profile last; empty where none says so. Ask before a launch."""
    try:
        return (profile / _LAST_VERSION_FILE).read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


async def verify_cookies(driver: BrowserContext, expected: Sequence[SiteCookies], last_version: str = "") -> None:
    """Make sure that no cookie was lost at the launch. Costs 1 to 5 ms. Ask before anything is given to the browser.

    Args:
        driver: A browser that was launched just now.
        expected: What its profile holds.
        last_version: Of the browser that used the profile last.

    Raises:
        CannotStartError: Some are lost, and that browser was a newer one: what it wrote this one cannot read.
        CookiesLostError: Some are lost. The sentence says how many, and of which sites.
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
    """Whether a browser of another main version, and a later one, used a profile before this one. Pure."""
    theirs, ours = (_main_version(text.rpartition("/")[2]) for text in (last_version, product))
    return theirs is not None and ours is not None and theirs > ours


def _main_version(text: str) -> int | None:
    number = text.partition(".")[0]
    return int(number) if number.isascii() and number.isdigit() else None


def count_missing(
    expected: Iterable[SiteCookies], present: Mapping[str, int], *, keeps_session: bool = True
) -> Mapping[str, int]:
    """How many cookies of each site are lost; sites that lost none are left out. Pure.

    Args:
        expected: What the profile holds.
        present: Cookies of each host in the browser. More than expected is no loss, and makes up for none elsewhere.
        keeps_session: Whether the browser keeps cookies without an expiry.
    """
    wanted = {site.site: site.lasting_count + (site.session_count if keeps_session else 0) for site in expected}
    return {site: count - present.get(site, 0) for site, count in wanted.items() if count > present.get(site, 0)}


def describe_missing(lost: Mapping[str, int], expected: Iterable[SiteCookies]) -> str:
    """The loss in one sentence, the site with the most first. Pure."""
    total = sum(site.lasting_count + site.session_count for site in expected)
    told = [f"{count} of {site}" for site, count in sorted(lost.items(), key=lambda item: (-item[1], item[0]))]
    more = f" and {len(told) - _SITE_COUNT_MAX} more sites" if len(told) > _SITE_COUNT_MAX else ""
    return (
        f"The browser has lost {sum(lost.values())} of the {total} cookies that this profile holds, so a login may be "
        f"gone: {', '.join(told[:_SITE_COUNT_MAX])}{more}."
    )


async def _product(driver: BrowserContext) -> str:
    """Name and version. The headless shell says what it is; a full browser without a window calls itself Chrome."""
    if driver.browser is None:
        return ""
    asking = await driver.browser.new_browser_cdp_session()
    version = cast("Mapping[str, str]", await asking.send("Browser.getVersion"))  # pyright: ignore[reportUnknownMemberType]
    await asking.detach()
    return version["product"]


#: For the owner alone.
_FILE_MODE = 0o600

_Cookie: TypeAlias = Mapping[str, Any]


class CookieSnapshot:
    """One file, and what is in it. Owned by the session; nobody else writes it."""

    def __init__(self, path: Path | None) -> None:
        """Keep cookies in ``path``, whose folder is the supervisor's; in memory alone where no browser will follow."""
        self._path = path
        self._kept: bytes | None = None
        #: What was kept or brought back last, by site, path and name. A login: never to be logged or told.
        self.cookies: dict[str, Any] = {}
        self._turn = anyio.Lock()

    async def save(self, driver: BrowserContext) -> None:
        """Write down the cookies as they are now, unless nothing changed.

        Raises:
            PlaywrightError: The browser is gone.
            OSError: The file can't be written; the one before it stays.
        """
        async with self._turn:
            cookies = await driver.cookies()
            content = json.dumps(cookies).encode()
            if content != self._kept:
                self.cookies = _named([{**cookie} for cookie in cookies])
                if self._path is not None:
                    await anyio.to_thread.run_sync(_replace, self._path, content)
                self._kept = content

    async def restore(self, driver: BrowserContext) -> int:
        """Give a browser what an earlier one on the same profile had and it has not; tells how many it took.

        Raises:
            PlaywrightError: The browser is gone, or refuses every one of them.
            OSError: The file can't be read.
            ValueError: The file is no snapshot.
        """
        if self._path is None:
            return 0
        kept = await anyio.to_thread.run_sync(_read, self._path)
        present: Sequence[_Cookie] = [{**cookie} for cookie in await driver.cookies()]
        missing = missing_cookies(kept, present)
        self.cookies = _named(kept)
        return await _add(driver, missing) if missing else 0


async def _add(driver: BrowserContext, cookies: Sequence[_Cookie]) -> int:
    """Give cookies to a browser; one that it refuses does not keep the others from it.

    Raises:
        PlaywrightError: It took none.
    """
    refusals: list[PlaywrightError] = []
    with _collecting(refusals):
        await driver.add_cookies(cast("Any", cookies))  # it takes what it gave
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
    """Put what the browser refuses aside."""
    try:
        yield
    except PlaywrightError as error:
        refusals.append(error)


def missing_cookies(kept: Sequence[_Cookie], present: Sequence[_Cookie]) -> list[_Cookie]:
    """What the browser lacks or has with another value. A cookie that has expired meanwhile it drops by itself."""
    values = {_identity(cookie): cookie.get("value") for cookie in present}
    return [cookie for cookie in kept if values.get(_identity(cookie)) != cookie.get("value")]


def _identity(cookie: _Cookie) -> tuple[Any, ...]:
    return tuple(cookie.get(part) for part in ("name", "domain", "path", "partitionKey"))


def _named(cookies: Sequence[_Cookie]) -> dict[str, Any]:
    """Each cookie under a name that no other one has: where it is sent to, and how it is called there."""
    named: dict[str, Any] = {}
    for cookie in cookies:
        name, domain, path, partition = _identity(cookie)
        within = f" within {partition}" if partition else ""
        named[f"{domain}{path} {name}{within}"] = dict(cookie)
    return named


def _replace(path: Path, content: bytes) -> None:
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE), "wb") as file:
        file.write(content)
    part.replace(path)


def _read(path: Path) -> Sequence[_Cookie]:
    try:
        kept: object = json.loads(path.read_bytes())
    except FileNotFoundError:
        return ()
    if not (isinstance(kept, list) and all(isinstance(cookie, dict) for cookie in cast("list[object]", kept))):
        msg = f"{path} holds no list of cookies"
        raise ValueError(msg)
    return cast("Sequence[_Cookie]", kept)
