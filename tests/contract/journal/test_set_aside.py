"""Contract: a group of a list is set aside with all its tasks that wait, and only those."""

from __future__ import annotations

from dataclasses import replace

from poolwright.domain.ids import TaskId
from poolwright.domain.outcomes import Outcome, Reason, ReturnReason
from poolwright.domain.ports import Journal
from poolwright.domain.tasks import OrderList, Report
from tests.support.journals import OpenJournal
from tests.support.tasks import BATCH, OTHER, WORKER, orders, task_id

REPORT = Report(reason=Reason.GROUP_SET_ASIDE, detail="Why.")


def grouped(groups: dict[int, str], batch_id: str = BATCH) -> OrderList:
    given = orders(*groups, batch_id=batch_id)  # type: ignore[arg-type]
    tasks = tuple(replace(task, group=group) for task, group in zip(given.tasks, groups.values(), strict=True))
    return replace(given, tasks=tasks)


async def statuses(journal: Journal) -> dict[str, str]:
    return {record.task.portal_number: record.status for record in await journal.records(BATCH)}


async def test_the_waiting_tasks_of_the_group_end_without_an_attempt(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.accept(grouped({1: "A", 2: "B", 3: "A", 4: "A", 5: ""}))
        await journal.fetch(BATCH, 1)
        await journal.start(task_id(1), WORKER)
        await journal.requeue(task_id(1), Reason.TAB_CRASHED, detail="", delay_s=60.0, is_attempt_spent=True)
        await journal.fetch(BATCH, 2)

        ended = await journal.set_aside(BATCH, "A", REPORT)

        assert [task.portal_number for task in ended] == ["1", "4"], "also one that waits for its next attempt"
        assert await statuses(journal) == {
            "1": "CANCELLED",
            "2": "ASSIGNED",
            "3": "ASSIGNED",
            "4": "CANCELLED",
            "5": "QUEUED",
        }
        record = await journal.find(task_id(4))
        assert record is not None
        assert (record.report, record.attempt_count, record.task.group) == (REPORT, 0, "A")
        assert record.report is not None
        assert record.report.outcome is Outcome.CANCELLED


async def test_what_was_claimed_is_set_aside_when_it_is_back_with_the_first_cause(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.accept(grouped({1: "A", 2: "A"}))
        await journal.fetch(BATCH, 1)
        await journal.set_aside(BATCH, "A", REPORT)
        await journal.requeue(task_id(1), ReturnReason.SET_ASIDE, detail="", delay_s=60.0, is_attempt_spent=False)

        ended = await journal.set_aside(BATCH, "A", replace(REPORT, detail="Another."))

        assert [task.portal_number for task in ended] == ["1"]
        record = await journal.find(task_id(1))
        assert record is not None
        assert record.report == REPORT


async def test_orders_of_the_group_in_other_lists_and_portals_wait(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.accept(grouped({1: "A"}))
        await journal.accept(grouped({2: "A"}, OTHER))

        await journal.set_aside(BATCH, "A", REPORT)

        assert [task.portal_number for task in await journal.fetch(OTHER, 9)] == ["2"]


async def test_a_task_gets_the_group_of_the_latest_list_that_gives_it_one(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        given = grouped({1: "A", 2: "A", 3: ""})
        await journal.accept(given)
        again = await journal.accept(grouped({1: "B", 2: "", 3: "C"}))

        assert {record.task.portal_number: record.task.group for record in await journal.records(BATCH)} == {
            "1": "B",
            "2": "A",
            "3": "C",
        }
        assert again.new_count == 0


async def test_an_order_that_is_set_aside_can_be_opened_again(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.accept(grouped({1: "A"}))
        await journal.set_aside(BATCH, "A", REPORT)

        assert await journal.reopen([task_id(1), TaskId("demo:9")]) == 1

        (task,) = await journal.fetch(BATCH, 9)
        assert (task.portal_number, task.group) == ("1", "A")


async def test_a_group_that_is_resumed_has_its_orders_in_the_queue_again(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.accept(grouped({1: "A", 2: "B", 3: "A", 4: "B", 5: "A"}))
        await journal.cancel(task_id(5))
        for group in "AB":
            await journal.set_aside(BATCH, group, REPORT)

        assert await journal.reopen_group(OTHER, "demo:", "A") == 2

        assert await statuses(journal) == {
            "1": "QUEUED",
            "2": "CANCELLED",
            "3": "QUEUED",
            "4": "CANCELLED",
            "5": "CANCELLED",
        }
        assert [task.portal_number for task in await journal.fetch(OTHER, 9)] == ["1", "3"]
        await journal.accept(grouped({6: "A"}))
        assert [task.portal_number for task in await journal.set_aside(BATCH, "A", replace(REPORT, detail="New."))] == [
            "6"
        ], "the mark of before is gone, with its detail"
        record = await journal.find(task_id(6))
        assert record is not None
        assert record.report == replace(REPORT, detail="New.")


async def test_a_group_of_another_portal_is_not_resumed(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.accept(grouped({1: "A"}))
        await journal.set_aside(BATCH, "A", REPORT)

        assert await journal.reopen_group(BATCH, "other:", "A") == 0

        assert await statuses(journal) == {"1": "CANCELLED"}
