"""The queue between the journal and the workers, which take a task from it whenever a tab is free.

The number of tasks that are claimed ahead is bounded; a task that returns is never refused. A task on trial is kept
apart: only a worker that has done no task yet may take it.
"""

from __future__ import annotations

import asyncio
import bisect
import itertools
from dataclasses import replace

import anyio

from poolwright.domain.events import TaskStarted
from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.options import Courtesy
from poolwright.domain.outcomes import ReturnReason
from poolwright.domain.tasks import POTask
from poolwright.supervisor.policy.events import TaskWithheld, TrialQueued
from poolwright.supervisor.pool_context import PoolContext
from poolwright.supervisor.portal_gate import PortalGate

#: Tasks claimed ahead for each tab: enough that no tab waits for the disk, and few, because a crash returns them all.
AHEAD_PER_TAB = 2


class TaskQueue(asyncio.Queue[POTask]):
    """A queue ordered by the first claim of each task: a task that returns keeps its position."""

    def _init(self, maxsize: int) -> None:
        del maxsize  # a task that returns must never be refused; the feeder bounds what is claimed ahead
        self._tasks: list[POTask] = []
        self._ranks: dict[TaskId, int] = {}
        self._next_rank = itertools.count()

    def _put(self, item: POTask) -> None:
        self._ranks.setdefault(item.task_id, next(self._next_rank))
        bisect.insort(self._tasks, item, key=lambda task: self._ranks[task.task_id])

    def _get(self) -> POTask:
        return self._tasks.pop(0)

    def qsize(self) -> int:
        """Return the number of queued tasks."""
        return len(self._tasks)

    def empty(self) -> bool:
        """Whether no task is queued."""
        return not self._tasks

    @property
    def tasks(self) -> tuple[POTask, ...]:
        """The queued tasks in their order."""
        return tuple(self._tasks)

    def withdraw(self, task_id: TaskId) -> bool:
        """Remove one task; return false if it is not queued."""
        rest = [task for task in self._tasks if task.task_id != task_id]
        was_queued = len(rest) < len(self._tasks)
        self._tasks[:] = rest
        return was_queued

    def forget(self, task_id: TaskId) -> None:
        """Drop the position of a task that never returns."""
        self._ranks.pop(task_id, None)


