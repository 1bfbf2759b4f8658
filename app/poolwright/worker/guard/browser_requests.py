"""Pauses the requests of a whole browser, and lets the guard of the page that each comes from decide.

The browser itself pauses them, not its pages: so none gets past, whether a frame with a process of its own sends it, a
window that was just opened, a worker or a service worker. Only kinds of requests that can carry a change or lead
elsewhere are paused, so that images and styles load at full speed, and from the browser's cache.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import AsyncGenerator, Iterable, Mapping
from enum import Enum, auto
from typing import Any, Protocol, cast
from weakref import WeakKeyDictionary

import anyio
from anyio.abc import TaskGroup
from playwright.async_api import BrowserContext, CDPSession, Page
from playwright.async_api import Error as PlaywrightError

from poolwright.domain.errors import unwrap_group
from poolwright.domain.options import Proxy
from poolwright.worker.transfer.name_resolver import NameResolver

_CLOSE_LIMIT_S = 2.0
_Event = Mapping[str, Any]
#: What the browser tells of each page, frame process and worker, by its id; that of a page or frame is its frame's.
_Targets = Mapping[str, Mapping[str, Any]]
#: Workers that several pages share, or that go on without any page.
_SHARED_WORKERS = frozenset({"service_worker", "shared_worker"})


class RequestOwner(Protocol):
    """Decides about the requests of a page, of its frames and workers, and of the windows that it opens."""

    @property
    def is_over(self) -> bool:
        """Return whether the work on the page has ended."""
        ...

    async def may_go(self, event: _Event) -> bool:
        """Return whether a paused request may be sent."""
        ...


class Unclaimed(Enum):
    """Origins of a request that comes from no page with an owner."""

    #: A page that nobody guards, such as that of a login.
    FREE = auto()
    #: A worker that pages share.
    SHARED = auto()
    #: A frame that the browser does not list, because it shares the process of its page.
    UNLISTED = auto()


def find_owner(frame_id: str, targets: _Targets, owners: Mapping[str, RequestOwner | None]) -> RequestOwner | Unclaimed:
    """Return the owner of the page that a frame belongs to: over its parents, and over the page that opened it. Pure.

    Args:
        frame_id: The id of the frame, or of a worker.
        targets: What the browser tells.
        owners: The owners by the ids of frames; ``None`` for a frame that nobody guards.
    """
    seen: set[str] = set()
    while frame_id not in owners:
        target = targets.get(frame_id)
        if target is None or frame_id in seen:
            return Unclaimed.UNLISTED
        if target["type"] in _SHARED_WORKERS:
            return Unclaimed.SHARED
        seen.add(frame_id)
        frame_id = target.get("parentFrameId") or target.get("openerFrameId") or target.get("openerId") or ""
        if not frame_id:
            return Unclaimed.FREE
    return owners[frame_id] or Unclaimed.FREE


class BrowserRequests:
    """The paused requests of one browser. Created by ``open_browser_requests``."""

    def __init__(self, context: BrowserContext, session: CDPSession, resolver: NameResolver) -> None:
        """Answer on ``session``, which is one of the browser itself."""
        self._context = context
        self._session = session
        # Playwright leaves these dictionaries untyped.
        self._send = cast("Any", session.send)  # pyright: ignore[reportUnknownMemberType]
        self._owners: dict[str, RequestOwner | None] = {}
        self._sessions: WeakKeyDictionary[Page, CDPSession] = WeakKeyDictionary()
        self._patterns: dict[tuple[str, str], None] = {}
        #: Looks up the hosts that the pack does not name.
        self.resolver = resolver
        self._paused, self._events = anyio.create_memory_object_stream[_Event](math.inf)
        self._has_window_script = False
        session.on("Fetch.requestPaused", self._on_paused)

    def _on_paused(self, event: _Event) -> None:
        with contextlib.suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
            self._paused.send_nowait(event)

    async def claim(self, frame_id: str, owner: RequestOwner, patterns: Iterable[tuple[str, str]]) -> None:
        """Let ``owner`` decide about the requests of a page from now on, until the browser closes.

        Args:
            frame_id: The id of the page's main frame.
            owner: The owner.
            patterns: What is paused: patterns of addresses, each with a kind of request, or with an empty text for all.

        Raises:
            playwright.async_api.Error: The browser is gone.
        """
        self._owners[frame_id] = owner
        wanted = {**self._patterns, **dict.fromkeys(patterns)}
        if wanted != self._patterns:
            self._patterns = wanted
            await self._send("Fetch.enable", {"patterns": [_pattern(address, kind) for address, kind in wanted]})

    async def run_in_windows(self, script: str) -> None:
        """Run a script before all others of each window that a page opens from now on.

        Raises:
            playwright.async_api.Error: The browser is gone.
        """
        if not self._has_window_script:
            self._has_window_script = True
            await self._context.add_init_script(script)

    async def answer_all(self, tasks: TaskGroup) -> None:
        """Answer every paused request, each in a task of its own: one may wait for a name to be looked up."""
        with self._events as events:
            async for event in events:
                tasks.start_soon(self._answer, event)

    async def close(self) -> None:
        """Pause no more requests."""
        with anyio.move_on_after(_CLOSE_LIMIT_S, shield=True), contextlib.suppress(PlaywrightError):
            await self._send("Fetch.disable", {})
            await self._session.detach()
        self._paused.close()

    async def _answer(self, event: _Event) -> None:
        with contextlib.suppress(PlaywrightError):  # its page was closed, and the request with it
            owner = await self._owner_of(str(event.get("frameId", "")))
            if owner is None or await owner.may_go(event):
                await self._send("Fetch.continueRequest", {"requestId": event["requestId"]})
            else:  # any other error would replace the page by an error page of the browser
                await self._send("Fetch.failRequest", {"requestId": event["requestId"], "errorReason": "Aborted"})

    async def _owner_of(self, frame_id: str) -> RequestOwner | None:
        if frame_id in self._owners:
            return self._owners[frame_id]
        listed = await self._send("Target.getTargets", {})
        targets = {str(target["targetId"]): target for target in listed["targetInfos"]}
        found = find_owner(frame_id, targets, self._owners)
        if found is Unclaimed.UNLISTED:
            for page in self._context.pages:
                frame_ids = await self._frame_ids(page)
                if frame_id in frame_ids:
                    found = find_owner(frame_ids[0], targets, self._owners)
                    break
        if found is Unclaimed.SHARED or found is Unclaimed.UNLISTED:
            # Nobody knows for which page it works: the rules of an order's page apply as long as one is open.
            return next((owner for owner in self._owners.values() if owner is not None and not owner.is_over), None)
        self._owners[frame_id] = owner = None if isinstance(found, Unclaimed) else found
        return owner

    async def _frame_ids(self, page: Page) -> list[str]:
        """Return the ids of the frames in the process of a page, its own first; none if it is gone."""
        with contextlib.suppress(PlaywrightError):
            if page not in self._sessions:
                self._sessions[page] = await self._context.new_cdp_session(page)
            send = cast("Any", self._sessions[page].send)  # pyright: ignore[reportUnknownMemberType]
            tree = await send("Page.getFrameTree", {})
            return list(_ids(tree["frameTree"]))
        return []


def _pattern(address: str, kind: str) -> dict[str, str]:
    return {"urlPattern": address, "resourceType": kind} if kind else {"urlPattern": address}


def _ids(tree: Mapping[str, Any]) -> Iterable[str]:
    yield str(tree["frame"]["id"])
    for child in tree.get("childFrames", ()):
        yield from _ids(child)


_opened: WeakKeyDictionary[BrowserContext, BrowserRequests] = WeakKeyDictionary()


@contextlib.asynccontextmanager
async def open_browser_requests(context: BrowserContext, proxy: Proxy | None = None) -> AsyncGenerator[BrowserRequests]:
    """Return what pauses the requests of a browser during the block; if it is open already, the same once more.

    Nothing is paused before the first page has an owner.

    Args:
        context: The browser.
        proxy: Its proxy; ``None`` for that of the system, if it has one.

    Raises:
        playwright.async_api.Error: The browser is gone, or does not allow it.
    """
    if context in _opened:
        yield _opened[context]
        return
    if context.browser is None:
        msg = "the browser does not allow its requests to be checked"
        raise PlaywrightError(msg)
    requests = BrowserRequests(context, await context.browser.new_browser_cdp_session(), NameResolver(proxy))
    _opened[context] = requests
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(requests.answer_all, tasks)
            try:
                yield requests
            finally:
                await requests.close()  # noqa: ASYNC102 - it shields itself, with a limit
                tasks.cancel_scope.cancel()
    except ExceptionGroup as group:
        raise unwrap_group(group) from group
    finally:
        del _opened[context]
