"""Starts and stops a daemon: journal, output tree, pool, then scheduler, inbox and maintenance."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import anyio

from poolwright.archive.output_tree import PRIVATE_NAME, OutputTree
from poolwright.domain.account import Account
from poolwright.domain.errors import unwrap_group
from poolwright.domain.events import Event, Level, Notice
from poolwright.domain.ids import BatchId, TaskId
from poolwright.domain.options import PoolOptions
from poolwright.domain.order_groups import quoted_group
from poolwright.domain.ports import Clock, EventSink
from poolwright.domain.states import open_count
from poolwright.domain.tasks import FetchedFile
from poolwright.intake.orders import ReadOptions
from poolwright.journal.queries import OrderQuery
from poolwright.journal.sqlite_journal import SqliteJournal
from poolwright.service.daemon.column_rules import ColumnRules
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
    #: Fields that the portal pack reads from a page.
    known_fields: frozenset[str]
    #: Column of the lists whose value is the group of an order; empty for none.
    group_by: str = ""
    journal_path: Path
    #: Account of the orders. Orders of other accounts in the journal are left alone.
    account: Account
    #: Module of the worker processes; tests set a scripted one.
    module: str = "poolwright.worker"


@asynccontextmanager
async def open_daemon(config: DaemonConfig, clock: Clock, observe: EventSink) -> AsyncGenerator[Daemon]:
    """Run a daemon for the duration of the block.

    Unfinished orders of an earlier daemon or batch are queued again. Leaving the block drains the pool: orders in
    progress are finished, the others stay in the journal.

    Args:
        config: Pool, output folder, journal and account.
        clock: The time.
        observe: Receives every event.

    Raises:
        PoolError: A precondition is not met: journal, profile or disk space.
    """
    rules = ColumnRules(template=config.template, page_fields=config.known_fields, group_by=config.group_by)
    tree = _output_tree(config, rules, clock)
    async with SqliteJournal(config.journal_path, clock) as journal:
        groups_set_aside = await _continue_earlier_work(journal, tree, config, observe)
        count = open_count(await journal.counts(COMMON_BATCH_ID))
        daemon, publish = _create_daemon(config, journal, tree, rules, clock, observe)
        for notice in _start_notices(count, groups_set_aside):
            publish(notice)
        ports = PoolPorts(
            journal=journal,
            archive=tree,
            clock=clock,
            observe=publish,
            batch_id=COMMON_BATCH_ID,
            prefix=config.account.prefix,
            groups_set_aside=groups_set_aside,
            module=config.module,
        )
        try:
            async with (
                clean_staging(tree, config.pool.staging_path),
                PersistentWorkerPool(config.pool, ports) as pool,
                anyio.create_task_group() as background,
            ):
                daemon.attach_pool(pool, config.pool.shutdown_timeout_s)
                background.start_soon(daemon.file_checks.run)
                yield daemon
                background.cancel_scope.cancel()
        except ExceptionGroup as group:
            raise unwrap_group(group) from group
        finally:
            daemon.events.close()


def _output_tree(config: DaemonConfig, rules: ColumnRules, clock: Clock) -> OutputTree:
    columns = rules.folder_columns
    return OutputTree(
        config.out,
        config.template,
        clock=clock,
        known_fields=config.known_fields.union(columns),
        account=config.account,
        columns=columns,
    )


def _create_daemon(
    config: DaemonConfig, journal: SqliteJournal, tree: OutputTree, rules: ColumnRules, clock: Clock, observe: EventSink
) -> tuple[Daemon, EventSink]:
    """Return a daemon without a pool, and a function that publishes events to it and to the observer."""

    def publish(event: Event) -> None:
        daemon.observe(event)
        observe(event)

    async def reopen(task_ids: Collection[TaskId]) -> int:
        return await daemon.pool.submissions.reopen(task_ids)

    async def refresh(known: Mapping[TaskId, Sequence[FetchedFile]]) -> int:
        return await daemon.pool.submissions.open_more(len(known), partial(journal.refresh, known))

    file_checks = FileChecks(journal, tree, config.out / PRIVATE_NAME, reopen=reopen, refresh=refresh, observe=publish)
    prefix = config.account.prefix
    daemon = Daemon(
        journal=journal, tree=tree, clock=clock, out=config.out, prefix=prefix, checks=file_checks, rules=rules
    )
    return daemon, publish


async def _continue_earlier_work(
    journal: SqliteJournal, tree: OutputTree, config: DaemonConfig, observe: EventSink
) -> Mapping[str, str]:
    """Queue unfinished orders of an earlier daemon or batch; return the groups set aside, with the cause of each."""
    await journal.claim_account(config.account)
    await recover(journal, tree, config.out, config.pool.max_attempts, observe)
    await journal.collect_open(COMMON_BATCH_ID, config.account.prefix)
    await journal.keep_aside(COMMON_BATCH_ID)
    return await journal.groups_set_aside(config.account.prefix)


def _start_notices(open_count: int, groups_set_aside: Iterable[str]) -> Iterator[Notice]:
    if open_count:
        yield Notice(level=Level.INFO, text=f"resuming {open_count} unfinished order(s)")
    for name in groups_set_aside:
        text = f"The group {name} is set aside; `poolwright resume-group {quoted_group(name)}` resumes it."
        yield Notice(level=Level.WARNING, text=text)


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
        daemon: Processes the lists of schedules and inbox.
        settings: Schedules, inbox and retention.
        reading: Portal and rules for reading order numbers.
        clock: The time.
        observe: Receives their notices.

    Raises:
        OptionsError: The folder of a schedule or of the inbox is not allowed.
    """
    scheduler = create_scheduler(settings, queue=_queue_client(daemon), reading=reading, clock=clock, observe=observe)
    inbox = create_inbox_watcher(settings, submit=daemon.submit, reading=reading, clock=clock, observe=observe)
    notifier = SystemdNotifier(SystemdEnvironment(), clock)
    services = DaemonServices(
        scheduler=scheduler, notifier=notifier, settings=settings, _daemon=daemon, _observe=observe
    )

    def publish_notice(level: Level, text: str) -> None:
        observe(Notice(level=level, text=text))

    maintenance = daemon.maintenance(lambda: services.settings.retention_days, publish_notice)
    try:
        async with scheduler, anyio.create_task_group() as background:
            background.start_soon(scheduler.run)
            if inbox is not None:
                background.start_soon(inbox.run, settings.inbox_interval_s)
            background.start_soon(maintenance.run, daemon.is_idle)
            background.start_soon(notifier.run_watchdog, daemon.is_alive)
            notifier.ready(f"{len(daemon.pool.workers)} workers")
            yield services
            notifier.stopping()
            background.cancel_scope.cancel()
    except ExceptionGroup as group:
        raise unwrap_group(group) from group


def _queue_client(daemon: Daemon) -> QueueClient:
    async def open_count_of(list_id: BatchId) -> int:
        if daemon.file_checks.get(list_id) is not None:  # the file check may queue more of its orders
            return 1
        return open_count((await daemon.list_view(list_id)).counts)

    async def cancel_waiting(list_id: BatchId) -> int:
        return await daemon.cancel(OrderQuery(list_id=list_id))

    return QueueClient(submit=daemon.submit, open_count=open_count_of, cancel_waiting=cancel_waiting)
