"""What a processor finds beside its tab where the pool has a portal."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass

from playwright.async_api import BrowserContext

from poolwright.domain.options import BrowserOptions, PortalOptions, WorkerOptions
from poolwright.domain.outcomes import LoginCheck
from poolwright.portal.pack import Pack
from poolwright.worker.download import Downloads, open_downloads
from poolwright.worker.login import Door


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What every task of a session shares: the portal's rules and the way to its files."""

    pack: Pack
    portal: PortalOptions
    downloads: Downloads
    #: Called at once when a page came by way of the portal's login page.
    note_renewed: Callable[[], None]
    #: Asks the portal whether the session is logged in: what it refuses may be refused for want of a login.
    prove: Callable[[], Awaitable[LoginCheck]]


def _ignore() -> None:
    """Ignore the event."""


async def _unasked() -> LoginCheck:
    """Return ``UNCLEAR``: there is no portal to ask."""
    return LoginCheck.UNCLEAR


@contextlib.asynccontextmanager
async def open_desk(
    door: Door | None,
    context: BrowserContext,
    user_agent: str,
    note_renewed: Callable[[], None] = _ignore,
    prove: Callable[[], Awaitable[LoginCheck]] = _unasked,
    options: WorkerOptions | None = None,
) -> AsyncGenerator[Desk | None]:
    """Make the desk of a session; without a way into a portal there is none.

    Args:
        door: The portal's.
        context: Whose cookies downloads use.
        user_agent: The browser's own.
        note_renewed: Called at once when a page came by way of the portal's login page.
        prove: Asks the portal whether the session is logged in.
        options: How much one file and one order may be, and how they come; the usual where nothing is said.
    """
    if door is None:
        yield None
        return
    told = options or WorkerOptions(browser=BrowserOptions())
    async with open_downloads(door, context, user_agent, told.sizes, told.browser) as downloads:
        yield Desk(pack=door.pack, portal=door.portal, downloads=downloads, note_renewed=note_renewed, prove=prove)
