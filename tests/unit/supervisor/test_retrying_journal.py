"""A journal that another program locks: changes wait, reading goes on, and only a change that gets through ends it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio
import pytest

from poolwright.domain.errors import LockedError
from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.outcomes import ReturnReason
from poolwright.domain.ports import Journal
from poolwright.domain.tasks import POTask
from poolwright.supervisor.retrying_journal import RetryingJournal
from tests.support.manual_clock import ManualClock
from tests.support.memory_journal import MemoryJournal
from tests.support.tasks import BATCH, WORKER, orders, po_task, report, task_id


class LockedJournal(MemoryJournal):
    """Takes no beginning."""

    async def start(self, task_id: TaskId, worker: WorkerRef) -> POTask:
        raise LockedError(f"{worker} cannot begin {task_id}")


async def test_an_answer_does_not_say_that_the_lock_is_gone() -> None:
    facts: list[object] = []
    journal = LockedJournal(ManualClock())
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


#: What each call of a journal that stays locked comes to when the pool ends, and how many changes are lost by it.
AT_THE_END: dict[str, tuple[Callable[[RetryingJournal], Awaitable[object]], object, int]] = {
    "accept": (lambda journal: journal.accept(orders(1)), LockedError, 0),
    "set_aside": (lambda journal: journal.set_aside(BATCH, "2000", report()), (), 0),
    "reopen_group": (lambda journal: journal.reopen_group(BATCH, "demo:", "2000"), 0, 0),
    "add": (lambda journal: journal.add(BATCH, [po_task(2)]), LockedError, 0),
    "recover": (lambda journal: journal.recover(3), LockedError, 0),
    "reopen": (lambda journal: journal.reopen([task_id(1)]), LockedError, 0),
    "fetch": (lambda journal: journal.fetch(BATCH, 1), (), 0),
    "start": (lambda journal: journal.start(task_id(1), WORKER), LockedError, 0),
    "requeue": (
        lambda journal: journal.requeue(
            task_id(1), ReturnReason.DRAINING, detail="", delay_s=0.0, is_attempt_spent=False
        ),
        None,
        1,
    ),
    "count_death": (lambda journal: journal.count_death(task_id(1)), 0, 1),
    "finish": (lambda journal: journal.finish(task_id(1), report(), ""), None, 1),
    "finish_waiting": (lambda journal: journal.finish_waiting(BATCH, report(), 1), (), 0),
    "cancel": (lambda journal: journal.cancel(task_id(1)), LockedError, 0),
    "cancel_all": (lambda journal: journal.cancel_all([task_id(1)]), LockedError, 0),
    "record": (lambda journal: journal.record(()), None, 1),
    "counts": (lambda journal: journal.counts(BATCH), LockedError, 0),
    "members": (lambda journal: journal.members(BATCH, [task_id(1)]), LockedError, 0),
    "next_due_s": (lambda journal: journal.next_due_s(BATCH), None, 0),
    "find": (lambda journal: journal.find(task_id(1)), LockedError, 0),
    "records": (lambda journal: journal.records(BATCH), LockedError, 0),
}


def test_the_end_of_each_call_is_decided() -> None:
    assert AT_THE_END.keys() == {name for name in vars(Journal) if not name.startswith("_")}


@pytest.mark.parametrize("name", AT_THE_END)
async def test_a_call_that_waits_for_the_lock_is_tried_once_more_at_the_end(name: str) -> None:
    call, answer, lost_count = AT_THE_END[name]
    tries: list[str] = []
    facts: list[object] = []
    journal, ending = MemoryJournal(ManualClock()), anyio.Event()

    async def refuse(*_: object, **__: object) -> None:
        tries.append(name)
        raise LockedError(name)

    setattr(journal, name, refuse)
    patient = RetryingJournal(journal=journal, report=facts.append, ending=ending)
    results: list[object] = []

    async def ask() -> None:
        try:
            results.append(await call(patient))
        except LockedError as error:
            results.append(type(error))

    async with anyio.create_task_group() as beside:
        beside.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        assert tries == [name]
        ending.set()

    assert results == [answer]
    assert tries == [name, name]
    assert patient.unwritten_count == lost_count
    assert bool(patient.loss) == bool(lost_count)
    assert [type(fact).__name__ for fact in facts] == ["JournalLocked"]
