"""Submitting to a list: who waits is told how it ends, and what is open is counted once, whatever the journal does."""

from __future__ import annotations

from typing import Any

import anyio
import anyio.lowlevel
import pytest

from poolwright.domain.errors import PoolError, TaskError
from poolwright.domain.tasks import POTask
from poolwright.supervisor.submissions import Submissions, TaskHandle
from tests.support.manual_clock import ManualClock
from tests.support.memory_journal import MemoryJournal
from tests.support.pool_contexts import feeder_of, pool_context
from tests.support.tasks import BATCH, OTHER, orders, po_task, report, task_id


async def submissions_to(journal: MemoryJournal) -> Submissions:
    """Submissions to the list of a journal."""
    submissions = Submissions(pool_context(journal), feeder_of(journal))
    await submissions.open()
    return submissions


def break_off(call: str, monkeypatch: pytest.MonkeyPatch, journal: MemoryJournal) -> anyio.Event:
    """Let one call of the journal fail as soon as the event is set."""
    allowed = anyio.Event()

    async def refuse(*_: Any, **__: Any) -> Any:  # noqa: ANN401 - in the place of any call
        await allowed.wait()
        raise PoolError("The journal failed.")

    monkeypatch.setattr(journal, call, refuse)
    return allowed


@pytest.mark.parametrize("call", ["find", "add"])
@pytest.mark.parametrize("known", [(), (1,)], ids=["new", "known"])
async def test_a_journal_that_fails_costs_no_open_task(
    monkeypatch: pytest.MonkeyPatch, call: str, known: tuple[int, ...]
) -> None:
    journal = MemoryJournal(ManualClock())
    await journal.accept(orders(*known))
    submissions = await submissions_to(journal)
    break_off(call, monkeypatch, journal).set()

    with pytest.raises(PoolError, match="journal failed"):
        await submissions.submit(po_task(1))

    assert submissions.unfinished.count == len(known)


