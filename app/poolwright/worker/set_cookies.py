"""Cookies that an answer of the stream lane sets, given to the browser: it alone keeps them, as if it had asked."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from http.cookiejar import Cookie
from typing import TYPE_CHECKING, Literal

import httpx
from playwright.async_api import BrowserContext
from playwright.async_api import Error as PlaywrightError

if TYPE_CHECKING:  # the driver's own type, which it does not hand out; only its name is wanted
    from playwright._impl._api_structures import SetCookieParam

#: What a browser understands by no expiry.
_OF_SESSION = -1.0
_SAME_SITE: Mapping[str, Literal["Lax", "None", "Strict"]] = {"strict": "Strict", "lax": "Lax", "none": "None"}


async def bring_cookies(answer: httpx.Response, context: BrowserContext) -> None:
    """Give the browser what an answer sets. One that it does not take is passed over."""
    if "set-cookie" not in answer.headers:
        return
    for cookie in cookies_of(answer):
        with contextlib.suppress(PlaywrightError):
            await context.add_cookies([cookie])


def cookies_of(answer: httpx.Response) -> Iterator[SetCookieParam]:
    """The cookies that an answer sets, for the hosts for which it may; none that it takes away."""
    jar = httpx.Cookies()
    jar.extract_cookies(answer)
    for cookie in jar.jar:
        yield _told(cookie, answer.url)


def _told(cookie: Cookie, url: httpx.URL) -> SetCookieParam:
    told: SetCookieParam = {
        "name": cookie.name,
        "value": cookie.value or "",
        # The library calls a host without a dot by another name.
        "domain": cookie.domain if cookie.domain_specified else url.host,
        "path": cookie.path,
        "expires": float(cookie.expires) if cookie.expires else _OF_SESSION,
        "httpOnly": cookie.has_nonstandard_attr("HttpOnly"),
        "secure": cookie.secure and url.scheme == "https",
    }
    same_site = (cookie.get_nonstandard_attr("SameSite") or "").lower()
    if same_site in _SAME_SITE:
        told["sameSite"] = _SAME_SITE[same_site]
    return told
