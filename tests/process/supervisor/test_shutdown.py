"""A shutdown is over in its time, whatever hangs: a worker, a disk and the journal, all of them at once."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import ParamSpec, TypeAlias, TypeVar

import anyio
import psutil
import pytest

from poolwright.archive.output_tree import OutputTree
from poolwright.concurrency import SystemClock
from poolwright.domain.errors import LockedError
from poolwright.domain.events import Notice
from poolwright.domain.ids import TaskId
from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.domain.ports import Filed
from poolwright.domain.state_machine import Transition
from poolwright.domain.tasks import POTask, Report
from poolwright.journal.sqlite_journal import SqliteJournal
from poolwright.supervisor.pool import PersistentWorkerPool
from poolwright.supervisor.pool_context import PoolPorts
from tests.support.event_capture import EventCapture
from tests.support.memory_journal import MemoryJournal
from tests.support.scripted_pool import SCRIPTED, pool_options
from tests.support.tasks import BATCH, orders

P = ParamSpec("P")
T = TypeVar("T")

LIMIT_S = 6.0
#: A busy machine is late; without a limit each of the three would take for ever.
SLACK_S = 6.0


class HungTree(OutputTree):
    """An output folder whose disk never answers, until somebody lets it go."""

    released = threading.Event()
    asked = threading.Event()

    def file(self, task: POTask, report: Report, staged: Path) -> Filed:
        self.asked.set()
        self.released.wait()
        raise OSError("too late")


class LockedJournal(MemoryJournal):
    """A journal that somebody locks at the end: each call waits a while, as SQLite does, and is refused."""

    is_stuck = False

    async def _refuse(self) -> None:
        if self.is_stuck:
            await anyio.sleep(5.0)
            raise LockedError("somebody keeps it")

    async def requeue(
        self, task_id: TaskId, why: Reason | ReturnReason, *, detail: str, delay_s: float, is_attempt_spent: bool
    ) -> None:
        await self._refuse()
        await super().requeue(task_id, why, detail=detail, delay_s=delay_s, is_attempt_spent=is_attempt_spent)

    async def record(self, transitions: Sequence[Transition]) -> None:
        await self._refuse()
        await super().record(transitions)


class HungJournal(SqliteJournal):
    """A journal whose disk does not answer any more at the end, not even that it is closed."""

    is_stuck = False
    released = threading.Event()

    async def run_in_writer(self, work: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        def wait_and_work() -> T:
            if self.is_stuck:
                self.released.wait()
            return work(*args, **named)

        return await super().run_in_writer(wait_and_work)


OpenStuck: TypeAlias = "Callable[[Path], AbstractAsyncContextManager[LockedJournal | HungJournal]]"


@contextlib.asynccontextmanager
async def locked_journal(_folder: Path) -> AsyncGenerator[LockedJournal]:
    yield LockedJournal(SystemClock())


@contextlib.asynccontextmanager
async def hung_journal(folder: Path) -> AsyncGenerator[HungJournal]:
    async with HungJournal(folder / "journal.db", SystemClock()) as journal:
        yield journal


@pytest.mark.parametrize(
    ("open_journal", "told"),
    [(locked_journal, "were not written"), (hung_journal, "or the journal hangs")],
    ids=["locked", "hung"],
)
async def test_a_shutdown_is_over_in_its_time_whatever_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_journal: OpenStuck, told: str
) -> None:
    script = {"1#1": {"tasks": ["finish", "hang"]}, "2#1": {"tasks": ["mute"]}, "*": {"tasks": ["hang"]}}
    monkeypatch.setenv("SCRIPTED_WORKER", json.dumps(script))
    clock, capture = SystemClock(), EventCapture()
    HungTree.released.clear()
    HungTree.asked.clear()
    HungJournal.released.clear()
    tree = HungTree(tmp_path / "out", clock=clock)
    options = pool_options(tmp_path, worker_count=2, shutdown_timeout_s=LIMIT_S)
    try:
        async with open_journal(tmp_path) as journal:
            await journal.accept(orders(*range(12)))
            around = PoolPorts(
                journal=journal, archive=tree, clock=clock, observe=capture, batch_id=BATCH, module=SCRIPTED
            )
            async with PersistentWorkerPool(options, around) as pool:
                with anyio.fail_after(30):
                    await capture.until(
                        lambda: tree.asked.is_set() and all(worker.current_task for worker in pool.workers)
                    )
                pids = [worker.pid for worker in pool.workers]
                journal.is_stuck = True
                begun_s = anyio.current_time()
        ended_s = anyio.current_time()
    finally:
        tree.released.set()
        HungJournal.released.set()

    assert ended_s - begun_s < LIMIT_S + SLACK_S
    assert [pid for pid in pids if pid and psutil.pid_exists(pid)] == []
    assert any(told in event.text for event in capture.all(Notice))
