"""Commands that ask a running daemon: they find it by the output folder, and say clearly when there is none."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from typer.testing import CliRunner, Result

from poolwright.archive.output_tree import PRIVATE_NAME
from poolwright.cli.main import app
from poolwright.cli.remote import status
from poolwright.concurrency import SystemClock
from poolwright.domain.states import PoolStatus
from poolwright.service.api.token_auth import TOKEN_FILE_NAME
from poolwright.service.pidfile import daemon_pidfile
from poolwright.supervisor.policy.courtesy.tab_limit import TabLimit
from tests.process.daemon.tmp_daemons import TOKEN, Running, number, order_list, running_daemon

pytestmark = pytest.mark.timeout(90)
Ask = Callable[..., Awaitable[Result]]


@asynccontextmanager
async def found_daemon(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    tasks: tuple[str, ...] = ("finish",),
    **changes: Any,  # noqa: ANN401 - options by name
) -> AsyncGenerator[tuple[Running, Ask]]:
    """A daemon that says where it is, and the program as somebody starts it in another terminal."""
    out = root / "out"

    async def ask(*arguments: str, text: str = "") -> Result:
        def run() -> Result:
            return CliRunner().invoke(app, [*arguments, "--out", str(out)], input=text, catch_exceptions=False)

        return await anyio.to_thread.run_sync(run)

    async with running_daemon(root, monkeypatch, {"*": {"tasks": list(tasks)}}, **changes) as running:
        (out / PRIVATE_NAME / TOKEN_FILE_NAME).write_text(TOKEN)
        with daemon_pidfile(out / PRIVATE_NAME, running.url, SystemClock().now()):
            yield running, ask


async def test_a_list_is_sent_and_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(f"Company,PO\nA,{number(1)}\nB,{number(2)}\n")
    async with found_daemon(tmp_path, monkeypatch) as (_, ask):
        sent = await ask("submit", str(file), "--wait")
        again = await ask("submit", str(file))
        typed = await ask("submit", number(3), "oops", "--wait", "--json")
        piped = await ask("submit", "-", text=f"{number(4)}\n")

    assert (sent.exit_code, "2 new orders" in sent.output) == (0, True)
    assert "2 already done" in again.output
    assert typed.exit_code == 1, "a number of it was wrong"
    assert json.loads(typed.output.splitlines()[0])["new_count"] == 1
    assert (piped.exit_code, "1 new order" in piped.output) == (0, True)


async def test_the_status_tells_all_at_a_glance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with found_daemon(tmp_path, monkeypatch) as (running, ask):
        await running.daemon.submit(order_list(1, 2, source="march.xlsx"))
        await running.done(2)
        told = await ask("status")
        as_json = await ask("status", "--json")
        running.daemon.drain()
        draining = await ask("status")

    assert told.exit_code == 0, told.output
    for part in ("worker-1", "march.xlsx", "2 ended", "ready"):
        assert part in told.output
    assert json.loads(as_json.output)["lists"][0]["outcomes"] == {"COMPLETED": 2}
    assert (draining.exit_code, "draining" in draining.output) == (6, True)


async def test_the_status_says_why_fewer_orders_are_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = "The portal answers slowly: at most 1 of 4 orders are open at once."
    monkeypatch.setattr(TabLimit, "sentence", slow)
    async with found_daemon(tmp_path, monkeypatch) as (_, ask):
        told, as_json = await ask("status"), await ask("status", "--json")

    assert slow in told.output
    assert json.loads(as_json.output)["pool"]["slow_down"] == slow


async def test_the_status_shows_as_many_lists_as_one_wants_and_says_that_there_are_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "PAGE_SIZE", 3)
    async with found_daemon(tmp_path, monkeypatch) as (running, ask):
        for index in range(10):
            await running.daemon.submit(order_list(index, source=f"list-{index:02}.csv"))
        usual = await ask("status")
        seven = await ask("status", "--lists", "7", "--json")
        every = await ask("status", "--lists", "10")
        none = await ask("status", "--lists", "0", "--json")

    assert (usual.output.count(".csv"), "`poolwright status --lists" in usual.output) == (8, True)
    found = json.loads(seven.output)
    assert len({one["source"] for one in found["lists"]}) == 7
    assert found["has_more_lists"] is True
    assert (every.output.count(".csv"), "There are more lists" in every.output) == (10, False)
    assert json.loads(none.output)["lists"] == []


async def test_its_health_is_told_by_two_exit_codes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with found_daemon(tmp_path, monkeypatch) as (running, ask):
        await running.until(lambda: not running.daemon.not_ready_reasons())
        ready, lives = await ask("health"), await ask("health", "--live")
        running.daemon.drain()
        draining, still_lives = await ask("health"), await ask("health", "--live")
    with daemon_pidfile(tmp_path / "out" / PRIVATE_NAME, running.url, SystemClock().now()):
        gone = await ask("health", "--live")

    assert (ready.exit_code, "is ready" in ready.output) == (0, True)
    assert (lives.exit_code, still_lives.exit_code) == (0, 0)
    assert (draining.exit_code, "draining" in draining.output) == (1, True)
    assert (gone.exit_code, "does not answer" in gone.output) == (1, True)


async def test_the_pool_is_paused_and_orders_are_called_off_and_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with found_daemon(tmp_path, monkeypatch) as (running, ask):
        paused = await ask("pause")
        await running.until(lambda: running.daemon.pool.status is PoolStatus.PAUSED)
        orders = order_list(1, 2, 3)
        await running.daemon.submit(orders)
        one = await ask("cancel", number(1))
        rest = await ask("cancel", "--list", orders.batch_id)
        resumed = await ask("resume")
        unknown = await ask("retry", "PO99999999")
        nothing = await ask("retry")
        again = await ask("retry", "--outcome", "CANCELLED")
        await running.done(3)

    assert [result.exit_code for result in (paused, one, rest, resumed, again)] == [0] * 5
    assert ("1 order cancelled" in one.output, "2 orders cancelled" in rest.output) == (True, True)
    assert "3 orders queued again" in again.output
    assert (unknown.exit_code, nothing.exit_code) == (2, 2)


async def test_failures_are_retried_by_reason_and_a_report_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tasks = ("fail:no_permission", "finish")
    async with found_daemon(tmp_path, monkeypatch, tasks) as (running, ask):
        orders = order_list(1, 2)
        await running.daemon.submit(orders)
        await running.done(2)
        retried = await ask("retry", "--reason", "no_permission")
        await running.done(2)
        fetched = await ask("report", orders.batch_id, "--to", "mine.csv")
        default = await ask("report", orders.batch_id)
        odd = await ask("report", orders.batch_id, "--to", "mine.pdf")
        missing = await ask("report", "nope")

    assert "1 order queued again" in retried.output
    assert fetched.exit_code == 0, fetched.output
    assert number(1) in (tmp_path / "mine.csv").read_text(encoding="utf-8-sig")
    assert default.exit_code == 0
    assert (tmp_path / f"{orders.batch_id}-report.xlsx").read_bytes().startswith(b"PK")
    assert (odd.exit_code, missing.exit_code) == (2, 6)
    assert "no list nope" in missing.output


async def test_the_workbook_that_was_submitted_gets_its_results_in_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    book = Workbook()
    assert isinstance(book.active, Worksheet)
    for row in (("PO", "Buyer"), (number(1), "Ann"), (number(2), "Bo")):
        book.active.append(row)
    book.save("mine.xlsx")
    own = await anyio.Path("mine.xlsx").read_bytes()
    async with found_daemon(tmp_path, monkeypatch, ("finish", "finish")) as (running, ask):
        accepted = await ask("submit", "mine.xlsx", "--json")
        list_id = json.loads(accepted.output.splitlines()[0])["list_id"]
        await running.done(2)
        copied = await ask("report", list_id, "--workbook", "mine.xlsx", "--portal", "demo")
        own_path = await ask("report", list_id, "--workbook", "mine.xlsx", "--portal", "demo", "--to", "mine.xlsx")
        lonely = await ask("report", list_id, "--sheet", "Sheet")

    assert (copied.exit_code, copied.output.strip()) == (0, "mine-with-results.xlsx"), copied.output
    sheet = load_workbook("mine-with-results.xlsx").active
    assert isinstance(sheet, Worksheet)
    outcomes = [sheet.cell(row, 3).value for row in (2, 3)]
    assert [sheet.cell(row, 2).value for row in (1, 2, 3)] == ["Buyer", "Ann", "Bo"]
    assert (sheet.cell(1, 3).value, all(outcomes)) == ("Outcome", True)
    assert (own_path.exit_code, lonely.exit_code, await anyio.Path("mine.xlsx").read_bytes()) == (2, 2, own)


async def test_a_daemon_is_watched_until_it_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with found_daemon(tmp_path, monkeypatch) as (running, ask):
        results: list[Result] = []

        async def watch() -> None:
            results.append(await ask("watch", "--json"))

        async with anyio.create_task_group() as beside:
            beside.start_soon(watch)
            await running.until(lambda: running.daemon.events.subscriber_count)
            await running.daemon.submit(order_list(1))
            await running.done(1)
            await running.daemon.close()

    (result,) = results
    kinds = [json.loads(line)["type"] for line in result.output.splitlines()]
    assert result.exit_code == 0
    assert {"task_started", "task_ended", "moved"} <= set(kinds)


@pytest.mark.parametrize("command", [("status",), ("submit", "PO15000001"), ("pause",), ("watch",)])
def test_without_a_daemon_each_command_says_how_to_start_one(command: tuple[str, ...], tmp_path: Path) -> None:
    result = CliRunner().invoke(app, [*command, "--out", str(tmp_path)])

    assert result.exit_code == 6
    assert "poolwright serve --out" in result.output


def test_a_daemon_that_died_is_no_daemon(tmp_path: Path) -> None:
    (tmp_path / PRIVATE_NAME).mkdir()
    with daemon_pidfile(tmp_path / PRIVATE_NAME, "http://127.0.0.1:9", SystemClock().now()):
        silent = CliRunner().invoke(app, ["status", "--out", str(tmp_path)])
        beacon = tmp_path / PRIVATE_NAME / "daemon.json"
        told = json.loads(beacon.read_text())
        beacon.write_text(json.dumps({**told, "pid": 2**22 + 1}))
        dead = CliRunner().invoke(app, ["status", "--out", str(tmp_path)])

    assert (silent.exit_code, dead.exit_code) == (6, 6)
    assert "token" in silent.output
    assert "No daemon is running on" in dead.output
