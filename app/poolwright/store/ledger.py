"""What each call of the journal means: one method, one transaction, change and history together.

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
from poolwright.store import accounts, attempts, lists, reports, retention, search, tasks, transitions
from poolwright.store.admission import accepted, check_orders
from poolwright.store.database import Compacted, Database
from poolwright.store.errors import JournalAccountError
from poolwright.store.moves import CANCELLED, LOST
from poolwright.store.reading import Reading
from poolwright.store.waits import Waits

T = TypeVar("T")


class Ledger:
    """The methods of ``domain.ports.Journal`` as blocking calls, without the event loop."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Write into an open database."""
        self._database = database
        self._clock = clock
        self._waits = Waits(clock)

    def belong(self, account: Account) -> None:
        """Make sure that the orders of a portal are this account's."""
        with self._database.transaction() as connection:
            if whose := accounts.other_than(connection, account):
                raise JournalAccountError(self._database.path, whose, account)
            accounts.keep(connection, account)

    def adopt(self, account: Account) -> None:
        """Take the orders of a portal for this account's."""
        with self._database.transaction() as connection:
            accounts.keep(connection, account)

    def accept(self, orders: OrderList) -> Accepted:
        """Keep a list and queue what is new in it."""
        check_orders(orders)
        with self._database.transaction(is_large=True) as connection:
            new_count = lists.keep(connection, orders, self._clock.now())
            return accepted(new_count, lists.counts(connection, orders.batch_id))

    def add(self, batch_id: BatchId, further: Sequence[POTask]) -> int:
        """Put tasks at the end of a list."""
        with self._database.transaction() as connection:
            return lists.extend(connection, batch_id, further, self._clock.now())

    def recover(self, max_attempts: int) -> int:
        """Queue again what a dead run had in its hands, or end it after its last attempt."""
        at = self._clock.now()
        with self._database.transaction() as connection:
            tasks.shorten_waits(connection, self._waits.longest())
            cases = tasks.claimed(connection, at)
            for case in cases:
                task_id = case.standing.task_id
                is_last = case.standing.attempt_count >= max_attempts
                tasks.write(connection, case.finished(LOST.reason) if is_last else case.recovered())
                attempts.end(connection, task_id, None, at, is_spent=True)
                if is_last:
                    reports.keep(connection, task_id, LOST, "", at)
            return len(cases)

    def reopen(self, task_ids: Collection[TaskId]) -> int:
        """Queue again those of these tasks that are over."""
        with self._database.transaction() as connection:
            cases = tasks.over(connection, task_ids, self._clock.now())
            for case in cases:
                tasks.write(connection, case.reopened())
            return len(cases)

    def fetch(self, batch_id: BatchId, limit: int) -> Sequence[POTask]:
        """Claim due tasks of a list."""
        with self._database.transaction() as connection:
            cases = tasks.due(connection, batch_id, limit, by=self._waits.now(), at=self._clock.now())
            return tuple(tasks.write(connection, case.assigned()).task for case in cases)

    def start(self, task_id: TaskId, worker: WorkerRef) -> POTask:
        """Begin an attempt."""
        at = self._clock.now()
        with self._database.transaction() as connection:
            task = tasks.write(connection, tasks.case(connection, task_id, at).started(worker)).task
            attempts.begin(connection, task_id, task.attempt, worker, at)
            return task

    def give_back(
        self, task_id: TaskId, why: Reason | ReturnReason, *, detail: str, delay_s: float, is_attempt_spent: bool
    ) -> None:
        """Queue a claimed or running task again."""
        at = self._clock.now()
        with self._database.transaction() as connection:
            case = tasks.case(connection, task_id, at)
            not_before = self._waits.until(delay_s)
            tasks.write(
                connection,
                case.given_back(why, detail, not_before=not_before, is_attempt_spent=is_attempt_spent),
            )
            attempts.end(connection, task_id, why, at, is_spent=is_attempt_spent)

    def count_death(self, task_id: TaskId) -> int:
        """Add one dead worker to a task."""
        with self._database.transaction() as connection:
            return tasks.count_death(connection, task_id)

    def finish(self, task_id: TaskId, report: Report, folder: str) -> None:
        """Write the outcome."""
        at = self._clock.now()
        with self._database.transaction() as connection:
            tasks.write(connection, tasks.case(connection, task_id, at).finished(report.reason))
            attempts.end(connection, task_id, report.reason, at, is_spent=True)
            reports.keep(connection, task_id, report, folder, at)

    def finish_waiting(self, batch_id: BatchId, report: Report, limit: int) -> Sequence[POTask]:
        """Write one outcome for the first tasks of a list that wait."""
        at = self._clock.now()
        with self._database.transaction() as connection:
            cases = tasks.waiting(connection, batch_id, limit, at)
            tasks.write_all(connection, [case.finished(report.reason) for case in cases])
            for case in cases:
                reports.keep(connection, case.standing.task_id, report, "", at)
            return tuple(case.standing.task for case in cases)

    def cancel(self, task_id: TaskId) -> bool:
        """End a task that still waits."""
        at = self._clock.now()
        with self._database.transaction() as connection:
            case = tasks.case(connection, task_id, at)
            if not case.is_cancellable:
                return False
            tasks.write(connection, case.cancelled())
            reports.keep(connection, task_id, CANCELLED, "", at)
            return True

    def cancel_all(self, task_ids: Collection[TaskId]) -> Sequence[TaskId]:
        """End those of these tasks that still wait; by their ids."""
        at = self._clock.now()
        with self._database.transaction(is_large=True) as connection:
            cases = tasks.queued(connection, task_ids, at)
            for case in cases:
                tasks.write(connection, case.cancelled())
                reports.keep(connection, case.standing.task_id, CANCELLED, "", at)
            return tuple(case.standing.task_id for case in cases)

    def record(self, moves: Sequence[Transition]) -> None:
        """Keep the moves of other machines."""
        with self._database.transaction() as connection:
            transitions.write(connection, moves)

    def counts(self, batch_id: BatchId) -> Mapping[str, int]:
        """Tasks of a list by status."""
        with self._database.glance() as connection:
            return lists.counts(connection, batch_id)

    def members(self, batch_id: BatchId, task_ids: Collection[TaskId]) -> Collection[TaskId]:
        """Which of these tasks a list has."""
        with self._database.glance() as connection:
            return lists.members(connection, batch_id, task_ids)

    def next_due_s(self, batch_id: BatchId) -> float | None:
        """Seconds until a queued task of a list is due."""
        with self._database.glance() as connection:
            return tasks.wait_s(connection, batch_id, self._waits.now())

    def find(self, task_id: TaskId) -> TaskRecord | None:
        """One task, whatever its list."""
        with self._database.glance() as connection:
            return reports.find(connection, task_id)

    def records(self, batch_id: BatchId) -> Sequence[TaskRecord]:
        """Every task of a list in its order."""
        with self._database.study() as connection:
            return reports.records(connection, batch_id)

    def ask(self, look: Callable[[Connection], T]) -> T:
        """Look something up."""
        with self._database.study() as connection:
            return look(connection)

    def read(self, use: Callable[[Reading], T]) -> T:
        """Read a little at a time, all of it as it is now."""
        with self._database.study() as connection:
            return use(Reading(connection))

    def gather(self, batch_id: BatchId, prefix: str) -> int:
        """Put every open task whose id begins so into one list."""
        with self._database.transaction(is_large=True) as connection:
            return search.gather(connection, batch_id, prefix, self._clock.now())

    def forget(self, before: datetime, spared: Collection[BatchId]) -> Iterator[retention.Forgotten]:
        """Remove old history and lists, one transaction a step."""
        return retention.sweep(self._database, before, spared)

    def compact(self) -> Compacted:
        """Give free room back to the disk."""
        return self._database.compact()
