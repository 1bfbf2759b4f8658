"""What is told of an earlier run when the next one begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.archive.output_tree import PRIVATE_NAME, OutputTree
from poolwright.domain.errors import SetupError
from poolwright.domain.events import Event, Level, Notice
from poolwright.service.recovery import recover
from tests.support.archive_orders import StoppedClock
from tests.support.memory_journal import MemoryJournal

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def told_by(out: Path) -> list[Event]:
    told: list[Event] = []
    tree = OutputTree(out, clock=StoppedClock())
    await recover(MemoryJournal(StoppedClock()), tree, out, 3, told.append)
    return told


async def test_a_damaged_record_of_an_unfinished_filing_is_a_warning(tmp_path: Path) -> None:
    filing = tmp_path / PRIVATE_NAME / "filing"
    filing.mkdir(parents=True)
    (filing / "a.json").write_text("{ cut")

    [notice] = await told_by(tmp_path)

    assert isinstance(notice, Notice)
    assert (notice.level, "is damaged; it is kept as" in notice.text) == (Level.WARNING, True)
    assert await told_by(tmp_path) == []


async def test_a_folder_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    filing = tmp_path / PRIVATE_NAME / "filing"
    (filing / "a.json").mkdir(parents=True)

    with pytest.raises(SetupError, match="cannot be moved into place"):
        await told_by(tmp_path)
