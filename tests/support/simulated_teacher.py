"""A person who shows a portal: opens its pages, and presses the buttons of the panel with the mouse.

The panel is in a closed shadow root, so its buttons are found by the protocol of the developer tools, as a person
sees them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio
from playwright.async_api import Page

from poolwright.domain.events import Level
from poolwright.worker.page.devtools import cdp_session, session_sender
from tests.support.taught_portals import BASIC, PASSWORD, USER, TaughtOrder, TaughtPortal

#: The panel stands beside the body.
_PANEL = "html > div"


@dataclass(kw_only=True)
class WindowNotes:
    """What the window says that it noted, and a way to wait for the next sentence."""

    texts: list[str] = field(default_factory=list[str])
    _news: anyio.Event = field(default_factory=anyio.Event)

    def __call__(self, _: Level, text: str) -> None:
        """Hear one sentence."""
        if not text.startswith("Noted: "):
            return
        self.texts.append(text)
        self._news.set()
        self._news = anyio.Event()

    async def wait_for(self, count: int) -> None:
        """Wait until so many sentences were said."""
        while len(self.texts) < count:
            await self._news.wait()


@dataclass(kw_only=True)
class SimulatedTeacher:
    """One person at one page."""

    page: Page
    portal: TaughtPortal
    noted: WindowNotes

    async def show_portal(self) -> None:
        """Show everything that the panel asks for."""
        first, second, without, forbidden = list(self.portal.orders.values())[:4]
        await self._log_in(first)
        await self._open(self.portal.home_path, "h1, h2, td")
        await self._note("Page after the login")
        for order in (first, second):
            await self._show_order(order)
        await self._open(self.portal.path_of(without.number), f"text={without.supplier}")
        if self.portal.name == "framed":
            await self.page.frame_locator("iframe").get_by_text("0 documents").wait_for()
        if self.portal.calls:
            await self.page.wait_for_selector("text=There are no files")
        if self.portal.name == "filtered":
            await self.page.wait_for_selector(".papers.loaded", state="attached")
        await self._note("Order without attachments", without.number)
        if self.portal.search_path:
            await self._show_search(first)
            await self._search(self.portal.missing)
        else:
            await self._open(self.portal.path_of(self.portal.missing), self.portal.refusal)
        is_typed = self.portal.search_path and not self.portal.search_button
        await self._note("Number that does not exist", "" if is_typed else self.portal.missing)
        await self._open(self.portal.path_of(forbidden.number), self.portal.refusal)
        await self._note("Order that you may not see", forbidden.number)
        await self._note("Try the pack on this number", list(self.portal.orders)[4])
        await self._press("BUTTON", "Finish")

    async def point_at(self, number: str, file: str, supplier: str) -> None:
        """Say that an order is shown; point at an attachment and at the supplier, and finish."""
        before = len(self.noted.texts)
        await self._fill_number(number)
        await self._press("BUTTON", "Order with attachments")
        await self.page.click(file)
        await self.noted.wait_for(before + 1)
        await self._press("BUTTON", "\u2026 and its supplier")
        await self.page.click(supplier)
        await self.noted.wait_for(before + 2)
        await self._press("BUTTON", "Finish")

    async def _log_in(self, first: TaughtOrder) -> None:
        """Show the login page, or both of them, and log in."""
        if self.portal.is_basic:
            await self._open(self.portal.path_of(first.number), "text=Authorization required")
            await self._note("Login page")
            await self.page.context.set_extra_http_headers({"Authorization": BASIC})
            return
        await self._open(self.portal.path_of(first.number), "input[name=user]")
        await self._note("Login page")
        await self.page.fill("input[name=user]", USER)
        if self.portal.password_path:
            await self.page.press("input[name=user]", "Enter")
            await self.page.wait_for_selector("input[name=pass]")
            await self._note("Login page")
        await self.page.fill("input[name=pass]", PASSWORD)
        await self.page.press("input[name=pass]", "Enter")
        await self.page.wait_for_selector("input[name=pass]", state="detached")

    async def _show_order(self, order: TaughtOrder) -> None:
        words = {"buttons": "Get", "cells": "Download", "calls": "\u2b07", "blobs": "\u2b07"}.get(
            self.portal.name, order.files[0]
        )
        place = self.page.frame_locator("iframe") if self.portal.name == "framed" else self.page
        file = place.get_by_text(words, exact=True).first
        await self._open(self.portal.path_of(order.number), f"text={order.supplier}")
        await file.wait_for()
        if self.portal.name == "filtered":
            await self.page.wait_for_selector(".papers.loaded")
        before, address = len(self.noted.texts), self.page.url
        await self._fill_number(order.number)
        await self._press("BUTTON", "Order with attachments")
        await file.click()
        await self.noted.wait_for(before + 1)
        if self.portal.next_button and len(order.files) > 1:
            before += 1
            await self._press("BUTTON", "\u2026 and its next page")
            await self.page.get_by_text(self.portal.next_button).click()
            await self.noted.wait_for(before + 1)
        await self._press("BUTTON", "\u2026 and its supplier")
        await self.page.get_by_text(order.supplier).click()
        await self.noted.wait_for(before + 2)
        assert self.page.url == address, "a click is noted and opens nothing"

    async def _show_search(self, order: TaughtOrder) -> None:
        """Search for an order, and point at the result that leads to it."""
        await self._search(order.number)
        before, address = len(self.noted.texts), self.page.url
        if self.portal.search_button:  # else the panel has the number that was typed
            await self._fill_number(order.number)
        await self._press("BUTTON", "Search results")
        if self.portal.result:
            row = self.page.get_by_role("row").filter(has_text=order.number)
            await row.get_by_text(self.portal.result).click()
        else:
            await self.page.get_by_text(order.number, exact=True).click()
        await self.noted.wait_for(before + 1)
        if self.portal.results_next:
            await self._press("BUTTON", "\u2026 and its next page")
            await self.page.get_by_text(self.portal.results_next, exact=True).click()
            await self.noted.wait_for(before + 2)
        assert self.page.url == address, "a click is noted and opens nothing"

    async def _search(self, number: str) -> None:
        await self._open(self.portal.search_path, ".finder")
        await self.page.click(".finder input:not([type=hidden])")
        await self.page.keyboard.type(number)
        if self.portal.search_button:
            await self.page.get_by_role("button", name=self.portal.search_button).click()
        await self.page.wait_for_selector(".hits, .none, .found, .info:has-text('match')")
        await self.page.wait_for_selector(_PANEL, state="attached")

    async def _open(self, path: str, sign: str) -> None:
        """Open a page by its address, and wait until it shows something."""
        await self.page.goto(f"{self.portal.url}{path}")
        if "#" in path:  # a new hash alone loads nothing, and scripts draw the page later
            await self.page.reload()
        await self.page.wait_for_selector(sign)
        await self.page.wait_for_selector(_PANEL, state="attached")

    async def _note(self, button: str, number: str = "") -> None:
        before = len(self.noted.texts)
        if number:
            await self._fill_number(number)
        await self._press("BUTTON", button)
        await self.noted.wait_for(before + 1)

    async def _fill_number(self, number: str) -> None:
        await self._press("INPUT", "")
        await self.page.keyboard.press("Control+A")
        await self.page.keyboard.type(number)

    async def _press(self, tag: str, text: str) -> None:
        """Click into the middle of an element of the panel."""
        send = session_sender(await cdp_session(self.page))
        document = await send("DOM.getDocument", {"depth": -1, "pierce": True})
        panel = next(node for node in _nodes(document["root"]) if _is_panel(node))
        found = next(node for node in _nodes(panel) if node["nodeName"] == tag and _text(node).startswith(text))
        box = await send("DOM.getBoxModel", {"backendNodeId": found["backendNodeId"]})
        quad = box["model"]["content"]
        await self.page.mouse.click((quad[0] + quad[4]) / 2, (quad[1] + quad[5]) / 2)


def _nodes(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for child in (*node.get("children", ()), *node.get("shadowRoots", ())):
        yield from _nodes(child)


def _is_panel(node: Mapping[str, Any]) -> bool:
    return any(root.get("shadowRootType") == "closed" for root in node.get("shadowRoots", ()))


def _text(node: Mapping[str, Any]) -> str:
    return "".join(str(child.get("nodeValue", "")) for child in node.get("children", ()))
