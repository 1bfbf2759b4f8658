"""How long a slot needs to come back after its worker was killed, against a cold start of a worker.

``python -m bench.recovery [POOLS]``: one worker on the demo portal, killed once in each pool. A recovery holds the
pause before a restart (0.5 s for the first), the end of what the dead worker left, and a start on the same profile; a
cold start holds the cloning of the profile. Prints the ratio of the medians; times belong to one run on one machine.
"""

from __future__ import annotations

import os
import signal
import statistics
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

import anyio

from poolwright.archive.output_tree import OutputTree
from poolwright.concurrency import SystemClock
from poolwright.demo.portal_client import PortalClient, running_portal
from poolwright.domain.events import Event, Moved
from poolwright.domain.ids import BatchId
from poolwright.domain.options import BrowserOptions, PoolOptions, PortalOptions, Sandbox, Secret, WorkerOptions
from poolwright.journal.sqlite_journal import SqliteJournal
from poolwright.portal import pack as packs
from poolwright.supervisor.pool import PersistentWorkerPool
from poolwright.supervisor.pool_context import PoolPorts
from poolwright.supervisor.processes.one_shot import make_base
from poolwright.system.browser_choice import BrowserWish, find_browser
from poolwright.system.sandbox import resolve_sandbox

AIM = 1.3


class Watch:
    """Times the way of the one worker to READY."""

    def __init__(self) -> None:
        """Hear nothing yet."""
        self._ready = anyio.Event()

    def hear(self, event: Event) -> None:
        """Take an event of the pool."""
        move = event.transition if isinstance(event, Moved) else None
        if move is not None and (move.machine, move.target) == ("worker", "READY"):
            self._ready.set()

    async def seconds_to_ready(self, begun_s: float) -> float:
        """Wait until the worker is READY once more."""
        await self._ready.wait()
        self._ready = anyio.Event()
        return anyio.current_time() - begun_s


def worker_options(portal: PortalClient) -> WorkerOptions:
    """A worker of this machine on the demo portal."""
    browser = find_browser(BrowserWish()).browser
    return WorkerOptions(
        browser=BrowserOptions(
            executable_path=str(browser.path), sandbox=resolve_sandbox(Sandbox.AUTO, browser.path).mode
        ),
        portal=PortalOptions(
            pack_json=packs.load("demo").to_json(),
            base_url=portal.url,
            user=portal.user,
            password=Secret(text=portal.password),
        ),
    )


async def measure(folder: Path, options: WorkerOptions) -> tuple[float, float]:
    """One pool: seconds of its cold start, and of a recovery from SIGKILL."""
    clock, watch = SystemClock(), Watch()
    pool_options = PoolOptions(
        worker=options,
        worker_count=1,
        base_profile_path=folder / "demo" / "base",
        runs_root=folder / "runs",
        staging_path=folder / "out" / "staging",
    )
    async with AsyncExitStack() as stack:
        journal = await stack.enter_async_context(SqliteJournal(folder / "journal.db", clock))
        ports = PoolPorts(
            journal=journal,
            archive=OutputTree(folder / "out", clock=clock),
            clock=clock,
            observe=watch.hear,
            batch_id=BatchId("bench"),
        )
        begun_s = anyio.current_time()
        pool = await stack.enter_async_context(PersistentWorkerPool(pool_options, ports))
        cold_s = await watch.seconds_to_ready(begun_s)
        pid = pool.workers[0].pid
        if pid is None:
            msg = "the worker is READY and has no process"
            raise RuntimeError(msg)
        os.kill(pid, signal.SIGKILL)
        return cold_s, await watch.seconds_to_ready(anyio.current_time())


async def main(pool_count: int) -> None:
    """Measure and print."""
    cold_s: list[float] = []
    recoveries_s: list[float] = []
    with tempfile.TemporaryDirectory(prefix="pw") as name:
        folder = Path(name)
        async with running_portal() as portal:
            options = worker_options(portal)
            base = folder / "demo" / "base"
            await make_base(base, options, folder / "runs", lambda _: None)
            for _ in range(pool_count):
                cold, recovery = await measure(folder, options)
                cold_s.append(cold)
                recoveries_s.append(recovery)
    cold, recovery = statistics.median(cold_s), statistics.median(recoveries_s)
    spread = f"{min(recoveries_s):.2f} to {max(recoveries_s):.2f}"
    print(f"cold start          {cold:.2f} s (median of {len(cold_s)}, {min(cold_s):.2f} to {max(cold_s):.2f})")
    print(f"SIGKILL to READY    {recovery:.2f} s (median of {len(recoveries_s)}, {spread})")
    print(f"ratio               {recovery / cold:.2f} (aim: at most {AIM})")


if __name__ == "__main__":
    anyio.run(main, int(sys.argv[1]) if len(sys.argv) > 1 else 5)
