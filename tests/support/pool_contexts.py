"""The context of a pool without the pool: for tests of its parts. What they post is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio

from poolwright.archive.output_tree import OutputTree
from poolwright.concurrency import SystemClock, WaitGroup
from poolwright.domain.ports import Archive, EventSink, Journal
from poolwright.supervisor.deadline import Deadline
from poolwright.supervisor.observation import EventLog
from poolwright.supervisor.policy.events import PoolInput
from poolwright.supervisor.pool_context import PolicyInbox, PoolContext, PoolPorts
from poolwright.supervisor.storage_monitor import StorageMonitor, WatchedFolder
from poolwright.supervisor.task_queue import TaskFeeder
from tests.support.memory_journal import MemoryJournal
from tests.support.tasks import BATCH

TASK_TIMEOUT_S = 300.0


class PostedEvents(PolicyInbox):
    """Keeps what is posted; nobody receives it."""

    def __init__(self) -> None:  # no stream, which somebody would have to close
        self.unsettled = WaitGroup()
        self.events: list[PoolInput] = []

    def post(self, event: PoolInput) -> None:
        self.events.append(event)


class KnownFolders:
    """Watched folders that are known beforehand; none of them can be made again."""

    def __init__(self, *folders: WatchedFolder) -> None:
        self.folders = folders

    def watched_folders(self) -> tuple[WatchedFolder, ...]:
        return self.folders

    def recreate(self, folder: WatchedFolder) -> None:
        raise AssertionError(folder)


def pool_context(
    journal: Journal | None = None,
    archive: Archive | None = None,
    observe: EventSink = lambda _: None,
    inbox: PolicyInbox | None = None,
    **ports: Any,  # noqa: ANN401 - further ports by name
) -> PoolContext:
    """A context of which only the given parts are of interest."""
    clock = SystemClock()
    journal = journal or MemoryJournal(clock)
    return PoolContext(
        ports=PoolPorts(
            journal=journal,
            archive=archive or OutputTree(Path("/nonexistent/out"), clock=clock),
            clock=clock,
            observe=observe,
            batch_id=BATCH,
            **ports,
        ),
        event_log=EventLog(journal, observe),
        inbox=inbox or PostedEvents(),
        deadline=Deadline(),
        ending=anyio.Event(),
    )


def posted(context: PoolContext) -> list[PoolInput]:
    """What the parts with this context have posted so far."""
    assert isinstance(context.inbox, PostedEvents)
    return context.inbox.events


def feeder_of(journal: Journal, tab_count: int = 1) -> TaskFeeder:
    """Feeds the tasks of a journal."""
    return TaskFeeder(pool_context(journal), tab_count, TASK_TIMEOUT_S)


def storage_of(context: PoolContext, *folders: WatchedFolder) -> StorageMonitor:
    """Watches these folders."""
    return StorageMonitor(context, KnownFolders(*folders))
