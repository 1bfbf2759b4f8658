"""The pool as a library, on scripted workers: what it tells, and what it takes up again."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from poolwright.domain.events import Event
from poolwright.domain.ids import WorkerRef
from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import POTask, Report
from poolwright.journal.errors import JournalError
from poolwright.service.library import Callbacks, PersistentWorkerPool, WatchError, new_task
from poolwright.supervisor.policy import verification
from poolwright.supervisor.pool_context import PoolPorts
from tests.support.machine import ROOMY
from tests.support.own_pool import own_pool
from tests.support.profile_folders import make_base
from tests.support.scripted_pool import SCRIPTED

pytestmark = pytest.mark.timeout(60)
FINISH = {"*": {"tasks": ["finish"]}}


@asynccontextmanager
async def scripted_pool(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    script: Mapping[str, Any],
    **more: Any,  # noqa: ANN401 - settings by name, and perhaps watch
) -> AsyncGenerator[PersistentWorkerPool]:
    """The library's pool, whose workers follow a script and need no browser."""
    monkeypatch.setenv("SCRIPTED_WORKER", json.dumps(script))
    monkeypatch.setattr("poolwright.service.library.PoolPorts", partial(PoolPorts, module=SCRIPTED))
    if not (base := root / "out" / ".poolwright" / "base").exists():
        make_base(base)
    async with own_pool(root, is_remembered=False, browser_path="/bin/true", **more) as pool:
        yield pool


async def test_crash_memory_and_completion_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crashes: list[tuple[str, str]] = []
    memory: list[tuple[WorkerRef, int]] = []
    done: list[tuple[POTask, Report]] = []
    measured = anyio.Event()

    def measure(worker: WorkerRef, size_bytes: int) -> None:
        memory.append((worker, size_bytes))
        if size_bytes:
            measured.set()

    watch = Callbacks(
        crash=lambda worker, cause: crashes.append((worker, cause)),
        memory=measure,
        completion=lambda task, report: done.append((task, report)),
    )
    async with scripted_pool(tmp_path, monkeypatch, {"1#1": {"tasks": ["die"]}, **FINISH}, watch=watch) as pool:
        report = await (await pool.submit_task(new_task("a")))
        with anyio.fail_after(30):
            await measured.wait()

    assert crashes == [("worker-1", "its process was killed by signal 9")]
    assert [(task.po_number, task.attempt, told) for task, told in done] == [("a", 2, report)]
    assert report is not None
    assert report.fields == {"supplier": "Acme"}


async def test_an_error_of_the_caller_comes_out_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def divide() -> None:
        async with scripted_pool(tmp_path, monkeypatch, FINISH) as pool:
            await pool.submit_task(new_task("a"))
            _ = 1 / 0

    with pytest.raises(ZeroDivisionError):
        await divide()


async def test_an_error_of_a_callback_ends_no_pool_and_is_raised_when_it_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[str] = []
    reports: list[Report | None] = []

    def fail(task: POTask, _: Report) -> None:
        ended.append(task.po_number)
        raise KeyError(task.po_number)

    async def run() -> None:
        async with scripted_pool(tmp_path, monkeypatch, FINISH, watch=Callbacks(completion=fail)) as pool:
            with anyio.fail_after(30):
                reports.extend([await (await pool.submit_task(new_task(name))) for name in ("a", "b")])

    with pytest.raises(WatchError, match=r"raised KeyError: 'a'\. It raised 2 errors\.") as raised:
        await run()

    assert isinstance(raised.value.__cause__, KeyError)
    assert ended == ["a", "b"]
    assert None not in reports
    log = (tmp_path / "out" / ".poolwright" / "log.jsonl").read_text(encoding="utf-8")
    assert log.count("A function that watches the pool raised KeyError") == 1


