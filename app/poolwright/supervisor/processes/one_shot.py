"""Runs a worker process for a single job outside a pool: to create a base, or to log in or check a login with one."""

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
#: Limit for removing files at the end, if the disk hangs: the next run removes the rest.
CLEAR_LIMIT_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginWindow:
    """The window in which a person logs in, or looks at a page."""

    #: Called once the window is open.
    opened: Callable[[], None]
    #: Set by the caller to end the login; closing the window ends it too.
    enough: anyio.Event


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalLesson:
    """The portal that a person shows."""

    #: The address that the window opens.
    url: str
    #: The folder for the pages that the person shows.
    pages_path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginSource:
    """Sources of a browser's login, besides user and password."""

    #: Cookies of another session, to be imported.
    kept_login_path: Path | None = None
    #: A storage state to be imported, as Playwright writes it.
    state: bytes = b""
    #: A code for portals that require one besides the password; empty if there is none.
    one_time_code: str = ""


def _ignore(_: messages.Examined) -> None:
    """Ignore a page that was examined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OneShotJob:
    """Specification of a one-shot job."""

    mode: WorkerMode
    #: The user-data folder; the browser creates it if it is missing.
    base: Path
    #: Browser, portal and login.
    options: WorkerOptions
    #: Folder for the temporary folder of the browser.
    runs_root: Path
    #: Receives the messages of the worker for people.
    observe: EventSink
    login: LoginSource = field(default_factory=LoginSource)
    #: File for the cookies of a verified login; ``None`` if they are not saved.
    cookies_path: Path | None = None
    #: ``None`` if no person uses the browser.
    window: LoginWindow | None = None
    #: ``None`` if no portal is shown.
    lesson: PortalLesson | None = None
    #: The pages to examine; ``None`` for other jobs.
    examination: messages.ExaminationPlan | None = None
    #: Called for each page that was examined.
    on_examined: Callable[[messages.Examined], None] = _ignore


async def make_base(
    base: Path,
    options: WorkerOptions,
    runs_root: Path,
    observe: EventSink,
    *,
    one_time_code: str = "",
    cookies_path: Path | None = None,
) -> None:
    """Open a browser on a base profile, log in by form if user and password are given, and close it in order.

    Args:
        base: The user-data folder; the browser creates it if it is missing.
        options: Browser, portal and login.
        runs_root: Folder for the temporary folder of the browser.
        observe: Receives the messages of the worker for people.
        one_time_code: For a portal that asks for one besides the password.
        cookies_path: File for the cookies of the login; ``None`` if they are not saved.

    Raises:
        LoginRequiredError: The login failed; the base was created, logged out.
        SetupError: The browser does not start, or the portal does not answer.
    """
    job = OneShotJob(
        mode=WorkerMode.MAKE_BASE,
        base=base,
        options=options,
        runs_root=runs_root,
        observe=observe,
        login=LoginSource(one_time_code=one_time_code),
        cookies_path=cookies_path,
    )
    await run_one_shot(job)


async def run_one_shot(job: OneShotJob) -> LoginCheck | None:
    """Run a worker process until it has closed its browser in order.

    Returns:
        The result of the login check; ``None`` if the job has none.

    Raises:
        LoginRequiredError: The login failed.
        SetupError: The browser does not start, or the portal does not answer.
    """
    # A job that was killed may have left a folder with a login.
    clean_up = partial(remove_dead_runs, job.runs_root, end_strays=kill_by_folder)
    await anyio.to_thread.run_sync(clean_up, abandon_on_cancel=True)  # a disk that hangs must not delay an interrupt
    run = await anyio.to_thread.run_sync(RunFolder.create, job.runs_root, abandon_on_cancel=True)
    try:
        folder = run.worker_folder(_REF.slot)
        # Absolute, because the browser's command line names the folder, by which its processes are found.
        spec = SpawnSpec(worker=_REF, temp_path=folder.temp_path, profile_path=job.base.absolute())
        configure = await anyio.to_thread.run_sync(_configure, job, folder, abandon_on_cancel=True)
        child = await spawn(spec)
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
        pages_path=str(job.lesson.pages_path.absolute()) if job.lesson else "",
    )
    return messages.Configure(
        mode=job.mode,
        options=job.options,
        paths=paths,
        one_time_code=login.one_time_code,
        examination=job.examination,
        teach_url=job.lesson.url if job.lesson else "",
    )


@dataclass(slots=True)
class _Heard:
    """What the worker of a job told."""

    job: OneShotJob
    errors: list[PoolError] = field(default_factory=list[PoolError])
    checks: list[LoginCheck] = field(default_factory=list[LoginCheck])

    def on_message(self, message: messages.ToSupervisor) -> None:
        match message:
            case messages.LogNotice():
                self.job.observe(Notice(level=message.level, text=message.text))
            case messages.LoginChecked():
                self.checks.append(message.result)
            case messages.Examined():
                self.job.on_examined(message)
            case messages.StartupFailed():
                is_login = message.kind is messages.StartupFailure.LOGIN
                self.errors.append(LoginRequiredError(message.detail) if is_login else SetupError(message.detail))
            case _:
                pass  # transitions and heartbeats matter only in a pool


async def _converse(child: WorkerProcess, configure: messages.Configure, job: OneShotJob) -> LoginCheck | None:
    heard = _Heard(job)
    # A person may take any time to log in, to look at a page, or to show a portal.
    silence_limit_s = math.inf if job.window is not None else SILENCE_LIMIT_S
    connection = WorkerConnection(child)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(child.read_lines, logger.info)
        try:
            await connection.open(configure, heard.on_message)
            _announce_window(job.window, tasks, connection)
            while not isinstance(message := await connection.receive(silence_limit_s), messages.Exiting):
                heard.on_message(message)
        except WorkerLostError as error:
            heard.errors.append(SetupError(f"The browser could not be opened: {error}."))
        tasks.cancel_scope.cancel()
    if heard.errors:
        raise heard.errors[0]
    return heard.checks[-1] if heard.checks else None


def _announce_window(window: LoginWindow | None, tasks: TaskGroup, connection: WorkerConnection) -> None:
    if window is not None:
        window.opened()
        tasks.start_soon(_drain_when_enough, window.enough, connection)


async def _drain_when_enough(enough: anyio.Event, connection: WorkerConnection) -> None:
    await enough.wait()
    with contextlib.suppress(WorkerLostError):  # ``_converse`` reports it
        await connection.send(messages.Drain())
