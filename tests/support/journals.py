"""Both journals behind one door, so that every rule is asked of each."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from poolwright.domain.ports import Journal
from poolwright.domain.state_machine import Transition
from poolwright.journal.sql_tasks import from_text
from poolwright.journal.sqlite_journal import SqliteJournal
from tests.support.journal_audit import check_laws, query
from tests.support.manual_clock import ManualClock
from tests.support.memory_journal import MemoryJournal
from tests.support.tasks import orders

OpenJournal = Callable[[], AbstractAsyncContextManager[Journal]]
History = Callable[[Journal], list[Transition]]

_MOVES = "SELECT machine, entity, origin, event, target, at, cause FROM transitions ORDER BY transition_id"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "out" / "journal.db"


@pytest.fixture(params=["sqlite", "memory"])
def open_journal(request: pytest.FixtureRequest, path: Path, clock: ManualClock) -> OpenJournal:
    """Opens one journal of each kind; a file is audited when it is closed."""

    @asynccontextmanager
    async def sqlite() -> AsyncGenerator[Journal]:
        async with SqliteJournal(path, clock) as journal:
            yield journal
        check_laws(path)

    @asynccontextmanager
    async def memory() -> AsyncGenerator[Journal]:
        yield MemoryJournal(clock)

    return {"sqlite": sqlite, "memory": memory}[request.param]


@pytest.fixture
def history(path: Path) -> History:
    """Every move that a journal holds, in the order in which they were told."""

    def read(journal: Journal) -> list[Transition]:
        if isinstance(journal, MemoryJournal):
            return list(journal.transitions)
        return [
            Transition(
                machine=str(machine),
                entity=str(entity),
                origin=str(origin),
                event=str(event),
                target=str(target),
                at=from_text(str(at)),
                cause=str(cause),
            )
            for machine, entity, origin, event, target, at, cause in query(path, _MOVES)
        ]

    return read


async def make(path: Path, count: int = 500) -> None:
    async with SqliteJournal(path, ManualClock()) as journal:
        await journal.accept(orders(*range(count)))


async def enter(path: Path) -> None:
    async with SqliteJournal(path, ManualClock()):
        pass
