"""A processor of the user's own, from a module in the import path, on a real browser and without any portal."""

from __future__ import annotations

import dataclasses
import hashlib
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from poolwright.demo.portal_client import PortalClient
from poolwright.domain.ids import TaskId
from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import JsonValue, POTask, Report
from poolwright.sdk import SessionLostError
from poolwright.sdk.protocol import EVIDENCE_MAX_COUNT
from poolwright.worker.attempt import attempt
from poolwright.worker.errors import CannotLogInError, CannotProcessError
from poolwright.worker.processors.registry import load_processor
from tests.support.portal import needs_chromium
from tests.support.sessions import OpenScenario, Scenario, task_for

pytestmark = [needs_chromium, pytest.mark.timeout(90), pytest.mark.asyncio(loop_scope="session")]

#: What an author writes. Each function is a processor.
OWN = """
import asyncio
from types import MappingProxyType
from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import MissedFile, POTask, Report
from poolwright.sdk import GiveUpError, RetryLaterError, SessionLostError, Tab
from poolwright.sdk.protocol import EVIDENCE_MAX_COUNT


async def titles(tab: Tab, task: POTask) -> Report:
    await tab.page.goto(task.payload["url"])
    title = await tab.page.title()
    await tab.save("page.pdf", await tab.page.pdf())
    await tab.save("../title", title.encode())
    return Report(reason=Reason.ALL_SAVED, fields=MappingProxyType({"title": title}))


async def fails(tab, task):
    await tab.page.goto(task.payload["url"])
    await tab.save("early.txt", b"saved before it failed")
    raise LookupError("no such thing on this page\\nsecond line")


async def gives_nothing(tab, task):
    tab.loaded()
    tab.loaded()


async def gives_a_text(tab, task):
    return "done"


async def gives_a_bad_field(tab, task):
    return Report(reason=Reason.ALL_SAVED, fields={"count": 3})


async def gives_a_bad_reason(tab, task):
    return Report(reason="very_well")


async def gives_a_bad_thing(tab, task):
    return Report(reason=Reason.ALL_SAVED, fields={"page": tab})


async def gives_too_much(tab, task):
    return Report(reason=Reason.ALL_SAVED, fields={"source": "x" * 17_000_000})


async def gives_odd_texts(tab, task):
    missed = MissedFile(label="\\ud800.pdf", source_url="", problem="lost", is_retryable=False)
    return Report(reason=Reason.SOME_FILES_REFUSED, detail="half \\ud83d", missed=(missed,), retry_after_s=3)


async def claims_a_file(tab, task):
    real = await tab.save("real.txt", b"real")
    return Report(reason=Reason.ALL_SAVED, files=(real, real, real))


async def saves_a_lie(tab, task):
    await tab.save("invoice.pdf", b"<!doctype html><html><body>please log in</body></html>")


async def logged_out(tab, task):
    raise SessionLostError("it says so")


async def gives_up(tab, task):
    await tab.page.goto(task.payload["url"])
    await tab.save("early.txt", b"saved before it gave up")
    raise GiveUpError("there is no such customer\\nsecond line")


async def asks_for_another_try(tab, task):
    raise RetryLaterError("the price comes at noon", after_s=90)


async def asks_for_another_try_among_others(tab, task):
    async def fail(error):
        raise error

    async with asyncio.TaskGroup() as parts:
        parts.create_task(fail(LookupError("because of the other")))
        parts.create_task(fail(RetryLaterError("come back")))


async def asks_for_an_odd_time(tab, task):
    raise RetryLaterError("come back", after_s=-1)


async def complains_at_length(tab, task):
    raise LookupError("half \\ud83d " + "x" * 2_000_000)


async def keeps_evidence(tab, task):
    kept = []
    for number, name in enumerate(task.payload):
        await tab.page.set_content(f"<title>{number}</title>")
        kept.append(await tab.evidence(name) if name else await tab.evidence())
    return Report(reason=Reason.ALL_SAVED, fields={"kept": repr(kept)}, evidence=("not_kept.png",))


async def keeps_evidence_side_by_side(tab, task):
    await asyncio.gather(*(tab.evidence("step") for _ in range(3)))
    return Report(reason=Reason.ALL_SAVED)


async def keeps_too_much_evidence(tab, task):
    for _ in range(EVIDENCE_MAX_COUNT):
        assert await tab.evidence()
    assert await tab.evidence() == ()
    raise LookupError("and then it failed")


async def keeps_evidence_of_a_closed_page(tab, task):
    await tab.page.close()
    assert await tab.evidence() == ()
    return Report(reason=Reason.ALL_SAVED)


async def works_on(tab, task):
    await asyncio.sleep(60)
"""


