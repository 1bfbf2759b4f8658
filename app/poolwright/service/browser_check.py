"""Test start of the browser, as a worker would start it, on a temporary profile."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import anyio

from poolwright.domain.errors import PoolError
from poolwright.domain.events import Event, Level, Notice
from poolwright.domain.options import WorkerOptions
from poolwright.supervisor.processes import one_shot

#: A browser needs some seconds on a small machine.
BROWSER_START_LIMIT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserCheck:
    """The result of a test start."""

    #: Why the browser did not start; empty if it did.
    problem: str = ""
    duration_s: float = 0.0
    #: Warnings of the worker.
    notices: tuple[str, ...] = ()


async def check_browser_start(worker: WorkerOptions, monotonic: Callable[[], float]) -> BrowserCheck:
    """Start and close the browser once. Contacts no portal and leaves no files."""
    notices: list[str] = []
    begun_s = monotonic()

    def observe(event: Event) -> None:
        if isinstance(event, Notice) and event.level is not Level.INFO:
            notices.append(event.text)

    without_portal = replace(worker, portal=None)
    problem = f"it was not ready within {BROWSER_START_LIMIT_S:g} s"
    with tempfile.TemporaryDirectory(prefix="poolwright-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        try:
            with anyio.move_on_after(BROWSER_START_LIMIT_S):
                await one_shot.make_base(folder / "profile", without_portal, folder / "runs", observe)
                problem = ""
        except PoolError as error:
            problem = str(error)
    return BrowserCheck(problem=problem, duration_s=monotonic() - begun_s, notices=tuple(notices))
