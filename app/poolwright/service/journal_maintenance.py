"""Journal maintenance: deletes old entries once a day and compacts the file while the pool is idle.

Nothing is forgotten unless ``retention_days`` says so. Forgetting goes on beside a pool at work; giving room back to
the disk holds every call up, so that waits until nothing is in hand, or until somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta

import anyio

from poolwright.concurrency import periodic
from poolwright.domain.events import Level
from poolwright.domain.ids import BatchId
from poolwright.domain.ports import Clock
from poolwright.journal.database import CompactResult
from poolwright.journal.errors import JournalError
from poolwright.journal.retention import PruneResult
from poolwright.journal.sqlite_journal import SqliteJournal

#: How often it looks whether there is something to do.
MAINTENANCE_CHECK_S = 60.0
DAY_S = 24 * 3600.0
#: The first time after a start: the workers are up by then, and a daemon that starts every morning does it too.
FIRST_RUN_AFTER_S = 600.0
_MB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceResult:
    """What was done; ``None`` for a part that was not due."""

    pruned: PruneResult | None = None
    compacted: CompactResult | None = None

    @property
    def text(self) -> str:
        """Return the result in one sentence; empty if there is no change to report."""
        parts: list[str] = []
        if self.pruned is not None and self.pruned != PruneResult():
            gone = self.pruned
            parts.append(
                f"{_count(gone.list_count, 'list')}, {_count(gone.attempt_count, 'attempt')} and "
                f"{_count(gone.move_count, 'transition')} deleted"
            )
        if self.compacted is not None and self.compacted.before_bytes != self.compacted.after_bytes:
            size = self.compacted
            parts.append(f"compacted from {_size(size.before_bytes)} to {_size(size.after_bytes)}")
        return f"Journal maintenance: {'; '.join(parts)}." if parts else ""


class JournalMaintenance:
    """Prunes and compacts the journal once a day, or at once on request."""

    def __init__(
        self,
        journal: SqliteJournal,
        clock: Clock,
        *,
        retention_days: Callable[[], int],
        note: Callable[[Level, str], None],
        spared: Callable[[], Collection[BatchId]] = tuple,
    ) -> None:
        """Name what is kept.

        Args:
            journal: Open for as long as this is used.
            clock: The time.
            retention_days: Asked each time, so that a reload acts; 0 forgets nothing.
            note: Told what was done, and what could not be done.
            spared: Lists that are needed whatever their age.
        """
        self._journal = journal
        self._clock = clock
        self._retention_days = retention_days
        self._note = note
        self._spared = spared
        self._one_at_a_time = anyio.Lock()
        begun_s = clock.monotonic() - DAY_S + FIRST_RUN_AFTER_S
        self._forgot_at_s = self._compacted_at_s = begun_s

    async def run(self, is_quiet: Callable[[], bool]) -> None:
        """Run due maintenance regularly until cancelled.

        Args:
            is_quiet: Whether no order is in hand now.
        """
        async for _ in periodic(MAINTENANCE_CHECK_S):
            await self.run_if_due(is_quiet=is_quiet())

    async def run_if_due(self, *, is_quiet: bool) -> None:
        """Run the maintenance that is due. A failure is reported and retried a day later."""
        now_s = self._clock.monotonic()
        forgets = now_s - self._forgot_at_s >= DAY_S
        compacts = is_quiet and now_s - self._compacted_at_s >= DAY_S
        if not (forgets or compacts):
            return
        try:
            done = await self._do(forgets=forgets, compacts=compacts)
        except JournalError as error:
            self._note(Level.WARNING, f"Journal maintenance failed: {error}")
        else:
            if done.text:
                self._note(Level.INFO, done.text)

    async def run_now(self) -> MaintenanceResult:
        """Prune and compact at once, also while orders are processed.

        Raises:
            JournalError: It could not be done; what was done before holds.
        """
        return await self._do(forgets=True, compacts=True)

    async def _do(self, *, forgets: bool, compacts: bool) -> MaintenanceResult:
        async with self._one_at_a_time:
            forgotten = compacted = None
            if forgets:
                self._forgot_at_s = self._clock.monotonic()
                forgotten = await self._prune()
            if compacts:
                self._compacted_at_s = self._clock.monotonic()
                compacted = await self._journal.compact()
            return MaintenanceResult(pruned=forgotten, compacted=compacted)

    async def _prune(self) -> PruneResult | None:
        days = self._retention_days()
        if not days:
            return None
        return await self._journal.prune(self._clock.now() - timedelta(days=days), self._spared())


def _size(size_bytes: int) -> str:
    return f"{size_bytes / _MB:.1f} MB"


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
