"""The journal in one SQLite file, behind the async port: each call runs in a thread of its own pool.

Whoever enters it owns the file, alone, until leaving it. Each method is one transaction that runs to its end in a
thread: a caller that is cancelled meanwhile may find its change written or not, never half of it. A task that was
fetched by a cancelled call is queued again by the next ``recover``. A disk that hangs keeps a cancelled caller for a
moment only, see ``threads``: what was asked of it then is in the journal of the next start, or is not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from functools import partial
from pathlib import Path
from sqlite3 import Connection
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

from poolwright.domain.account import Account
from poolwright.domain.ids import BatchId, TaskId, WorkerRef
from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.domain.ports import Accepted, Clock
from poolwright.domain.state_machine import Transition
from poolwright.domain.tasks import OrderList, POTask, Report, TaskRecord
from poolwright.files.disk_threads import DiskThreads, check_cancelled
from poolwright.journal.blocking_journal import BlockingJournal
from poolwright.journal.database import BUSY_TIMEOUT_S, CompactResult, open_database
from poolwright.journal.errors import JournalAwayError, JournalError
from poolwright.journal.reader import JournalReader
from poolwright.journal.retention import PruneResult

#: So many may read much at the same time.
READERS_MAX = 3
#: Closing the file waits so long for a change that still runs. What is committed is safe without it.
CLOSE_LIMIT_S = 3.0

P = ParamSpec("P")
T = TypeVar("T")


class SqliteJournal:
    """``domain.ports.Journal`` in one SQLite file. Use it as ``async with SqliteJournal(path, clock) as journal``."""

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
        self._ledger: BlockingJournal | None = None

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
            database = await self._writer.run(partial(self._held.enter_context, opening))
        except BaseException:
            await self._close()  # noqa: ASYNC102 - it shields itself, with a limit
            raise
        self._ledger = BlockingJournal(database, self._clock)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file and let go of it, also when cancelled; waits a while for the transaction that still runs.

        Where the disk hangs the file stays open, and nobody else's, until it goes on or the program ends.
        """
        self._ledger = None
        await self._close()  # noqa: ASYNC102 - as above

    async def claim_account(self, account: Account) -> None:
        """Make sure that the orders of a portal are this account's; the first that asks is written down.

        Raises:
            JournalAccountError: They are another one's. Nothing is changed then.
        """
        await self._run(self._open.claim_account, account)

    async def transfer_account(self, account: Account) -> None:
        """Take the orders of a portal for this account's from now on, whoever's they were."""
        await self._run(self._open.transfer_account, account)

    async def accept(self, orders: OrderList) -> Accepted:
        """Keep the list with all its rows, and queue its orders that are not known yet.

        A list that is accepted again replaces its rows; tasks that are known stay where they are. The counts are of
        this list's tasks.
        """
        return await self._run(self._open.accept, orders)

    async def add(self, batch_id: BatchId, tasks: Sequence[POTask]) -> int:
        """Queue further tasks at the end of a list, made when there is none; tells how many more are open in it.

        A task that is known stays as it is and where it is, also its payload; one of another list now stands in both.
        """
        return await self._run(self._open.add, batch_id, tasks)

    async def recover(self, max_attempts: int) -> int:
        """Queue again what a dead run left ASSIGNED or RUNNING, or end it after its last attempt; tells how many."""
        return await self._run(self._open.recover, max_attempts)

    async def reopen(self, task_ids: Collection[TaskId]) -> int:
        """Queue those of these tasks again that are over, with fresh attempts and no deaths; tells how many.

        History and report stay; the next report takes the place of the old one.
        """
        return await self._run(self._open.reopen, task_ids)

    async def fetch(self, batch_id: BatchId, limit: int) -> Sequence[POTask]:
        """Claim up to ``limit`` due tasks in the order of the list: QUEUED to ASSIGNED."""
        return await self._run(self._open.fetch, batch_id, limit)

    async def start(self, task_id: TaskId, worker: WorkerRef) -> POTask:
        """Write down that an attempt begins: ASSIGNED to RUNNING. Returns the task with its attempt number."""
        return await self._run(self._open.start, task_id, worker)

    async def give_back(
        self, task_id: TaskId, why: Reason | ReturnReason, *, detail: str, delay_s: float, is_attempt_spent: bool
    ) -> None:
        """Queue a claimed or running task again, at its old place, not before ``delay_s`` from now."""
        await self._run(
            self._open.give_back, task_id, why, detail=detail, delay_s=delay_s, is_attempt_spent=is_attempt_spent
        )

    async def count_death(self, task_id: TaskId) -> int:
        """Note that a worker died on this task; returns how many did so far."""
        return await self._run(self._open.count_death, task_id)

    async def finish(self, task_id: TaskId, report: Report, folder: str) -> None:
        """Write the outcome with its files, in place of those of an earlier round: to DONE."""
        await self._run(self._open.finish, task_id, report, folder)

    async def finish_waiting(self, batch_id: BatchId, report: Report, limit: int) -> Sequence[POTask]:
        """Write one outcome for tasks of a list that wait, also for a later try: at most ``limit``; returns them."""
        return await self._run(self._open.finish_waiting, batch_id, report, limit)

    async def cancel(self, task_id: TaskId) -> bool:
        """End a task that still waits: QUEUED to CANCELLED, with its report. False when it does not wait."""
        return await self._run(self._open.cancel, task_id)

    async def cancel_all(self, task_ids: Collection[TaskId]) -> Sequence[TaskId]:
        """End those of these tasks that still wait, in one go; tells which."""
        return await self._run(self._open.cancel_all, task_ids)

    async def record(self, transitions: Sequence[Transition]) -> None:
        """Keep the moves of the other machines."""
        await self._run(self._open.record, transitions)

    async def counts(self, batch_id: BatchId) -> Mapping[str, int]:
        """How many tasks of a list are in each ``TaskStatus``, by its name; every status is told."""
        return await self._run(self._open.counts, batch_id)

    async def members(self, batch_id: BatchId, task_ids: Collection[TaskId]) -> Collection[TaskId]:
        """Which of these tasks a list has."""
        return await self._run(self._open.members, batch_id, task_ids)

    async def next_due_s(self, batch_id: BatchId) -> float | None:
        """Seconds until the next queued task may start (0 when one may now); nothing when none is queued."""
        return await self._run(self._open.next_due_s, batch_id)

    async def find(self, task_id: TaskId) -> TaskRecord | None:
        """One task, whatever its list; nothing when it was never accepted."""
        return await self._run(self._open.find, task_id)

    async def records(self, batch_id: BatchId) -> Sequence[TaskRecord]:
        """Every task of a list, in the order of the list."""
        return await self._read_snapshot(self._open.records, batch_id)

    async def query(self, look: Callable[[Connection], T]) -> T:
        """Look something up: see ``poolwright.journal.queries``."""
        return await self._read_snapshot(self._open.query, look)

    async def read(self, use: Callable[[JournalReader], T]) -> T:
        """Let a report be made of what stands in the journal now, for as long as that takes; gives what ``use`` gives.

        Others go on meanwhile, those who write and those who ask.

        Args:
            use: Called in a thread; what it is given is of no use after it. It calls ``threads.heed`` again and again,
                which ends it where nobody waits any more.
        """
        return await self._reporters.run(partial(self._open.read, use))

    async def collect_open(self, batch_id: BatchId, prefix: str) -> int:
        """Put every task of any list that is not over into one list too, made when there is none; tells how many.

        Args:
            batch_id: The list.
            prefix: Only of tasks whose ids begin so. Others that are in the list and not over leave it.
        """
        return await self._run(self._open.collect_open, batch_id, prefix)

    async def prune(self, before: datetime, spared: Collection[BatchId] = ()) -> PruneResult:
        """Remove what ended before a moment: moves and attempts of orders, and lists of nothing but such orders.

        Tasks and reports stay, so no order that is done is ever fetched again. Many small transactions: other calls
        go in between. A caller that is cancelled leaves the rest for the next time.

        Args:
            before: Aware.
            spared: Lists that stay whatever their age.
        """
        steps = self._open.prune(before, spared)
        total = PruneResult()
        while (done := await self._run(next, steps, None)) is not None:
            total += done
        return total

    async def compact(self) -> CompactResult:
        """Give free room within the file back to the disk. Every other call waits until it is done.

        Raises:
            JournalLockedError: Another program reads the file; ask again later.
            JournalFullError: The disk has no room for the copy that this takes.
        """
        return await self._run(self._open.compact)

    @property
    def _open(self) -> BlockingJournal:
        if self._ledger is None:
            raise JournalError(f"The journal {self._path} is not open.")
        return self._ledger

    async def _run(self, work: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        return await self._writer.run(partial(work, *args, **named))

    async def _read_snapshot(self, look: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        return await self._readers.run(partial(look, *args, **named))

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
