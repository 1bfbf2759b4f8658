"""Takes up what an earlier run left: in the journal, in the output folder, and on the way between the two."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import anyio
import anyio.to_thread

from poolwright.archive.output_tree import OutputTree
from poolwright.domain.errors import SetupError, unwrap_group
from poolwright.domain.ids import BatchId, TaskId
from poolwright.domain.ports import Journal
from poolwright.domain.tasks import TaskRecord
from poolwright.files.disk_threads import check_cancelled
from poolwright.files.permissions import describe_error
from poolwright.journal.reader import JournalReader
from poolwright.journal.sqlite_journal import SqliteJournal
from poolwright.service.batch import Redo
from poolwright.service.redoing import to_redo

#: Limit for removing the staging folder; the next start empties it as well.
DISCARD_LIMIT_S = 5.0

Candidacy: TypeAlias = Callable[[TaskRecord], bool]


@dataclass(slots=True)
class Looked:
    """Progress of a file check. Written by one thread, read from anywhere."""

    count: int = 0
    total_count: int = 0


async def recover(journal: Journal, tree: OutputTree, out: Path, max_attempts: int) -> None:
    """Return the tasks of a dead run to the queue, and complete its unfinished filings.

    Raises:
        SetupError: The output folder cannot be read or written.
    """
    try:
        await anyio.to_thread.run_sync(tree.recover, abandon_on_cancel=True)  # cut off, as by a power cut
    except OSError as error:
        told = describe_error(error, out).sentence(otherwise="Fix this and start again; no data is lost.")
        raise SetupError(f"Files of an earlier run in '{out}' cannot be moved into place: {told}") from error
    await journal.recover(max_attempts)


async def reopen(
    journal: SqliteJournal, tree: OutputTree, batch_id: BatchId, redo: Redo, *, is_candidate: Candidacy = lambda _: True
) -> None:
    """Queue again those tasks of a list that are over and are to be done again: see ``to_reopen``."""
    await journal.reopen(await to_reopen(journal, tree, batch_id, redo, is_candidate=is_candidate))


async def to_reopen(
    journal: SqliteJournal,
    tree: OutputTree,
    batch_id: BatchId,
    redo: Redo,
    *,
    is_candidate: Candidacy = lambda _: True,
    looked: Looked | None = None,
) -> list[TaskId]:
    """Return the finished tasks of a list that are to run again.

    Reads their files, which may take long, and holds one of them at a time; changes nothing.

    Args:
        journal: What is known of them.
        tree: Has their files.
        batch_id: The list.
        redo: What the user wants done again.
        is_candidate: Whether a task may be done again at all.
        looked: Told how far it is.
    """
    looked = looked or Looked()

    def is_whole(record: TaskRecord) -> bool:
        looked.count += 1
        return not record.folder or not tree.verify(record.folder, record.task.task_id, check_cancelled)

    def candidates(reading: JournalReader) -> Iterator[TaskRecord]:
        for record in reading.records(batch_id):
            check_cancelled()
            if is_candidate(record):
                yield record

    def choose(reading: JournalReader) -> list[TaskId]:
        looked.total_count = sum(record.is_over for record in candidates(reading))
        return to_redo(candidates(reading), redo, is_whole)

    return await journal.read(choose)


async def unless(happens: Callable[[], Awaitable[object]], work: Callable[[], Awaitable[None]]) -> bool:
    """Run ``work``, cancel it when ``happens`` returns first, and return whether it completed."""
    is_done = False

    async def cut_short(scope: anyio.CancelScope) -> None:
        await happens()
        scope.cancel()

    try:
        async with anyio.create_task_group() as beside:
            beside.start_soon(cut_short, beside.cancel_scope)
            await work()
            is_done = True
            beside.cancel_scope.cancel()
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
        with anyio.move_on_after(DISCARD_LIMIT_S, shield=True):
            await anyio.to_thread.run_sync(tree.discard, staging, abandon_on_cancel=True)
