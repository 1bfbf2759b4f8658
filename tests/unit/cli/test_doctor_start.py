"""The doctor starts the browser once, as a worker would, and tells its own reason where it does not come up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from poolwright.cli.check_result import CheckLevel as Found
from poolwright.cli.machine_checks import check_start
from poolwright.domain.errors import SetupError
from poolwright.domain.events import Level, Notice
from poolwright.domain.options import BrowserOptions, PortalOptions, WorkerOptions
from poolwright.domain.ports import EventSink
from poolwright.service import browser_check
from poolwright.service.browser_check import BrowserCheck, check_browser_start
from poolwright.supervisor.processes import one_shot

PORTAL = PortalOptions(pack_json="{}", base_url="https://portal.test")
WORKER = WorkerOptions(browser=BrowserOptions(executable_path="/usr/bin/chrome"), portal=PORTAL)


def clock() -> Callable[[], float]:
    times = iter((1.0, 3.5))
    return lambda: next(times)


async def test_it_is_tried_without_a_portal_on_a_profile_that_is_thrown_away(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Path] = []

    async def make_base(base: Path, options: WorkerOptions, runs_root: Path, observe: EventSink) -> None:
        assert options.portal is None
        assert options.browser == WORKER.browser
        await anyio.Path(base).mkdir()
        await anyio.Path(runs_root).mkdir()
        seen.append(base)
        observe(Notice(level=Level.INFO, text="an aside"))
        observe(Notice(level=Level.WARNING, text="a drawback"))

    monkeypatch.setattr(one_shot, "make_base", make_base)
    went = await check_browser_start(WORKER, clock())

    assert went == BrowserCheck(duration_s=2.5, notices=("a drawback",))
    assert not seen[0].parent.exists()


async def test_the_browsers_own_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def make_base(*_: object) -> None:
        raise SetupError("libnss3.so: cannot open shared object file")

    monkeypatch.setattr(one_shot, "make_base", make_base)
    told = check_start(await check_browser_start(WORKER, clock()))

    assert told.level is Found.FAIL
    assert "libnss3.so" in told.found


async def test_one_that_hangs_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def make_base(*_: object) -> None:
        await anyio.sleep_forever()

    monkeypatch.setattr(one_shot, "make_base", make_base)
    monkeypatch.setattr(browser_check, "BROWSER_START_LIMIT_S", 0.0)

    assert "not ready within" in (await check_browser_start(WORKER, clock())).problem


def test_a_drawback_is_no_failure() -> None:
    assert check_start(BrowserCheck(duration_s=1.0)).level is Found.OK
    told = check_start(BrowserCheck(duration_s=1.0, notices=("it runs without its sandbox",)))
    assert (told.level, told.advice) == (Found.WARN, "it runs without its sandbox")
