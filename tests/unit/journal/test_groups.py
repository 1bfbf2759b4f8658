"""Groups that are set aside stay so in the journal's file until they are resumed, each for its portal."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from poolwright.domain.ids import BatchId, TaskId
from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import OrderList, Report
from poolwright.journal import queries
from poolwright.journal.sqlite_journal import SqliteJournal
from tests.support.journal_audit import check_laws
from tests.support.manual_clock import START, ManualClock
from tests.support.tasks import BATCH, OTHER, WORKER, orders, po_task, report, task_id

REPORT = Report(reason=Reason.GROUP_SET_ASIDE, detail="Why.")


def grouped(*numbers: int, batch_id: BatchId = BATCH, portal: str = "demo", group: str = "A") -> OrderList:
    tasks = tuple(replace(po_task(number, group=group), task_id=TaskId(f"{portal}:{number}")) for number in numbers)
    rows = tuple(replace(row, task_id=task.task_id) for row, task in zip(orders(*numbers).rows, tasks, strict=True))
    return replace(orders(*numbers, batch_id=batch_id), tasks=tasks, rows=rows)


async def open_count(journal: SqliteJournal, batch_id: BatchId = BATCH) -> int:
    return (await journal.counts(batch_id))["QUEUED"]


async def set_aside_count(journal: SqliteJournal, batch_id: BatchId) -> dict[str, int]:
    return await journal.query(partial(queries.count_set_aside, batch_id=batch_id))


async def test_a_group_stays_set_aside_in_the_next_run_also_for_another_list(path: Path) -> None:
    async with SqliteJournal(path, ManualClock()) as journal:
        await journal.accept(grouped(1, 2))
        await journal.set_aside(BATCH, "A", REPORT)
    async with SqliteJournal(path, ManualClock()) as journal:
        await journal.accept(grouped(3, 4, 1, batch_id=OTHER))

        assert await journal.keep_aside(OTHER) == 2

        assert await open_count(journal, OTHER) == 0
        assert await set_aside_count(journal, OTHER) == {"A": 3}
        record = await journal.find(task_id(3))
        assert record is not None
        assert record.report == REPORT
    check_laws(path)


async def test_a_finished_order_that_was_to_be_looked_at_again_keeps_its_outcome(path: Path) -> None:
    done = report(Reason.ALL_SAVED, "a.pdf")
    async with SqliteJournal(path, ManualClock()) as journal:
        await journal.accept(grouped(1, 2))
        [task] = await journal.fetch(BATCH, 1)
        await journal.start(task.task_id, WORKER)
        await journal.finish(task.task_id, done, "Acme/PO1")
        assert await journal.refresh({task_id(1): done.files}) == 1

        await journal.set_aside(BATCH, "A", REPORT)

        record = await journal.find(task_id(1))
        assert record is not None
        assert (record.status, record.report, record.folder) == ("DONE", done, "Acme/PO1")
        assert await set_aside_count(journal, BATCH) == {"A": 1}
    check_laws(path)


async def test_a_group_belongs_to_its_portal(path: Path) -> None:
    async with SqliteJournal(path, ManualClock()) as journal:
        await journal.accept(grouped(1))
        await journal.accept(grouped(1, batch_id=OTHER, portal="coupa"))
        await journal.set_aside(BATCH, "A", REPORT)

        assert await journal.keep_aside(OTHER) == 0
        assert await journal.groups_set_aside("demo:") == {"A": "Why."}
        assert await journal.groups_set_aside("coupa:") == {}

        await journal.resume_groups("coupa:", ["A"])
        assert await journal.groups_set_aside("demo:") == {"A": "Why."}


async def test_other_groups_are_not_kept_aside(path: Path) -> None:
    async with SqliteJournal(path, ManualClock()) as journal:
        await journal.accept(grouped(1))
        await journal.set_aside(BATCH, "A", REPORT)
        await journal.accept(grouped(2, 3, group="B"))

        assert await journal.keep_aside(BATCH) == 0
        assert await open_count(journal) == 2


async def test_only_the_groups_that_are_named_are_resumed(path: Path) -> None:
    async with SqliteJournal(path, ManualClock()) as journal:
        for batch_id, number, group in ((BATCH, 1, "A"), (OTHER, 2, "B")):
            await journal.accept(grouped(number, batch_id=batch_id, group=group))
            await journal.set_aside(batch_id, group, REPORT)

        await journal.resume_groups("demo:", ["A", "never"])

        assert await journal.groups_set_aside("demo:") == {"B": "Why."}


async def test_an_order_that_has_another_end_is_not_counted(path: Path) -> None:
    async with SqliteJournal(path, ManualClock()) as journal:
        await journal.accept(grouped(1, 2, 3))
        await journal.cancel(task_id(1))
        await journal.set_aside(BATCH, "A", REPORT)
        await journal.reopen([task_id(2)])

        assert await set_aside_count(journal, BATCH) == {"A": 1}


async def test_groups_that_are_set_aside_are_told_with_their_causes_and_orders(path: Path) -> None:
    async def shown(journal: SqliteJournal, prefix: str) -> list[tuple[str, str, int]]:
        found = await journal.query(partial(queries.find_groups_set_aside, prefix=prefix))
        assert {group.set_aside_at for group in found} <= {START}
        return [(group.name, group.cause, group.order_count) for group in found]

    async with SqliteJournal(path, ManualClock()) as journal:
        await journal.accept(grouped(1, 2, 3, group="B"))
        await journal.accept(grouped(4, batch_id=OTHER, group="A"))
        await journal.accept(grouped(5, batch_id=BatchId("third"), portal="coupa", group="B"))
        await journal.cancel(task_id(1))
        for batch_id, group in ((BATCH, "B"), (OTHER, "A")):
            await journal.set_aside(batch_id, group, REPORT)
        await journal.set_aside(BatchId("third"), "B", replace(REPORT, detail="Another."))

        assert await shown(journal, "demo:") == [("A", "Why.", 1), ("B", "Why.", 2)]
        assert await shown(journal, "coupa:") == [("B", "Another.", 1)]

        assert await journal.reopen_group(OTHER, "demo:", "B") == 2
        assert await shown(journal, "demo:") == [("A", "Why.", 1)]
        assert await shown(journal, "coupa:") == [("B", "Another.", 1)]
    check_laws(path)