@pytest.mark.parametrize("call", ["find", "add"])
async def test_a_journal_that_fails_tells_everybody_who_waits(monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    journal = MemoryJournal(ManualClock())
    submissions = await submissions_to(journal)
    allowed = break_off(call, monkeypatch, journal)
    errors: list[PoolError] = []
    second: list[TaskHandle] = []

    async def submit_first(task: POTask) -> None:
        try:
            await submissions.submit(task)
        except PoolError as error:
            errors.append(error)

    async with anyio.create_task_group() as both:
        both.start_soon(submit_first, po_task(1))
        await anyio.lowlevel.checkpoint()
        second.append(await submissions.submit(po_task(1)))
        allowed.set()

    with anyio.fail_after(5), pytest.raises(PoolError, match="journal failed"):
        await second[0]
    assert len(errors) == 1


async def test_a_task_of_another_list_that_is_over_stands_in_this_one_too() -> None:
    journal = MemoryJournal(ManualClock())
    await journal.accept(orders(1, batch_id=OTHER))
    await journal.finish(task_id(1), report(), "")
    submissions = await submissions_to(journal)

    handle = await submissions.submit(po_task(1))

    assert await handle == report()
    assert [record.task.task_id for record in await journal.records(BATCH)] == [task_id(1)]
    assert submissions.unfinished.count == 0


@pytest.mark.parametrize("is_over", [False, True], ids=["open", "over"])
async def test_a_known_task_with_another_payload_is_refused(*, is_over: bool) -> None:
    journal = MemoryJournal(ManualClock())
    await journal.add(BATCH, [po_task(1, payload={"url": "a", "page": 1})])
    if is_over:
        await journal.finish(task_id(1), report(), "")
    submissions = await submissions_to(journal)
    open_before = submissions.unfinished.count

    way_out = "Use another task id or another output folder"
    with pytest.raises(TaskError, match=rf'demo:1.*is stored with another payload.*"page": 1.*"page": 2.*{way_out}'):
        await submissions.submit(po_task(1, payload={"url": "a", "page": 2}))

    assert submissions.unfinished.count == open_before
    known = await journal.find(task_id(1))
    assert known is not None
    assert known.task.payload == {"url": "a", "page": 1}


async def test_another_payload_is_refused_also_while_the_first_is_waited_for() -> None:
    submissions = await submissions_to(MemoryJournal(ManualClock()))
    handle = await submissions.submit(po_task(1, payload=[1]))

    with pytest.raises(TaskError, match=r"demo:1"):
        await submissions.submit(po_task(1, payload=[2]))

    assert await submissions.submit(po_task(1, payload=[1])) is handle
    assert submissions.unfinished.count == 1


async def test_cancelling_what_stands_in_other_lists_leaves_the_count_of_this_one_alone() -> None:
    journal = MemoryJournal(ManualClock())
    await journal.accept(orders(1, 2))
    await journal.accept(orders(2, 3, 4, batch_id=OTHER))
    submissions = await submissions_to(journal)

    assert await submissions.cancel_all([task_id(number) for number in (2, 3, 4)]) == 3
    assert submissions.unfinished.count == 1
    assert await submissions.cancel(task_id(1))
    assert submissions.unfinished.count == 0


async def test_one_task_of_another_list_is_called_off_uncounted() -> None:
    journal = MemoryJournal(ManualClock())
    await journal.accept(orders(1))
    await journal.accept(orders(2, batch_id=OTHER))
    submissions = await submissions_to(journal)

    assert await submissions.cancel(task_id(2))
    assert submissions.unfinished.count == 1


@pytest.mark.parametrize("how", ["one", "all"])
async def test_a_task_that_cannot_be_put_aside_stays_in_the_queue(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    journal = MemoryJournal(ManualClock())
    await journal.accept(orders(1, 2))
    dispatch = feeder_of(journal)
    submissions = Submissions(pool_context(journal), dispatch)
    await submissions.open()
    for task in await journal.fetch(BATCH, 2):
        dispatch.requeue(task)
    break_off("requeue", monkeypatch, journal).set()

    with pytest.raises(PoolError, match="journal failed"):
        await (submissions.cancel(task_id(1)) if how == "one" else submissions.cancel_all([task_id(1)]))

    assert dispatch.task_queue.qsize() == 2
    assert (await dispatch.dequeue()).task_id == task_id(1)
    assert submissions.unfinished.count == 2


async def test_an_error_of_the_system_costs_no_open_task(monkeypatch: pytest.MonkeyPatch) -> None:
    journal = MemoryJournal(ManualClock())
    submissions = await submissions_to(journal)

    async def refuse(*_: Any) -> Any:  # noqa: ANN401 - in the place of any call
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(journal, "add", refuse)
    with pytest.raises(OSError, match="Input/output"):
        await submissions.submit(po_task(1))

    assert submissions.unfinished.count == 0


async def ended(submissions: Submissions) -> list[int]:
    """The numbers of the handles that come until none is open."""
    with anyio.fail_after(5):
        return [int(handle.task.portal_number) async for handle in submissions.as_completed()]


async def test_handles_come_in_the_order_in_which_their_tasks_end_and_once() -> None:
    submissions = await submissions_to(MemoryJournal(ManualClock()))
    for number in (1, 2, 3):
        await submissions.submit(po_task(number))
    submissions.on_outcome(po_task(2), report())
    got: list[int] = []

    async def follow() -> None:
        got.extend(await ended(submissions))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(follow)
        await anyio.wait_all_tasks_blocked()
        submissions.on_outcome(po_task(3), report())
        await submissions.submit(po_task(4))
        submissions.on_outcome(po_task(1), report())
        await anyio.wait_all_tasks_blocked()
        submissions.on_outcome(po_task(4), report())

    assert got == [2, 3, 1, 4]
    assert await ended(submissions) == []


async def test_two_who_ask_for_ended_tasks_share_them_and_both_end() -> None:
    submissions = await submissions_to(MemoryJournal(ManualClock()))
    await submissions.submit(po_task(1))
    got: list[int] = []

    async def follow() -> None:
        got.extend(await ended(submissions))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(follow)
        tasks.start_soon(follow)
        await anyio.wait_all_tasks_blocked()
        submissions.on_outcome(po_task(1), report())

    assert got == [1]


async def test_a_task_that_the_journal_refuses_is_awaited_by_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    journal = MemoryJournal(ManualClock())
    submissions = await submissions_to(journal)
    break_off("add", monkeypatch, journal).set()
    with pytest.raises(PoolError, match="journal failed"):
        await submissions.submit(po_task(1))

    assert await ended(submissions) == []


async def test_tasks_that_stay_queued_come_when_the_pool_ends() -> None:
    submissions = await submissions_to(MemoryJournal(ManualClock()))
    handle = await submissions.submit(po_task(1))

    submissions.close()

    assert await ended(submissions) == [1]
    assert await handle is None


async def test_a_task_that_nobody_follows_is_not_given_out_unless_it_is_submitted_again() -> None:
    submissions = await submissions_to(MemoryJournal(ManualClock()))
    await submissions.submit(po_task(1), is_followed=False)
    await submissions.submit(po_task(2), is_followed=False)
    await submissions.submit(po_task(2))

    for number in (1, 2):
        submissions.on_outcome(po_task(number), report())

    assert await ended(submissions) == [2]
