"""Whether a browser has every cookie that its profile holds, asked right after its launch.

Chromium never tells of a cookie that it can't read: a wrong key or one flipped bit, and it deletes all cookies of that
site. The supervisor counts them in the database before each launch; here they are counted in the browser. Only numbers
and hosts are compared and told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import cast

from playwright.async_api import BrowserContext
from playwright.async_api import Error as PlaywrightError

from poolwright.domain.ids import SiteCookies
from poolwright.worker.errors import CannotStartError, CookiesLostError, SessionBrokenError

#: How a browser names itself that drops session cookies whatever it is told: chromium-headless-shell.
_FORGETFUL = "HeadlessChrome/"
_TOO_OLD = (
    "The browser does not start (the profile was last used by the newer version {theirs}, and this browser, {ours}, "
    "cannot read what that wrote; the profile is whole). Name the newer one with --browser, update this one, or log in "
    "anew to a profile that this one makes."
)
#: More sites than these help nobody.
_TOLD = 5


#: Where a browser writes its version into its user-data folder, at each start.
_LAST_VERSION = "Last Version"


def written_by(profile: Path) -> str:
    """The version of the browser that used a profile last; empty where none says so. Ask before a launch."""
    try:
        return (profile / _LAST_VERSION).read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


async def take_census(driver: BrowserContext, expected: Sequence[SiteCookies], last_version: str = "") -> None:
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
        lost = count_lost(expected, present)
        product = await _product(driver) if lost else ""
        if lost and product.startswith(_FORGETFUL):
            lost = count_lost(expected, present, keeps_session=False)
    except PlaywrightError as error:
        msg = "the browser ended right after its launch"
        raise SessionBrokenError(msg) from error
    if lost and is_newer(last_version, product):
        raise CannotStartError(_TOO_OLD.format(theirs=last_version, ours=product.rpartition("/")[2]))
    if lost:
        raise CookiesLostError(describe(lost, expected))


def is_newer(last_version: str, product: str) -> bool:
    """Whether a browser of another main version, and a later one, used a profile before this one. Pure."""
    theirs, ours = (_main_version(text.rpartition("/")[2]) for text in (last_version, product))
    return theirs is not None and ours is not None and theirs > ours


def _main_version(text: str) -> int | None:
    number = text.partition(".")[0]
    return int(number) if number.isascii() and number.isdigit() else None


def count_lost(
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


def describe(lost: Mapping[str, int], expected: Iterable[SiteCookies]) -> str:
    """The loss in one sentence, the site with the most first. Pure."""
    total = sum(site.lasting_count + site.session_count for site in expected)
    told = [f"{count} of {site}" for site, count in sorted(lost.items(), key=lambda item: (-item[1], item[0]))]
    more = f" and {len(told) - _TOLD} more sites" if len(told) > _TOLD else ""
    return (
        f"The browser has lost {sum(lost.values())} of the {total} cookies that this profile holds, so a login may be "
        f"gone: {', '.join(told[:_TOLD])}{more}."
    )


async def _product(driver: BrowserContext) -> str:
    """Name and version. The headless shell says what it is; a full browser without a window calls itself Chrome."""
    if driver.browser is None:
        return ""
    asking = await driver.browser.new_browser_cdp_session()
    version = cast("Mapping[str, str]", await asking.send("Browser.getVersion"))  # pyright: ignore[reportUnknownMemberType]
    await asking.detach()
    return version["product"]
