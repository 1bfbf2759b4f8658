"""A worker's session on a real browser, without a supervisor: for tests of what is done inside a worker."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.demo.client import Portal
from app.domain.events import Level
from app.domain.ids import TaskId, WorkerId
from app.domain.machine import Transition
from app.domain.options import BrowserOptions, PortalOptions, Sandbox, Secret
from app.domain.task import POTask
from app.portal import pack as packs
from app.portal.pack import Pack
from app.service.clock import SystemClock
from app.worker.attempt import Bench
from app.worker.desk import open_desk
from app.worker.ladder import Keys
from app.worker.login import Door
from app.worker.processors.registry import find
from app.worker.session import BrowserSession, SessionOrder, open_session

CHROMIUM = shutil.which("chromium") or ""


def browser_options(*, headless: bool = True) -> BrowserOptions:
    """The browser of this machine."""
    sandbox = Sandbox.OFF if os.geteuid() == 0 else Sandbox.ON
    return BrowserOptions(executable_path=CHROMIUM, headless_mode=headless, sandbox=sandbox)


def demo_pack(*, page_s: float = 10.0, stall_s: float = 5.0) -> Pack:
    """The demo pack with less patience."""
    pack = packs.load("demo")
    limits = pack.limits.model_copy(update={"page_s": page_s, "stall_s": stall_s})
    return pack.model_copy(update={"limits": limits})


def portal_options(portal: Portal, pack: Pack, *, password: str | None = None) -> PortalOptions:
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
class Heard:
    """What a session told."""

    moves: list[Transition] = field(default_factory=list[Transition])
    said: list[str] = field(default_factory=list[str])

    def path(self, machine: str, entity: str | None = None) -> list[str]:
        """The states that a machine went through, the first one included."""
        moves = [move for move in self.moves if move.machine == machine and entity in {None, move.entity}]
        return [moves[0].origin, *(move.target for move in moves)] if moves else []


@dataclass(kw_only=True)
class Stage:
    """A session that is open, with everything around it."""

    bench: Bench
    session: BrowserSession
    heard: Heard
    staging: Path


@asynccontextmanager
async def open_stage(
    portal: Portal | None,
    folder: Path,
    *,
    headless: bool = True,
    is_authenticated: bool = True,
    **changes: Any,  # noqa: ANN401 - options by name
) -> AsyncGenerator[Stage]:
    """Open a browser on a fresh profile and log it in; without a portal there is nothing to log in to."""
    pack = changes.get("pack") or demo_pack()
    password: str | None = changes.get("password")
    heard = Heard()

    def say(_: Level, text: str) -> None:
        heard.said.append(text)

    order = SessionOrder(
        worker_id=WorkerId("worker-1"),
        browser=browser_options(headless=headless),
        profile_path=folder / "profile",
        downloads_path=folder / "staging" / "browser",
        clock=SystemClock().now,
        observe=heard.moves.append,
        say=say,
        cookies_path=folder / "cookies.json",
    )
    door = None if portal is None else Door(pack=pack, portal=portal_options(portal, pack, password=password))
    async with open_session(order, door) as session:
        if is_authenticated:
            await session.membership.open(Keys())
        async with open_desk(door, session.driver, await session.user_agent()) as desk:
            bench = Bench(
                session=session,
                desk=desk,
                processor=changes.get("processor") or find("po_attachments"),
                task_timeout_s=changes.get("task_timeout_s", 60.0),
            )
            yield Stage(bench=bench, session=session, heard=heard, staging=folder / "staging")
