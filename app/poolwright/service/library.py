"""Poolwright as a library: ``open_pool`` gives a running pool to submit tasks to, with everything around it made.

The journal lies in the output folder: a script that was cut off is simply started again, and what it submits again is
not done twice. The log lies beside it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import anyio
import anyio.to_thread

from poolwright.archive.output_tree import PRIVATE_NAME, OutputTree
from poolwright.concurrency import SystemClock
from poolwright.domain.account import Account
from poolwright.domain.errors import unwrap_group
from poolwright.domain.events import Event, Level, Notice
from poolwright.domain.ids import BatchId, TaskId
from poolwright.domain.outcomes import Reason
from poolwright.domain.ports import EventSink
from poolwright.domain.states import TaskStatus
from poolwright.domain.tasks import JsonValue, POTask, Report, TaskRecord
from poolwright.files.disk import remove_tree
from poolwright.journal.sqlite_journal import SqliteJournal
from poolwright.profile.backups import seal_base
from poolwright.profile.repository import ProfileRepository
from poolwright.profile.seal import seal_path
from poolwright.sdk import GiveUpError, Processor, RetryLaterError, SessionLostError, Tab
from poolwright.sdk.discovery import PO_ATTACHMENTS
from poolwright.service.batch import Redo
from poolwright.service.callbacks import Callbacks
from poolwright.service.crew import Crew, find_crew, pool_options, secrets_of
from poolwright.service.logs import LogOptions, logging_beside
from poolwright.service.out import JOURNAL_NAME, open_out
from poolwright.service.own_processor import locate
from poolwright.service.resuming import clean_staging, recover, reopen
from poolwright.service.runtime import make_base
from poolwright.service.site import Site, account_of, find_profile, find_site
from poolwright.service.staffing import Staffing, find_staffing
from poolwright.service.vault import with_keyring
from poolwright.settings import Settings, load_settings
from poolwright.supervisor.pool import PersistentWorkerPool
from poolwright.supervisor.workspace import PoolContext

__all__ = [
    "Callbacks",
    "GiveUpError",
    "JsonValue",
    "POTask",
    "PersistentWorkerPool",
    "Processor",
    "Reason",
    "Report",
    "RetryLaterError",
    "SessionLostError",
    "Tab",
    "new_task",
    "open_pool",
]

#: Batch id of the tasks that scripts submit.
LIST = BatchId("library")
#: Default folder template of tasks without a portal.
TEMPLATE = "{number}"
#: The base profile of pools without a portal, in the private folder.
BASE_NAME = "base"
#: Limit for removing an incomplete base profile; the next start removes the rest.
CLEAR_LIMIT_S = 30.0


def new_task(name: str, payload: JsonValue = None, *, timeout_s: float | None = None) -> POTask:
    """Create a task for a custom processor.

    Args:
        name: Identifies the task in the journal and names its folder; unique within one output folder.
        payload: Input of the processor: any JSON value. A known name with a different payload is refused.
        timeout_s: Time limit in seconds; overrides the setting.

    Raises:
        TaskError: The payload is not JSON or too large, or the time limit is invalid.
    """
    return POTask(
        task_id=TaskId(f"own:{name}"), po_number=name, portal_number=name, payload=payload, timeout_s=timeout_s
    )


def _ignore(_: Event) -> None:
    """Ignore an event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """Everything that is resolved before the pool starts."""

    settings: Settings
    crew: Crew
    staffing: Staffing
    tree: OutputTree
    base: Path
    log: LogOptions
    waits_for_login: bool
    #: Whose orders they are; nothing where the tasks are no orders of a portal: these are told apart by their payloads.
    account: Account | None

    @property
    def private(self) -> Path:
        return self.settings.out / PRIVATE_NAME


@asynccontextmanager
async def open_pool(
    processor: Processor | str = "po_attachments",
    *,
    watch: EventSink = _ignore,
    waits_for_login: bool = False,
    **settings: object,
) -> AsyncGenerator[PersistentWorkerPool]:
    """Run a pool for the duration of the block; no process or temporary file of it remains afterwards.

    Tasks that an earlier run left undone are taken up again, and so are those whose failure another try may mend;
    those that were called off are not. Leaving the block drains the pool: what is in hand is finished, the rest stays
    in the journal. The caller's cancellation does the same.

    Args:
        processor: What is done with each task: an async function ``(tab, task) -> Report`` of a module or of the
            running script, its name as ``module:function``, the name under which an installed package offers one, or
            ``po_attachments``, which needs a portal.
        watch: Called with every event; ``Callbacks`` builds one from crash, memory and completion functions.
        waits_for_login: If true, the pool pauses until ``resume`` when no worker can log in; otherwise it ends.
        settings: Any setting by its name, as docs/settings.md lists them: ``out="pages", workers=4, headless=False``.
            Environment and ``.env`` count for what is not given. Without a portal a profile of its own is made.

    Raises:
        OptionsError: A setting is invalid, or workers cannot import the processor.
        SetupError: No browser is found, or disk space or memory is too small for this many workers.
        ProfileError: The profile is missing, in use or damaged.
        JournalError: The journal cannot be opened: another pool writes to it, or it is damaged.
    """
    clock = SystemClock()
    plan = await anyio.to_thread.run_sync(_plan, settings, processor, clock, abandon_on_cancel=True)
    plan = replace(plan, waits_for_login=waits_for_login)
    with logging_beside(plan.log) as note:
        if not plan.crew.sandbox.is_worth_telling:
            note(Notice(level=Level.INFO, text=plan.crew.sandbox.sentence))
        async with _running(plan, clock, _both(note, watch)) as pool:
            yield pool


