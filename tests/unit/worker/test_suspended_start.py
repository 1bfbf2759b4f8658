"""A worker that was suspended while it started tells so together with its failure."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import anyio
import anyio.lowlevel
import pytest
from pydantic import BaseModel

from poolwright.domain.ids import WorkerRef
from poolwright.domain.options import BrowserOptions, WorkerOptions
from poolwright.ipc.channel import Channel
from poolwright.ipc.messages import Configure, Hello, StartupFailed, StartupFailure, ToWorker, WorkerPaths
from poolwright.worker import main
from poolwright.worker.browser.driver_start import DriverStart
from poolwright.worker.errors import CannotStartError, PortalDownError

CONFIGURE = Configure(
    options=WorkerOptions(browser=BrowserOptions()), paths=WorkerPaths(profile_path="p", staging_path="s")
)


@pytest.mark.parametrize(
    ("error", "kind"),
    [(CannotStartError("It timed out."), StartupFailure.BROWSER), (PortalDownError("It timed out."), "portal")],
)
@pytest.mark.parametrize(
    ("slept_s", "paused_s", "detail"),
    [(0.0, 0.0, "It timed out."), (61.0, 60.0, "It timed out. The machine was suspended for 60 s meanwhile.")],
)
async def test_a_failed_start_names_the_sleep_of_the_machine(
    monkeypatch: pytest.MonkeyPatch, error: Exception, kind: str, slept_s: float, paused_s: float, detail: str
) -> None:
    sent, now_s = list[BaseModel](), [100.0]

    async def start(*_: object) -> None:
        await anyio.lowlevel.checkpoint()
        now_s[0] += slept_s
        raise error

    async def receive() -> Configure:
        return CONFIGURE

    async def send(message: BaseModel) -> None:
        sent.append(message)

    monkeypatch.setattr(main, "_job_of", lambda _mode: start)
    monkeypatch.setattr("poolwright.concurrency.anyio.current_time", lambda: now_s[0])
    channel = cast("Channel[ToWorker]", SimpleNamespace(receive=receive, send=send))

    with anyio.fail_after(60):
        await main.run_worker(channel, WorkerRef(1, 1), 4711, lambda: pytest.fail("no clock is needed"), DriverStart())

    hello, failure = sent
    assert isinstance(hello, Hello)
    assert isinstance(failure, StartupFailed)
    assert (failure.kind, failure.detail, failure.paused_s) == (kind, detail, paused_s)
