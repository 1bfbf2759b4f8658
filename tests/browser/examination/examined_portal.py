"""A portal of some make with a session in it, and the examination of its pages."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser

from poolwright.demo.portal_client import PortalClient
from poolwright.ipc.messages import PageToExamine
from poolwright.portal.examination.page_examination import PageExamination
from poolwright.portal.examination.saved_page import SavedPage, read_saved_page
from poolwright.portal.pack import Pack
from poolwright.worker.examination.examiner import Examiner
from poolwright.worker.examination.saved_portal import examine_saved
from poolwright.worker.login.portal_probe import PortalProbe
from tests.support.portals.portal_make import PASSWORD, USER, PortalMake, serve_make
from tests.support.sessions import OpenScenario, Scenario, portal_options


@asynccontextmanager
async def open_make(
    make: PortalMake, open_scenario: OpenScenario, folder: Path
) -> AsyncGenerator[tuple[Scenario, Examiner]]:
    """Serve a portal, log a session in to it, and examine with it."""
    async with serve_make(make) as served:
        client = PortalClient(url=served.url, admin_token="", user=USER, password=PASSWORD, pid=0)
        pack = make.pack()
        # User and password of HTTP authentication belong to a browser from its start.
        own: dict[str, Any] = {"browser": None, "has_http_login": True} if pack.login.http else {}
        async with open_scenario(client, folder, pack=pack, password=PASSWORD, **own) as scenario:
            probe = PortalProbe(pack=pack, portal=portal_options(client, pack))
            yield scenario, Examiner(scenario.session, probe)


async def examine(examiner: Examiner, folder: Path, number: str) -> SavedPage:
    """Examine the page of an order and save it."""
    wanted = PageToExamine(number=number, portal_number=number, folder=str(folder / number))
    async with examiner.examine(wanted):
        pass
    return read_saved_page(folder / number)


async def judge_again(shell: Browser, pack: Pack, folder: Path) -> PageExamination:
    """Judge a saved page in a browser of its own that reaches nothing."""
    context = await shell.new_context(offline=True)
    try:
        return await examine_saved(context, pack, read_saved_page(folder), folder)
    finally:
        await context.close()
