"""What a worker's processes use is told as it is: shared pages once, everyone who belongs to it, nobody else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import psutil
import pytest

from poolwright.ipc.process_tree import ProcessTree
from poolwright.system.memory_usage import (
    MemoryMetric,
    MemoryUsage,
    ProcessMemory,
    ProcessTreeMeter,
    read_process_memory,
)
from tests.process.system.conftest import MemoryHog
from tests.support.paths import ROOT

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a fair share of shared pages"),
    pytest.mark.timeout(60),
]

MB = 1 << 20


def meter_of(hog: MemoryHog) -> ProcessTreeMeter:
    """A meter that finds processes as it does in the pool."""
    family = ProcessTree(hog.pid, Path("/nowhere"))
    return ProcessTreeMeter(lambda: [process.pid for process in family.scan()])


def rss_bytes(*pids: int) -> int:
    return sum(psutil.Process(pid).memory_info().rss for pid in pids)


def halved(process: psutil.Process) -> ProcessMemory:
    """Of a system where every process owns one half of what it has in memory."""
    resident_bytes = process.memory_info().rss
    return ProcessMemory(resident_bytes=resident_bytes, own_bytes=resident_bytes // 2, metric=MemoryMetric.USS)


def test_pages_that_processes_share_count_once(hog: MemoryHog) -> None:
    hog.eat(60)
    children = [hog.fork() for _ in range(3)]

    usage = meter_of(hog).measure()

    assert rss_bytes(hog.pid, *children) > 240 * MB
    assert 60 * MB < usage.memory_bytes < 100 * MB
    assert usage.metric is MemoryMetric.PSS


def test_a_process_that_left_its_worker_counts(hog: MemoryHog) -> None:
    before = meter_of(hog).measure()

    left = hog.leave(40)

    assert psutil.Process(left).ppid() == os.getpid()
    assert meter_of(hog).measure().memory_bytes - before.memory_bytes > 40 * MB


def test_nobody_else_counts(hog: MemoryHog, other_hog: MemoryHog) -> None:
    other_hog.eat(40)
    other_hog.leave(40)

    assert meter_of(hog).measure().memory_bytes < 40 * MB


@pytest.mark.parametrize("way", ["measure", "estimate"])
def test_a_dead_process_counts_no_more_although_it_is_a_zombie(hog: MemoryHog, way: str) -> None:
    child = hog.fork(40)
    meter = meter_of(hog)
    before = meter.measure()

    os.kill(child, signal.SIGKILL)
    while psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        pass
    after: MemoryUsage = getattr(meter, way)()

    assert before.memory_bytes - after.memory_bytes > 39 * MB
    assert after.metric is MemoryMetric.PSS


def test_a_worker_that_is_gone_uses_nothing(hog: MemoryHog) -> None:
    meter = meter_of(hog)
    meter.measure()

    hog.end()

    assert meter.estimate().memory_bytes == 0
    assert meter.measure() == MemoryUsage(memory_bytes=0, metric=MemoryMetric.PSS)


def test_the_first_estimate_is_a_measure(hog: MemoryHog) -> None:
    hog.eat(20)
    hog.fork()

    estimate = meter_of(hog).estimate()

    assert abs(estimate.memory_bytes - meter_of(hog).measure().memory_bytes) < MB


def test_an_estimate_follows_what_is_eaten_without_looking_for_processes_or_into_them(hog: MemoryHog) -> None:
    looked: list[int] = []

    def find() -> list[int]:
        looked.append(hog.pid)
        return [hog.pid, child]

    hog.eat(30)
    child = hog.fork()
    meter = ProcessTreeMeter(find)
    before = meter.measure()

    hog.eat(50)

    assert 49 * MB < meter.estimate().memory_bytes - before.memory_bytes < 52 * MB
    assert len(looked) == 1


def test_an_estimate_takes_in_who_was_started_since_and_weighs_it_like_the_others(hog: MemoryHog) -> None:
    meter = ProcessTreeMeter(lambda: [hog.pid], read=halved)
    hog.eat(30)
    before = meter.measure()

    child = hog.fork(20)
    hog.leave(20)
    after = meter.estimate()

    gained = after.memory_bytes - before.memory_bytes
    assert abs(gained - rss_bytes(child) // 2) < 2 * MB
    assert after.metric is MemoryMetric.USS


def test_who_came_while_it_was_measured_is_not_weighed_again(hog: MemoryHog) -> None:
    def find() -> list[int]:
        return [hog.pid, hog.fork(20)]

    def read_parent_alone(process: psutil.Process) -> ProcessMemory:
        reading = read_process_memory(process)
        return reading if process.pid == hog.pid else replace(reading, own_bytes=0)

    meter = ProcessTreeMeter(find, read=read_parent_alone)
    before = meter.measure()

    assert abs(meter.estimate().memory_bytes - before.memory_bytes) < MB


def test_an_estimate_takes_no_stranger_in(hog: MemoryHog, other_hog: MemoryHog) -> None:
    meter = ProcessTreeMeter(lambda: [hog.pid], read=halved)
    before = meter.measure()

    other_hog.fork(40)

    assert abs(meter.estimate().memory_bytes - before.memory_bytes) < MB


def test_the_weakest_way_is_told(hog: MemoryHog) -> None:
    child = hog.fork()

    def read_some(process: psutil.Process) -> ProcessMemory:
        return halved(process) if process.pid == child else read_process_memory(process)

    assert ProcessTreeMeter(lambda: [hog.pid], read=read_some).measure().metric is MemoryMetric.PSS
    assert ProcessTreeMeter(lambda: [child, hog.pid], read=read_some).measure().metric is MemoryMetric.USS


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_processes_of_another_user_are_guessed_by_their_resident_memory(hog: MemoryHog) -> None:
    hog.eat(100)

    def measured(*pids: int) -> MemoryUsage:
        command = [sys.executable, "-m", "tests.process.system.unprivileged_meter", *map(str, pids)]
        told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=30).stdout
        return MemoryUsage(**json.loads(told))

    alone, both = measured(), measured(hog.pid)

    assert alone.metric == MemoryMetric.PSS
    assert both.metric == MemoryMetric.SCALED_RSS
    assert abs(both.memory_bytes - alone.memory_bytes - 0.45 * rss_bytes(hog.pid)) < 2 * MB


class ForeignProcess:
    """A process as psutil shows it on other systems."""

    def __init__(self, **full: int) -> None:
        self._full = full

    def memory_info(self) -> object:
        return SimpleNamespace(rss=1000)

    def memory_full_info(self) -> object:
        if not self._full:
            raise psutil.AccessDenied
        return SimpleNamespace(**self._full)


@pytest.mark.parametrize(
    ("full", "own_bytes", "way"),
    [
        ({"rss": 1000, "uss": 300, "pss": 400}, 400, MemoryMetric.PSS),
        ({"rss": 1000, "uss": 300}, 300, MemoryMetric.USS),
        ({"rss": 1000, "uss": 300, "pss": 0}, 300, MemoryMetric.USS),
        ({"rss": 1000}, 450, MemoryMetric.SCALED_RSS),
        ({}, 450, MemoryMetric.SCALED_RSS),
        ({"rss": 0, "uss": 0, "pss": 0}, 0, MemoryMetric.PSS),
    ],
)
def test_the_best_way_that_a_system_allows_is_taken(full: dict[str, int], own_bytes: int, way: MemoryMetric) -> None:
    reading = read_process_memory(cast("psutil.Process", ForeignProcess(**full)))

    assert (reading.own_bytes, reading.metric) == (own_bytes, way)
