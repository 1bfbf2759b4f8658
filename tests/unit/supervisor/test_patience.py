"""A journal that another program locks: changes wait, reading goes on, and only a change that gets through ends it."""

from __future__ import annotations

import anyio

from poolwright.domain.errors import LockedError
from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.tasks import POTask
from poolwright.journal.memory_journal import MemoryJournal
from poolwright.supervisor.retrying_journal import RetryingJournal
from tests.support.manual_clock import ManualClock
from tests.support.tasks import BATCH, WORKER, orders, task_id


class Locked(MemoryJournal):
    """Takes no beginning."""

    async def start(self, task_id: TaskId, worker: WorkerRef) -> POTask:
        raise LockedError(f"{worker} cannot begin {task_id}")


async def test_an_answer_does_not_say_that_the_lock_is_gone() -> None:
    facts: list[object] = []
    journal = Locked(ManualClock())
    await journal.accept(orders(1))
    patient = RetryingJournal(journal=journal, report=facts.append, ending=anyio.Event())
    async with anyio.create_task_group() as beside:
        beside.start_soon(patient.start, task_id(1), WORKER)
        await anyio.wait_all_tasks_blocked()

        for read in (
            lambda: patient.counts(BATCH),
            lambda: patient.find(task_id(1)),
            lambda: patient.next_due_s(BATCH),
            lambda: patient.records(BATCH),
            lambda: patient.members(BATCH, [task_id(1)]),
        ):
            assert await read() is not None

        beside.cancel_scope.cancel()

    assert [type(fact).__name__ for fact in facts] == ["JournalLocked"]
