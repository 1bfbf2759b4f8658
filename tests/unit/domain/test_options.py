from __future__ import annotations

import math
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from poolwright.domain.errors import OptionsError, PoolError
from poolwright.domain.options import (
    BrowserOptions,
    Courtesy,
    PoolOptions,
    PortalOptions,
    Proxy,
    Sandbox,
    Secret,
    SizeLimits,
    WorkerOptions,
)
from poolwright.domain.working_hours import WorkingHours
from poolwright.portal.pack_schema import PageLimits

WORKER = WorkerOptions(browser=BrowserOptions(), portal=PortalOptions(pack_json="{}", base_url="https://portal.test"))
POOL = PoolOptions(worker=WORKER, base_profile_path=Path("base"), runs_root=Path("runs"), staging_path=Path("staging"))


@pytest.mark.parametrize(
    ("options", "changed"),
    [
        (POOL, {"worker_count": 1}),
        (POOL, {"worker_count": 8}),
        (POOL, {"max_attempts": 1}),
        (POOL, {"group_limit": 1}),
        (POOL, {"shutdown_timeout_s": 0.001}),
        (POOL, {"shutdown_timeout_s": 60.0}),
        (POOL, {"memory_threshold": 0.5}),
        (POOL, {"memory_threshold": 0.9}),
        (POOL, {"recycle_after_tasks": 1}),
        (POOL, {"recycle_after_s": 0.001}),
        (WORKER, {"tabs_per_worker": 1}),
        (WORKER, {"tabs_per_worker": 16}),
        (WORKER, {"task_timeout_s": 0.001}),
        (WORKER, {"task_timeout_s": 86_400.0}),
    ],
)
def test_a_number_on_its_bound_is_taken(options: WorkerOptions | PoolOptions, changed: dict[str, float]) -> None:
    taken = replace(options, **changed)

    assert asdict(taken) == {**asdict(options), **changed}


@pytest.mark.parametrize(
    ("options", "name", "value", "allowed"),
    [
        (POOL, "worker_count", 0, "between 1 and 8"),
        (POOL, "worker_count", 9, "between 1 and 8"),
        (POOL, "worker_count", -1, "between 1 and 8"),
        (POOL, "max_attempts", 0, "at least 1"),
        (POOL, "group_limit", 0, "at least 1"),
        (POOL, "shutdown_timeout_s", 0.0, "more than 0 and at most 60 seconds"),
        (POOL, "shutdown_timeout_s", -1.0, "more than 0 and at most 60 seconds"),
        (POOL, "shutdown_timeout_s", 60.001, "more than 0 and at most 60 seconds"),
        (POOL, "shutdown_timeout_s", math.nan, "more than 0 and at most 60 seconds"),
        (POOL, "memory_threshold", 0.499, "between 0.5 and 0.9"),
        (POOL, "memory_threshold", 0.901, "between 0.5 and 0.9"),
        (POOL, "memory_threshold", math.nan, "between 0.5 and 0.9"),
        (POOL, "recycle_after_tasks", 0, "at least 1"),
        (POOL, "recycle_after_s", 0.0, "a finite number of seconds above 0"),
        (POOL, "recycle_after_s", math.inf, "a finite number of seconds above 0"),
        (WORKER, "tabs_per_worker", 0, "between 1 and 16"),
        (WORKER, "tabs_per_worker", 17, "between 1 and 16"),
        (WORKER, "task_timeout_s", 0.0, "a finite number of seconds above 0"),
        (WORKER, "task_timeout_s", -0.5, "a finite number of seconds above 0"),
        (WORKER, "task_timeout_s", math.nan, "a finite number of seconds above 0"),
        (WORKER, "task_timeout_s", math.inf, "a finite number of seconds above 0"),
    ],
)
def test_a_number_past_its_bound_is_refused_in_a_sentence(
    options: WorkerOptions | PoolOptions, name: str, value: float, allowed: str
) -> None:
    with pytest.raises(OptionsError) as caught:
        replace(options, **{name: value})

    assert str(caught.value).startswith(f"{name} is {value}; it must be {allowed}")
    assert str(caught.value).endswith(".")
    assert isinstance(caught.value, PoolError)


