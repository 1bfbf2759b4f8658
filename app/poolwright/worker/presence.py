"""Whether the portal is still there, when something of it could not be had.

The browser itself is asked, by the way that its pages take: it alone knows the proxies, the names behind them, and the
certificates.
"""

from __future__ import annotations

import contextlib

import anyio
from playwright.async_api import BrowserContext
from playwright.async_api import Error as PlaywrightError

from poolwright.worker.devtools import Send, sending_to
from poolwright.worker.errors import is_no_answer

_LIMIT_S = 5.0


async def is_portal_gone(context: BrowserContext, base_url: str) -> bool:
    """Return whether the portal's address no longer answers; ``False`` if the browser itself is gone."""
    pages = context.pages  # none once it is gone
    with anyio.move_on_after(_LIMIT_S), contextlib.suppress(PlaywrightError):
        return bool(pages) and await _is_unanswered(await sending_to(pages[0]), base_url)
    return False


async def _is_unanswered(send: Send, url: str) -> bool:
    tree = await send("Page.getFrameTree", {})
    ask = {
        "frameId": tree["frameTree"]["frame"]["id"],
        "url": url,
        "options": {"disableCache": True, "includeCredentials": False},
    }
    answer = (await send("Network.loadNetworkResource", ask))["resource"]
    if "stream" in answer:
        await send("IO.close", {"handle": answer["stream"]})
    return not answer.get("httpStatusCode") and is_no_answer(str(answer.get("netErrorName", "")))
