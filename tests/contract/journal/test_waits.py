"""Tasks that wait: in time that passes, not in what a clock on the wall shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.domain.outcomes import Reason
from poolwright.domain.ports import Journal
from poolwright.journal.sqlite_journal import SqliteJournal
from poolwright.journal.task_rules import WAIT_MAX_S
from tests.support.journals import OpenJournal
from tests.support.manual_clock import ManualClock
from tests.support.tasks import BATCH, WORKER, orders, task_id

HOURS_S = 3600.0


async def wait_each(journal: Journal, *delays_s: float) -> None:
    """Orders 0, 1 and so on wait for another try."""
    numbers = range(len(delays_s))
    await journal.accept(orders(*numbers))
    await journal.fetch(BATCH, len(delays_s))
    for number, delay_s in zip(numbers, delays_s, strict=True):
        await journal.start(task_id(number), WORKER)
        await journal.requeue(task_id(number), Reason.PORTAL_ERROR, detail="", delay_s=delay_s, is_attempt_spent=True)


@pytest.mark.parametrize("jump_s", [-2 * HOURS_S, -1.0, 2 * HOURS_S, 1.0])
async def test_a_clock_that_is_set_changes_no_wait_of_this_run(
    open_journal: OpenJournal, clock: ManualClock, jump_s: float
) -> None:
    async with open_journal() as journal:
        await wait_each(journal, 2.0, 5.0)

        clock.jump(jump_s)

        assert await journal.fetch(BATCH, 5) == ()
        assert await journal.next_due_s(BATCH) == pytest.approx(2.0)
        clock.advance(2.0)
        assert [task.task_id for task in await journal.fetch(BATCH, 5)] == [task_id(0)]
        assert await journal.next_due_s(BATCH) == pytest.approx(3.0)


@pytest.mark.parametrize("jump_s", [-2 * HOURS_S, 2 * HOURS_S])
async def test_a_wait_that_begins_after_the_clock_was_set_is_as_long_as_any(
    open_journal: OpenJournal, clock: ManualClock, jump_s: float
) -> None:
    async with open_journal() as journal:
        clock.jump(jump_s)
        await wait_each(journal, 2.0)
        clock.jump(-jump_s)

        assert await journal.next_due_s(BATCH) == pytest.approx(2.0)


async def test_after_a_restart_nothing_waits_longer_than_a_wait_can_be(path: Path, clock: ManualClock) -> None:
    async with SqliteJournal(path, clock) as journal:
        await wait_each(journal, 2.0, WAIT_MAX_S)

    clock.jump(-48 * HOURS_S)

    async with SqliteJournal(path, clock) as journal:
        await journal.recover(3)
        assert await journal.next_due_s(BATCH) == pytest.approx(WAIT_MAX_S)
        clock.advance(WAIT_MAX_S)
        assert len(await journal.fetch(BATCH, 5)) == 2


async def test_after_a_restart_waits_go_on_as_they_were_told(path: Path, clock: ManualClock) -> None:
    async with SqliteJournal(path, clock) as journal:
        await wait_each(journal, 100.0)
    clock.advance(60.0)

    async with SqliteJournal(path, clock) as journal:
        await journal.recover(3)
        assert await journal.next_due_s(BATCH) == pytest.approx(40.0)
