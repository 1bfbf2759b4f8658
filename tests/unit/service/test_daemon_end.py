"""A daemon whose pool has ended, or hangs, gives no sign of life: a service manager starts it again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import anyio
import pytest

from poolwright.intake.orders import ReadOptions
from poolwright.portal import pack as packs
from poolwright.service.daemon.daemon import Daemon
from poolwright.service.daemon.lifecycle import running_services
from poolwright.service.daemon.systemd import SystemdNotifier
from poolwright.settings import load_settings
from poolwright.supervisor.policy.commands import Stop, StopCause
from tests.support.manual_clock import ManualClock


def daemon_with(end: Stop | None, *, is_alive: bool) -> Daemon:
    """A daemon over a pool that has ended or not, and that handles events or not."""
    unused = cast("Any", None)
    daemon = Daemon(
        journal=unused, tree=unused, clock=ManualClock(), out=unused, prefix="demo:", checks=unused, rules=unused
    )
    pool = SimpleNamespace(end=end, is_alive=lambda _: is_alive)
    daemon.attach_pool(cast("Any", pool), 60.0)
    return daemon


@pytest.mark.parametrize("cause", [cause for cause in StopCause if cause is not StopCause.ASKED])
async def test_a_pool_that_ended_by_itself_ends_the_daemon(cause: StopCause) -> None:
    end = Stop(cause=cause, detail="All workers are gone.")
    daemon = daemon_with(end, is_alive=True)

    assert daemon.end is end
    assert not daemon.is_alive()


@pytest.mark.parametrize("end", [None, Stop(cause=StopCause.ASKED, detail="")])
async def test_a_pool_that_works_or_was_asked_to_stop_ends_nothing(end: Stop | None) -> None:
    daemon = daemon_with(end, is_alive=True)

    assert daemon.end is None
    assert daemon.is_alive()


async def test_a_pool_that_handles_no_events_is_not_alive() -> None:
    assert not daemon_with(None, is_alive=False).is_alive()


async def test_the_service_manager_hears_of_the_daemons_own_life(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[object]()
    heard = anyio.Event()

    async def run_watchdog(_: SystemdNotifier, is_alive: Callable[[], bool]) -> None:
        asked.append(is_alive())
        heard.set()

    async def nothing(*_: object) -> None:
        """No maintenance."""

    monkeypatch.setattr(SystemdNotifier, "run_watchdog", run_watchdog)
    (tmp_path / "out" / ".poolwright").mkdir(parents=True)
    daemon = daemon_with(Stop(cause=StopCause.NO_WORKERS, detail="All workers are gone."), is_alive=True)
    monkeypatch.setattr(daemon, "maintenance", lambda *_: SimpleNamespace(run=nothing))
    monkeypatch.setattr(daemon.pool, "workers", [], raising=False)
    settings = load_settings({"out": tmp_path / "out"})
    reading = ReadOptions(portal_name="demo", rules=packs.load("demo").numbers)

    with anyio.fail_after(10):
        async with running_services(daemon, settings, reading, ManualClock(), lambda _: None):
            await heard.wait()

    assert asked == [False]
