"""A slot lives on whatever the disk of its clone and of its profile says, at any point, and so does the pool's end."""

from __future__ import annotations

import contextlib
import errno
import io
import os
from pathlib import Path
from types import ModuleType

import pytest

from poolwright.archive.output_tree import OutputTree
from poolwright.concurrency import SystemClock
from poolwright.domain.errors import PoolError
from poolwright.domain.ids import WorkerRef
from poolwright.domain.tasks import POTask
from poolwright.supervisor.policy.events import WorkerLost
from poolwright.supervisor.processes.connection import WorkerLostError
from poolwright.supervisor.processes.generation import Generation
from poolwright.supervisor.processes.worker import Worker
from poolwright.supervisor.task_queue import TaskFeeder
from poolwright.supervisor.workspace import Workspace
from tests.support.disk_faults import Faults, failing
from tests.support.memory_journal import MemoryJournal
from tests.support.pool_contexts import TASK_TIMEOUT_S, pool_context, posted
from tests.support.profile_folders import make_base
from tests.support.scripted_pool import pool_options

STEPS: list[tuple[ModuleType, str]] = [
    (io, "open"),
    *((os, name) for name in ("stat", "lstat", "scandir", "listdir", "open", "close", "mkdir", "unlink", "rmdir")),
    *((os, name) for name in ("rename", "replace", "chmod", "utime", "fsync", "readlink")),
]
CODES = (errno.EIO, errno.EACCES, errno.ENOSPC)
#: From which call on the step fails. Making a clone ready takes some dozens of the commonest ones.
BEGINNINGS = (1, 2, 3, 5, 8, 13, 21, 34, 55)


class NoTasks(TaskFeeder):
    """Has no task, and none is started."""

    async def start(self, task: POTask, worker: WorkerRef) -> POTask:
        raise AssertionError([task, worker])


class OneSlotPool:
    """The real premises with one real slot, whose processes die as soon as they were told of their places."""

    def __init__(self, root: Path, base: Path | None = None) -> None:
        clock = SystemClock()
        self.context = pool_context(MemoryJournal(clock), OutputTree(root / "out", clock=clock), count_kills=lambda: 0)
        self.premises = Workspace(options=pool_options(root, base=base), context=self.context)
        self.facts = posted(self.context)

    async def open(self) -> Worker:
        await self.premises.open()
        return Worker(await self.premises.worker_spec(1), self.context, NoTasks(self.context, 1, TASK_TIMEOUT_S))

    def lost(self) -> int:
        return sum(isinstance(fact, WorkerLost) for fact in self.facts)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[WorkerRef]:
    """The generations that were started."""
    served: list[WorkerRef] = []

    async def serve(generation: Generation, begin_s: float) -> bool:
        del begin_s
        assert generation._slot.spec.worker_paths.profile_name
        served.append(generation.ref)
        raise WorkerLostError("it was killed")

    monkeypatch.setattr(Generation, "serve", serve)
    return served


@pytest.mark.parametrize(("module", "name"), STEPS, ids=lambda part: part if isinstance(part, str) else "")
async def test_a_slot_outlives_whatever_the_disk_refuses(
    tmp_path: Path, served: list[WorkerRef], module: ModuleType, name: str
) -> None:
    house = OneSlotPool(tmp_path)
    worker = await house.open()
    number = 0
    for code in CODES:
        for begin in BEGINNINGS:
            for count in (1, 1_000):
                faults = Faults(tmp_path, code, begin, count)
                with failing(module, name, faults):
                    await worker.run(number := number + 1, 0.0)
                assert house.lost() == number, "its end is told, and only that"
                assert not worker.profile.corruption_detected, house.facts[-2:]
            if not faults.have_struck:
                break
        await worker.run(number := number + 1, 0.0)
        assert served[-1] == WorkerRef(1, number), "the disk is back, and so is the slot"

    await house.premises.remove()


@pytest.mark.parametrize(("module", "name"), STEPS, ids=lambda part: part if isinstance(part, str) else "")
@pytest.mark.parametrize("begin", [1, 2, 5])
async def test_an_end_comes_to_its_end_whatever_the_disk_refuses(
    tmp_path: Path, served: list[WorkerRef], module: ModuleType, name: str, begin: int
) -> None:
    del served
    house = OneSlotPool(tmp_path)
    await (await house.open()).run(1, 0.0)

    with failing(module, name, Faults(tmp_path, errno.EIO, begin, 1_000)):
        await house.premises.remove()


@pytest.mark.parametrize(("module", "name"), STEPS, ids=lambda part: part if isinstance(part, str) else "")
async def test_a_beginning_is_refused_in_words_whatever_the_disk_refuses(
    tmp_path: Path, module: ModuleType, name: str
) -> None:
    base = make_base(tmp_path / "demo" / "base")
    for code in (errno.EIO, errno.EACCES):
        for begin in BEGINNINGS:
            house = OneSlotPool(tmp_path, base)
            faults = Faults(tmp_path, code, begin, 1_000)
            with failing(module, name, faults), contextlib.suppress(PoolError):
                await house.open()
            await house.premises.remove()
            if not faults.have_struck:
                break
