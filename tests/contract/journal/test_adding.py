"""Contract: tasks can be added to a list while it is worked on, carry what they were given, and can be cancelled."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from poolwright.domain.outcomes import Outcome, Reason
from poolwright.domain.ports import Accepted, Journal
from poolwright.domain.tasks import Report
from poolwright.journal.sqlite_journal import SqliteJournal
from tests.support.journals import History, OpenJournal
from tests.support.manual_clock import START, ManualClock
from tests.support.tasks import BATCH, OTHER, WORKER, orders, po_task, report, task_id

PAYLOAD = {"url": "https://portal.example/ä?\U0001f600", "pages": [1, 2.5, None, {"deep": [True]}]}


async def numbers(journal: Journal) -> list[str]:
    """The tasks of the list in its order."""
    return [record.task.portal_number for record in await journal.records(BATCH)]


async def test_what_is_added_makes_a_list_where_there_is_none(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        assert await journal.add(BATCH, [po_task(2), po_task(1)]) == 2

        assert [task.portal_number for task in await journal.fetch(BATCH, 5)] == ["2", "1"]


async def test_what_is_added_stands_at_the_end_of_the_list(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(5, 3))
        await journal.fetch(BATCH, 1)

        assert await journal.add(BATCH, [po_task(4), po_task(1)]) == 2
        assert await journal.add(BATCH, [po_task(2)]) == 1

        assert await numbers(journal) == ["5", "3", "4", "1", "2"]
        assert [task.portal_number for task in await journal.fetch(BATCH, 5)] == ["3", "4", "1", "2"]


async def test_a_task_that_is_known_stays_as_it_is_and_where_it_is(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.add(BATCH, [po_task(1, payload="first"), po_task(2)])
        await journal.fetch(BATCH, 1)
        await journal.start(task_id(1), WORKER)

        assert await journal.add(BATCH, [po_task(2), po_task(3), po_task(1, payload="second"), po_task(3)]) == 1

        assert await numbers(journal) == ["1", "2", "3"]
        first = (await journal.records(BATCH))[0]
        assert (first.status, first.attempt_count, first.task.payload) == ("RUNNING", 1, "first")


async def test_a_task_of_another_list_comes_to_stand_in_both(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(1, batch_id=OTHER))
        await journal.finish(task_id(1), report(), "")

        assert await journal.add(BATCH, [po_task(1), po_task(2)]) == 1

        assert [record.status for record in await journal.records(BATCH)] == ["DONE", "QUEUED"]


async def test_a_task_that_waits_in_another_list_is_open_in_both(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(1, 2, batch_id=OTHER))
        await journal.finish(task_id(2), report(), "")

        assert await journal.add(BATCH, [po_task(1), po_task(2), po_task(3)]) == 2


async def test_one_task_is_found_as_it_stands_in_its_list(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(1, 2))
        await journal.finish(task_id(2), report(Reason.ALL_SAVED, "a.pdf", "b.pdf"), "Acme/2")

        assert [await journal.find(task_id(1)), await journal.find(task_id(2))] == [*await journal.records(BATCH)]
        assert await journal.find(task_id(3)) is None


async def test_nothing_can_be_added_to_a_list(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        assert await journal.add(BATCH, []) == 0
        assert await journal.add(BATCH, [po_task(1)]) == 1


async def test_a_list_that_is_accepted_again_drops_what_was_added_and_can_be_added_to(
    open_journal: OpenJournal,
) -> None:
    async with open_journal() as journal:
        await journal.add(BATCH, [po_task(number) for number in range(5)])

        assert await journal.accept(orders(1, 2)) == Accepted(new_count=0, waiting_count=2, done_count=0)
        await journal.add(BATCH, [po_task(0)])

        assert await numbers(journal) == ["1", "2", "0"]


async def test_what_a_task_carries_reaches_its_worker_and_its_record(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.add(BATCH, [po_task(1, payload=PAYLOAD, timeout_s=12.5), po_task(2)])

        (own, plain) = await journal.fetch(BATCH, 2)
        begun = await journal.start(task_id(1), WORKER)

        assert (own.payload, own.timeout_s) == (PAYLOAD, 12.5)
        assert (begun.payload, begun.timeout_s) == (PAYLOAD, 12.5)
        assert (plain.payload, plain.timeout_s) == (None, None)
        assert (await journal.records(BATCH))[0].task == begun


async def test_what_the_tasks_of_an_accepted_list_carry_is_kept_too(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        carrying = replace(orders(1), tasks=(po_task(1, payload=[1], timeout_s=3.0),))

        await journal.accept(carrying)

        assert await journal.fetch(BATCH, 1) == carrying.tasks


async def test_what_a_task_carries_outlives_the_program(path: Path, clock: ManualClock) -> None:
    async with SqliteJournal(path, clock) as journal:
        await journal.add(BATCH, [po_task(1, payload=PAYLOAD, timeout_s=12.5)])
        await journal.fetch(BATCH, 1)

    async with SqliteJournal(path, clock) as journal:
        assert await journal.recover(3) == 1
        assert await journal.fetch(BATCH, 1) == (po_task(1, payload=PAYLOAD, timeout_s=12.5),)


async def test_a_cancelled_task_is_over_and_has_its_report(
    open_journal: OpenJournal, history: History, clock: ManualClock
) -> None:
    async with open_journal() as journal:
        await journal.add(BATCH, [po_task(1), po_task(2)])
        clock.advance(60)

        assert await journal.cancel(task_id(1))

        cancelled, other = await journal.records(BATCH)
        assert (cancelled.status, cancelled.folder, other.status) == ("CANCELLED", "", "QUEUED")
        assert cancelled.report == Report(reason=Reason.BY_REQUEST)
        assert Report(reason=Reason.BY_REQUEST).outcome is Outcome.CANCELLED
        assert cancelled.finished_at == START + timedelta(seconds=60)
        assert [task.portal_number for task in await journal.fetch(BATCH, 5)] == ["2"]
        assert [(move.event, move.target, move.cause) for move in history(journal)][:1] == [
            ("CANCEL", "CANCELLED", "by_request")
        ]


async def test_a_task_that_waits_for_its_time_can_be_cancelled(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.add(BATCH, [po_task(1)])
        await journal.fetch(BATCH, 1)
        await journal.requeue(task_id(1), Reason.PORTAL_BUSY, detail="", delay_s=60, is_attempt_spent=True)

        assert await journal.cancel(task_id(1))

        assert await journal.next_due_s(BATCH) is None


@pytest.mark.parametrize("status", ["ASSIGNED", "RUNNING", "DONE", "CANCELLED"])
async def test_only_a_task_that_waits_is_cancelled(open_journal: OpenJournal, history: History, status: str) -> None:
    async with open_journal() as journal:
        await journal.add(BATCH, [po_task(1)])
        if status in {"ASSIGNED", "RUNNING"}:
            await journal.fetch(BATCH, 1)
        if status == "RUNNING":
            await journal.start(task_id(1), WORKER)
        if status == "DONE":
            await journal.finish(task_id(1), report(), "here")
        if status == "CANCELLED":
            await journal.cancel(task_id(1))
        before = (await journal.records(BATCH), history(journal))

        assert not await journal.cancel(task_id(1))

        assert (await journal.records(BATCH), history(journal)) == before
        assert before[0][0].status == status


async def test_a_cancelled_task_can_be_taken_up_again(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.add(BATCH, [po_task(1, payload="kept")])
        await journal.cancel(task_id(1))

        assert await journal.reopen([task_id(1)]) == 1

        (task,) = await journal.fetch(BATCH, 1)
        assert (task.attempt, task.payload) == (1, "kept")


async def test_a_cancelled_task_counts_as_over_when_its_list_is_given_again(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(1, 2))
        await journal.cancel(task_id(1))

        assert await journal.accept(orders(1, 2)) == Accepted(new_count=0, waiting_count=1, done_count=1)
