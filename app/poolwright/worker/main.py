"""The main function of a worker process: reads and writes frames, and returns the exit code."""

from __future__ import annotations

import math
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from typing import TypeAlias

import anyio
from anyio.abc import TaskStatus
from anyio.streams.memory import MemoryObjectReceiveStream
from loguru import logger
from pydantic import BaseModel

from poolwright.concurrency import SuspendedTime, periodic
from poolwright.domain.ids import WorkerRef
from poolwright.domain.options import BrowserOptions, PortalOptions
from poolwright.ipc.channel import Channel
from poolwright.ipc.child import Outbox
from poolwright.ipc.messages import (
    Configure,
    Exiting,
    Hello,
    LoginRefreshed,
    Ready,
    StartupFailed,
    StartupFailure,
    ToWorker,
    WorkerMode,
)
from poolwright.portal import pack as packs
from poolwright.portal.login_schema import SecretName
from poolwright.worker.attempt import AttemptContext
from poolwright.worker.browser.driver_start import DriverStart
from poolwright.worker.errors import (
    CannotLogInError,
    CannotProcessError,
    CannotStartError,
    CookiesLostError,
    PortalDownError,
    SessionBrokenError,
    first_line,
)
from poolwright.worker.login.login_flow import Credentials
from poolwright.worker.login.portal_probe import PortalProbe
from poolwright.worker.loop import WorkerLoop
from poolwright.worker.page.good_page import GoodPage
from poolwright.worker.processors.registry import load_processor
from poolwright.worker.profile_setup import set_up_profile, show_new_portal
from poolwright.worker.session import BrowserSession, SessionSpec, open_session
from poolwright.worker.tab import PortalContext, open_portal_context

#: How often a worker looks whether it was suspended.
_PULSE_S = 1.0
#: Does the job of a worker process until it is done.
_Job: TypeAlias = Callable[[Channel[ToWorker], Configure, Outbox, Callable[[], datetime], DriverStart], Awaitable[None]]


async def run_worker(
    channel: Channel[ToWorker], worker: WorkerRef, pid: int, clock: Callable[[], datetime], driver_start: DriverStart
) -> None:
    """Serve one supervisor until it sends ``Drain`` or closes the channel.

    Raises:
        SessionBrokenError: Browser or driver died; the process must end.
        EndOfStream: The supervisor is gone.
        WireError: The supervisor sent bytes that are not a frame.
    """
    stream, outgoing = anyio.create_memory_object_stream[BaseModel](math.inf)
    outbox, pauses = Outbox(worker=worker, outbox=stream), SuspendedTime(_PULSE_S)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_send_all, outgoing, channel)
        watch = await tasks.start(_watch_pauses, pauses)
        with stream:
            outbox.send(Hello, pid=pid)
            configure = await channel.receive()
            if isinstance(configure, Configure):
                await _run_mode(channel, configure, outbox, clock, driver_start, pauses)
            watch.cancel()


async def _watch_pauses(
    pauses: SuspendedTime, *, task_status: TaskStatus[anyio.CancelScope] = anyio.TASK_STATUS_IGNORED
) -> None:
    """Measure for how long this process is suspended, until the scope that is returned first is cancelled."""
    with anyio.CancelScope() as scope:
        task_status.started(scope)
        async for _ in periodic(_PULSE_S):
            pauses.mark_running()


async def _send_all(outgoing: MemoryObjectReceiveStream[BaseModel], channel: Channel[ToWorker]) -> None:
    """Send every message of the outbox; return when the outbox is closed and empty."""
    with outgoing:
        async for message in outgoing:
            await channel.send(message)


async def _run_mode(
    channel: Channel[ToWorker],
    configure: Configure,
    outbox: Outbox,
    clock: Callable[[], datetime],
    driver_start: DriverStart,
    pauses: SuspendedTime,
) -> None:
    """Open the browser, serve, close it; report the error if the start fails."""
    try:
        await _job_of(configure.mode)(channel, configure, outbox, clock, driver_start)
    except CannotStartError as error:
        outbox.send(StartupFailed, kind=StartupFailure.BROWSER, **_cause(error, pauses))
    except CookiesLostError as error:
        outbox.send(StartupFailed, kind=StartupFailure.PROFILE, detail=str(error))
    except CannotLogInError as error:
        outbox.send(StartupFailed, kind=StartupFailure.LOGIN, detail=str(error))
    except PortalDownError as error:
        outbox.send(StartupFailed, kind=StartupFailure.PORTAL, **_cause(error, pauses))
    except CannotProcessError as error:
        outbox.send(StartupFailed, kind=StartupFailure.PROCESSOR, detail=str(error))
    else:
        outbox.send(Exiting)


def _cause(error: Exception, pauses: SuspendedTime) -> dict[str, str | float]:
    """Return the details of a failure that a suspension of the machine can cause."""
    paused_s = pauses.total_s
    slept = f" The machine was suspended for {paused_s:.0f} s meanwhile." if paused_s else ""
    return {"detail": f"{error}{slept}", "paused_s": paused_s}