@pytest.fixture(name="folder")
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Path]:
    """Where the author's module lies."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    folder = tmp_path / "scripts"
    folder.mkdir()
    (folder / "own_processors.py").write_text(OWN, encoding="utf-8")
    sys.modules.pop("own_processors", None)
    yield folder
    sys.modules.pop("own_processors", None)


def own_task(payload: JsonValue = None) -> POTask:
    return POTask(task_id=TaskId("own:1"), po_number="one", portal_number="one", payload=payload)


async def try_task(scenario: Scenario, folder: Path, name: str, payload: JsonValue = None) -> Report:
    """One attempt by the author's processor of this name."""
    context = dataclasses.replace(scenario.context, processor=load_processor(f"own_processors:{name}", (str(folder),)))
    return await attempt(context, own_task(payload), scenario.staging / name)


def files_beside(root: Path) -> set[str]:
    """Every file below a folder that is neither the browser's nor what Python keeps of modules."""
    files = {path.relative_to(root) for path in root.rglob("*") if path.is_file()}
    others = {"profile", "cookies.json", "__pycache__"}
    return {file.as_posix() for file in files if not others & set(file.parts)}


async def test_an_own_processor_opens_what_its_payload_says_and_brings_files(
    portal: PortalClient,
    folder: Path,
    tmp_path: Path,
    open_scenario: OpenScenario,
) -> None:
    address = f"{portal.url}/sessions/new"

    async with open_scenario(None, tmp_path) as scenario:
        report = await try_task(scenario, folder, "titles", {"url": address})

    files = scenario.staging / "titles" / "files"
    title = (files / "title.txt").read_text()
    assert (report.reason, report.fields, report.page_url) == (Reason.ALL_SAVED, {"title": title}, address)
    assert title
    assert [file.name for file in report.files] == ["page.pdf", "title.txt"]
    assert [file.sha256 for file in report.files] == [
        hashlib.sha256((files / file.name).read_bytes()).hexdigest() for file in report.files
    ]
    assert report.files[0].media_type == "application/pdf"
    assert scenario.heard.path("tab") == ["OPENING", "LOADING", "PROCESSING", "COMPLETED", "CLOSING", "CLOSED"]


