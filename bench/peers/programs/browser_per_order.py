"""A browser and a copy of the profile for each order: Playwright, clicks."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import anyio
import anyio.to_thread
from playwright.async_api import async_playwright

from bench.bare_loop import bring
from bench.peers.job import Job, read_job, tell_done


async def run(job: Job) -> None:
    """Bring every order, at most ``tab_count`` at the same time."""
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    waiting = list(reversed(job.addresses))
    async with async_playwright() as playwright:

        async def work() -> None:
            while waiting:
                address = waiting.pop()
                number = address.rpartition("/")[2]
                profile = f"{job.profile}-{number}"
                await anyio.to_thread.run_sync(shutil.copytree, job.profile, profile)
                context = await playwright.chromium.launch_persistent_context(
                    profile, executable_path=job.browser, headless=True, args=arguments
                )
                await context.add_cookies(job.cookies)
                await bring(context, None, address, Path(job.folder) / number)
                await context.close()
                await anyio.to_thread.run_sync(shutil.rmtree, profile)
                tell_done(address)

        async with anyio.create_task_group() as orders:
            for _ in range(job.tab_count):
                orders.start_soon(work)


if __name__ == "__main__":
    anyio.run(run, read_job(sys.argv[1]))