@asynccontextmanager
async def _running(plan: _Plan, clock: SystemClock, observe: EventSink) -> AsyncGenerator[PersistentWorkerPool]:
    if plan.crew.sandbox.is_worth_telling:
        observe(Notice(level=Level.WARNING, text=plan.crew.sandbox.sentence))
    for notice in plan.staffing.notices:
        observe(notice)
    async with SqliteJournal(plan.private / JOURNAL_NAME, clock) as journal:
        if plan.account is not None:
            await journal.belong(plan.account)
        if not plan.base.exists():
            await _make_base(plan, clock, observe)
        await recover(journal, plan.tree, plan.settings.out, plan.settings.max_attempts)
        await reopen(journal, plan.tree, LIST, Redo.RETRYABLE, is_candidate=_was_not_called_off)
        options = replace(
            pool_options(plan.settings, plan.crew, plan.base, plan.staffing.worker_count),
            waits_for_login=plan.waits_for_login,
        )
        around = PoolContext(journal=journal, archive=plan.tree, clock=clock, observe=observe, batch_id=LIST)
        try:
            async with (
                clean_staging(plan.tree, options.staging_path),
                PersistentWorkerPool(options, around) as pool,
            ):
                yield pool
        except ExceptionGroup as group:
            raise unwrap_group(group) from group


async def _make_base(plan: _Plan, clock: SystemClock, observe: EventSink) -> None:
    """Create the base profile under a temporary name, so that an incomplete one is never used."""
    part = plan.base.with_name(f"{plan.base.name}.part")
    await anyio.to_thread.run_sync(remove_tree, part, abandon_on_cancel=True)
    try:
        await make_base(crew=plan.crew, base=part, runs_root=plan.settings.runs_dir, observe=observe)
        await anyio.to_thread.run_sync(_put_in_place, part, plan.base, clock.now())
    finally:
        with anyio.move_on_after(CLEAR_LIMIT_S, shield=True):
            await anyio.to_thread.run_sync(remove_tree, part, abandon_on_cancel=True)


def _put_in_place(part: Path, base: Path, now: datetime) -> None:
    """Rename the base profile to its final name and seal it."""
    seal_path(base).unlink(missing_ok=True)  # of one that was there before and was removed
    part.rename(base)
    seal_base(base, now=now)


def _was_not_called_off(record: TaskRecord) -> bool:
    """Return whether a task may run again: a cancelled task stays cancelled when the script is restarted."""
    return record.status != TaskStatus.CANCELLED.name


def _both(one: EventSink, other: EventSink) -> EventSink:
    def tell(event: Event) -> None:
        one(event)
        other(event)

    return tell


def _plan(given: dict[str, object], processor: Processor | str, clock: SystemClock) -> _Plan:
    """Read the settings, and find portal, browser and profile. Blocking; creates the output folder."""
    settings = load_settings(given)
    located = locate(processor)
    site = _site(settings)
    settings = with_keyring(settings, site.pack)[0] if site else settings
    crew = find_crew(settings, site)
    worker = replace(crew.worker, processor=located.name, import_path=located.import_path)
    log_file = open_out(settings)
    account = account_of(settings, site) if site and located.name == PO_ATTACHMENTS else None
    template = settings.folder_template if site or "folder_template" in settings.model_fields_set else TEMPLATE
    return _Plan(
        settings=settings,
        crew=replace(crew, worker=worker),
        staffing=find_staffing(settings),
        tree=OutputTree(
            settings.out, template, clock=clock, known_fields=site and frozenset(site.pack.fields), account=account
        ),
        base=find_profile(settings).base_path if site else settings.out / PRIVATE_NAME / BASE_NAME,
        log=LogOptions(level=settings.log_level, file=log_file, secrets=secrets_of(settings)),
        waits_for_login=False,
        account=account,
    )


def _site(settings: Settings) -> Site | None:
    """Return the portal configuration if the settings or the profile name a portal, else ``None``."""
    is_named = (
        settings.portal or settings.base_url or settings.profile in ProfileRepository(settings.profiles_dir).names()
    )
    return find_site(settings) if is_named else None
