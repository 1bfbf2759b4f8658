"""The clerk: when no worker is left, orders that wait get their end in large steps, until nobody waits for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import anyio
import pytest

from poolwright.archive.staging import StagingFolders
from poolwright.domain.events import Event, TaskEnded
from poolwright.domain.ids import BatchId
from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import POTask, Report
from poolwright.supervisor.policy.commands import FailQueued
from poolwright.supervisor.submissions import Submissions
from poolwright.supervisor.task_writer import CHUNK_SIZE, TaskWriter
from tests.support.manual_clock import ManualClock
from tests.support.memory_journal import MemoryJournal
from tests.support.pool_contexts import feeder_of, pool_context
from tests.support.tasks import BATCH, orders

MANY = 2 * CHUNK_SIZE + 500


class Counting(MemoryJournal):
    """Counts the steps in which tasks are ended."""

    def __init__(self, office: WriterSetup) -> None:
        super().__init__(ManualClock())
        self.steps: list[int] = []
        self._office = office

    async def finish_waiting(self, batch_id: BatchId, report: Report, limit: int) -> Sequence[POTask]:
        ended = await super().finish_waiting(batch_id, report, limit)
        self.steps.append(len(ended))
        if len(self.steps) >= self._office.steps_max:
            self._office.clerk.hurry()
        return ended


class Outcomes(Submissions):
    """Keeps which outcomes there were."""

    reasons: list[Reason]

    def on_outcome(self, task: POTask, report: Report) -> None:
        super().on_outcome(task, report)
        self.reasons.append(report.reason)


class WriterSetup:
    """A clerk, with what he works with."""

    def __init__(self) -> None:
        self.steps_max = 100
        self.journal = Counting(self)
        self.events: list[Event] = []
        context = pool_context(self.journal, observe=self.events.append)
        self.unsettled = context.inbox.unsettled
        self.dispatch = feeder_of(self.journal)
        submissions = Outcomes(context, self.dispatch)
        self.outcomes = submissions.reasons = []
        self.clerk = TaskWriter(context, self.dispatch, submissions, StagingFolders(Path()))

    async def fail_rest(self) -> None:
        with self.clerk as clerk:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(clerk.run)
                clerk.submit(FailQueued(reason=Reason.NO_WORKERS))
                await self.unsettled.wait_idle()
                tasks.cancel_scope.cancel()


@pytest.fixture
def office() -> WriterSetup:
    return WriterSetup()


async def test_what_waits_is_ended_in_large_steps_and_each_end_is_told(office: WriterSetup) -> None:
    await office.journal.accept(orders(*range(MANY)))
    office.dispatch.requeue((await office.journal.fetch(BATCH, 1))[0])

    await office.fail_rest()

    assert office.journal.steps == [CHUNK_SIZE, CHUNK_SIZE, 499, 0]
    assert (await office.journal.counts(BATCH))["DONE"] == MANY
    assert office.outcomes == [Reason.NO_WORKERS] * MANY
    ended = [event.task.task_id for event in office.events if isinstance(event, TaskEnded)]
    assert len(set(ended)) == len(ended) == MANY


async def test_who_cannot_wait_any_longer_leaves_the_rest_to_the_next_start(office: WriterSetup) -> None:
    await office.journal.accept(orders(*range(MANY)))
    office.steps_max = 1

    await office.fail_rest()

    counts = await office.journal.counts(BATCH)
    assert (counts["DONE"], counts["QUEUED"]) == (CHUNK_SIZE, MANY - CHUNK_SIZE)
    assert len(office.outcomes) == CHUNK_SIZE
