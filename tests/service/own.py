"""Processors of a user's own, for tests that open a pool around them."""

from __future__ import annotations

import os
import signal
from typing import Any

from app.service.library import POTask, Reason, Report


async def title(tab: Any, task: POTask) -> Report:  # noqa: ANN401 - the worker's Tab, which only workers import
    """Tell the title of a page that comes with the task."""
    await tab.page.set_content(str(task.payload))
    return Report(reason=Reason.ALL_SAVED, fields={"title": await tab.page.title()})


async def die_once(tab: Any, task: POTask) -> Report:  # noqa: ANN401
    """End the worker at the first attempt."""
    if task.attempt == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return await title(tab, task)


async def fail(_: Any, task: POTask) -> Report:  # noqa: ANN401
    """Raise what no pool knows."""
    raise LookupError(f"no price for {task.po_number}")


class Desk:
    """Not for workers: a method cannot be imported by its name."""

    async def process(self, tab: Any, task: POTask) -> Report:  # noqa: ANN401
        """Never called."""
        raise AssertionError(tab, task)
