"""A batch in a container, by the rules of those who harden theirs."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from poolwright.cli.process_exit import ExitCode
from poolwright.demo.faults import FatPage, FaultScope, Latency
from poolwright.demo.portal_client import PortalClient, running_portal
from tests.image.containers import UID, ContainerFolder, furnish, open_booth
from tests.support.batch_results import assert_all_right, numbers_of, reported
from tests.support.portal import browsing, log_in_by_form
from tests.support.program import Ended

pytestmark = pytest.mark.timeout(300)


async def good_numbers(portal: PortalClient, count: int) -> list[str]:
    """Orders that come home whole."""
    truths = await portal.truth()
    return [one.number for one in truths.values() if one.outcome == "COMPLETED" and one.is_listed][:count]


def of_kind(ended: Ended, kind: str) -> list[Mapping[str, Any]]:
    return [line for line in ended.objects() if line["type"] == kind]


async def test_a_list_comes_home_with_the_sandbox_on(tmp_path: Path) -> None:
    async with running_portal(order_count=40) as portal, open_booth(tmp_path, portal) as booth:
        numbers = await numbers_of(portal, 40)

        ended = await booth.run("run", booth.list_of(numbers), "--quiet")

        assert ended.code == ExitCode.NOT_ALL_DONE, ended  # some of them are made not to work
        assert_all_right(booth, await portal.truth(*numbers))
    assert {path.stat().st_uid for path in booth.out.rglob("*")} == {UID}
    assert any("sandbox" in line["text"] and "on" in line["text"] for line in booth.log()), "the mode is in the log"


async def test_a_batch_that_is_stopped_goes_on_in_the_next_container(tmp_path: Path) -> None:
    async with running_portal(order_count=40) as portal, open_booth(tmp_path, portal) as booth:
        numbers = await numbers_of(portal, 40)
        await portal.add_fault(Latency(delay_ms=1500))
        orders = ("run", booth.list_of(numbers), "--json")

        async with booth.started(*orders) as container:
            await container.hears('"task_ended"')
            await container.send(signal.SIGTERM)
            stopped = await container.ended()
        await portal.clear_faults()
        done = await booth.run(*orders)

        assert (stopped, done.code) == (ExitCode.STOPPED, ExitCode.NOT_ALL_DONE)
        assert_all_right(booth, await portal.truth(*numbers))
        assert {row["Attempts"] for row in reported(booth)} == {"1"}, "orders in flight were finished"


async def test_a_login_made_outside_works_inside(tmp_path: Path) -> None:
    furnish(tmp_path)
    async with running_portal(order_count=10) as portal:
        async with browsing() as context:
            await log_in_by_form(await context.new_page(), portal)
            await context.storage_state(path=tmp_path / "in" / "state.json")
        booth = ContainerFolder(folder=tmp_path, portal=portal, environment={"POOLWRIGHT_PROFILE": "mine"})
        numbers = await numbers_of(portal, 10)
        await portal.reset_stats()
        (tmp_path / "in" / "state.json").chmod(0o644)

        state = ("/data/in/state.json", "--portal", "demo", "--base-url", portal.url)
        taken = await booth.run("profile", "import-state", "mine", *state)
        ended = await booth.run("run", booth.list_of(numbers), "--quiet")

        assert taken.code == ExitCode.DONE, taken
        assert ended.code in {ExitCode.DONE, ExitCode.NOT_ALL_DONE}, ended
        assert_all_right(booth, await portal.truth(*numbers))
        assert (await portal.stats()).logins == 0, "nobody filled in a form"


async def test_the_container_s_limit_is_kept_by_the_watchdog(tmp_path: Path) -> None:
    async with running_portal(order_count=200) as portal, open_booth(tmp_path, portal, memory="1500m") as booth:
        numbers = await good_numbers(portal, 40)
        await portal.add_fault(FatPage(size_mb=500), order=numbers[2])
        await portal.add_fault(Latency(delay_ms=8000), FaultScope.DOWNLOAD, order=numbers[2])

        ended = await booth.run("run", booth.list_of(numbers), "--workers", "2", "--tabs", "1", "--json")

        assert ended.code == ExitCode.DONE, ended
        assert_all_right(booth, await portal.truth(*numbers))
        relieved = of_kind(ended, "memory_relieved")
        assert relieved, ended.errors
        assert {one["limit_bytes"] for one in relieved} == {int(0.75 * 1500 * 2**20)}


async def test_a_page_that_the_kernel_ends_costs_no_other_order(tmp_path: Path) -> None:
    async with running_portal(order_count=60) as portal, open_booth(tmp_path, portal, memory="1100m") as booth:
        numbers = await good_numbers(portal, 4)
        await portal.add_fault(FatPage(size_mb=3000), order=numbers[1])
        await portal.add_fault(Latency(delay_ms=30_000), FaultScope.DOWNLOAD, order=numbers[1])
        few = ("--workers", "1", "--tabs", "1", "--max-attempts", "2", "--json")

        ended = await booth.run("run", booth.list_of(numbers), *few)

        assert ended.code == ExitCode.NOT_ALL_DONE, ended.out[-3000:] + ended.errors
        reasons = {one["task"]["portal_number"]: one["report"]["reason"] for one in of_kind(ended, "task_ended")}
        assert reasons == {**dict.fromkeys(numbers, "all_saved"), numbers[1]: "out_of_memory"}


async def test_mounts_of_others_and_mounts_to_read_are_told_with_the_way_out(tmp_path: Path) -> None:
    async with running_portal(order_count=10) as portal, open_booth(tmp_path, portal) as booth:
        orders = ("run", booth.list_of(await numbers_of(portal, 1)), "--quiet")
        read_only = ("--volume", f"{booth.out}:/data/out:ro")

        told = (await booth.run("doctor", options=read_only)).out
        refused = await booth.run(*orders, options=read_only)
        for path in (tmp_path / "profiles" / "demo", *(tmp_path / "profiles" / "demo").rglob("*")):
            os.chown(path, 0, 0)
        strange = (await booth.run("doctor")).out
        denied = await booth.run(*orders)

    assert "its mount is read-only" in told
    assert (refused.code, "its mount is read-only" in refused.errors) == (ExitCode.RESOURCES, True), refused
    for words in (strange, denied.errors):
        assert "belongs to uid 0" in words
        assert f"chown -R {UID}:{UID}" in words
    assert denied.code == ExitCode.PROFILE, denied


async def test_workers_auto_takes_as_many_as_the_container_holds(tmp_path: Path) -> None:
    furnish(tmp_path)
    counts: dict[str, str] = {}
    for memory in ("1g", "6g"):
        booth = ContainerFolder(folder=tmp_path, memory=memory)
        told = await booth.run("doctor", "--workers", "auto", "--json")
        counts[memory] = next(json.loads(line)["found"] for line in told.out.splitlines() if '"memory"' in line)

    assert "1 worker " in counts["1g"]
    assert "of 1.1 GB" in counts["1g"]
    assert "of 6.4 GB" in counts["6g"]
