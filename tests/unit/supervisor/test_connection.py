"""How long a worker may take until it is ready: what a browser needs, and what the portal's pages may take."""

from __future__ import annotations

import pytest

from poolwright.domain.options import BrowserOptions, PortalOptions, WorkerOptions
from poolwright.ipc.messages import Configure, WorkerMode, WorkerPaths
from poolwright.supervisor.processes.connection import READY_LIMIT_S, ready_limit_s

SEAT = WorkerPaths(profile_path="/profile", profile_name="acme", staging_path="/staging")


def configure(page_s: float | None, mode: WorkerMode = WorkerMode.WORK) -> Configure:
    portal = None if page_s is None else PortalOptions(pack_json="{}", base_url="https://portal.test", page_s=page_s)
    return Configure(mode=mode, options=WorkerOptions(browser=BrowserOptions(), portal=portal), paths=SEAT)


@pytest.mark.parametrize("page_s", [None, 1.0, 30.0])
def test_a_browser_has_its_time_however_quick_the_portal_is(page_s: float | None) -> None:
    assert ready_limit_s(configure(page_s)) == READY_LIMIT_S


@pytest.mark.parametrize("page_s", [55.0, 60.0, 120.0, 300.0])
def test_a_portal_as_slow_as_its_pack_allows_is_no_slow_worker(page_s: float) -> None:
    assert ready_limit_s(configure(page_s)) >= 2 * page_s + 60.0


@pytest.mark.parametrize("page_s", [10.0, 30.0, 300.0])
def test_a_login_takes_as_long_as_all_its_pages(page_s: float) -> None:
    assert ready_limit_s(configure(page_s, WorkerMode.MAKE_BASE)) >= 3 * 4 * page_s
