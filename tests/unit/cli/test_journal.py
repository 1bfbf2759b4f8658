"""``poolwright journal``: forgets only what it is told to, is refused while in use, and changes hands on a word."""

from __future__ import annotations

import os
from pathlib import Path

import anyio

from poolwright.cli.process_exit import ExitCode
from poolwright.concurrency import SystemClock
from poolwright.journal.sqlite_journal import SqliteJournal
from tests.support.commands import Command
from tests.support.journal_audit import check_laws, query
from tests.support.manual_clock import ManualClock
from tests.support.tasks import orders, task_id


class OldClock(ManualClock):
    """Long before today."""

    def now(self):  # noqa: ANN201 - as the clock that it stands for
        return super().now().replace(year=2001)


def made_journal(program: Path) -> Path:
    """The journal of a run of long ago: a list that is over."""
    path = program / "downloads/.poolwright/journal.db"

    async def work() -> None:
        async with SqliteJournal(path, OldClock()) as journal:
            await journal.accept(orders(*range(300)))
            await journal.cancel_all([task_id(number) for number in range(300)])

    anyio.run(work)
    return path


def test_it_forgets_nothing_unless_told_and_then_tells_before_and_after(command: Command, program: Path) -> None:
    path = made_journal(program)

    assert command("journal", "compact").exit_code == ExitCode.DONE
    assert query(path, "SELECT count(*) FROM transitions") == [(300,)]
    result = command("journal", "compact", "--retention-days", "90")

    assert result.exit_code == ExitCode.DONE
    assert "1 list, 0 attempts and 300 transitions deleted" in result.stdout
    assert "; compacted from " in result.stdout
    assert query(path, "SELECT count(*) FROM reports") == [(300,)]
    check_laws(path, is_swept=True)
    assert "nothing was changed" in command("journal", "compact", "--retention-days", "90").stdout


def test_its_help_says_what_is_deleted_and_what_stays(command: Command) -> None:
    words = " ".join(command("journal", "compact", "--help").stdout.split())

    assert "return its free space to the disk, and delete old history if --retention-days is set" in words
    assert "The results of all orders stay" in words


def test_it_is_refused_while_another_program_has_the_journal(command: Command, program: Path) -> None:
    path = made_journal(program)

    async def beside_another() -> None:
        async with SqliteJournal(path, SystemClock()):
            result = await anyio.to_thread.run_sync(command, "journal", "compact")
            assert result.exit_code == ExitCode.RESOURCES
            assert f"Another Poolwright (pid {os.getpid()}) is using this journal" in result.stderr

    anyio.run(beside_another)


def test_a_folder_without_a_journal_stays_as_it_is(command: Command, program: Path) -> None:
    result = command("journal", "compact", "--out", "elsewhere")

    assert result.exit_code == ExitCode.USAGE
    assert "There is no journal in 'elsewhere'" in result.stderr
    assert list(program.iterdir()) == []


def test_orders_are_given_to_another_account_by_a_word(command: Command, program: Path) -> None:
    path = made_journal(program)

    result = command("journal", "adopt", "--portal", "demo", "--base-url", "https://acme.example/", "--profile", "new")

    assert result.exit_code == ExitCode.DONE
    assert "The orders of demo in 'downloads' now belong to https://acme.example, profile new." in result.stdout
    assert query(path, "SELECT * FROM accounts") == [("demo", "https://acme.example", "new")]


def test_there_must_be_orders_to_be_given(command: Command) -> None:
    result = command("journal", "adopt", "--portal", "demo", "--base-url", "https://acme.example/")

    assert result.exit_code == ExitCode.USAGE
    assert "There is no journal in 'downloads'" in result.stderr
