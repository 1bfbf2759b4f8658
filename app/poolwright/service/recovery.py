"""Recovery after an earlier run: unfinished filings, interrupted tasks, orders to run again, and groups set aside."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias, assert_never

import anyio
import anyio.to_thread

from poolwright.archive.output_tree import OutputTree
from poolwright.domain.errors import OptionsError, SetupError, unwrap_group
from poolwright.domain.events import Level, Notice
from poolwright.domain.ids import BatchId, TaskId, portal_prefix
from poolwright.domain.outcomes import ActionClass, Reason
from poolwright.domain.ports import EventSink, Journal
from poolwright.domain.refresh import REFRESHED
from poolwright.domain.tasks import FetchedFile, Report, TaskRecord
from poolwright.files.disk_threads import check_cancelled
from poolwright.files.permissions import describe_error
from poolwright.journal import queries
from poolwright.journal.reader import JournalReader
from poolwright.journal.sqlite_journal import SqliteJournal
from poolwright.service.batch import BatchJob, RedoPolicy


def tasks_to_redo(
    records: Iterable[TaskRecord], redo: RedoPolicy, is_whole: Callable[[TaskRecord], bool]
) -> list[TaskId]:
    """Return the tasks to queue again.

    Args:
        records: The tasks of the list.
        redo: Which finished orders to run again.
        is_whole: Returns whether the files of a finished order are complete and unchanged. Otherwise the order runs
            again unless ``redo`` is ``NOTHING``, also if only a part of its files had been downloaded.
    """
    return [
        record.task.task_id
        for record in records
        if record.is_over and record.report is not None and _is_to_redo(record.report, redo, partial(is_whole, record))
    ]


def _is_to_redo(report: Report, redo: RedoPolicy, is_whole: Callable[[], bool]) -> bool:
    if report.reason is Reason.GROUP_SET_ASIDE:  # it was never begun, and its group was resumed
        return True
    is_done = report.meaning.action is ActionClass.DONE
    # A partial order, whose rest a person must download, has files, too.
    has_files = is_done or bool(report.files)
    match redo:
        case RedoPolicy.NOTHING:
            return False
        case RedoPolicy.ALL:
            return True
        case RedoPolicy.UNFINISHED:
            return not (is_done and is_whole())
        case RedoPolicy.RETRYABLE:
            # Orders that need a person do not run again: a wrong number, a missing permission, a file not provided.
            can_help = report.meaning.is_retryable or report.meaning.action is ActionClass.RETRY
            return can_help or (has_files and not is_whole())
        case _:
            assert_never(redo)


#: Time limit for removing the staging folder; the next start empties it, too.
STAGING_CLEANUP_LIMIT_S = 5.0

IsCandidate: TypeAlias = Callable[[TaskRecord], bool]


@dataclass(slots=True)
class CheckProgress:
    """Progress of a file check. Written by one thread, read from anywhere."""

    count: int = 0
    total_count: int = 0


async def recover(journal: Journal, tree: OutputTree, out: Path, max_attempts: int, observe: EventSink) -> None:
    """Return the tasks of a dead run to the queue, and complete its unfinished filings.

    ``observe`` receives a notice for each filing whose record is damaged.

    Raises:
        SetupError: The output folder cannot be read or written.
    """
    try:
        # May be abandoned at any point, as in a power failure.
        damaged = await anyio.to_thread.run_sync(tree.recover, abandon_on_cancel=True)
    except OSError as error:
        advice = describe_error(error, out).sentence(otherwise="Fix this and start again; no data is lost.")
        raise SetupError(f"Files of an earlier run in '{out}' cannot be moved into place: {advice}") from error
    for text in damaged:
        observe(Notice(level=Level.WARNING, text=text))
    await journal.recover(max_attempts)


async def reopen(
    journal: SqliteJournal,
    tree: OutputTree,
    batch_id: BatchId,
    redo: RedoPolicy,
    *,
    is_refresh: bool = False,
    is_candidate: IsCandidate = lambda _: True,
) -> None:
    """Queue the finished tasks of a list again that ``tasks_to_reopen`` returns; with ``is_refresh``, the others too.

    Those others keep their result unless they are found to have changed.
    """
    await journal.reopen(await tasks_to_reopen(journal, tree, batch_id, redo, is_candidate=is_candidate))
    if is_refresh:
        await journal.refresh(await journal.read(partial(known_files, batch_id=batch_id)))


def known_files(reading: JournalReader, *, batch_id: BatchId) -> dict[TaskId, tuple[FetchedFile, ...]]:
    """Return the files of every order that is done and can be looked at again."""
    known: dict[TaskId, tuple[FetchedFile, ...]] = {}
    for record in reading.records(batch_id):
        check_cancelled()
        if record.is_over and record.report is not None and record.report.outcome in REFRESHED:
            known[record.task.task_id] = record.report.files
    return known


async def tasks_to_reopen(
    journal: SqliteJournal,
    tree: OutputTree,
    batch_id: BatchId,
    redo: RedoPolicy,
    *,
    is_candidate: IsCandidate = lambda _: True,
    progress: CheckProgress | None = None,
) -> list[TaskId]:
    """Return the finished tasks of a list that are to run again: none of a group that is set aside.

    Reads their files, which may take long, one task at a time; changes nothing.

    Args:
        journal: Contains the tasks.
        tree: Contains their files.
        batch_id: The list.
        redo: Which finished orders to run again.
        is_candidate: Returns whether a task may run again at all.
        progress: Is updated during the check.
    """
    progress = progress or CheckProgress()

    def is_whole(record: TaskRecord) -> bool:
        progress.count += 1
        return not record.folder or not tree.verify(record.folder, record.task.task_id, check_cancelled)

    def candidates(reading: JournalReader) -> Iterator[TaskRecord]:
        aside = reading.groups_set_aside()
        for record in reading.records(batch_id):
            check_cancelled()
            if is_candidate(record) and (portal_prefix(record.task.task_id), record.task.group) not in aside:
                yield record

    def choose(reading: JournalReader) -> list[TaskId]:
        progress.total_count = sum(record.is_over for record in candidates(reading))
        return tasks_to_redo(candidates(reading), redo, is_whole)

    return await journal.read(choose)


async def reopen_removed(journal: SqliteJournal, tree: OutputTree, batch_id: BatchId) -> tuple[str, ...]:
    """Queue the finished orders of a list again whose folders are no longer there; return these folders.

    Only asks whether each folder exists; ``reopen`` reads the files.
    """

    def find(reading: JournalReader) -> dict[TaskId, str]:
        found: dict[TaskId, str] = {}
        for task_id, folder in reading.folders(batch_id):
            check_cancelled()
            if tree.lacks(folder):
                found[task_id] = folder
        return found

    removed = await journal.read(find)
    if removed:
        await journal.reopen(removed.keys())
    return tuple(removed.values())


async def resume_groups(journal: SqliteJournal, job: BatchJob) -> None:
    """Let the groups that the job names be processed again.

    Raises:
        OptionsError: One of them is not set aside; nothing was changed.
    """
    if not job.resumed_groups:
        return
    prefix = "" if job.account is None else job.account.prefix
    aside = await journal.groups_set_aside(prefix)
    unknown = [group for group in job.resumed_groups if group not in aside]
    if unknown:
        known = f"Set aside: {', '.join(sorted(aside))}." if aside else "No group is set aside."
        raise OptionsError(f"The group {unknown[0]} is not set aside, so it cannot be resumed. {known}")
    await journal.resume_groups(prefix, job.resumed_groups)


async def keep_groups_aside(journal: SqliteJournal, batch_id: BatchId, observe: EventSink) -> None:
    """Set the waiting orders of a list aside whose groups an earlier run has set aside, and say so."""
    await journal.keep_aside(batch_id)
    for group, count in (await journal.query(partial(queries.count_set_aside, batch_id=batch_id))).items():
        orders = "1 order of it is" if count == 1 else f"{count:,} orders of it are"
        text = f"The group {group} is still set aside: {orders} not processed."
        observe(Notice(level=Level.WARNING, text=text))


async def run_interruptible(interrupt: Callable[[], Awaitable[object]], work: Callable[[], Awaitable[None]]) -> bool:
    """Run ``work``, cancel it when ``interrupt`` returns first, and return whether it completed."""
    is_done = False

    async def cancel_on_interrupt(scope: anyio.CancelScope) -> None:
        await interrupt()
        scope.cancel()

    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(cancel_on_interrupt, tasks.cancel_scope)
            await work()
            is_done = True
            tasks.cancel_scope.cancel()
    except ExceptionGroup as group:
        raise unwrap_group(group) from group
    return is_done


@asynccontextmanager
async def clean_staging(tree: OutputTree, staging: Path) -> AsyncGenerator[None]:
    """Empty the staging folder at the start of the block, and remove it at the end."""
    await anyio.to_thread.run_sync(tree.discard, staging, abandon_on_cancel=True)
    try:
        yield
    finally:
        with anyio.move_on_after(STAGING_CLEANUP_LIMIT_S, shield=True):
            await anyio.to_thread.run_sync(tree.discard, staging, abandon_on_cancel=True)
