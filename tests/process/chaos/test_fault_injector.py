"""A storm strikes when its time has come, what it means to strike, and nothing twice."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Generator

import anyio
import psutil
import pytest

from poolwright.demo.portal_client import PortalClient
from tests.support.storm.accidents import Accident, FaultKind, Storm, Target
from tests.support.storm.fault_injector import FaultInjector
from tests.support.storm.progress import Progress

PORTAL = PortalClient(url="", admin_token="", user="", password="", pid=0)
IDLE = "import sys; print('up', flush=True); sys.stdin.read()"


@pytest.fixture
def program() -> Generator[subprocess.Popen[bytes]]:
    """A process that stands for the program and does nothing."""
    with subprocess.Popen([sys.executable, "-c", IDLE], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        yield process
        process.kill()


def accident(
    blow: FaultKind, *, target: Target = Target.SUPERVISOR, after_count: int = 0, frozen_s: float = 0.0
) -> Accident:
    return Accident(after_count=after_count, delay_s=0.0, target=target, blow=blow, pick=0.9, frozen_s=frozen_s)


def injector(progress: Progress, *accidents: Accident) -> FaultInjector:
    storm = Storm(seed=1, order_count=10, accidents=accidents, troubles=())
    return FaultInjector(storm=storm, progress=progress, portal=PORTAL, note=lambda _: None)


@pytest.mark.parametrize(
    ("blow", "frozen_s", "code"),
    [
        (FaultKind.KILL, 0.0, -signal.SIGKILL),
        (FaultKind.END, 0.0, -signal.SIGTERM),
        (FaultKind.FREEZE, 0.1, -signal.SIGKILL),
    ],
)
async def test_a_program_is_ended_as_the_storm_says(
    program: subprocess.Popen[bytes], blow: FaultKind, frozen_s: float, code: int
) -> None:
    progress = Progress()
    progress.pid = program.pid
    storm = injector(progress, accident(blow, frozen_s=frozen_s))

    await storm.act_out()

    assert await anyio.to_thread.run_sync(program.wait, 10) == code
    assert storm.is_over
    assert [hit.pid for hit in storm.hits] == [program.pid]


async def test_a_program_that_naps_goes_on(program: subprocess.Popen[bytes]) -> None:
    progress = Progress()
    progress.pid = program.pid

    await injector(progress, accident(FaultKind.NAP, frozen_s=0.1)).act_out()
    program.communicate(timeout=10)

    assert program.returncode == 0, "it heard that its input has ended, and nothing had killed it"


async def test_an_accident_waits_for_its_order(program: subprocess.Popen[bytes]) -> None:
    progress = Progress()
    progress.pid = program.pid
    storm = injector(progress, accident(FaultKind.KILL, after_count=3))

    async with anyio.create_task_group() as beside:
        beside.start_soon(storm.act_out)
        await anyio.wait_all_tasks_blocked()
        progress.ended_count = 2
        progress.tick()
        await anyio.wait_all_tasks_blocked()
        assert not storm.hits
        progress.ended_count = 3
        progress.tick()

    assert storm.is_over


async def test_an_accident_waits_for_a_victim_that_is_not_frozen_already(program: subprocess.Popen[bytes]) -> None:
    progress = Progress()
    progress.pid = program.pid
    program.send_signal(signal.SIGSTOP)
    await anyio.to_thread.run_sync(_until_stopped, psutil.Process(program.pid))
    storm = injector(progress, accident(FaultKind.KILL))

    async with anyio.create_task_group() as beside:
        beside.start_soon(storm.act_out)
        await anyio.wait_all_tasks_blocked()
        assert not storm.hits
        program.send_signal(signal.SIGCONT)
        progress.tick()

    assert storm.is_over


async def test_no_other_process_is_taken_for_a_victim(program: subprocess.Popen[bytes]) -> None:
    progress = Progress()
    progress.pid = program.pid
    storm = injector(progress, accident(FaultKind.KILL, target=Target.BROWSER))

    async with anyio.create_task_group() as beside:
        beside.start_soon(storm.act_out)
        await anyio.wait_all_tasks_blocked()
        beside.cancel_scope.cancel()

    assert program.poll() is None
    assert not storm.hits


def _until_stopped(process: psutil.Process) -> None:
    while process.status() != psutil.STATUS_STOPPED:
        pass
