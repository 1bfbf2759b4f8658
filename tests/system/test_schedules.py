"""An entry with a profile of its own: the real program beside a daemon, with real Chromium."""

from __future__ import annotations

import json
from pathlib import Path

import anyio
import pytest

from poolwright.concurrency import SystemClock
from poolwright.demo.portal_client import PortalClient, running_portal
from poolwright.service.schedules.scheduler import ScheduleView, create_scheduler
from poolwright.settings import Settings, load_settings, variable_name
from tests.support.portal import needs_chromium
from tests.support.program import ProgramFolder, open_program
from tests.support.schedule_scenario import READING, Queue

pytestmark = [needs_chromium, pytest.mark.timeout(300)]

TABLE = {"name": "nightly", "cron": "0 6 * * *", "timezone": "Europe/Berlin", "file": "orders.xlsx", "profile": "demo"}


def settings_of(program: ProgramFolder, monkeypatch: pytest.MonkeyPatch, **changes: object) -> Settings:
    """Those of a daemon that is started at this folder, with a profile of another name and one entry."""
    for name in Settings.model_fields:
        monkeypatch.delenv(variable_name(name), raising=False)
    for name, value in program.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("POOLWRIGHT_PROFILE")
    monkeypatch.chdir(program.folder)
    return load_settings({"schedules": [{**TABLE, **changes}], "workers": 1})


async def run_once(settings: Settings) -> ScheduleView:
    """Run the entry by hand, to its end."""
    queue = Queue()
    timetable = create_scheduler(
        settings, queue=queue.program, reading=READING, clock=SystemClock(), observe=lambda _: None
    )
    async with timetable:
        await timetable.run_now("nightly")
        with anyio.fail_after(200):
            while timetable.overview()[0].is_running:  # noqa: ASYNC110 - it tells nobody when it ends
                await anyio.sleep(0.1)
    assert queue.lists == [], "nothing of it goes to the daemon's own queue"
    return timetable.overview()[0]


async def good_numbers(portal: PortalClient, count: int) -> list[str]:
    """Orders that have files and nothing odd."""
    truths = (await portal.truth()).values()
    return [truth.number for truth in truths if truth.is_listed and truth.outcome == "COMPLETED"][:count]


async def test_files_come_home_into_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_portal() as portal, open_program(tmp_path, portal) as program:
        numbers = await good_numbers(portal, 2)
        program.list_of(numbers)

        seen = await run_once(settings_of(program, monkeypatch, folder_template="by-number/{number}"))

        own = tmp_path / "out" / "schedules" / "nightly"
        filed = [json.loads(path.read_text()) for path in own.glob("by-number/*/manifest.json")]
        assert sorted(manifest["portal_number"] for manifest in filed) == sorted(numbers)
        assert seen.history[0].how.value == "done", seen
        assert "exit code 0" in seen.history[0].detail
        assert str(Path("out", "schedules", "nightly", "reports", "orders-report.xlsx")) in seen.history[0].detail
        assert not (tmp_path / "out" / ".poolwright" / "journal.db").exists()


async def test_at_its_deadline_it_is_stopped_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_portal() as portal, open_program(tmp_path, portal) as program:
        program.list_of([order.number for order in await portal.orders(40)])

        seen = await run_once(settings_of(program, monkeypatch, deadline_minutes=0.1))

        assert seen.history[0].how.value == "deadline", seen
        assert "The deadline passed and the run was stopped" in seen.history[0].detail
        # 7 is what a stopped run says; on a machine so busy that it had not begun yet, the signal itself ended it.
        assert "exit code 7" in seen.history[0].detail or "exit code -15" in seen.history[0].detail
