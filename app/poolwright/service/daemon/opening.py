"""The composition root of the daemon: journal, output folder and pool, opened in this order and closed in the other."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio

from poolwright.archive.output_tree import PRIVATE_NAME, OutputTree
from poolwright.domain.account import Account
from poolwright.domain.errors import unwrap_group
from poolwright.domain.events import Event, Level, Notice
from poolwright.domain.ids import TaskId
from poolwright.domain.options import PoolOptions
from poolwright.domain.ports import Clock, EventSink
from poolwright.domain.states import open_count
from poolwright.journal.sqlite_journal import SqliteJournal
from poolwright.service.daemon.checks import Checks
from poolwright.service.daemon.daemon import COMMON, Daemon
from poolwright.service.resuming import clean_staging, recover
from poolwright.supervisor.pool import PersistentWorkerPool
from poolwright.supervisor.workspace import PoolContext


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Configuration of a daemon."""

    pool: PoolOptions
    #: Output folder.
    out: Path
    #: Folder of one order below ``out``.
    template: str
    #: What a page of the portal can tell.
    known_fields: frozenset[str]
    journal_path: Path
    #: Whose orders are taken. What is in the journal of other portals, or of scripts, stays as it is.
    account: Account
    #: Module of the worker processes; tests put a scripted one here.
    module: str = "poolwright.worker"


@asynccontextmanager
async def open_daemon(house: House, clock: Clock, observe: EventSink) -> AsyncGenerator[Daemon]:
    """Run a daemon for the duration of the block.

    What an earlier one left undone is taken up again, also of a batch that was cut off. Leaving the block drains the
    pool: what is in hand is finished, the rest stays in the journal.

    Args:
        house: What it is opened with.
        clock: The time.
        observe: Sees all that happens.

    Raises:
        PoolError: A precondition is not met: journal, profile or disk space.
    """
    tree = OutputTree(house.out, house.template, clock=clock, known_fields=house.known_fields, account=house.account)
    async with SqliteJournal(house.journal_path, clock) as journal:
        await journal.belong(house.account)
        await recover(journal, tree, house.out, house.pool.max_attempts)
        await journal.gather(COMMON, house.account.prefix)
        count = open_count(await journal.counts(COMMON))

        def tell(event: Event) -> None:
            daemon.observe(event)
            observe(event)

        async def reopen(task_ids: Collection[TaskId]) -> int:
            return await daemon.pool.submissions.reopen(task_ids)

        checks = Checks(journal, tree, house.out / PRIVATE_NAME, reopen=reopen, observe=tell)
        daemon = Daemon(
            journal=journal, tree=tree, clock=clock, out=house.out, prefix=house.account.prefix, checks=checks
        )

        if count:
            tell(Notice(level=Level.INFO, text=f"resuming {count} unfinished order(s)"))
        around = PoolContext(
            journal=journal, archive=tree, clock=clock, observe=tell, batch_id=COMMON, module=house.module
        )
        try:
            async with (
                clean_staging(tree, house.pool.staging_path),
                PersistentWorkerPool(house.pool, around) as pool,
                anyio.create_task_group() as beside,
            ):
                daemon.employ(pool, house.pool.shutdown_timeout_s)
                beside.start_soon(checks.serve)
                yield daemon
                beside.cancel_scope.cancel()
        except ExceptionGroup as group:
            raise unwrap_group(group) from group
        finally:
            daemon.feed.close()
