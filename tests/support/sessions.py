"""A worker's session on a real browser, without a supervisor: for tests of what is done inside a worker."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import anyio
import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, HttpCredentials, async_playwright
from playwright.async_api import Error as PlaywrightError

from poolwright.concurrency import SystemClock
from poolwright.demo.portal_client import PortalClient
from poolwright.domain.events import Level
from poolwright.domain.ids import TaskId, WorkerId
from poolwright.domain.options import BrowserOptions, PageEvidence, PortalOptions, Sandbox, Secret, WorkerOptions
from poolwright.domain.state_machine import Transition
from poolwright.domain.tasks import POTask
from poolwright.portal import pack as packs
from poolwright.portal.pack import Pack
from poolwright.service.pool_config import http_origin, is_login_of_browser
from poolwright.worker.attempt import AttemptContext
from poolwright.worker.login.login_flow import Credentials
from poolwright.worker.login.portal_probe import PortalProbe
from poolwright.worker.processors.registry import load_processor
from poolwright.worker.session import BrowserSession, SessionSpec, open_session
from poolwright.worker.tab import open_portal_context
from tests.support import failure_record
from tests.support.portal import SHELL

CHROMIUM = shutil.which("chromium") or ""


def browser_options(executable: str | None = None, *, headless: bool = True) -> BrowserOptions:
    """A browser of this machine, if none is named the one that starts soonest and can do what is wanted."""
    sandbox = Sandbox.OFF if os.geteuid() == 0 else Sandbox.ON
    found = (SHELL if headless else None) or CHROMIUM
    return BrowserOptions(executable_path=executable or found, headless_mode=headless, sandbox=sandbox)


def demo_pack(*, page_s: float = 10.0, stall_s: float = 5.0) -> Pack:
    """The demo pack with less patience."""
    pack = packs.load("demo")
    limits = pack.limits.model_copy(update={"page_s": page_s, "stall_s": stall_s})
    return pack.model_copy(update={"limits": limits})


def portal_options(portal: PortalClient, pack: Pack, *, password: str | None = None) -> PortalOptions:
    """Where the demo portal is and who logs in."""
    return PortalOptions(
        pack_json=pack.to_json(),
        base_url=portal.url,
        user=portal.user,
        password=Secret(text=portal.password if password is None else password),
    )


def task_for(number: str, *, attempt: int = 1) -> POTask:
    """The task of one order of the demo portal."""
    return POTask(task_id=TaskId(f"demo:{number}"), po_number=f"PO{number}", portal_number=number, attempt=attempt)


@dataclass(kw_only=True)
class SessionLog:
    """What a session told."""

    moves: list[Transition] = field(default_factory=list[Transition])
    said: list[str] = field(default_factory=list[str])

    def path(self, machine: str, entity: str | None = None) -> list[str]:
        """The states that a machine went through, the first one included."""
        moves = [move for move in self.moves if move.machine == machine and entity in {None, move.entity}]
        return [moves[0].origin, *(move.target for move in moves)] if moves else []


@dataclass(kw_only=True)
class Scenario:
    """A session that is open, with everything around it."""

    context: AttemptContext
    session: BrowserSession
    heard: SessionLog
    staging: Path


@asynccontextmanager
async def open_scenario(
    portal: PortalClient | None,
    folder: Path,
    *,
    headless: bool = True,
    is_authenticated: bool = True,
    browser: Browser | None = None,
    **changes: Any,  # noqa: ANN401 - options by name
) -> AsyncGenerator[Scenario]:
    """Open a browser on a fresh profile and log it in; without a portal there is nothing to log in to.

    Args:
        portal: Where it logs in.
        folder: For the profile and what is staged.
        headless: Whether its windows are shown to nobody.
        is_authenticated: Whether it is logged in when the block begins.
        browser: One that runs already and serves many tests: the session is a context of it then, and no profile.
        changes: ``pack``, ``password``, ``processor``, ``task_timeout_s`` and ``executable``, where they matter;
            ``has_http_login`` gives the browser the portal's user and password.
    """
    pack = changes.get("pack") or demo_pack()
    password: str | None = changes.get("password")
    heard = SessionLog()
    await anyio.Path(folder).mkdir(parents=True, exist_ok=True)

    def say(_: Level, text: str) -> None:
        heard.said.append(text)

    options = browser_options(changes.get("executable"), headless=headless)
    if portal is not None and changes.get("has_http_login"):
        secret = Secret(text=portal.password)
        options = replace(options, http_user=portal.user, http_password=secret, http_origin=portal.url)
    order = SessionSpec(
        worker_id=WorkerId("worker-1"),
        browser=_with_http_login(options, portal, pack),
        profile_path=folder / "profile",
        downloads_path=folder / "staging" / "browser",
        clock=SystemClock().now,
        observe=heard.moves.append,
        notify=say,
        cookies_path=folder / "cookies.json",
    )
    door = None if portal is None else PortalProbe(pack=pack, portal=portal_options(portal, pack, password=password))
    opening = open_session(order, door) if browser is None else _session_in(browser, order, door)
    async with (
        opening as session,
        failure_record.current().watching("the scenario", folder, lambda: session.driver.pages),
    ):
        if browser is not None and portal is not None and password is None and is_authenticated:
            await _bring_login(portal, session.driver)
        if is_authenticated:
            await session.login.ensure_logged_in(Credentials())
        agent, prove = await session.user_agent(), session.login.check_login
        filing = changes.get("page_evidence", PageEvidence.OFF)
        worker = WorkerOptions(browser=_with_http_login(order.browser, portal, pack), page_evidence=filing)
        async with open_portal_context(
            door, session.driver, agent, check_login=prove, options=worker, languages=await session.languages()
        ) as program:
            context = AttemptContext(
                session=session,
                portal_context=program,
                processor=changes.get("processor") or load_processor("po_attachments"),
                task_timeout_s=changes.get("task_timeout_s", 60.0),
            )
            yield Scenario(context=context, session=session, heard=heard, staging=folder / "staging")


def _with_http_login(options: BrowserOptions, portal: PortalClient | None, pack: Pack) -> BrowserOptions:
    """User and password are sent by HTTP, where the pack says so."""
    if portal is None or pack.login.http is None:
        return options
    return replace(
        options,
        http_user=portal.user,
        http_password=Secret(text=portal.password),
        http_origin=http_origin(portal.url),
        is_login_of_browser=is_login_of_browser(pack),
    )


@asynccontextmanager
async def _session_in(browser: Browser, order: SessionSpec, door: PortalProbe | None) -> AsyncGenerator[BrowserSession]:
    """A session on a context of its own in a browser that others use too."""
    user, password = order.browser.http_user, order.browser.http_password.text
    login: HttpCredentials | None = {"username": user, "password": password} if user else None
    context = await browser.new_context(accept_downloads=True, http_credentials=login)
    await context.new_page()
    session = BrowserSession(order, door, context)
    try:
        yield session
    finally:
        with anyio.CancelScope(shield=True):
            await session.close()


async def _bring_login(portal: PortalClient, context: BrowserContext) -> None:
    """Be logged in without the form, which has tests of its own."""
    session = secrets.token_urlsafe(16)
    await portal.admit({session: session})
    cookies = {"_demo_session": session, "demo_visit": session, "demo_user": "anna"}
    await context.add_cookies([{"name": name, "value": value, "url": portal.url} for name, value in cookies.items()])


@dataclass(kw_only=True)
class SharedShell:
    """A headless shell for all tests of this process that need a browser and no profile. They share its event loop."""

    downloads_path: Path
    #: Of everything that was ever opened; a driver that was killed is still waited for.
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _browser: Browser | None = None

    async def get(self) -> Browser:
        """The browser that runs, or another one where a test took that with it."""
        if self._browser is None or not await is_there(self._browser):
            options = browser_options(SHELL)
            playwright = await self._stack.enter_async_context(async_playwright())
            self._browser = await playwright.chromium.launch(
                executable_path=options.executable_path,
                chromium_sandbox=options.sandbox is Sandbox.ON,
                downloads_path=self.downloads_path,
            )
        return self._browser

    async def close(self) -> None:
        """End all of them."""
        if self._browser is not None and await is_there(self._browser):
            await self._browser.close()
        await self._stack.aclose()


async def is_there(browser: Browser) -> bool:
    """Whether a browser and its driver answer; a driver that ends tells nobody."""
    try:
        await (await browser.new_browser_cdp_session()).detach()
    except PlaywrightError:
        return False
    return True


@pytest_asyncio.fixture(scope="session", loop_scope="session", name="shared_shell")
async def _shared_shell(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[SharedShell]:
    shared = SharedShell(downloads_path=tmp_path_factory.mktemp("downloads"))
    try:
        yield shared
    finally:
        await shared.close()


@pytest_asyncio.fixture(loop_scope="session", name="shell")
async def _shell(shared_shell: SharedShell) -> AsyncGenerator[Browser]:
    """The browser that tests share; a test that ends it has failed, and the next one has another."""
    browser = await shared_shell.get()
    yield browser
    assert await is_there(browser), "The browser that all tests share, or its driver, ended during this test."


class OpenScenario(Protocol):
    """``open_scenario`` on the shared browser."""

    def __call__(
        self,
        portal: PortalClient | None,
        folder: Path,
        *,
        is_authenticated: bool = ...,
        **changes: Any,  # noqa: ANN401 - options by name
    ) -> AbstractAsyncContextManager[Scenario]:
        """See ``open_scenario``."""
        ...


@pytest.fixture(name="open_scenario")
def _open_scenario(shell: Browser) -> OpenScenario:
    """Opens sessions that share one browser process."""
    return partial(open_scenario, browser=shell)
