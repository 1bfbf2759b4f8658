"""The window in which a person shows a portal, from the first page until all is shown or the window is closed."""

from __future__ import annotations

import contextlib
import math
from functools import partial
from pathlib import Path
from typing import TypeAlias

import anyio
import anyio.to_thread
from anyio.streams.memory import MemoryObjectReceiveStream
from playwright.async_api import BrowserContext, Page
from playwright.async_api import Error as PlaywrightError

from poolwright.domain.events import Level
from poolwright.learn.observations import ShownKind
from poolwright.worker.browser.keeper_tab import Notify
from poolwright.worker.teaching.list_evidence import ListEvidence, list_evidence, page_of_order
from poolwright.worker.teaching.page_record import PageRecord, PanelMessage
from poolwright.worker.teaching.teaching_panel import PageState, TeachingPanel, watch_pages

_Event: TypeAlias = Page | tuple[TeachingPanel, PanelMessage, PageState]


class TeachingWindow:
    """Records what a person shows in a browser."""

    def __init__(self, context: BrowserContext, folder: Path, notify: Notify) -> None:
        """Record the pages of a browser.

        Args:
            context: The browser.
            folder: For the pages and ``observations.toml``.
            notify: Receives a sentence about each page that was noted.
        """
        self._folder = folder
        self._notify = notify
        self.record = PageRecord()
        self._is_announced = False
        self._send, self._receive = anyio.create_memory_object_stream[_Event](math.inf)
        watch_pages(context, self._on_event)

    async def run(self) -> None:
        """Show the panel in every page and record what it tells, until the person has finished.

        The pages are written after each message, so that nothing is lost when the window is closed.
        """
        with self._send, self._receive:
            await self._serve(self._receive)

    async def _serve(self, events: MemoryObjectReceiveStream[_Event]) -> None:
        async for event in events:
            if isinstance(event, Page):
                with contextlib.suppress(PlaywrightError):  # closed at once
                    await TeachingPanel(event, self._on_message).attach()
                continue
            panel, message, state = event
            if message.kind == "done":
                return
            if message.kind == "search":
                self.record.remember_search(message)
                continue
            if message.kind != "ready":
                await self._record(message, state)
                await self._write(self.record.describe(message))
            with contextlib.suppress(PlaywrightError):  # the page went on; its next panel asks again
                await panel.show(self.record.counts(), self.record.next_step())
            if not self._is_announced:
                self._is_announced = True
                self._notify(Level.INFO, self.record.next_step())

    async def _record(self, message: PanelMessage, state: PageState) -> None:
        evidence = ListEvidence()
        if message.kind == ShownKind.ORDER:
            page = page_of_order(message.number, message.attachments, message.address)
            keep = partial(
                list_evidence,
                page,
                message.html,
                source=await state.source(),
                early=message.early,
                answers=await state.answer_texts(),
            )
            evidence = await anyio.to_thread.run_sync(keep)
        if message.kind == ShownKind.RESULTS and (search := self.record.search_for(message.number)) is not None:
            self.record.add(search, 200, [], calls=state.calls)
        self.record.add(
            message,
            state.status,
            state.requests,
            calls=state.calls,
            challenge=state.challenge,
            evidence=evidence,
        )

    async def _write(self, sentence: str) -> None:
        try:
            await anyio.to_thread.run_sync(self.record.write, self._folder, self.record.title)
        except OSError as error:
            self._notify(Level.WARNING, f"The pages cannot be written to {self._folder} ({error.strerror}).")
        else:
            self._notify(Level.INFO, sentence)

    def _on_message(self, panel: TeachingPanel, message: PanelMessage, state: PageState) -> None:
        self._on_event((panel, message, state))

    def _on_event(self, event: _Event) -> None:
        with contextlib.suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):  # told after the end
            self._send.send_nowait(event)
