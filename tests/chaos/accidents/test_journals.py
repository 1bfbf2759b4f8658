"""A journal that cannot be used: one sentence, an exit code, the file as it was, and no browser is started."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from poolwright.concurrency import SystemClock
from poolwright.demo.faults import Latency
from poolwright.demo.portal_client import running_portal
from poolwright.journal.schema import SCHEMA_VERSION
from poolwright.journal.sqlite_journal import SqliteJournal
from tests.support.batch_results import assert_all_right, numbers_of
from tests.support.portal import SHELL, needs_chromium
from tests.support.program import PATIENT, Ended, ProgramFolder, open_program, read_lines, use_own_pack

pytestmark = [needs_chromium, pytest.mark.timeout(240)]

#: "No browser, no workers, no memory or no room left": what the run needs is not there.
EXIT_RESOURCES = 6


def garbage(path: Path) -> None:
    path.write_bytes(b"\xa5no journal at all\n" * 1000)


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize(
    ("spoil", "says", "next_step"),
    [
        (garbage, "cannot be used: file is not a database", "move it away and run again"),
        (newer, f"has version 99, but this Poolwright supports up to {SCHEMA_VERSION}", "choose another --out"),
    ],
)
async def test_a_journal_that_is_spoiled_or_too_new_is_refused_and_left_as_it_is(
    tmp_path: Path, spoil: Callable[[Path], None], says: str, next_step: str
) -> None:
    async with running_portal() as portal, open_program(tmp_path, portal) as program:
        path = await make_journal(program.out)
        spoil(path)
        before = journal_files(path)

        ended = await run_watched(program, program.list_of(await numbers_of(portal, 3)))

        assert_refused(ended, says, next_step)
        assert journal_files(path) == before
        assert browsers_started(program) == []


async def test_a_journal_in_use_is_refused_and_its_user_goes_on(tmp_path: Path) -> None:
    async with running_portal() as portal, open_program(tmp_path, portal) as program:
        numbers = await numbers_of(portal, 4)
        truths = await portal.truth(*numbers)
        use_own_pack(program, {}, PATIENT)
        await portal.add_fault(Latency(delay_ms=300_000))
        refused: Ended | None = None

        async with program.started("run", program.list_of(numbers), "--workers", "1", "--json") as process:
            async for line in read_lines(process):
                if refused is None and line["type"] == "task_started":
                    refused = await run_watched(program, "orders.xlsx")
                    await portal.clear_faults()
            first_code = await process.wait()

        assert refused is not None
        assert_refused(refused, f"Another Poolwright (pid {process.pid})", "wait for it or choose another --out")
        assert browsers_started(program) == []
        assert first_code in {0, 1}
        assert_all_right(program, truths)


async def test_an_output_folder_that_cannot_be_written_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    async with running_portal() as portal, open_program(tmp_path, portal) as program:
        with read_only_disk(program.out) as make_read_only:
            path = await make_journal(program.out)
            before = path.read_bytes()
            make_read_only()

            ended = await run_watched(program, program.list_of(await numbers_of(portal, 3)))

            says = "The output folder 'out' cannot be written: Read-only file system"
            assert_refused(ended, says, "Fix this, or choose another folder with --out")
            assert path.read_bytes() == before
            assert browsers_started(program) == []


async def make_journal(out: Path) -> Path:
    """A journal as an earlier run leaves it."""
    path = out / ".poolwright" / "journal.db"
    async with SqliteJournal(path, SystemClock()):
        pass
    return path


def journal_files(path: Path) -> dict[str, bytes]:
    """The journal and all that lies beside it by its name, but the lock, which tells who had it last."""
    return {each.name: each.read_bytes() for each in path.parent.glob("journal.db*") if each.suffix != ".lock"}


@contextmanager
def read_only_disk(place: Path) -> Generator[Callable[[], None]]:
    """A file system of its own that can be closed to writing, which binds root too; gives what closes it."""
    place.mkdir()
    if _mount("-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)) != 0:
        pytest.skip("no file system can be mounted here")
    try:
        yield lambda: _close(place)
    finally:
        subprocess.run(["umount", str(place)], check=True)


def _close(place: Path) -> None:
    if _mount("-o", "remount,ro", str(place)) != 0:
        pytest.skip("no file system can be made read-only here")


def _mount(*arguments: str) -> int:
    return subprocess.run(["mount", *arguments], check=False, capture_output=True).returncode


async def run_watched(program: ProgramFolder, orders: str) -> Ended:
    """Run a list with a browser that notes down how it is started."""
    assert SHELL is not None
    script = program.folder / "chromium"
    script.write_text(f'#!/bin/sh\necho "$@" >> {_notes(program)}\nexec {SHELL} "$@"\n', encoding="utf-8")
    script.chmod(0o700)
    return await program.run("run", orders, "--json", "--browser", str(script))


def browsers_started(program: ProgramFolder) -> list[str]:
    """How the browser of ``run_watched`` was started, if at all."""
    return _notes(program).read_text(encoding="utf-8").splitlines() if _notes(program).exists() else []


def _notes(program: ProgramFolder) -> Path:
    return program.folder / "browsers-started"


def assert_refused(ended: Ended, says: str, next_step: str) -> None:
    """One sentence for people, with the next step, and nothing that only programmers read."""
    assert ended.code == EXIT_RESOURCES, ended
    assert "Traceback" not in ended.errors
    told = [line for line in ended.errors.splitlines() if line.strip()]
    assert len(told) == 1, told
    assert says in told[0]
    assert next_step in told[0]
    assert [line for line in ended.objects() if line["type"] in {"moved", "task_started", "summary"}] == []
