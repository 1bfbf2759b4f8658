"""A page as it is seen from a world of our own: its scripts can change nothing of what is read there."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from importlib import resources
from typing import Any

import anyio
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Frame, Page

from poolwright.worker.devtools import Send, sending_to
from poolwright.worker.errors import WorkerError, first_line

#: Above the limit that a script keeps itself, for a page whose main thread hangs.
_GRACE_S = 5.0
_NAME = "poolwright"
#: What every script here may use, as ``dom``.
_DOM = resources.files("poolwright.worker").joinpath("dom.js").read_text(encoding="utf-8")
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


class MovedError(WorkerError):
    """The document that was looked at is gone: its page went on to another."""


class World:
    """One page. Opened by ``world_of``."""

    def __init__(self, page: Page, send: Send) -> None:
        """Made by ``world_of`` alone."""
        self._page = page
        self._send = send

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
            return await _look(self._send, await self._frame_id(), script, spec)

    async def act(self, script: str, spec: object, limit_s: float) -> object:
        """Run a function on the page's document as if a hand did it: what comes of that is not kept from coming.

        Args:
            script: The function; what it gives is plain data.
            spec: What it is given.
            limit_s: How long it may take.

        Raises:
            MovedError: The document is gone, perhaps by what was done.
            playwright.async_api.Error: The page crashed or was closed, or the script failed.
            TimeoutError: The page's main thread hangs.
        """
        with anyio.fail_after(limit_s):
            return await _look(self._send, await self._frame_id(), script, spec, is_by_hand=True)

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
        tree = await _asked(self._send, "Page.getFrameTree", {})
        for send, frame in await self._frames(tree["frameTree"]):
            with anyio.move_on_after(limit_s), contextlib.suppress(MovedError, PlaywrightError):
                if may_look(str(frame["url"])) and not await _look(send, frame["id"], _IS_OF_PAGE, {}):
                    found.append(await _look(send, frame["id"], script, spec))
        return found

    async def _frame_id(self) -> str:
        tree = await _asked(self._send, "Page.getFrameTree", {})
        return str(tree["frameTree"]["frame"]["id"])

    async def _frames(self, tree: Mapping[str, Any]) -> list[tuple[Send, Mapping[str, Any]]]:
        """Frames of this page's own process, and those of others, each with the way to it."""
        frames = [(self._send, frame) for frame in _below(tree)]
        for frame in self._page.frames[1:]:
            send = await self._sending_to(frame)
            if send is not None:
                own = await _asked(send, "Page.getFrameTree", {})
                frames += [(send, one) for one in (own["frameTree"]["frame"], *_below(own["frameTree"]))]
        return frames

    async def _sending_to(self, frame: Frame) -> Send | None:
        """The way to a frame that has a process of its own; nothing for those that have none."""
        try:
            return await sending_to(frame)
        except PlaywrightError:
            return None


async def world_of(page: Page) -> World:
    """A world of our own on a page, for as long as it is there.

    Raises:
        playwright.async_api.Error: The page crashed or was closed.
    """
    return World(page, await sending_to(page))


def _below(tree: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for child in tree.get("childFrames", ()):
        yield child["frame"]
        yield from _below(child)


async def _look(send: Send, frame_id: str, script: str, spec: object, *, is_by_hand: bool = False) -> object:
    world = await _asked(send, "Page.createIsolatedWorld", {"frameId": frame_id, "worldName": _NAME})
    call = {
        "functionDeclaration": f"(spec) => {{\n{_DOM}\nreturn (\n{script.strip().removesuffix(';')}\n)(spec);\n}}",
        "executionContextId": world["executionContextId"],
        "arguments": [{"value": spec}],
        "awaitPromise": True,
        "returnByValue": True,
        "userGesture": is_by_hand,
    }
    answer = await _asked(send, "Runtime.callFunctionOn", call)
    if "exceptionDetails" in answer:
        details = answer["exceptionDetails"]
        said = details.get("exception", {}).get("description") or details["text"]
        raise PlaywrightError(f"the page could not be read ({str(said).splitlines()[0]})")
    return answer["result"].get("value")


async def _asked(send: Send, method: str, what: dict[str, Any]) -> dict[str, Any]:
    try:
        return await send(method, what)
    except PlaywrightError as error:
        if any(sign in error.message for sign in _MOVED):
            raise MovedError(first_line(error)) from error
        raise
