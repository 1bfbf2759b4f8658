"""The daemon as its user starts it: real browsers, lists by HTTP and by file, a kill in the middle."""

from __future__ import annotations

import io
import os
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import anyio
import httpx
import pytest
from anyio.abc import Process
from anyio.streams.text import TextReceiveStream

from poolwright.concurrency import SystemClock
from poolwright.demo.portal_client import NO_TLS_CONTEXT, running_portal
from tests.support.batch_results import expected_digests, filed_digests, numbers_of
from tests.support.portal import needs_chromium
from tests.support.program import ProgramFolder, open_program

pytestmark = [needs_chromium, pytest.mark.timeout(300)]

#: Orders by the interface, as many by a file that is sent, and some by a file that is dropped.
COUNT, DROPPED = 3, 2
SENT = {"api": COUNT, "orders.csv": COUNT, "dropped.csv": DROPPED}


@asynccontextmanager
async def serving(program: ProgramFolder, *arguments: str) -> AsyncGenerator[tuple[Process, httpx.AsyncClient]]:
    """Start the daemon and ask it with its token; whoever asks ends it."""
    options = ("serve", "--port", "0", "--tabs", "2", *arguments)
    async with program.started(*options) as process:
        assert process.stdout is not None
        said = ""
        with anyio.fail_after(60):
            async for text in TextReceiveStream(process.stdout):
                said += text
                if "#token=" in said and said.endswith("\n"):
                    break
        url, _, token = said.rpartition("Poolwright is at ")[2].strip().partition("/#token=")
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60, verify=NO_TLS_CONTEXT) as client:
            yield process, client


async def done_count(client: httpx.AsyncClient) -> int:
    return (await client.get("/api/v1/status")).json()["counts"]["DONE"]


async def until_done(client: httpx.AsyncClient, count: int) -> None:
    async with client.stream("GET", "/api/v1/events") as happening:
        lines = happening.aiter_lines()
        while await done_count(client) < count:
            async for line in lines:
                if line == "event: task_ended":
                    break


async def until_idle(client: httpx.AsyncClient) -> None:
    """The one schedule looks now and then whether its lists have ended."""
    with anyio.fail_after(60):
        while (await client.get("/api/v1/schedules")).json()[0]["is_running"]:  # noqa: ASYNC110 - no event tells of it
            await anyio.sleep(0.2)


async def test_orders_by_three_ways_survive_a_kill_of_the_daemon(tmp_path: Path) -> None:
    total = 2 * COUNT + DROPPED
    async with running_portal(order_count=total) as portal, open_program(tmp_path, portal) as program:
        numbers = await numbers_of(portal, total)
        inbox = tmp_path / "inbox"
        inbox.mkdir()
        program.environment["POOLWRIGHT_INBOX_DIR"] = str(inbox)
        program.environment["POOLWRIGHT_INBOX_INTERVAL_S"] = "0.5"
        (inbox / "dropped.csv").write_text("\n".join(["PO", *numbers[2 * COUNT :]]))
        truths = await portal.truth(*numbers)
        file = io.BytesIO("\n".join(["PO", *numbers[COUNT : 2 * COUNT]]).encode())
        async with serving(program) as (process, client):
            sent = {"numbers": [f"PO{number}" for number in numbers[:COUNT]], "name": "api"}
            answers = [
                await client.post("/api/v1/lists", json=sent),
                await client.post("/api/v1/lists/upload", files={"file": ("orders.csv", file)}),
            ]
            assert [answer.status_code for answer in answers] == [201, 201]
            await until_done(client, 2)
            os.kill(process.pid, signal.SIGKILL)
            await process.wait()
        async with serving(program) as (process, client):
            await until_done(client, total)
            lists = (await client.get("/api/v1/lists")).json()
            os.kill(process.pid, signal.SIGTERM)
            code = await process.wait()

        assert code == 0
        assert filed_digests(program) == expected_digests(truths)
        assert {one["source"]: one["counts"]["DONE"] for one in lists} == SENT
        assert not (program.out / ".poolwright/daemon.json").exists()
        assert [path.name.split(".")[0] for path in (inbox / "done").iterdir()] == ["dropped"]


async def assert_refused_beside_it(program: ProgramFolder) -> None:
    """Neither a second daemon nor a run works on the folder of a daemon."""
    for arguments in (("serve", "--port", "0"), ("run", "PO15800035")):
        ended = await program.run(*arguments)

        assert ended.code == 6
        assert "Another Poolwright (pid" in ended.errors


async def assert_fired_on_demand(program: ProgramFolder) -> None:
    """A schedule that there is can be told to run; one that there is not is refused by its name."""
    told = await program.run("schedule", "run", "nightly")
    unknown = await program.run("schedule", "run", "daily")

    assert told.code == 0, told
    assert (unknown.code, "daily" in unknown.errors) == (6, True)


async def assert_told_of_a_port_that_is_taken(program: ProgramFolder) -> None:
    port = program.portal.url.rpartition(":")[2]

    ended = await program.run("serve", "--port", port)

    assert ended.code == 6
    assert f"port {port} cannot be opened" in ended.errors


async def test_settings_are_read_again_and_a_schedule_fires_by_itself_and_on_demand(tmp_path: Path) -> None:
    async with running_portal(order_count=60) as portal, open_program(tmp_path, portal) as program:
        numbers = await numbers_of(portal, 4)
        (tmp_path / "night.csv").write_text("\n".join(["PO", *numbers]))
        toml = tmp_path / "poolwright.toml"
        toml.write_text("max_attempts = 2\n")
        await assert_told_of_a_port_that_is_taken(program)
        async with serving(program) as (process, client):
            before = (await client.get("/api/v1/schedules")).json()
            soon = SystemClock().now() + timedelta(seconds=70)  # its minute begins in 10 s at the earliest
            cron = f'cron = "{soon.minute} * * * *"\ntimezone = "UTC"'
            entry = f'[[schedules]]\nname = "nightly"\n{cron}\nfile = "{tmp_path / "night.csv"}"\n'
            toml.write_text(f"max_attempts = 4\n{entry}")
            os.kill(process.pid, signal.SIGHUP)
            await assert_refused_beside_it(program)
            await until_done(client, len(numbers))
            lists = (await client.get("/api/v1/lists")).json()
            await until_idle(client)
            await assert_fired_on_demand(program)
            toml.write_text("max_attempts = 99\n")
            os.kill(process.pid, signal.SIGHUP)
            alive = await client.get("/healthz")
            os.kill(process.pid, signal.SIGTERM)
            code = await process.wait()

        log = (program.out / ".poolwright/log.jsonl").read_text()
        assert before == []
        assert [one["source"] for one in lists] == ["night.csv"]
        assert (alive.status_code, code) == (200, 0)
        assert "max_attempts was changed from" in log
        assert "The settings were not reloaded" in log
