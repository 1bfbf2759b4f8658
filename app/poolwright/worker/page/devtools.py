"""A page through the DevTools protocol.

An isolated world that its scripts cannot change, to read, click and save in.

It ends with its page. Attaching costs as much as a look at a page, so whoever needs it shares it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from importlib import resources
from typing import Any, cast
from weakref import WeakKeyDictionary

import anyio
from playwright.async_api import CDPSession, Frame, Page
from playwright.async_api import Error as PlaywrightError

from poolwright.worker.errors import WorkerError, first_line
from poolwright.worker.page.page_content import PageLink

_sessions: WeakKeyDictionary[Page, CDPSession] = WeakKeyDictionary()

#: Sends a command with what it is about, and gives its answer.
SendCommand = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]


async def cdp_session(page: Page) -> CDPSession:
    """The way to a page.

    Raises:
        playwright.async_api.Error: The page crashed or was closed.
    """
    if page not in _sessions:
        _sessions[page] = await page.context.new_cdp_session(page)
    return _sessions[page]


def session_sender(session: CDPSession) -> SendCommand:
    """How commands are sent there."""
    return cast("SendCommand", session.send)  # pyright: ignore[reportUnknownMemberType]


async def target_sender(page: Page | Frame) -> SendCommand:
    """How commands are sent to a page, or to a frame that has a process of its own.

    Raises:
        playwright.async_api.Error: The page crashed or was closed; or the frame has none.
    """
    session = await (cdp_session(page) if isinstance(page, Page) else page.page.context.new_cdp_session(page))
    return session_sender(session)


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


class PageNavigatedError(WorkerError):
    """The document that was looked at is gone: its page went on to another."""


class IsolatedWorld:
    """One page. Opened by ``world_of``."""

    def __init__(self, page: Page, send: SendCommand) -> None:
        """Made by ``world_of`` alone."""
        self._page = page
        self._send = send

    async def evaluate(self, script: str, spec: Mapping[str, object], limit_s: float) -> object:
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

    async def evaluate_as_user(self, script: str, spec: object, limit_s: float) -> object:
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

    async def evaluate_in_frames(
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
            with anyio.move_on_after(limit_s), contextlib.suppress(PageNavigatedError, PlaywrightError):
                if may_look(str(frame["url"])) and not await _look(send, frame["id"], _IS_OF_PAGE, {}):
                    found.append(await _look(send, frame["id"], script, spec))
        return found

    async def _frame_id(self) -> str:
        tree = await _asked(self._send, "Page.getFrameTree", {})
        return str(tree["frameTree"]["frame"]["id"])

    async def _frames(self, tree: Mapping[str, Any]) -> list[tuple[SendCommand, Mapping[str, Any]]]:
        """Frames of this page's own process, and those of others, each with the way to it."""
        frames = [(self._send, frame) for frame in _below(tree)]
        for frame in self._page.frames[1:]:
            send = await self._sending_to(frame)
            if send is not None:
                own = await _asked(send, "Page.getFrameTree", {})
                frames += [(send, one) for one in (own["frameTree"]["frame"], *_below(own["frameTree"]))]
        return frames

    async def _sending_to(self, frame: Frame) -> SendCommand | None:
        """The way to a frame that has a process of its own; nothing for those that have none."""
        try:
            return await target_sender(frame)
        except PlaywrightError:
            return None


async def isolated_world(page: Page) -> IsolatedWorld:
    """A world of our own on a page, for as long as it is there.

    Raises:
        playwright.async_api.Error: The page crashed or was closed.
    """
    return IsolatedWorld(page, await target_sender(page))


def _below(tree: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for child in tree.get("childFrames", ()):
        yield child["frame"]
        yield from _below(child)


async def _look(send: SendCommand, frame_id: str, script: str, spec: object, *, is_by_hand: bool = False) -> object:
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


async def _asked(send: SendCommand, method: str, what: dict[str, Any]) -> dict[str, Any]:
    try:
        return await send(method, what)
    except PlaywrightError as error:
        if any(sign in error.message for sign in _MOVED):
            raise PageNavigatedError(first_line(error)) from error
        raise


_SCRIPTS = resources.files("poolwright.worker")
_CLICK = _SCRIPTS.joinpath("click.js").read_text(encoding="utf-8")
_SAVE = _SCRIPTS.joinpath("save.js").read_text(encoding="utf-8")
#: Asked where no element of the page can stand in its place.
_KIND = '() => Object.getOwnPropertyDescriptor(Document.prototype, "contentType").get.call(document)'
#: By so much of its text an element is known again.
_TEXT_LENGTH = 200


async def press_link(page: Page, link: PageLink, limit_s: float) -> str:
    """Press a link where it stands; what keeps it from being a file, nothing where it was pressed.

    Raises:
        playwright.async_api.Error: The page crashed or was closed.
        TimeoutError: It did not take the click.
    """
    asked = [link.selector, link.index, link.names.get("text", "")[:_TEXT_LENGTH]]
    try:
        return str(await (await isolated_world(page)).evaluate_as_user(_CLICK, asked, limit_s))
    except PageNavigatedError:
        return ""  # the click went on to another page at once


async def shown_media_type(page: Page, limit_s: float) -> str:
    """As what a page shows what is there: the type of a file, or of a page.

    Raises:
        MovedError: It is on its way elsewhere.
        playwright.async_api.Error: The page crashed or was closed.
        TimeoutError: It hangs.
    """
    return str(await (await isolated_world(page)).evaluate_as_user(_KIND, None, limit_s))


async def save_document(page: Page, address: str, limit_s: float) -> None:
    """Save what an address holds; what the page itself shows where there is none.

    Raises:
        MovedError: It is on its way elsewhere.
        playwright.async_api.Error: The page crashed or was closed.
        TimeoutError: It hangs.
    """
    await (await isolated_world(page)).evaluate_as_user(_SAVE, address, limit_s)
