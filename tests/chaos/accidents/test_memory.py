"""The memory watchdog on real browsers, and in a real control group: a page eats memory, and nothing is lost."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import psutil
import pytest

from poolwright.archive.manifest import MANIFEST_NAME
from poolwright.demo.faults import FatPage, FaultScope, Latency
from poolwright.demo.portal_client import PortalClient, running_portal
from poolwright.domain.events import MemoryRelieved, TaskStarted
from poolwright.domain.outcomes import Reason
from poolwright.domain.states import WorkerStatus
from poolwright.service.library import PersistentWorkerPool, open_pool
from poolwright.supervisor.pool_context import PoolPorts
from poolwright.system.memory_limit import MemoryLimit
from tests.support.batch_results import assert_all_right, reported
from tests.support.event_capture import EventCapture
from tests.support.memory_groups import BE_THE_PROGRAM, memory_group
from tests.support.portal import SHELL, needs_chromium
from tests.support.program import Ended, ProgramFolder, open_program
from tests.support.sessions import task_for

pytestmark = [needs_chromium, pytest.mark.timeout(240)]

MB = 1_000_000
GB = 1000 * MB


async def good_numbers(portal: PortalClient, count: int) -> list[str]:
    """Orders that have at least one file, all of them whole."""
    truths = await portal.truth()
    good = [one.number for one in truths.values() if one.outcome == "COMPLETED" and one.is_listed]
    return good[:count]


async def make_fat(portal: PortalClient, number: str, size_mb: int, delay_ms: int = 8000) -> None:
    """Let the page of one order eat memory, and its files come so late that the page is seen."""
    await portal.add_fault(FatPage(size_mb=size_mb), order=number)
    await portal.add_fault(Latency(delay_ms=delay_ms), FaultScope.DOWNLOAD, order=number)


@asynccontextmanager
async def portal_pool(program: ProgramFolder, capture: EventCapture) -> AsyncGenerator[PersistentWorkerPool]:
    """Two workers with one tab each."""
    async with open_pool(
        watch=capture,
        out=program.out,
        profile="demo",
        profiles_dir=program.folder / "profiles",
        runs_dir=program.folder / "runs",
        browser_path=SHELL,
        workers=2,
        tabs_per_worker=1,
    ) as pool:
        yield pool


async def test_the_worker_that_eats_memory_returns_fresh_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = MemoryLimit(total_bytes=100 * GB, available_bytes=100 * GB, source="made up")
    monkeypatch.setattr("poolwright.service.library.PoolPorts", partial(PoolPorts, read_limit=lambda: machine))
    capture = EventCapture()
    async with running_portal(order_count=60) as portal, open_program(tmp_path, portal) as program:
        fat, *light = await good_numbers(portal, 6)
        await make_fat(portal, fat, size_mb=700)
        async with portal_pool(program, capture) as pool:
            await capture.until(lambda: all(worker.status is WorkerStatus.READY for worker in pool.workers))
            await pool.memory_monitor.sample(is_exact=True)
            own_bytes = psutil.Process().memory_full_info().pss
            limit_bytes = pool.get_status().memory_bytes + own_bytes + 300 * MB
            machine = MemoryLimit(total_bytes=int(limit_bytes / 0.75), available_bytes=GB, source="made up")
            handles = [await pool.submit_task(task_for(number)) for number in (fat, *light)]
            reports = [await handle for handle in handles]
            await capture.until(lambda: capture.all(MemoryRelieved))
            status = pool.get_status()

    (eater,) = {event.worker for event in capture.all(TaskStarted) if event.task.portal_number == fat}
    (relieved,) = capture.all(MemoryRelieved)
    assert (relieved.worker.slot, relieved.worker.generation) == (eater.slot, 2)
    assert relieved.before_bytes - relieved.after_bytes > 300 * MB
    assert relieved.total_before_bytes > relieved.limit_bytes > relieved.total_after_bytes
    assert relieved.has_helped
    assert [worker.worker.generation for worker in status.workers if worker.worker.slot != eater.slot] == [1]
    assert status.workers[eater.slot - 1].memory_peak_bytes >= relieved.before_bytes
    assert status.memory_peak_bytes >= relieved.total_before_bytes
    assert [report and report.reason for report in reports] == [Reason.ALL_SAVED] * 6
    assert len(capture.all(TaskStarted)) == 6, "no order began twice"
    assert WorkerStatus.CRASHED.name not in capture.path(eater.worker_id)
    assert len(list(program.out.rglob(MANIFEST_NAME))) == 6


async def run_in(group: Path, program: ProgramFolder, *arguments: str) -> Ended:
    """Run the program with all that it starts in a control group."""
    command = [sys.executable, "-c", BE_THE_PROGRAM, str(group), *arguments]
    done = await anyio.run_process(command, check=False, cwd=program.folder, env=program.environment)
    return Ended(code=done.returncode, out=done.stdout.decode(), errors=done.stderr.decode())


def kills_in(group: Path) -> int:
    """How many processes of the group the kernel ended."""
    lines = (line.split() for line in (group / "memory.oom_control").read_text().splitlines())
    return int({line[0]: line[1] for line in lines}["oom_kill"])


def of_kind(ended: Ended, kind: str) -> list[Mapping[str, Any]]:
    return [line for line in ended.objects() if line["type"] == kind]


async def test_in_a_small_container_the_same_holds_and_the_system_ends_nobody(tmp_path: Path) -> None:
    with memory_group(1500 * MB) as group:
        async with running_portal(order_count=160) as portal, open_program(tmp_path, portal) as program:
            numbers = await good_numbers(portal, 30)
            truths = await portal.truth(*numbers)
            await make_fat(portal, numbers[2], size_mb=560, delay_ms=20_000)

            ended = await run_in(
                group, program, "run", program.list_of(numbers), "--workers", "2", "--tabs", "1", "--json"
            )

            assert ended.code == 0, ended.errors
            assert_all_right(program, truths)
            assert {row["Attempts"] for row in reported(program)} == {"1"}
            assert of_kind(ended, "memory_relieved"), [one["text"] for one in of_kind(ended, "notice")]
            (relieved,) = of_kind(ended, "memory_relieved")
            (began,) = [one for one in of_kind(ended, "task_started") if one["task"]["portal_number"] == numbers[2]]
            assert relieved["worker"] == {"slot": began["worker"]["slot"], "generation": 2}
            assert relieved["limit_bytes"] == int(0.75 * (1500 * MB // 4096 * 4096))
            assert relieved["before_bytes"] - relieved["after_bytes"] > 200 * MB
            assert {one["worker"]["generation"] for one in of_kind(ended, "worker_seen")} == {1, 2}
            assert kills_in(group) == 0


async def test_a_page_that_the_system_ends_for_want_of_memory_is_told_as_such(tmp_path: Path) -> None:
    with memory_group(1100 * MB) as group:
        async with running_portal(order_count=60) as portal, open_program(tmp_path, portal) as program:
            numbers = await good_numbers(portal, 4)
            await make_fat(portal, numbers[1], size_mb=3000, delay_ms=30_000)
            arguments = ("--workers", "1", "--tabs", "1", "--max-attempts", "2", "--json")

            ended = await run_in(group, program, "run", program.list_of(numbers), *arguments)

            assert ended.code == 1, ended.errors
            reasons = {one["task"]["portal_number"]: one["report"]["reason"] for one in of_kind(ended, "task_ended")}
            assert reasons == {**dict.fromkeys(numbers, "all_saved"), numbers[1]: "out_of_memory"}
            assert kills_in(group) >= 2
