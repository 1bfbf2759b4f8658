"""Contract: tasks move as the table says, attempts are counted as they were spent, and history is told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from poolwright.domain.ids import WorkerRef
from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.domain.ports import Journal
from poolwright.domain.state_machine import HISTORY_LENGTH, IllegalTransitionError, Transition
from poolwright.journal.errors import UnknownTaskError
from tests.support.journals import History, OpenJournal
from tests.support.manual_clock import START, ManualClock
from tests.support.tasks import BATCH, OTHER, WORKER, orders, report, task_id


async def fetch(journal: Journal, limit: int = 10) -> list[str]:
    return [task.portal_number for task in await journal.fetch(BATCH, limit)]


async def give_back(journal: Journal, number: int, *, is_spent: bool, delay_s: float = 0.0) -> None:
    await journal.requeue(task_id(number), Reason.TAB_CRASHED, detail="", delay_s=delay_s, is_attempt_spent=is_spent)


async def run(journal: Journal, number: int) -> None:
    """Bring the first task of the list to RUNNING."""
    assert await fetch(journal, 1) == [str(number)]
    await journal.start(task_id(number), WORKER)


async def test_tasks_are_claimed_in_the_order_of_the_list_and_once(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(7, 3, 5, 1))

        assert await fetch(journal, 3) == ["7", "3", "5"]
        assert await fetch(journal, 3) == ["1"]
        assert await fetch(journal, 3) == []


@pytest.mark.parametrize("limit", [0, -1])
async def test_no_room_claims_nothing(open_journal: OpenJournal, limit: int) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(1))

        assert await fetch(journal, limit) == []
        assert await fetch(journal, 1) == ["1"]


async def test_a_list_claims_its_own_tasks_and_a_shared_task_only_once(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(1, 2))
        await journal.accept(orders(2, 3, batch_id=OTHER))

        first = await journal.fetch(OTHER, 10)

        assert [task.portal_number for task in first] == ["2", "3"]
        assert await fetch(journal) == ["1"]


async def test_what_is_claimed_tells_all_that_a_worker_needs(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(1))

        (task,) = await journal.fetch(BATCH, 1)

        assert (task.task_id, task.po_number, task.portal_number) == (task_id(1), "PO1", "1")
        assert (task.attempt, task.death_count) == (1, 0)


async def test_a_started_attempt_is_counted_at_once(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(1))
        await journal.fetch(BATCH, 1)

        task = await journal.start(task_id(1), WORKER)

        (record,) = await journal.records(BATCH)
        assert (task.attempt, record.attempt_count, record.status) == (1, 1, "RUNNING")


async def test_a_spent_attempt_makes_the_next_one_the_second(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(1))
        await run(journal, 1)

        await give_back(journal, 1, is_spent=True)

        (task,) = await journal.fetch(BATCH, 1)
        assert task.attempt == 2
        assert (await journal.start(task_id(1), WORKER)).attempt == 2


async def test_an_attempt_handed_back_unspent_does_not_count(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(1))
        await run(journal, 1)

        await give_back(journal, 1, is_spent=False)

        assert (await journal.records(BATCH))[0].attempt_count == 0
        assert (await journal.fetch(BATCH, 1))[0].attempt == 1


@pytest.mark.parametrize("is_spent", [True, False])
async def test_an_attempt_that_never_began_counts_neither_way(open_journal: OpenJournal, is_spent: bool) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(1))
        await run(journal, 1)
        await give_back(journal, 1, is_spent=True)
        await journal.fetch(BATCH, 1)

        await give_back(journal, 1, is_spent=is_spent)

        assert (await journal.records(BATCH))[0].attempt_count == 1


async def test_what_is_given_back_has_its_old_place(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(1, 2, 3))
        await fetch(journal, 2)

        await give_back(journal, 2, is_spent=False)
        await give_back(journal, 1, is_spent=False)

        assert await fetch(journal) == ["1", "2", "3"]


async def test_a_delayed_task_waits_to_the_very_moment_and_lets_others_pass(
    open_journal: OpenJournal, clock: ManualClock
) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(1, 2))
        await fetch(journal, 1)
        await give_back(journal, 1, is_spent=False, delay_s=0.5)

        assert await fetch(journal) == ["2"]
        clock.advance(0.499)
        assert await fetch(journal) == []
        clock.advance(0.001)
        assert await fetch(journal) == ["1"]


async def test_the_wait_is_that_of_the_earliest_queued_task(open_journal: OpenJournal, clock: ManualClock) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(1, 2, 3))
        assert await journal.next_due_s(BATCH) == 0
        await fetch(journal)
        assert await journal.next_due_s(BATCH) is None
        await give_back(journal, 1, is_spent=False, delay_s=60)
        await give_back(journal, 2, is_spent=False, delay_s=20)

        clock.advance(5)

        assert await journal.next_due_s(BATCH) == pytest.approx(15)
        clock.advance(15)
        assert await journal.next_due_s(BATCH) == 0
        clock.advance(500)
        assert await journal.next_due_s(BATCH) == 0


async def test_one_due_task_makes_the_wait_nothing(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(1, 2))
        await fetch(journal, 1)
        await give_back(journal, 1, is_spent=False, delay_s=60)

        assert await journal.next_due_s(BATCH) == 0


async def test_deaths_add_up_and_outlive_a_return(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(1))
        await run(journal, 1)

        assert await journal.count_death(task_id(1)) == 1
        await give_back(journal, 1, is_spent=True)
        assert await journal.count_death(task_id(1)) == 2

        assert (await journal.fetch(BATCH, 1))[0].death_count == 2


async def test_a_dead_runs_tasks_of_all_lists_are_queued_again(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(1, 2, 3))
        await journal.accept(orders(4, batch_id=OTHER))
        await journal.fetch(OTHER, 1)
        await fetch(journal, 2)
        await journal.start(task_id(2), WORKER)

        recovered_count = await journal.recover(3)

        assert recovered_count == 3
        assert [task.attempt for task in await journal.fetch(BATCH, 10)] == [1, 2, 1]
        assert len(await journal.fetch(OTHER, 10)) == 1


async def test_a_dead_run_at_the_last_attempt_gives_no_further_one(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(1))
        for _ in range(2):
            await fetch(journal, 1)
            await journal.start(task_id(1), WORKER)
            await journal.recover(2)

        (record,) = await journal.records(BATCH)
        await journal.reopen([task_id(1)])
        (again,) = await journal.fetch(BATCH, 1)

    assert (record.status, record.attempt_count) == ("DONE", 2)
    assert record.report is not None
    assert record.report.reason is Reason.WORKER_LOST
    assert again.attempt == 1


async def test_recovering_leaves_the_rest_alone(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(1, 2))
        await journal.finish(task_id(2), report(), "")
        await fetch(journal, 1)
        await give_back(journal, 1, is_spent=False, delay_s=60)

        assert await journal.recover(3) == 0
        assert await journal.next_due_s(BATCH) == 60
        assert [record.status for record in await journal.records(BATCH)] == ["QUEUED", "DONE"]


@pytest.mark.parametrize("steps", [0, 1, 2])
async def test_a_task_may_end_from_anywhere_before_its_end(open_journal: OpenJournal, steps: int) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(1))
        if steps > 0:
            await journal.fetch(BATCH, 1)
        if steps > 1:
            await journal.start(task_id(1), WORKER)

        await journal.finish(task_id(1), report(Reason.NO_WORKERS), "")

        (record,) = await journal.records(BATCH)
        assert (record.status, record.attempt_count, record.task.attempt) == ("DONE", steps // 2, 1)


async def test_every_move_is_told_with_its_cause(
    open_journal: OpenJournal, history: History, clock: ManualClock
) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(1))
        await journal.fetch(BATCH, 1)
        await journal.start(task_id(1), WorkerRef(2, 3))
        await journal.requeue(
            task_id(1), ReturnReason.SESSION_LOST, detail="logged out", delay_s=0, is_attempt_spent=False
        )
        await journal.fetch(BATCH, 1)
        await journal.recover(3)
        clock.advance(60)
        await journal.finish(task_id(1), report(Reason.NO_WORKERS), "")

        told = history(journal)

        assert [(move.origin, move.event, move.target, move.cause) for move in told] == [
            ("QUEUED", "ASSIGN", "ASSIGNED", ""),
            ("ASSIGNED", "START", "RUNNING", "worker-2#3"),
            ("RUNNING", "GIVE_BACK", "QUEUED", "session_lost: logged out"),
            ("QUEUED", "ASSIGN", "ASSIGNED", ""),
            ("ASSIGNED", "GIVE_BACK", "QUEUED", "its run crashed"),
            ("QUEUED", "FINISH", "DONE", "no_workers"),
        ]
        assert {(move.machine, move.entity) for move in told} == {("task", "demo:1")}
        assert [told[0].at, told[-1].at] == [START, START + timedelta(seconds=60)]


async def test_moves_of_other_machines_are_kept_in_their_order(open_journal: OpenJournal, history: History) -> None:
    moves = [
        Transition(machine="worker", entity="worker-1", origin="STARTING", event=event, target="X", at=START, cause="?")
        for event in ("B", "A", "C")
    ]
    async with open_journal() as journal:
        await journal.record(moves)
        await journal.record([])

        assert history(journal) == moves


async def test_an_illegal_move_is_refused_with_the_story_and_changes_nothing(
    open_journal: OpenJournal, history: History
) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(1))
        await run(journal, 1)
        before = (await journal.records(BATCH), history(journal))

        with pytest.raises(IllegalTransitionError) as refusal:
            await journal.start(task_id(1), WORKER)

        assert (refusal.value.machine, refusal.value.entity) == ("task", "demo:1")
        assert (refusal.value.state, refusal.value.event) == ("RUNNING", "START")
        assert [move.event for move in refusal.value.history] == ["ASSIGN", "START"]
        assert (await journal.records(BATCH), history(journal)) == before


async def test_what_is_done_is_not_done_again(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(1))
        await journal.finish(task_id(1), report(Reason.ALL_SAVED, "a.pdf"), "here")

        with pytest.raises(IllegalTransitionError):
            await journal.finish(task_id(1), report(Reason.PORTAL_BUSY), "there")
        with pytest.raises(IllegalTransitionError):
            await give_back(journal, 1, is_spent=True)

        (record,) = await journal.records(BATCH)
        assert (record.report, record.folder) == (report(Reason.ALL_SAVED, "a.pdf"), "here")


async def test_the_story_is_that_of_the_latest_moves_of_that_task(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(1, 2))
        for _ in range(HISTORY_LENGTH):
            await fetch(journal, 1)
            await give_back(journal, 1, is_spent=False)
        await fetch(journal, 2)
        await journal.start(task_id(1), WORKER)

        with pytest.raises(IllegalTransitionError) as refusal:
            await journal.start(task_id(1), WORKER)

        events = [move.event for move in refusal.value.history]
        assert events == ["ASSIGN", "GIVE_BACK"] * 4 + ["ASSIGN", "START"]
        assert {move.entity for move in refusal.value.history} == {"demo:1"}


async def test_an_unknown_task_is_refused_by_name(open_journal: OpenJournal) -> None:
    async with open_journal() as journal:
        await journal.accept(orders(1))

        with pytest.raises(UnknownTaskError, match="demo:404"):
            await journal.start(task_id(404), WORKER)
        with pytest.raises(UnknownTaskError, match="demo:404"):
            await journal.finish(task_id(404), report(), "")
        with pytest.raises(UnknownTaskError, match="demo:404"):
            await give_back(journal, 404, is_spent=True)
        with pytest.raises(UnknownTaskError, match="demo:404"):
            await journal.count_death(task_id(404))
        with pytest.raises(UnknownTaskError, match="demo:404"):
            await journal.cancel(task_id(404))
