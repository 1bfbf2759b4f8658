"""Every accepted list ends, whatever error any file operation of a filing raises, at any point and for however long."""

from __future__ import annotations

import errno
import hashlib
import os
from collections import deque
from pathlib import Path

import pytest

from poolwright.archive.output_tree import OutputTree
from poolwright.archive.staging import StagingFolders
from poolwright.concurrency import SystemClock, WaitGroup
from poolwright.domain.ids import WorkerRef
from poolwright.domain.outcomes import Outcome, Reason
from poolwright.domain.storage import StorageTrouble, classify_os_error
from poolwright.domain.tasks import FetchedFile, POTask, Report
from poolwright.files.names import STAGED_FILES
from poolwright.ipc.messages import Finished
from poolwright.supervisor.policy.commands import (
    Command,
    Discard,
    FileReport,
    Pause,
    RecordOutcome,
    Requeue,
    StagedAttempt,
)
from poolwright.supervisor.policy.decide import decide
from poolwright.supervisor.policy.events import PauseEnded, PoolInput, TaskAssigned
from poolwright.supervisor.policy.state import PoolState, WorkerSlot
from poolwright.supervisor.pool_context import PolicyInbox
from poolwright.supervisor.task_writer import TaskFiler
from tests.support.disk_faults import Faults, failing
from tests.support.memory_journal import MemoryJournal
from tests.support.pool_contexts import pool_context, storage_of
from tests.support.tasks import BATCH, orders
from tests.support.worker_messages import received

STEPS = ("rename", "replace", "fsync", "mkdir", "unlink", "rmdir", "chmod", "open", "stat", "scandir", "listdir")
WORKER = WorkerRef(1, 1)
FAILED = Report(reason=Reason.FILING_FAILED)
ORDER_COUNT = 3
#: More than any list needs, whatever is in its way; a loop without end needs more than any number.
COMMANDS_MAX = 400


class Events(PolicyInbox):
    """Keeps what is posted until the pool has dealt with it."""

    def __init__(self) -> None:
        self.unsettled = WaitGroup()
        self.facts = deque[PoolInput]()

    def post(self, event: PoolInput) -> None:
        self.facts.append(event)


class SmallPool:
    """The real plan, the real filing and the real archive around one worker that always fetches its file. No time."""

    def __init__(self, root: Path) -> None:
        clock = SystemClock()
        self.journal = MemoryJournal(clock)
        self.staging = StagingFolders(root / "staging")
        self.state = PoolState(slots={1: WorkerSlot(is_up=True)})
        self.inbox = Events()
        self.facts = self.inbox.facts
        context = pool_context(self.journal, OutputTree(root / "out", "{number}", clock=clock), inbox=self.inbox)
        self.filing = TaskFiler(context=context, storage=storage_of(context), staging=self.staging)
        self.commands: list[Command] = []

    async def run(self) -> None:
        await self.journal.accept(orders(*range(ORDER_COUNT)))
        while len(self.commands) < COMMANDS_MAX:
            if self.facts:
                decision = decide(self.state, self.facts.popleft())
                self.state = decision.state
                for command in decision.commands:
                    await self.obey(command)
            elif tasks := await self.journal.fetch(BATCH, 1):
                await self.fetch(tasks[0])
            else:
                return
        raise AssertionError([type(command).__name__ for command in self.commands[-10:]])

    async def obey(self, command: Command) -> None:
        self.commands.append(command)
        match command:
            case FileReport():
                await self.filing.finalize(command)
            case RecordOutcome():
                await self.filing.record_outcome(command)
            case Discard():
                await self.filing.discard(command.staged)
            case Requeue():
                await self.filing.discard(StagedAttempt(worker=WORKER, task=command.task, report=FAILED))
                await self.journal.requeue(
                    command.task.task_id, command.why, detail="", delay_s=0.0, is_attempt_spent=command.is_attempt_spent
                )
            case Pause():
                self.facts.append(PauseEnded(cause=command.cause))
            case _:
                pass

    def place(self, task: POTask) -> Path:
        return self.staging.attempt_folder(WORKER.slot, task)

    async def fetch(self, claimed: POTask) -> None:
        task = await self.journal.start(claimed.task_id, WORKER)
        folder, content = self.place(task) / STAGED_FILES, task.po_number.encode()
        with pytest.MonkeyPatch.context() as patch:  # what a worker does is not what is tried here
            for name, honest in HONEST.items():
                patch.setattr(os, name, honest)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "a.txt").write_bytes(content)
        file = FetchedFile(
            name="a.txt",
            label="a.txt",
            size_bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            media_type="text/plain",
            source_url="",
        )
        report = Report(reason=Reason.ALL_SAVED, files=(file,))
        self.facts.extend(
            (
                TaskAssigned(worker=WORKER, task=task),
                received(Finished, worker=WORKER, task_id=task.task_id, report=report),
            )
        )


HONEST = {name: getattr(os, name) for name in STEPS}
CODES = (errno.ENOSPC, errno.ESTALE, errno.EACCES, errno.EINVAL)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("code", CODES, ids=lambda code: errno.errorcode[code])
@pytest.mark.parametrize(("begin", "count"), [(1, 1), (3, 1), (1, 40)])
async def test_a_list_ends_whatever_the_disk_refuses(
    tmp_path: Path, step: str, code: int, begin: int, count: int
) -> None:
    pool = SmallPool(tmp_path)

    with failing(os, step, Faults(tmp_path, code, begin, count)):
        await pool.run()

    records = await pool.journal.records(BATCH)
    assert [record.status for record in records] == ["DONE"] * ORDER_COUNT
    if classify_os_error(OSError(code, "")) is StorageTrouble.FULL:
        assert {record.report and record.report.outcome for record in records} == {Outcome.COMPLETED}
        assert {record.attempt_count for record in records} == {1}


async def test_an_order_that_the_folder_never_takes_ends_in_the_journal_alone(tmp_path: Path) -> None:
    pool = SmallPool(tmp_path)

    with failing(os, "rename", Faults(tmp_path, errno.EXDEV, 1, 10_000)):
        await pool.run()

    records = await pool.journal.records(BATCH)
    assert {record.report and record.report.reason for record in records} == {Reason.FILING_FAILED}
    assert {record.attempt_count for record in records} == {pool.state.max_attempts}
    assert sum(isinstance(command, FileReport) for command in pool.commands) == ORDER_COUNT * pool.state.max_attempts


async def test_a_file_in_the_place_of_the_output_folder_ends_no_loop(tmp_path: Path) -> None:
    pool = SmallPool(tmp_path)
    (tmp_path / "out").write_text("no folder")

    await pool.run()

    records = await pool.journal.records(BATCH)
    assert {record.report and record.report.reason for record in records} == {Reason.FILING_FAILED}
