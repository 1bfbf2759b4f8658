"""What the example processors make of each page, one attempt at a time, on a real browser."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pytest

from poolwright.domain.ids import TaskId
from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import JsonValue, POTask, Report
from poolwright.sdk import SessionLostError
from poolwright.worker.attempt import attempt
from poolwright.worker.processors.registry import load_processor
from tests.support.forms import running_site
from tests.support.paths import ROOT
from tests.support.portal import needs_chromium
from tests.support.sessions import OpenScenario, Scenario

pytestmark = [needs_chromium, pytest.mark.timeout(90), pytest.mark.asyncio(loop_scope="session")]

EXAMPLES = str(ROOT / "examples")


@pytest.fixture(autouse=True)
def _import_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))


async def try_task(scenario: Scenario, name: str, payload: JsonValue) -> Report:
    """One attempt of an example at this payload."""
    context = dataclasses.replace(
        scenario.context, processor=load_processor(f"{name}:{name.removesuffix('s')}", (EXAMPLES,))
    )
    task = POTask(task_id=TaskId("own:1"), po_number="one", portal_number="one", payload=payload)
    return await attempt(context, task, scenario.staging / "1")


async def test_a_page_becomes_a_pdf(tmp_path: Path, open_scenario: OpenScenario) -> None:
    with running_site() as site:
        async with open_scenario(None, tmp_path) as scenario:
            report = await try_task(scenario, "print_pages", {"address": f"{site.url}/"})

    assert (report.reason, report.fields) == (Reason.ALL_SAVED, {"title": "Price list"})
    assert [(file.name, file.media_type) for file in report.files] == [("page.pdf", "application/pdf")]
    assert (scenario.staging / "1" / "files" / "page.pdf").read_bytes().startswith(b"%PDF-")


async def test_pages_that_cannot_be_printed_end_as_they_deserve(tmp_path: Path, open_scenario: OpenScenario) -> None:
    with running_site() as site:
        async with open_scenario(None, tmp_path) as scenario:
            gone = await try_task(scenario, "print_pages", {"address": f"{site.url}/gone"})
            busy = await try_task(scenario, "print_pages", {"address": f"{site.url}/busy"})
            none = await try_task(scenario, "print_pages", site.url)

    assert (gone.reason, gone.detail) == (Reason.GIVEN_UP, f"{site.url}/gone shows no page (status 404).")
    assert (busy.reason, busy.detail) == (Reason.RETRY_ASKED, f"{site.url}/busy is busy (status 503).")
    assert busy.retry_after_s == 10
    assert (none.reason, none.detail) == (Reason.GIVEN_UP, 'The payload must be {"address": "https://..."}.')


async def test_every_kind_of_field_is_filled_in_and_the_answer_saved(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    fields = {"subject": "Größe „7“", "text": "two\nlines", "urgency": "high", "copy": "yes"}

    with running_site() as site:
        async with open_scenario(None, tmp_path) as scenario:
            report = await try_task(scenario, "fill_forms", {"id": "A1", "address": f"{site.url}/form", **fields})

    assert site.sent == [{**fields, "text": "two\r\nlines", "copy": "on"}]
    assert (report.reason, report.fields) == (Reason.ALL_SAVED, {"answer": "Request 1 was taken."})
    assert (scenario.staging / "1" / "files" / "answer.txt").read_text(encoding="utf-8") == "Request 1 was taken."
    assert report.evidence == ("filled in.html", "filled in.png", "answer.html", "answer.png")


async def test_what_is_no_order_for_the_form_is_given_up_and_nothing_is_sent(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    with running_site() as site:
        async with open_scenario(None, tmp_path) as scenario:
            reports = [
                await try_task(scenario, "fill_forms", payload)
                for payload in (
                    {"address": f"{site.url}/form", "subject": "A", "colour": "blue"},
                    {"address": f"{site.url}/form", "id": "A1"},
                    None,
                )
            ]
            with pytest.raises(SessionLostError, match="asks for a password"):
                await try_task(scenario, "fill_forms", {"address": f"{site.url}/login", "subject": "A"})

    assert {report.reason for report in reports} == {Reason.GIVEN_UP}
    assert reports[0].detail == "The form has no field 'colour'."
    assert site.sent == []
