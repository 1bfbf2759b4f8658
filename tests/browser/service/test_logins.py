"""Logins of a pool that lives long: it waits for a person, and renews a login before it ends."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import anyio
import pytest

from poolwright.demo.portal_client import PortalClient, running_portal
from poolwright.domain.events import Event, Notice
from poolwright.domain.ids import TaskId
from poolwright.domain.outcomes import Reason
from poolwright.domain.states import PoolStatus
from poolwright.profile.backups import login_backup_path
from poolwright.service.library import PersistentWorkerPool, open_pool
from poolwright.supervisor.policy import login_state
from tests.support.batch_results import some_good_number
from tests.support.portal import SHELL, needs_chromium
from tests.support.program import ProgramFolder, open_program
from tests.support.sessions import task_for

pytestmark = [needs_chromium, pytest.mark.timeout(120)]


@dataclass(kw_only=True)
class Notices:
    """What people are told, and a way to wait for it."""

    texts: list[str] = field(default_factory=list[str])
    _news: anyio.Event = field(default_factory=anyio.Event)

    def __call__(self, event: Event) -> None:
        if isinstance(event, Notice):
            self.texts.append(event.text)
            self._news.set()
            self._news = anyio.Event()

    async def wait_for(self, part: str) -> None:
        while not any(part in text for text in self.texts):
            await self._news.wait()


@asynccontextmanager
async def portal_pool(program: ProgramFolder, told: Notices, **more: object) -> AsyncGenerator[PersistentWorkerPool]:
    async with open_pool(
        watch=told,
        out=program.folder / "pool",
        profile="demo",
        profiles_dir=program.folder / "profiles",
        runs_dir=program.folder / "runs",
        browser_path=SHELL,
        **more,  # pyright: ignore[reportArgumentType] - settings by name
    ) as pool:
        yield pool


async def bring(pool: PersistentWorkerPool, number: str, attempt: int) -> Reason:
    """Bring one order home, under a name of its own."""
    report = await (await pool.submit_task(replace(task_for(number), task_id=TaskId(f"{number}-{attempt}"))))
    assert report is not None
    return report.reason


async def log_in_elsewhere(portal: PortalClient, program: ProgramFolder) -> None:
    """A person logs in, and the login is kept beside the profile."""
    session = secrets.token_urlsafe(16)
    await portal.admit({session: session})
    values = {"_demo_session": session, "demo_visit": session, "demo_user": "anna"}
    cookies = [
        {"name": name, "value": value, "domain": "127.0.0.1", "path": "/", "expires": -1}
        for name, value in values.items()
    ]
    backup = login_backup_path(program.folder / "profiles" / "demo" / "base")
    await anyio.Path(backup).write_text(json.dumps(cookies))


async def test_a_pool_without_a_login_waits_for_a_person_and_goes_on(tmp_path: Path) -> None:
    told, statuses = Notices(), list[PoolStatus]()
    async with running_portal() as portal, open_program(tmp_path, portal) as program:
        number = await some_good_number(portal)
        async with portal_pool(program, told, workers=1, waits_for_login=True) as pool:
            assert await bring(pool, number, 1) is Reason.ALL_SAVED
            await portal.expire_sessions()
            async with anyio.create_task_group() as beside:
                beside.start_soon(bring, pool, number, 2)
                await told.wait_for("until a person logs in")
                statuses.append(pool.status)
                await log_in_elsewhere(portal, program)
                pool.resume()
            assert await bring(pool, number, 3) is Reason.ALL_SAVED

    assert statuses == [PoolStatus.PAUSED]
    assert pool.end is None or pool.end.detail == ""


async def test_a_login_is_renewed_before_it_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login_state, "LIFETIME_MIN_S", 0.1)
    told = Notices()
    async with running_portal() as portal, open_program(tmp_path, portal) as program:
        number = await some_good_number(portal)
        async with portal_pool(program, told, workers=2, user=portal.user, password=portal.password) as pool:
            for attempt in (1, 2):  # the second login that is made has one before it to be measured by
                await portal.expire_sessions()
                assert await bring(pool, number, attempt) is Reason.ALL_SAVED
            await portal.reset_stats()
            await told.wait_for("The login is renewed before it expires.")
            assert await bring(pool, number, 3) is Reason.ALL_SAVED
            stats = await portal.stats()

    assert any(text.startswith("the login is expected to expire at about ") for text in told.texts)
    assert stats.logins >= 1
    assert stats.order_pages[number] == 1, "no order met a page that was logged out"
