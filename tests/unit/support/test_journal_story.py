"""A journal's story tells each order from its first move to its end, whatever state the file was left in."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from poolwright.domain.ids import WorkerRef
from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.journal.sqlite_journal import SqliteJournal
from tests.support.journal_story import Attempt, Order, read_story, story_of
from tests.support.manual_clock import ManualClock
from tests.support.memory_journal import MemoryJournal
from tests.support.tasks import BATCH, WORKER, orders, report, task_id

SECOND = WorkerRef(2, 1)


async def tell(journal: SqliteJournal | MemoryJournal, clock: ManualClock) -> None:
    """One order needs two workers and fails, one comes home at once, and one is in the hands of a worker."""
    await journal.accept(orders(1, 2, 3, 4))
    await journal.fetch(BATCH, 3)
    await journal.start(task_id(1), WORKER)
    clock.advance(1)
    await journal.requeue(
        task_id(1), ReturnReason.SESSION_LOST, detail="the tab\nfroze", delay_s=0, is_attempt_spent=True
    )
    await journal.fetch(BATCH, 1)
    clock.advance(1)
    await journal.start(task_id(1), SECOND)
    clock.advance(1)
    await journal.finish(task_id(1), report(Reason.PORTAL_ERROR), "")
    await journal.start(task_id(2), WORKER)
    await journal.finish(task_id(2), report(), "PO2")
    clock.advance(1)
    await journal.start(task_id(3), WORKER)


@pytest.fixture
async def journal(tmp_path: Path) -> Path:
    path, clock = tmp_path / "journal.db", ManualClock()
    async with SqliteJournal(path, clock) as journal:
        await tell(journal, clock)
    return path


def numbers(found: Sequence[Order]) -> list[str]:
    return [order.number for order in found]


def test_an_order_is_told_with_its_end_its_attempts_and_its_moves_in_order(journal: Path) -> None:
    lines = read_story(journal).text().splitlines()

    begin = lines.index("1 (demo:1)  DONE FAILED portal_error, 2 attempts")
    told = lines[begin + 1 : lines.index("", begin)]
    assert told[0].startswith("  attempt 1  worker-1#1  2031-05-06T07:08:09.123456+00:00 to 2031-05-06T07:08:10")
    assert told[0].endswith("  session_lost")
    assert told[1].split()[1:3] == ["2", "worker-2#1"]
    assert [move.split()[1:5] for move in told[2:]] == [
        ["QUEUED", "->", "ASSIGNED", "ASSIGN"],
        ["ASSIGNED", "->", "RUNNING", "START"],
        ["RUNNING", "->", "QUEUED", "GIVE_BACK"],
        ["QUEUED", "->", "ASSIGNED", "ASSIGN"],
        ["ASSIGNED", "->", "RUNNING", "START"],
        ["RUNNING", "->", "DONE", "FINISH"],
    ]
    assert told[4].endswith("(session_lost: the tab froze)  worker-1#1")
    assert told[5].endswith("  ASSIGN")
    assert told[-1].endswith("  worker-2#1")


def test_orders_that_need_a_look_come_first_and_those_that_nobody_began_last_of_them(journal: Path) -> None:
    story = read_story(journal)

    assert numbers(story.suspects()) == ["3", "1", "4"]
    heads = [line.partition(" ")[0] for line in story.text().splitlines() if "(demo:" in line]
    assert heads == ["3", "1", "4", "2"]


@pytest.mark.parametrize(
    ("order", "is_suspect"),
    [
        (Order(task_id="", number="", status="DONE", outcome="COMPLETED", attempt_count=1), False),
        (Order(task_id="", number="", status="DONE", outcome="NO_ATTACHMENTS", attempt_count=1), False),
        (Order(task_id="", number="", status="DONE", outcome="COMPLETED", attempt_count=2), True),
        (Order(task_id="", number="", status="DONE", outcome="PARTIAL", attempt_count=1), True),
        (Order(task_id="", number="", status="RUNNING", outcome="COMPLETED", attempt_count=1), True),
    ],
)
def test_an_order_needs_a_look(order: Order, is_suspect: bool) -> None:
    assert order.is_suspect is is_suspect


def test_attempts_that_do_not_count_are_attempts_too() -> None:
    attempt = Attempt(number=1, worker="worker-1#1", started_at="1", ended_at="2", result="draining", is_spent=False)
    order = Order(
        task_id="", number="", status="DONE", outcome="COMPLETED", attempt_count=1, attempts=(attempt, attempt)
    )

    assert order.is_suspect
    assert str(attempt).endswith("draining, does not count")


def test_one_line_tells_how_each_attempt_went(journal: Path) -> None:
    briefs = [order.brief() for order in read_story(journal).suspects()]

    assert briefs[1].endswith("2 attempts [1 worker-1#1 session_lost; 2 worker-2#1 portal_error]")
    assert briefs[0].endswith(", 1 attempt [1 worker-1#1 runs]")


async def test_a_journal_that_a_killed_program_left_is_read_with_its_latest_changes(tmp_path: Path) -> None:
    left, clock = tmp_path / "left" / "journal.db", ManualClock()
    left.parent.mkdir()
    async with SqliteJournal(tmp_path / "journal.db", clock) as journal:
        await tell(journal, clock)
        for name in ("journal.db", "journal.db-wal"):  # nobody closed these
            shutil.copyfile(tmp_path / name, left.with_name(name))

    assert numbers(read_story(left).suspects()) == ["3", "1", "4"]


async def test_a_journal_in_use_is_read(tmp_path: Path) -> None:
    clock = ManualClock()
    async with SqliteJournal(tmp_path / "journal.db", clock) as journal:
        await tell(journal, clock)

        assert len(read_story(tmp_path / "journal.db").orders) == 4


def test_reading_a_journal_at_rest_leaves_everything_as_it_was(journal: Path) -> None:
    before = {path.name: path.read_bytes() for path in journal.parent.iterdir()}

    read_story(journal)

    assert {path.name: path.read_bytes() for path in journal.parent.iterdir()} == before


def test_no_journal_is_made_where_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.Error):
        read_story(tmp_path / "journal.db")

    assert [*tmp_path.iterdir()] == []


def test_what_is_left_off_of_a_huge_journal_is_told(journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limited = "tests.support.journal_story._ORDERS"
    monkeypatch.setattr(limited, "SELECT task_id, '1', 'DONE', '', '', '', 1, 0 FROM tasks LIMIT 1")

    assert read_story(journal).text().startswith("3 of 4 orders are left off.\n")


async def test_a_journal_without_a_file_is_told_too() -> None:
    clock = ManualClock()
    journal = MemoryJournal(clock)
    await tell(journal, clock)

    story = story_of(await journal.records(BATCH), journal.transitions)

    assert numbers(story.suspects()) == ["1", "3", "4"]
    assert "(session_lost: the tab froze)" in story.text()
