"""The programs that are compared, as a table: what each is, and how it is started."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import resources
from pathlib import Path

from bench.peers.environment import PeerEnvironment
from bench.stage import Stage
from poolwright import interpreter

#: Tabs of each program; of Poolwright those of all its workers.
TAB_COUNT = 4
_PROGRAMS = Path(__file__).parent / "programs"
#: Programs that Selenium may start, the whole browser: its driver does not know the headless shell of every system.
_WHOLE_BROWSERS = ("chromium", "google-chrome")


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """How a program is started for one run."""

    command: list[str]
    folder: Path
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """One program of the comparison."""

    #: In one word, for files and recorded figures, and for people.
    name: str
    title: str
    #: Prepares one run, whose files go to ``Stage.files_of`` the given name.
    start: Callable[[Stage, PeerEnvironment, str], Awaitable[Start]]
    #: Whether the environment has what it needs.
    is_there: Callable[[PeerEnvironment], bool] = lambda _: True
    #: Whether it belongs to the short comparison, too.
    is_quick: bool = False


async def _start_poolwright(
    worker_count: int, stage: Stage, _: PeerEnvironment, name: str, *, changes: tuple[str, str] | None = None
) -> Start:
    shape = ["--workers", str(worker_count), "--tabs", str(TAB_COUNT // worker_count)]
    if changes is not None:
        pack = stage.folder / f"{name}-pack.toml"
        pack.write_text(SHIPPED.replace(changes[0], "".join(changes), 1), encoding="utf-8")
        shape += ["--portal", str(pack)]
    run = ("-m", "poolwright", "run", *stage.numbers, *shape, "--json", "--out", str(stage.files_of(name)))
    return Start(command=[*interpreter.python_command(), *run], folder=stage.folder, environment=stage.environment)


async def _start_loop(stage: Stage, _: PeerEnvironment, name: str, *, is_by_http: bool) -> Start:
    job = await stage.write_job(name, tab_count=TAB_COUNT, is_by_http=is_by_http)
    command = [sys.executable, "-m", "bench.bare_loop", str(job)]
    return Start(command=command, folder=Path.cwd(), environment=stage.plain_environment)


async def _start_own(program: str, stage: Stage, _: PeerEnvironment, name: str) -> Start:
    job = await stage.write_job(name, tab_count=TAB_COUNT)
    command = [sys.executable, "-m", f"bench.peers.programs.{program}", str(job)]
    return Start(command=command, folder=Path.cwd(), environment=stage.plain_environment)


async def _start_python(program: str, stage: Stage, peers: PeerEnvironment, name: str) -> Start:
    whole = next(filter(None, map(shutil.which, _WHOLE_BROWSERS)), "") if program == "selenium_loop" else ""
    job = await stage.write_job(name, tab_count=TAB_COUNT, browser=whole, driver=peers.driver)
    command = [peers.python, "-m", f"bench.peers.programs.{program}", str(job)]
    return Start(command=command, folder=Path.cwd(), environment=peers.variables(stage.plain_environment))


async def _start_node(stage: Stage, peers: PeerEnvironment, name: str) -> Start:
    job = await stage.write_job(name, tab_count=TAB_COUNT)
    command = [peers.node, str(_PROGRAMS / "cluster.mjs"), str(job)]
    return Start(command=command, folder=Path.cwd(), environment=peers.variables(stage.plain_environment))


#: The pack of the demo portal, and what is added to it behind a line of it.
SHIPPED = resources.files("poolwright.portal").joinpath("packs", "demo.toml").read_text(encoding="utf-8")
BY_HTTP = (
    'title = "Demo portal"\n',
    (
        'lane = { kind = "http", list = { address = "/order_headers/{number}/attachments.json", '
        'items = "attachments", template = "{url:raw}", name = "name" } }\n'
    ),
)
SKIPPING = ("[site]\n", 'skip = ["image", "font", "media"]\n')
#: The one that all others are divided by.
BASE = "bare-click"
RUNNERS = (
    Runner(
        name="poolwright-1",
        title="Poolwright, one worker with four tabs",
        start=partial(_start_poolwright, 1),
        is_quick=True,
    ),
    Runner(name="poolwright-2", title="Poolwright, two workers with two tabs", start=partial(_start_poolwright, 2)),
    Runner(
        name="poolwright-skip",
        title="Poolwright, one worker with four tabs without images, fonts and media",
        start=partial(_start_poolwright, 1, changes=SKIPPING),
    ),
    Runner(
        name="poolwright-http",
        title="Poolwright, one worker, HTTP lane",
        start=partial(_start_poolwright, 1, changes=BY_HTTP),
        is_quick=True,
    ),
    Runner(
        name=BASE,
        title="bare Playwright loop, clicks",
        start=partial(_start_loop, is_by_http=False),
        is_quick=True,
    ),
    Runner(
        name="bare-http",
        title="bare Playwright loop, HTTP client for files",
        start=partial(_start_loop, is_by_http=True),
        is_quick=True,
    ),
    Runner(
        name="raw-cdp",
        title="DevTools protocol without Playwright, HTTP client for files",
        start=partial(_start_own, "raw_cdp"),
        is_quick=True,
    ),
    Runner(
        name="browser-per-order",
        title="a browser and a copy of the profile for each order",
        start=partial(_start_own, "browser_per_order"),
    ),
    Runner(
        name="crawlee",
        title="crawlee-python, PlaywrightCrawler",
        start=partial(_start_python, "crawlee_crawler"),
        is_there=lambda peers: bool(peers.python),
    ),
    Runner(
        name="puppeteer-cluster",
        title="puppeteer-cluster, CONCURRENCY_PAGE",
        start=_start_node,
        is_there=lambda peers: bool(peers.node and peers.packages),
    ),
    Runner(
        name="scrapy-playwright",
        title="scrapy-playwright",
        start=partial(_start_python, "scrapy_spider"),
        is_there=lambda peers: bool(peers.python),
    ),
    Runner(
        name="selenium",
        title="Selenium, one tab after the other",
        start=partial(_start_python, "selenium_loop"),
        is_there=lambda peers: bool(peers.python and peers.driver),
    ),
)
