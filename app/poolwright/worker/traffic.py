"""What a page asks the network for: where its navigations went, and what its scripts still wait for."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Collection, Generator

import anyio
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page, Request, Response

from poolwright.portal.triage import leads_to

#: What may bring a list that is not there yet: an answer to a script, or a script that is still to ask.
_OF_SCRIPTS = frozenset({"xhr", "fetch", "script"})


class Traffic:
    """The requests of one page since it was told to go somewhere. Begun by ``watching``."""

    def __init__(self, page: Page) -> None:
        """Made by ``watching`` alone."""
        self._page = page
        self._pending: set[Request] = set()
        self._good: set[Request] = set()
        self._answered: list[str] = []
        self._calm = anyio.Event()
        self._moves = anyio.Event()
        #: Every address that the page itself was sent to, first to last.
        self.passed: list[str] = []
        #: What its last navigation was answered with; nothing where nobody answered.
        self.answer: Response | None = None
        #: Whether a navigation waits for its answer.
        self.is_leaving = False
        #: What the page wanted to send and was not let.
        self.withheld: list[str] = []

    @property
    def status(self) -> int:
        """Status of the last answer to a navigation; 0 without one."""
        return self.answer.status if self.answer else 0

    @property
    def is_calm(self) -> bool:
        """Whether no script waits for an answer."""
        return not self._pending

    async def calm(self, limit_s: float) -> None:
        """Wait until no script waits for an answer, but no longer than the limit."""
        with anyio.move_on_after(limit_s):
            while self._pending:
                self._calm = anyio.Event()
                await self._calm.wait()

    async def overdue(self, patience_s: float) -> str:
        """Wait for a navigation that waits longer than this for its answer; its address."""
        while True:
            with anyio.move_on_after(patience_s if self.is_leaving else math.inf) as waiting:
                await self.moved()
            if waiting.cancelled_caught:
                return self.passed[-1]

    async def moved(self) -> None:
        """Wait for the next navigation that leaves, or is answered."""
        await self._moves.wait()

    def is_answered(self, addresses: Collection[str]) -> bool:
        """Whether a request of a script to one of these was answered, and well."""
        return any(leads_to(addresses, url) for url in self._answered)

    def begin(self, request: Request) -> None:
        """A request leaves."""
        if self._is_navigation(request):
            self.passed.append(request.url)
            self.answer, self.is_leaving = None, True
            self._move()
        elif request.resource_type in _OF_SCRIPTS:
            self._pending.add(request)

    def take(self, answer: Response) -> None:
        """The head of an answer comes."""
        if self._is_navigation(answer.request):
            self.answer, self.is_leaving = answer, False
            self._move()
        elif answer.ok:
            self._good.add(answer.request)

    def end(self, request: Request) -> None:
        """A request has all of its answer, or failed."""
        if request.resource_type in {"xhr", "fetch"} and request in self._good:
            self._answered.append(request.url)
        self._pending.discard(request)
        self._good.discard(request)
        if not self._pending:
            self._calm.set()

    def _move(self) -> None:
        moves, self._moves = self._moves, anyio.Event()
        moves.set()

    def _is_navigation(self, request: Request) -> bool:
        with contextlib.suppress(PlaywrightError):  # a frame that is only being made has no name yet
            return request.is_navigation_request() and request.frame == self._page.main_frame
        return False


@contextlib.contextmanager
def watching(page: Page) -> Generator[Traffic]:
    """Watch what a page asks for, from before it is told to go somewhere."""
    traffic = Traffic(page)
    page.on("request", traffic.begin)
    page.on("response", traffic.take)
    page.on("requestfinished", traffic.end)
    page.on("requestfailed", traffic.end)
    try:
        yield traffic
    finally:
        page.remove_listener("request", traffic.begin)
        page.remove_listener("response", traffic.take)
        page.remove_listener("requestfinished", traffic.end)
        page.remove_listener("requestfailed", traffic.end)
