"""The schedules over HTTP."""

from __future__ import annotations

from pathlib import Path

import httpx
from fastapi import FastAPI

from poolwright.service.api.operation_routes import make_schedule_router
from poolwright.service.schedules.scheduler import Scheduler
from tests.support.schedule_scenario import Scenario, until


def client_of(timetable: Scheduler) -> httpx.AsyncClient:
    app = FastAPI()
    app.include_router(make_schedule_router(timetable), prefix="/api/v1")
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://daemon.test")


async def test_schedules_are_seen_and_run(tmp_path: Path) -> None:
    scenario = Scenario(root=tmp_path)
    scenario.queue.is_quick = False
    async with scenario.timetable(scenario.schedule()) as timetable, client_of(timetable) as client:
        [before] = (await client.get("/api/v1/schedules")).json()
        started = await client.post("/api/v1/schedules/nightly/run")
        again = await client.post("/api/v1/schedules/nightly/run")
        unknown = await client.post("/api/v1/schedules/weekly/run")
        await until(lambda: scenario.queue.lists)
        [running] = (await client.get("/api/v1/schedules")).json()
        scenario.queue.close()
        await until(lambda: not timetable.overview()[0].is_running)
        [after] = (await client.get("/api/v1/schedules")).json()

    assert before["next_at"] == "2026-11-30T06:00:00+01:00"
    assert (before["is_running"], running["is_running"], after["is_running"]) == (False, True, False)
    assert (started.status_code, started.json()["decision"]) == (202, "start")
    assert (again.status_code, again.json()["detail"].partition(";")[0]) == (
        409,
        "The schedule nightly is already running",
    )
    assert (unknown.status_code, "no schedule 'weekly'" in unknown.json()["detail"]) == (404, True)
    assert [fire["how"] for fire in after["history"]] == ["done", "skipped"]
