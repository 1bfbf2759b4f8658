"""systemd's notify protocol, heard at a real socket: each turn of life is told, and signs come from the living only."""

from __future__ import annotations

import os
import sys
import uuid
from pathlib import Path

import anyio
import pytest
from loguru import logger

from poolwright.service.daemon.systemd import SystemdNotifier
from poolwright.settings import SystemdEnvironment
from tests.support.manual_clock import ManualClock
from tests.support.service_manager import listening

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="systemd is where unix sockets are")

#: Beats twice in the tenth part of a second.
BUSY_USEC = 100_000


@pytest.fixture(params=["path", "name"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "name" and sys.platform != "linux":
        pytest.skip("sockets have names without files on Linux alone")
    return str(tmp_path / "notify") if request.param == "path" else f"@poolwright-{uuid.uuid4()}"


def test_every_turn_of_life_is_told(address: str) -> None:
    with listening(address) as manager:
        clock = ManualClock()
        notifier = SystemdNotifier(manager.supervision(), clock)
        notifier.ready("2 workers")
        notifier.status("12 orders to do")
        notifier.reloading()
        notifier.ready()
        notifier.stopping("3 orders in flight")

        assert manager.heard() == [
            "READY=1\nSTATUS=2 workers",
            "STATUS=12 orders to do",
            f"RELOADING=1\nMONOTONIC_USEC={int(clock.monotonic() * 1_000_000)}",
            "READY=1",
            "STOPPING=1\nSTATUS=3 orders in flight",
        ]


def test_a_status_is_one_line_whatever_it_holds(address: str) -> None:
    with listening(address) as manager:
        notifier = SystemdNotifier(manager.supervision(), ManualClock())
        notifier.status("two\nlines\nSTOPPING=1")
        notifier.status(" \n")
        notifier.status("x" * 100_000)

        first, second = manager.heard()
        assert first == "STATUS=two lines STOPPING=1"
        assert len(second) < 1_000


@pytest.mark.parametrize("nowhere", ["", "vsock:2:1234", "relative", "/nowhere/at/all"])
async def test_where_nobody_listens_nothing_happens(nowhere: str) -> None:
    supervision = SystemdEnvironment.model_construct(notify_socket=nowhere, watchdog_usec=BUSY_USEC, watchdog_pid=None)
    notifier = SystemdNotifier(supervision, ManualClock())

    notifier.ready("fine")
    with anyio.move_on_after(0.3):
        await notifier.run_watchdog(lambda: True)


def test_a_manager_that_has_gone_is_told_of_once_and_again_after_it_came_back(tmp_path: Path) -> None:
    seen: list[str] = []
    sink = logger.add(seen.append, format="{message}")
    try:
        with listening(tmp_path / "notify") as manager:
            notifier = SystemdNotifier(manager.supervision(), ManualClock())
        (tmp_path / "notify").unlink()
        notifier.status("a")
        notifier.status("b")
        with listening(tmp_path / "notify") as manager:
            notifier.status("c")
            assert manager.heard() == ["STATUS=c"]
        notifier.status("d")
    finally:
        logger.remove(sink)

    assert len([line for line in seen if "cannot be reached" in line]) == 2


def test_a_manager_that_does_not_read_stops_nobody(tmp_path: Path) -> None:
    with listening(tmp_path / "notify") as manager:
        notifier = SystemdNotifier(manager.supervision(), ManualClock())
        for _ in range(5_000):
            notifier.status("x" * 400)

        assert manager.heard()


async def test_signs_of_life_come_while_the_pool_lives_and_end_when_it_does_not(address: str) -> None:
    is_alive = True
    asked = anyio.Event()

    def look() -> bool:
        if not is_alive:
            asked.set()
        return is_alive

    with listening(address) as manager, anyio.fail_after(60):
        notifier = SystemdNotifier(manager.supervision(watchdog_usec=BUSY_USEC), ManualClock())
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(notifier.run_watchdog, look)
            assert [await manager.next_word() for _ in range(3)] == ["WATCHDOG=1"] * 3
            is_alive = False
            manager.heard()
            await asked.wait()
            assert manager.heard() == []
            is_alive = True
            assert await manager.next_word() == "WATCHDOG=1"
            tasks.cancel_scope.cancel()


@pytest.mark.parametrize(("usec", "pid"), [(None, None), (BUSY_USEC, 1)])
async def test_no_sign_is_given_that_nobody_wants(usec: int | None, pid: int | None, tmp_path: Path) -> None:
    with listening(tmp_path / "notify") as manager, anyio.fail_after(60):
        await SystemdNotifier(manager.supervision(usec, pid), ManualClock()).run_watchdog(lambda: True)

        assert manager.heard() == []


def test_the_sign_comes_twice_in_its_time() -> None:
    assert SystemdEnvironment.model_construct(watchdog_usec=30_000_000, watchdog_pid=os.getpid()).watchdog_s == 30.0


def test_what_systemd_sets_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "NOTIFY_SOCKET": "/run/x",
        "WATCHDOG_USEC": "60000000",
        "WATCHDOG_PID": str(os.getpid()),
    }.items():
        monkeypatch.setenv(name, value)
    assert (SystemdEnvironment().notify_socket, SystemdEnvironment().watchdog_s) == ("/run/x", 60.0)

    monkeypatch.setenv("WATCHDOG_PID", "1")
    assert SystemdEnvironment().watchdog_s is None
    monkeypatch.setenv("NOTIFY_SOCKET", "")
    monkeypatch.delenv("WATCHDOG_USEC")
    assert (SystemdEnvironment().notify_socket, SystemdEnvironment().watchdog_s) == ("", None)
