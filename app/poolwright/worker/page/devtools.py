"""The DevTools protocol of a page, and the isolated world in which our scripts read, click and save.

Scripts of the page cannot change that world. A protocol session ends with its page, and all callers share it, because
attaching costs as much as reading a page.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from importlib import resources
from typing import Any, cast
from weakref import WeakKeyDictionary

import anyio
from playwright.async_api import CDPSession, Frame, Page
from playwright.async_api import Error as PlaywrightError

from poolwright.worker.errors import WorkerError, first_line
from poolwright.worker.page.page_content import PageLink

_sessions: WeakKeyDictionary[Page, CDPSession] = WeakKeyDictionary()

#: Sends a command with its parameters, and returns its result.
SendCommand = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]


async def cdp_session(page: Page) -> CDPSession:
    """Return the protocol session of a page.

    Raises:
        playwright.async_api.Error: The page crashed or was closed.
    """
    if page not in _sessions:
        _sessions[page] = await page.context.new_cdp_session(page)
    return _sessions[page]


def session_sender(session: CDPSession) -> SendCommand:
    """Return the function that sends commands to a session."""
    return cast("SendCommand", session.send)  # pyright: ignore[reportUnknownMemberType]


async def target_sender(page: Page | Frame) -> SendCommand:
    """Return the function that sends commands to a page, or to a frame with a process of its own.

    Raises:
        playwright.async_api.Error: The page crashed or was closed, or the frame has no process of its own.
    """
    session = await (cdp_session(page) if isinstance(page, Page) else page.page.context.new_cdp_session(page))
    return session_sender(session)


#: Added to the limit that a script keeps by itself, for a page whose main thread hangs.
_GRACE_S = 5.0
_NAME = "poolwright"
#: Placed before every script, as ``dom``.
_DOM = resources.files("poolwright.worker").joinpath("dom.js").read_text(encoding="utf-8")
#: Browser errors for a document that was replaced while a script ran on it.
_MOVED = (
    "Cannot find context",
    "Execution context was destroyed",
    "Failed to create isolated world",
    "Inspected target navigated",
    "No frame for given id",
    "Promise was collected",
)
#: True for a frame that the page can access, so that it was read together with the page.
_IS_OF_PAGE = "() => { try { return Boolean(top.document); } catch { return false; } }"


class PageNavigatedError(WorkerError):
    """The document of a script is gone, because its page navigated."""


class IsolatedWorld:
    """The isolated world of one page. Created by ``isolated_world``."""

    def __init__(self, page: Page, send: SendCommand) -> None:
        """Run scripts on ``page`` by the commands of ``send``."""
        self._page = page
        self._send = send

    async def evaluate(self, script: str, spec: Mapping[str, object], limit_s: float) -> object:
        """Run a function on the page's document and return its result.

        Args:
            script: The function; it returns plain data, or a promise of it.
            spec: Its argument.
            limit_s: The limit that the function keeps by itself, unless the page hangs.

        Raises:
            PageNavigatedError: The document is gone.
            playwright.async_api.Error: The page crashed or was closed, or the script failed.
            TimeoutError: The page's main thread hangs.
        """
        with anyio.fail_after(limit_s + _GRACE_S):
            return await _run(self._send, await self._frame_id(), script, spec)

    async def evaluate_as_user(self, script: str, spec: object, limit_s: float) -> object:
        """Run a function on the page's document as a user's action, so that no window or download of it is blocked.

        Args:
            script: The function; it returns plain data.
            spec: Its argument.
            limit_s: The limit for the call.

        Raises:
            PageNavigatedError: The document is gone, perhaps because of the action.
            playwright.async_api.Error: The page crashed or was closed, or the script failed.
            TimeoutError: The page's main thread hangs.
        """
        with anyio.fail_after(limit_s):
            return await _run(self._send, await self._frame_id(), script, spec, is_user_action=True)

    async def evaluate_in_frames(
        self, may_read: Callable[[str], bool], script: str, spec: Mapping[str, object], limit_s: float
    ) -> list[object]:
        """Run a function on every frame of another origin; return the results without frames that are gone or hang.

        Args:
            may_read: Return whether the frame at an address may be read.
            script: The function.
            spec: Its argument.
            limit_s: The limit for each frame.
        """
        return [result async for _, result in self.frame_results(may_read, script, spec, limit_s)]

    async def frame_results(
        self,
        may_read: Callable[[str], bool],
        script: str,
        spec: object,
        limit_s: float,
        *,
        is_user_action: bool = False,
    ) -> AsyncGenerator[tuple[str, object]]:
        """Run a function on one frame of another origin after the other; yield the address and result of each.

        The arguments are those of ``evaluate_in_frames``.
        """
        tree = await _call(self._send, "Page.getFrameTree", {})
        for send, frame in await self._frames(tree["frameTree"]):
            results: list[object] = []
            with anyio.move_on_after(limit_s), contextlib.suppress(PageNavigatedError, PlaywrightError):
                if may_read(str(frame["url"])) and not await _run(send, frame["id"], _IS_OF_PAGE, {}):
                    results.append(await _run(send, frame["id"], script, spec, is_user_action=is_user_action))
            for result in results:
                yield str(frame["url"]), result

    async def _frame_id(self) -> str:
        tree = await _call(self._send, "Page.getFrameTree", {})
        return str(tree["frameTree"]["frame"]["id"])

    async def _frames(self, tree: Mapping[str, Any]) -> list[tuple[SendCommand, Mapping[str, Any]]]:
        """Return the frames in this page's process and in others, each with its sender."""
        frames = [(self._send, frame) for frame in _descendants(tree)]
        for frame in self._page.frames[1:]:
            send = await self._sender_for(frame)
            if send is not None:
                frame_tree = await _call(send, "Page.getFrameTree", {})
                tree_frames = (frame_tree["frameTree"]["frame"], *_descendants(frame_tree["frameTree"]))
                frames += [(send, own_frame) for own_frame in tree_frames]
        return frames

    async def _sender_for(self, frame: Frame) -> SendCommand | None:
        """Return the sender for a frame with a process of its own; ``None`` for any other frame."""
        try:
            return await target_sender(frame)
        except PlaywrightError:
            return None


