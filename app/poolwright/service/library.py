"""The Python API: run a worker pool in your own program, with your own processor and callbacks.

Journal and log are in the private folder of the output folder. A script that was interrupted can be started again:
finished tasks that it submits again are not run twice.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Unpack

import anyio
import anyio.to_thread

from poolwright.archive.output_tree import PRIVATE_NAME, OutputTree
from poolwright.concurrency import SystemClock
from poolwright.domain.account import Account
from poolwright.domain.errors import OptionsError, PoolError, unwrap_group
from poolwright.domain.events import Event, Level, Moved, Notice, TaskEnded, WorkerSeen
from poolwright.domain.ids import BatchId, TaskId, WorkerRef
from poolwright.domain.outcomes import Reason
from poolwright.domain.ports import EventSink
from poolwright.domain.states import WORKER, TaskStatus, WorkerStatus
from poolwright.domain.tasks import JsonValue, POTask, Report, TaskRecord
from poolwright.files.disk import remove_tree
from poolwright.journal.sqlite_journal import SqliteJournal
from poolwright.profile.backups import seal_base
from poolwright.profile.repository import ProfileRepository
from poolwright.profile.seal import seal_path
from poolwright.sdk import GiveUpError, Processor, RetryLaterError, SessionLostError, Tab
from poolwright.sdk.discovery import PO_ATTACHMENTS, locate_processor
from poolwright.service.batch import RedoPolicy
from poolwright.service.batch_run import make_base_profile
from poolwright.service.capacity import WorkerCountChoice, resolve_worker_count
from poolwright.service.keyring import fill_from_keyring
from poolwright.service.log_setup import LogOptions, configure_pool_logging
from poolwright.service.output_folder import JOURNAL_NAME, open_output_folder
from poolwright.service.pool_config import WorkerConfig, pool_options, resolve_worker_config, secret_texts
from poolwright.service.portals.portal_config import (
    OrderFolder,
    PortalConfig,
    find_profile,
    portal_account,
    resolve_order_folder,
    resolve_portal_config,
)
from poolwright.service.recovery import clean_staging, recover, reopen
from poolwright.settings import PoolSettings, Settings, load_settings, refuse_foreign_settings
from poolwright.supervisor.pool import PersistentWorkerPool
from poolwright.supervisor.pool_context import PoolPorts


@dataclass(frozen=True, slots=True, kw_only=True)
class Callbacks:
    """Functions that the pool calls from its event loop. Each must return at once.

    An error of one is logged once and stops no task; it is raised when the pool is left.

    Raises:
        OptionsError: One is an async function: it is called and not awaited, so nothing of it would run.
    """

    #: A worker crashed: its id and the cause. Its tasks return to the queue.
    crash: Callable[[str, str], None] | None = None
    #: Memory used by a worker's processes in bytes, every few seconds.
    memory: Callable[[WorkerRef, int], None] | None = None
    #: A task finished: its outcome is known and its files are filed.
    completion: Callable[[POTask, Report], None] | None = None

    def __post_init__(self) -> None:
        """Check the functions."""
        for name in ("crash", "memory", "completion"):
            if inspect.iscoroutinefunction(getattr(self, name)):
                raise OptionsError(
                    f"The function {name} that watches the pool is an async function, which would never run: give a "
                    "plain function. It can pass what it is told to your own code, such as by a queue."
                )

    def __call__(self, event: Event) -> None:
        """See ``EventSink``."""
        match event:
            case Moved(transition=move) if move.machine == WORKER.name and move.target == WorkerStatus.CRASHED.name:
                if self.crash is not None:
                    self.crash(move.entity, move.cause)
            case WorkerSeen():
                if self.memory is not None:
                    self.memory(event.worker, event.memory_bytes)
            case TaskEnded():
                if self.completion is not None:
                    self.completion(event.task, event.report)
            case _:
                pass


class WatchError(PoolError):
    """A function that the pool calls with its events raised an error; the pool went on without it.

    The first error is its cause.
    """


class WatchGuard:
    """Calls the functions of the pool's user; an error of theirs never reaches the pool."""

    def __init__(self, watch: EventSink, note: EventSink) -> None:
        """Guard ``watch``.

        Args:
            watch: The function of the user. It gets every event, also after an error.
            note: Gets one notice about its first error.
        """
        self._watch = watch
        self._note = note
        self._first: BaseException | None = None
        self._count = 0

    def __call__(self, event: Event) -> None:
        """See ``EventSink``."""
        try:
            self._watch(event)
        # The border to the user's code. The function is not awaited, so nobody can have cancelled it: such an error is
        # that of something of its own, and must not end the pool.
        except (Exception, asyncio.CancelledError) as error:  # noqa: ASYNC103, BLE001
            self._count += 1
            if self._first is None:
                self._first = error
                self._note(Notice(level=Level.ERROR, text=f"{self._sentence(error)} The pool goes on."))

    def raise_first(self) -> None:
        """Raise if the function has raised an error.

        Raises:
            WatchError: It has. The message tells how often.
        """
        if self._first is not None:
            times = f" It raised {self._count:,} errors." if self._count > 1 else ""
            raise WatchError(f"{self._sentence(self._first)}{times} The pool finished its work.") from self._first

    def _sentence(self, error: BaseException) -> str:
        return f"A function that watches the pool raised {type(error).__name__}: {error}".rstrip(": .") + "."


