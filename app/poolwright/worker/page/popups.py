"""The windows and dialogs that a page opens: bounded, answered and closed.

This is the only place that answers; others may listen to what is asked.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any

import anyio
from playwright.async_api import Dialog, Page
from playwright.async_api import Error as PlaywrightError

from poolwright.portal.pack_schema import DialogPolicy
from poolwright.worker.page.devtools import SendCommand, cdp_session, session_sender

#: Whether a page may be left: whoever sends it elsewhere means it.
_BEFORE_UNLOAD = "beforeunload"


def answer_dialogs(page: Page, choice: DialogPolicy) -> None:
    """Answer whatever a page and the windows that it opens ask, from now on and for as long as they live."""

    async def answer(dialog: Dialog) -> None:
        with contextlib.suppress(PlaywrightError):  # the page is gone
            if is_accepted(dialog.type, choice):
                await dialog.accept()
            else:
                await dialog.dismiss()

    def adopt(window: Page) -> None:
        window.on("dialog", answer)
        window.on("popup", adopt)

    adopt(page)


def is_accepted(kind: str, choice: DialogPolicy) -> bool:
    """Whether a question of a kind is answered with yes; a text that is asked for is never given."""
    return kind == _BEFORE_UNLOAD or (choice is DialogPolicy.ACCEPT and kind != "prompt")


#: More windows of one page are of no use to anybody; a further one is closed as it comes.
OPEN_MAX = 20
#: A page that goes on so long opens them in a loop, faster than they can be closed.
SHUT_MAX = 20
#: Each window closes in 10 to 50 ms; a page may have opened many.
_CLOSE_LIMIT_S = 5.0
#: A page's scripts stop at once, unless one of them runs without end.
_QUIET_LIMIT_S = 1.0
_Target = Mapping[str, Any]


class WindowLimit:
    """How many windows one page opened, and those that they opened. Pure."""

    def __init__(self) -> None:
        """None yet."""
        self._shut_count = 0

    @property
    def is_flood(self) -> bool:
        """Whether more come than can be closed."""
        return self._shut_count > SHUT_MAX

    def is_excess(self, open_count: int) -> bool:
        """Whether one that came just now is one too many."""
        self._shut_count += open_count > OPEN_MAX
        return open_count > OPEN_MAX


@contextlib.asynccontextmanager
async def window_cleanup(page: Page, note_flood: Callable[[], None] | None = None) -> AsyncGenerator[None]:
    """Close every window that a page opened, and those that they opened, when the work on the page is over.

    The browser is asked which they are: one that still waits for its first answer is known to nobody else.

    Args:
        page: It. Where it has opened any, it goes first, so that it opens no more.
        note_flood: Called when it opens windows without end; the work on it must stop then. Nothing for a page that
            stays, whose windows are closed alone.
    """
    windows, opened = WindowLimit(), list[Page]()

    async def note(window: Page) -> None:
        window.on("popup", note)
        opened.append(window)
        if windows.is_excess(sum(not one.is_closed() for one in opened)):
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
            await close_opened_windows(page, stays=note_flood is None)
            for window in opened:
                with contextlib.suppress(PlaywrightError):
                    await window.close()


async def close_opened_windows(page: Page, *, stays: bool = False) -> None:
    """Close what a page has opened by now; and the page itself, unless it stays or has opened nothing.

    Of a page that is gone already nobody knows any more what it opened.
    """
    with contextlib.suppress(PlaywrightError):
        send = session_sender(await cdp_session(page))
        own = (await send("Target.getTargetInfo", {}))["targetInfo"]["targetId"]
        family = await _family_of(own, send)
        others = [one for one in page.context.pages if one is not page]
        if family and others and not stays:
            with anyio.move_on_after(_QUIET_LIMIT_S):  # else it opens more of them in between
                await send("Emulation.setScriptExecutionDisabled", {"value": True})
            family = await _family_of(own, send)
            send = session_sender(await cdp_session(others[0]))  # the page's own way ends with it
            await _close(own, send)
        async with anyio.create_task_group() as closing:
            for target_id in family:
                closing.start_soon(_close, target_id, send)


async def _family_of(opener: str, send: SendCommand) -> list[str]:
    return opened_by(opener, (await send("Target.getTargets", {}))["targetInfos"])


async def _close(target_id: str, send: SendCommand) -> None:
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
