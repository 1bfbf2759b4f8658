"""The interface of a processor: its signature, the tab that it works in, and the errors that it may raise.

Each error has one sentence for the person who reads the report.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

from poolwright.domain.errors import PoolError
from poolwright.domain.tasks import FetchedFile, POTask, Report

if TYPE_CHECKING:
    from playwright.async_api import Page


class ProcessorError(PoolError):
    """Base class of the errors that a processor raises on purpose."""


class RetryLaterError(ProcessorError):
    """Another attempt may help. It is made after a delay, up to ``max_attempts`` attempts."""

    def __init__(self, detail: str, *, after_s: float | None = None) -> None:
        """Ask for another attempt.

        Args:
            detail: The obstacle in one sentence.
            after_s: The least delay in seconds, at most five minutes; if ``None``, the pool chooses the delay.

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
    """The session has lost its login. The task is queued again without a spent attempt, and the pool logs in again."""


class Tab(Protocol):
    """One tab of a worker's browser, opened for one attempt at one task and closed after it.

    The worker adds all saved files and evidence to the report.
    """

    @property
    def page(self) -> Page:
        """Playwright's page of the tab."""
        ...

    @property
    def saved(self) -> tuple[FetchedFile, ...]:
        """The files of this attempt so far, in the order in which they were saved."""
        ...

    def loaded(self) -> None:
        """Report that the page is recognized and work on it begins; the worker reports it if the processor does not."""
        ...

    async def save(self, name: str, content: bytes) -> FetchedFile:
        """Save a file into the task's folder.

        Args:
            name: The name of the file. A name that some system does not allow is changed, a name that exists gets a
                number, and a name without an ending gets that of the content.
            content: The whole content.

        Returns:
            The file as the report will list it, with its name, SHA-256 and media type.

        Raises:
            Exception: The file is empty, or does not match its name: a login page called ``.pdf``. Do not catch it.
            OSError: The disk is full or not writable. Do not catch it.
        """
        ...

    async def evidence(self, name: str = "page") -> tuple[str, ...]:
        """Save a screenshot and the HTML of the page as evidence, for the person who examines the task.

        Takes at most five seconds, and never fails: if no screenshot can be taken, or after ``EVIDENCE_MAX_COUNT``
        calls in one attempt, nothing is saved.

        Args:
            name: The name of both files; they get their own endings, and a number if the name exists.

        Returns:
            The names of the saved files.
        """
        ...


#: How often one attempt may save evidence. The evidence of a failure, which the worker saves, is not counted.
EVIDENCE_MAX_COUNT = 20


class Processor(Protocol):
    """One kind of work on a page. Any ``async def`` function of a module with these two parameters is a processor."""

    async def __call__(self, tab: Tab, task: POTask, /) -> Report:
        """Do the work of one task in its tab.

        Return a report for whatever the page shows; the worker adds files, evidence, duration and address. The call is
        cancelled at the task's time limit. It may raise any error: those of ``poolwright.sdk.protocol`` have their own
        effects, any other leads to another attempt, with evidence of the page and a traceback in the log. Long work
        must be awaited: a worker whose event loop is blocked counts as hung.
        """
        ...
