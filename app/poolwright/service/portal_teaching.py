"""Opens a window in which a person shows a portal, on an empty profile that is removed afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import anyio

from poolwright.domain.ports import EventSink
from poolwright.ipc.messages import WorkerMode
from poolwright.service.pool_config import WorkerConfig
from poolwright.supervisor.processes.one_shot import LoginWindow, OneShotJob, PortalLesson, run_one_shot


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalTeaching:
    """A portal that a person shows, and where its pages are written."""

    #: The address that the window opens.
    url: str
    #: The folder for the pages and their ``observations.toml``.
    pages_path: Path
    workers: WorkerConfig
    runs_root: Path
    #: Receives a notice about each page that was noted.
    observe: EventSink

    async def run(self, *, opened: Callable[[], None], enough: anyio.Event) -> None:
        """Open the window, and return once the person has finished or closed it.

        Args:
            opened: Called when the window is open.
            enough: Set to close the window for the person.

        Raises:
            SetupError: The browser does not start, or the portal does not answer.
        """
        headed = replace(self.workers.worker, browser=replace(self.workers.worker.browser, headless_mode=False))
        # The login of this window is not kept: `profile login` makes one that is checked, sealed and backed up.
        with tempfile.TemporaryDirectory(prefix="poolwright-", ignore_cleanup_errors=True) as temporary:
            job = OneShotJob(
                mode=WorkerMode.TEACH,
                base=Path(temporary) / "profile",
                options=headed,
                runs_root=self.runs_root,
                observe=self.observe,
                window=LoginWindow(opened=opened, enough=enough),
                lesson=PortalLesson(url=self.url, pages_path=self.pages_path),
            )
            await run_one_shot(job)