async def test_a_task_left_behind_is_taken_up_by_the_next_pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with scripted_pool(tmp_path, monkeypatch, FINISH) as pool:
        pool.pause()
        await pool.submit_task(new_task("a"))
        pool.stop()
    ended: list[POTask] = []
    async with scripted_pool(
        tmp_path, monkeypatch, FINISH, watch=Callbacks(completion=lambda task, _: ended.append(task))
    ) as pool:
        assert await pool.finish() is None

    assert [task.po_number for task in ended] == ["a"]


async def test_a_task_that_was_called_off_stays_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with scripted_pool(tmp_path, monkeypatch, FINISH) as pool:
        pool.pause()
        assert await (await pool.submit_task(new_task("a"))).cancel()
        pool.stop()
    ended: list[POTask] = []
    async with scripted_pool(
        tmp_path, monkeypatch, FINISH, watch=Callbacks(completion=lambda task, _: ended.append(task))
    ) as pool:
        assert await pool.finish() is None
        with anyio.fail_after(30):
            report = await (await pool.submit_task(new_task("a")))

    assert ended == []
    assert report is not None
    assert report.reason is Reason.BY_REQUEST


async def test_the_log_goes_where_the_settings_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "elsewhere" / "log.jsonl"
    async with scripted_pool(tmp_path, monkeypatch, FINISH, sandbox="off", log_file=file, log_level="error"):
        pass

    assert file.read_text(encoding="utf-8") == ""
    assert not (tmp_path / "out" / ".poolwright" / "log.jsonl").exists()


async def test_one_folder_has_one_pool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with scripted_pool(tmp_path, monkeypatch, FINISH):
        with pytest.raises(JournalError):
            async with scripted_pool(tmp_path, monkeypatch, FINISH):
                pass


async def test_a_browser_without_its_sandbox_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[Event] = []
    async with scripted_pool(tmp_path, monkeypatch, FINISH, sandbox="off", watch=events.append):
        pass

    assert any("without Chromium's own sandbox" in str(event) for event in events)


async def test_what_auto_took_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("poolwright.service.capacity.inspect_hardware", lambda *_: replace(ROOMY, processor_count=1))
    events: list[Event] = []
    async with scripted_pool(tmp_path, monkeypatch, FINISH, workers="auto", watch=events.append) as pool:
        assert len(pool.workers) == 1

    assert any("workers = auto uses 1 worker" in str(event) for event in events)


async def test_tasks_have_groups_that_are_set_aside_and_fields_of_their_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "VERIFICATION_WAIT_S", 0.05)
    script = {"*": {"tasks": ["fail:no_permission", "finish"]}}
    saved: list[str] = []
    all_saved = anyio.Event()

    def complete(task: POTask, report: Report) -> None:
        saved.extend([task.po_number] if report.reason is Reason.ALL_SAVED else [])
        if len(saved) == 2:
            all_saved.set()

    watch = Callbacks(completion=complete)
    options: dict[str, Any] = {"group_limit": 1, "folder_template": "{Buyer}/{number}", "tabs_per_worker": 1}

    async with scripted_pool(tmp_path, monkeypatch, script, **options) as pool:
        first = await (await pool.submit_task(new_task("a", group="A")))
        second = await (await pool.submit_task(new_task("b", group="A", cells={"Buyer": "Ann"})))
    async with scripted_pool(tmp_path, monkeypatch, FINISH, watch=watch, **options) as pool:
        aside = await (await pool.submit_task(new_task("c", group="A", cells={"Buyer": "Bob"})))
        pool.resume_group("A")
        with anyio.fail_after(30):
            await all_saved.wait()

    assert first is not None
    assert second is not None
    assert aside is not None
    assert [report.reason for report in (first, second, aside)] == [
        Reason.NO_PERMISSION,
        Reason.GROUP_SET_ASIDE,
        Reason.GROUP_SET_ASIDE,
    ]
    assert sorted(saved) == ["b", "c"], "files of several orders are filed at the same time"
    assert (tmp_path / "out" / "Ann" / "b" / "a.txt").exists()
    assert (tmp_path / "out" / "Bob" / "c" / "a.txt").exists()
