"""The loop that a good engineer would write: one browser, one tab for each order, a click for each attachment.

``python -m bench.bare_loop BROWSER PROFILE COOKIES FOLDER ADDRESS...``: opens the orders in a browser on a profile that
is logged in, saves their attachments, and prints a line of JSON for each order. No check, no retry, no report. Cookies
without an expiry come from a list, as a headless shell drops them.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext, async_playwright

#: What the demo portal shows when its list of attachments is there, and the links in it.
LOADED, LINKS = "#attachments[data-state=loaded]", ".attachment_link"
#: A portal that keeps a file back: the loop goes on without it.
FILE_LIMIT_MS = 5000


async def bring(context: BrowserContext, address: str, folder: Path) -> None:
    """Save the attachments of one order."""
    page = await context.new_page()
    await page.goto(address)
    await page.wait_for_selector(LOADED, state="attached")
    links = page.locator(LINKS)
    for index in range(await links.count()):
        async with page.expect_download(timeout=FILE_LIMIT_MS) as waiting:
            await links.nth(index).click()
        download = await waiting.value
        if await download.failure() is None:
            await download.save_as(folder / address.rpartition("/")[2] / download.suggested_filename)
    await page.close()


async def main(browser: str, profile: str, cookies: list[Any], folder: Path, addresses: list[str]) -> None:
    """Open the browser and bring every order."""
    arguments = ["--no-sandbox"] if os.name == "posix" and os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            profile, executable_path=browser, headless=True, args=arguments
        )
        await context.add_cookies(cookies)
        for address in addresses:
            await bring(context, address, folder)
            print(json.dumps({"type": "task_ended", "address": address}), flush=True)
        await context.close()


if __name__ == "__main__":
    program, profile_folder, cookie_file, target, *orders = sys.argv[1:]
    asyncio.run(main(program, profile_folder, json.loads(Path(cookie_file).read_bytes()), Path(target), orders))
