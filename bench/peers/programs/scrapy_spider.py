"""scrapy-playwright: a spider that clicks each attachment of the page that it gets."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import scrapy
from scrapy.crawler import CrawlerProcess
from scrapy.http import Response

from bench.bare_loop import click_all
from bench.peers.job import LOADED, Job, read_job, tell_done


class OrderSpider(scrapy.Spider):
    """Opens the pages of the orders."""

    name = "orders"
    job: Job

    async def start(self) -> AsyncGenerator[scrapy.Request]:
        """Request every page."""
        for address in self.job.addresses:
            yield scrapy.Request(address, meta={"playwright": True, "playwright_include_page": True})

    async def parse(self, response: Response) -> None:
        """Save the attachments of a page."""
        page = response.meta["playwright_page"]
        await page.wait_for_selector(LOADED, state="attached")
        await click_all(page, Path(self.job.folder) / page.url.rpartition("/")[2])
        await page.close()
        tell_done(response.url)


def main(job: Job) -> None:
    """Run the spider to its end."""
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    handler = "scrapy_playwright.handler.ScrapyPlaywrightDownloadHandler"
    process = CrawlerProcess(
        {
            "DOWNLOAD_HANDLERS": {"http": handler, "https": handler},
            "TWISTED_REACTOR": "twisted.internet.asyncioreactor.AsyncioSelectorReactor",
            "PLAYWRIGHT_LAUNCH_OPTIONS": {"executable_path": job.browser, "args": arguments},
            "PLAYWRIGHT_CONTEXTS": {"default": {"storage_state": {"cookies": job.cookies, "origins": []}}},
            "PLAYWRIGHT_MAX_PAGES_PER_CONTEXT": job.tab_count,
            "CONCURRENT_REQUESTS": job.tab_count,
            "CONCURRENT_REQUESTS_PER_DOMAIN": job.tab_count,
            "DOWNLOAD_DELAY": 0,
            "ROBOTSTXT_OBEY": False,
            "LOG_ENABLED": False,
        }
    )
    process.crawl(OrderSpider, job=job)
    process.start()


if __name__ == "__main__":
    main(read_job(sys.argv[1]))