async def isolated_world(page: Page) -> IsolatedWorld:
    """Return the isolated world of a page.

    Raises:
        playwright.async_api.Error: The page crashed or was closed.
    """
    return IsolatedWorld(page, await target_sender(page))


def _descendants(tree: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for child in tree.get("childFrames", ()):
        yield child["frame"]
        yield from _descendants(child)


async def _run(send: SendCommand, frame_id: str, script: str, spec: object, *, is_user_action: bool = False) -> object:
    world = await _call(send, "Page.createIsolatedWorld", {"frameId": frame_id, "worldName": _NAME})
    call = {
        "functionDeclaration": f"(spec) => {{\n{_DOM}\nreturn (\n{script.strip().removesuffix(';')}\n)(spec);\n}}",
        "executionContextId": world["executionContextId"],
        "arguments": [{"value": spec}],
        "awaitPromise": True,
        "returnByValue": True,
        "userGesture": is_user_action,
    }
    result = await _call(send, "Runtime.callFunctionOn", call)
    if "exceptionDetails" in result:
        details = result["exceptionDetails"]
        reason = details.get("exception", {}).get("description") or details["text"]
        raise PlaywrightError(f"the page could not be read ({str(reason).splitlines()[0]})")
    return result["result"].get("value")


async def _call(send: SendCommand, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
    try:
        return await send(method, parameters)
    except PlaywrightError as error:
        if any(text in error.message for text in _MOVED):
            raise PageNavigatedError(first_line(error)) from error
        raise


_SCRIPTS = resources.files("poolwright.worker")
_CLICK = _SCRIPTS.joinpath("click.js").read_text(encoding="utf-8")
_SAVE = _SCRIPTS.joinpath("save.js").read_text(encoding="utf-8")
_VIEWED = _SCRIPTS.joinpath("viewed.js").read_text(encoding="utf-8")
#: Read from the prototype, where no element of the page can replace it.
_MEDIA_TYPE = '() => Object.getOwnPropertyDescriptor(Document.prototype, "contentType").get.call(document)'
#: Length of the text by which an element is recognised.
_TEXT_LENGTH = 200
#: Limit for a button that the page enables late.
_ENABLE_LIMIT_S = 5.0
#: The answer of ``press_link`` if the page shows other elements than when it was read.
CHANGED = "changed"
#: The status of the response that a page shows, and read from the prototype too.
_STATUS = """() => {
  const [entry] = Performance.prototype.getEntriesByType.call(performance, "navigation");
  const status = Object.getOwnPropertyDescriptor(PerformanceResourceTiming.prototype, "responseStatus");
  return entry ? status.get.call(entry) : 0;
}"""


async def press_link(page: Page, link: PageLink, limit_s: float, row: Mapping[str, str] | None = None) -> str:
    """Click a link of the page; return the reason why it cannot be clicked, or an empty text after the click.

    The reason is ``CHANGED`` if the page shows other elements than when it was read, so that the link is not sure.

    Args:
        page: The page.
        link: The link, perhaps in a frame of another origin.
        limit_s: The limit for the call.
        row: The rule for the text of its row, if the pack has one.

    Raises:
        playwright.async_api.Error: The page crashed or was closed.
        TimeoutError: The page did not react to the click.
    """
    text, wait_ms = link.names.get("text", "")[:_TEXT_LENGTH], min(limit_s / 2, _ENABLE_LIMIT_S) * 1000
    spec = [link.selector, link.index, text, row, link.row, link.around, link.total, wait_ms]
    world = await isolated_world(page)
    try:
        if not link.frame:
            return str(await world.evaluate_as_user(_CLICK, spec, limit_s))
        async with contextlib.aclosing(
            world.frame_results(lambda url: url == link.frame, _CLICK, spec, limit_s, is_user_action=True)
        ) as results:
            async for _, result in results:
                return str(result)
    except PageNavigatedError:
        return ""  # the page navigated at once
    return "the page no longer shows its frame"


async def shown_media_type(page: Page, limit_s: float) -> str:
    """Return the media type of the document that a page shows.

    Raises:
        PageNavigatedError: The page is navigating.
        playwright.async_api.Error: The page crashed or was closed.
        TimeoutError: The page hangs.
    """
    return str(await (await isolated_world(page)).evaluate_as_user(_MEDIA_TYPE, None, limit_s))


async def shown_status(page: Page, limit_s: float) -> int:
    """Return the HTTP status of the document that a page shows; 0 if it has none.

    Raises:
        PageNavigatedError: The page is navigating.
        playwright.async_api.Error: The page crashed or was closed.
        TimeoutError: The page hangs.
    """
    return int(str(await (await isolated_world(page)).evaluate_as_user(_STATUS, None, limit_s)))


async def viewed_documents(page: Page, limit_s: float) -> dict[str, str]:
    """Return the declared media type of each document that viewers within a page show, by its address.

    Raises:
        PageNavigatedError: The page is navigating.
        playwright.async_api.Error: The page crashed or was closed.
        TimeoutError: The page hangs.
    """
    pairs = await (await isolated_world(page)).evaluate_as_user(_VIEWED, None, limit_s)
    return {str(address): str(declared) for address, declared in cast("list[tuple[object, object]]", pairs)}


async def save_document(page: Page, address: str, limit_s: float) -> None:
    """Start a download of an address; of the page's own document if the address is empty.

    Raises:
        PageNavigatedError: The page is navigating.
        playwright.async_api.Error: The page crashed or was closed.
        TimeoutError: The page hangs.
    """
    await (await isolated_world(page)).evaluate_as_user(_SAVE, address, limit_s)
