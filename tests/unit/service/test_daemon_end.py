"""A daemon whose pool has ended, or hangs, gives no sign of life: a service manager starts it again."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from poolwright.service.daemon.daemon import Daemon
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
