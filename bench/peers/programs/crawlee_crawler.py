"""crawlee-python: a PlaywrightCrawler with a handler that clicks each attachment."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from pathlib import Path

from crawlee import ConcurrencySettings, Request
from crawlee.configuration import Configuration
from crawlee.crawlers import PlaywrightCrawler, PlaywrightCrawlingContext, PlaywrightPreNavCrawlingContext

from bench.bare_loop import click_all
from bench.peers.job import LOADED, Job, read_job, tell_done


async def run(job: Job) -> None:
    """Bring every order."""
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    crawler = PlaywrightCrawler(
        headless=True,
        browser_launch_options={"executable_path": job.browser, "args": arguments, "chromium_sandbox": False},
        concurrency_settings=ConcurrencySettings(
            min_concurrency=job.tab_count, max_concurrency=job.tab_count, desired_concurrency=job.tab_count
        ),
        configuration=Configuration(storage_dir=f"{job.profile}-crawlee", purge_on_start=True),
        configure_logging=False,
        max_request_retries=0,
    )

    @crawler.pre_navigation_hook
    async def log_in(context: PlaywrightPreNavCrawlingContext) -> None:
        await context.page.context.add_cookies(job.cookies)

    @crawler.router.default_handler
    async def bring(context: PlaywrightCrawlingContext) -> None:
        page = context.page
        await page.wait_for_selector(LOADED, state="attached")
        await click_all(page, Path(job.folder) / page.url.rpartition("/")[2])
        tell_done(context.request.url)

    await crawler.run([Request.from_url(address) for address in job.addresses])


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    asyncio.run(run(read_job(sys.argv[1])))
