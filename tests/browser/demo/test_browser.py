from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import psutil
import pytest
from playwright.async_api import Browser, BrowserContext, FrameLocator, Locator, Page
from playwright.async_api import TimeoutError as TooSlowError

from poolwright.demo.catalogue.order import LinkForm
from poolwright.demo.catalogue.truth import FileTruth
from poolwright.demo.faults import CrashPage, FatPage, Hang, LoginRedirect
from poolwright.demo.pages import OOPS
from poolwright.demo.portal_client import PortalClient
from tests.support import failure_record
from tests.support.portal import log_in_by_form, needs_chromium, orders_with

pytestmark = [needs_chromium, pytest.mark.asyncio(loop_scope="session")]

LOADED = '#attachments[data-state="loaded"]'


@asynccontextmanager
async def logged_in(portal: PortalClient, shell: Browser) -> AsyncGenerator[tuple[BrowserContext, Page]]:
    async with (
        await shell.new_context() as context,
        failure_record.current().watching("the browser", pages=lambda: context.pages),
    ):
        page = await context.new_page()
        await log_in_by_form(page, portal)
        yield context, page


def link_in(page: Page | FrameLocator, form: LinkForm) -> Locator:
    selectors = {
        LinkForm.ANCHOR: 'a.attachment_link[href$="/download"]',
        LinkForm.DOWNLOAD_ANCHOR: "a.attachment_link[download]",
        LinkForm.DATA_URL: "span.attachment_link[data-url]",
        LinkForm.CLICK: "button.attachment_link",
        LinkForm.FRAME: "a.attachment_link",
    }
    return page.locator(selectors[form])


async def downloaded(page: Page, file: FileTruth) -> tuple[str, bytes]:
    """Click the link of that file; gives the name that the browser saves it under, and its bytes."""
    place = page.frame_locator("iframe.attachment_frame") if file.link_form is LinkForm.FRAME else page
    async with page.expect_download(timeout=10_000) as expected:
        await link_in(place, file.link_form).click()
    download = await expected.value
    return download.suggested_filename, await anyio.Path(await download.path()).read_bytes()


async def test_a_login_by_form_leaves_a_persistent_a_plain_and_a_session_cookie(
    portal: PortalClient, shell: Browser
) -> None:
    async with logged_in(portal, shell) as (context, page):
        cookies = {cookie.get("name"): cookie for cookie in await context.cookies()}
        address = page.url

    kept = {name: (cookie.get("httpOnly"), cookie.get("expires") != -1) for name, cookie in cookies.items()}
    assert address.endswith("/dashboard")
    assert kept == {"_demo_session": (True, True), "demo_user": (False, True), "demo_visit": (True, False)}


async def test_every_form_of_link_leads_to_the_bytes_of_the_truth(portal: PortalClient, shell: Browser) -> None:
    async with logged_in(portal, shell) as (_, page):
        truths = orders_with(await portal.truth(), "COMPLETED")
        truth = next(truth for truth in truths if {file.link_form for file in truth.attachments} == set(LinkForm))
        await page.goto(portal.order_url(truth.number))
        await page.wait_for_selector(LOADED)
        count = await page.get_attribute("#attachments", "data-count")
        titles = await page.locator("[title].attachment_link, iframe[title]").evaluate_all(
            "all => all.map(e => e.title)"
        )
        got = [await downloaded(page, file) for file in truth.attachments]
        after = page.url

    assert count == "5"
    assert titles == [file.name for file in truth.attachments]
    assert [(name, hashlib.sha256(content).hexdigest()) for name, content in got] == [
        (file.name, file.sha256) for file in truth.attachments
    ]
    assert after == portal.order_url(truth.number)


async def test_a_list_that_does_not_come_leaves_the_page_failed_and_an_empty_one_loaded(
    portal: PortalClient, shell: Browser
) -> None:
    async with logged_in(portal, shell) as (_, page):
        truths = await portal.truth()
        number = orders_with(truths, "NO_ATTACHMENTS")[0].number
        await page.goto(portal.order_url(number))
        await page.wait_for_selector(LOADED)
        count = await page.get_attribute("#attachments", "data-count")
        await page.goto(f"{portal.order_url(number)}?__list_fault=500")
        await page.wait_for_selector('#attachments[data-state="failed"]')
        problem = await page.get_attribute("#attachments", "data-problem")

    assert (count, problem) == ("0", "500")


async def test_log_out_and_a_missing_order_say_the_same_at_different_addresses(
    portal: PortalClient, shell: Browser
) -> None:
    async with logged_in(portal, shell) as (_, page):
        missing = orders_with(await portal.truth(), "NOT_FOUND")[0].number
        await page.goto(portal.order_url(missing))
        first = (page.url, await page.inner_text("div.flash_error"), await page.locator("#login_form").count())
        await portal.add_fault(LoginRedirect(), times=1)
        await page.goto(portal.order_url(missing))
        second = (page.url, await page.inner_text("div.flash_error"), await page.locator("#login_form").count())

    assert first == (portal.order_url(missing), OOPS, 0)
    assert second == (f"{portal.url}/sessions/new?return_to=%2Forder_headers%2F{missing}", OOPS, 1)


async def a_page(portal: PortalClient) -> str:
    return portal.order_url(orders_with(await portal.truth(), "COMPLETED")[0].number)


async def test_a_hanging_page_hangs_until_its_tab_is_closed(portal: PortalClient, shell: Browser) -> None:
    async with logged_in(portal, shell) as (context, page):
        address = await a_page(portal)
        await portal.add_fault(Hang(), times=1)
        silent = await context.new_page()
        with pytest.raises(TooSlowError):
            await silent.goto(address, timeout=500)
        await silent.close()  # or the next request for this address waits 20 s for the cache entry of the hung one
        await page.goto(address, timeout=10_000)
        await page.wait_for_selector(LOADED)


async def test_a_fat_page_takes_the_memory_it_was_told_to(portal: PortalClient, shell: Browser) -> None:
    async with logged_in(portal, shell) as (_, page):
        await portal.add_fault(FatPage(size_mb=200), times=1)
        await page.goto(await a_page(portal))
        await page.wait_for_selector('html[data-ballast="full"]')
        heaviest_bytes = max(own_bytes(process) for process in psutil.Process().children(recursive=True))

    assert heaviest_bytes > 200 * 1024 * 1024


async def test_a_crash_page_crashes_its_tab_and_no_other(portal: PortalClient, shell: Browser) -> None:
    async with logged_in(portal, shell) as (context, page):
        address = await a_page(portal)
        doomed = await context.new_page()
        crashed = anyio.Event()
        doomed.on("crash", lambda _: crashed.set())
        await portal.add_fault(CrashPage(), times=1)
        with anyio.fail_after(60):
            await doomed.goto(address, wait_until="commit")
            await crashed.wait()
        await page.goto(address)
        await page.wait_for_selector(LOADED)


def own_bytes(process: psutil.Process) -> int:
    try:
        return process.memory_full_info().uss
    except psutil.Error:
        return 0
