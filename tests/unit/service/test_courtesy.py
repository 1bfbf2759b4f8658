"""How much a portal is asked: by its pack, by the settings, and never more than both allow."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.domain.options import BrowserOptions, Courtesy, Sandbox, Secret, WorkerOptions
from poolwright.domain.working_hours import WorkingHours
from poolwright.portal import pack as packs
from poolwright.service.pool_config import WorkerConfig, pool_options, resolve_courtesy
from poolwright.settings import Settings
from poolwright.system.sandbox import SandboxChoice

_DEMO = packs.load("demo")
LIMITS = {"rate": 30, "concurrency": 3, "hours": "Mon-Fri 07:00-19:00"}
PACK = _DEMO.model_copy(update={"limits": type(_DEMO.limits).model_validate(_DEMO.limits.model_dump() | LIMITS)})
HOURS = WorkingHours.parse("Mon-Fri 07:00-19:00")


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        (Settings(), Courtesy(rate_per_min=30, concurrency=3, hours=HOURS)),
        (Settings(rate=10, concurrency=1), Courtesy(rate_per_min=10, concurrency=1, hours=HOURS)),
        (Settings(rate=90, concurrency=9), Courtesy(rate_per_min=30, concurrency=3, hours=HOURS)),
        (Settings(ignore_hours=True), Courtesy(rate_per_min=30, concurrency=3)),
    ],
)
def test_settings_lower_the_limits_of_the_pack(told: Settings, wanted: Courtesy) -> None:
    assert resolve_courtesy(told, PACK) == wanted


def test_without_a_portal_only_the_settings_count() -> None:
    assert resolve_courtesy(Settings(), None) == Courtesy()
    assert resolve_courtesy(Settings(rate=10), None) == Courtesy(rate_per_min=10)


def test_the_pool_gets_the_limits() -> None:
    courtesy = Courtesy(rate_per_min=7)
    workers = WorkerConfig(
        worker=WorkerOptions(browser=BrowserOptions()),
        sandbox=SandboxChoice(mode=Sandbox.ON, why=""),
        totp_secret=Secret(text=""),
        renews_early=False,
        courtesy=courtesy,
    )

    assert pool_options(Settings(), workers, Path("base"), 2).courtesy == courtesy