async def test_a_session_without_a_portal_needs_no_login(
    folder: Path, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with open_scenario(None, tmp_path) as scenario:
        await try_task(scenario, folder, "claims_a_file")

    assert scenario.context.portal_context is None
    assert scenario.heard.said == []
    assert scenario.heard.path("session") == ["INITIALIZING", "AUTHENTICATED", "ACTIVE", "CLOSING", "CLOSED"]


async def test_a_processor_that_raises_ends_its_task_with_a_picture_of_the_page(
    portal: PortalClient,
    folder: Path,
    tmp_path: Path,
    open_scenario: OpenScenario,
) -> None:
    async with open_scenario(None, tmp_path) as scenario:
        report = await try_task(scenario, folder, "fails", {"url": f"{portal.url}/sessions/new"})
        after = await try_task(scenario, folder, "claims_a_file")

    assert (report.reason, report.detail) == (Reason.PROCESSOR_ERROR, "no such thing on this page")
    assert set(report.evidence) == {"page.png", "page.html"}
    assert (scenario.staging / "fails" / "evidence" / "page.png").read_bytes().startswith(b"\x89PNG")
    assert report.files == (), "what was saved before is not passed off as all there is"
    assert after.reason is Reason.ALL_SAVED


async def test_a_processor_that_gives_up_tells_why_with_a_picture(
    portal: PortalClient, folder: Path, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    address = f"{portal.url}/sessions/new"

    async with open_scenario(None, tmp_path) as scenario:
        report = await try_task(scenario, folder, "gives_up", {"url": address})

    assert (report.reason, report.detail, report.page_url) == (Reason.GIVEN_UP, "there is no such customer", address)
    assert report.evidence == ("page.html", "page.png")
    assert report.files == ()


async def test_a_processor_that_asks_for_another_try_tells_when(
    folder: Path, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with open_scenario(None, tmp_path) as scenario:
        alone = await try_task(scenario, folder, "asks_for_another_try")
        among_others = await try_task(scenario, folder, "asks_for_another_try_among_others")
        odd = await try_task(scenario, folder, "asks_for_an_odd_time")

    assert (alone.reason, alone.detail, alone.retry_after_s) == (Reason.RETRY_ASKED, "the price comes at noon", 90)
    assert alone.evidence
    assert (among_others.reason, among_others.detail) == (Reason.RETRY_ASKED, "come back")
    assert among_others.retry_after_s is None
    assert odd.reason is Reason.PROCESSOR_ERROR
    assert odd.detail == "after_s is -1; it must be a finite number of seconds, 0 or more."


async def test_a_processor_that_was_logged_out_is_not_judged(
    folder: Path, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with open_scenario(None, tmp_path) as scenario:
        with pytest.raises(SessionLostError, match="it says so"):
            await try_task(scenario, folder, "logged_out")


async def test_an_endless_complaint_is_cut_to_what_can_travel(
    folder: Path, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with open_scenario(None, tmp_path) as scenario:
        report = await try_task(scenario, folder, "complains_at_length")

    assert report.reason is Reason.PROCESSOR_ERROR
    assert report.detail.startswith("half ? xxx")
    assert (len(report.detail), report.detail[-1]) == (1000, "…")


async def test_evidence_is_kept_of_the_moment_under_names_that_lead_nowhere_else(
    folder: Path, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    names = ["filled in", "filled in", "Filled In", "", "../../out", "C:\\x\\CON", "..", "ü" * 300]

    async with open_scenario(None, tmp_path) as scenario:
        report = await try_task(scenario, folder, "keeps_evidence", [*names])

    place = scenario.staging / "keeps_evidence" / "evidence"
    stems = ["filled in", "filled in (2)", "Filled In (3)", "page", "out", "CON_", "file", "ü" * 75]
    assert [*report.evidence] == [f"{stem}{ending}" for stem in stems for ending in (".html", ".png")]
    assert sorted(path.name for path in place.iterdir()) == sorted(report.evidence)
    for number, stem in enumerate(stems):
        assert f"<title>{number}</title>" in (place / f"{stem}.html").read_text(encoding="utf-8")
        assert (place / f"{stem}.png").read_bytes().startswith(b"\x89PNG")
    kept = {f"staging/keeps_evidence/evidence/{name}" for name in report.evidence}
    assert files_beside(tmp_path) == {"scripts/own_processors.py", *kept}
    assert report.fields["kept"].startswith("[('filled in.html', 'filled in.png'), ('filled in (2).html',")


async def test_evidence_that_is_kept_side_by_side_gets_different_names(
    folder: Path, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with open_scenario(None, tmp_path) as scenario:
        report = await try_task(scenario, folder, "keeps_evidence_side_by_side")

    assert len(report.evidence) == len(set(report.evidence)) == 6


async def test_evidence_is_bounded_and_a_failure_leaves_its_own_all_the_same(
    folder: Path, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with open_scenario(None, tmp_path) as scenario:
        report = await try_task(scenario, folder, "keeps_too_much_evidence")

    assert (report.reason, report.detail) == (Reason.PROCESSOR_ERROR, "and then it failed")
    assert len(set(report.evidence)) == 2 * (EVIDENCE_MAX_COUNT + 1)


async def test_evidence_of_a_page_that_is_gone_is_nothing(
    folder: Path, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with open_scenario(None, tmp_path) as scenario:
        report = await try_task(scenario, folder, "keeps_evidence_of_a_closed_page")

    assert (report.reason, report.evidence) == (Reason.ALL_SAVED, ())


@pytest.mark.parametrize(
    ("name", "detail"),
    [
        ("gives_nothing", "The processor returned NoneType instead of a Report."),
        ("gives_a_text", "The processor returned str instead of a Report."),
        ("gives_a_bad_field", "The processor's report cannot be used: fields.count: Input should be a valid string."),
        ("gives_a_bad_reason", "The processor's report cannot be used: reason: Input should be 'all_saved'"),
        ("gives_a_bad_thing", "The processor's report cannot be used: it holds Tab, which cannot be written as JSON."),
        ("gives_too_much", "bytes; the limit is 16,711,680."),
        ("saves_a_lie", "invoice.pdf was not saved: invoice.pdf should be application/pdf"),
    ],
)
async def test_what_is_no_report_is_an_error_of_the_processor_and_harms_nobody(
    folder: Path,
    tmp_path: Path,
    name: str,
    detail: str,
    open_scenario: OpenScenario,
) -> None:
    async with open_scenario(None, tmp_path) as scenario:
        report = await try_task(scenario, folder, name)

    assert report.reason is Reason.PROCESSOR_ERROR
    assert detail in report.detail


async def test_a_report_lists_what_was_saved_and_its_texts_can_travel(
    folder: Path, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with open_scenario(None, tmp_path) as scenario:
        claimed = await try_task(scenario, folder, "claims_a_file")
        odd = await try_task(scenario, folder, "gives_odd_texts")

    assert [file.name for file in claimed.files] == ["real.txt"]
    assert (odd.detail, odd.missed[0].label, odd.retry_after_s) == ("half ?", "?.pdf", 3.0)


async def test_an_own_processor_is_cut_off_at_its_time(
    folder: Path, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with open_scenario(None, tmp_path, task_timeout_s=0.3) as scenario:
        report = await try_task(scenario, folder, "works_on")

    assert report.reason is Reason.TASK_TIMEOUT


async def test_an_address_of_one_task_that_does_not_answer_is_no_portal_that_is_down(
    folder: Path,
    tmp_path: Path,
    open_scenario: OpenScenario,
) -> None:
    async with open_scenario(None, tmp_path) as scenario:
        report = await try_task(scenario, folder, "titles", {"url": "http://127.0.0.1:9/"})

    assert report.reason is Reason.PROCESSOR_ERROR
    assert "net::ERR_" in report.detail


async def test_the_processor_of_purchase_orders_refuses_a_pool_without_a_portal(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with open_scenario(None, tmp_path) as scenario:
        with pytest.raises(CannotProcessError, match="po_attachments needs a portal, and this pool has none"):
            await attempt(scenario.context, task_for("1"), scenario.staging / "1")


async def test_a_lost_login_cannot_be_brought_back_without_a_portal(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with open_scenario(None, tmp_path) as scenario:
        with pytest.raises(CannotLogInError, match="no portal to log in to"):
            scenario.session.login.mark_logged_out(scenario.session.login.login_count)


async def test_an_own_processor_may_work_in_a_portal_too(
    portal: PortalClient, folder: Path, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with open_scenario(portal, tmp_path) as scenario:
        report = await try_task(scenario, folder, "titles", {"url": f"{portal.url}/"})

    assert report.reason is Reason.ALL_SAVED
    assert "/sessions/new" not in report.page_url, "it is logged in"
