"""The journal in one SQLite file, behind the async port: each call runs in a thread of its own pool.

Whoever enters it owns the file, alone, until leaving it. Each method is one transaction, with the change and its
history together, that runs to its end in a thread: a caller that is cancelled meanwhile may find its change written or
not, never half of it. A task that was fetched by a cancelled call is queued again by the next ``recover``. A disk that
hangs keeps a cancelled caller for a moment only, see ``files.disk_threads``: what was asked of it then is in the
journal of the next start, or is not.
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
from poolwright.domain.tasks import OrderList, POTask, Report, TaskRecord
from poolwright.files.disk_threads import DiskThreads, check_cancelled
from poolwright.journal import queries, retention, sql_batches, sql_tasks
from poolwright.journal.database import BUSY_TIMEOUT_S, CompactResult, Database, open_database
from poolwright.journal.errors import JournalAccountError, JournalAwayError, JournalError
from poolwright.journal.reader import JournalReader
from poolwright.journal.retention import PruneResult
from poolwright.journal.task_rules import CANCELLED_REPORT, LOST_REPORT, RetryClock, acceptance, validate_orders

#: So many may read much at the same time.
READERS_MAX = 3
#: Closing the file waits so long for a change that still runs. What is committed is safe without it.
CLOSE_LIMIT_S = 3.0

P = ParamSpec("P")
T = TypeVar("T")


def _in_writer(
    method: Callable[Concatenate[SqliteJournal, P], T],
) -> Callable[Concatenate[SqliteJournal, P], CoroutineType[Any, Any, T]]:
    """Make a blocking method one that is awaited while it runs in the thread that writes."""

    @wraps(method)
    async def call(self: SqliteJournal, *args: P.args, **named: P.kwargs) -> T:
        return await self.run_in_writer(method, self, *args, **named)

    return call


class SqliteJournal:
    """``domain.ports.Journal`` in one SQLite file. Use it as ``async with SqliteJournal(path, clock) as journal``.

    All its methods are awaited, also those under ``_in_writer``, whose blocking bodies stand here without ``async``.
    What those of the port promise is written there.
    """

    def __init__(self, path: Path, clock: Clock, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        """Name the file, and how long a change waits for others; nothing is touched before the journal is entered."""
        self._path = path
        self._clock = clock
        self._busy_timeout_s = busy_timeout_s
        # No change waits longer for others than for the lock of one, and for a slow disk a moment more.
        self._writer = self._threads(1, busy_timeout_s + 1.0)
        #: For those who read much: a report of a long list keeps no order waiting.
        self._readers = self._threads(READERS_MAX, busy_timeout_s + 1.0)
        #: For those who read for minutes: they keep nobody waiting who only asks.
        self._reporters = self._threads(READERS_MAX, busy_timeout_s + 1.0)
        self._held = ExitStack()
        self._is_open = False
        self._database: Database
        self._waits: RetryClock

    async def __aenter__(self) -> Self:
        """Open the file, made when it is missing.

        Raises:
            JournalBusyError: Another program has it.
            JournalVersionError: A newer Poolwright wrote it.
            JournalDamagedError: It is no journal, or not a whole one.
            JournalUnwritableError: It cannot be made or written there.
            JournalAwayError: Its disk does not answer.
            JournalFullError: The disk has no room for it.
            JournalLockedError: Another program keeps it locked.
            JournalError: The SQLite of this Python is too old, or fails.
        """
        self._writer.start()
        self._readers.start()
        self._reporters.start()
        opening = open_database(self._path, busy_timeout_s=self._busy_timeout_s, heed=check_cancelled)
        try:
            self._database = await self._writer.run(partial(self._held.enter_context, opening))
        except BaseException:
            await self._close()  # noqa: ASYNC102 - it shields itself, with a limit
            raise
        self._waits = RetryClock(self._clock)
        self._is_open = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file and let go of it, also when cancelled; waits a while for the transaction that still runs.

        Where the disk hangs the file stays open, and nobody else's, until it goes on or the program ends.
        """
        self._is_open = False
        await self._close()  # noqa: ASYNC102 - as above

    @_in_writer
    def claim_account(self, account: Account) -> None:
        """Make sure that the orders of a portal are this account's; the first that asks is written down.

        Raises:
            JournalAccountError: They are another one's. Nothing is changed then.
        """
        with self._database.transaction() as connection:
            if whose := sql_batches.conflicting_owner(connection, account):
                raise JournalAccountError(self._database.path, whose, account)
            sql_batches.save_account(connection, account)

    @_in_writer
    def transfer_account(self, account: Account) -> None:
        """Take the orders of a portal for this account's from now on, whoever's they were."""
        with self._database.transaction() as connection:
            sql_batches.save_account(connection, account)

    @_in_writer
    def accept(self, orders: OrderList) -> Accepted:
        validate_orders(orders)
        with self._database.transaction(is_large=True) as connection:
            new_count = sql_batches.save_list(connection, orders, self._clock.now())
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
            cases = sql_tasks.find_claimed(connection, at)
            for case in cases:
                task_id = case.state.task_id
                is_last = case.state.attempt_count >= max_attempts
                sql_tasks.save_move(connection, case.finish(LOST_REPORT.reason) if is_last else case.recover())
                sql_tasks.end_attempt(connection, task_id, None, at, is_spent=True)
                if is_last:
                    sql_batches.save_report(connection, task_id, LOST_REPORT, "", at)
            return len(cases)

    @_in_writer
    def reopen(self, task_ids: Collection[TaskId]) -> int:
        with self._database.transaction() as connection:
            cases = sql_tasks.find_finished(connection, task_ids, self._clock.now())
            for case in cases:
                sql_tasks.save_move(connection, case.reopen())
            return len(cases)

    @_in_writer
    def fetch(self, batch_id: BatchId, limit: int) -> Sequence[POTask]:
        with self._database.transaction() as connection:
            cases = sql_tasks.find_due(connection, batch_id, limit, by=self._waits.now(), at=self._clock.now())
            return tuple(sql_tasks.save_move(connection, case.assign()).task for case in cases)

    @_in_writer
    def start(self, task_id: TaskId, worker: WorkerRef) -> POTask:
        at = self._clock.now()
        with self._database.transaction() as connection:
            task = sql_tasks.save_move(connection, sql_tasks.load_machine(connection, task_id, at).start(worker)).task
            sql_tasks.begin_attempt(connection, task_id, task.attempt, worker, at)
            return task

    @_in_writer
    def give_back(
        self, task_id: TaskId, why: Reason | ReturnReason, *, detail: str, delay_s: float, is_attempt_spent: bool
    ) -> None:
        at = self._clock.now()
        with self._database.transaction() as connection:
            case = sql_tasks.load_machine(connection, task_id, at)
            not_before = self._waits.due_at(delay_s)
            sql_tasks.save_move(
                connection,
                case.give_back(why, detail, not_before=not_before, is_attempt_spent=is_attempt_spent),
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
            sql_tasks.save_move(connection, sql_tasks.load_machine(connection, task_id, at).finish(report.reason))
            sql_tasks.end_attempt(connection, task_id, report.reason, at, is_spent=True)
            sql_batches.save_report(connection, task_id, report, folder, at)

    @_in_writer
    def finish_waiting(self, batch_id: BatchId, report: Report, limit: int) -> Sequence[POTask]:
        at = self._clock.now()
        with self._database.transaction() as connection:
            cases = sql_tasks.find_waiting(connection, batch_id, limit, at)
            sql_tasks.save_moves(connection, [case.finish(report.reason) for case in cases])
            for case in cases:
                sql_batches.save_report(connection, case.state.task_id, report, "", at)
            return tuple(case.state.task for case in cases)

    @_in_writer
    def cancel(self, task_id: TaskId) -> bool:
        at = self._clock.now()
        with self._database.transaction() as connection:
            case = sql_tasks.load_machine(connection, task_id, at)
            if not case.is_cancellable:
                return False
            sql_tasks.save_move(connection, case.cancel())
            sql_batches.save_report(connection, task_id, CANCELLED_REPORT, "", at)
            return True

    @_in_writer
    def cancel_all(self, task_ids: Collection[TaskId]) -> Sequence[TaskId]:
        at = self._clock.now()
        with self._database.transaction(is_large=True) as connection:
            cases = sql_tasks.find_queued(connection, task_ids, at)
            for case in cases:
                sql_tasks.save_move(connection, case.cancel())
                sql_batches.save_report(connection, case.state.task_id, CANCELLED_REPORT, "", at)
            return tuple(case.state.task_id for case in cases)

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
            return sql_batches.find_record(connection, task_id)

    async def records(self, batch_id: BatchId) -> Sequence[TaskRecord]:
        return await self.query(partial(sql_batches.read_records, batch_id=batch_id))

    async def query(self, look: Callable[[Connection], T]) -> T:
        """Look something up: see ``poolwright.journal.queries``."""
        self._check_open()
        return await self._readers.run(partial(self._read_snapshot, look))

    async def read(self, use: Callable[[JournalReader], T]) -> T:
        """Let a report be made of what stands in the journal now, for as long as that takes; gives what ``use`` gives.

        Others go on meanwhile, those who write and those who ask.

        Args:
            use: Called in a thread; what it is given is of no use after it. It calls ``check_cancelled`` again and
                again, which ends it where nobody waits any more.
        """
        self._check_open()
        return await self._reporters.run(partial(self._read_snapshot, lambda snapshot: use(JournalReader(snapshot))))

    @_in_writer
    def collect_open(self, batch_id: BatchId, prefix: str) -> int:
        """Put every task of any list that is not over into one list too, made when there is none; tells how many.

        Args:
            batch_id: The list.
            prefix: Only of tasks whose ids begin so. Others that are in the list and not over leave it.
        """
        with self._database.transaction(is_large=True) as connection:
            return queries.collect_open(connection, batch_id, prefix, self._clock.now())

    async def prune(self, before: datetime, spared: Collection[BatchId] = ()) -> PruneResult:
        """Remove what ended before a moment: moves and attempts of orders, and lists of nothing but such orders.

        Tasks and reports stay, so no order that is done is ever fetched again. Many small transactions: other calls
        go in between. A caller that is cancelled leaves the rest for the next time.

        Args:
            before: Aware.
            spared: Lists that stay whatever their age.
        """
        self._check_open()
        steps = retention.prune(self._database, before, spared)
        total = PruneResult()
        while (done := await self.run_in_writer(next, steps, None)) is not None:
            total += done
        return total

    @_in_writer
    def compact(self) -> CompactResult:
        """Give free room within the file back to the disk. Every other call waits until it is done.

        Raises:
            JournalLockedError: Another program reads the file; ask again later.
            JournalFullError: The disk has no room for the copy that this takes.
        """
        return self._database.compact()

    async def run_in_writer(self, work: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        """Run blocking work in the thread that writes, after what was asked before it.

        Raises:
            JournalError: The journal is not open; or what the work raises.
        """
        self._check_open()
        return await self._writer.run(partial(work, *args, **named))

    def _check_open(self) -> None:
        if not self._is_open:
            raise JournalError(f"The journal {self._path} is not open.")

    def _read_snapshot(self, look: Callable[[Connection], T]) -> T:
        with self._database.read_snapshot() as connection:
            return look(connection)

    def _threads(self, count: int, patience_s: float) -> DiskThreads:
        def refusal() -> JournalError:
            return JournalAwayError(self._path, "its disk does not answer")

        return DiskThreads(count, patience_s=patience_s, refusal=refusal)

    async def _close(self) -> None:
        await self._readers.close(_do_nothing, 0.0)
        await self._reporters.close(_do_nothing, 0.0)
        await self._writer.close(self._held.close, CLOSE_LIMIT_S)


def _do_nothing() -> None:
    """What readers do last."""
