"""Own processors as authors use them: a pool of real workers, with payloads and errors that say what they mean."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from poolwright.domain.events import Event, TaskReturned, TaskStarted
from poolwright.domain.outcomes import Outcome, Reason
from poolwright.domain.tasks import DEPTH_MAX, PAYLOAD_MAX_BYTES, JsonValue
from poolwright.service.library import new_task
from tests.support import own_processors
from tests.support.own_pool import own_pool
from tests.support.packages import install
from tests.support.payloads import nested
from tests.support.portal import needs_chromium

PAYLOADS: dict[str, JsonValue] = {
    "nothing": None,
    "unicode": {"Größe": "7 €", "日本": ["\U0001f600", "e\u0301", "\0\u2028"]},
    "numbers": [2**63, -(10**30), 1e308, 5e-324, -0.0, 0.1 + 0.2, True],
    "deep": nested(DEPTH_MAX),
    "large": "x" * (PAYLOAD_MAX_BYTES - 2),
    "wide": ["ü"] * 50_000,
}


@pytest.mark.timeout(110)
@needs_chromium
class TestOwnProcessors:
    async def test_a_payload_arrives_as_it_was_given(self, tmp_path: Path) -> None:
        async with own_pool(tmp_path, own_processors.echo) as pool:
            handles = [await pool.submit_task(new_task(name, payload)) for name, payload in PAYLOADS.items()]
            reports = [await handle for handle in handles]

        assert [report and report.detail for report in reports] == [""] * len(PAYLOADS)
        saved = {name: (tmp_path / "out" / name / "payload.json").read_text(encoding="utf-8") for name in PAYLOADS}
        assert {name: json.loads(text) for name, text in saved.items()} == PAYLOADS
        assert saved["numbers"] == json.dumps(PAYLOADS["numbers"]), "a number stays of its kind"

    async def test_another_try_is_made_when_it_is_asked_for_as_often_as_attempts_are_left(self, tmp_path: Path) -> None:
        events: list[Event] = []

        async with own_pool(tmp_path, own_processors.later, max_attempts=2, watch=events.append) as pool:
            good = await (await pool.submit_task(new_task("good", 2)))
            never = await (await pool.submit_task(new_task("never", 0)))

        assert good is not None
        assert (good.reason, good.evidence) == (Reason.ALL_SAVED, ("try 2.html", "try 2.png"))
        assert never is not None
        assert (never.outcome, never.reason) == (Outcome.FAILED, Reason.RETRY_ASKED)
        assert never.detail == "not before attempt 0"
        returned = [(event.task_id, event.why) for event in events if isinstance(event, TaskReturned)]
        assert returned == [("own:good", Reason.RETRY_ASKED), ("own:never", Reason.RETRY_ASKED)]

    async def test_what_was_given_up_is_tried_once_and_left_alone_at_the_next_start(self, tmp_path: Path) -> None:
        events: list[Event] = []

        async with own_pool(tmp_path, own_processors.give_up, watch=events.append) as pool:
            report = await (await pool.submit_task(new_task("7")))
        async with own_pool(tmp_path, own_processors.give_up, watch=events.append) as pool:
            again = await (await pool.submit_task(new_task("7")))

        assert again == report
        assert report is not None
        assert (report.outcome, report.reason) == (Outcome.FAILED, Reason.GIVEN_UP)
        assert report.detail == "there is no customer 7"
        assert report.evidence == ("search.html", "search.png", "page.html", "page.png")
        assert [event.task.attempt for event in events if isinstance(event, TaskStarted)] == [1]
        (kept,) = (tmp_path / "out" / ".poolwright" / "evidence").glob("7 *")
        assert sorted(path.name for path in (kept / "attempt-1").iterdir()) == sorted(report.evidence)

    async def test_a_processor_that_a_package_offers_is_run_by_its_name(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        source = (
            "from poolwright.sdk import POTask, Reason, Report, Tab\n"
            "async def save(tab: Tab, task: POTask) -> Report:\n"
            "    return Report(reason=Reason.ALL_SAVED, fields={'price': '12'})\n"
        )
        folder = install(tmp_path / "packages", "shop-prices", source, prices="shop_prices:save")
        monkeypatch.setattr(sys, "path", [str(folder), *sys.path])

        async with own_pool(tmp_path, "prices") as pool:
            report = await (await pool.submit_task(new_task("a")))

        assert report is not None
        assert report.fields == {"price": "12"}
