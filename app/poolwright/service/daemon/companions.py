"""What lives beside the pool of a daemon: timetable, inbox, upkeep of the journal, word to the service manager."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio

from poolwright.domain.errors import unwrap_group
from poolwright.domain.events import Level, Notice
from poolwright.domain.ids import BatchId
from poolwright.domain.ports import Clock, EventSink
from poolwright.domain.states import TaskStatus
from poolwright.intake.orders import ReadOptions
from poolwright.journal.queries import OrderQuery
from poolwright.service.crew import limits_of
from poolwright.service.daemon.daemon import Daemon
from poolwright.service.inbox.opening import inbox_of
from poolwright.service.notify import Notifier
from poolwright.service.reload import Reloaded
from poolwright.service.schedules.entry import schedules_of
from poolwright.service.schedules.opening import timetable_of
from poolwright.service.schedules.submitted import Desk
from poolwright.service.schedules.timetable import Timetable
from poolwright.settings import Settings, SystemdEnvironment


@dataclass(slots=True, kw_only=True)
class Companions:
    """The services that run beside the pool of a daemon."""

    timetable: Timetable
    notifier: Notifier
    settings: Settings
    _daemon: Daemon
    _observe: EventSink = field(repr=False)

    async def take_over(self, reloaded: Reloaded) -> None:
        """Apply the changes that take effect at once, and report all changes."""
        self.notifier.reloading()
        self.settings = reloaded.settings
        self._daemon.pool.set_limits(limits_of(self.settings))
        self._daemon.shutdown_timeout_s = self.settings.shutdown_timeout_s
        await self.timetable.replace(schedules_of(self.settings))
        for text in reloaded.texts:
            self._observe(Notice(level=Level.INFO, text=text))
        self.notifier.ready()


@asynccontextmanager
async def accompanied(
    daemon: Daemon, settings: Settings, reading: ReadOptions, clock: Clock, observe: EventSink
) -> AsyncGenerator[Companions]:
    """Run the services beside a daemon for the duration of the block.

    Args:
        daemon: Takes their lists.
        settings: What they are told.
        reading: How the numbers of lists are read.
        clock: The time.
        observe: Is told what they do.

    Raises:
        OptionsError: The folder of a schedule or of the inbox is not allowed.
    """
    timetable = timetable_of(settings, desk=_desk(daemon), reading=reading, clock=clock, observe=observe)
    inbox = inbox_of(settings, submit=daemon.submit, reading=reading, clock=clock, observe=observe)
    notifier = Notifier(SystemdEnvironment(), clock)
    companions = Companions(timetable=timetable, notifier=notifier, settings=settings, _daemon=daemon, _observe=observe)

    def note(level: Level, text: str) -> None:
        observe(Notice(level=level, text=text))

    upkeep = daemon.upkeep(lambda: companions.settings.retention_days, note)
    try:
        async with timetable, anyio.create_task_group() as beside:
            beside.start_soon(timetable.serve)
            if inbox is not None:
                beside.start_soon(inbox.serve, settings.inbox_interval_s)
            beside.start_soon(upkeep.keep, daemon.is_quiet)
            beside.start_soon(notifier.beat, daemon.is_alive)
            notifier.ready(f"{len(daemon.pool.workers)} workers")
            yield companions
            notifier.stopping()
            beside.cancel_scope.cancel()
    except ExceptionGroup as group:
        raise unwrap_group(group) from group


def _desk(daemon: Daemon) -> Desk:
    async def open_count(list_id: BatchId) -> int:
        if daemon.checks.get(list_id) is not None:  # which of its orders are done again is not known yet
            return 1
        counts = (await daemon.list_view(list_id)).counts
        return sum(counts[status.name] for status in (TaskStatus.QUEUED, TaskStatus.ASSIGNED, TaskStatus.RUNNING))

    async def cancel_waiting(list_id: BatchId) -> int:
        return await daemon.cancel(OrderQuery(list_id=list_id))

    return Desk(submit=daemon.submit, open_count=open_count, cancel_waiting=cancel_waiting)
