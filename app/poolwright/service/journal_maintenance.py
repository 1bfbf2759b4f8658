"""Journal maintenance: deletes old entries once a day and compacts the file while the pool is idle.

Entries are deleted only if ``retention_days`` is set. Deleting runs while the pool is working. Compacting blocks every
call, so it waits until no order is in progress, or is done on request.
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
from poolwright.service.capacity import count_text

#: Interval of checking whether maintenance is due.
MAINTENANCE_CHECK_S = 60.0
DAY_S = 24 * 3600.0
#: First run after the start: the workers are ready by then, and a daemon that starts every morning does it, too.
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
            removed = self.pruned
            parts.append(
                f"{count_text(removed.list_count, 'list')}, {count_text(removed.attempt_count, 'attempt')} and "
                f"{count_text(removed.move_count, 'transition')} deleted"
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
        report: Callable[[Level, str], None],
        spared: Callable[[], Collection[BatchId]] = tuple,
    ) -> None:
        """Start with the first maintenance due after ``FIRST_RUN_AFTER_S``.

        Args:
            journal: Must stay open while this is used.
            clock: The time.
            retention_days: Called each time, so that a reload takes effect; 0 deletes nothing.
            report: Receives results and failures.
            spared: Returns lists that are never deleted.
        """
        self._journal = journal
        self._clock = clock
        self._retention_days = retention_days
        self._report = report
        self._spared = spared
        self._one_at_a_time = anyio.Lock()
        begun_s = clock.monotonic() - DAY_S + FIRST_RUN_AFTER_S
        self._pruned_at_s = self._compacted_at_s = begun_s

    async def run(self, is_quiet: Callable[[], bool]) -> None:
        """Run due maintenance regularly until cancelled.

        Args:
            is_quiet: Returns whether no order is in progress.
        """
        async for _ in periodic(MAINTENANCE_CHECK_S):
            await self.run_if_due(is_quiet=is_quiet())

    async def run_if_due(self, *, is_quiet: bool) -> None:
        """Run the maintenance that is due. A failure is reported and retried a day later."""
        now_s = self._clock.monotonic()
        prunes = now_s - self._pruned_at_s >= DAY_S
        compacts = is_quiet and now_s - self._compacted_at_s >= DAY_S
        if not (prunes or compacts):
            return
        try:
            result = await self._do(prunes=prunes, compacts=compacts)
        except JournalError as error:
            self._report(Level.WARNING, f"Journal maintenance failed: {error}")
        else:
            if result.text:
                self._report(Level.INFO, result.text)

    async def run_now(self) -> MaintenanceResult:
        """Prune and compact at once, also while orders are processed.

        Raises:
            JournalError: The maintenance failed; what was deleted before stays deleted.
        """
        return await self._do(prunes=True, compacts=True)

    async def _do(self, *, prunes: bool, compacts: bool) -> MaintenanceResult:
        async with self._one_at_a_time:
            pruned = compacted = None
            if prunes:
                self._pruned_at_s = self._clock.monotonic()
                pruned = await self._prune()
            if compacts:
                self._compacted_at_s = self._clock.monotonic()
                compacted = await self._journal.compact()
            return MaintenanceResult(pruned=pruned, compacted=compacted)

    async def _prune(self) -> PruneResult | None:
        days = self._retention_days()
        if not days:
            return None
        return await self._journal.prune(self._clock.now() - timedelta(days=days), self._spared())


def _size(size_bytes: int) -> str:
    return f"{size_bytes / _MB:.1f} MB"
