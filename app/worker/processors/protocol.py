"""What a processor is, and what it is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from app.domain.options import PortalOptions
from app.domain.task import POTask, Report
from app.portal.pack import Pack
from app.worker.download import Downloads
from app.worker.tab import Tab


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What every task of a session shares: the portal's rules and the way to its files."""

    pack: Pack
    portal: PortalOptions
    downloads: Downloads


class Processor(Protocol):
    """One kind of work on one page."""

    async def __call__(self, tab: Tab, task: POTask, desk: Desk) -> Report:
        """Do the work of one task in its tab.

        Returns a report whatever the page shows. Cancelled when the task's time is over. May raise what the tab's
        border knows: ``SessionLostError``, ``OSError`` and the browser's own errors.
        """
        ...
