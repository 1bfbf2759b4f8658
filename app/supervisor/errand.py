"""A worker process for one thing only, outside any pool: making a base profile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anyio
from loguru import logger

from app.bridge.parent import Child, SpawnOrder, spawn
from app.domain.events import Level
from app.domain.failures import LoginRequiredError, PoolError, SetupError
from app.domain.ids import WorkerRef
from app.domain.options import WorkerOptions
from app.profile.runs import RunFolder
from app.supervisor.talk import SILENCE_LIMIT_S, LostError, Talk
from app.wire import messages

#: The one process of an errand.
_REF = WorkerRef(1, 1)


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
    run = await anyio.to_thread.run_sync(RunFolder.create, runs_root)
    try:
        folder = run.worker_folder(_REF.slot)
        order = SpawnOrder(worker=_REF, temp_path=folder.temp_path, profile_path=base)
        seat = messages.Seat(profile_path=str(base), staging_path=str(folder.path))
        configure = messages.Configure(
            mode=messages.Mode.MAKE_BASE, options=options, seat=seat, one_time_code=one_time_code
        )
        child = await spawn(order)
        try:
            await _converse(child, configure, note)
        finally:
            await child.end()  # noqa: ASYNC102 - end() shields itself, with limits
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(run.close)


async def _converse(child: Child, configure: messages.Configure, note: Callable[[Level, str], None]) -> None:
    unable: list[PoolError] = []

    def take(message: messages.ToSupervisor) -> None:
        if isinstance(message, messages.Said):
            note(message.level, message.text)
        if isinstance(message, messages.Unable):
            is_login = message.kind is messages.UnableKind.LOGIN
            unable.append(LoginRequiredError(message.detail) if is_login else SetupError(message.detail))

    talk = Talk(child)
    async with anyio.create_task_group() as beside:
        beside.start_soon(child.read_lines, logger.info)
        try:
            await talk.open(configure, take)
            while not isinstance(message := await talk.hear(SILENCE_LIMIT_S), messages.Bye):
                take(message)
        except LostError as error:
            unable.append(SetupError(f"The browser could not be opened: {error}."))
        beside.cancel_scope.cancel()
    if unable:
        raise unable[0]
