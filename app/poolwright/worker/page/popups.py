"""The windows and dialogs that a page opens: limited in number, answered and closed.

No other module answers a dialog; others may listen to its text.
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

#: The dialog that asks whether to leave a page; every navigation here is intended.
_BEFORE_UNLOAD = "beforeunload"


def answer_dialogs(page: Page, policy: DialogPolicy) -> None:
    """Answer every dialog of a page and of the windows that it opens, until they close."""

    async def answer(dialog: Dialog) -> None:
        with contextlib.suppress(PlaywrightError):  # the page is gone
            if is_accepted(dialog.type, policy):
                await dialog.accept()
            else:
                await dialog.dismiss()

    def watch(window: Page) -> None:
        window.on("dialog", answer)
        window.on("popup", watch)

    watch(page)


def is_accepted(dialog_type: str, policy: DialogPolicy) -> bool:
    """Return whether a dialog of this type is accepted; a prompt for a text never is."""
    return dialog_type == _BEFORE_UNLOAD or (policy is DialogPolicy.ACCEPT and dialog_type != "prompt")


#: Most windows of one page that stay open; each further one is closed when it opens.
OPEN_MAX = 20
#: After so many closed windows the page opens them in a loop, faster than they can be closed.
SHUT_MAX = 20
#: Each window closes in 10 to 50 ms; a page may have opened many.
_CLOSE_LIMIT_S = 5.0
#: A page's scripts stop at once, unless one of them runs without end.
_QUIET_LIMIT_S = 1.0
_Target = Mapping[str, Any]


class WindowLimit:
    """Counts the windows that were closed because a page had too many. Pure."""

    def __init__(self) -> None:
        """Start at zero."""
        self._shut_count = 0

    @property
    def is_flood(self) -> bool:
        """Return whether more windows open than can be closed."""
        return self._shut_count > SHUT_MAX

    def is_excess(self, open_count: int) -> bool:
        """Return whether a window that just opened is one too many."""
        self._shut_count += open_count > OPEN_MAX
        return open_count > OPEN_MAX


@contextlib.asynccontextmanager
async def window_cleanup(page: Page, note_flood: Callable[[], None] | None = None) -> AsyncGenerator[None]:
    """Close every window that a page opened, and the windows that those opened, at the end of the block.

    The browser lists them: only it knows a window that still waits for its first response.

    Args:
        page: The page. If it has opened windows, it is closed first, so that it opens no more.
        note_flood: Called when it opens windows without end; the work on it must stop then. ``None`` for a page that
            stays open: only its windows are closed.
    """
    limit, opened = WindowLimit(), list[Page]()

    async def on_popup(window: Page) -> None:
        window.on("popup", on_popup)
        opened.append(window)
        if limit.is_excess(sum(not page.is_closed() for page in opened)):
            if limit.is_flood and note_flood is not None:
                note_flood()  # again with each further window
            with contextlib.suppress(PlaywrightError):  # it closed by itself
                await window.close()

    page.on("popup", on_popup)
    try:
        yield
    finally:
        page.remove_listener("popup", on_popup)
        with anyio.move_on_after(_CLOSE_LIMIT_S, shield=True):
            await close_opened_windows(page, stays=note_flood is None)
            for window in opened:
                with contextlib.suppress(PlaywrightError):
                    await window.close()


async def close_opened_windows(page: Page, *, stays: bool = False) -> None:
    """Close the windows that a page has opened, and the page itself unless it stays or has opened none.

    The windows of a page that is closed already cannot be found any more.
    """
    with contextlib.suppress(PlaywrightError):
        send = session_sender(await cdp_session(page))
        page_id = (await send("Target.getTargetInfo", {}))["targetInfo"]["targetId"]
        opened_ids = await _opened_ids(page_id, send)
        others = [other for other in page.context.pages if other is not page]
        if opened_ids and others and not stays:
            with anyio.move_on_after(_QUIET_LIMIT_S):  # else it opens more windows meanwhile
                await send("Emulation.setScriptExecutionDisabled", {"value": True})
                # The setting ends a moment before the page closes, and the page's timers would run again.
                await send("Page.navigate", {"url": "about:blank"})
            opened_ids = await _opened_ids(page_id, send)
            send = session_sender(await cdp_session(others[0]))  # the session of the page ends with it
            await _close(page_id, send)
        async with anyio.create_task_group() as closing:
            for target_id in opened_ids:
                closing.start_soon(_close, target_id, send)


async def _opened_ids(opener: str, send: SendCommand) -> list[str]:
    return opened_by(opener, (await send("Target.getTargets", {}))["targetInfos"])


async def _close(target_id: str, send: SendCommand) -> None:
    with contextlib.suppress(PlaywrightError):  # it closed by itself
        await send("Target.closeTarget", {"targetId": target_id})


def opened_by(opener: str, targets: Sequence[_Target]) -> list[str]:
    """Return the ids of the pages that were opened by a page, directly or through another page."""
    opened_ids = [opener]
    for page_id in opened_ids:  # the loop appends to the list that it walks
        opened_ids += [
            target["targetId"]
            for target in targets
            if target.get("openerId") == page_id and target["type"] == "page" and target["targetId"] not in opened_ids
        ]
    return opened_ids[1:]
