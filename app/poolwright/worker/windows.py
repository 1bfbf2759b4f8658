"""The windows that a page opens: closed with it, and bounded while it is there."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any

import anyio
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from poolwright.worker.devtools import Send, sending, session_of

#: More windows of one page are of no use to anybody; a further one is closed as it comes.
OPEN_MAX = 20
#: A page that goes on so long opens them in a loop, faster than they can be closed.
SHUT_MAX = 20
#: Each window closes in 10 to 50 ms; a page may have opened many.
_CLOSE_LIMIT_S = 5.0
#: A page's scripts stop at once, unless one of them runs without end.
_QUIET_LIMIT_S = 1.0
_Target = Mapping[str, Any]


class Windows:
    """How many windows one page opened, and those that they opened. Pure."""

    def __init__(self) -> None:
        """None yet."""
        self._shut_count = 0

    @property
    def is_flood(self) -> bool:
        """Whether more come than can be closed."""
        return self._shut_count > SHUT_MAX

    def is_for_closing(self, open_count: int) -> bool:
        """Whether one that came just now is one too many."""
        self._shut_count += open_count > OPEN_MAX
        return open_count > OPEN_MAX


@contextlib.asynccontextmanager
async def closing_windows(page: Page, note_flood: Callable[[], None] | None = None) -> AsyncGenerator[None]:
    """Close every window that a page opened, and those that they opened, when the work on the page is over.

    The browser is asked which they are: one that still waits for its first answer is known to nobody else.

    Args:
        page: It. Where it has opened any, it goes first, so that it opens no more.
        note_flood: Called when it opens windows without end; the work on it must stop then. Nothing for a page that
            stays, whose windows are closed alone.
    """
    windows, opened = Windows(), list[Page]()

    async def note(window: Page) -> None:
        window.on("popup", note)
        opened.append(window)
        if windows.is_for_closing(sum(not one.is_closed() for one in opened)):
            if windows.is_flood and note_flood is not None:
                note_flood()  # again with each one that comes
            with contextlib.suppress(PlaywrightError):  # it closed by itself
                await window.close()

    page.on("popup", note)
    try:
        yield
    finally:
        page.remove_listener("popup", note)
        with anyio.move_on_after(_CLOSE_LIMIT_S, shield=True):
            await close_family(page, stays=note_flood is None)
            for window in opened:
                with contextlib.suppress(PlaywrightError):
                    await window.close()


async def close_family(page: Page, *, stays: bool = False) -> None:
    """Close what a page has opened by now; and the page itself, unless it stays or has opened nothing.

    Of a page that is gone already nobody knows any more what it opened.
    """
    with contextlib.suppress(PlaywrightError):
        send = sending(await session_of(page))
        own = (await send("Target.getTargetInfo", {}))["targetInfo"]["targetId"]
        family = await _family_of(own, send)
        others = [one for one in page.context.pages if one is not page]
        if family and others and not stays:
            with anyio.move_on_after(_QUIET_LIMIT_S):  # else it opens more of them in between
                await send("Emulation.setScriptExecutionDisabled", {"value": True})
            family = await _family_of(own, send)
            send = sending(await session_of(others[0]))  # the page's own way ends with it
            await _close(own, send)
        async with anyio.create_task_group() as closing:
            for target_id in family:
                closing.start_soon(_close, target_id, send)


async def _family_of(opener: str, send: Send) -> list[str]:
    return opened_by(opener, (await send("Target.getTargets", {}))["targetInfos"])


async def _close(target_id: str, send: Send) -> None:
    with contextlib.suppress(PlaywrightError):  # it closed by itself
        await send("Target.closeTarget", {"targetId": target_id})


def opened_by(opener: str, targets: Sequence[_Target]) -> list[str]:
    """Which pages were opened by one, or by one that it opened."""
    family = [opener]
    for member in family:  # it grows meanwhile
        family += [
            target["targetId"]
            for target in targets
            if target.get("openerId") == member and target["type"] == "page" and target["targetId"] not in family
        ]
    return family[1:]
