"""Groups that an earlier run set aside: a run keeps them aside and says so, or resumes those that a person names."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from poolwright.archive.output_tree import OutputTree
from poolwright.concurrency import SystemClock
from poolwright.domain.account import Account
from poolwright.domain.errors import OptionsError
from poolwright.domain.events import Event, Level, Notice
from poolwright.domain.options import BrowserOptions, PoolOptions, WorkerOptions
from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import Report
from poolwright.journal.sqlite_journal import SqliteJournal
from poolwright.service.batch import BatchJob, RedoPolicy
from poolwright.service.recovery import keep_groups_aside, reopen, resume_groups
from tests.support.tasks import BATCH, WORKER, orders, po_task, report, task_id

ASIDE = Report(reason=Reason.GROUP_SET_ASIDE, detail="Why.")
ACCOUNT = Account(portal="demo", address="https://portal.example", profile="work")


@asynccontextmanager
async def journal_of(folder: Path, groups: dict[int, str], *aside: str) -> AsyncGenerator[SqliteJournal]:
    """A journal with orders of these groups, of which some are set aside."""
    async with SqliteJournal(folder / "journal.db", SystemClock()) as journal:
        tasks = tuple(po_task(number, group=group) for number, group in groups.items())
        await journal.accept(replace(orders(*groups), tasks=tasks))
        for group in aside:
            await journal.set_aside(BATCH, group, ASIDE)
        yield journal


def job_of(folder: Path, *resumed: str, account: Account | None = ACCOUNT) -> BatchJob:
    return BatchJob(
        orders=orders(),
        pool=PoolOptions(
            worker=WorkerOptions(browser=BrowserOptions()),
            base_profile_path=folder / "base",
            runs_root=folder / "runs",
            staging_path=folder / "staging",
        ),
        out=folder / "out",
        template="{number}",
        journal_path=folder / "journal.db",
        report_stem="orders-report",
        account=account,
        resumed_groups=resumed,
    )


async def opened(journal: SqliteJournal, folder: Path, redo: RedoPolicy) -> list[str]:
    """The orders that wait after a run has looked for what it can do again."""
    await reopen(journal, OutputTree(folder / "out", clock=SystemClock()), BATCH, redo)
    return [record.task.portal_number for record in await journal.records(BATCH) if record.status == "QUEUED"]


@pytest.mark.parametrize("redo", RedoPolicy)
async def test_no_order_of_a_group_that_is_set_aside_is_opened_again(tmp_path: Path, redo: RedoPolicy) -> None:
    async with journal_of(tmp_path, {1: "A", 2: "A", 3: "B"}) as journal:
        await journal.fetch(BATCH, 1)
        await journal.start(task_id(1), WORKER)
        await journal.finish(task_id(1), report(Reason.NONE_LISTED), "")
        await journal.set_aside(BATCH, "A", ASIDE)

        assert await opened(journal, tmp_path, redo) == ["3"]


@pytest.mark.parametrize("redo", RedoPolicy)
async def test_a_group_that_is_resumed_is_opened_whatever_is_done_again(tmp_path: Path, redo: RedoPolicy) -> None:
    async with journal_of(tmp_path, {1: "A", 2: "B"}, "A", "B") as journal:
        await resume_groups(journal, job_of(tmp_path, "A"))

        assert await opened(journal, tmp_path, redo) == ["1"]


async def test_a_group_that_is_not_set_aside_is_refused_and_nothing_is_resumed(tmp_path: Path) -> None:
    async with journal_of(tmp_path, {1: "A", 2: "B"}, "B", "A") as journal:
        with pytest.raises(OptionsError) as caught:
            await resume_groups(journal, job_of(tmp_path, "A", "C"))

        assert str(caught.value) == "The group C is not set aside, so it cannot be resumed. Set aside: A, B."
        assert await journal.groups_set_aside("demo:") == {"A": "Why.", "B": "Why."}


@pytest.mark.parametrize("account", [None, replace(ACCOUNT, portal="coupa")])
async def test_groups_of_another_portal_are_not_resumed(tmp_path: Path, account: Account | None) -> None:
    async with journal_of(tmp_path, {1: "A"}, "A") as journal:
        with pytest.raises(OptionsError, match=r"resumed\. No group is set aside\."):
            await resume_groups(journal, job_of(tmp_path, "A", account=account))


async def test_a_run_that_resumes_nothing_changes_nothing(tmp_path: Path) -> None:
    async with journal_of(tmp_path, {1: "A"}, "A") as journal:
        await resume_groups(journal, job_of(tmp_path))

        assert await journal.groups_set_aside("demo:") == {"A": "Why."}


async def test_what_stays_aside_is_said(tmp_path: Path) -> None:
    async with journal_of(tmp_path, {1: "A", 2: "A", 3: "B", 4: "C"}, "A", "B") as journal:
        said: list[Event] = []

        await keep_groups_aside(journal, BATCH, said.append)

        assert said == [
            Notice(level=Level.WARNING, text="The group A is still set aside: 2 orders of it are not processed."),
            Notice(level=Level.WARNING, text="The group B is still set aside: 1 order of it is not processed."),
        ]
