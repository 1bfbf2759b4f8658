"""A page as it is seen from a world of our own: its scripts can change nothing of what is read there."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from typing import Any, cast

import anyio
from playwright.async_api import CDPSession, Frame, Page
from playwright.async_api import Error as PlaywrightError

from app.worker.errors import WorkerError, first_line

#: Above the limit that a script keeps itself, for a page whose main thread hangs.
_GRACE_S = 5.0
_NAME = "poolwright"
#: How the browser says that the document went away while it was looked at.
_MOVED = (
    "Cannot find context",
    "Execution context was destroyed",
    "Failed to create isolated world",
    "Inspected target navigated",
    "No frame for given id",
    "Promise was collected",
)
#: Whether a frame can be looked into from the page that it stands on, and so was looked at with it.
_IS_OF_PAGE = "() => { try { return Boolean(top.document); } catch { return false; } }"
_Send = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]


class MovedError(WorkerError):
    """The document that was looked at is gone: its page went on to another."""


class World:
    """One page. Opened by ``open_world``."""

    def __init__(self, page: Page, session: CDPSession) -> None:
        """Made by ``open_world`` alone."""
        self._page = page
        self._session = session

    async def look(self, script: str, spec: Mapping[str, object], limit_s: float) -> object:
        """Run a function on the page's document, and give what it gives.

        Args:
            script: The function; what it gives may be a promise of plain data.
            spec: What it is given.
            limit_s: What it keeps itself, as far as the page lets it.

        Raises:
            MovedError: The document is gone.
            playwright.async_api.Error: The page crashed or was closed, or the script failed.
            TimeoutError: The page's main thread hangs.
        """
        with anyio.fail_after(limit_s + _GRACE_S):
            tree = await _asked(self._session, "Page.getFrameTree", {})
            return await _look(self._session, tree["frameTree"]["frame"]["id"], script, spec)

    async def look_beside(
        self, may_look: Callable[[str], bool], script: str, spec: Mapping[str, object], limit_s: float
    ) -> list[object]:
        """Run a function on every frame of another origin; on none that went away meanwhile or hangs.

        Args:
            may_look: Whether a frame at this address is of interest.
            script: The function.
            spec: What it is given.
            limit_s: For each of them.
        """
        found: list[object] = []
        tree = await _asked(self._session, "Page.getFrameTree", {})
        for session, frame in await self._frames(tree["frameTree"]):
            with anyio.move_on_after(limit_s), contextlib.suppress(MovedError, PlaywrightError):
                if may_look(str(frame["url"])) and not await _look(session, frame["id"], _IS_OF_PAGE, {}):
                    found.append(await _look(session, frame["id"], script, spec))
        return found

    async def _frames(self, tree: Mapping[str, Any]) -> list[tuple[CDPSession, Mapping[str, Any]]]:
        """Frames of this page's own process, and those of others, each with the way to it."""
        frames = [(self._session, frame) for frame in _below(tree)]
        for frame in self._page.frames[1:]:
            session = await self._session_of(frame)
            if session is not None:
                own = await _asked(session, "Page.getFrameTree", {})
                frames += [(session, one) for one in (own["frameTree"]["frame"], *_below(own["frameTree"]))]
        return frames

    async def _session_of(self, frame: Frame) -> CDPSession | None:
        """The way to a frame that has a process of its own; nothing for those that have none."""
        try:
            return await self._page.context.new_cdp_session(frame)
        except PlaywrightError:
            return None


@contextlib.asynccontextmanager
async def open_world(page: Page) -> AsyncGenerator[World]:
    """Look at a page from outside, for as long as this takes.

    Raises:
        playwright.async_api.Error: The page crashed or was closed.
    """
    session = await page.context.new_cdp_session(page)
    try:
        yield World(page, session)
    finally:
        with anyio.move_on_after(_GRACE_S, shield=True), contextlib.suppress(PlaywrightError):
            await session.detach()


def _below(tree: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for child in tree.get("childFrames", ()):
        yield child["frame"]
        yield from _below(child)


async def _look(session: CDPSession, frame_id: str, script: str, spec: Mapping[str, object]) -> object:
    world = await _asked(session, "Page.createIsolatedWorld", {"frameId": frame_id, "worldName": _NAME})
    call = {
        "functionDeclaration": f"(spec) => (\n{script.strip().removesuffix(';')}\n)(spec)",
        "executionContextId": world["executionContextId"],
        "arguments": [{"value": spec}],
        "awaitPromise": True,
        "returnByValue": True,
    }
    answer = await _asked(session, "Runtime.callFunctionOn", call)
    if "exceptionDetails" in answer:
        details = answer["exceptionDetails"]
        said = details.get("exception", {}).get("description") or details["text"]
        raise PlaywrightError(f"the page could not be read ({str(said).splitlines()[0]})")
    return answer["result"].get("value")


async def _asked(session: CDPSession, method: str, what: dict[str, Any]) -> dict[str, Any]:
    send = cast("_Send", session.send)  # pyright: ignore[reportUnknownMemberType]
    try:
        return await send(method, what)
    except PlaywrightError as error:
        if any(sign in error.message for sign in _MOVED):
            raise MovedError(first_line(error)) from error
        raise
