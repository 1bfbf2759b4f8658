"""Earlier files are looked at beside everything else: one list after another, told how far, called off, kept."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from poolwright.archive.output_tree import OutputTree
from poolwright.domain.errors import PoolError
from poolwright.domain.events import Event, Level, Notice
from poolwright.domain.ids import BatchId, TaskId
from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import FetchedFile
from poolwright.journal.sqlite_journal import SqliteJournal
from poolwright.service.batch import RedoPolicy
from poolwright.service.daemon import file_checks as module
from poolwright.service.daemon.errors import ConflictError
from poolwright.service.daemon.file_checks import BROKEN_SUFFIX, CHECKS_FILE_NAME, FileChecks
from tests.support.manual_clock import ManualClock
from tests.support.tasks import BATCH, OTHER, orders, report, task_id


class SlowTree(OutputTree):
    """An output folder with the files of some orders; to look at one takes as long as a test wants."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, clock=ManualClock())
        self.broken = set[TaskId]()
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.seen: list[TaskId] = []

    def verify(
        self, folder: str, task_id: TaskId | None = None, cancel_check: Callable[[], None] = lambda: None
    ) -> list[str]:
        assert task_id is not None
        self.seen.append(task_id)
        while not self.goes_on.wait(0.01):
            cancel_check()
        return ["it is gone"] if task_id in self.broken else []


@dataclass
class FileCheckSetup:
    checks: FileChecks
    tree: SlowTree
    reopened: list[TaskId] = field(default_factory=list[TaskId])
    refreshed: dict[TaskId, Sequence[FetchedFile]] = field(default_factory=dict[TaskId, Sequence[FetchedFile]])
    told: list[tuple[Level, str]] = field(default_factory=list[tuple[Level, str]])
    trouble: list[PoolError] = field(default_factory=list[PoolError])

    async def until(self, is_true: Callable[[], object]) -> None:
        with anyio.fail_after(60):
            while not is_true():
                await anyio.lowlevel.checkpoint()


@asynccontextmanager
async def done_journal(root: Path) -> AsyncGenerator[SqliteJournal]:
    """Two lists of two orders each, all done."""
    async with SqliteJournal(root / "journal.db", ManualClock()) as journal:
        for batch_id, numbers in ((BATCH, (1, 2)), (OTHER, (3, 4))):
            await journal.accept(orders(*numbers, batch_id=batch_id))
            for task in await journal.fetch(batch_id, 2):
                await journal.finish(task.task_id, report(Reason.ALL_SAVED, "a.pdf"), task.po_number)
        yield journal


@asynccontextmanager
async def place(root: Path, *, is_serving: bool = True) -> AsyncGenerator[FileCheckSetup]:
    tree = SlowTree(root / "out")

    async def reopen(task_ids: Collection[TaskId]) -> int:
        if found.trouble:
            raise found.trouble.pop()
        found.reopened += task_ids
        return len(task_ids)

    async def refresh(known: Mapping[TaskId, Sequence[FetchedFile]]) -> int:
        found.refreshed.update(known)
        return len(known)

    def note(event: Event) -> None:
        assert isinstance(event, Notice)
        found.told.append((event.level, event.text))

    async with done_journal(root) as journal, anyio.create_task_group() as beside:
        found = FileCheckSetup(FileChecks(journal, tree, root, reopen=reopen, refresh=refresh, observe=note), tree)
        if is_serving:
            beside.start_soon(found.checks.run)
        yield found
        tree.goes_on.set()
        beside.cancel_scope.cancel()


async def test_only_what_is_not_whole_is_done_again(tmp_path: Path) -> None:
    async with place(tmp_path) as here:
        here.tree.broken = {task_id(2)}
        await here.checks.add(BATCH, RedoPolicy.RETRYABLE)
        await here.until(lambda: here.told)

        assert here.checks.get(BATCH) is None
    assert here.reopened == [task_id(2)]
    assert here.told == [(Level.INFO, f"Checked the files of 2 finished orders of list {BATCH}: 1 will run again.")]


async def test_finished_orders_are_looked_at_again_after_the_check_with_the_files_that_they_have(
    tmp_path: Path,
) -> None:
    async with place(tmp_path) as here:
        await here.checks.add(BATCH, RedoPolicy.RETRYABLE, is_refresh=True)
        await here.until(lambda: here.told)

    assert {key: [file.name for file in files] for key, files in here.refreshed.items()} == {
        task_id(1): ["a.pdf"],
        task_id(2): ["a.pdf"],
    }
    assert here.told == [
        (
            Level.INFO,
            f"Checked the files of 2 finished orders of list {BATCH}: none will run again, 2 will be looked at again.",
        )
    ]


async def test_the_next_daemon_looks_again_where_this_one_was_to(tmp_path: Path) -> None:
    async with place(tmp_path, is_serving=False) as here:
        await here.checks.add(BATCH, RedoPolicy.UNFINISHED, is_refresh=True)
        await here.checks.add(OTHER, RedoPolicy.RETRYABLE)

    async with place(tmp_path) as there:
        await there.until(lambda: len(there.told) == 2)
    assert there.refreshed.keys() == {task_id(1), task_id(2)}


