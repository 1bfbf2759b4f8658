"""The journal in one SQLite file, behind the async port: each call runs in a thread of the journal's own.

The journal owns the file, alone, from entry to exit. Each method is one transaction, with the change and its history
together, and runs to its end in a thread: the change of a cancelled call is written completely or not at all. A task
that a cancelled call has fetched is queued again by the next ``recover``. A disk that hangs delays a cancelled caller
only briefly, see ``files.disk_threads``; the change of that call may then be in the journal at the next start, or not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from functools import partial, wraps
from pathlib import Path
from sqlite3 import Connection
from types import CoroutineType, TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from poolwright.domain.account import Account
from poolwright.domain.ids import BatchId, TaskId, WorkerRef
from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.domain.ports import Accepted, Clock
from poolwright.domain.state_machine import Transition
from poolwright.domain.tasks import FetchedFile, OrderList, POTask, Report, TaskRecord
from poolwright.files.disk_threads import DiskThreads, check_cancelled
from poolwright.journal import retention, sql_batches, sql_groups, sql_reports, sql_tasks
from poolwright.journal.database import BUSY_TIMEOUT_S, CompactResult, Database, open_database
from poolwright.journal.errors import JournalAccountError, JournalAwayError, JournalError
from poolwright.journal.reader import JournalReader
from poolwright.journal.retention import PruneResult
from poolwright.journal.task_rules import (
    CANCELLED_REPORT,
    LOST_REPORT,
    RetryClock,
    acceptance,
    unlisted_task_error,
    validate_unique,
)

#: Threads for each kind of long read.
READERS_MAX = 3
#: Longest wait for a running change when the file is closed. Committed changes are safe without it.
CLOSE_LIMIT_S = 3.0

P = ParamSpec("P")
T = TypeVar("T")


def _in_writer(
    method: Callable[Concatenate[SqliteJournal, P], T],
) -> Callable[Concatenate[SqliteJournal, P], CoroutineType[Any, Any, T]]:
    """Return an async method that runs a blocking one in the writer thread."""

    @wraps(method)
    async def call(self: SqliteJournal, *args: P.args, **named: P.kwargs) -> T:
        return await self.run_in_writer(method, self, *args, **named)

    return call


class SqliteJournal:
    """``domain.ports.Journal`` in one SQLite file. Use it as ``async with SqliteJournal(path, clock) as journal``.

    All its methods are awaited, also those under ``_in_writer``, whose bodies block and are written without ``async``.
    The methods of the port are documented there.
    """

    def __init__(self, path: Path, clock: Clock, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        """Set the file and the longest wait for other programs; the file is opened on entry."""
        self._path = path
        self._clock = clock
        self._busy_timeout_s = busy_timeout_s
        # No change waits longer for another program than for one lock; the extra second is for a slow disk.
        self._writer = self._threads(1, busy_timeout_s + 1.0)
        #: For queries over many orders, so that they do not delay changes.
        self._readers = self._threads(READERS_MAX, busy_timeout_s + 1.0)
        #: For reports, which read for minutes, so that they do not delay queries.
        self._reporters = self._threads(READERS_MAX, busy_timeout_s + 1.0)
        self._resources = ExitStack()
        self._is_open = False
        self._database: Database
        self._waits: RetryClock

    async def __aenter__(self) -> Self:
        """Open the file; create it if it is missing.

        Raises:
            JournalBusyError: Another program has the lock of the journal.
            JournalVersionError: A newer Poolwright wrote it.
            JournalDamagedError: The file is not a journal, or is damaged.
            JournalUnwritableError: It cannot be created or written there.
            JournalAwayError: Its disk does not answer.
            JournalFullError: The disk has no space for it.
            JournalLockedError: Another program has locked the file.
            JournalError: The SQLite of this Python is too old, or fails.
        """
        self._writer.start()
        self._readers.start()
        self._reporters.start()
        opening = open_database(self._path, busy_timeout_s=self._busy_timeout_s, check_cancelled=check_cancelled)
        try:
            self._database = await self._writer.run(partial(self._resources.enter_context, opening))
        except BaseException:
            await self._close()  # noqa: ASYNC102 - it shields itself, with a limit
            raise
        self._waits = RetryClock(self._clock)
        self._is_open = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file and release its lock, even if cancelled; wait briefly for a transaction that still runs.

        If the disk hangs, the file stays open and locked until the disk works again or the program ends.
        """
        self._is_open = False
        await self._close()  # noqa: ASYNC102 - as above

    @_in_writer
    def claim_account(self, account: Account) -> None:
        """Check that the orders of a portal belong to this account; record it if none is recorded yet.

        Raises:
            JournalAccountError: They belong to another account. Nothing is changed then.
        """
        with self._database.transaction() as connection:
            if owner := sql_batches.conflicting_owner(connection, account):
                raise JournalAccountError(self._database.path, owner, account)
            sql_batches.save_account(connection, account)

    @_in_writer
    def transfer_account(self, account: Account) -> None:
        """Assign the orders of a portal to this account, whichever account they belonged to."""
        with self._database.transaction() as connection:
            sql_batches.save_account(connection, account)

    @_in_writer
    def accept(self, orders: OrderList) -> Accepted:
        validate_unique(orders)
        with self._database.transaction(is_large=True) as connection:
            new_count = sql_batches.save_list(connection, orders, self._clock.now())
            if unlisted := sql_batches.find_unlisted(connection, orders.batch_id):
                raise unlisted_task_error(orders, unlisted)
            return acceptance(new_count, sql_batches.count_by_status(connection, orders.batch_id))

    @_in_writer
    def add(self, batch_id: BatchId, tasks: Sequence[POTask]) -> int:
        with self._database.transaction() as connection:
            return sql_batches.extend_list(connection, batch_id, tasks, self._clock.now())

    @_in_writer
    def recover(self, max_attempts: int) -> int:
        at = self._clock.now()
        with self._database.transaction() as connection:
            sql_tasks.cap_waits(connection, self._waits.latest_due_at())
            machines = sql_tasks.find_claimed(connection, at)
            for machine in machines:
                task_id = machine.state.task_id
                is_last = machine.state.attempt_count >= max_attempts
                sql_tasks.save_move(connection, machine.finish(LOST_REPORT.reason) if is_last else machine.recover())
                sql_tasks.end_attempt(connection, task_id, None, at, is_spent=True)
                if is_last:
                    sql_reports.save_outcome(connection, machine.state.task, LOST_REPORT, "", at)
            return len(machines)

    @_in_writer
    def reopen(self, task_ids: Collection[TaskId]) -> int:
        with self._database.transaction() as connection:
            machines = sql_tasks.find_finished(connection, task_ids, self._clock.now())
            for machine in machines:
                sql_tasks.save_move(connection, machine.reopen())
            return len(machines)

    @_in_writer
    def refresh(self, known: Mapping[TaskId, Sequence[FetchedFile]]) -> int:
        """Queue finished tasks again to look whether they have changed; return how many were finished.

        Until one is found to have changed, its report stays as it is.

        Args:
            known: The files of each task.
        """
        with self._database.transaction(is_large=True) as connection:
            machines = sql_tasks.find_finished(connection, known.keys(), self._clock.now())
            for machine in machines:
                sql_tasks.save_move(connection, machine.reopen())
            finished = [machine.state.task_id for machine in machines]
            sql_reports.begin_refresh(connection, {task_id: known[task_id] for task_id in finished})
            return len(finished)

    @_in_writer
    def fetch(self, batch_id: BatchId, limit: int) -> Sequence[POTask]:
        with self._database.transaction() as connection:
            machines = sql_tasks.find_due(connection, batch_id, limit, by=self._waits.now(), at=self._clock.now())
            return tuple(sql_tasks.save_move(connection, machine.assign()).task for machine in machines)

    @_in_writer
    def start(self, task_id: TaskId, worker: WorkerRef) -> POTask:
        at = self._clock.now()
        with self._database.transaction() as connection:
            task = sql_tasks.save_move(connection, sql_tasks.load_machine(connection, task_id, at).start(worker)).task
            sql_tasks.begin_attempt(connection, task_id, task.attempt, worker, at)
            return task

    @_in_writer
    def requeue(
        self, task_id: TaskId, why: Reason | ReturnReason, *, detail: str, delay_s: float, is_attempt_spent: bool
    ) -> None:
        at = self._clock.now()
        with self._database.transaction() as connection:
            machine = sql_tasks.load_machine(connection, task_id, at)
            not_before = self._waits.due_at(delay_s)
            sql_tasks.save_move(
                connection,
                machine.requeue(why, detail, not_before=not_before, is_attempt_spent=is_attempt_spent),
            )
            sql_tasks.end_attempt(connection, task_id, why, at, is_spent=is_attempt_spent)

    @_in_writer
    def count_death(self, task_id: TaskId) -> int:
        with self._database.transaction() as connection:
            return sql_tasks.count_death(connection, task_id)

    @_in_writer
    def finish(self, task_id: TaskId, report: Report, folder: str) -> None:
        at = self._clock.now()
        with self._database.transaction() as connection:
            machine = sql_tasks.load_machine(connection, task_id, at)
            sql_tasks.save_move(connection, machine.finish(report.reason))
            sql_tasks.end_attempt(connection, task_id, report.reason, at, is_spent=True)
            sql_reports.save_outcome(connection, machine.state.task, report, folder, at)

    @_in_writer
    def finish_waiting(self, batch_id: BatchId, report: Report, limit: int) -> Sequence[POTask]:
        at = self._clock.now()
        with self._database.transaction() as connection:
            machines = sql_tasks.find_waiting(connection, batch_id, limit, at)
            sql_tasks.save_moves(connection, [machine.finish(report.reason) for machine in machines])
            for machine in machines:
                sql_reports.save_outcome(connection, machine.state.task, report, "", at)
            return tuple(machine.state.task for machine in machines)

    @_in_writer
    def cancel(self, task_id: TaskId) -> bool:
        at = self._clock.now()
        with self._database.transaction() as connection:
            machine = sql_tasks.load_machine(connection, task_id, at)
            if not machine.is_cancellable:
                return False
            sql_reports.cancel(connection, machine, CANCELLED_REPORT, at)
            return True

    @_in_writer
    def cancel_all(self, task_ids: Collection[TaskId]) -> Sequence[TaskId]:
        at = self._clock.now()
        with self._database.transaction(is_large=True) as connection:
            machines = sql_tasks.find_queued(connection, task_ids, at)
            for machine in machines:
                sql_reports.cancel(connection, machine, CANCELLED_REPORT, at)
            return tuple(machine.state.task_id for machine in machines)

    @_in_writer
    def set_aside(self, batch_id: BatchId, group: str, report: Report) -> Sequence[POTask]:
        at = self._clock.now()
        with self._database.transaction(is_large=True) as connection:
            sql_groups.save_group(connection, batch_id, group, report.detail, at)
            return sql_groups.cancel_waiting(connection, batch_id, at, group)

    @_in_writer
    def reopen_group(self, batch_id: BatchId, prefix: str, group: str) -> int:
        with self._database.transaction(is_large=True) as connection:
            return sql_groups.reopen_group(connection, batch_id, prefix, group, self._clock.now())

    @_in_writer
    def keep_aside(self, batch_id: BatchId) -> int:
        """Set aside the waiting tasks of a list whose groups are set aside; return how many."""
        with self._database.transaction(is_large=True) as connection:
            return len(sql_groups.cancel_waiting(connection, batch_id, self._clock.now()))

    @_in_writer
    def groups_set_aside(self, prefix: str) -> Mapping[str, str]:
        """Return the groups that are set aside, with the cause of each, of the tasks whose ids begin with a prefix."""
        with self._database.read() as connection:
            return sql_groups.read_groups(connection, prefix)

    @_in_writer
    def resume_groups(self, prefix: str, groups: Collection[str]) -> None:
        """Let the orders of these groups be processed again; their tasks stay as they are until they are reopened."""
        with self._database.transaction() as connection:
            sql_groups.delete_groups(connection, prefix, groups)

    @_in_writer
    def record(self, transitions: Sequence[Transition]) -> None:
        with self._database.transaction() as connection:
            sql_tasks.append_transitions(connection, transitions)

    @_in_writer
    def counts(self, batch_id: BatchId) -> Mapping[str, int]:
        with self._database.read() as connection:
            return sql_batches.count_by_status(connection, batch_id)

    @_in_writer
    def members(self, batch_id: BatchId, task_ids: Collection[TaskId]) -> Collection[TaskId]:
        with self._database.read() as connection:
            return sql_batches.find_members(connection, batch_id, task_ids)

    @_in_writer
    def next_due_s(self, batch_id: BatchId) -> float | None:
        with self._database.read() as connection:
            return sql_tasks.next_due_s(connection, batch_id, self._waits.now())

    @_in_writer
    def find(self, task_id: TaskId) -> TaskRecord | None:
        with self._database.read() as connection:
            return sql_reports.find_record(connection, task_id)

    async def records(self, batch_id: BatchId) -> Sequence[TaskRecord]:
        return await self.query(partial(sql_reports.read_records, batch_id=batch_id))

    async def query(self, run: Callable[[Connection], T]) -> T:
        """Return the result of a query, such as those of ``poolwright.journal.queries``."""
        self._check_open()
        return await self._readers.run(partial(self._read_snapshot, run))

    async def read(self, work: Callable[[JournalReader], T]) -> T:
        """Return the result of work on a snapshot of the journal, such as writing a report.

        It may take minutes; changes and queries go on meanwhile.

        Args:
            work: Called in a thread, with a reader that is valid only during the call. It calls ``check_cancelled``
                repeatedly, so that it ends if its caller is cancelled.
        """
        self._check_open()
        return await self._reporters.run(partial(self._read_snapshot, lambda snapshot: work(JournalReader(snapshot))))

    @_in_writer
    def collect_open(self, batch_id: BatchId, prefix: str) -> int:
        """Add every open task of the journal to one list, which is created if missing; return how many were added.

        Args:
            batch_id: The list.
            prefix: Start of the ids of the tasks. Other open tasks of the list are removed from it.
        """
        with self._database.transaction(is_large=True) as connection:
            return sql_batches.collect_open(connection, batch_id, prefix, self._clock.now())

    async def prune(self, before: datetime, spared: Collection[BatchId] = ()) -> PruneResult:
        """Delete history that ended before a moment: transitions, attempts, and lists of only such orders.

        Tasks and reports are kept, so no finished order is fetched again. There are many small transactions, and other
        calls run between them. If the caller is cancelled, the next pruning deletes the rest.

        Args:
            before: Aware.
            spared: Lists that are kept whatever their age.
        """
        self._check_open()
        steps = retention.prune(self._database, before, spared)
        total = PruneResult()
        while (done := await self.run_in_writer(next, steps, None)) is not None:
            total += done
        return total

    @_in_writer
    def compact(self) -> CompactResult:
        """Return the free space in the file to the disk; every other change waits until this is done.

        Raises:
            JournalLockedError: Another program reads the file; try again later.
            JournalFullError: The disk has no space for the temporary copy.
        """
        return self._database.compact()

    async def run_in_writer(self, work: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        """Run blocking work in the writer thread, after all earlier calls, and return its result.

        Raises:
            JournalError: The journal is not open, or the work failed.
        """
        self._check_open()
        return await self._writer.run(partial(work, *args, **named))

    def _check_open(self) -> None:
        if not self._is_open:
            raise JournalError(f"The journal {self._path} is not open.")

    def _read_snapshot(self, run: Callable[[Connection], T]) -> T:
        with self._database.read_snapshot() as connection:
            return run(connection)

    def _threads(self, count: int, patience_s: float) -> DiskThreads:
        def refusal() -> JournalError:
            return JournalAwayError(self._path, "its disk does not answer")

        return DiskThreads(count, patience_s=patience_s, refusal=refusal)

    async def _close(self) -> None:
        await self._readers.close(_do_nothing, 0.0)
        await self._reporters.close(_do_nothing, 0.0)
        await self._writer.close(self._resources.close, CLOSE_LIMIT_S)


def _do_nothing() -> None:
    """Do nothing: readers have nothing to close."""