def _job_of(mode: WorkerMode) -> _Job:
    match mode:
        case WorkerMode.WORK | WorkerMode.MAKE_BASE:
            return _run_session
        case WorkerMode.EXAMINE:
            from poolwright.worker.examination.examiner import examine_pages  # noqa: PLC0415 - no run needs it

            return examine_pages
        case WorkerMode.REPLAY:
            from poolwright.worker.examination.saved_portal import replay_pages  # noqa: PLC0415 - no run needs it

            return replay_pages
        case WorkerMode.TEACH:
            return show_new_portal
        case _:
            return set_up_profile


async def _run_session(
    channel: Channel[ToWorker],
    configure: Configure,
    outbox: Outbox,
    clock: Callable[[], datetime],
    driver_start: DriverStart,
) -> None:
    options, staging = configure.options, Path(configure.paths.staging_path)
    processor = load_processor(options.processor, options.import_path)
    probe, spec = _portal_probe(options.portal), _session_spec(configure, outbox, clock)
    async with open_session(spec, probe, driver_start) as session:
        if configure.mode is WorkerMode.MAKE_BASE:
            await _make_base(session, configure, outbox)
            return

        def on_login_refreshed() -> None:
            outbox.send(LoginRefreshed)

        user_agent, languages = await session.user_agent(), await session.languages()
        async with open_portal_context(
            probe,
            session.driver,
            user_agent,
            on_login_refreshed,
            session.login.check_login,
            options,
            languages=languages,
        ) as portal_context:
            context = AttemptContext(
                session=session,
                portal_context=_with_good_page(portal_context, configure.paths.good_pages_path),
                processor=processor,
                task_timeout_s=options.task_timeout_s,
            )
            loop = WorkerLoop(
                context,
                outbox,
                staging,
                paths=configure.paths,
                is_headed=not options.browser.headless_mode,
            )
            await loop.run(channel)


def _session_spec(configure: Configure, outbox: Outbox, clock: Callable[[], datetime]) -> SessionSpec:
    return SessionSpec(
        worker_id=outbox.worker.worker_id,
        browser=configure.options.browser,
        profile_path=Path(configure.paths.profile_path),
        downloads_path=Path(configure.paths.staging_path) / "browser",
        clock=clock,
        observe=outbox.report_transition,
        notify=outbox.report_status,
        cookies_path=_optional_path(configure.paths.cookies_path),
        expected_cookies=configure.paths.expected_cookies,
        kept_login_path=_optional_path(configure.paths.kept_login_path),
    )


def _with_good_page(portal_context: PortalContext | None, root: str) -> PortalContext | None:
    if portal_context is None or not root:
        return portal_context
    good_page = GoodPage(Path(root), portal_context.pack, portal_context.portal.base_url)
    return replace(portal_context, good_page=good_page)


async def _make_base(session: BrowserSession, configure: Configure, outbox: Outbox) -> None:
    """Make a complete profile, logged in if the options hold a login."""
    portal = configure.options.portal
    if portal is None or not (portal.user or _can_log_in_without_form(portal, configure.options.browser)):
        await session.login.open_portal()
    else:
        credentials = Credentials(one_time_code=configure.one_time_code, profile_name=configure.paths.profile_name)
        await session.login.ensure_logged_in(credentials)
    outbox.send(Ready, session=session.view())


def _can_log_in_without_form(portal: PortalOptions, browser: BrowserOptions) -> bool:
    """Return whether HTTP authentication, a header or the start of single sign-on may log in."""
    given = {SecretName.TOKEN} if browser.header is not None else set[SecretName]()
    given |= {SecretName.USER, SecretName.PASSWORD} if browser.http_user else set()
    login = packs.parse_json(portal.pack_json).login
    return not login.actions and login.is_possible(given)


def _portal_probe(portal: PortalOptions | None) -> PortalProbe | None:
    return PortalProbe(pack=packs.parse_json(portal.pack_json), portal=portal) if portal else None


def _optional_path(text: str) -> Path | None:
    return Path(text) if text else None


class WorkerExitCode(IntEnum):
    """Exit codes, for the log alone: the supervisor decides by the messages on the channel."""

    IN_ORDER = 0
    BROWSER_GONE = 3
    SUPERVISOR_GONE = 4
    DEFECT = 70


async def main(channel: Channel[ToWorker], worker: WorkerRef, pid: int, driver_start: DriverStart) -> int:
    """Run the worker and return the exit code of the process."""
    logger.remove()
    logger.add(sys.stderr, format="{level} {message}", level="INFO", diagnose=False)
    code = WorkerExitCode.IN_ORDER
    try:
        async with channel:
            await run_worker(channel, worker, pid, lambda: datetime.now(UTC), driver_start)  # noqa: TID251 - the clock
    except* (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
        logger.warning("worker {} ends: the supervisor is gone", worker)
        code = WorkerExitCode.SUPERVISOR_GONE
    except* SessionBrokenError as group:
        logger.warning("worker {} ends: {}", worker, first_line(group.exceptions[0]))
        code = WorkerExitCode.BROWSER_GONE
    except* Exception:  # the border of the process  # noqa: BLE001
        logger.exception("worker {} ends because of an unexpected error", worker)
        code = WorkerExitCode.DEFECT
    return code
