"""Questions that a page asks, answered as its pack says: nobody else is there, and the page stands still until then.

This is the only place that answers; others may listen to what is asked.
"""

from __future__ import annotations

import contextlib

from playwright.async_api import Dialog, Page
from playwright.async_api import Error as PlaywrightError

from poolwright.portal.pack_schema import DialogPolicy

#: Whether a page may be left: whoever sends it elsewhere means it.
_LEAVING = "beforeunload"


def answer_dialogs(page: Page, choice: DialogPolicy) -> None:
    """Answer whatever a page and the windows that it opens ask, from now on and for as long as they live."""

    async def answer(dialog: Dialog) -> None:
        with contextlib.suppress(PlaywrightError):  # the page is gone
            if takes(dialog.type, choice):
                await dialog.accept()
            else:
                await dialog.dismiss()

    def adopt(window: Page) -> None:
        window.on("dialog", answer)
        window.on("popup", adopt)

    adopt(page)


def takes(kind: str, choice: DialogPolicy) -> bool:
    """Whether a question of a kind is answered with yes; a text that is asked for is never given."""
    return kind == _LEAVING or (choice is DialogPolicy.ACCEPT and kind != "prompt")
