"""The dashboard as an analyst uses it, in a real browser on a real daemon."""

from __future__ import annotations

import base64
import os
import re
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx
import pytest
from playwright.async_api import Locator, Page, async_playwright, expect

from poolwright.demo.faults import FaultScope, Latency
from poolwright.demo.portal_client import PortalClient, running_portal
from tests.support import failure_record
from tests.support.batch_results import numbers_of
from tests.support.portal import SHELL, needs_chromium
from tests.support.program import ProgramFolder, open_program
from tests.system.test_serve import serving

pytestmark = [needs_chromium, pytest.mark.timeout(300)]

#: What a busy machine needs until a page shows what happened.
PATIENCE_MS = 120_000


@asynccontextmanager
async def dashboard(program: ProgramFolder, *arguments: str) -> AsyncGenerator[tuple[Page, httpx.AsyncClient]]:
    """A daemon, and its page in a browser of somebody who was told its address; nothing is wrong with the page."""
    async with serving(program, *arguments) as (process, client), async_playwright() as playwright:
        arguments_of_root = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = await playwright.chromium.launch(executable_path=SHELL, args=arguments_of_root)
        page = await browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(PATIENCE_MS)
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda said: problems.append(said.text) if "Content Security" in said.text else None)
        token = client.headers["Authorization"].removeprefix("Bearer ")
        await page.goto(f"{client.base_url}/#token={token}")
        async with failure_record.current().watching("the dashboard", pages=lambda: page.context.pages):
            await expect(page.locator("#page")).to_be_visible(timeout=PATIENCE_MS)
            yield page, client
        await browser.close()
        assert problems == []
        os.kill(process.pid, signal.SIGTERM)
        assert await process.wait() == 0


async def drop(page: Page, file: Path) -> None:
    """Let go of a file over the page, as a hand with a mouse does."""
    content = base64.b64encode(await anyio.Path(file).read_bytes()).decode()
    await page.evaluate(
        """([name, content]) => {
            const bytes = Uint8Array.from(atob(content), letter => letter.charCodeAt(0));
            const carried = new DataTransfer();
            carried.items.add(new File([bytes], name));
            for (const kind of ["dragover", "drop"])
                document.querySelector("#drop").dispatchEvent(
                    new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true }));
        }""",
        [file.name, content],
    )


async def failing_and_whole(portal: PortalClient) -> tuple[str, list[str]]:
    """An order that leaves evidence of a failure, and six that leave none."""
    truths = await portal.truth(*(await numbers_of(portal, 60)))
    partial = next(one.number for one in truths.values() if one.outcome == "PARTIAL")
    return partial, [one.number for one in truths.values() if one.outcome == "COMPLETED"][:6]


async def test_lists_are_watched_by_whoever_has_the_token(tmp_path: Path) -> None:
    async with running_portal(order_count=60) as portal, open_program(tmp_path, portal) as program:
        program.environment["POOLWRIGHT_PASSWORD"] = "no longer that"
        partial, whole = await failing_and_whole(portal)
        others = [number for number in await numbers_of(portal, 20) if number not in {partial, *whole}]
        async with dashboard(program) as (page, client):
            await ask_without_the_token(page, client)
            await type_pause_and_search(page, whole[:4])
            await refuse_a_letter(page, program)
            await drop(page, program.folder / program.list_of([*whole[4:], partial]))
            await expect(page.locator("#taken")).to_contain_text("3 new orders", timeout=PATIENCE_MS)
            await expect(page.locator("#counts")).to_have_text("7 of 7 orders ended", timeout=PATIENCE_MS)
            await expect(page.locator("#outcomes")).to_contain_text("6 completed")
            failure = page.locator(".failure", has_text="refused some attachments")
            await look_at_the_evidence(page, failure)
            await retry(failure, client, portal, partial)

            async with page.expect_download() as download:
                await page.get_by_role("button", name="XLSX").first.click()
            assert (await (await download.value).path()).read_bytes().startswith(b"PK")

            await see_tabs_at_work(page, portal, others[:3])
            await fit_a_telephone_and_both_schemes(page)
            await tell_of_a_lost_login(page, portal, others[3:6])


