"""A list goes in, every file comes home: the whole program on real Chromium, with and without accidents."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import anyio
import anyio.to_thread
import psutil
import pytest
from openpyxl import load_workbook

from poolwright.demo.portal_client import running_portal
from tests.support.batch_results import (
    QUIET,
    assert_all_right,
    expected_digests,
    filed_digests,
    numbers_of,
    reported,
)
from tests.support.portal import needs_chromium
from tests.support.program import ProgramFolder, open_program, read_lines, send

pytestmark = [needs_chromium, pytest.mark.timeout(300)]


async def test_a_list_comes_home_whole_with_the_users_columns_and_a_second_run_does_nothing(tmp_path: Path) -> None:
    async with running_portal(order_count=12) as portal, open_program(tmp_path, portal) as program:
        numbers = await numbers_of(portal, 12)
        truths = await portal.truth(*numbers)
        outcomes = {number: truth.outcome for number, truth in truths.items()} | {"12AB": "INVALID"}
        rows = [*numbers, numbers[0], "12AB"]

        first = await program.run("run", program.list_of(rows), *QUIET, "--workers", "2")
        left = program.left_over()
        await portal.reset_stats()
        second = await program.run("run", "orders.xlsx", *QUIET)
        stats = await portal.stats()

        assert first.code == 1, "some orders of the list cannot be done"
        assert left == []
        assert filed_digests(program) == expected_digests(truths)
        assert [row["Outcome"] for row in reported(program)] == [outcomes[number] for number in rows]
        assert_columns_of_the_user(program, rows, outcomes)
        assert second.code == 1
        assert not stats.order_pages, "nothing is asked of the portal again"
        assert "None of the rest is retried by default; see --redo." in second.out + second.errors


def assert_columns_of_the_user(program: ProgramFolder, rows: Sequence[str], outcomes: Mapping[str, str]) -> None:
    """Report and copy have the user's columns and lines as they were, twice the one that was there twice."""
    paths = sorted((program.out / "reports").glob("*.xlsx"))
    assert [path.name for path in paths] == ["orders-report.xlsx", "orders-with-results.xlsx"]
    for path in paths:
        header, *told = [[cell.value for cell in row] for row in load_workbook(path).worksheets[0].iter_rows()]
        outcome = header.index("Outcome")
        assert header[:3] == ["Company", "PO_NUMBER", "Comment"]
        assert [line[:3] for line in told] == [["A100", f"PO{number}", "to be checked"] for number in rows]
        assert [line[outcome] for line in told] == [outcomes[number] for number in rows]


async def test_a_program_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    async with running_portal(order_count=9) as portal, open_program(tmp_path, portal) as program:
        numbers = await numbers_of(portal, 6)
        truths = await portal.truth(*numbers)
        arguments = ("run", program.list_of(numbers), "--tabs", "2", "--json")

        done_before = await _kill_after(program, arguments, 2)
        await portal.reset_stats()
        last = await program.run(*arguments)
        stats = await portal.stats()

        assert last.code == 1
        assert_all_right(program, truths)
        asked_again = {number for number in done_before if stats.order_pages.get(number)}
        assert asked_again == set(), "what was done is not asked for again"


async def _kill_after(program: ProgramFolder, arguments: tuple[str, ...], count: int) -> set[str]:
    """Kill the program when it has ended so many orders; its workers must be gone soon after by themselves."""
    done: set[str] = set()
    async with program.started(*arguments) as process:
        async for line in read_lines(process):
            if line["type"] == "task_ended":
                done.add(line["task"]["portal_number"])
            if len(done) == count:
                break
        send(process, signal.SIGKILL)
        await process.wait()
    # The workers end by themselves: with their link, and by the kernel when their parent dies.
    workers = [process for process in psutil.process_iter() if program.is_ours(process)]
    _, alive = await anyio.to_thread.run_sync(lambda: psutil.wait_procs(workers, timeout=10))
    assert alive == []
    return done


async def test_a_terminated_program_finishes_what_it_has_in_hand(tmp_path: Path) -> None:
    async with running_portal(order_count=12) as portal, open_program(tmp_path, portal) as program:
        numbers = await numbers_of(portal, 12)
        begun, ended, summary = Counter[str](), Counter[str](), {}

        async with program.started("run", program.list_of(numbers), "--json", "--tabs", "2") as process:
            async for line in read_lines(process):
                if line["type"] == "task_started":
                    begun[line["task"]["task_id"]] += 1
                if line["type"] == "task_returned":  # taken just as its worker was told to stop, and never looked at
                    begun[line["task_id"]] -= 1
                if line["type"] == "task_ended":
                    ended[line["task"]["task_id"]] += 1
                    if ended.total() == 2:
                        send(process, signal.SIGTERM)
                if line["type"] == "summary":
                    summary = line
            code = await process.wait()

        assert code == 7
        assert summary["ending"] == "stopped"
        assert +begun == ended, "every order that was begun was finished"
        assert summary["left_count"] == 12 - ended.total() > 0
        assert program.left_over() == []


async def test_a_login_that_cannot_be_given_leaves_every_order_of_standard_input_queued(tmp_path: Path) -> None:
    async with running_portal() as portal, open_program(tmp_path, portal) as program:
        numbers = await numbers_of(portal, 3)
        typed = "".join(f"PO{number}\n" for number in numbers)
        await portal.expire_sessions()
        program.environment["POOLWRIGHT_PASSWORD"] = "wrong"

        refused = await program.run("run", "-", *QUIET, text=typed)
        program.environment["POOLWRIGHT_PASSWORD"] = portal.password
        done = await program.run("run", "-", *QUIET, text=typed)

        assert refused.code == 4, refused
        assert "login" in refused.errors + refused.out
        assert done.code in {0, 1}
        assert filed_digests(program) == expected_digests(await portal.truth(*numbers))


async def test_lists_that_cannot_be_read_are_refused_in_a_sentence(tmp_path: Path) -> None:
    lists = {"blank.csv": "", "letter.csv": "Name,City\nAcme,Oslo\n"}
    said = {"blank.csv": "empty", "letter.csv": "--column", "none.csv": "there is no file"}
    async with running_portal(order_count=1) as portal, open_program(tmp_path, portal) as program:
        for name, content in lists.items():
            (program.folder / name).write_text(content)

        for name, words in said.items():
            ended = await program.run("run", name, *QUIET)

            assert ended.code == 3, ended
            assert words in ended.errors.lower()
            assert "Traceback" not in ended.errors
