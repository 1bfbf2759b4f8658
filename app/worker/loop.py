"""Frames in, tabs at work, frames out. One loop per worker process; it ends when it is told to, or with its browser.

Every task that was assigned is answered exactly once, by ``Finished`` or ``Returned``, unless the browser dies: then
the process ends without a word for them, and the supervisor knows what they were.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from pydantic import BaseModel

from app.bridge.pace import every
from app.bridge.stream import FrameStream
from app.domain.events import Level
from app.domain.failures import GivenBack, Outcome, Proof, root_cause
from app.domain.ids import WorkerRef
from app.domain.machine import Transition
from app.domain.options import PortalOptions
from app.portal import pack as packs
from app.wire.messages import (
    Assign,
    Bye,
    Configure,
    Drain,
    Finished,
    Heartbeat,
    Hello,
    Mode,
    Moved,
    Probe,
    Probed,
    Ready,
    Returned,
    Said,
    ToWorker,
    Unable,
    UnableKind,
)
from app.worker.attempt import Bench, attempt
from app.worker.desk import open_desk
from app.worker.errors import (
    CannotLogInError,
    CannotProcessError,
    CannotStartError,
    CookiesLostError,
    PortalDownError,
    SessionBrokenError,
    SessionLostError,
)
from app.worker.login import Door
from app.worker.processors.registry import find
from app.worker.session import BrowserSession, SessionOrder, open_session

#: A supervisor that hears nothing for 15 s takes the worker for hung.
HEARTBEAT_INTERVAL_S = 2.0
#: A login that is lost again and again right after it was brought back is no login.
LOST_IN_A_ROW_MAX = 3


@dataclass(kw_only=True)
class Mouth:
    """Everything that this worker says, in order, with its name on it."""

    worker: WorkerRef
    outbox: MemoryObjectSendStream[BaseModel]

    def say(self, kind: Callable[..., BaseModel], /, **content: object) -> None:
        """Queue one message; never waits."""
        self.outbox.send_nowait(kind(slot=self.worker.slot, generation=self.worker.generation, **content))

    def moved(self, transition: Transition) -> None:
        """A machine made a move."""
        self.say(Moved, transition=transition)

    def told(self, level: Level, text: str) -> None:
        """One sentence for people."""
        self.say(Said, level=level, text=text)


@dataclass(kw_only=True)
class Standing:
    """What the loop knows of itself."""

    processed_count: int = 0
    lost_in_a_row_count: int = 0
    #: Whether anything was not found.
    has_missed: bool = False
    stopped: anyio.Event = field(default_factory=anyio.Event)


async def run(link: FrameStream[ToWorker], worker: WorkerRef, pid: int, clock: Callable[[], datetime]) -> None:
    """Serve one supervisor until it says drain or closes the link.

    Raises:
        SessionBrokenError: Browser or driver died; the process must end.
        EndOfStream: The supervisor is gone.
        WireError: The supervisor sent what is no frame.
    """
    outbox, outgoing = anyio.create_memory_object_stream[BaseModel](math.inf)
    mouth = Mouth(worker=worker, outbox=outbox)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_send_all, outgoing, link)
        with outbox:
            mouth.say(Hello, pid=pid)
            configure = await link.receive()
            if isinstance(configure, Configure):
                await _work(link, configure, mouth, clock)


async def _send_all(outgoing: MemoryObjectReceiveStream[BaseModel], link: FrameStream[ToWorker]) -> None:
    """Ends when everything that was said is sent and nobody can say more."""
    with outgoing:
        async for message in outgoing:
            await link.send(message)


async def _work(link: FrameStream[ToWorker], configure: Configure, mouth: Mouth, clock: Callable[[], datetime]) -> None:
    """Open the browser, serve, close it; what makes that impossible is told and ends the worker."""
    try:
        await _serve(link, configure, mouth, clock)
    except CannotStartError as error:
        mouth.say(Unable, kind=UnableKind.BROWSER, detail=str(error))
    except CookiesLostError as error:
        mouth.say(Unable, kind=UnableKind.PROFILE, detail=str(error))
    except CannotLogInError as error:
        mouth.say(Unable, kind=UnableKind.LOGIN, detail=str(error))
    except PortalDownError as error:
        mouth.say(Unable, kind=UnableKind.PORTAL, detail=str(error))
    except CannotProcessError as error:
        mouth.say(Unable, kind=UnableKind.PROCESSOR, detail=str(error))
    else:
        mouth.say(Bye)


async def _serve(
    link: FrameStream[ToWorker], configure: Configure, mouth: Mouth, clock: Callable[[], datetime]
) -> None:
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
        cookies_path=Path(configure.seat.cookies_path) if configure.seat.cookies_path else None,
        expected_cookies=configure.seat.expected_cookies,
    )
    async with open_session(order, door) as session:
        if configure.mode is Mode.WORK or (options.portal and options.portal.user):
            await session.authenticate()
        else:
            await session.look_in()
        async with open_desk(door, session.driver, await session.user_agent()) as desk:
            bench = Bench(session=session, desk=desk, processor=processor, task_timeout_s=options.task_timeout_s)
            mouth.say(Ready, session=session.view())
            if configure.mode is Mode.WORK:
                await _process_until_drained(link, bench, staging, mouth)


def _door(portal: PortalOptions | None) -> Door | None:
    return Door(pack=packs.parse_json(portal.pack_json), portal=portal) if portal else None


async def _process_until_drained(link: FrameStream[ToWorker], bench: Bench, staging: Path, mouth: Mouth) -> None:
    standing = Standing()
    try:
        async with anyio.create_task_group() as beside:
            beside.start_soon(_beat, bench.session, standing, mouth)
            beside.start_soon(_end_with_browser, bench.session)
            async with anyio.create_task_group() as tabs:
                while not isinstance(message := await link.receive(), Drain):
                    match message:
                        case Assign():
                            tabs.start_soon(_process, bench, message, staging, (standing, mouth))
                        case Probe():
                            tabs.start_soon(_probe, bench.session, (standing, mouth))
                        case Configure():
                            msg = f"{message.type} is no message for a worker at work"
                            raise TypeError(msg)
            if standing.has_missed:
                mouth.say(Probed, proof=await bench.session.probe(), is_last=True)
            beside.cancel_scope.cancel()
    except ExceptionGroup as group:
        raise root_cause(group, SessionBrokenError) from group


async def _beat(session: BrowserSession, standing: Standing, mouth: Mouth) -> None:
    """Prove every two seconds that this event loop runs."""
    async for _ in every(HEARTBEAT_INTERVAL_S):
        mouth.say(Heartbeat, session=session.view(), processed_count=standing.processed_count)


async def _end_with_browser(session: BrowserSession) -> None:
    await session.prove_alive()
    msg = "the browser or its driver ended, or hangs"
    raise SessionBrokenError(msg)


async def _process(bench: Bench, assign: Assign, staging: Path, voice: tuple[Standing, Mouth]) -> None:
    standing, mouth = voice
    login_count = bench.session.login_count
    try:
        report = await attempt(bench, assign.task, staging / assign.staging)
    except SessionLostError as error:
        why = GivenBack.SESSION_LOST
        mouth.say(Returned, task_id=assign.task.task_id, why=why, detail=str(error))
        await _bring_login_back(bench.session, login_count, standing)
    else:
        standing.processed_count += 1
        if report.outcome is Outcome.NOT_FOUND:  # which a session that is logged out may say too
            standing.has_missed = True
        else:
            standing.lost_in_a_row_count = 0
        await bench.session.keep_cookies()
        mouth.say(Finished, task_id=assign.task.task_id, report=report)


async def _probe(session: BrowserSession, voice: tuple[Standing, Mouth]) -> None:
    standing, mouth = voice
    login_count = session.login_count
    proof = await session.probe()
    mouth.say(Probed, proof=proof)
    if proof is Proof.LOGGED_OUT:
        await _bring_login_back(session, login_count, standing)


async def _bring_login_back(session: BrowserSession, login_count: int, standing: Standing) -> None:
    standing.lost_in_a_row_count += session.login_count == login_count
    if standing.lost_in_a_row_count > LOST_IN_A_ROW_MAX:
        msg = "The portal logs us out again right after every login."
        raise CannotLogInError(msg)
    try:
        await session.refresh(login_count)
    except TimeoutError as error:
        msg = "The lost login could not be brought back in time."
        raise CannotLogInError(msg) from error
