"""Real worker processes on one profile, one after the other, without a pool: for tests of what a restart keeps."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import anyio
import psutil

from poolwright.concurrency import SystemClock
from poolwright.domain.errors import unwrap_group
from poolwright.domain.ids import ProfileId, TaskId, WorkerRef
from poolwright.domain.options import BrowserOptions, Sandbox, WorkerOptions
from poolwright.domain.tasks import POTask
from poolwright.ipc import messages
from poolwright.ipc.process import spawn
from poolwright.profile.errors import ProfileDamagedError
from poolwright.profile.profile import Profile
from poolwright.profile.run_folder import RunFolder
from poolwright.supervisor.deadline import Deadline
from poolwright.supervisor.processes.connection import WorkerConnection, WorkerLostError
from poolwright.supervisor.workspace import WorkerSpec, leased_profile
from tests.support.paths import ROOT
from tests.support.sessions import CHROMIUM


def browser_options(executable: str = CHROMIUM, *, headless: bool = True) -> BrowserOptions:
    """A browser of this machine."""
    sandbox = Sandbox.OFF if os.geteuid() == 0 else Sandbox.ON
    return BrowserOptions(executable_path=executable, headless_mode=headless, sandbox=sandbox)


@dataclass(kw_only=True)
class RunningGeneration:
    """One generation at work."""

    talk: WorkerConnection
    profile_path: Path
    staging: Path
    said: list[str]
    _count: int = field(default=0)

    async def run(self, url: str, script: str = "1") -> tuple[Any, dict[str, str]]:
        """Evaluate a script on a page in a tab of its own; gives its result and all cookies after it."""
        self._count += 1
        payload = {"url": url, "script": script}
        task = POTask(task_id=TaskId(f"t:{self._count}"), po_number="t", portal_number="t", payload=payload)
        await self.talk.send(messages.Assign(task=task, staging=f"t-{self._count}"))
        while not isinstance(message := await self.talk.receive(30), messages.Finished):
            self.note(message)
        assert message.report.fields, message.report
        return json.loads(message.report.fields["result"]), json.loads(message.report.fields["cookies"])

    async def drain(self) -> None:
        """Let it close its browser in order."""
        await self.talk.send(messages.Drain())
        while not isinstance(message := await self.talk.receive(30), messages.Exiting):
            self.note(message)

    async def lose_browser(self) -> None:
        """Kill its browser as the kernel does when memory runs out; returns when its process has ended by that."""
        mark = f"--user-data-dir={self.profile_path}"
        for process in psutil.process_iter():
            command = _command(process)
            if mark in command and not any(part.startswith("--type=") for part in command):
                process.kill()
        try:
            while True:
                self.note(await self.talk.receive(30))
        except WorkerLostError:
            return

    def note(self, message: messages.ToSupervisor) -> None:
        """Take what it says unasked."""
        if isinstance(message, messages.LogNotice):
            self.said.append(message.text)
        if isinstance(message, messages.StartupFailed):
            if message.kind is messages.StartupFailure.PROFILE:
                raise ProfileDamagedError(message.detail)
            raise WorkerLostError(message.detail)


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@dataclass(kw_only=True)
class Slot:
    """The place of a worker, with its clone; ``live`` starts one generation."""

    order: WorkerSpec
    said: list[str] = field(default_factory=list[str])
    _generation: int = field(default=0)

    @property
    def profile(self) -> Profile:
        """Its clone."""
        return self.order.profile

    @property
    def cookies_path(self) -> Path:
        """Where the session's cookies are kept."""
        return Path(self.order.worker_paths.cookies_path)

    @asynccontextmanager
    async def live(self, browser: BrowserOptions | None = None) -> AsyncGenerator[RunningGeneration]:
        """Start the next generation and wait until it is ready; end it with the block.

        Args:
            browser: Another browser than that of the slot.

        Raises:
            ProfileDamagedError: It is found damaged, before the launch or by the browser.
        """
        self._generation += 1
        options = self.order.options if browser is None else replace(self.order.options, browser=browser)
        async with leased_profile(self.order, Deadline()):
            child = await spawn(self.order.spawn_spec(WorkerRef(1, self._generation)))
            life = RunningGeneration(
                talk=WorkerConnection(child),
                profile_path=self.profile.worker_profile_path,
                staging=self.order.staging_path,
                said=self.said,
            )
            try:
                async with anyio.create_task_group() as beside:
                    beside.start_soon(child.read_lines, self.said.append)
                    await life.talk.open(messages.Configure(options=options, paths=self.order.worker_paths), life.note)
                    yield life
                    beside.cancel_scope.cancel()
            except ExceptionGroup as group:
                raise unwrap_group(group) from group
            finally:
                await child.end()


@asynccontextmanager
async def slot_on(base: Path, root: Path, browser: BrowserOptions | None = None) -> AsyncGenerator[Slot]:
    """A slot with a fresh clone of a base. Its folder is removed at the end, but for a damaged clone."""
    run = RunFolder.create(root / "runs")
    folder = run.worker_folder(1)
    profile = Profile(
        profile_id=ProfileId("anna/worker-1"),
        base_profile_path=base,
        worker_profile_path=folder.profile_path,
        clock=SystemClock().now,
        observe=lambda _: None,
    )
    profile.clone()
    options = WorkerOptions(
        browser=browser or browser_options(), processor="tests.support.storing:run", import_path=(str(ROOT),)
    )
    order = WorkerSpec(
        slot=1,
        options=options,
        profile=profile,
        profile_name="anna",
        folder=folder,
        staging_path=root / "staging",
        good_pages_path=root / "good-pages",
        module="poolwright.worker",
    )
    try:
        yield Slot(order=order)
    finally:
        run.close()
        shutil.rmtree(root / "staging", ignore_errors=True)
