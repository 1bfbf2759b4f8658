"""What tests do with a running demo portal: log in over HTTP or in a browser, and find the orders they need."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
import pytest
from playwright.async_api import BrowserContext, Page, async_playwright

from poolwright.demo.catalogue.truth import FileTruth, OrderTruth
from poolwright.demo.portal_client import NO_TLS_CONTEXT, PortalClient
from tests.support import failure_record

CHROMIUM = shutil.which("chromium")
#: It starts several times faster and forgets cookies that have no expiry: for all that is no matter of the profile.
#: Debian's launcher of that name stays the parent of the browser, and would be taken for it; this is what it starts.
SHELL = shutil.which("/usr/lib/chromium/chromium-headless-shell") or shutil.which("chromium-headless-shell") or CHROMIUM

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on PATH")


async def forget(portal: PortalClient) -> None:
    """Bring a used portal back to what it was when it started."""
    await portal.clear_faults()
    await portal.expire_sessions()
    await portal.require_visit_cookie(is_required=False)
    await portal.reset_stats()


@asynccontextmanager
async def visitor(portal: PortalClient) -> AsyncGenerator[httpx.AsyncClient]:
    """Somebody with cookies of their own who is not logged in. Redirects are not followed."""
    async with httpx.AsyncClient(base_url=portal.url, trust_env=False, timeout=10, verify=NO_TLS_CONTEXT) as client:
        yield client


@asynccontextmanager
async def user(portal: PortalClient) -> AsyncGenerator[httpx.AsyncClient]:
    """Somebody who is logged in."""
    async with visitor(portal) as client:
        answer = await log_in(client, portal)
        assert answer.status_code == 302, answer.text
        yield client


async def log_in(client: httpx.AsyncClient, portal: PortalClient, *, password: str | None = None) -> httpx.Response:
    """Open the login form and send it; gives the answer to the form."""
    form = await client.get("/sessions/new")
    return await client.post("/sessions", data=login_fields(form.text, portal, password=password))


def login_fields(html: str, portal: PortalClient, *, password: str | None = None) -> dict[str, str]:
    """The filled-in fields of a login page."""
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', html))
    return {**hidden, "user[email]": portal.user, "user[password]": password or portal.password}


def orders_with(truths: dict[str, OrderTruth], outcome: str) -> list[OrderTruth]:
    """The listed orders that must end so."""
    return [truth for truth in truths.values() if truth.is_listed and truth.outcome == outcome]


def file_address(file: FileTruth) -> str:
    """Where a plain link to this file leads."""
    return f"/attachment/{file.attachment_id}/download"


@asynccontextmanager
async def browsing() -> AsyncGenerator[BrowserContext]:
    """A fresh browser context in a headless shell."""
    flags = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=SHELL, args=flags)
        try:
            context = await browser.new_context()
            async with failure_record.current().watching("the browser", pages=lambda: context.pages):
                yield context
        finally:
            await browser.close()


async def log_in_by_form(page: Page, portal: PortalClient) -> None:
    """Log in as a person does; ends on the dashboard."""
    await page.goto(f"{portal.url}/")
    await page.fill("#user_email", portal.user)
    await page.fill("#user_password", portal.password)
    await page.click("#login_submit")
    await page.wait_for_selector("#user_menu")
