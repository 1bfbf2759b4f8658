"""A worker process for a single job outside any pool: making a base profile, or working on one."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread
from loguru import logger

from poolwright.domain.errors import LoginRequiredError, PoolError, SetupError
from poolwright.domain.events import Level
from poolwright.domain.ids import WorkerRef
from poolwright.domain.options import WorkerOptions
from poolwright.domain.outcomes import LoginCheck
from poolwright.files.disk import create_private_file
from poolwright.ipc import messages
from poolwright.ipc.messages import WorkerMode
from poolwright.ipc.process import SpawnSpec, WorkerProcess, spawn
from poolwright.ipc.process_tree import kill_by_folder
from poolwright.profile.errors import profile_name_of
from poolwright.profile.run_folder import RunFolder, WorkerFolder, remove_dead_runs
from poolwright.supervisor.processes.connection import SILENCE_LIMIT_S, WorkerConnection, WorkerLostError

#: The one process of an errand.
_REF = WorkerRef(1, 1)
_STATE_NAME = "state.json"
#: A disk that hangs is not waited for at the end: the next run removes what is left.
CLEAR_LIMIT_S = 30.0


def _ignore() -> None:
    """Nobody waits for the browser."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OneShotJob:
    """Specification of a one-shot job."""

    mode: WorkerMode
    #: The user-data folder; made by the browser where it is missing.
    base: Path
    #: Browser, portal and login.
    options: WorkerOptions
    #: Where the temporary folder of the browser goes.
    runs_root: Path
    #: Takes what the worker says for people.
    note: Callable[[Level, str], None]
    #: Called once the browser is open and the person has its window.
    opened: Callable[[], None] = _ignore
    #: Set by whoever wants a login by hand to come to its end; a window that is closed ends it too.
    enough: anyio.Event = field(default_factory=anyio.Event)
    #: Where the cookies of a proved login are kept.
    cookies_path: Path | None = None
    #: Cookies of another session, to be taken over.
    kept_login_path: Path | None = None
    #: A storage state to be taken over, as Playwright writes it.
    state: bytes = b""
    #: For a portal that wants one beside the password.
    one_time_code: str = ""


async def make_base(
    base: Path,
    options: WorkerOptions,
    runs_root: Path,
    note: Callable[[Level, str], None],
    *,
    one_time_code: str = "",
) -> None:
    """Open a browser on a base profile, log in by form where user and password are given, close it in order.

    Args:
        base: The user-data folder; made by the browser where it is missing.
        options: Browser, portal and login.
        runs_root: Where the temporary folder of the browser goes.
        note: Takes what the worker says for people.
        one_time_code: For a portal that wants one beside the password.

    Raises:
        LoginRequiredError: The login failed; the base is there, logged out.
        SetupError: The browser does not start, or the portal does not answer.
    """
    errand = OneShotJob(
        mode=WorkerMode.MAKE_BASE,
        base=base,
        options=options,
        runs_root=runs_root,
        note=note,
        one_time_code=one_time_code,
    )
    await run_one_shot(errand)


async def run_one_shot(errand: OneShotJob) -> LoginCheck | None:
    """Send a worker process, and wait until it has closed its browser in order.

    Returns:
        What it found out about the login, where it was asked to.

    Raises:
        LoginRequiredError: The login failed.
        SetupError: The browser does not start, or the portal does not answer.
    """
    # One that was killed may have left a login behind.
    sweep = partial(remove_dead_runs, errand.runs_root, end_strays=kill_by_folder)
    await anyio.to_thread.run_sync(sweep, abandon_on_cancel=True)  # nobody who wants to stop waits for a disk
    run = await anyio.to_thread.run_sync(RunFolder.create, errand.runs_root, abandon_on_cancel=True)
    try:
        folder = run.worker_folder(_REF.slot)
        # Absolute, as a browser names it on its command line: that marks its processes.
        order = SpawnSpec(worker=_REF, temp_path=folder.temp_path, profile_path=errand.base.absolute())
        configure = await anyio.to_thread.run_sync(_configure, errand, folder, abandon_on_cancel=True)
        child = await spawn(order)
        try:
            return await _converse(child, configure, errand)
        finally:
            await child.end()  # noqa: ASYNC102 - end() shields itself, with limits
    finally:
        with anyio.move_on_after(CLEAR_LIMIT_S, shield=True):
            await anyio.to_thread.run_sync(run.close, abandon_on_cancel=True)


def _configure(errand: OneShotJob, folder: WorkerFolder) -> messages.Configure:
    state_path = folder.path / _STATE_NAME
    if errand.state:
        with create_private_file(state_path) as file:
            file.write(errand.state)
    seat = messages.WorkerPaths(
        profile_path=str(errand.base.absolute()),
        profile_name=profile_name_of(errand.base),
        cookies_path=str(errand.cookies_path.absolute()) if errand.cookies_path else "",
        kept_login_path=str(errand.kept_login_path.absolute()) if errand.kept_login_path else "",
        staging_path=str(folder.path),
        state_path=str(state_path) if errand.state else "",
    )
    return messages.Configure(mode=errand.mode, options=errand.options, seat=seat, one_time_code=errand.one_time_code)


async def _converse(child: WorkerProcess, configure: messages.Configure, errand: OneShotJob) -> LoginCheck | None:
    unable: list[PoolError] = []
    proofs: list[LoginCheck] = []

    def take(message: messages.ToSupervisor) -> None:
        match message:
            case messages.LogNotice():
                errand.note(message.level, message.text)
            case messages.LoginVerified():
                proofs.append(message.proof)
            case messages.StartupFailed():
                is_login = message.kind is messages.StartupFailure.LOGIN
                unable.append(LoginRequiredError(message.detail) if is_login else SetupError(message.detail))
            case _:
                pass  # moves and signs of life are for a pool

    # A person takes as long as a person takes.
    silence_limit_s = math.inf if errand.mode is WorkerMode.LOG_IN else SILENCE_LIMIT_S
    talk = WorkerConnection(child)
    async with anyio.create_task_group() as beside:
        beside.start_soon(child.read_lines, logger.info)
        try:
            await talk.open(configure, take)
            errand.opened()
            beside.start_soon(_drain_when_enough, errand.enough, talk)
            while not isinstance(message := await talk.receive(silence_limit_s), messages.Exiting):
                take(message)
        except WorkerLostError as error:
            unable.append(SetupError(f"The browser could not be opened: {error}."))
        beside.cancel_scope.cancel()
    if unable:
        raise unable[0]
    return proofs[-1] if proofs else None


async def _drain_when_enough(enough: anyio.Event, talk: WorkerConnection) -> None:
    await enough.wait()
    with contextlib.suppress(WorkerLostError):  # the conversation itself finds that out
        await talk.send(messages.Drain())
