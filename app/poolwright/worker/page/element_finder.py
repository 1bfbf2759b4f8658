"""Finds elements of a page and acts on them, wherever they are: the page, its shadow roots, its frames.

``steps.js`` is the script. It waits inside the page, so that nothing is asked again and again.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from typing import Any

import anyio
from playwright.async_api import Page
from playwright.async_api import TimeoutError as PlaywrightTimeoutError
from pydantic import BaseModel, ConfigDict, Field

from poolwright.portal.pack import Pack
from poolwright.worker.page.devtools import PageNavigatedError, cdp_session, isolated_world, session_sender
from poolwright.worker.page.page_content import may_read_frame
from poolwright.worker.page.traffic import Traffic

_SCRIPT = resources.files("poolwright.worker").joinpath("steps.js").read_text(encoding="utf-8")
#: Interval of the looks into frames of other origins.
_SLICE_S = 1.0
#: Elements that one step may open, and addresses that it may return.
ELEMENT_COUNT_MAX = 500


class StepEnd(StrEnum):
    """The reason why the wait for an element ended."""

    FOUND = "found"
    #: The page stopped changing without it.
    QUIET = "quiet"
    #: The time limit passed.
    LATE = "late"


class StepResult(BaseModel):
    """What came of one step. Validated, because a page is data from outside."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    end: StepEnd
    count: int = 0
    addresses: list[str] = Field(default_factory=list[str])
    #: Whether the element scrolled.
    has_moved: bool = False

    @property
    def is_found(self) -> bool:
        """Return whether there is an element."""
        return self.end is StepEnd.FOUND


class ElementAction(StrEnum):
    """What is done with the elements that were found."""

    NONE = "none"
    CLICK = "click"
    FILL = "fill"
    FOCUS = "focus"
    SCROLL = "scroll"
    #: Click each element that was not clicked by it before.
    EXPAND = "expand"
    #: Return the addresses.
    ADDRESSES = "addresses"


#: Actions that change nothing, so that they may be repeated.
_HARMLESS = frozenset({ElementAction.NONE, ElementAction.ADDRESSES})


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementQuery:
    """The elements to be found, and what is done with them."""

    #: If empty, the document.
    selector: str
    action: ElementAction = ElementAction.NONE
    #: Texts, one of which an element contains; any element if empty.
    text: Sequence[str] = ()
    #: The value for a field.
    value: str = ""
    #: Attributes that may contain an address.
    attributes: Sequence[str] = ("href",)
    #: Most elements for one action.
    count_max: int = ELEMENT_COUNT_MAX
    #: Seconds to wait; the limit of a page if ``None``.
    limit_s: float | None = None
    #: Whether to stop once the page no longer changes and waits for no response.
    stops_when_quiet: bool = False
    #: Whether a hidden element counts too.
    shows_hidden: bool = False

    def to_spec(self, quiet_ms: int) -> dict[str, Any]:
        """Return the argument of the script."""
        return {
            "selector": self.selector,
            "action": self.action.value,
            "text": list(self.text),
            "value": self.value,
            "address_attributes": list(self.attributes),
            "count_max": self.count_max,
            "quiet_ms": quiet_ms,
            "stops_when_quiet": self.stops_when_quiet,
            "is_enabled": self.action in {ElementAction.CLICK, ElementAction.FILL},
            "skips_opened": self.action is ElementAction.EXPAND,
            "shows_hidden": self.shows_hidden,
        }


