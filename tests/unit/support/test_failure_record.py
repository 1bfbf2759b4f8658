"""The record of a failure holds what the test's folders, pages and processes told, within limits, and hides nothing."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.from_thread
import anyio.lowlevel
import pytest
from playwright.async_api import Error as PlaywrightError

from poolwright.domain.outcomes import Reason
from poolwright.journal.sqlite_journal import SqliteJournal
from tests.support import failure_record
from tests.support.failure_record import BRIEF_MAX_LINES, TEXT_MAX_BYTES, FailureRecord, Page, folder_name
from tests.support.journal_story import Order, Story
from tests.support.manual_clock import ManualClock
from tests.support.process_table import process_table
from tests.support.tasks import BATCH, WORKER, orders, report, task_id

PICTURE = b"\x89PNG of a page"


class FakePage:
    """What of a page is pictured."""

    def __init__(self, url: str = "http://portal.test/orders/1", error: BaseException | None = None) -> None:
        self.url = url
        self._error = error

    async def screenshot(self, *, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        await anyio.lowlevel.checkpoint()
        if self._error is not None:
            raise self._error
        return PICTURE


class HungPage(FakePage):
    async def screenshot(self, *, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        await anyio.sleep_forever()
        return b""


@pytest.fixture
def record(root: Path) -> FailureRecord:
    record = FailureRecord("system.test_x")
    record.look_into(root)
    return record


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "of-the-test"
    folder.mkdir()
    return folder


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "failures"


def write(path: Path, content: bytes = b"{}\n") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def names(kept: Path) -> set[str]:
    return {path.name for path in (kept / "system.test_x").iterdir()}


async def write_journal(path: Path) -> None:
    async with SqliteJournal(path, ManualClock()) as journal:
        await journal.accept(orders(1, 2))
        await journal.fetch(BATCH, 1)
        await journal.start(task_id(1), WORKER)
        await journal.finish(task_id(1), report(Reason.PORTAL_ERROR), "")


async def fail_in(record: FailureRecord, *pages: Page, place: str = "the folder") -> None:
    with pytest.raises(ZeroDivisionError):
        async with record.watching(place, pages=lambda: pages):
            raise ZeroDivisionError


async def test_logs_stories_and_pictures_of_the_run_lie_under_names_that_say_where_they_were(
    record: FailureRecord, root: Path, kept: Path
) -> None:
    write(root / "out/.poolwright/log.jsonl", b'{"line": 1}\n')
    write(root / "again/log.jsonl")
    write(root / "out/.poolwright/evidence/PO1/attempt-1/page.png", PICTURE)
    write(root / "out/PO1/drawing.png")
    await write_journal(root / "out/.poolwright/journal.db")

    section = record.keep(kept)

    assert names(kept) == {
        "again__log.jsonl",
        "out__.poolwright__evidence__PO1__attempt-1__page.png",
        "out__.poolwright__journal.db.txt",
        "out__.poolwright__log.jsonl",
        "processes.txt",
    }
    place = kept / "system.test_x"
    assert (place / "out__.poolwright__log.jsonl").read_bytes() == b'{"line": 1}\n'
    assert "FINISH  (portal_error)" in (place / "out__.poolwright__journal.db.txt").read_text()
    assert section.title(kept.parent) == "What this failure left: failures/system.test_x"
    there, head, *told = section.text().splitlines()
    assert there == "1 process table, 2 logs, 1 picture of the run's own, 1 journal's story"
    assert head == "Orders that took more than one attempt or did not end well:"
    assert told == [
        "  1 (demo:1)  DONE FAILED portal_error, 1 attempt [1 worker-1#1 portal_error]",
        "  and 1 that nobody began",
    ]


async def test_what_lies_in_several_folders_is_told_apart_and_looked_at_once(tmp_path: Path, kept: Path) -> None:
    record = FailureRecord("system.test_x")
    for folder in ("a", "b", "b/inner"):
        write(tmp_path / folder / "log.jsonl")
        record.look_into(tmp_path / folder)

    record.keep(kept)

    assert names(kept) == {"a__log.jsonl", "b__log.jsonl", "b__inner__log.jsonl", "processes.txt"}


def test_of_a_long_log_the_end_is_kept(record: FailureRecord, root: Path, kept: Path) -> None:
    line = b"x" * 99 + b"\n"
    write(root / "log.jsonl", line * (TEXT_MAX_BYTES // 100 + 1000) + b"the last\n")

    record.keep(kept)

    first, second, *_, last = (kept / "system.test_x/log.jsonl").read_bytes().splitlines()
    assert first.endswith(b"bytes are left off.")
    assert (second, last) == (line.strip(), b"the last")
    assert (kept / "system.test_x/log.jsonl").stat().st_size <= TEXT_MAX_BYTES + 100


def test_a_long_story_is_cut(record: FailureRecord, kept: Path) -> None:
    detail = "x" * TEXT_MAX_BYTES
    record.add_story("journal", Story(orders=[Order(task_id="1", number="1", status="DONE", detail=detail)]))

    record.keep(kept)

    told = (kept / "system.test_x/journal.txt").read_text()
    assert told.endswith("bytes is left off.\n")
    assert len(told) <= TEXT_MAX_BYTES + 100


def test_what_is_printed_stays_short(record: FailureRecord, kept: Path) -> None:
    many = [Order(task_id=str(n), number=str(n), status="RUNNING", detail="x" * 999) for n in range(100)]
    record.add_story("journal", Story(orders=many))

    told = record.keep(kept).text().splitlines()

    assert len(told) == BRIEF_MAX_LINES + 1
    assert told[-1] == "  and 62 more"
    assert max(map(len, told)) < 300


def test_another_failure_of_the_test_replaces_the_folder(record: FailureRecord, kept: Path) -> None:
    write(kept / "system.test_x/old.txt")
    write(kept / "system.test_y/old.txt")

    record.keep(kept)

    assert names(kept) == {"processes.txt"}
    assert (kept / "system.test_y/old.txt").is_file()


def test_a_damaged_journal_and_a_full_disk_are_told_and_the_rest_is_kept(
    record: FailureRecord, root: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(root / "journal.db", b"no journal at all" * 100)
    write(root / "evidence/page.png", PICTURE)
    write(root / "log.jsonl")
    monkeypatch.setattr("shutil.copyfile", lambda *_: os.read(-1, 1))

    told = record.keep(kept).text()

    assert "journal.db could not be read: file is not a database" in told
    assert "page.png: OSError: [Errno 9] Bad file descriptor" in told
    assert names(kept) == {"log.jsonl", "processes.txt"}


def test_a_folder_that_cannot_be_made_is_told(record: FailureRecord, tmp_path: Path) -> None:
    write(tmp_path / "file")

    assert record.keep(tmp_path / "file").text().startswith("nothing\nFor the folder: NotADirectoryError")


def test_time_that_is_up_meanwhile_is_told_and_the_rest_is_kept(
    record: FailureRecord, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failure_record, "process_table", lambda _: pytest.fail("Timeout"))
    record.add_story("journal", Story(orders=[]))

    assert "For the process table: Failed: Timeout" in record.keep(kept).text()
    assert "journal.txt" in names(kept)


async def test_before_the_failure_time_that_is_up_ends_the_test(
    record: FailureRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failure_record, "process_table", lambda _: pytest.fail("Timeout"))

    with pytest.raises(pytest.fail.Exception, match="Timeout"):
        async with record.watching("the folder"):
            raise ZeroDivisionError


async def test_open_pages_are_pictured_when_an_exception_leaves_their_place(record: FailureRecord, kept: Path) -> None:
    await fail_in(record, FakePage(), FakePage("about:blank"))

    record.keep(kept)

    assert names(kept) == {"page-1-portal.test-orders-1.png", "page-2-about-blank.png", "processes.txt"}
    assert (kept / "system.test_x/page-2-about-blank.png").read_bytes() == PICTURE


async def test_a_page_that_is_gone_hides_neither_the_exception_nor_the_others(
    record: FailureRecord, kept: Path
) -> None:
    await fail_in(record, FakePage(error=PlaywrightError("Target closed\nlog")), FakePage(error=KeyError()), FakePage())

    told = record.keep(kept).text()

    assert "page-1-portal.test-orders-1.png" in names(kept)
    assert "The page http://portal.test/orders/1 of the folder could not be pictured: Target closed\n" in told


async def test_pages_that_cannot_be_listed_do_not_hide_the_exception(record: FailureRecord) -> None:
    def broken() -> list[Page]:
        raise RuntimeError

    with pytest.raises(ZeroDivisionError):
        async with record.watching("the scenario", pages=broken):
            raise ZeroDivisionError


async def test_a_page_that_hangs_is_given_up(
    record: FailureRecord, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failure_record, "PICTURES_LIMIT_S", 0.05)

    with anyio.fail_after(20):
        await fail_in(record, HungPage(), FakePage())

    assert "Not every page of the folder could be pictured" in record.keep(kept).text()
    assert "page-1-portal.test-orders-1.png" in names(kept)


async def test_pages_are_pictured_too_where_the_test_is_being_cancelled(record: FailureRecord, kept: Path) -> None:
    with anyio.CancelScope() as scope:
        async with record.watching("the scenario", pages=lambda: [FakePage()]):
            scope.cancel()
            await anyio.sleep_forever()

    record.keep(kept)

    assert "page-1-portal.test-orders-1.png" in names(kept)


async def test_processes_are_told_as_they_were_when_the_exception_left_the_innermost_place(
    record: FailureRecord, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = ["the program"]
    monkeypatch.setattr(failure_record, "process_table", lambda _: ",".join(running))

    async def fail() -> None:
        async with record.watching("the folder"):
            try:
                async with record.watching("the running program"):
                    raise ZeroDivisionError
            finally:
                running.clear()

    with pytest.raises(ZeroDivisionError):
        await fail()
    record.keep(kept)

    told = (kept / "system.test_x/processes.txt").read_text()
    assert told == "When ZeroDivisionError left the running program:\nthe program"


async def test_an_earlier_exception_that_the_test_expected_does_not_stand_for_the_failure(
    record: FailureRecord, kept: Path
) -> None:
    for number in range(20):
        await fail_in(record, place=f"place {number}")

    record.keep(kept)

    told = (kept / "system.test_x/processes.txt").read_text()
    assert "When ZeroDivisionError left place 19:" in told
    assert "left place 1:" not in told


def test_without_an_exception_that_left_a_place_processes_are_told_as_of_now(record: FailureRecord, kept: Path) -> None:
    record.keep(kept)

    assert (kept / "system.test_x/processes.txt").read_text().startswith("When the failure was reported:\n")


@asynccontextmanager
async def half(record: FailureRecord, page: Page) -> AsyncGenerator[None]:
    async with record.watching("the scenario", pages=lambda: [page]):
        yield


def test_a_place_that_is_still_open_is_looked_at_when_the_failure_is_reported(
    record: FailureRecord, kept: Path
) -> None:
    with anyio.from_thread.start_blocking_portal() as portal:  # only to show that a loop that runs is left alone
        busy = portal.wrap_async_context_manager(half(record, FakePage("http://busy.test/")))
        busy.__enter__()
        record.keep(kept)
        busy.__exit__(None, None, None)
    assert names(kept) == {"processes.txt"}


def test_a_loop_that_stands_still_is_run_for_the_pictures(record: FailureRecord, kept: Path) -> None:
    with asyncio.Runner() as runner:
        scenario = half(record, FakePage())
        runner.run(scenario.__aenter__())
        record.keep(kept)
        runner.run(scenario.__aexit__(None, None, None))

    assert "page-1-portal.test-orders-1.png" in names(kept)
    assert "When the failure was reported:" in (kept / "system.test_x/processes.txt").read_text()


async def test_what_is_cleared_away_after_the_failure_is_not_looked_at_again(record: FailureRecord, kept: Path) -> None:
    record.keep(kept)
    await fail_in(record, FakePage())
    record.keep(kept)

    assert names(kept) == {"processes.txt"}
    assert "ZeroDivisionError" not in (kept / "system.test_x/processes.txt").read_text()


def test_the_record_of_the_running_test_is_the_innermost() -> None:
    outer = failure_record.current()
    with failure_record.begun("inner") as record:
        assert failure_record.current() is record
    assert failure_record.current() is outer


def test_the_process_table_tells_of_all_where_none_is_the_tests_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.support.process_table._descends", lambda *_: False)  # others may have started some here

    told = process_table([tmp_path / "nowhere"])

    assert told.startswith("No process of this test was found; these are all of the machine.\n")
    assert str(os.getpid()) in [line.split()[0] for line in told.splitlines()[2:]]


def test_the_process_table_gives_a_command_of_many_lines_in_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("psutil.Process.cmdline", lambda _: ["sh", "-c", "first\n\n\tsecond"])

    told = process_table([tmp_path / "nowhere"])

    assert all(line.endswith(" sh -c first second") for line in told.splitlines()[2:])


@pytest.mark.parametrize(
    ("nodeid", "name"),
    [
        ("tests/system/test_batch.py::test_a_list", "system.test_batch.test_a_list"),
        ("tests/browser/worker/test_x.py::TestY::test_z[a-1]", "browser.worker.test_x.TestY.test_z[a-1]"),
    ],
)
def test_the_folder_has_the_name_of_the_test(nodeid: str, name: str) -> None:
    assert folder_name(nodeid) == name


def test_no_two_tests_share_a_folder() -> None:
    alike = ["tests/a.py::t[x/y]", "tests/a.py::t[x y]", f"tests/a.py::t[{'x' * 300}]", f"tests/a.py::t[{'x' * 301}]"]

    found = {folder_name(nodeid) for nodeid in alike}

    assert len(found) == 4
    assert all(len(name) < 140 and "/" not in name for name in found)
