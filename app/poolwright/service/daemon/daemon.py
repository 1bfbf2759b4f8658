"""Operations of the daemon: submit lists, query, cancel and retry orders, and control the pool.

Every list is stored as it was submitted, for its report; its orders also belong to one common list, which the pool
processes. The HTTP interface, the schedules and the inbox use these operations; none of them uses the pool.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread

from poolwright.archive.output_tree import OutputTree
from poolwright.archive.report import ReportFiles
from poolwright.domain.events import Event, Level, TaskEnded
from poolwright.domain.ids import BatchId, TaskId
from poolwright.domain.options import SHUTDOWN_TIMEOUT_MAX_S
from poolwright.domain.order_groups import GroupSetAside, quoted_group
from poolwright.domain.ports import Accepted, Clock
from poolwright.domain.states import WORKING_STATUSES, TaskStatus
from poolwright.domain.tasks import OrderList, TaskRecord
from poolwright.journal import queries
from poolwright.journal.queries import FailureClass, ListView, OrderQuery
from poolwright.journal.sqlite_journal import SqliteJournal
from poolwright.service.batch import ListOptions, RedoPolicy
from poolwright.service.daemon.column_rules import ColumnRules
from poolwright.service.daemon.errors import ConflictError, DrainingError, NotFoundError
from poolwright.service.daemon.event_stream import EventStream, Throughput
from poolwright.service.daemon.file_checks import FileChecks
from poolwright.service.daemon.metrics import Metrics
from poolwright.service.daemon.reports import DaemonStatus, find_not_ready_reasons, write_list_report
from poolwright.service.journal_maintenance import JournalMaintenance
from poolwright.supervisor.policy.commands import Stop, StopCause
from poolwright.supervisor.pool import PersistentWorkerPool

#: The common list of a journal.
COMMON_BATCH_ID = BatchId("daemon")
_NO_OPTIONS = ListOptions()
#: Maximum count of lists on one page.
LISTS_MAX = 200
#: A worker takes a screenshot in a tenth of a second; a busy one takes longer.
THUMBNAIL_WAIT_S = 5.0


class Daemon:
    """One journal and one pool, used by several clients. Created by ``open_daemon``."""

    def __init__(  # noqa: PLR0913 - the parts of a daemon
        self,
        *,
        journal: SqliteJournal,
        tree: OutputTree,
        clock: Clock,
        out: Path,
        prefix: str,
        checks: FileChecks,
        rules: ColumnRules,
    ) -> None:
        """Start without a pool; ``attach_pool`` adds it. ``prefix`` begins the ids of this account's orders."""
        self.events = EventStream()
        #: Lists whose earlier files are to be checked.
        self.file_checks = checks
        self._prefix = prefix
        self._rules = rules
        self.started_at = clock.now()
        self._journal = journal
        self._tree = tree
        self._clock = clock
        self._out = out
        self._throughput = Throughput(clock.monotonic())
        self._metrics = Metrics(clock.monotonic)
        self._pool: PersistentWorkerPool | None = None
        #: Time limit for the shutdown of the pool.
        self._shutdown_timeout_s = SHUTDOWN_TIMEOUT_MAX_S
        self._is_draining = False

    def attach_pool(self, pool: PersistentWorkerPool, shutdown_timeout_s: float) -> None:
        """Attach the pool, with its time limit for shutdown."""
        self._pool, self._shutdown_timeout_s = pool, shutdown_timeout_s

    def set_shutdown_timeout(self, shutdown_timeout_s: float) -> None:
        """Give the pool another time limit for its shutdown."""
        self._shutdown_timeout_s = shutdown_timeout_s

    def observe(self, event: Event) -> None:
        """See ``EventSink``."""
        if isinstance(event, TaskEnded):
            self._throughput.record(self._clock.monotonic())
        self._metrics(event)
        self.events(event)

    @property
    def pool(self) -> PersistentWorkerPool:
        """The pool.

        Raises:
            ConflictError: The pool is not attached yet.
        """
        if self._pool is None:
            raise ConflictError("The pool is still starting. Try again in a moment.")
        return self._pool

    async def submit(self, orders: OrderList, options: ListOptions = _NO_OPTIONS) -> Accepted:
        """Submit a list; when this returns, it is in the journal and its new orders are in the queue.

        A file check in the background then queues finished orders again that ``options`` select or whose files are
        missing.

        Raises:
            DrainingError: The daemon accepts no new orders.
            InputRefusedError: The list lacks a column that its folders or groups need.
            PoolError: The journal cannot store the list.
        """
        self._check_accepts()
        self.file_checks.require_room()
        prepared = self._rules.prepare(orders, options)
        accepted = await self._journal.accept(prepared)
        await self.pool.submissions.submit_all(prepared.tasks)
        if accepted.done_count and options.redo is not RedoPolicy.NOTHING:
            await self.file_checks.add(orders.batch_id, options.redo, is_refresh=options.is_refresh)
        told = prepared.notices[len(orders.notices) :]
        return replace(accepted, notices=(*told, *self._set_aside_notices(prepared)))

    async def resume_group(self, group: str) -> int:
        """Process the orders of a group again that is set aside; return how many ended for that reason.

        Raises:
            NotFoundError: The group is not set aside.
            DrainingError: The daemon starts no more orders.
        """
        self._check_accepts()
        groups = {found.name: found for found in await self.groups_set_aside()}
        if group not in groups:
            known = f"Set aside: {', '.join(groups)}." if groups else "No group is set aside."
            raise NotFoundError(f"The group {group} is not set aside, so it cannot be resumed. {known}")
        self.pool.resume_group(group)
        return groups[group].order_count

    async def groups_set_aside(self) -> Sequence[GroupSetAside]:
        """Return the groups whose orders are not processed until a person resumes them, by name."""
        return await self._journal.query(partial(queries.find_groups_set_aside, prefix=self._prefix))

    async def cancel(self, query: OrderQuery, task_ids: Collection[TaskId] | None = None) -> int:
        """Cancel the queued ones of these orders, and the file check of a list; return how many were cancelled."""
        if task_ids is None and query.list_id is not None and query == OrderQuery(list_id=query.list_id):
            await self.file_checks.cancel(query.list_id)
        waiting = list(task_ids) if task_ids is not None else []
        if task_ids is None:  # ASSIGNED orders have not started either
            for status in (TaskStatus.QUEUED, TaskStatus.ASSIGNED):
                waiting += await self._ids(replace(query, status=status))
        return await self.pool.submissions.cancel_all(waiting)

    async def retry(self, query: OrderQuery, task_ids: Collection[TaskId] | None = None) -> int:
        """Queue the finished ones of these orders again; return how many. Of a whole list, only those without a result.

        Raises:
            DrainingError: The daemon accepts no new orders.
        """
        self._check_accepts()
        query = replace(query, is_undone=query.outcome is None and query.reason is None)
        ids = task_ids if task_ids is not None else await self._ids(query)
        find = partial(queries.find_finished_ids, task_ids=ids, prefix=self._prefix, at=self._clock.now())
        finished = await self._journal.query(find)
        await self.pool.submissions.submit_all(finished)  # some may belong to a list of an earlier batch
        return await self.pool.submissions.reopen([task.task_id for task in finished])

    async def status(self) -> DaemonStatus:
        """Return the current status."""
        figures = await self._journal.query(partial(queries.count_all, pool_list=COMMON_BATCH_ID))
        # what the pool itself has open was counted at another moment: it would not add up with the ended ones
        pool = replace(self.pool.get_status(), open_count=figures.open_count)
        now_s = self._clock.monotonic()
        return DaemonStatus(
            started_at=self.started_at,
            pool=pool,
            counts=figures.counts,
            outcomes=figures.outcomes,
            groups=tuple(await self.groups_set_aside()),
            rate_per_s=self._throughput.rate_per_s(now_s),
            remaining_s=self._throughput.remaining_s(pool.open_count, now_s),
            is_draining=self._is_draining,
            end=self.pool.end,
        )

    def not_ready_reasons(self) -> tuple[str, ...]:
        """Return why no work is accepted or done, one sentence each; empty if ready."""
        return find_not_ready_reasons(self.pool.get_status(), self.pool.end, is_draining=self._is_draining)

    async def metrics(self) -> bytes:
        """Return the Prometheus metrics."""
        oldest_at = await self._journal.query(partial(queries.oldest_open_at, excluded=COMMON_BATCH_ID))
        age_s = 0.0 if oldest_at is None else max(0.0, (self._clock.now() - oldest_at).total_seconds())
        return self._metrics.render(self.pool.get_status(), age_s)

    async def lists(self, limit: int = LISTS_MAX, offset: int = 0) -> Sequence[ListView]:
        """Return a page of the lists, the latest first."""
        return await self._journal.query(
            partial(queries.find_lists, excluded=COMMON_BATCH_ID, limit=limit, offset=offset)
        )

    async def list_view(self, list_id: BatchId) -> ListView:
        """Return one list and its progress.

        Raises:
            NotFoundError: The list is unknown.
        """
        view = (
            None
            if list_id == COMMON_BATCH_ID
            else await self._journal.query(partial(queries.find_list, batch_id=list_id))
        )
        if view is None:
            raise NotFoundError(f"There is no list {list_id}. `poolwright status` shows all lists.")
        return view

    async def orders(self, query: OrderQuery) -> Sequence[TaskRecord]:
        """Return one page of orders."""
        return await self._journal.query(partial(queries.find_orders, query=query))

    async def order(self, task_id: TaskId) -> TaskRecord:
        """Return one order.

        Raises:
            NotFoundError: The order is unknown.
        """
        record = await self._journal.find(task_id)
        if record is None:
            raise NotFoundError(f"There is no order {task_id}.")
        return record

    async def failures(self) -> Sequence[FailureClass]:
        """Return failures grouped by reason."""
        return await self._journal.query(queries.find_failures)

    async def evidence(self, task_id: TaskId, name: str) -> Path:
        """Return the path of a screenshot or page source of an order's failure.

        Raises:
            NotFoundError: The order has no evidence of this name, or its file was removed.
        """
        record = await self.order(task_id)
        path = await anyio.to_thread.run_sync(self._tree.evidence, record, name)
        if path is None:
            raise NotFoundError(f"The order {record.task.po_number} has no {name}.")
        return path

    async def report(self, list_id: BatchId) -> ReportFiles:
        """Write the current report of a list into a new folder, which the caller removes.

        Raises:
            NotFoundError: The list is unknown.
            ConflictError: The report cannot be written.
        """
        await self.list_view(list_id)
        return await write_list_report(self._journal, list_id, self._out)

    async def thumbnail(self, slot: int, task_id: TaskId) -> bytes:
        """Return a JPEG screenshot of an order's tab.

        Raises:
            NotFoundError: The order has no open tab, or the worker does not answer in time.
        """
        worker = next((worker for worker in self.pool.workers if worker.ref.slot == slot), None)
        image = b""
        with anyio.move_on_after(THUMBNAIL_WAIT_S):
            image = await worker.thumbnail(task_id) if worker is not None else b""
        if not image:
            raise NotFoundError("This order has no open tab.")
        return image

    def pause(self) -> None:
        """Pause: no new order starts."""
        self.pool.pause()

    def resume(self) -> None:
        """Resume after a pause or a login."""
        self.pool.resume()

    def drain(self) -> None:
        """Accept no new orders; orders in progress are finished, queued orders stay in the queue."""
        self._is_draining = True
        self.pool.stop()

    def maintenance(
        self, retention_days: Callable[[], int], report: Callable[[Level, str], None]
    ) -> JournalMaintenance:
        """Return the maintenance of the journal. It never deletes the common list."""
        spared = frozenset({COMMON_BATCH_ID})
        return JournalMaintenance(
            self._journal, self._clock, retention_days=retention_days, report=report, spared=lambda: spared
        )

    def is_idle(self) -> bool:
        """Return whether no worker has an order."""
        return not any(worker.task_ids for worker in self.pool.get_status().workers)

    @property
    def end(self) -> Stop | None:
        """Why the pool has ended without a request to stop; ``None`` while it works."""
        end = self.pool.end
        return end if end is not None and end.cause is not StopCause.ASKED else None

    def is_alive(self) -> bool:
        """Return whether the pool is running and processes its events."""
        return self.end is None and self.pool.is_alive(anyio.current_time())

    def shutdown_now(self) -> None:
        """End without waiting for orders in progress; they return to the queue."""
        self.pool.shutdown_now()

    async def close(self) -> None:
        """Accept no new orders, finish those in progress, and end all event streams."""
        self._is_draining = True
        await self.pool.shutdown(self._shutdown_timeout_s)
        self.events.close()

    def restart_worker(self, slot: int) -> None:
        """Recycle a worker: it restarts with a new browser after its current tasks.

        Raises:
            NotFoundError: There is no such worker.
            ConflictError: The worker is not running.
        """
        worker = next((worker for worker in self.pool.workers if worker.ref.slot == slot), None)
        if worker is None:
            raise NotFoundError(f"There is no worker {slot}; the workers are 1 to {len(self.pool.workers)}.")
        if worker.status not in WORKING_STATUSES:
            raise ConflictError(f"The worker {slot} is {worker.status.name}; try again when it is running.")
        self.pool.restart_worker(slot)

    async def _ids(self, query: OrderQuery) -> list[TaskId]:
        return await self._journal.query(partial(queries.find_ids, query=query))

    def _set_aside_notices(self, orders: OrderList) -> tuple[str, ...]:
        """Return a sentence for each group of a list that is set aside."""
        names = {task.group for task in orders.tasks} & set(self.pool.get_status().groups_set_aside)
        return tuple(
            f"The group {name} is set aside: its orders are not processed until you give the command "
            f"`poolwright resume-group {quoted_group(name)}`."
            for name in sorted(names)
        )

    def _check_accepts(self) -> None:
        if self._is_draining:
            raise DrainingError("The daemon is draining and accepts no new orders. Restart it to continue.")
        if self.pool.end is not None:
            raise DrainingError(f"The pool has ended ({self.pool.end.detail}). Fix this and restart the daemon.")
