"""The journal of a long life stays small by itself, and nothing is forgotten unasked."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from poolwright.domain.events import Level
from poolwright.domain.ids import BatchId
from poolwright.journal.errors import JournalFullError
from poolwright.journal.sqlite_journal import SqliteJournal
from poolwright.service.journal_maintenance import DAY_S, FIRST_RUN_AFTER_S, JournalMaintenance
from tests.support.journal_audit import check_laws, query
from tests.support.manual_clock import ManualClock
from tests.support.tasks import BATCH, orders, task_id


class MaintenanceSetup:
    """An upkeep with all that is around it."""

    def __init__(self, journal: SqliteJournal, clock: ManualClock) -> None:
        self.told: list[tuple[Level, str]] = []
        self.retention_days = 0
        self.spared: list[BatchId] = []
        self.upkeep = JournalMaintenance(
            journal,
            clock,
            retention_days=lambda: self.retention_days,
            report=lambda level, text: self.told.append((level, text)),
            spared=lambda: self.spared,
        )


@asynccontextmanager
async def running_desk(path: Path, clock: ManualClock, order_count: int = 400) -> AsyncGenerator[MaintenanceSetup]:
    """A journal with one list that is over."""
    async with SqliteJournal(path, clock) as journal:
        await journal.accept(orders(*range(order_count)))
        await journal.cancel_all([task_id(number) for number in range(order_count)])
        yield MaintenanceSetup(journal, clock)
    check_laws(path, is_swept=True)


def size_bytes(path: Path) -> int:
    """What the journal takes on the disk, its log included."""
    return sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*"))


def move_count(path: Path) -> int:
    return query(path, "SELECT count(*) FROM transitions")[0][0]


async def test_nothing_is_forgotten_unless_it_is_asked_for(tmp_path: Path) -> None:
    clock = ManualClock()
    async with running_desk(tmp_path / "journal.db", clock) as program:
        clock.advance(4_000 * DAY_S)
        await program.upkeep.run_if_due(is_quiet=True)
        assert move_count(tmp_path / "journal.db") == 400

        program.retention_days = 30
        clock.advance(DAY_S)
        await program.upkeep.run_if_due(is_quiet=True)
        assert move_count(tmp_path / "journal.db") == 0
        ((level, text),) = [entry for entry in program.told if "deleted" in entry[1]]
        assert level is Level.INFO
        assert text.startswith("Journal maintenance: 1 list, 0 attempts and 400 transitions deleted; compacted from ")
        assert " MB to " in text


async def test_it_is_done_some_time_after_the_start_and_then_once_a_day(tmp_path: Path) -> None:
    clock = ManualClock()
    async with running_desk(tmp_path / "journal.db", clock) as program:
        program.retention_days = 1
        await program.upkeep.run_if_due(is_quiet=True)
        assert program.told == []
        clock.advance(2 * DAY_S)
        await program.upkeep.run_if_due(is_quiet=True)
        assert len(program.told) == 1
        clock.advance(DAY_S - 1)
        await program.upkeep.run_if_due(is_quiet=True)
        assert len(program.told) == 1


async def test_a_daemon_that_is_started_every_morning_does_it_too(tmp_path: Path) -> None:
    clock = ManualClock()
    async with running_desk(tmp_path / "journal.db", clock) as program:
        clock.advance(FIRST_RUN_AFTER_S)
        await program.upkeep.run_if_due(is_quiet=True)
        clock.advance(1)
        await program.upkeep.run_if_due(is_quiet=True)

        assert len(program.told) == 1


async def test_the_file_is_written_anew_only_when_nothing_is_in_hand(tmp_path: Path) -> None:
    clock = ManualClock()
    path = tmp_path / "journal.db"
    async with running_desk(path, clock, 600) as program:
        program.retention_days = 1
        clock.advance(3 * DAY_S)
        await program.upkeep.run_if_due(is_quiet=False)
        before_bytes = size_bytes(path)
        assert move_count(path) == 0

        await program.upkeep.run_if_due(is_quiet=True)

        assert size_bytes(path) < before_bytes
        assert len(program.told) == 2


async def test_it_is_done_at_once_when_asked(tmp_path: Path) -> None:
    clock = ManualClock()
    async with running_desk(tmp_path / "journal.db", clock) as program:
        program.retention_days = 1
        clock.advance(2 * DAY_S)
        done = await program.upkeep.run_now()

        assert done.pruned is not None
        assert done.compacted is not None
        assert (done.pruned.move_count, done.pruned.list_count) == (400, 1)
        assert "400 transitions deleted" in done.text


async def test_lists_that_are_needed_stay(tmp_path: Path) -> None:
    clock = ManualClock()
    async with running_desk(tmp_path / "journal.db", clock) as program:
        program.retention_days, program.spared = 1, [BATCH]
        clock.advance(2 * DAY_S)

        done = await program.upkeep.run_now()
        assert done.pruned is not None
        assert done.pruned.list_count == 0


async def test_a_full_disk_is_told_and_tried_again_a_day_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = ManualClock()
    async with running_desk(tmp_path / "journal.db", clock) as program:

        async def fail(_: SqliteJournal) -> None:
            raise JournalFullError(tmp_path / "journal.db")

        monkeypatch.setattr(SqliteJournal, "compact", fail)
        clock.advance(DAY_S)
        await program.upkeep.run_if_due(is_quiet=True)
        await program.upkeep.run_if_due(is_quiet=True)

        ((level, text),) = program.told
        assert level is Level.WARNING
        assert "free some space" in text