class ElementFinder:
    """Finds the elements of one page."""

    def __init__(self, page: Page, traffic: Traffic, pack: Pack, base_url: str) -> None:
        """Work on a page by the rules of a portal.

        Args:
            page: The page, which has loaded.
            traffic: Its requests.
            pack: The portal's rules.
            base_url: The address of the portal.
        """
        self.page = page
        self.pack = pack
        self.base_url = base_url
        self._traffic = traffic

    async def find(self, query: ElementQuery) -> StepResult:
        """Wait for an element of the page or of a frame that the pack trusts, and act on it.

        Raises:
            playwright.async_api.Error: The page crashed or was closed.
            TimeoutError: The page's main thread hangs.
        """
        limits = self.pack.limits
        spec = query.to_spec(limits.quiet_ms)
        is_harmless = query.action in _HARMLESS
        looking = spec if is_harmless else {**spec, "action": ElementAction.NONE.value}
        until = anyio.current_time() + (limits.page_s if query.limit_s is None else query.limit_s)
        calm_until = anyio.current_time() + limits.request_s
        while True:
            left_s = max(0.0, until - anyio.current_time())
            result = await self._wait(looking, left_s)
            if result is not None and result.is_found and not is_harmless:
                result = await self._act(spec)
            if result is not None and result.is_found:
                return result
            if result is not None and result.end is StepEnd.QUIET:
                wait_s = min(left_s, calm_until - anyio.current_time())
                if self._traffic.is_idle or wait_s <= 0:
                    return result
                await self._traffic.wait_idle(wait_s)
            elif left_s <= 0:
                return result or StepResult(end=StepEnd.LATE)

    async def _wait(self, spec: dict[str, Any], left_s: float) -> StepResult | None:
        """Wait for the element once; ``None`` if the page navigated meanwhile."""
        has_frames = self._has_frames()
        limit_s = min(left_s, _SLICE_S) if has_frames else left_s
        try:
            world = await isolated_world(self.page)
            waited = await world.evaluate(_SCRIPT, {**spec, "limit_ms": limit_s * 1000}, limit_s)
            result = StepResult.model_validate(waited)
            if not result.is_found and has_frames:
                return await self._in_frames(spec) or result
        except PageNavigatedError:
            await self._wait_for_document(left_s)
            return None
        return result

    async def _act(self, spec: dict[str, Any]) -> StepResult | None:
        """Make the step on the element, which is there; ``None`` if it no longer is."""
        result: StepResult | None = None
        now = {**spec, "stops_when_quiet": False}
        async with self.settled_navigation():
            world = await isolated_world(self.page)
            try:
                made = await world.evaluate(_SCRIPT, {**now, "limit_ms": 0}, _SLICE_S)
                result = StepResult.model_validate(made)
            except PageNavigatedError:
                return StepResult(end=StepEnd.FOUND, count=1)  # because of the click
            if not result.is_found:
                result = await self._in_frames(now)
        return result

    async def _in_frames(self, spec: dict[str, Any]) -> StepResult | None:
        """Make the step in the first frame of another origin that has the element; ``None`` if none has it."""
        world = await isolated_world(self.page)
        # A frame is given time to become quiet too, unless it is only looked at now.
        limit_ms = _SLICE_S * 1000 if spec["stops_when_quiet"] else 0
        now = {**spec, "limit_ms": limit_ms}
        async with contextlib.aclosing(world.frame_results(self._may_read, _SCRIPT, now, 2 * _SLICE_S)) as results:
            async for _, made in results:
                result = StepResult.model_validate(made)
                if result.is_found:
                    return result
        return None

    def _has_frames(self) -> bool:
        return any(self._may_read(frame.url) for frame in self.page.frames[1:])

    def _may_read(self, url: str) -> bool:
        return may_read_frame(self.pack, self.base_url, url)

    async def _wait_for_document(self, limit_s: float) -> None:
        with contextlib.suppress(PlaywrightTimeoutError):  # the next look finds the end of the time
            await self.page.wait_for_load_state("domcontentloaded", timeout=max(1.0, limit_s * 1000))

    @contextlib.asynccontextmanager
    async def settled_navigation(self) -> AsyncGenerator[None]:
        """Wait at the end of the block for a navigation that began in it, so that no old document is read."""
        session = await cdp_session(self.page)
        send = session_sender(session)
        await send("Page.enable", {})
        main_id = (await send("Page.getFrameTree", {}))["frameTree"]["frame"]["id"]
        requested, ended = anyio.Event(), anyio.Event()

        def on_requested(event: dict[str, Any]) -> None:
            if event["frameId"] == main_id and event["disposition"] == "currentTab":
                requested.set()

        def on_end(event: dict[str, Any]) -> None:
            if main_id in {event.get("frameId"), event.get("frame", {}).get("id")}:
                ended.set()

        listeners = {
            "Page.frameRequestedNavigation": on_requested,
            "Page.frameNavigated": on_end,
            "Page.navigatedWithinDocument": on_end,
            "Page.frameStoppedLoading": on_end,
        }
        for name, listener in listeners.items():
            session.on(name, listener)
        try:
            yield
            await send("Page.getFrameTree", {})  # events of the block come before its answer
            if requested.is_set():
                with anyio.move_on_after(self.pack.limits.page_s):
                    await ended.wait()
        finally:
            for name, listener in listeners.items():
                session.remove_listener(name, listener)
