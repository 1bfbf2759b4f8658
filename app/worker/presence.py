"""Whether the portal is still there, when something of it could not be had."""

from __future__ import annotations

from playwright.async_api import BrowserContext
from playwright.async_api import Error as PlaywrightError

_LIMIT_S = 5.0
#: How a driver says that no connection comes about. Anything else is an answer of a kind.
_NOBODY_THERE = ("ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "ENETDOWN", "ETIMEDOUT")
#: How it says that the other end died while it was asked.
_DYING = ("ECONNRESET", "socket hang up")


async def is_portal_gone(context: BrowserContext, base_url: str) -> bool:
    """Whether nobody answers at the portal's address any more."""
    try:
        answer = await context.request.head(base_url, timeout=_LIMIT_S * 1000)
        await answer.dispose()
    except PlaywrightError as error:
        return any(sign in str(error) for sign in (*_NOBODY_THERE, *_DYING))
    return False