__all__ = [
    "Callbacks",
    "GiveUpError",
    "JsonValue",
    "POTask",
    "PersistentWorkerPool",
    "PoolSettings",
    "Processor",
    "Reason",
    "Report",
    "RetryLaterError",
    "SessionLostError",
    "Tab",
    "WatchError",
    "new_task",
    "open_pool",
]

#: Batch id of the tasks that scripts submit.
LIBRARY_BATCH_ID = BatchId("library")
#: Start of the ids of tasks of scripts.
_OWN_PREFIX = "own:"
#: Default folder template of tasks without a portal.
DEFAULT_FOLDER_TEMPLATE = "{number}"
#: The base profile of pools without a portal, in the private folder.
BASE_FOLDER_NAME = "base"
#: Limit for removing an incomplete base profile; the next start removes the rest.
CLEANUP_LIMIT_S = 30.0


def new_task(
    name: str,
    payload: JsonValue = None,
    *,
    timeout_s: float | None = None,
    group: str = "",
    cells: Mapping[str, str] | None = None,
) -> POTask:
    """Create a task for a custom processor.

    Args:
        name: Identifies the task in the journal and names its folder; unique within one output folder.
        payload: Input of the processor: any JSON value. A known name with a different payload is refused.
        timeout_s: Time limit in seconds; overrides the setting.
        group: Set aside when ``group_limit`` of its tasks in a row are refused, until ``pool.resume_group``.
        cells: Values for further fields of ``folder_template``, by name.

    Raises:
        TaskError: The payload is not JSON or too large, or the time limit is invalid.
    """
    return POTask(
        task_id=TaskId(f"{_OWN_PREFIX}{name}"),
        po_number=name,
        portal_number=name,
        payload=payload,
        timeout_s=timeout_s,
        group=group,
        cells=dict(cells or {}),
    )


