"""Frames in, frames out: what a worker process is told to be, and what keeps it from being that."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream
from pydantic import BaseModel

from poolwright.domain.ids import WorkerRef
from poolwright.domain.options import PortalOptions
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
from poolwright.worker.attempt import Bench
from poolwright.worker.desk import open_desk
from poolwright.worker.duty import Duty
from poolwright.worker.errors import (
    CannotLogInError,
    CannotProcessError,
    CannotStartError,
    CookiesLostError,
    PortalDownError,
)
from poolwright.worker.ladder import Keys
from poolwright.worker.login import Door
from poolwright.worker.onboarding import onboard
from poolwright.worker.processors.registry import find
from poolwright.worker.session import BrowserSession, SessionOrder, open_session


async def run(link: Channel[ToWorker], worker: WorkerRef, pid: int, clock: Callable[[], datetime]) -> None:
    """Serve one supervisor until it says drain or closes the link.

    Raises:
        SessionBrokenError: Browser or driver died; the process must end.
        EndOfStream: The supervisor is gone.
        WireError: The supervisor sent what is no frame.
    """
    outbox, outgoing = anyio.create_memory_object_stream[BaseModel](math.inf)
    mouth = Outbox(worker=worker, outbox=outbox)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_send_all, outgoing, link)
        with outbox:
            mouth.say(Hello, pid=pid)
            configure = await link.receive()
            if isinstance(configure, Configure):
                await _work(link, configure, mouth, clock)


async def _send_all(outgoing: MemoryObjectReceiveStream[BaseModel], link: Channel[ToWorker]) -> None:
    """Ends when everything that was said is sent and nobody can say more."""
    with outgoing:
        async for message in outgoing:
            await link.send(message)


async def _work(link: Channel[ToWorker], configure: Configure, mouth: Outbox, clock: Callable[[], datetime]) -> None:
    """Open the browser, serve, close it; what makes that impossible is told and ends the worker."""
    serve = _serve if configure.mode in {WorkerMode.WORK, WorkerMode.MAKE_BASE} else onboard
    try:
        await serve(link, configure, mouth, clock)
    except CannotStartError as error:
        mouth.say(StartupFailed, kind=StartupFailure.BROWSER, detail=str(error))
    except CookiesLostError as error:
        mouth.say(StartupFailed, kind=StartupFailure.PROFILE, detail=str(error))
    except CannotLogInError as error:
        mouth.say(StartupFailed, kind=StartupFailure.LOGIN, detail=str(error))
    except PortalDownError as error:
        mouth.say(StartupFailed, kind=StartupFailure.PORTAL, detail=str(error))
    except CannotProcessError as error:
        mouth.say(StartupFailed, kind=StartupFailure.PROCESSOR, detail=str(error))
    else:
        mouth.say(Exiting)


async def _serve(link: Channel[ToWorker], configure: Configure, mouth: Outbox, clock: Callable[[], datetime]) -> None:
    options, staging = configure.options, Path(configure.seat.staging_path)
    processor = find(options.processor, options.import_path)
    door = _door(options.portal)
    order = SessionOrder(
        worker_id=mouth.worker.worker_id,
        browser=options.browser,
        profile_path=Path(configure.seat.profile_path),
        downloads_path=staging / "browser",
        clock=clock,
        observe=mouth.moved,
        say=mouth.told,
        cookies_path=_path(configure.seat.cookies_path),
        expected_cookies=configure.seat.expected_cookies,
    )
    async with open_session(order, door) as session:
        if configure.mode is WorkerMode.MAKE_BASE:
            await _make_base(session, configure, mouth)
            return

        def note_renewed() -> None:
            mouth.say(LoginRefreshed)

        agent, prove = await session.user_agent(), session.membership.probe
        async with open_desk(door, session.driver, agent, note_renewed, prove, options) as desk:
            bench = Bench(session=session, desk=desk, processor=processor, task_timeout_s=options.task_timeout_s)
            duty = Duty(
                bench,
                mouth,
                staging,
                seat=configure.seat,
                is_headed=not options.browser.headless_mode,
            )
            await duty.serve(link)


async def _make_base(session: BrowserSession, configure: Configure, mouth: Outbox) -> None:
    """Leave a whole profile behind, logged in where a login is given."""
    portal = configure.options.portal
    if portal is None or not portal.user:
        await session.membership.look_in()
    else:
        keys = Keys(one_time_code=configure.one_time_code, profile_name=configure.seat.profile_name)
        await session.membership.open(keys)
    mouth.say(Ready, session=session.view())


def _door(portal: PortalOptions | None) -> Door | None:
    return Door(pack=packs.parse_json(portal.pack_json), portal=portal) if portal else None


def _path(text: str) -> Path | None:
    return Path(text) if text else None
