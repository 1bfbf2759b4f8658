"""The journal outlives its program: killed with -9 at any point, it is whole, and what was told is there."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import anyio
import pytest

from poolwright.journal.errors import JournalBusyError
from poolwright.journal.sqlite_journal import SqliteJournal
from tests.support.journal_audit import check_laws, query
from tests.support.manual_clock import ManualClock
from tests.support.paths import ROOT
from tests.support.tasks import BATCH

Launch = Callable[..., subprocess.Popen[str]]

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def launch() -> Iterator[Launch]:
    """Starts writers; those that a test leaves behind are killed."""
    with ExitStack() as writers:

        def start(*words: object) -> subprocess.Popen[str]:
            writer = subprocess.Popen(
                [sys.executable, "-m", "tests.process.journal.journal_writer", *(str(word) for word in words)],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            writers.enter_context(writer)
            writers.callback(writer.kill)
            return writer

        yield start


def lines(writer: subprocess.Popen[str]) -> Iterator[str]:
    """What a writer printed in whole lines."""
    assert writer.stdout is not None
    return (line.strip() for line in writer.stdout if line.endswith("\n"))


def kill(writer: subprocess.Popen[str]) -> None:
    writer.kill()
    writer.wait()


def open_once(path: Path) -> Mapping[str, int]:
    async def opened() -> Mapping[str, int]:
        async with SqliteJournal(path, ManualClock()) as journal:
            await journal.recover(3)
            return await journal.counts(BATCH)

    return anyio.run(opened)


def test_killed_again_and_again_it_carries_its_list_to_the_end(path: Path, launch: Launch) -> None:
    dice = random.Random(20310506)
    told: set[str] = set()
    for _ in range(6):
        writer = launch("work", path, 200)
        patience = dice.randint(1, 30)
        for line, _ in zip(lines(writer), range(patience), strict=False):
            told.add(line)
        kill(writer)
        told.update(lines(writer))
        check_laws(path)
        done = {f"done {task_id}" for (task_id,) in query(path, "SELECT task_id FROM tasks WHERE status = 'DONE'")}
        assert told - {"accepted"} <= done

    assert list(lines(launch("work", path, 200)))[-1] == "end"

    check_laws(path)
    assert open_once(path)["DONE"] == 200
    assert query(path, "SELECT count(*) FROM files") == [(400,)]
    assert query(path, "SELECT count(*), count(DISTINCT task_id) FROM reports") == [(200, 200)]


def test_attempts_add_up_after_kills(path: Path, launch: Launch) -> None:
    for patience in (9, 17):
        writer = launch("work", path, 60)
        for _ in zip(lines(writer), range(patience), strict=False):
            pass
        kill(writer)
        open_once(path)

    spent = query(path, "SELECT task_id, sum(is_spent) FROM attempts GROUP BY task_id ORDER BY task_id")
    counted = query(path, "SELECT task_id, attempt_count FROM tasks WHERE attempt_count > 0 ORDER BY task_id")
    assert [row for row in spent if row[1]] == counted


def test_what_was_added_and_cancelled_is_there_however_often_it_is_killed(path: Path, launch: Launch) -> None:
    dice = random.Random(20310507)
    told: set[str] = set()
    for _ in range(4):
        writer = launch("add", path, 60)
        for line, _ in zip(lines(writer), range(dice.randint(1, 15)), strict=False):
            told.add(line)
        kill(writer)
        told.update(lines(writer))
        check_laws(path)
        stands = dict(query(path, "SELECT task_id, status FROM tasks"))
        assert {line.removeprefix("added ") for line in told if line.startswith("added")} <= stands.keys()
        assert all(stands[line.split()[1]] == "CANCELLED" for line in told if line.startswith("cancelled"))

    assert list(lines(launch("add", path, 60)))[-1] == "end"

    check_laws(path)
    assert open_once(path) == {"QUEUED": 40, "ASSIGNED": 0, "RUNNING": 0, "DONE": 0, "CANCELLED": 20}
    in_order = query(path, "SELECT task_id FROM batch_tasks ORDER BY position")
    assert in_order == [(f"demo:{number}",) for number in range(60)]


def test_killed_while_it_forgets_it_is_whole_and_the_next_time_forgets_the_rest(path: Path, launch: Launch) -> None:
    assert list(lines(launch("work", path, 60)))[-1] == "end"
    for patience in (1, 5, 17, 30):
        writer = launch("forget", path)
        for _ in zip(lines(writer), range(patience), strict=False):
            pass
        kill(writer)
        check_laws(path, is_swept=True)
        assert query(path, "SELECT count(*) FROM reports") == [(60,)]

    assert list(lines(launch("forget", path)))[-1] == "end"

    check_laws(path, is_swept=True)
    left = "SELECT (SELECT count(*) FROM transitions), (SELECT count(*) FROM attempts), (SELECT count(*) FROM batches)"
    assert query(path, left) == [(0, 0, 0)]
    assert query(path, "SELECT status, count(*) FROM tasks GROUP BY status") == [("DONE", 60)]


@pytest.mark.parametrize("hundreds", [1, 15, 40])
def test_killed_while_the_file_is_written_anew_it_is_what_it_was(path: Path, launch: Launch, hundreds: int) -> None:
    assert list(lines(launch("work", path, 200)))[-1] == "end"
    assert list(lines(launch("forget", path)))[-1] == "end"
    before = query(path, "SELECT * FROM reports ORDER BY task_id")
    writer = launch("compact", path, hundreds)
    assert next(lines(writer)) == "within"

    kill(writer)

    check_laws(path, is_swept=True)
    assert query(path, "SELECT * FROM reports ORDER BY task_id") == before
    assert list(lines(launch("compact", path)))[-1] == "end"
    check_laws(path, is_swept=True)
    assert query(path, "SELECT * FROM reports ORDER BY task_id") == before


def test_a_list_whose_acceptance_was_cut_off_was_never_there(path: Path, launch: Launch) -> None:
    writer = launch("halt", path, 20_000)
    assert next(lines(writer)) == "half"

    kill(writer)

    assert query(path, "SELECT count(*) FROM tasks") == [(0,)]
    assert sum(open_once(path).values()) == 0
    check_laws(path)


def test_a_second_program_is_refused_until_the_first_is_dead(path: Path, launch: Launch) -> None:
    holder = launch("hold", path)
    assert next(lines(holder)) == "open"

    with pytest.raises(JournalBusyError) as refusal:
        open_once(path)
    assert refusal.value.pid == holder.pid
    assert str(refusal.value) == (
        f"Another Poolwright (pid {holder.pid}) is using this journal ({path}); wait for it or choose another --out."
    )

    kill(holder)
    assert path.with_name(f"{path.name}.lock").exists(), "the lock's file stays, its lock died with its holder"
    assert sum(open_once(path).values()) == 0
