"""Checks the files of finished orders when a list is sent again, one list after another, in the background.

If the sender wants it, those that are done are queued to be looked at again afterwards.

A list is accepted at once. Which of its finished orders run again is known only when their files have been read, which
takes minutes for a large archive. Checks that are left when the daemon ends are done by the next daemon.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from poolwright.archive.output_tree import OutputTree
from poolwright.domain.errors import PoolError
from poolwright.domain.events import Level, Notice
from poolwright.domain.ids import BatchId, TaskId
from poolwright.domain.ports import EventSink
from poolwright.domain.tasks import FetchedFile
from poolwright.files.disk import replace_private_file
from poolwright.journal.sqlite_journal import SqliteJournal
from poolwright.service.batch import RedoPolicy
from poolwright.service.daemon.errors import ConflictError
from poolwright.service.recovery import CheckProgress, known_files, tasks_to_reopen

CHECKS_FILE_NAME = "checks.json"
#: Behind the name of a file that could not be read.
BROKEN_SUFFIX = ".broken"
#: Lists that may wait for a check; each is one entry of a small file.
CHECKS_MAX = 200
#: Pause before a check that failed is tried again.
RETRY_S = 30.0


@dataclass(slots=True, kw_only=True)
class FileCheck:
    """A list whose files are to be checked."""

    redo: RedoPolicy
    #: Whether finished orders are looked at again afterwards.
    is_refresh: bool = False
    #: Checked orders and their total; 0 of 0 before the check starts.
    progress: CheckProgress


class FileChecks:
    """The waiting checks in their order, and the current one. ``run`` performs them."""

    def __init__(
        self,
        journal: SqliteJournal,
        tree: OutputTree,
        folder: Path,
        *,
        reopen: Callable[[Collection[TaskId]], Awaitable[int]],
        refresh: Callable[[Mapping[TaskId, Sequence[FetchedFile]]], Awaitable[int]],
        observe: EventSink,
    ) -> None:
        """Start without checks; ``run`` loads those of an earlier daemon.

        Args:
            journal: Contains the orders.
            tree: Contains their files.
            folder: For the file with the waiting checks, which the next daemon reads.
            reopen: Queues orders again; returns how many.
            refresh: Queues finished orders with these files to be looked at again; returns how many.
            observe: Receives the result of each check as a notice.
        """
        self._journal = journal
        self._tree = tree
        self._path = folder / CHECKS_FILE_NAME
        self._reopen = reopen
        self._refresh = refresh
        self._observe = observe
        self._waiting: dict[BatchId, FileCheck] = {}
        self._under_way: tuple[BatchId, anyio.CancelScope] | None = None
        self._changed = anyio.Event()
        self._writing = anyio.Lock()

    def get(self, list_id: BatchId) -> FileCheck | None:
        """Return the check of a list; ``None`` if there is none."""
        return self._waiting.get(list_id)

    def require_room(self) -> None:
        """Check that one more list may wait.

        Raises:
            ConflictError: Too many lists are waiting.
        """
        if len(self._waiting) >= CHECKS_MAX:
            raise ConflictError(f"{CHECKS_MAX} lists are waiting for a file check. Send this list again later.")

    async def add(self, list_id: BatchId, redo: RedoPolicy, *, is_refresh: bool = False) -> None:
        """Add a check of the earlier files of a list; it is saved when this returns.

        Args:
            list_id: The list.
            redo: Which of its finished orders run again.
            is_refresh: Whether those that are done are looked at again afterwards.
        """
        await self.cancel(list_id)  # the latest request counts
        self._waiting[list_id] = FileCheck(redo=redo, is_refresh=is_refresh, progress=CheckProgress())
        await self._save()
        self._changed.set()

    async def cancel(self, list_id: BatchId) -> bool:
        """Cancel the check of a list, so that none of its orders run again; return whether there was one."""
        if self._waiting.pop(list_id, None) is None:
            return False
        if self._under_way is not None and self._under_way[0] == list_id:
            self._under_way[1].cancel()
        await self._save()
        return True

    async def run(self) -> None:
        """Check one list after another until cancelled, first those that an earlier daemon saved."""
        saved, problem = await anyio.to_thread.run_sync(_load_waiting, self._path, abandon_on_cancel=True)
        if problem:
            self._publish(Level.WARNING, problem)
        self._waiting = {**saved, **self._waiting}
        while True:
            self._changed = anyio.Event()
            for list_id, check in tuple(self._waiting.items()):
                if self._waiting.get(list_id) is check:
                    await self._check_list(list_id, check)
            with anyio.move_on_after(RETRY_S if self._waiting else None):
                await self._changed.wait()

    async def _check_list(self, list_id: BatchId, check: FileCheck) -> None:
        try:
            with anyio.CancelScope() as scope:
                self._under_way = list_id, scope
                task_ids = await tasks_to_reopen(
                    self._journal, self._tree, list_id, check.redo, progress=check.progress
                )
                count = await self._reopen(task_ids) if task_ids else 0
                refreshed_count = await self._look_again(list_id) if check.is_refresh else None
                self._waiting.pop(list_id, None)
                await self._save()
                text = _result_sentence(list_id, check.progress.total_count, count, refreshed_count)
                self._publish(Level.INFO, text)
        except (PoolError, OSError) as error:  # of the journal, or of the disk of the files
            self._publish(Level.WARNING, f"The file check of list {list_id} is postponed: {error}")
        finally:
            self._under_way = None

    async def _look_again(self, list_id: BatchId) -> int:
        """Queue the orders of a list that are done to be looked at again; return how many."""
        known = await self._journal.read(partial(known_files, batch_id=list_id))
        return await self._refresh(known) if known else 0

    def _publish(self, level: Level, text: str) -> None:
        self._observe(Notice(level=level, text=text))

    async def _save(self) -> None:
        """Save the waiting checks.

        Raises:
            ConflictError: The file cannot be written.
        """
        async with self._writing:
            text = json.dumps({list_id: _dump_check(check) for list_id, check in self._waiting.items()})
            try:
                await anyio.to_thread.run_sync(
                    partial(replace_private_file, self._path, text.encode(), is_sole_writer=True),
                    abandon_on_cancel=True,
                )
            except OSError as error:
                message = f"The file checks cannot be written to {self._path} ({error.strerror}). Free some disk space."
                raise ConflictError(message) from error


def _result_sentence(list_id: BatchId, total_count: int, count: int, refreshed_count: int | None) -> str:
    rerun_text = f"{count:,} will run again" if count else "none will run again"
    text = f"Checked the files of {total_count:,} finished orders of list {list_id}: {rerun_text}"
    return f"{text}." if refreshed_count is None else f"{text}, {refreshed_count:,} will be looked at again."


def _dump_check(check: FileCheck) -> str | dict[str, object]:
    """Return a check as JSON; one without a refresh as earlier versions wrote it."""
    return {"redo": check.redo.value, "is_refresh": True} if check.is_refresh else check.redo.value


class _SavedCheck(BaseModel):
    """A check in the file; one without a refresh is only its policy there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    redo: RedoPolicy
    is_refresh: bool = False


