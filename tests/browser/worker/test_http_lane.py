"""Orders by HTTP alone are the same as in a tab, and whatever is not surely so goes to a tab."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from playwright.async_api import Error as PlaywrightError

from poolwright.demo.faults import ChangedPage, ErrorStatus, Fault, FaultScope, LoginRedirect, Maintenance
from poolwright.demo.portal_client import PortalClient, running_portal
from poolwright.domain.options import PageEvidence
from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import POTask, Report
from poolwright.files.names import STAGED_FILES
from poolwright.portal.pack import Pack
from poolwright.portal.step_schema import Lane, LaneList, LaneRules
from poolwright.sdk.protocol import SessionLostError
from poolwright.worker.answer_times import recording_answers
from poolwright.worker.attempt import attempt
from poolwright.worker.guard.browser_requests import open_browser_requests
from poolwright.worker.lane.http_lane import HttpLane
from tests.support.portal import needs_chromium
from tests.support.sessions import OpenScenario, Scenario, demo_pack, task_for
from tests.support.sites import Answer, pack_of, portal_at, serving

pytestmark = [needs_chromium, pytest.mark.timeout(240), pytest.mark.asyncio(loop_scope="session")]

LISTED = LaneList(
    address="/order_headers/{number}/attachments.json", items="attachments", template="{url:raw}", name="name"
)
ORDER_COUNT = 40
#: What a tab says of an order; how long it took, and where the evidence is, may differ.
SAME = ("reason", "detail", "fields", "missed", "retry_after_s")


def http_pack() -> Pack:
    return demo_pack().model_copy(update={"lane": LaneRules(kind=Lane.HTTP, list=LISTED)})


def tabs_of(scenario: Scenario) -> set[str]:
    """The orders that had a tab."""
    return {move.entity.removeprefix("demo:") for move in scenario.heard.moves if move.machine == "tab"}


async def attempt_all(scenario: Scenario, numbers: list[str]) -> dict[str, Report]:
    reports: dict[str, Report] = {}
    limiter = anyio.CapacityLimiter(4)

    async def one(number: str) -> None:
        async with limiter:
            reports[number] = await attempt(scenario.context, task_for(number), scenario.staging / number)

    async with open_browser_requests(scenario.session.driver), anyio.create_task_group() as orders:
        for number in numbers:
            orders.start_soon(one, number)
    return reports


def told(report: Report) -> dict[str, Any]:
    files = [(file.name, file.sha256, file.media_type) for file in report.files]
    return {**{name: getattr(report, name) for name in SAME}, "files": files}


async def test_the_whole_demo_list_is_the_same_on_both_lanes(tmp_path: Path, open_scenario: OpenScenario) -> None:
    async with running_portal(order_count=ORDER_COUNT) as portal:
        numbers = [*await portal.truth()]
        async with open_scenario(portal, tmp_path / "tab") as scenario:
            by_tab = await attempt_all(scenario, numbers)
        await portal.reset_stats()
        async with open_scenario(portal, tmp_path / "http", pack=http_pack()) as scenario:
            by_http = await attempt_all(scenario, numbers)
            tabs = tabs_of(scenario)

    assert {number: told(report) for number, report in by_http.items()} == {
        number: told(report) for number, report in by_tab.items()
    }
    whole = {number for number, report in by_tab.items() if report.reason is Reason.ALL_SAVED}
    assert set(numbers) - whole <= tabs, "a tab is the judge of every other outcome"
    assert len(whole - tabs) > len(whole) / 2, "most orders came without a tab"
    for number in whole - tabs:
        saved = [path for path in (tmp_path / "http" / "staging" / number).rglob("*") if path.is_file()]
        assert len(saved) == len(by_http[number].files)


async def plain_order(portal: PortalClient, scenario: Scenario) -> str:
    """An order that comes without a tab."""
    for order in await portal.orders(ORDER_COUNT):
        staging = scenario.staging / f"look-{order.number}"
        report = await attempt(scenario.context, task_for(order.number), staging)
        if report.reason is Reason.ALL_SAVED and order.number not in tabs_of(scenario):
            return order.number
    raise AssertionError("every order has a tab")


@pytest.mark.parametrize(
    ("fault", "scope", "reason"),
    [
        (ErrorStatus(status=500), FaultScope.ORDER_PAGE, Reason.PORTAL_ERROR),
        (ErrorStatus(status=403), FaultScope.ORDER_PAGE, Reason.NO_PERMISSION),
        (Maintenance(), FaultScope.ORDER_PAGE, Reason.PORTAL_BUSY),
        (ChangedPage(), FaultScope.ORDER_PAGE, Reason.PORTAL_CHANGED),
        (ErrorStatus(status=500), FaultScope.ATTACHMENT_LIST, Reason.PORTAL_BUSY),
        (ErrorStatus(status=500), FaultScope.DOWNLOAD, Reason.DOWNLOAD_FAILED),
    ],
)
async def test_a_tab_judges_what_the_text_does_not_show(
    tmp_path: Path, open_scenario: OpenScenario, fault: Fault, scope: FaultScope, reason: Reason
) -> None:
    async with (
        running_portal(order_count=ORDER_COUNT) as portal,
        open_scenario(portal, tmp_path, pack=http_pack()) as scenario,
    ):
        number = await plain_order(portal, scenario)
        await portal.add_fault(fault, scope)
        report = await attempt(scenario.context, task_for(number), scenario.staging / "again")

        assert (report.reason, number in tabs_of(scenario)) == (reason, True)


async def test_what_a_tab_finds_after_a_hiccup_of_the_other_lane_is_filed_once(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with (
        running_portal(order_count=ORDER_COUNT) as portal,
        open_scenario(portal, tmp_path, pack=http_pack()) as scenario,
    ):
        number = await plain_order(portal, scenario)
        await portal.add_fault(ErrorStatus(status=503), FaultScope.DOWNLOAD, times=1)
        report = await attempt(scenario.context, task_for(number), scenario.staging / "again")

        saved = [path.name for path in (scenario.staging / "again").rglob("*") if path.is_file()]
        assert (report.reason, number in tabs_of(scenario)) == (Reason.ALL_SAVED, True)
        assert sorted(saved) == sorted(file.name for file in report.files)


async def test_a_lost_login_is_told_as_in_a_tab(tmp_path: Path, open_scenario: OpenScenario) -> None:
    async with (
        running_portal(order_count=ORDER_COUNT) as portal,
        open_scenario(portal, tmp_path, pack=http_pack()) as scenario,
    ):
        number = await plain_order(portal, scenario)
        await portal.add_fault(LoginRedirect(), FaultScope.ORDER_PAGE)

        with pytest.raises(SessionLostError):
            await attempt(scenario.context, task_for(number), scenario.staging / "again")


async def test_pages_that_are_filed_and_orders_that_are_looked_at_again_have_a_tab(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with running_portal(order_count=ORDER_COUNT) as portal:
        async with open_scenario(portal, tmp_path / "plain", pack=http_pack()) as scenario:
            number = await plain_order(portal, scenario)
            again: POTask = dataclasses.replace(task_for(number), known_files=())
            await attempt(scenario.context, again, scenario.staging / "again")
            assert number in tabs_of(scenario)
        async with open_scenario(
            portal, tmp_path / "filing", pack=http_pack(), page_evidence=PageEvidence.SCREENSHOT
        ) as scenario:
            await attempt(scenario.context, task_for(number), scenario.staging / "again")
            assert number in tabs_of(scenario)


COUNTED = pack_of("settled = ['#list']\n[attachments.count]\nselector = '#list'\nattribute = 'data-count'").model_copy(
    update={"lane": LaneRules(kind=Lane.HTTP)}
)
FILE = '<a class=att href="/a.txt">a.txt</a>'


def list_of(count: str, files: str) -> Answer:
    return Answer(body=f"<!doctype html><div id=order>Order</div><div id=list data-count='{count}'>{files}</div>")


@pytest.mark.parametrize(
    ("page", "file", "reason", "has_tab"),
    [
        (list_of("1", FILE), Answer(body="a price list", kind="text/plain"), Reason.ALL_SAVED, False),
        (list_of("2", FILE), Answer(body="a price list", kind="text/plain"), Reason.PORTAL_CHANGED, True),
        (list_of("", FILE), Answer(body="a price list", kind="text/plain"), Reason.ALL_SAVED, True),
        (list_of("0", ""), Answer(), Reason.NONE_LISTED, True),
        (list_of("1", FILE), Answer(body="<form><input type=password></form>"), Reason.DOWNLOAD_FAILED, True),
        (
            list_of("1", '<a class=att href="https://elsewhere.invalid/a.txt">a</a>'),
            Answer(),
            Reason.DOWNLOAD_REFUSED,
            True,
        ),
    ],
    ids=["counted", "one is missing", "no count", "empty", "a page for a file", "another host"],
)
async def test_a_list_in_the_page_counts_if_the_page_counts_it(
    tmp_path: Path, open_scenario: OpenScenario, page: Answer, file: Answer, reason: Reason, has_tab: bool
) -> None:
    async with (
        serving({"/order/1000": page, "/a.txt": file}) as served,
        open_scenario(portal_at(served.url), tmp_path, pack=COUNTED, is_authenticated=False) as scenario,
    ):
        report = await attempt(scenario.context, task_for("1000"), scenario.staging / "1000")

    assert (report.reason, tabs_of(scenario)) == (reason, {"1000"} if has_tab else set()), report


@pytest.mark.parametrize(
    "page",
    [
        dataclasses.replace(list_of("1", FILE), kind="text/plain"),
        dataclasses.replace(list_of("1", FILE), headers=("Refresh: 1; url=/elsewhere",)),
        dataclasses.replace(list_of("1", FILE), status=201),
        Answer(status=302, location="/order/1000?again"),
    ],
    ids=["no page", "it goes on", "another status", "it is elsewhere"],
)
async def test_what_is_no_page_at_its_address_has_a_tab(
    tmp_path: Path, open_scenario: OpenScenario, page: Answer
) -> None:
    async with (
        serving({"/order/1000": page, "/order/1000?again": list_of("1", FILE)}) as served,
        open_scenario(portal_at(served.url), tmp_path, pack=COUNTED, is_authenticated=False) as scenario,
    ):
        await attempt(scenario.context, task_for("1000"), scenario.staging / "1000")

    assert tabs_of(scenario) == {"1000"}


async def test_the_portal_is_asked_in_the_languages_of_the_browser(tmp_path: Path, open_scenario: OpenScenario) -> None:
    requests: list[str] = []

    def answer(request: str) -> Answer:
        requests.append(request.lower())
        return list_of("1", FILE)

    async with (
        serving({"/order/1000": answer, "/a.txt": Answer(body="a price list", kind="text/plain")}) as served,
        open_scenario(portal_at(served.url), tmp_path, pack=COUNTED, is_authenticated=False) as scenario,
    ):
        await attempt(scenario.context, task_for("1000"), scenario.staging / "1000")
        wanted = await scenario.session.languages()
        agent = await scenario.session.user_agent()

    (request,) = requests
    assert wanted.startswith("en-US")
    assert f"accept-language: {wanted.lower()}\r\n" in request
    assert f"user-agent: {agent.lower()}\r\n" in request
    assert "accept: text/html," in request


@pytest.mark.parametrize(
    ("count", "file", "more"),
    [
        ("1", Answer(body="a price list", kind="text/plain"), 0),
        ("2", Answer(body="a price list", kind="text/plain"), 1),
        ("1", Answer(status=404), 2),
    ],
    ids=["all came", "the list is not whole", "a file is missing"],
)
async def test_what_was_asked_for_in_vain_counts_for_the_limits_of_the_portal(
    tmp_path: Path, open_scenario: OpenScenario, count: str, file: Answer, more: int
) -> None:
    async with (
        serving({"/order/1000": list_of(count, FILE), "/a.txt": file}) as served,
        open_scenario(portal_at(served.url), tmp_path, pack=COUNTED, is_authenticated=False) as scenario,
    ):
        with recording_answers() as answers:
            await attempt(scenario.context, task_for("1000"), scenario.staging / "1000")

    assert answers.more_request_count == more
    assert answers.longest_s is not None


async def raise_ours() -> None:
    raise RuntimeError("a fault of ours")


async def lose_the_browser() -> None:
    raise PlaywrightError("a page was closed")


@pytest.mark.parametrize("end", [raise_ours, lose_the_browser, anyio.sleep_forever])
async def test_however_the_lane_ends_it_leaves_nothing_to_the_tab(
    tmp_path: Path, open_scenario: OpenScenario, monkeypatch: pytest.MonkeyPatch, end: Callable[[], Awaitable[None]]
) -> None:
    async def fail(results: object, target: HttpLane, *_: object, **__: object) -> Report:
        left = target.staging / STAGED_FILES
        left.mkdir(parents=True)
        (left / "left.txt").write_text("accepted before the end")
        await end()
        raise AssertionError("it does not come so far")

    monkeypatch.setattr("poolwright.worker.lane.http_lane.report_on", fail)
    pages = {"/order/1000": list_of("1", FILE), "/a.txt": Answer(body="a list", kind="text/plain")}
    async with (
        serving(pages) as served,
        open_scenario(
            portal_at(served.url), tmp_path, pack=COUNTED, is_authenticated=False, task_timeout_s=6.0
        ) as scenario,
    ):
        report = await attempt(scenario.context, task_for("1000"), scenario.staging / "1000")
        saved = [path.name for path in (scenario.staging / "1000").rglob("*") if path.is_file()]

    assert (report.reason, saved) == (Reason.ALL_SAVED, ["a.txt"])
