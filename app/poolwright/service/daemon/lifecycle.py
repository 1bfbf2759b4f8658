"""Starts and stops a daemon: journal, output tree, pool, then scheduler, inbox and maintenance."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio

from poolwright.archive.output_tree import PRIVATE_NAME, OutputTree
from poolwright.domain.account import Account
from poolwright.domain.errors import unwrap_group
from poolwright.domain.events import Event, Level, Notice
from poolwright.domain.ids import BatchId, TaskId
from poolwright.domain.options import PoolOptions
from poolwright.domain.ports import Clock, EventSink
from poolwright.domain.states import TaskStatus, open_count
from poolwright.intake.orders import ReadOptions
from poolwright.journal.queries import OrderQuery
from poolwright.journal.sqlite_journal import SqliteJournal
from poolwright.service.daemon.daemon import COMMON_BATCH_ID, Daemon
from poolwright.service.daemon.file_checks import FileChecks
from poolwright.service.daemon.settings_reload import ReloadResult
from poolwright.service.daemon.systemd import SystemdNotifier
from poolwright.service.inbox.watcher import create_inbox_watcher
from poolwright.service.pool_config import pool_limits
from poolwright.service.recovery import clean_staging, recover
from poolwright.service.schedules.runs import QueueClient
from poolwright.service.schedules.schedule_definition import schedules_from_settings
from poolwright.service.schedules.scheduler import Scheduler, create_scheduler
from poolwright.settings import Settings, SystemdEnvironment
from poolwright.supervisor.pool import PersistentWorkerPool
from poolwright.supervisor.pool_context import PoolPorts


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonConfig:
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
async def open_daemon(house: DaemonConfig, clock: Clock, observe: EventSink) -> AsyncGenerator[Daemon]:
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
        await journal.claim_account(house.account)
        await recover(journal, tree, house.out, house.pool.max_attempts)
        await journal.collect_open(COMMON_BATCH_ID, house.account.prefix)
        count = open_count(await journal.counts(COMMON_BATCH_ID))

        def tell(event: Event) -> None:
            daemon.observe(event)
            observe(event)

        async def reopen(task_ids: Collection[TaskId]) -> int:
            return await daemon.pool.submissions.reopen(task_ids)

        checks = FileChecks(journal, tree, house.out / PRIVATE_NAME, reopen=reopen, observe=tell)
        daemon = Daemon(
            journal=journal, tree=tree, clock=clock, out=house.out, prefix=house.account.prefix, checks=checks
        )

        if count:
            tell(Notice(level=Level.INFO, text=f"resuming {count} unfinished order(s)"))
        ports = PoolPorts(
            journal=journal, archive=tree, clock=clock, observe=tell, batch_id=COMMON_BATCH_ID, module=house.module
        )
        try:
            async with (
                clean_staging(tree, house.pool.staging_path),
                PersistentWorkerPool(house.pool, ports) as pool,
                anyio.create_task_group() as beside,
            ):
                daemon.attach_pool(pool, house.pool.shutdown_timeout_s)
                beside.start_soon(checks.run)
                yield daemon
                beside.cancel_scope.cancel()
        except ExceptionGroup as group:
            raise unwrap_group(group) from group
        finally:
            daemon.events.close()


@dataclass(slots=True, kw_only=True)
class DaemonServices:
    """The services that run beside the pool of a daemon."""

    scheduler: Scheduler
    notifier: SystemdNotifier
    settings: Settings
    _daemon: Daemon
    _observe: EventSink = field(repr=False)

    async def reload(self, reloaded: ReloadResult) -> None:
        """Apply the changes that take effect at once, and report all changes."""
        self.notifier.reloading()
        self.settings = reloaded.settings
        self._daemon.pool.set_limits(pool_limits(self.settings))
        self._daemon.set_shutdown_timeout(self.settings.shutdown_timeout_s)
        await self.scheduler.replace(schedules_from_settings(self.settings))
        for text in reloaded.sentences:
            self._observe(Notice(level=Level.INFO, text=text))
        self.notifier.ready()


@asynccontextmanager
async def running_services(
    daemon: Daemon, settings: Settings, reading: ReadOptions, clock: Clock, observe: EventSink
) -> AsyncGenerator[DaemonServices]:
    """Run the services beside a daemon for the duration of the block.

    Args:
        daemon: Takes their lists.
        settings: What they are told.
        reading: How the numbers of lists are read.
        clock: The time.
        observe: Is told what they do.

    Raises:
        OptionsError: The folder of a schedule or of the inbox is not allowed.
    """
    timetable = create_scheduler(settings, desk=_queue_client(daemon), reading=reading, clock=clock, observe=observe)
    inbox = create_inbox_watcher(settings, submit=daemon.submit, reading=reading, clock=clock, observe=observe)
    notifier = SystemdNotifier(SystemdEnvironment(), clock)
    companions = DaemonServices(
        scheduler=timetable, notifier=notifier, settings=settings, _daemon=daemon, _observe=observe
    )

    def note(level: Level, text: str) -> None:
        observe(Notice(level=level, text=text))

    upkeep = daemon.maintenance(lambda: companions.settings.retention_days, note)
    try:
        async with timetable, anyio.create_task_group() as beside:
            beside.start_soon(timetable.run)
            if inbox is not None:
                beside.start_soon(inbox.run, settings.inbox_interval_s)
            beside.start_soon(upkeep.run, daemon.is_idle)
            beside.start_soon(notifier.run_watchdog, daemon.is_alive)
            notifier.ready(f"{len(daemon.pool.workers)} workers")
            yield companions
            notifier.stopping()
            beside.cancel_scope.cancel()
    except ExceptionGroup as group:
        raise unwrap_group(group) from group


def _queue_client(daemon: Daemon) -> QueueClient:
    async def open_count(list_id: BatchId) -> int:
        if daemon.file_checks.get(list_id) is not None:  # which of its orders are done again is not known yet
            return 1
        counts = (await daemon.list_view(list_id)).counts
        return sum(counts[status.name] for status in (TaskStatus.QUEUED, TaskStatus.ASSIGNED, TaskStatus.RUNNING))

    async def cancel_waiting(list_id: BatchId) -> int:
        return await daemon.cancel(OrderQuery(list_id=list_id))

    return QueueClient(submit=daemon.submit, open_count=open_count, cancel_waiting=cancel_waiting)