def _ignore_event(_: Event) -> None:
    """Ignore an event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _PoolSetup:
    """Everything that is resolved before the pool starts."""

    settings: Settings
    workers: WorkerConfig
    worker_count: WorkerCountChoice
    tree: OutputTree
    base: Path
    log: LogOptions
    waits_for_login: bool
    #: Account of the orders; ``None`` for a custom processor, whose tasks are distinguished by their payloads.
    account: Account | None
    #: What the user should know about the portal pack.
    portal_warnings: tuple[str, ...]
    portal_notices: tuple[str, ...]

    @property
    def private(self) -> Path:
        return self.settings.out / PRIVATE_NAME

    @property
    def prefix(self) -> str:
        return _OWN_PREFIX if self.account is None else self.account.prefix


@asynccontextmanager
async def open_pool(
    processor: Processor | str = "po_attachments",
    *,
    watch: EventSink = _ignore_event,
    waits_for_login: bool = False,
    **settings: Unpack[PoolSettings],
) -> AsyncGenerator[PersistentWorkerPool]:
    """Run a pool for the duration of the block; no process or temporary file of it remains afterwards.

    Unfinished tasks of an earlier run are queued again, and so are failed ones that may succeed on retry, but not
    cancelled ones. Leaving the block drains the pool: tasks in progress are finished, the rest stays in the journal.
    Cancellation by the caller does the same.

    Args:
        processor: The async function ``(tab, task) -> Report`` for each task, from a module or the running script;
            or its name as ``module:function``, the name of a processor of an installed package, or
            ``po_attachments``, which needs a portal.
        watch: Called with every event; ``Callbacks`` builds one from crash, memory and completion functions.
        waits_for_login: If true, the pool pauses until ``resume`` when no worker can log in; otherwise it ends.
        settings: Any setting of docs/settings.md that concerns a pool, by its name: ``out="pages", workers=4,
            headless=False``. Others come from environment and ``.env``. Without a portal, the pool creates a profile
            of its own.

    Raises:
        OptionsError: A setting is invalid or without effect here, or workers cannot import the processor.
        SetupError: No browser is found, or disk space or memory is too small for this many workers.
        ProfileError: The profile is missing, in use or damaged.
        JournalError: The journal cannot be opened: another pool writes to it, or it is damaged.
        WatchError: ``watch`` raised an error. The pool finished its work all the same.
    """
    clock = SystemClock()
    setup = await anyio.to_thread.run_sync(_prepare_setup, settings, processor, clock, abandon_on_cancel=True)
    setup = replace(setup, waits_for_login=waits_for_login)
    with configure_pool_logging(setup.log) as note:
        if not setup.workers.sandbox.is_notable:
            note(Notice(level=Level.INFO, text=setup.workers.sandbox.sentence))
        guard = WatchGuard(watch, note)
        async with _running_pool(setup, clock, _observe_both(note, guard)) as pool:
            yield pool
        guard.raise_first()


@asynccontextmanager
async def _running_pool(
    setup: _PoolSetup, clock: SystemClock, observe: EventSink
) -> AsyncGenerator[PersistentWorkerPool]:
    if setup.workers.sandbox.is_notable:
        observe(Notice(level=Level.WARNING, text=setup.workers.sandbox.sentence))
    for text in setup.portal_warnings:
        observe(Notice(level=Level.WARNING, text=text))
    for text in setup.portal_notices:
        observe(Notice(level=Level.INFO, text=text))
    for notice in setup.worker_count.notices:
        observe(notice)
    async with SqliteJournal(setup.private / JOURNAL_NAME, clock) as journal:
        if setup.account is not None:
            await journal.claim_account(setup.account)
        if not setup.base.exists():
            await _make_base_in_place(setup, clock, observe)
        await recover(journal, setup.tree, setup.settings.out, setup.settings.max_attempts, observe)
        await reopen(journal, setup.tree, LIBRARY_BATCH_ID, RedoPolicy.RETRYABLE, is_candidate=_was_not_cancelled)
        options = replace(
            pool_options(setup.settings, setup.workers, setup.base, setup.worker_count.worker_count),
            waits_for_login=setup.waits_for_login,
            group_limit=setup.settings.group_limit,
        )
        await journal.keep_aside(LIBRARY_BATCH_ID)
        groups = await journal.groups_set_aside(setup.prefix)
        ports = PoolPorts(journal=journal, archive=setup.tree, clock=clock, observe=observe, batch_id=LIBRARY_BATCH_ID)
        ports = replace(ports, prefix=setup.prefix, groups_set_aside=groups)
        try:
            async with (
                clean_staging(setup.tree, options.staging_path),
                PersistentWorkerPool(options, ports) as pool,
            ):
                yield pool
        except ExceptionGroup as group:
            raise unwrap_group(group) from group


async def _make_base_in_place(setup: _PoolSetup, clock: SystemClock, observe: EventSink) -> None:
    """Create the base profile under a temporary name, so that an incomplete one is never used."""
    draft = setup.base.with_name(f"{setup.base.name}.part")
    await anyio.to_thread.run_sync(remove_tree, draft, abandon_on_cancel=True)
    try:
        await make_base_profile(workers=setup.workers, base=draft, runs_root=setup.settings.runs_dir, observe=observe)
        await anyio.to_thread.run_sync(_put_in_place, draft, setup.base, clock.now())
    finally:
        with anyio.move_on_after(CLEANUP_LIMIT_S, shield=True):
            await anyio.to_thread.run_sync(remove_tree, draft, abandon_on_cancel=True)


def _put_in_place(draft: Path, base: Path, now: datetime) -> None:
    """Rename the base profile to its final name and seal it."""
    seal_path(base).unlink(missing_ok=True)  # the seal of an earlier base that was removed
    draft.rename(base)
    seal_base(base, now=now)


def _was_not_cancelled(record: TaskRecord) -> bool:
    """Return whether a task may run again: a cancelled task stays cancelled when the script is restarted."""
    return record.status != TaskStatus.CANCELLED.name


def _observe_both(first: EventSink, second: EventSink) -> EventSink:
    def observe(event: Event) -> None:
        first(event)
        second(event)

    return observe


def _prepare_setup(given: PoolSettings, processor: Processor | str, clock: SystemClock) -> _PoolSetup:
    """Read the settings, and find portal, browser and profile. Blocking; creates the output folder."""
    refuse_foreign_settings(given)
    settings = load_settings(given)
    location = locate_processor(processor)
    site = _resolve_portal_if_named(settings)
    settings = fill_from_keyring(settings, site.pack)[0] if site else settings
    base = find_profile(settings).base_path if site else None
    workers = resolve_worker_config(settings, site, base)
    worker = replace(workers.worker, processor=location.name, import_path=location.import_path)
    log_file = open_output_folder(settings)
    account = portal_account(settings, site) if site and location.name == PO_ATTACHMENTS else None
    folder = _order_folder(settings, site)
    return _PoolSetup(
        settings=settings,
        workers=replace(workers, worker=worker),
        worker_count=resolve_worker_count(settings),
        tree=OutputTree(
            settings.out,
            folder.template,
            clock=clock,
            known_fields=site and frozenset(site.pack.fields),
            account=account,
        ),
        base=base or settings.out / PRIVATE_NAME / BASE_FOLDER_NAME,
        log=LogOptions(level=settings.log_level, file=log_file, secrets=secret_texts(settings)),
        waits_for_login=False,
        account=account,
        portal_warnings=site.warnings if site else (),
        portal_notices=(*(site.notices if site else ()), *filter(None, (folder.notice,))),
    )


def _order_folder(settings: Settings, site: PortalConfig | None) -> OrderFolder:
    if site is not None:
        return resolve_order_folder(settings, site.pack)
    is_given = "folder_template" in settings.model_fields_set
    return OrderFolder(template=settings.folder_template if is_given else DEFAULT_FOLDER_TEMPLATE)


def _resolve_portal_if_named(settings: Settings) -> PortalConfig | None:
    """Return the portal configuration if the settings or the profile name a portal, else ``None``."""
    is_named = (
        settings.portal or settings.base_url or settings.profile in ProfileRepository(settings.profiles_dir).names()
    )
    return resolve_portal_config(settings) if is_named else None
