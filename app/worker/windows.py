"""What a page opens beside itself: windows, which are closed with it, and questions, which are answered for nobody."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from typing import Any

import anyio
from playwright.async_api import Dialog, Page
from playwright.async_api import Error as PlaywrightError

from app.portal.tables import Dialogs
from app.worker.devtools import sending_to
from app.worker.dialogs import answer_dialog

#: Each window closes in 10 to 50 ms; a page may have opened many.
_CLOSE_LIMIT_S = 5.0
_Target = Mapping[str, Any]


@contextlib.asynccontextmanager
async def closing_windows(page: Page) -> AsyncGenerator[None]:
    """Close every window that a page opened, and those that they opened, when the work on the page is over.

    The browser is asked which they are: one that still waits for its first answer is known to nobody else.
    """
    try:
        yield
    finally:
        with anyio.move_on_after(_CLOSE_LIMIT_S, shield=True), contextlib.suppress(PlaywrightError):
            send = await sending_to(page)
            own = (await send("Target.getTargetInfo", {}))["targetInfo"]["targetId"]
            targets = (await send("Target.getTargets", {}))["targetInfos"]
            for target_id in opened_by(own, targets):
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


@contextlib.contextmanager
def answering(page: Page, answer: Dialogs) -> Generator[None]:
    """Answer what a page and its windows ask, so that nothing waits for a person."""

    async def reply(dialog: Dialog) -> None:
        await answer_dialog(dialog, answer)

    def adopt(window: Page) -> None:
        window.on("dialog", reply)
        window.on("popup", adopt)

    adopt(page)
    try:
        yield
    finally:
        page.remove_listener("dialog", reply)
        page.remove_listener("popup", adopt)
