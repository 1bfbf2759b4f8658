"""Whether a browser has every cookie that its profile holds, asked right after its launch.

Chromium never tells of a cookie that it can't read: a wrong key or one flipped bit, and it deletes all cookies of that
site. The supervisor counts them in the database before each launch; here they are counted in the browser. Only numbers
and hosts are compared and told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from playwright.async_api import BrowserContext
from playwright.async_api import Error as PlaywrightError

from app.domain.cookies import SiteCookies
from app.worker.errors import CookiesLostError, SessionBrokenError

#: How a browser names itself that drops session cookies whatever it is told: chromium-headless-shell.
_FORGETFUL = "HeadlessChrome/"
#: More sites than these help nobody.
_TOLD = 5


async def take_census(driver: BrowserContext, expected: Sequence[SiteCookies]) -> None:
    """Make sure that no cookie was lost at the launch. Costs 1 to 5 ms. Ask before anything is given to the browser.

    Args:
        driver: A browser that was launched just now.
        expected: What its profile holds.

    Raises:
        CookiesLostError: Some are lost. The sentence says how many, and of which sites.
        SessionBrokenError: The browser is gone.
    """
    try:
        present = Counter(cookie.get("domain", "") for cookie in await driver.cookies())
        lost = count_lost(expected, present)
        if lost and not await _keeps_session_cookies(driver):
            lost = count_lost(expected, present, keeps_session=False)
    except PlaywrightError as error:
        msg = "the browser ended right after its launch"
        raise SessionBrokenError(msg) from error
    if lost:
        raise CookiesLostError(describe(lost, expected))


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


async def _keeps_session_cookies(driver: BrowserContext) -> bool:
    """The headless shell says what it is in its version; a full browser without a window calls itself Chrome there."""
    if driver.browser is None:
        return True
    asking = await driver.browser.new_browser_cdp_session()
    version = cast("Mapping[str, str]", await asking.send("Browser.getVersion"))  # pyright: ignore[reportUnknownMemberType]
    await asking.detach()
    return not version["product"].startswith(_FORGETFUL)
