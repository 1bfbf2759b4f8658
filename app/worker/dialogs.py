"""Questions that a page asks, answered as its pack says: nobody else is there, and the page stands still until then."""

from __future__ import annotations

import contextlib

from playwright.async_api import Dialog, Page
from playwright.async_api import Error as PlaywrightError

from app.portal.pack import Dialogs


def answer_dialogs(page: Page, choice: Dialogs) -> None:
    """Answer whatever a page asks from now on."""

    async def answer(dialog: Dialog) -> None:
        await answer_dialog(dialog, choice)

    page.on("dialog", answer)


async def answer_dialog(dialog: Dialog, choice: Dialogs) -> None:
    """Answer one question; a text that is asked for is never given."""
    with contextlib.suppress(PlaywrightError):  # the page is gone, or somebody else was quicker
        if choice is Dialogs.ACCEPT and dialog.type != "prompt":
            await dialog.accept()
        else:
            await dialog.dismiss()
