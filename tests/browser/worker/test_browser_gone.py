"""A browser or driver that is gone in the middle of an order is never told as an error of the order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import anyio
import pytest
from playwright.async_api import Error as PlaywrightError

from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import POTask, Report
from poolwright.worker.attempt import attempt
from poolwright.worker.errors import SessionBrokenError
from poolwright.worker.tab import Tab
from tests.support.portal import needs_chromium
from tests.support.sessions import OpenScenario, Scenario, task_for

pytestmark = [needs_chromium, pytest.mark.timeout(60), pytest.mark.asyncio(loop_scope="session")]

GONE = "BrowserContext.cookies: Target page, context or browser has been closed"


def told() -> Report:
    return Report(reason=Reason.DOWNLOAD_FAILED, detail="no file came")


def raised(error: Exception) -> Callable[[], Report]:
    def fail() -> Report:
        raise error

    return fail


async def refuse(*_: object) -> None:
    raise PlaywrightError(GONE)


async def open_and_lose(open_scenario: OpenScenario, folder: Path, end: Callable[[], Report]) -> Scenario:
    """An order in the middle of which the driver ends, of which no event tells."""
    scenarios: list[Scenario] = []

    async def process(_: Tab, __: POTask) -> Report:
        scenarios[0].session.driver = SimpleNamespace(cookies=refuse)  # type: ignore[assignment]
        return end()

    async with open_scenario(None, folder, processor=process) as scenario:
        scenarios.append(scenario)
        context = scenario.session.driver
        try:
            await attempt(scenario.context, task_for("1"), scenario.staging / "1")
        finally:
            scenario.session.driver = context
            with anyio.CancelScope(shield=True):
                await context.close()
    return scenarios[0]


@pytest.mark.parametrize(
    "end",
    [
        told,
        raised(PlaywrightError("Page.evaluate: Target page, context or browser has been closed")),
        raised(PlaywrightError("some word that nobody knows")),
        raised(FileNotFoundError(2, "No such file or directory", "downloads/0f")),
        raised(TimeoutError()),
    ],
    ids=["told", "closed", "unknown", "file", "time"],
)
async def test_no_failure_is_told_of_a_browser_that_is_gone(
    tmp_path: Path, open_scenario: OpenScenario, end: Callable[[], Report]
) -> None:
    with pytest.raises(SessionBrokenError, match="the browser or its driver ended"):
        await open_and_lose(open_scenario, tmp_path, end)


async def test_a_driver_that_went_between_two_orders_is_found(tmp_path: Path, open_scenario: OpenScenario) -> None:
    async with open_scenario(None, tmp_path) as scenario:
        context = scenario.session.driver
        scenario.session.driver = SimpleNamespace(cookies=refuse)  # type: ignore[assignment]
        await scenario.session.ping()
        await context.close()

    assert scenario.session.lost.is_set()