def test_the_options_of_a_plain_run_are_two_workers_with_two_tabs_and_no_window() -> None:
    assert (POOL.worker_count, WORKER.tabs_per_worker, POOL.max_attempts) == (2, 2, 3)
    assert WORKER.browser == BrowserOptions(executable_path="", headless_mode=True, sandbox=Sandbox.AUTO)
    assert (WORKER.task_timeout_s, POOL.shutdown_timeout_s) == (300.0, 60.0)
    assert (POOL.recycle_after_tasks, POOL.recycle_after_s, POOL.restart_window_s) == (500, 14_400.0, 3600.0)
    assert (POOL.waits_for_login, POOL.keeps_queue, POOL.renews_early) == (False, False, False)


def test_a_page_may_take_as_long_as_a_pack_allows_that_says_nothing_of_it() -> None:
    assert PortalOptions(pack_json="{}", base_url="https://portal.test").page_s == PageLimits().page_s


def test_every_worker_has_its_tabs() -> None:
    assert replace(POOL, worker_count=3).tab_count == 6


def test_options_do_not_change() -> None:
    options: Any = POOL

    with pytest.raises(AttributeError):
        options.worker_count = 3


def test_a_secret_does_not_show_wherever_it_is_printed() -> None:
    portal = PortalOptions(pack_json="{}", base_url="https://portal.test", password=Secret(text="hunter2"))
    pool = replace(POOL, worker=replace(WORKER, portal=portal))

    printed = [repr(pool), str(pool), f"{portal.password}", f"{portal.password!r}", str(ValueError(portal.password))]

    assert not any("hunter2" in text for text in printed)


def test_a_secret_is_true_when_there_is_something_to_hide() -> None:
    assert Secret(text="x")
    assert not Secret(text="")
    assert not PortalOptions(pack_json="{}", base_url="https://portal.test").password


@pytest.mark.parametrize("changed", [{"file_bytes": 0}, {"order_bytes": 0}])
def test_a_limit_that_lets_nothing_in_is_none(changed: dict[str, int]) -> None:
    with pytest.raises(OptionsError) as caught:
        SizeLimits(**changed)

    assert str(caught.value) == "The limits for the size of a file and of an order must be at least 1 byte each."
    assert SizeLimits(file_bytes=1, order_bytes=1)


def test_a_socks_proxy_takes_no_user() -> None:
    with pytest.raises(OptionsError) as caught:
        Proxy(address="socks5://proxy.test:1080", user="ann")

    told = "proxy_user is set, but browsers send no user to a SOCKS proxy. Use the address of an http:// proxy."
    assert str(caught.value) == told
    assert Proxy(address="socks5://proxy.test:1080")
    assert Proxy(address="http://proxy.test:3128", user="ann")


def test_two_gigabytes_are_enough_for_a_file_and_for_an_order() -> None:
    assert (SizeLimits().file_bytes, SizeLimits().order_bytes) == (2 * 1024**3, 2 * 1024**3)


@pytest.mark.parametrize(
    ("given", "rate", "concurrency", "wanted"),
    [
        (Courtesy(), 0, 0, Courtesy()),
        (Courtesy(), 30, 2, Courtesy(rate_per_min=30, concurrency=2)),
        (Courtesy(rate_per_min=20, concurrency=3), 30, 4, Courtesy(rate_per_min=20, concurrency=3)),
        (Courtesy(rate_per_min=20, concurrency=3), 10, 2, Courtesy(rate_per_min=10, concurrency=2)),
        (Courtesy(rate_per_min=20, concurrency=3), 0, 0, Courtesy(rate_per_min=20, concurrency=3)),
    ],
)
def test_limits_of_a_portal_can_only_be_lowered(
    given: Courtesy, rate: float, concurrency: int, wanted: Courtesy
) -> None:
    assert given.lowered(rate, concurrency) == wanted


def test_limits_of_a_portal_are_told_in_one_sentence() -> None:
    hours = WorkingHours.parse("Mon-Fri 07:00-19:00")
    told = Courtesy(rate_per_min=30, concurrency=2, hours=hours).sentence

    assert Courtesy().sentence == ""
    assert told == (
        "limits of the portal: at most 30 pages and files a minute, at most 2 orders at the same time, "
        "orders start Mon-Fri 07:00-19:00 only"
    )
    assert Courtesy(rate_per_min=0.5).sentence == "limits of the portal: at most 0.5 pages and files a minute"
