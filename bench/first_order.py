"""How soon the first order is done, and how soon the program ends after the last one, against a bare loop.

``python -m bench.first_order [PAIRS] [ORDERS]``: the same light orders of the demo portal, by `poolwright run` with one
worker and one tab, and by ``bench/bare_loop.py``, which opens a clone of the same profile in the same browser and
clicks each link. Both are started as programs of their own, in turn, so that other work on the machine weighs on both
alike. Prints medians and ratios, also of the processor time of both process trees; times belong to one run.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import anyio
from anyio.streams.text import TextReceiveStream

from poolwright import interpreter
from poolwright.demo.catalogue.order import LinkForm
from poolwright.demo.catalogue.truth import OrderTruth
from poolwright.demo.portal_client import PortalClient, running_portal
from poolwright.profile.clone import clone_profile
from poolwright.system.browser_choice import BrowserWish, BrowserWork, find_browser

#: At most so many times as long as the bare loop until the first order is done; seconds from the last order to the end.
AIM, END_AIM_S = 1.4, 0.5
#: Orders of the portal from which the plain ones are taken, and the size of all files of such an order.
LISTED_COUNT, LIGHT_BYTES = 120, 2_000_000
#: Links whose click is a download.
CLICKED = frozenset({LinkForm.ANCHOR, LinkForm.DOWNLOAD_ANCHOR})
#: What each program prints when an order is done.
ORDER_DONE = "task_ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """One run of a program."""

    #: From its start until the first order is done, and until its end.
    first_order_s: float
    total_s: float
    #: From the last order to the end.
    end_s: float
    #: Processor time of the program and of all that it started.
    cpu_s: float


async def time_program(command: list[str], folder: Path, environment: Mapping[str, str]) -> Timing:
    """Run a program that prints a line of JSON for each order, and time it.

    Raises:
        RuntimeError: It finished no order.
    """
    before, begun_s = os.times(), time.perf_counter()
    done_s: list[float] = []
    async with await anyio.open_process(command, cwd=folder, env=environment, stderr=sys.stderr) as process:
        rest = ""
        if process.stdout is not None:
            async for text in TextReceiveStream(process.stdout):
                *lines, rest = (rest + text).split("\n")
                now_s = time.perf_counter() - begun_s
                done_s += [now_s for line in lines if line and json.loads(line)["type"] == ORDER_DONE]
        await process.wait()
    total_s, after = time.perf_counter() - begun_s, os.times()
    if not done_s:
        msg = f"no order was done by {' '.join(command)}"
        raise RuntimeError(msg)
    cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
    return Timing(first_order_s=done_s[0], total_s=total_s, end_s=total_s - done_s[-1], cpu_s=cpu_s)


async def make_profile(folder: Path, environment: Mapping[str, str], portal: PortalClient) -> Path:
    """Make a profile that is logged in, and return its base."""
    create = ("profile", "create", "demo", "--portal", "demo", "--base-url", portal.url)
    await anyio.run_process([sys.executable, "-m", "poolwright", *create], cwd=folder, env=environment)
    return folder / "profiles" / "demo" / "base"


async def plain_numbers(portal: PortalClient, count: int) -> list[str]:
    """Return the numbers of orders with files that any click brings, the first ones of the portal's list."""
    numbers = [order.number for order in await portal.orders(LISTED_COUNT)]
    truths = await portal.truth(*numbers)

    def is_plain(truth: OrderTruth) -> bool:
        files = truth.attachments
        is_light = sum(file.size_bytes for file in files) <= LIGHT_BYTES
        return bool(files) and is_light and all(file.good and file.link_form in CLICKED for file in files)

    return [number for number in numbers if is_plain(truths[number])][:count]


async def main(pair_count: int, order_count: int) -> None:
    """Measure and print."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("POOLWRIGHT_")}  # noqa: TID251
    browser = find_browser(BrowserWish(), None, BrowserWork()).browser
    ours: list[Timing] = []
    bare: list[Timing] = []
    with tempfile.TemporaryDirectory(prefix="pw") as name:
        folder = Path(name)
        async with running_portal(order_count=LISTED_COUNT) as portal:
            environment = own | {
                "POOLWRIGHT_USER": portal.user,
                "POOLWRIGHT_PASSWORD": portal.password,
                "POOLWRIGHT_RUNS_DIR": str(folder / "runs"),
                "POOLWRIGHT_PROFILE": "demo",
            }
            base = await make_profile(folder, environment, portal)
            numbers = await plain_numbers(portal, order_count)
            run = ["-m", "poolwright", "run", *numbers, "--workers", "1", "--tabs", "1", "--json"]
            for pair in range(pair_count + 1):
                clone = folder / f"clone-{pair}"
                shutil.rmtree(folder / "bare", ignore_errors=True)
                clone_profile(base, clone)
                addresses = [portal.order_url(number) for number in numbers]
                kept = str(base.with_name("cookies.json"))
                loop = ["-m", "bench.bare_loop", str(browser.path), str(clone), kept, str(folder / "bare"), *addresses]
                python = interpreter.python_command()[0]
                bare.append(await time_program([python, *loop], Path.cwd(), own))
                ours.append(
                    await time_program([python, *run, "--out", str(folder / f"out-{pair}")], folder, environment)
                )
    print_result(ours[1:], bare[1:])  # the first pair warms up


def print_result(ours: list[Timing], bare: list[Timing]) -> None:
    """Print the medians of both, and those of the ratios of each pair."""
    for what, unit in (("first_order_s", "s"), ("end_s", "s"), ("total_s", "s"), ("cpu_s", "s")):
        own, other = [getattr(one, what) for one in ours], [getattr(one, what) for one in bare]
        ratios = [mine / theirs for mine, theirs in zip(own, other, strict=True)]
        medians = f"{statistics.median(own):6.2f} {unit}, bare loop {statistics.median(other):6.2f} {unit}"
        spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        print(f"{what.removesuffix('_s'):12} {medians}; ratio {spread}")
    print(f"median of {len(ours)} pairs; aims: first order at most {AIM}, end at most {END_AIM_S:g} s")


if __name__ == "__main__":
    pairs, orders = [*map(int, sys.argv[1:3]), *(7, 2)[len(sys.argv[1:3]) :]]
    anyio.run(main, pairs, orders)
