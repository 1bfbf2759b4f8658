"""The interface of a processor: its signature, the tab it works in, and the errors it may raise.

Each carries one sentence for the person who reads the report.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

from poolwright.domain.tasks import FetchedFile, POTask, Report

if TYPE_CHECKING:
    from playwright.async_api import Page


class ProcessorError(Exception):
    """Base class of the errors that a processor raises on purpose."""


class RetryLaterError(ProcessorError):
    """Another attempt may help. It is made after a pause, as long as ``max_attempts`` lets it."""

    def __init__(self, detail: str, *, after_s: float | None = None) -> None:
        """Ask for another attempt.

        Args:
            detail: One sentence: what kept the work from being done.
            after_s: Seconds to wait at least, of which the pool heeds five minutes; else it decides alone.

        Raises:
            ValueError: The time is negative or infinite.
        """
        super().__init__(detail)
        if after_s is not None and not 0 <= after_s < math.inf:
            msg = f"after_s is {after_s}; it must be a finite number of seconds, 0 or more."
            raise ValueError(msg)
        self.after_s = after_s


class GiveUpError(ProcessorError):
    """No attempt will help: the task ends as failed at once, with this sentence."""


class SessionLostError(ProcessorError):
    """The portal has logged us out. Not the task's fault: it goes back to the queue, and the login is brought back."""


class Tab(Protocol):
    """One tab of a worker's browser, opened for one attempt at one task and closed after it.

    Whatever was saved or kept as evidence stands in the report by itself.
    """

    @property
    def page(self) -> Page:
        """Playwright's page."""
        ...

    @property
    def saved(self) -> tuple[FetchedFile, ...]:
        """Every file of this attempt so far, in the order in which they were saved."""
        ...

    def loaded(self) -> None:
        """Say that the page has told what it is, and work on it begins; it is said for a processor that does not."""
        ...

    async def save(self, name: str, content: bytes) -> FetchedFile:
        """Put a file into the task's folder.

        Args:
            name: What to call it. A name that some system would not take is changed, one that is taken gets a number,
                and one without an ending gets that of the content.
            content: All of it.

        Returns:
            The file as the report will list it, with its name, SHA-256 and media type.

        Raises:
            Exception: It is empty, or not what its name says: a login page called ``.pdf``. Let it pass.
            OSError: The disk is full or not writable. Let it pass.
        """
        ...

    async def evidence(self, name: str = "page") -> tuple[str, ...]:
        """Keep a picture of the page as it is now, and its source, for the person who looks into the task.

        Takes at most five seconds, and never fails: of a page that cannot be pictured nothing is kept. So it is, too,
        after ``EVIDENCE_MAX_COUNT`` calls in one attempt.

        Args:
            name: What to call both; they get their own endings, and a number where the name is taken.

        Returns:
            The names of what was kept.
        """
        ...


#: How often one attempt may keep evidence. What is kept of its failure by itself comes on top.
EVIDENCE_MAX_COUNT = 20


class Processor(Protocol):
    """One kind of work on one page. Any ``async def`` function of a module with these two parameters is one."""

    async def __call__(self, tab: Tab, task: POTask, /) -> Report:
        """Do the work of one task in its tab.

        Returns a report whatever the page shows; files, evidence, time and address are put into it by the worker.
        Cancelled when the task's time is over. May raise anything: what stands in ``poolwright.sdk.protocol``
        leads to what it says, anything else to another attempt, with a picture of the page and a traceback in the log.
        It awaits what takes long: a worker whose event loop stands still is taken for hung.
        """
        ...
