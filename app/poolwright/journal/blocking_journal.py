"""The blocking side of the journal: one method, one transaction, with the change and its history together.

Blocking. ``SqliteJournal`` owns it and calls it in a thread; nobody else does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from sqlite3 import Connection
from typing import TypeVar

from poolwright.domain.account import Account
from poolwright.domain.ids import BatchId, TaskId, WorkerRef
from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.domain.ports import Accepted, Clock
from poolwright.domain.state_machine import Transition
from poolwright.domain.tasks import OrderList, POTask, Report, TaskRecord
from poolwright.journal import queries, retention, sql_batches, sql_tasks
from poolwright.journal.database import CompactResult, Database
from poolwright.journal.errors import JournalAccountError
from poolwright.journal.reader import JournalReader
from poolwright.journal.task_rules import CANCELLED_REPORT, LOST_REPORT, RetryClock, acceptance, validate_orders

T = TypeVar("T")


class BlockingJournal:
    """The methods of ``domain.ports.Journal`` as blocking calls, without the event loop."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Write into an open database."""
        self._database = database
        self._clock = clock
        self._waits = RetryClock(clock)

    def claim_account(self, account: Account) -> None:
        """Make sure that the orders of a portal are this account's."""
        with self._database.transaction() as connection:
            if whose := sql_batches.conflicting_owner(connection, account):
                raise JournalAccountError(self._database.path, whose, account)
            sql_batches.save_account(connection, account)

    def transfer_account(self, account: Account) -> None:
        """Take the orders of a portal for this account's."""
        with self._database.transaction() as connection:
            sql_batches.save_account(connection, account)

    def accept(self, orders: OrderList) -> Accepted:
        """Keep a list and queue what is new in it."""
        validate_orders(orders)
        with self._database.transaction(is_large=True) as connection:
            new_count = sql_batches.save_list(connection, orders, self._clock.now())
            return acceptance(new_count, sql_batches.count_by_status(connection, orders.batch_id))

    def add(self, batch_id: BatchId, further: Sequence[POTask]) -> int:
        """Put tasks at the end of a list."""
        with self._database.transaction() as connection:
            return sql_batches.extend_list(connection, batch_id, further, self._clock.now())

    def recover(self, max_attempts: int) -> int:
        """Queue again what a dead run had in its hands, or end it after its last attempt."""
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

    def reopen(self, task_ids: Collection[TaskId]) -> int:
        """Queue again those of these tasks that are over."""
        with self._database.transaction() as connection:
            cases = sql_tasks.find_finished(connection, task_ids, self._clock.now())
            for case in cases:
                sql_tasks.save_move(connection, case.reopen())
            return len(cases)

    def fetch(self, batch_id: BatchId, limit: int) -> Sequence[POTask]:
        """Claim due tasks of a list."""
        with self._database.transaction() as connection:
            cases = sql_tasks.find_due(connection, batch_id, limit, by=self._waits.now(), at=self._clock.now())
            return tuple(sql_tasks.save_move(connection, case.assign()).task for case in cases)

    def start(self, task_id: TaskId, worker: WorkerRef) -> POTask:
        """Begin an attempt."""
        at = self._clock.now()
        with self._database.transaction() as connection:
            task = sql_tasks.save_move(connection, sql_tasks.load_machine(connection, task_id, at).start(worker)).task
            sql_tasks.begin_attempt(connection, task_id, task.attempt, worker, at)
            return task

    def give_back(
        self, task_id: TaskId, why: Reason | ReturnReason, *, detail: str, delay_s: float, is_attempt_spent: bool
    ) -> None:
        """Queue a claimed or running task again."""
        at = self._clock.now()
        with self._database.transaction() as connection:
            case = sql_tasks.load_machine(connection, task_id, at)
            not_before = self._waits.due_at(delay_s)
            sql_tasks.save_move(
                connection,
                case.give_back(why, detail, not_before=not_before, is_attempt_spent=is_attempt_spent),
            )
            sql_tasks.end_attempt(connection, task_id, why, at, is_spent=is_attempt_spent)

    def count_death(self, task_id: TaskId) -> int:
        """Add one dead worker to a task."""
        with self._database.transaction() as connection:
            return sql_tasks.count_death(connection, task_id)

    def finish(self, task_id: TaskId, report: Report, folder: str) -> None:
        """Write the outcome."""
        at = self._clock.now()
        with self._database.transaction() as connection:
            sql_tasks.save_move(connection, sql_tasks.load_machine(connection, task_id, at).finish(report.reason))
            sql_tasks.end_attempt(connection, task_id, report.reason, at, is_spent=True)
            sql_batches.save_report(connection, task_id, report, folder, at)

    def finish_waiting(self, batch_id: BatchId, report: Report, limit: int) -> Sequence[POTask]:
        """Write one outcome for the first tasks of a list that wait."""
        at = self._clock.now()
        with self._database.transaction() as connection:
            cases = sql_tasks.find_waiting(connection, batch_id, limit, at)
            sql_tasks.save_moves(connection, [case.finish(report.reason) for case in cases])
            for case in cases:
                sql_batches.save_report(connection, case.state.task_id, report, "", at)
            return tuple(case.state.task for case in cases)

    def cancel(self, task_id: TaskId) -> bool:
        """End a task that still waits."""
        at = self._clock.now()
        with self._database.transaction() as connection:
            case = sql_tasks.load_machine(connection, task_id, at)
            if not case.is_cancellable:
                return False
            sql_tasks.save_move(connection, case.cancel())
            sql_batches.save_report(connection, task_id, CANCELLED_REPORT, "", at)
            return True

    def cancel_all(self, task_ids: Collection[TaskId]) -> Sequence[TaskId]:
        """End those of these tasks that still wait; by their ids."""
        at = self._clock.now()
        with self._database.transaction(is_large=True) as connection:
            cases = sql_tasks.find_queued(connection, task_ids, at)
            for case in cases:
                sql_tasks.save_move(connection, case.cancel())
                sql_batches.save_report(connection, case.state.task_id, CANCELLED_REPORT, "", at)
            return tuple(case.state.task_id for case in cases)

    def record(self, moves: Sequence[Transition]) -> None:
        """Keep the moves of other machines."""
        with self._database.transaction() as connection:
            sql_tasks.append_transitions(connection, moves)

    def counts(self, batch_id: BatchId) -> Mapping[str, int]:
        """Tasks of a list by status."""
        with self._database.read() as connection:
            return sql_batches.count_by_status(connection, batch_id)

    def members(self, batch_id: BatchId, task_ids: Collection[TaskId]) -> Collection[TaskId]:
        """Which of these tasks a list has."""
        with self._database.read() as connection:
            return sql_batches.find_members(connection, batch_id, task_ids)

    def next_due_s(self, batch_id: BatchId) -> float | None:
        """Seconds until a queued task of a list is due."""
        with self._database.read() as connection:
            return sql_tasks.next_due_s(connection, batch_id, self._waits.now())

    def find(self, task_id: TaskId) -> TaskRecord | None:
        """One task, whatever its list."""
        with self._database.read() as connection:
            return sql_batches.find_record(connection, task_id)

    def records(self, batch_id: BatchId) -> Sequence[TaskRecord]:
        """Every task of a list in its order."""
        with self._database.read_snapshot() as connection:
            return sql_batches.read_records(connection, batch_id)

    def query(self, look: Callable[[Connection], T]) -> T:
        """Look something up."""
        with self._database.read_snapshot() as connection:
            return look(connection)

    def read(self, use: Callable[[JournalReader], T]) -> T:
        """Read a little at a time, all of it as it is now."""
        with self._database.read_snapshot() as connection:
            return use(JournalReader(connection))

    def collect_open(self, batch_id: BatchId, prefix: str) -> int:
        """Put every open task whose id begins so into one list."""
        with self._database.transaction(is_large=True) as connection:
            return queries.collect_open(connection, batch_id, prefix, self._clock.now())

    def prune(self, before: datetime, spared: Collection[BatchId]) -> Iterator[retention.PruneResult]:
        """Remove old history and lists, one transaction a step."""
        return retention.prune(self._database, before, spared)

    def compact(self) -> CompactResult:
        """Give free room back to the disk."""
        return self._database.compact()