class TaskFeeder:
    """Feeds ``task_queue`` from the journal, in which a claimed task is ASSIGNED; at the end it returns the others."""

    def __init__(
        self, context: PoolContext, tab_count: int, task_timeout_s: float, gate: PortalGate | None = None
    ) -> None:
        """Feed the tasks of the pool's list to its tabs.

        Args:
            context: The context of the pool; its deadline abandons a claim whose disk hangs.
            tab_count: Number of tabs that can be open at the same time.
            task_timeout_s: Time limit of a task that has none of its own.
            gate: The gate that tasks pass before they start; one without limits if ``None``.
        """
        self.gate = gate or PortalGate(context, Courtesy(), tab_count)
        self._context = context
        self._task_timeout_s = task_timeout_s
        self._ahead_count = tab_count * AHEAD_PER_TAB
        # Every tab may return its task while as many later ones are claimed.
        self._claimed_max = self._ahead_count + tab_count
        self.task_queue = TaskQueue()
        self._on_trial: list[POTask] = []
        #: Groups whose tasks do not start, and such tasks, which are claimed.
        self._withheld_groups: set[str] = set()
        self._withheld: list[POTask] = []
        self._returned_count = 0
        self._changed = anyio.Event()
        self._opened = anyio.Event()
        self._opened.set()
        self._feeding: anyio.CancelScope | None = None
        self._is_stopped = False

    def set_task_timeout(self, task_timeout_s: float) -> None:
        """Set another time limit for tasks that start from now on."""
        self._task_timeout_s = task_timeout_s

    def set_open(self, *, is_open: bool) -> None:
        """Allow or forbid taking tasks; queued tasks stay in the queue meanwhile."""
        if is_open:
            self._opened.set()
        elif self._opened.is_set():
            self._opened = anyio.Event()

    def wake(self) -> None:
        """Look for due tasks again, after a task has returned to the journal."""
        self._returned_count += 1
        self._changed.set()

    async def dequeue(self, *, is_fresh: bool = False) -> POTask:
        """Wait for the next task in the order of the list and return it; safe to cancel.

        Args:
            is_fresh: Whether it is the first task of a worker, so that it may be one on trial.
        """
        while True:
            await self._opened.wait()
            await self.gate.wait()
            if is_fresh and self._on_trial:
                if self._opened.is_set() and self.gate.pass_through(self._on_trial[0].task_id):
                    return self._on_trial.pop(0)
                continue
            task = await self.task_queue.get()
            if self._opened.is_set() and self.gate.pass_through(task.task_id):
                self._changed.set()
                return task
            self.requeue(task)

    async def start(self, task: POTask, worker: WorkerRef) -> POTask:
        """Record that an attempt begins; return the task with its attempt number and its time limit."""
        started = await self._context.journal.start(task.task_id, worker)
        self._context.event_log.publish(TaskStarted(task=started, worker=worker))
        return started if started.timeout_s is not None else replace(started, timeout_s=self._task_timeout_s)

    def requeue(self, task: POTask) -> None:
        """Return a task that was not begun to its old position, unless its group is withheld."""
        self.gate.turn_back(task.task_id)
        if task.group in self._withheld_groups:
            self._withheld.append(task)
            self._context.post(TaskWithheld(task=task))
        elif task.is_on_trial:
            self._on_trial.append(task)
            self._context.post(TrialQueued(task_id=task.task_id))
        else:
            self.task_queue.put_nowait(task)

    def withhold_group(self, group: str) -> None:
        """Let no further task of a group start; those that are claimed stay claimed."""
        self._withheld_groups.add(group)
        claimed = [task for task in (*self.task_queue.tasks, *self._on_trial) if task.group == group]
        for task in claimed:
            self.withdraw(task.task_id)
        self._withheld += claimed

    def release_group(self, group: str) -> None:
        """Let tasks of a group start again; those that are claimed return to their old positions."""
        self._withheld_groups.discard(group)
        for task in self.take_withheld(group):
            self.requeue(task)

    def take_withheld(self, group: str) -> tuple[POTask, ...]:
        """Remove and return the claimed tasks of a group that do not start."""
        taken = tuple(task for task in self._withheld if task.group == group)
        self._withheld = [task for task in self._withheld if task.group != group]
        self._changed.set()  # their places are free
        return taken

    def is_withheld(self, task: POTask) -> bool:
        """Whether tasks of its group do not start."""
        return task.group in self._withheld_groups

    def forget(self, task_id: TaskId) -> None:
        """Drop the position of a task that never returns."""
        self.task_queue.forget(task_id)

    def end_waits(self) -> None:
        """Move tasks on trial and those of withheld groups into the queue, because no worker is left for them."""
        self._withheld_groups.clear()
        for tasks in (self._on_trial, self._withheld):
            while tasks:
                self.task_queue.put_nowait(tasks.pop())

    async def feed(self) -> None:
        """Claim due tasks while the queue has free places, until cancelled or stopped."""
        with anyio.CancelScope() as self._feeding:
            while not self._is_stopped:
                self._changed = anyio.Event()
                free_count = self._free_place_count()
                tasks = await self._claim(free_count) if free_count else ()
                if not tasks:
                    await self._wait_for_change(is_full=not free_count)

    def stop_feeding(self) -> None:
        """Stop claiming tasks; queued tasks may still be taken."""
        self._is_stopped = True
        if self._feeding is not None:
            self._feeding.cancel()

    def withdraw(self, task_id: TaskId) -> bool:
        """Remove one task from the queue; return false if it is not queued."""
        was_queued = self.task_queue.withdraw(task_id)
        for tasks in (self._on_trial, self._withheld):
            rest = [task for task in tasks if task.task_id != task_id]
            was_queued = was_queued or len(rest) < len(tasks)
            tasks[:] = rest
        if was_queued:
            self._changed.set()  # its place is free
        return was_queued

    async def release_all(self) -> int:
        """Return all queued tasks to the journal and return their number; called after the workers have ended."""
        count = 0
        self.end_waits()
        while not self.task_queue.empty():
            task = self.task_queue.get_nowait()
            await self._context.journal.requeue(
                task.task_id, ReturnReason.DRAINING, detail="", delay_s=0.0, is_attempt_spent=False
            )
            count += 1
        return count

    def _free_place_count(self) -> int:
        """Return how many tasks to claim; returned tasks have extra places, so that they do not wait for later ones."""
        queued_count = self.task_queue.qsize() + len(self._withheld)
        wanted_count = max(self._ahead_count - queued_count, 0) + self._returned_count
        self._returned_count = 0
        return max(0, min(wanted_count, self._claimed_max - queued_count))

    async def _claim(self, count_max: int) -> tuple[POTask, ...]:
        tasks: tuple[POTask, ...] = ()
        with self._context.deadline.shield():  # a claimed task must reach the queue
            tasks = tuple(await self._context.journal.fetch(self._context.batch_id, count_max))
            for task in tasks:
                self.requeue(task)
        return tasks

    async def _wait_for_change(self, *, is_full: bool) -> None:
        """Wait until the queue changes or, unless it is full, until the next delayed task is due."""
        due_s = None if is_full else await self._context.journal.next_due_s(self._context.batch_id)
        with anyio.move_on_after(due_s):
            await self._changed.wait()


class TabSlots:
    """Counts the free tabs of one generation."""

    def __init__(self, count: int) -> None:
        """Start with all tabs free."""
        self._count = count
        self._free = anyio.Semaphore(count)
        self._alone: TaskId | None = None

    async def acquire(self) -> None:
        """Wait for a free tab and take it."""
        await self._free.acquire()

    async def acquire_exclusive(self, task_id: TaskId) -> None:
        """Wait until every other tab is free and take them too; ``release`` frees them all."""
        taken_count = 0
        try:
            for _ in range(self._count - 1):
                await self._free.acquire()
                taken_count += 1
        except BaseException:
            self._release(taken_count)
            raise
        self._alone = task_id

    def release(self, task_id: TaskId) -> None:
        """Free the tab, or the tabs, of a task that is done."""
        is_alone = task_id == self._alone
        self._alone = None if is_alone else self._alone
        self._release(self._count if is_alone else 1)

    def _release(self, count: int) -> None:
        for _ in range(count):
            self._free.release()


async def next_task(feeder: TaskFeeder, tabs: TabSlots, *, is_fresh: bool = False) -> POTask:
    """Wait for a free tab and a task, and return the task; one on which a worker died gets all tabs of the worker.

    So a further crash is not caused by another task. Safe to cancel: a task that was not begun returns to its position.
    """
    await tabs.acquire()
    task = await feeder.dequeue(is_fresh=is_fresh)
    try:
        if task.death_count:
            await tabs.acquire_exclusive(task.task_id)
    except BaseException:
        feeder.requeue(task)
        raise
    return task
