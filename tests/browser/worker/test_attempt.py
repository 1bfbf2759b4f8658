"""What one attempt at one order gives, on a real browser against the demo portal with its faults."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import signal
from collections import Counter
from pathlib import Path

import anyio
import psutil
import pytest

from poolwright.concurrency import periodic
from poolwright.demo.catalogue.order import Defect, LinkForm
from poolwright.demo.catalogue.truth import OrderTruth
from poolwright.demo.faults import (
    ChangedPage,
    CrashPage,
    Drop,
    ErrorStatus,
    Fault,
    FaultScope,
    Hang,
    Latency,
    LoginRedirect,
    Maintenance,
    SecondFactorRedirect,
)
from poolwright.demo.portal_client import PortalClient, running_portal
from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import Report
from poolwright.sdk.protocol import SessionLostError
from poolwright.worker.attempt import attempt
from poolwright.worker.errors import SessionBrokenError
from poolwright.worker.login.login_flow import Credentials
from tests.support.portal import needs_chromium
from tests.support.sessions import OpenScenario, Scenario, demo_pack, open_scenario, task_for
from tests.support.sites import Answer, pack_of, portal_at, serving

pytestmark = [needs_chromium, pytest.mark.timeout(90), pytest.mark.asyncio(loop_scope="session")]


async def order_with(portal: PortalClient, form: LinkForm) -> OrderTruth:
    """A whole order that has a file behind this kind of link."""
    truths = await portal.truth()
    return next(
        truth
        for truth in truths.values()
        if truth.is_listed
        and truth.outcome == "COMPLETED"
        and any(file.link_form is form for file in truth.attachments)
    )


async def order_of_anchors(portal: PortalClient, file_count: int = 2) -> OrderTruth:
    """A whole order with so many files or more, each behind a plain link."""
    truths = await portal.truth()
    return next(
        truth
        for truth in truths.values()
        if truth.is_listed
        and truth.outcome == "COMPLETED"
        and len(truth.attachments) >= file_count
        and {file.link_form for file in truth.attachments} == {LinkForm.ANCHOR}
    )


async def order_that(portal: PortalClient, outcome: str) -> OrderTruth:
    """A listed order that must end so."""
    truths = await portal.truth()
    return next(truth for truth in truths.values() if truth.is_listed and truth.outcome == outcome)


async def odd_order(portal: PortalClient, defect: Defect) -> OrderTruth:
    """The order outside any list that has a file with this defect."""
    truths = await portal.truth()
    return next(
        truth
        for truth in truths.values()
        if not truth.is_listed and any(file.defect is defect for file in truth.attachments)
    )


async def try_order(scenario: Scenario, number: str) -> Report:
    """One attempt at one order."""
    return await attempt(scenario.context, task_for(number), scenario.staging / number)


def saved_digests(scenario: Scenario, number: str) -> list[str]:
    """SHA-256 of every file that lies in the staging folder of an order."""
    files = (scenario.staging / number / "files").iterdir()
    return sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in files)


@pytest.mark.parametrize("form", list(LinkForm))
async def test_every_link_form_leads_to_the_right_files(
    portal: PortalClient, tmp_path: Path, form: LinkForm, open_scenario: OpenScenario
) -> None:
    truth = await order_with(portal, form)

    async with open_scenario(portal, tmp_path) as scenario:
        report = await try_order(scenario, truth.number)
        on_disk = saved_digests(scenario, truth.number)

    expected = sorted(file.sha256 for file in truth.attachments)
    assert report.reason is Reason.ALL_SAVED, report
    assert sorted(file.sha256 for file in report.files) == expected
    assert on_disk == expected
    assert report.fields["supplier"] == truth.supplier
    assert not list((scenario.staging / truth.number).glob("part-*"))


async def test_a_tab_goes_through_its_states_and_is_closed(
    portal: PortalClient, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    truth = await order_that(portal, "COMPLETED")

    async with open_scenario(portal, tmp_path) as scenario:
        await try_order(scenario, truth.number)
        open_pages = len(scenario.session.driver.pages)

    assert scenario.heard.path("tab") == ["OPENING", "LOADING", "PROCESSING", "COMPLETED", "CLOSING", "CLOSED"]
    assert open_pages == 1, "only the keeper is left"
    assert scenario.session.active_tabs == {}


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        ("NOT_FOUND", Reason.PORTAL_SAYS_MISSING),
        ("FORBIDDEN", Reason.NO_PERMISSION),
        ("NO_ATTACHMENTS", Reason.NONE_LISTED),
        ("PARTIAL", Reason.SOME_FILES_REFUSED),
    ],
)
async def test_each_answer_of_the_portal_has_its_outcome(
    portal: PortalClient,
    tmp_path: Path,
    outcome: str,
    reason: Reason,
    open_scenario: OpenScenario,
) -> None:
    truth = await order_that(portal, outcome)

    async with open_scenario(portal, tmp_path) as scenario:
        report = await try_order(scenario, truth.number)

    assert (report.outcome, report.reason) == (outcome, reason)


async def test_an_expired_session_is_no_missing_order(
    portal: PortalClient, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    """The login page shows the text of a missing order: the trap."""
    truth = await order_that(portal, "COMPLETED")

    async with open_scenario(portal, tmp_path) as scenario:
        await portal.expire_sessions()
        with pytest.raises(SessionLostError):
            await try_order(scenario, truth.number)
        assert scenario.session.login.mark_logged_out(scenario.session.login.login_count)
        await scenario.session.login.log_in(Credentials())
        report = await try_order(scenario, truth.number)

    assert report.reason is Reason.ALL_SAVED
    assert scenario.heard.path("session")[-6:] == ["ACTIVE", "ERROR", "RECOVERING", "ACTIVE", "CLOSING", "CLOSED"]


@pytest.mark.parametrize(
    ("wall", "words"), [(LoginRedirect(), "login page"), (SecondFactorRedirect(), "second factor")]
)
async def test_a_session_that_ends_between_page_and_file_saves_no_page_of_the_wall(
    portal: PortalClient,
    tmp_path: Path,
    wall: Fault,
    words: str,
    open_scenario: OpenScenario,
) -> None:
    truth = await order_with(portal, LinkForm.ANCHOR)
    await portal.add_fault(wall, FaultScope.DOWNLOAD)

    async with open_scenario(portal, tmp_path) as scenario:
        with pytest.raises(SessionLostError, match=words):
            await try_order(scenario, truth.number)

    assert not (scenario.staging / truth.number / "files").exists() or not saved_digests(scenario, truth.number)


async def test_a_second_factor_is_a_lost_session(
    portal: PortalClient, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    truth = await order_that(portal, "COMPLETED")

    async with open_scenario(portal, tmp_path) as scenario:
        await portal.add_fault(SecondFactorRedirect(), times=1)
        with pytest.raises(SessionLostError, match="asks for a second factor"):
            await try_order(scenario, truth.number)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (ErrorStatus(status=500), Reason.PORTAL_ERROR),
        (ErrorStatus(status=503, retry_after_s=7), Reason.PORTAL_BUSY),
        (ErrorStatus(status=429), Reason.PORTAL_BUSY),
        (Maintenance(), Reason.PORTAL_BUSY),
        (ChangedPage(), Reason.PORTAL_CHANGED),
        (CrashPage(), Reason.TAB_CRASHED),
        (Hang(), Reason.PAGE_TOO_SLOW),
    ],
    ids=lambda value: getattr(value, "kind", str(value)),
)
async def test_each_fault_of_a_page_has_its_reason(
    portal: PortalClient,
    tmp_path: Path,
    fault: ErrorStatus | Maintenance | ChangedPage | CrashPage | Hang,
    reason: Reason,
    open_scenario: OpenScenario,
) -> None:
    truth = await order_that(portal, "COMPLETED")

    async with open_scenario(portal, tmp_path, pack=demo_pack(page_s=3.0)) as scenario:
        await portal.add_fault(fault, order=truth.number)
        report = await try_order(scenario, truth.number)
        way = scenario.heard.path("tab")
        await portal.clear_faults()
        after = await try_order(scenario, truth.number)

    assert report.reason is reason, report
    assert way[-4:] == ["ERROR", "FAILED", "CLOSING", "CLOSED"], "a tab that came to nothing was not COMPLETED"
    assert report.retry_after_s == (7 if isinstance(fault, ErrorStatus) and fault.retry_after_s else None)
    assert after.reason is Reason.ALL_SAVED, "the session works on after it"


async def test_a_page_that_nobody_knows_leaves_its_picture_and_source(
    portal: PortalClient, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    truth = await order_that(portal, "COMPLETED")

    async with open_scenario(portal, tmp_path, pack=demo_pack(page_s=2.0)) as scenario:
        await portal.add_fault(ChangedPage(), order=truth.number)
        report = await try_order(scenario, truth.number)

    evidence = scenario.staging / truth.number / "evidence"
    assert set(report.evidence) == {"page.png", "page.html"}
    assert (evidence / "page.png").read_bytes().startswith(b"\x89PNG")
    assert truth.number in (evidence / "page.html").read_text()


async def test_a_list_that_never_arrives_is_no_empty_list(
    portal: PortalClient, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    truth = await order_that(portal, "COMPLETED")

    async with open_scenario(portal, tmp_path, pack=demo_pack(page_s=2.0)) as scenario:
        await portal.add_fault(Hang(), FaultScope.ATTACHMENT_LIST)
        report = await try_order(scenario, truth.number)

    assert report.reason is Reason.PORTAL_CHANGED
    assert "did not arrive" in report.detail


async def test_a_list_that_comes_late_is_waited_for(
    portal: PortalClient, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    truth = await order_that(portal, "COMPLETED")

    async with open_scenario(portal, tmp_path) as scenario:
        await portal.add_fault(Latency(delay_ms=1500), FaultScope.ATTACHMENT_LIST)
        report = await try_order(scenario, truth.number)

    assert report.reason is Reason.ALL_SAVED


async def test_an_order_that_takes_too_long_frees_its_tab(
    portal: PortalClient, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    truth = await order_that(portal, "COMPLETED")

    async with open_scenario(portal, tmp_path, task_timeout_s=1.0) as scenario:
        await portal.add_fault(Hang(), order=truth.number)
        report = await try_order(scenario, truth.number)
        open_pages = len(scenario.session.driver.pages)

    assert report.reason is Reason.TASK_TIMEOUT
    assert open_pages == 1


async def test_a_task_may_have_less_time_than_others(
    portal: PortalClient, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    truth = await order_that(portal, "COMPLETED")
    task = dataclasses.replace(task_for(truth.number), timeout_s=0.8)

    async with open_scenario(portal, tmp_path, task_timeout_s=60.0) as scenario:
        await portal.add_fault(Hang(), order=truth.number)
        report = await attempt(scenario.context, task, scenario.staging / truth.number)
        open_pages = len(scenario.session.driver.pages)

    assert (report.reason, report.detail) == (Reason.TASK_TIMEOUT, "The order exceeded its time limit of 0.8 s.")
    assert open_pages == 1


async def test_a_task_may_have_more_time_than_others(
    portal: PortalClient, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    truth = await order_that(portal, "COMPLETED")
    task = dataclasses.replace(task_for(truth.number), timeout_s=60.0)

    async with open_scenario(portal, tmp_path, task_timeout_s=0.2) as scenario:
        await portal.add_fault(Latency(delay_ms=500), order=truth.number)
        report = await attempt(scenario.context, task, scenario.staging / truth.number)

    assert report.reason is Reason.ALL_SAVED


@pytest.mark.parametrize("defect", [Defect.TRUNCATED, Defect.EMPTY, Defect.DISGUISED, Defect.MISSING])
async def test_a_bad_file_is_never_counted_as_saved(
    portal: PortalClient, tmp_path: Path, defect: Defect, open_scenario: OpenScenario
) -> None:
    truth = await odd_order(portal, defect)
    good = {file.sha256 for file in truth.attachments if file.good}

    async with open_scenario(portal, tmp_path) as scenario:
        report = await try_order(scenario, truth.number)

    assert {file.sha256 for file in report.files} == good
    assert len(report.missed) == len(truth.attachments) - len(good)
    assert report.outcome == truth.outcome


async def test_a_transfer_that_breaks_off_can_be_tried_again(
    portal: PortalClient, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    truth = await order_with(portal, LinkForm.ANCHOR)

    async with open_scenario(portal, tmp_path) as scenario:
        await portal.add_fault(Drop(after_bytes=10), FaultScope.DOWNLOAD)
        broken = await try_order(scenario, truth.number)
        await portal.clear_faults()
        whole = await try_order(scenario, truth.number)

    assert broken.reason in {Reason.SOME_FILES_FAILED, Reason.DOWNLOAD_FAILED}
    assert broken.meaning.is_retryable
    assert whole.reason is Reason.ALL_SAVED


async def _end_when_files_are_asked_for(portal: PortalClient) -> None:
    async for _ in periodic(0.05):
        if (await portal.stats()).concurrent_max.get("download"):
            break
    os.kill(portal.pid, signal.SIGKILL)


async def test_a_portal_that_goes_while_files_are_fetched_is_no_failure_of_the_order(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with running_portal() as portal:
        truth = await order_of_anchors(portal, file_count=4)
        await portal.add_fault(Latency(delay_ms=60_000), FaultScope.DOWNLOAD, order=truth.number)
        async with open_scenario(portal, tmp_path) as scenario, anyio.create_task_group() as beside:
            beside.start_soon(_end_when_files_are_asked_for, portal)
            report = await try_order(scenario, truth.number)

            assert report.reason is Reason.PORTAL_UNREACHABLE, report


@pytest.mark.parametrize(
    ("is_portal_there", "reason"), [(True, Reason.PORTAL_ERROR), (False, Reason.PORTAL_UNREACHABLE)]
)
async def test_an_order_whose_page_alone_gets_no_answer_is_no_sign_that_the_portal_is_gone(
    tmp_path: Path, open_scenario: OpenScenario, *, is_portal_there: bool, reason: Reason
) -> None:
    broken = Answer(is_broken=True)
    site = {"/order/1000": broken} if is_portal_there else {"/order/1000": broken, "/": broken}
    async with (
        serving(site) as served,
        open_scenario(portal_at(served.url), tmp_path, pack=pack_of(""), is_authenticated=False) as scenario,
    ):
        report = await try_order(scenario, "1000")

    assert report.reason is reason, report
    assert ("it answers for other pages" in report.detail) is is_portal_there


@pytest.mark.parametrize(
    ("fault", "retry_after_s"),
    [
        (ErrorStatus(status=429), None),
        (ErrorStatus(status=429, retry_after_s=9), 9.0),
        (ErrorStatus(status=503, retry_after_s=7), 7.0),
    ],
    ids=str,
)
async def test_a_portal_that_is_busy_when_asked_for_a_file_is_no_failure_of_the_order(
    portal: PortalClient,
    tmp_path: Path,
    fault: ErrorStatus,
    retry_after_s: float | None,
    open_scenario: OpenScenario,
) -> None:
    truth = await order_of_anchors(portal)

    async with open_scenario(portal, tmp_path) as scenario:
        await portal.add_fault(fault, FaultScope.DOWNLOAD, order=truth.number, times=1)
        busy = await try_order(scenario, truth.number)
        await portal.clear_faults()
        whole = await try_order(scenario, truth.number)

    assert (busy.reason, busy.retry_after_s) == (Reason.PORTAL_BUSY, retry_after_s)
    assert (len(busy.files), len(busy.missed)) == (len(truth.attachments) - 1, 1), "the others are there all the same"
    assert busy.missed[0].is_retryable
    assert f"status {fault.status}" in busy.detail
    assert whole.reason is Reason.ALL_SAVED


async def test_a_portal_that_is_busy_for_a_second_file_is_asked_for_no_further_one(
    portal: PortalClient,
    tmp_path: Path,
    open_scenario: OpenScenario,
) -> None:
    limits = demo_pack().limits.model_copy(update={"parallel_files": 1})
    pack = demo_pack().model_copy(update={"limits": limits})
    truth = await order_of_anchors(portal, file_count=4)

    async with open_scenario(portal, tmp_path, pack=pack) as scenario:
        await portal.add_fault(ErrorStatus(status=429), FaultScope.DOWNLOAD, order=truth.number, times=2)
        report = await try_order(scenario, truth.number)

    assert (report.reason, report.files) == (Reason.PORTAL_BUSY, ())
    problems = Counter(missed.problem.partition(" (")[0] for missed in report.missed)
    assert problems["the portal is busy"] == 2
    assert problems["it was not requested"] == len(truth.attachments) - 2


async def test_an_error_for_a_file_without_a_time_to_come_back_is_that_files_own(
    portal: PortalClient,
    tmp_path: Path,
    open_scenario: OpenScenario,
) -> None:
    truth = await order_with(portal, LinkForm.ANCHOR)

    async with open_scenario(portal, tmp_path) as scenario:
        await portal.add_fault(ErrorStatus(status=503), FaultScope.DOWNLOAD, order=truth.number, times=1)
        report = await try_order(scenario, truth.number)

    assert report.reason in {Reason.SOME_FILES_FAILED, Reason.DOWNLOAD_FAILED}
    assert [missed.is_retryable for missed in report.missed] == [True]


async def test_a_dead_browser_is_no_failure_of_the_order(portal: PortalClient, tmp_path: Path) -> None:
    truth = await order_that(portal, "COMPLETED")
    mark = f"--user-data-dir={tmp_path / 'profile'}"

    async with open_scenario(portal, tmp_path) as scenario:
        await portal.add_fault(Hang(), order=truth.number)
        async with anyio.create_task_group() as tasks:

            async def kill_browser() -> None:
                while not scenario.session.active_tabs:
                    await anyio.lowlevel.checkpoint()
                browser = next(process for process in psutil.process_iter() if mark in _command(process))
                os.kill(browser.pid, signal.SIGKILL)

            tasks.start_soon(kill_browser)
            with pytest.raises(SessionBrokenError):
                await try_order(scenario, truth.number)

    assert not [process for process in psutil.process_iter() if mark in _command(process)]


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


async def test_a_session_that_ends_before_the_list_is_asked_for_is_lost(
    portal: PortalClient, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    truth = await order_that(portal, "COMPLETED")
    await portal.add_fault(ErrorStatus(status=401), FaultScope.ATTACHMENT_LIST)

    async with open_scenario(portal, tmp_path) as scenario:
        with pytest.raises(SessionLostError):
            await try_order(scenario, truth.number)


async def test_a_list_that_fails_is_tried_again(
    portal: PortalClient, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    truth = await order_that(portal, "COMPLETED")
    await portal.add_fault(ErrorStatus(status=500), FaultScope.ATTACHMENT_LIST)

    async with open_scenario(portal, tmp_path) as scenario:
        report = await try_order(scenario, truth.number)

    assert report.reason is Reason.PORTAL_BUSY
