"""The loop that a good engineer would write: one browser, one tab for each order, a click for each attachment.

``python -m bench.bare_loop JOB``: opens the orders of a job (``bench.peers.job``) in a browser on a profile that is
logged in, saves their attachments, and prints a line of JSON for each order. No check, no retry, no report. Cookies
without an expiry come from a list, as a headless shell drops them. With ``is_by_http`` an HTTP client with the
browser's cookies streams the attachments in place of the clicks.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin

import anyio
import httpx
from playwright.async_api import BrowserContext, Page, async_playwright

from bench.peers.job import LINKS, LOADED, Job, read_job

#: A portal that keeps a file back: the loop goes on without it.
FILE_LIMIT_MS = 5000


async def bring(context: BrowserContext, client: httpx.AsyncClient | None, address: str, folder: Path) -> None:
    """Save the attachments of one order."""
    page = await context.new_page()
    await page.goto(address)
    await page.wait_for_selector(LOADED, state="attached")
    await (click_all(page, folder) if client is None else fetch_all(page, client, folder))
    await page.close()


async def click_all(page: Page, folder: Path) -> None:
    """Click each link and save what comes."""
    links = page.locator(LINKS)
    for index in range(await links.count()):
        async with page.expect_download(timeout=FILE_LIMIT_MS) as waiting:
            await links.nth(index).click()
        download = await waiting.value
        if await download.failure() is None:
            await download.save_as(folder / download.suggested_filename)


async def fetch_all(page: Page, client: httpx.AsyncClient, folder: Path) -> None:
    """Stream what each link leads to."""
    links: list[Any] = await page.eval_on_selector_all(LINKS, "all => all.map(one => [one.href, one.textContent])")
    await anyio.Path(folder).mkdir(parents=True, exist_ok=True)
    for address, text in links:
        name = unquote(str(text)).strip().replace("/", "_") or "file"
        async with client.stream("GET", urljoin(page.url, str(address))) as answer:
            answer.raise_for_status()
            with (folder / name).open("wb") as file:
                async for piece in answer.aiter_bytes():
                    file.write(piece)


async def run(job: Job) -> None:
    """Open the browser and bring every order."""
    arguments = ["--no-sandbox"] if os.name == "posix" and os.geteuid() == 0 else []
    async with async_playwright() as playwright, httpx.AsyncClient(trust_env=False) as client:
        context = await playwright.chromium.launch_persistent_context(
            job.profile, executable_path=job.browser, headless=True, args=arguments
        )
        await context.add_cookies([{**one} for one in job.cookies])  # type: ignore[typeddict-item]
        for one in await context.cookies():
            client.cookies.set(one["name"], one["value"])  # type: ignore[typeddict-item]
        waiting = list(reversed(job.addresses))

        async def work() -> None:
            while waiting:
                address = waiting.pop()
                folder = Path(job.folder) / address.rpartition("/")[2]
                await bring(context, client if job.is_by_http else None, address, folder)
                print(json.dumps({"type": "task_ended", "address": address}), flush=True)

        async with anyio.create_task_group() as tabs:
            for _ in range(job.tab_count):
                tabs.start_soon(work)
        await context.close()


if __name__ == "__main__":
    anyio.run(run, read_job(sys.argv[1]))
