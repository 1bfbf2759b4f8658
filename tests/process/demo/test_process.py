from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import anyio
import httpx
import psutil
import pytest

from poolwright.demo.portal_client import PortalError, running_portal

COMMAND = (sys.executable, "-m", "poolwright.demo")


async def test_the_portal_runs_as_a_process_of_its_own_and_is_gone_after_the_block() -> None:
    async with running_portal() as portal:
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(portal.url)
        alive = psutil.pid_exists(portal.pid)

    assert answer.headers["location"] == "/sessions/new"
    assert portal.url.startswith("http://127.0.0.1:")
    assert alive
    assert portal.pid != os.getpid()
    assert not psutil.pid_exists(portal.pid)


async def test_it_is_gone_after_a_block_that_fails() -> None:
    pids: list[int] = []

    async def failing() -> None:
        async with running_portal() as portal:
            pids.append(portal.pid)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await failing()

    assert [psutil.pid_exists(pid) for pid in pids] == [False]


async def test_it_is_gone_after_a_block_that_is_cancelled() -> None:
    pid = 0
    with anyio.CancelScope() as scope:
        async with running_portal() as portal:
            pid = portal.pid
            scope.cancel()
            await anyio.sleep_forever()

    assert pid
    assert not psutil.pid_exists(pid)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGSTOP")
async def test_a_portal_that_does_not_listen_any_more_is_killed() -> None:
    async with running_portal() as portal:
        os.kill(portal.pid, signal.SIGSTOP)

    assert not psutil.pid_exists(portal.pid)


async def test_a_taken_port_is_told_in_one_sentence() -> None:
    async with running_portal() as portal:
        port = int(portal.url.rpartition(":")[2])
        with pytest.raises(PortalError, match=rf"cannot listen on 127.0.0.1:{port} .*choose another"):
            async with running_portal(port=port):
                pass


async def test_a_portal_never_tells_its_secrets_in_its_name() -> None:
    async with running_portal() as portal:
        assert portal.admin_token not in repr(portal)
        assert portal.password not in repr(portal)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(number: signal.Signals) -> None:
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        process.send_signal(number)
        rest, complaints = process.communicate(timeout=10)

    assert set(ready) == {"url", "admin_token", "user", "password"}
    assert (process.returncode, rest, complaints) == (0, b"", b"")


@pytest.mark.skipif(sys.platform == "win32", reason="standard input can't be awaited there")
def test_it_ends_with_its_standard_input_when_told_so() -> None:
    command = (*COMMAND, "--die-with-parent")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.communicate(timeout=10)

    assert process.returncode == 0


def test_without_being_told_so_it_outlives_its_standard_input() -> None:
    with subprocess.Popen(COMMAND, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        answer = httpx.get(ready["url"], trust_env=False)
        process.terminate()

    assert answer.status_code == 302


@pytest.mark.skipif(sys.platform == "win32", reason="descriptors are not inherited there")
def test_the_ready_line_goes_to_the_descriptor_that_is_named() -> None:
    reader, writer = os.pipe()
    command = (*COMMAND, f"--ready-fd={writer}")
    with (
        os.fdopen(reader) as ready,
        subprocess.Popen(command, stdout=subprocess.PIPE, pass_fds=[writer]) as process,
    ):
        os.close(writer)
        told = json.loads(ready.readline())
        process.terminate()
        rest, _ = process.communicate(timeout=10)

    assert told["url"].startswith("http://127.0.0.1:")
    assert rest == b""


@pytest.mark.parametrize("argument", ["--port=70000", "--orders=-1", "--orders=many"])
def test_an_option_that_makes_no_sense_is_refused(argument: str) -> None:
    done = subprocess.run((*COMMAND, argument), capture_output=True, check=False, timeout=20)

    assert done.returncode == 2
    assert argument.partition("=")[0].encode() in done.stderr
