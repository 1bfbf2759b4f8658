"""Contract: lists are kept whole, their tasks once, and they can be read back and taken up again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from poolwright.domain.ids import BatchId
from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.domain.ports import Accepted, Journal
from poolwright.domain.tasks import OrderList, OrderRow, Report
from poolwright.journal.errors import JournalError
from tests.support.journals import History, OpenJournal
from tests.support.manual_clock import START, ManualClock
from tests.support.tasks import BATCH, OTHER, WORKER, fetched, missed, orders, report, task_id

NONE = {"QUEUED": 0, "ASSIGNED": 0, "RUNNING": 0, "DONE": 0, "CANCELLED": 0}


async def finish(journal: Journal, *numbers: int, reason: Reason = Reason.ALL_SAVED) -> None:
    for number in numbers:
        await journal.finish(task_id(number), report(reason), "")


async def statuses(journal: Journal) -> dict[str, str]:
    return {record.task.task_id: record.status for record in await journal.records(BATCH)}


async def test_a_new_list_is_queued_whole(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        answer = await journal.accept(orders(1, 2, 3))

        assert answer == Accepted(new_count=3, waiting_count=0, done_count=0)
        assert await journal.counts(BATCH) == {**NONE, "QUEUED": 3}


async def test_the_same_list_again_keeps_its_tasks_and_tells_how_far_they_are(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(1, 2, 3, 4))
        await journal.fetch(BATCH, 2)
        await journal.start(task_id(1), WORKER)
        await finish(journal, 3)

        answer = await journal.accept(orders(1, 2, 3, 4))

        assert answer == Accepted(new_count=0, waiting_count=3, done_count=1)
        assert await journal.counts(BATCH) == {**NONE, "QUEUED": 1, "ASSIGNED": 1, "RUNNING": 1, "DONE": 1}


async def test_another_list_is_told_about_its_own_tasks_only(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(1, 2, 3))
        await finish(journal, 1)

        answer = await journal.accept(orders(1, 3, 7, batch_id=OTHER))

        assert answer == Accepted(new_count=1, waiting_count=1, done_count=1)
        assert await journal.counts(OTHER) == {**NONE, "QUEUED": 2, "DONE": 1}
        assert await journal.counts(BATCH) == {**NONE, "QUEUED": 2, "DONE": 1}


async def test_a_list_accepted_with_other_rows_is_replaced(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(1, 2))

        await journal.accept(orders(3, 2))

        assert [record.task.task_id for record in await journal.records(BATCH)] == [task_id(3), task_id(2)]


async def test_rows_without_a_task_and_repeated_rows_are_no_tasks(open_journal: OpenJournal) -> None:
    bad = OrderRow(row_no=9, cells=("?", ""), given="?", problem=Reason.BAD_NUMBER, detail="No digits.")
    again = OrderRow(row_no=10, cells=("PO1", ""), given="PO1", task_id=task_id(1))
    async with open_journal() as journal:
        answer = await journal.accept(orders(1, rows=[bad, again]))

        assert answer == Accepted(new_count=1, waiting_count=0, done_count=0)
        assert len(await journal.records(BATCH)) == 1


async def test_an_empty_list_is_accepted(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        assert await journal.accept(orders()) == Accepted(new_count=0, waiting_count=0, done_count=0)
        assert await journal.fetch(BATCH, 5) == ()


async def test_a_list_that_holds_a_task_twice_is_refused_whole(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        with pytest.raises(JournalError, match=r"orders\.csv was refused: it contains a task twice"):
            await journal.accept(orders(1, 1))

        assert await journal.counts(BATCH) == NONE


async def test_a_list_that_lacks_the_task_of_a_row_is_refused_whole(open_journal: OpenJournal) -> None:
    stray = OrderRow(row_no=9, cells=("PO8", ""), given="PO8", task_id=task_id(8))
    async with open_journal() as journal:
        with pytest.raises(JournalError, match="a row names the task demo:8, which the list does not contain"):
            await journal.accept(orders(1, rows=[stray]))

        assert await journal.counts(BATCH) == NONE


async def test_an_unknown_list_is_empty(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        assert await journal.counts(BATCH) == NONE
        assert await journal.records(BATCH) == ()
        assert await journal.fetch(BATCH, 5) == ()
        assert await journal.next_due_s(BATCH) is None
        assert await journal.reopen([task_id(1)]) == 0


async def test_records_follow_the_list_and_tell_where_each_task_is(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(5, 3, 4))
        await journal.fetch(BATCH, 2)
        await journal.start(task_id(5), WORKER)

        running, claimed, queued = await journal.records(BATCH)

        assert (running.task.task_id, running.status, running.attempt_count) == (task_id(5), "RUNNING", 1)
        assert (claimed.task.task_id, claimed.status, claimed.attempt_count) == (task_id(3), "ASSIGNED", 0)
        assert (queued.task.task_id, queued.status, queued.task.po_number) == (task_id(4), "QUEUED", "PO4")
        assert {record.report for record in (running, claimed, queued)} == {None}
        assert {record.task.attempt for record in (running, claimed, queued)} == {1}


async def test_a_report_comes_back_as_it_was_given(open_journal: OpenJournal, clock: ManualClock) -> None:
    given = Report(
        reason=Reason.SOME_FILES_FAILED,
        detail="Two of four: „Anhänge“ 'quoted' \x00 and 木.",
        fields={"supplier": "Ströer & Söhne", "buyer": ""},
        files=(fetched("b.pdf"), fetched("a (2).pdf")),
        missed=(missed("z"), replace(missed("y"), is_retryable=False)),
        evidence=("page.png", "page.html"),
        page_url="https://portal.example/order/1?x=ä",
        retry_after_s=12.5,
        duration_s=3.25,
    )
    async with open_journal() as journal:
        await journal.accept(orders(1))
        clock.advance(90)

        await journal.finish(task_id(1), given, "Ströer/PO1")

        (record,) = await journal.records(BATCH)
        assert record.report == given
        assert record.folder == "Ströer/PO1"
        assert record.finished_at == START + timedelta(seconds=90)
        assert record.status == "DONE"


async def test_reopening_takes_the_named_tasks_that_are_over(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(1, 2, 3, 4))
        await journal.accept(orders(9, batch_id=OTHER))
        await finish(journal, 1, 9, reason=Reason.PORTAL_BUSY)
        await finish(journal, 2, reason=Reason.NO_WORKERS)
        await finish(journal, 3)

        reopened_count = await journal.reopen([task_id(1), task_id(2), task_id(4), task_id("unknown")])

        assert reopened_count == 2
        assert set((await statuses(journal)).items()) == {
            ("demo:1", "QUEUED"),
            ("demo:2", "QUEUED"),
            ("demo:3", "DONE"),
            ("demo:4", "QUEUED"),
        }
        assert await journal.counts(OTHER) == {**NONE, "DONE": 1}


async def test_reopening_no_task_does_nothing(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(1))
        await finish(journal, 1)

        assert await journal.reopen(()) == 0


async def test_a_reopened_task_is_not_reopened_again_before_it_ends(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(1))
        await finish(journal, 1, reason=Reason.PORTAL_BUSY)
        await journal.reopen([task_id(1)])

        assert await journal.reopen([task_id(1)]) == 0


async def test_reopening_gives_fresh_attempts_and_keeps_the_history(
    open_journal: OpenJournal, history: History
) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(1))
        await journal.fetch(BATCH, 1)
        await journal.start(task_id(1), WORKER)
        await journal.count_death(task_id(1))
        await finish(journal, 1, reason=Reason.WORKER_LOST)

        await journal.reopen([task_id(1)])

        (task,) = await journal.fetch(BATCH, 1)
        assert (task.attempt, task.death_count) == (1, 0)
        assert [move.event for move in history(journal)] == ["ASSIGN", "START", "FINISH", "REDO", "ASSIGN"]


async def test_a_reopened_task_keeps_its_report_until_the_next_one_replaces_it(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(1))
        early = replace(report(Reason.SOME_FILES_FAILED, "a.pdf", "b.pdf"), missed=(missed("c"),))
        await journal.finish(task_id(1), early, "Acme/PO1")
        await journal.reopen([task_id(1)])
        (between,) = await journal.records(BATCH)

        await journal.finish(task_id(1), report(Reason.ALL_SAVED, "c.pdf"), "Acme/PO1 again")

        (after,) = await journal.records(BATCH)
        assert (between.status, between.report, between.folder) == ("QUEUED", early, "Acme/PO1")
        assert (after.status, after.folder) == ("DONE", "Acme/PO1 again")
        assert after.report == report(Reason.ALL_SAVED, "c.pdf")


async def test_a_reopened_task_no_longer_waits(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(1))
        await journal.fetch(BATCH, 1)
        await journal.requeue(task_id(1), ReturnReason.DRAINING, detail="", delay_s=900, is_attempt_spent=False)
        await finish(journal, 1, reason=Reason.NO_WORKERS)

        await journal.reopen([task_id(1)])

        assert await journal.next_due_s(BATCH) == 0


async def test_tasks_that_wait_are_ended_in_parts_in_the_order_of_the_list(
    open_journal: OpenJournal, clock: ManualClock
) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(*range(5)))
        await journal.accept(orders(9, batch_id=OTHER))
        await journal.fetch(BATCH, 2)
        await journal.requeue(task_id(0), Reason.PORTAL_ERROR, detail="", delay_s=60, is_attempt_spent=True)
        why = report(Reason.NO_WORKERS)

        parts = [await journal.finish_waiting(BATCH, why, 3) for _ in range(3)]

        assert [[task.task_id for task in part] for part in parts] == [
            [task_id(0), task_id(2), task_id(3)],
            [task_id(4)],
            [],
        ]
        assert [(record.status, record.report) for record in await journal.records(BATCH)] == [
            ("DONE", why),
            ("ASSIGNED", None),
            ("DONE", why),
            ("DONE", why),
            ("DONE", why),
        ]
        assert [record.status for record in await journal.records(OTHER)] == ["QUEUED"]


async def test_a_list_tells_which_tasks_are_its_own(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(1, 2))
        await journal.accept(orders(2, 3, batch_id=OTHER))

        assert set(await journal.members(BATCH, [task_id(number) for number in (1, 2, 3, 4)])) == {
            task_id(1),
            task_id(2),
        }
        assert set(await journal.members(BATCH, [])) == set()


async def test_the_cells_that_name_a_folder_are_those_of_the_latest_list_that_has_some(
    open_journal: OpenJournal,
) -> None:
    def listed(batch_id: BatchId, **cells: str) -> OrderList:
        given = orders(1, batch_id=batch_id)
        return replace(given, tasks=tuple(replace(task, cells=cells) for task in given.tasks))

    async with open_journal() as journal:
        await journal.accept(listed(BATCH, Buyer="Ann"))
        await journal.accept(listed(OTHER, Buyer="Bob"))
        await journal.accept(orders(1, batch_id=BATCH))

        [claimed] = await journal.fetch(BATCH, 1)
        started = await journal.start(task_id(1), WORKER)

        assert claimed.cells == started.cells == {"Buyer": "Bob"}