async def ask_without_the_token(page: Page, client: httpx.AsyncClient) -> None:
    """Another window gets a form and nothing else."""
    assert "token" not in page.url
    other = await page.context.browser.new_page()  # pyright: ignore[reportOptionalMemberAccess] - it was launched
    answer = await other.goto(f"{client.base_url}/")
    await other.locator("#token").fill("no token of theirs, though long enough for one")
    await other.get_by_role("button", name="Open").click()
    await expect(other.locator("#gate-problem")).to_contain_text("not the token")

    assert answer is not None
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    await other.close()


async def type_pause_and_search(page: Page, numbers: list[str]) -> None:
    """Four orders wait while the pool is paused, are found, and come home when it goes on."""
    await expect(page.locator("#state")).to_have_text("ready", timeout=PATIENCE_MS)
    await page.keyboard.press("p")
    await expect(page.locator("#state")).to_have_text("paused")
    await page.locator("#numbers").fill(", ".join(f"PO{number}" for number in numbers))
    await page.locator("#numbers").press("Enter")
    await expect(page.locator("#taken")).to_contain_text("4 new orders")
    await page.locator("header h1").click()
    await page.keyboard.press("/")
    await page.keyboard.type(numbers[2])
    await expect(page.locator("#orders tr")).to_have_count(1)
    await expect(page.locator("#orders")).to_contain_text("waiting")
    await page.locator("#pause").click()
    await expect(page.locator("#counts")).to_have_text("4 of 4 orders ended", timeout=PATIENCE_MS)


async def look_at_the_evidence(page: Page, failure: Locator) -> None:
    """A failure says what to do, and shows the picture and the text of its page."""
    await expect(failure).to_contain_text("ask its administrator")
    await failure.get_by_role("button", name="Evidence").click()
    picture = page.locator("#evidence img")
    await expect(picture).to_be_visible()
    assert await picture.evaluate("image => image.decode().then(() => image.naturalWidth > 300)")
    await page.locator("#evidence summary").click()
    await expect(page.locator("#evidence pre")).to_contain_text("<html")
    await page.keyboard.press("Escape")


async def retry(failure: Locator, client: httpx.AsyncClient, portal: PortalClient, number: str) -> None:
    """One click, and the portal is asked for the order again."""
    await portal.reset_stats()
    async with client.stream("GET", "/api/v1/events") as happening:
        await failure.get_by_role("button", name=re.compile("Retry")).click()
        async for line in happening.aiter_lines():
            if line == "event: task_ended":
                break
    assert number in (await portal.stats()).order_pages


async def refuse_a_letter(page: Page, program: ProgramFolder) -> None:
    """A file without orders is told, and is no list."""
    (program.folder / "letter.csv").write_text("Name,City\nAcme,Oslo\n")
    await page.locator("#file").set_input_files(program.folder / "letter.csv")
    await expect(page.locator("#taken.bad")).to_contain_text("letter.csv")


async def see_tabs_at_work(page: Page, portal: PortalClient, numbers: list[str]) -> None:
    """While files come slowly, there is a picture of their page."""
    await portal.add_fault(Latency(delay_ms=4000), FaultScope.DOWNLOAD)
    await page.locator("#numbers").fill(" ".join(numbers))
    await page.locator("#numbers").press("Enter")
    await expect(page.locator(".shots img").first).to_be_visible(timeout=PATIENCE_MS)
    await portal.clear_faults()


async def tell_of_a_lost_login(page: Page, portal: PortalClient, numbers: list[str]) -> None:
    """The portal asks for a login that nobody can give, and the page says what to do."""
    await portal.expire_sessions()
    await page.locator("#numbers").fill(" ".join(numbers))
    await page.locator("#numbers").press("Enter")
    await expect(page.locator("#state")).to_have_text("login needed", timeout=PATIENCE_MS)
    await expect(page.locator("#notice")).to_contain_text("poolwright profile login", timeout=PATIENCE_MS)


async def fit_a_telephone_and_both_schemes(page: Page) -> None:
    """Nothing runs over the edge of a small window, and the colours are those that its owner likes."""
    await page.set_viewport_size({"width": 390, "height": 844})
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    for scheme in ("dark", "light"):
        await page.emulate_media(color_scheme=scheme)
        assert await page.evaluate("getComputedStyle(document.documentElement).colorScheme") == scheme
    await page.set_viewport_size({"width": 1280, "height": 900})
