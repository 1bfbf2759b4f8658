"""How long the portal took to answer for the page of an order, as the browser measured it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import TimeoutError as PlaywrightTimeoutError

from poolwright.demo.faults import ErrorStatus, FaultScope, Hang, Latency
from poolwright.demo.portal_client import PortalClient
from poolwright.domain.outcomes import Reason
from poolwright.worker.answer_times import recording_answers
from poolwright.worker.attempt import attempt
from poolwright.worker.page.visit import visit
from tests.support.portal import needs_chromium
from tests.support.sessions import OpenScenario, Scenario, demo_pack, task_for

pytestmark = [needs_chromium, pytest.mark.timeout(90), pytest.mark.asyncio(loop_scope="session")]


async def measured(scenario: Scenario, number: str) -> tuple[Reason, float | None]:
    """How an attempt at an order ended, and the seconds that the portal took to answer for its page."""
    with recording_answers() as answers:
        report = await attempt(scenario.context, task_for(number), scenario.staging / number)
    return report.reason, answers.longest_s


@pytest.mark.parametrize("scope", [FaultScope.ORDER_PAGE, FaultScope.ATTACHMENT_LIST])
async def test_an_answer_is_measured_where_the_portal_is_late(
    portal: PortalClient, tmp_path: Path, open_scenario: OpenScenario, scope: FaultScope
) -> None:
    truths = await portal.truth()
    late = next(truth for truth in truths.values() if truth.is_listed and truth.outcome == "COMPLETED")

    async with open_scenario(portal, tmp_path) as scenario:
        quick_reason, quick_s = await measured(scenario, late.number)
        await portal.add_fault(Latency(delay_ms=1500), scope)
        reason, answer_s = await measured(scenario, late.number)

    assert (quick_reason, reason) == (Reason.ALL_SAVED, Reason.ALL_SAVED)
    assert quick_s is not None
    assert answer_s is not None
    assert 0.0 < quick_s < answer_s
    assert answer_s >= 1.5


async def test_a_refusal_says_nothing_and_a_page_that_never_came_took_its_whole_time(
    portal: PortalClient, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    number, pack = next(iter(await portal.truth())), demo_pack(page_s=1.0)
    address = pack.order_url(portal.url, number)

    async with open_scenario(portal, tmp_path, pack=pack) as scenario:
        await portal.add_fault(ErrorStatus(status=503), FaultScope.ORDER_PAGE, times=1)
        refused = await measured(scenario, number)
        await portal.add_fault(Hang(), FaultScope.ORDER_PAGE)
        page = await scenario.session.driver.new_page()
        with recording_answers() as answers, pytest.raises(PlaywrightTimeoutError):
            await visit(page, pack, portal.url, address, portal_number=number)

    assert refused == (Reason.PORTAL_BUSY, None)
    assert answers.longest_s == 1.0
