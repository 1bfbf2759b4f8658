"""What a processor is, and what it finds in its tab."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from poolwright.domain.tasks import FetchedFile, POTask, Report

if TYPE_CHECKING:  # only workers load Playwright; everybody else only names its page
    from playwright.async_api import Page


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
        Cancelled when the task's time is over. May raise anything: what stands in ``poolwright.processor.failures``
        leads to what it says, anything else to another attempt, with a picture of the page and a traceback in the log.
        It awaits what takes long: a worker whose event loop stands still is taken for hung.
        """
        ...