_SAVED = TypeAdapter(dict[str, RedoPolicy | _SavedCheck])


def _load_waiting(path: Path) -> tuple[dict[BatchId, FileCheck], str]:
    """Return the checks that an earlier daemon left, and what is wrong with their file, in sentences; empty if nothing.

    A file that cannot be read is kept beside; it names the lists that have to be sent again.
    """
    try:
        saved = _SAVED.validate_json(path.read_bytes())
    except FileNotFoundError:
        return {}, ""
    except OSError as error:
        reason = f"({error.strerror or error})"
    except ValidationError:
        reason = "because it is damaged"
    else:
        return {BatchId(list_id): _check_of(check) for list_id, check in saved.items()}, ""
    lost = (
        f"The file with the waiting file checks ({path}) cannot be read {reason}. The files of lists that were sent "
        "again and not yet checked are not checked; send those lists again"
    )
    broken = path.with_name(path.name + BROKEN_SUFFIX)
    try:
        path.replace(broken)
    except OSError as error:
        return {}, f"{lost}. The file cannot be kept ({error.strerror or error}): the next check replaces it."
    return {}, f"{lost}; the file is kept as {broken}."


def _check_of(saved: RedoPolicy | _SavedCheck) -> FileCheck:
    if isinstance(saved, RedoPolicy):
        return FileCheck(redo=saved, progress=CheckProgress())
    return FileCheck(redo=saved.redo, is_refresh=saved.is_refresh, progress=CheckProgress())
