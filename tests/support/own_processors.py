"""Processors of a user's own, for tests that open a pool around them."""

from __future__ import annotations

import json
from typing import Any

from poolwright.sdk import GiveUpError, RetryLaterError, Tab
from poolwright.service.library import POTask, Reason, Report


async def title(tab: Any, task: POTask) -> Report:  # noqa: ANN401 - the worker's Tab, which only workers import
    """Tell the title of a page that comes with the task."""
    await tab.page.set_content(str(task.payload))
    return Report(reason=Reason.ALL_SAVED, fields={"title": await tab.page.title()})


async def fail(_: Any, task: POTask) -> Report:  # noqa: ANN401
    """Raise what no pool knows."""
    raise LookupError(f"no price for {task.po_number}")


async def echo(tab: Tab, task: POTask) -> Report:
    """Save the payload as it came, and what a page makes of it."""
    await tab.save("payload.json", json.dumps(task.payload, ensure_ascii=False).encode())
    seen = await tab.page.evaluate("payload => JSON.stringify(payload).length > 0", task.payload)
    return Report(reason=Reason.ALL_SAVED, fields={"seen": str(seen)})


async def later(tab: Tab, task: POTask) -> Report:
    """Ask for another try, until the attempt that the payload names."""
    await tab.evidence(f"try {task.attempt}")
    if task.attempt != task.payload:
        raise RetryLaterError(f"not before attempt {task.payload}", after_s=0)
    return Report(reason=Reason.ALL_SAVED)


async def give_up(tab: Tab, task: POTask) -> Report:
    """Give up on a page that was opened."""
    await tab.page.set_content("<p>no such customer</p>")
    await tab.evidence("search")
    raise GiveUpError(f"there is no customer {task.po_number}")


class Desk:
    """Not for workers: a method cannot be imported by its name."""

    async def process(self, tab: Any, task: POTask) -> Report:  # noqa: ANN401
        """Never called."""
        raise AssertionError(tab, task)
