"""The daemon in a container: it is asked how it is, told to stop, and loses browsers."""

from __future__ import annotations

import json
import signal
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest

from poolwright.archive.manifest import MANIFEST_NAME
from poolwright.cli.process_exit import ExitCode
from poolwright.demo.faults import FaultScope, Latency
from poolwright.demo.portal_client import running_portal
from tests.image.containers import LIMIT_S, Container, answers, open_booth
from tests.image.test_batch import good_numbers

pytestmark = [pytest.mark.timeout(300)]

#: At the port that the image promises. One test alone may have it: the containers of the others share its network.
SERVE = ("serve", "--workers", "1", "--tabs", "1")
ELSEWHERE = (*SERVE, "--port", "0")
#: All processes of the container: number, parent, program, state, whether it lies in a PID namespace of its own, and
#: whether its system calls are filtered.
PROCESSES = """
import json, pathlib
told = []
for folder in pathlib.Path("/proc").glob("[0-9]*"):
    try:
        lines = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
        words = (folder / "cmdline").read_bytes().replace(bytes(1), b" ").decode().strip()
    except OSError:
        continue
    told.append({"pid": int(folder.name), "ppid": int(lines["PPid"]), "state": lines["State"].split()[0],
        "words": words, "depth": len(lines["NSpid"].split()), "seccomp": int(lines["Seccomp"])})
print(json.dumps(told))
"""


async def until(fact: Callable[[], Awaitable[object]]) -> None:
    """Ask again and again."""
    with anyio.fail_after(LIMIT_S):
        while not await fact():  # noqa: ASYNC110 - the fact is in a container, which cannot wake us
            await anyio.sleep(0.3)


async def is_well(container: Container) -> bool:
    return await container.health() == 0


async def processes(container: Container) -> list[Mapping[str, Any]]:
    """What runs in it."""
    return json.loads(await container.python(PROCESSES))


def browsers(found: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The first process of each browser."""
    return [one for one in found if "--user-data-dir" in str(one["words"]) and "--type=" not in str(one["words"])]


def renderers(found: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [one for one in found if "--type=renderer" in str(one["words"])]


async def test_it_is_well_until_it_drains_and_ends_with_code_0(tmp_path: Path) -> None:
    async with running_portal(order_count=40) as portal, open_booth(tmp_path, portal) as booth:
        (slow,) = await good_numbers(portal, 1)
        await portal.add_fault(Latency(delay_ms=12_000), FaultScope.DOWNLOAD, order=slow)
        async with booth.started(*SERVE) as container:
            await container.hears("Poolwright is at")
            await until(lambda: is_well(container))
            sent = await container.ask("submit", f"PO{slow}")
            await until(lambda: in_flight(container))

            await container.send(signal.SIGTERM)
            await container.hears("Stopping")
            health, told = await container.health(), await container.ask("health")
            lives = await container.ask("health", "--live")
            code = await container.ended()

    assert sent.code == 0, sent
    assert health == 1
    assert (told.code, "draining" in told.out) == (1, True), told
    assert lives.code == 0, lives
    assert code == ExitCode.DONE
    assert len(list(booth.out.rglob(MANIFEST_NAME))) == 1, "the order in flight was finished"


async def in_flight(container: Container) -> bool:
    status = answers(await container.ask("status", "--json"))
    return any(worker["orders"] for worker in status["workers"])


async def test_a_killed_browser_leaves_no_zombie_and_loses_nothing(tmp_path: Path) -> None:
    async with running_portal(order_count=40) as portal, open_booth(tmp_path, portal) as booth:
        numbers = await good_numbers(portal, 2)
        async with booth.started(*ELSEWHERE) as container:
            await container.hears("Poolwright is at")
            await until(lambda: is_well(container))
            before = await processes(container)
            (browser,) = browsers(before)

            await container.python(f"import os; os.kill({browser['pid']}, 9)")
            await until(lambda: another_browser(container, browser["pid"]))
            await until(lambda: is_well(container))
            await until(lambda: no_zombie(container))
            sent = await container.ask("submit", *(f"PO{number}" for number in numbers), "--wait")
            await container.send(signal.SIGTERM)
            code = await container.ended()

    assert renderers(before)
    assert all(one["seccomp"] == 2 and one["depth"] > 1 for one in renderers(before)), "pages are in the sandbox"
    assert sent.code == ExitCode.DONE, sent
    assert code == ExitCode.DONE


async def another_browser(container: Container, pid: object) -> bool:
    found = browsers(await processes(container))
    return bool(found) and all(one["pid"] != pid for one in found)


async def no_zombie(container: Container) -> bool:
    return all(one["state"] != "Z" for one in await processes(container))
