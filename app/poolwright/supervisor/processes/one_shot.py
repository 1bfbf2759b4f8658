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
from anyio.abc import TaskGroup
from loguru import logger

from poolwright.domain.errors import LoginRequiredError, PoolError, SetupError
from poolwright.domain.events import Notice
from poolwright.domain.ids import WorkerRef
from poolwright.domain.options import WorkerOptions
from poolwright.domain.outcomes import LoginCheck
from poolwright.domain.ports import EventSink
from poolwright.files.disk import create_private_file
from poolwright.ipc import messages
from poolwright.ipc.messages import WorkerMode
from poolwright.ipc.process import SpawnSpec, WorkerProcess, spawn
from poolwright.ipc.process_tree import kill_by_folder
from poolwright.profile.errors import profile_name_of
from poolwright.profile.run_folder import RunFolder, WorkerFolder, remove_dead_runs
from poolwright.supervisor.processes.connection import SILENCE_LIMIT_S, WorkerConnection, WorkerLostError

#: The only process of a job.
_REF = WorkerRef(1, 1)
_STATE_NAME = "state.json"
#: A disk that hangs is not waited for at the end: the next run removes what is left.
CLEAR_LIMIT_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginWindow:
    """The window in which a person logs in."""

    #: Called once it is there.
    opened: Callable[[], None]
    #: Set by whoever wants the login to come to its end; a window that is closed ends it too.
    enough: anyio.Event


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginSource:
    """What a browser gets its login from, beside user and password."""

    #: Cookies of another session, to be taken over.
    kept_login_path: Path | None = None
    #: A storage state to be taken over, as Playwright writes it.
    state: bytes = b""
    #: For a portal that wants one beside the password.
    one_time_code: str = ""


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
    #: Sees what the worker reports to people.
    observe: EventSink
    login: LoginSource = field(default_factory=LoginSource)
    #: Where the cookies of a proved login are kept.
    cookies_path: Path | None = None
    #: ``None`` where no person logs in.
    window: LoginWindow | None = None


async def make_base(
    base: Path,
    options: WorkerOptions,
    runs_root: Path,
    observe: EventSink,
    *,
    one_time_code: str = "",
) -> None:
    """Open a browser on a base profile, log in by form where user and password are given, close it in order.

    Args:
        base: The user-data folder; made by the browser where it is missing.
        options: Browser, portal and login.
        runs_root: Where the temporary folder of the browser goes.
        observe: Sees what the worker reports to people.
        one_time_code: For a portal that wants one beside the password.

    Raises:
        LoginRequiredError: The login failed; the base is there, logged out.
        SetupError: The browser does not start, or the portal does not answer.
    """
    job = OneShotJob(
        mode=WorkerMode.MAKE_BASE,
        base=base,
        options=options,
        runs_root=runs_root,
        observe=observe,
        login=LoginSource(one_time_code=one_time_code),
    )
    await run_one_shot(job)


async def run_one_shot(job: OneShotJob) -> LoginCheck | None:
    """Send a worker process, and wait until it has closed its browser in order.

    Returns:
        What it found out about the login, where it was asked to.

    Raises:
        LoginRequiredError: The login failed.
        SetupError: The browser does not start, or the portal does not answer.
    """
    # One that was killed may have left a login behind.
    sweep = partial(remove_dead_runs, job.runs_root, end_strays=kill_by_folder)
    await anyio.to_thread.run_sync(sweep, abandon_on_cancel=True)  # nobody who wants to stop waits for a disk
    run = await anyio.to_thread.run_sync(RunFolder.create, job.runs_root, abandon_on_cancel=True)
    try:
        folder = run.worker_folder(_REF.slot)
        # Absolute, as a browser names it on its command line: that marks its processes.
        order = SpawnSpec(worker=_REF, temp_path=folder.temp_path, profile_path=job.base.absolute())
        configure = await anyio.to_thread.run_sync(_configure, job, folder, abandon_on_cancel=True)
        child = await spawn(order)
        try:
            return await _converse(child, configure, job)
        finally:
            await child.end()  # noqa: ASYNC102 - end() shields itself, with limits
    finally:
        with anyio.move_on_after(CLEAR_LIMIT_S, shield=True):
            await anyio.to_thread.run_sync(run.close, abandon_on_cancel=True)


def _configure(job: OneShotJob, folder: WorkerFolder) -> messages.Configure:
    login, state_path = job.login, folder.path / _STATE_NAME
    if login.state:
        with create_private_file(state_path) as file:
            file.write(login.state)
    paths = messages.WorkerPaths(
        profile_path=str(job.base.absolute()),
        profile_name=profile_name_of(job.base),
        cookies_path=str(job.cookies_path.absolute()) if job.cookies_path else "",
        kept_login_path=str(login.kept_login_path.absolute()) if login.kept_login_path else "",
        staging_path=str(folder.path),
        state_path=str(state_path) if login.state else "",
    )
    return messages.Configure(mode=job.mode, options=job.options, seat=paths, one_time_code=login.one_time_code)


async def _converse(child: WorkerProcess, configure: messages.Configure, job: OneShotJob) -> LoginCheck | None:
    unable: list[PoolError] = []
    proofs: list[LoginCheck] = []

    def on_message(message: messages.ToSupervisor) -> None:
        match message:
            case messages.LogNotice():
                job.observe(Notice(level=message.level, text=message.text))
            case messages.LoginVerified():
                proofs.append(message.proof)
            case messages.StartupFailed():
                is_login = message.kind is messages.StartupFailure.LOGIN
                unable.append(LoginRequiredError(message.detail) if is_login else SetupError(message.detail))
            case _:
                pass  # transitions and heartbeats are for a pool

    # A person takes as long as a person takes.
    silence_limit_s = math.inf if job.mode is WorkerMode.LOG_IN else SILENCE_LIMIT_S
    talk = WorkerConnection(child)
    async with anyio.create_task_group() as beside:
        beside.start_soon(child.read_lines, logger.info)
        try:
            await talk.open(configure, on_message)
            _announce_window(job.window, beside, talk)
            while not isinstance(message := await talk.receive(silence_limit_s), messages.Exiting):
                on_message(message)
        except WorkerLostError as error:
            unable.append(SetupError(f"The browser could not be opened: {error}."))
        beside.cancel_scope.cancel()
    if unable:
        raise unable[0]
    return proofs[-1] if proofs else None


def _announce_window(window: LoginWindow | None, beside: TaskGroup, talk: WorkerConnection) -> None:
    if window is not None:
        window.opened()
        beside.start_soon(_drain_when_enough, window.enough, talk)


async def _drain_when_enough(enough: anyio.Event, talk: WorkerConnection) -> None:
    await enough.wait()
    with contextlib.suppress(WorkerLostError):  # the conversation itself finds that out
        await talk.send(messages.Drain())
