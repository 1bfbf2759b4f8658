"""Makes the steps of a pack on a page: open pages, click, fill, press keys, wait, scroll.

The page is guarded meanwhile: what could change data on the portal is blocked, whatever is clicked.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

import anyio
from playwright.async_api import Error as PlaywrightError

from poolwright.portal.step_schema import NextPage, PageStep, StepAction
from poolwright.worker.errors import WorkerError, first_line, raise_if_closed
from poolwright.worker.page.element_finder import ElementAction, ElementFinder, ElementQuery, StepResult

#: A key that the browser does not know is refused at once.
_KEY_LIMIT_S = 10.0
_ACTIONS = {
    StepAction.CLICK: ElementAction.CLICK,
    StepAction.FILL: ElementAction.FILL,
    StepAction.WAIT_FOR: ElementAction.NONE,
}


class StepError(WorkerError):
    """A step could not be made. The message is a sentence."""


class PageSteps:
    """Makes steps on one page."""

    def __init__(self, finder: ElementFinder, portal_number: str) -> None:
        """Work on a page.

        Args:
            finder: Finds the elements of the page.
            portal_number: The order, for ``{number}``.
        """
        self._finder = finder
        self._number = portal_number

    async def run(self, steps: Sequence[PageStep]) -> str | None:
        """Make the steps; return the path to which they led if that is proved, else ``None``.

        Args:
            steps: The steps, in their order.

        Raises:
            StepError: A step could not be made.
            playwright.async_api.Error: The page crashed or was closed.
        """
        led_to: str | None = None
        for place, step in enumerate(steps, start=1):
            try:
                was_made = await self._make(step)
                if was_made and step.until:
                    await self._require(ElementQuery(selector=step.until, text=step.until_text), "until ")
            except StepError as error:
                msg = f"Step {place} ({step.action} {step.target!r}) failed: {error}."
                raise StepError(msg) from error
            if step.action is StepAction.GOTO:
                led_to = self._path(step.target)
            elif was_made and step.until:
                led_to = self._shown_path() or led_to
        return led_to

    async def advance(self, rules: NextPage, *, has_links: bool) -> bool:
        """Go to the next page of a list; return whether there is one.

        Args:
            rules: The way to it.
            has_links: Whether the list showed any file so far.

        Raises:
            StepError: It is not clear whether there is one.
            playwright.async_api.Error: The page crashed or was closed.
        """
        if rules.until and await self._is_shown(rules.until):
            return False
        if not rules.click:
            return await self._scroll(rules, has_links=has_links)
        query = ElementQuery(selector=rules.click, text=rules.text, action=ElementAction.CLICK, stops_when_quiet=True)
        is_found = (await self._finder.find(query)).is_found
        if not is_found and rules.until and not await self._is_shown(rules.until):
            msg = f"The list has no further page, but does not show its end (next.until {rules.until!r})."
            raise StepError(msg)
        return is_found

    async def _make(self, step: PageStep) -> bool:
        """Make a step; return whether it was made."""
        match step.action:
            case StepAction.GOTO:
                await self._go(step.target)
            case StepAction.PRESS:
                await self._press(step)
            case StepAction.EXPAND:
                await self._expand(step)
            case StepAction.CLICK if step.repeat:
                await self._click_all(step)
            case _:
                query = ElementQuery(
                    selector=step.target,
                    text=step.text,
                    action=_ACTIONS[step.action],
                    value=step.value.replace("{number}", self._number),
                    stops_when_quiet=step.if_present,
                )
                if not step.if_present:
                    await self._require(query)
                return not step.if_present or (await self._finder.find(query)).is_found
        return True

    async def _require(self, query: ElementQuery, key: str = "") -> StepResult:
        result = await self._finder.find(query)
        if not result.is_found:
            limit_s = self._finder.pack.limits.page_s
            wanted = f"{key}{query.selector!r}"
            msg = f"the page showed no element {wanted} within {limit_s:g} s"
            raise StepError(msg)
        return result

    async def _click_all(self, step: PageStep) -> None:
        query = ElementQuery(selector=step.target, text=step.text, action=ElementAction.CLICK, stops_when_quiet=True)
        for _ in range(step.max):
            if not (await self._finder.find(query)).is_found:
                return
        looking = ElementQuery(selector=step.target, text=step.text, stops_when_quiet=True)
        if (await self._finder.find(looking)).is_found:
            msg = f"the element was still there after {step.max} clicks (max)"
            raise StepError(msg)

    async def _expand(self, step: PageStep) -> None:
        count = 0
        while True:
            query = ElementQuery(
                selector=step.target,
                text=step.text,
                action=ElementAction.EXPAND,
                count_max=step.max - count,
                stops_when_quiet=True,
            )
            result = await self._finder.find(query)
            if not result.is_found:
                return
            count += result.count
            if count > step.max:
                msg = f"the page had more than {step.max} such elements (max)"
                raise StepError(msg)

    async def _go(self, path: str) -> None:
        limits = self._finder.pack.limits
        address = self._finder.base_url + self._path(path)
        try:
            await self._finder.page.goto(address, wait_until="commit", timeout=limits.page_s * 1000)
        except PlaywrightError as error:
            raise_if_closed(error)
            raise StepError(first_line(error)) from error

    async def _press(self, step: PageStep) -> None:
        if step.on:
            await self._require(ElementQuery(selector=step.on, action=ElementAction.FOCUS))
        try:
            async with self._finder.settled_navigation():
                with anyio.fail_after(_KEY_LIMIT_S):
                    await self._finder.page.keyboard.press(step.target)
        except PlaywrightError as error:
            raise_if_closed(error)
            raise StepError(first_line(error)) from error

    async def _scroll(self, rules: NextPage, *, has_links: bool) -> bool:
        selector = rules.scroll or ""
        scroll = ElementQuery(selector=selector, action=ElementAction.SCROLL, stops_when_quiet=True)
        for is_last in (False, True):
            result = await self._finder.find(scroll)
            if not result.is_found and has_links:
                msg = f"The page has no element that scrolls (next.scroll {selector!r})."
                raise StepError(msg)
            if not result.is_found or result.has_moved:
                return result.is_found
            if not is_last:  # until the page is quiet: the rest may still arrive
                end = ElementQuery(selector=rules.until or ":not(*)", stops_when_quiet=True)
                if (await self._finder.find(end)).is_found:
                    return False
        if rules.until:
            msg = f"The list was scrolled to its end, but does not show it (next.until {rules.until!r})."
            raise StepError(msg)
        return False

    async def _is_shown(self, selector: str) -> bool:
        return (await self._finder.find(ElementQuery(selector=selector, limit_s=0))).is_found

    def _path(self, path: str) -> str:
        return path.replace("{number}", quote(self._number, safe=""))

    def _shown_path(self) -> str | None:
        """Return the path of the page that is shown below the portal's address; ``None`` if it is another host's."""
        return self._finder.pack.path_below(self._finder.base_url, self._finder.page.url)
