"""``python -m bench.soak.drive``: the process that holds the pool. It is told its stage on standard input, as JSON.

The pool is a user's: ``open_pool`` with settings, on a profile that the demo portal's login form made. Orders are fed
as others end, for the time of the plan; then the pool brings home what it has. Samples go to a file as they are taken:
what this process keeps must not look like growth of the supervisor.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from pathlib import Path

import anyio
import anyio.to_thread
from pydantic import BaseModel, ConfigDict, SecretStr

from bench.soak.orders import task_of
from bench.soak.plan import Plan
from bench.soak.probe import own_usage, tree_usage
from bench.soak.samples import Sample, Sheet
from bench.soak.trend import median, percentile
from bench.soak.watch import Restart, Watch
from poolwright.cli.login import create_profile
from poolwright.concurrency import periodic
from poolwright.service.library import PersistentWorkerPool, open_pool
from poolwright.service.pool_config import resolve_worker_config
from poolwright.service.portals.portal_config import resolve_new_portal_config
from poolwright.settings import load_settings

#: Orders that are open at a time, for each tab: the queue never runs empty.
OPEN_PER_TAB = 6
NAME = "demo"


class DriveOptions(BaseModel):
    """Everything that the process needs to know."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    plan: Plan
    #: Folder of this soak's profile, output and clones; whoever starts the process removes it.
    home: Path
    samples_path: Path
    #: Where ``DriveResult`` is written at the end.
    told_path: Path
    #: Numbers of the orders to feed, one a line.
    numbers_path: Path
    base_url: str
    user: str
    password: str

    @property
    def out(self) -> Path:
        """The pool's output folder."""
        return self.home / "out"


class DriveResult(BaseModel):
    """What the process has to tell at its end, beside the samples."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    submitted_count: int
    #: Ends of orders that the pool told.
    ended_count: int
    restarts: tuple[Restart, ...]
    #: How long orders were fed and brought home.
    duration_s: float


async def drive(stage: DriveOptions) -> DriveResult:
    """Make a profile, open the pool on it, feed and sample it, and let it come to its end."""
    plan = stage.plan
    given: dict[str, object] = {
        "out": stage.out,
        "profiles_dir": stage.home / "profiles",
        "runs_dir": stage.home / "runs",
        "profile": NAME,
        "portal": NAME,
        "base_url": stage.base_url,
        "user": stage.user,
        "password": SecretStr(stage.password),
        "workers": plan.workers,
        "tabs_per_worker": plan.tabs,
    }
    settings = load_settings(given)
    site, content = resolve_new_portal_config(settings)
    await create_profile(settings, content, resolve_worker_config(settings, site), None)
    submitted_count = 0
    watch = Watch(plan.workers * plan.tabs * OPEN_PER_TAB, time.monotonic)
    with stage.samples_path.open("w", encoding="utf-8", newline="") as file, stage.numbers_path.open() as lines:
        sheet = Sheet(file, plan.workers)
        async with open_pool(watch=watch, **given) as pool:  # pyright: ignore[reportArgumentType] - settings by name
            async with anyio.create_task_group() as beside:
                beside.start_soon(keep_sampling, pool, watch, sheet, plan.interval_s)
                submitted_count = await feed(pool, watch, lines, plan.duration_s)
                beside.cancel_scope.cancel()
            await pool.finish()
    return DriveResult(
        submitted_count=submitted_count,
        ended_count=watch.ended_count,
        restarts=tuple(watch.restarts),
        duration_s=watch.elapsed_s(),
    )


async def feed(pool: PersistentWorkerPool, watch: Watch, numbers: Iterable[str], duration_s: float) -> int:
    """Submit an order whenever another one ends, until the time is over; tells how many."""
    submitted_count = 0
    for number in numbers:
        with anyio.move_on_after(duration_s - watch.elapsed_s()) as waiting:
            await watch.room.acquire()
        if waiting.cancelled_caught:
            return submitted_count
        await pool.submit_task(task_of(number.strip()))
        submitted_count += 1
    msg = f"All {submitted_count} orders of the portal were used up before the time was over; use a shorter time."
    raise RuntimeError(msg)


async def keep_sampling(pool: PersistentWorkerPool, watch: Watch, sheet: Sheet, interval_s: float) -> None:
    """Write a sample every few seconds, until cancelled."""
    async for _ in periodic(interval_s):
        sheet.write(await take_sample(pool, watch))


async def take_sample(pool: PersistentWorkerPool, watch: Watch) -> Sample:
    """Look at everything once; processes are looked at in a thread."""
    window = watch.take()
    at_s, task_count = watch.elapsed_s(), len(anyio.get_running_tasks())
    supervisor = await anyio.to_thread.run_sync(own_usage)
    if supervisor is None:
        msg = "The system does not tell what this process uses, so nothing can be measured."
        raise RuntimeError(msg)
    workers = [await anyio.to_thread.run_sync(tree_usage, worker.pid) for worker in pool.workers]
    return Sample(
        at_s=at_s,
        supervisor=supervisor,
        task_count=task_count,
        throughput_per_s=window.throughput_per_s,
        latency_median_s=median(window.latencies_s),
        latency_p95_s=percentile(window.latencies_s, 0.95),
        open_count=pool.get_status().open_count,
        workers=tuple(workers),
        generations=tuple(worker.ref.generation for worker in pool.workers),
    )


def main() -> None:
    """Read the stage, drive, and write what is to be told."""
    stage = DriveOptions.model_validate_json(sys.stdin.read())
    told = anyio.run(drive, stage)
    stage.told_path.write_text(told.model_dump_json(), encoding="utf-8")


if __name__ == "__main__":
    main()