async def test_it_says_how_far_it_is_and_others_wait_their_turn(tmp_path: Path) -> None:
    async with place(tmp_path) as here:
        here.tree.goes_on.clear()
        await here.checks.add(BATCH, RedoPolicy.RETRYABLE)
        await here.checks.add(OTHER, RedoPolicy.RETRYABLE)
        await here.until(lambda: here.tree.seen)
        first, second = here.checks.get(BATCH), here.checks.get(OTHER)

        assert first is not None
        assert second is not None
        assert (first.progress.count, first.progress.total_count) == (1, 2)
        assert (second.progress.count, second.progress.total_count) == (0, 0)
        here.tree.goes_on.set()
        await here.until(lambda: len(here.told) == 2)
    assert here.tree.seen == [task_id(number) for number in (1, 2, 3, 4)]


async def test_one_that_is_called_off_ends_at_once_and_the_next_begins(tmp_path: Path) -> None:
    async with place(tmp_path) as here:
        here.tree.broken = {task_id(number) for number in (1, 2, 3, 4)}
        here.tree.goes_on.clear()
        await here.checks.add(BATCH, RedoPolicy.RETRYABLE)
        await here.checks.add(OTHER, RedoPolicy.RETRYABLE)
        await here.until(lambda: here.tree.seen)

        assert await here.checks.cancel(BATCH)
        assert not await here.checks.cancel(BATCH)
        assert here.checks.get(BATCH) is None
        await here.until(lambda: task_id(3) in here.tree.seen)
        here.tree.goes_on.set()
        await here.until(lambda: here.told)
    assert here.reopened == [task_id(3), task_id(4)]


async def test_what_a_daemon_did_not_get_to_is_done_by_the_next_one(tmp_path: Path) -> None:
    async with place(tmp_path, is_serving=False) as here:
        await here.checks.add(BATCH, RedoPolicy.ALL)
        await here.checks.add(OTHER, RedoPolicy.RETRYABLE)
    async with place(tmp_path) as here:
        await here.until(lambda: len(here.told) == 2)
    assert here.reopened == [task_id(1), task_id(2)]
    async with place(tmp_path) as here:
        await anyio.wait_all_tasks_blocked()
    assert here.told == []


async def test_the_latest_word_about_a_list_counts(tmp_path: Path) -> None:
    async with place(tmp_path, is_serving=False) as here:
        await here.checks.add(BATCH, RedoPolicy.ALL)
        await here.checks.add(BATCH, RedoPolicy.RETRYABLE)
        check = here.checks.get(BATCH)

        assert check is not None
        assert check.redo is RedoPolicy.RETRYABLE


async def test_no_more_lists_wait_than_there_is_room_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHECKS_MAX", 1)
    async with place(tmp_path, is_serving=False) as here:
        here.checks.require_room()
        await here.checks.add(BATCH, RedoPolicy.ALL)

        with pytest.raises(ConflictError, match="Send this list again later"):
            here.checks.require_room()


async def test_what_stands_in_the_way_is_told_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_S", 0.0)
    async with place(tmp_path) as here:
        here.trouble.append(PoolError("The journal is locked."))
        await here.checks.add(BATCH, RedoPolicy.ALL)
        await here.until(lambda: here.reopened)
        await here.until(lambda: len(here.told) == 2)

    assert here.told[0] == (
        Level.WARNING,
        f"The file check of list {BATCH} is postponed: The journal is locked.",
    )
    assert here.told[1][0] is Level.INFO


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"a": "sometimes"}',
        '"x"',
        '{"a": {"redo": "all", "is_refresh": "?"}}',
        '{"a": {"is_refresh": true}}',
    ],
)
async def test_a_damaged_file_is_kept_and_told_and_is_no_hindrance(tmp_path: Path, text: str) -> None:
    path, broken = tmp_path / CHECKS_FILE_NAME, tmp_path / (CHECKS_FILE_NAME + BROKEN_SUFFIX)
    path.write_text(text)
    async with place(tmp_path) as here:
        await here.until(lambda: here.told)
        await here.checks.add(BATCH, RedoPolicy.ALL)
        await here.until(lambda: here.reopened)

    level, told = here.told[0]
    assert level is Level.WARNING
    assert told.startswith(f"The file with the waiting file checks ({path}) cannot be read because it is damaged. ")
    assert told.endswith(f"send those lists again; the file is kept as {broken}.")
    assert broken.read_text() == text


async def test_a_file_that_cannot_be_read_or_kept_is_told(tmp_path: Path) -> None:
    (tmp_path / CHECKS_FILE_NAME).mkdir()
    broken = tmp_path / (CHECKS_FILE_NAME + BROKEN_SUFFIX)
    broken.mkdir()
    (broken / "in the way").touch()
    async with place(tmp_path) as here:
        await here.until(lambda: here.told)

    level, text = here.told[0]
    assert (level, "cannot be read (Is a directory)" in text) == (Level.WARNING, True)
    assert text.endswith("The file cannot be kept (Directory not empty): the next check replaces it.")


async def test_nothing_is_told_of_a_file_that_is_not_there(tmp_path: Path) -> None:
    async with place(tmp_path) as here:
        await here.checks.add(BATCH, RedoPolicy.ALL)
        await here.until(lambda: here.reopened)

    assert [level for level, _ in here.told if level is Level.WARNING] == []


async def test_a_disk_that_does_not_take_the_note_refuses_the_list(tmp_path: Path) -> None:
    async with place(tmp_path, is_serving=False) as here:
        (tmp_path / CHECKS_FILE_NAME).mkdir()
        (tmp_path / CHECKS_FILE_NAME / "in the way").touch()

        with pytest.raises(ConflictError, match="cannot be written"):
            await here.checks.add(BatchId("b"), RedoPolicy.ALL)
