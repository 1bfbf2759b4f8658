"""The connection to one worker process: every wait has a limit, and every failure is one error."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import anyio

from poolwright.concurrency import ActiveTimeLimit
from poolwright.domain.ids import TaskId
from poolwright.ipc import messages
from poolwright.ipc.codec import FrameError
from poolwright.ipc.messages import GetThumbnail
from poolwright.ipc.process import WorkerProcess
from poolwright.supervisor.policy.state import LossKind

#: From the start of the process to its first word (design section 4).
HELLO_LIMIT_S = 30.0
#: From there to a browser that is open and has shown whether it is logged in; starting eight of them on a small machine
#: takes its time. What the portal's pages may take comes on top of what a browser alone needs.
READY_LIMIT_S = 120.0
BROWSER_LIMIT_S = 60.0
#: A page may take the pack's time for its answer, and as long again to show what it is.
_WAITS_PER_PAGE = 2
#: Pages until then: the probe; or, where a profile is made, those of a login by each of three rungs, with the probe.
_PROBE, _LADDER = 1, 12
#: A process may be started so long before it is to begin: it needs 0.5 to 1 s until its first word.
SPAWN_AHEAD_S = 2.0
#: A worker beats every two seconds; silent for this long, it hangs.
SILENCE_LIMIT_S = 15.0


def ready_limit_s(configure: messages.Configure) -> float:
    """How long a worker may take until it is ready, where every page of the portal comes as late as its pack allows."""
    portal = configure.options.portal
    page_count = _LADDER if configure.mode is messages.WorkerMode.MAKE_BASE else _PROBE
    pages_s = _WAITS_PER_PAGE * page_count * portal.page_s if portal else 0.0
    return max(READY_LIMIT_S, BROWSER_LIMIT_S + pages_s)


class WorkerLostError(Exception):
    """The worker process is gone or unusable; the message says why."""

    def __init__(self, how: str, kind: LossKind = LossKind.DIED) -> None:
        """Keep what kind of loss it is."""
        super().__init__(how)
        self.kind = kind


class WorkerConnection:
    """The message channel to one worker process."""

    def __init__(self, child: WorkerProcess) -> None:
        """Exchange messages with ``child``."""
        self._child = child

    async def open(
        self, configure: messages.Configure, on_message: Callable[[messages.ToSupervisor], None], begin_s: float = 0.0
    ) -> messages.Ready:
        """Shake hands, configure the worker, and wait until it is ready.

        Args:
            configure: What it works with.
            on_message: Takes the messages that it sends meanwhile.
            begin_s: When it is configured, by ``anyio.current_time``; the pause before a restart ends then.

        Raises:
            WorkerLostError: It did not come up in time, or at all.
        """
        hello = await self.receive(HELLO_LIMIT_S)
        if not isinstance(hello, messages.Hello) or hello.protocol != messages.PROTOCOL_VERSION:
            msg = "it uses another protocol version"
            raise WorkerLostError(msg, LossKind.GARBLED)
        await anyio.sleep_until(begin_s)
        await self.send(configure)
        limit_s = ready_limit_s(configure)
        limit, is_waiting_for_us = ActiveTimeLimit(limit_s), False
        while True:
            await self._child.scan()  # its browser comes up meanwhile
            late = (limit, f"its browser was not ready within {limit_s:g} s", LossKind.SLOW_START)
            message = await (self.receive(limit_s) if is_waiting_for_us else self._next(*late))
            if isinstance(message, messages.Ready):
                await self._child.scan()
                return message
            on_message(message)
            is_waiting_for_us = is_waiting_for_us or isinstance(message, messages.LoginRequired)

    async def receive(self, limit_s: float) -> messages.ToSupervisor:
        """The next frame.

        Raises:
            WorkerLostError: None came within ``limit_s`` of our own running, the process ended, or its data is no
                frame.
        """
        return await self._next(ActiveTimeLimit(limit_s), f"it sent nothing for {limit_s:g} s", LossKind.SILENT)

    async def _next(self, limit: ActiveTimeLimit, too_late: str, kind: LossKind) -> messages.ToSupervisor:
        try:
            while not limit.is_over:
                with limit.slice():
                    return await self._child.channel.receive()
        except anyio.EndOfStream as error:
            raise WorkerLostError(await self._exit_cause()) from error
        except (FrameError, anyio.ClosedResourceError, anyio.BrokenResourceError) as error:
            msg = f"its connection broke ({error})"
            raise WorkerLostError(msg, LossKind.GARBLED) from error
        raise WorkerLostError(too_late, kind)

    async def send(self, message: messages.ToWorker) -> None:
        """Send one frame.

        Raises:
            WorkerLostError: The process does not listen any more.
        """
        try:
            await self._child.channel.send(message)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
            raise WorkerLostError(await self._exit_cause()) from error

    async def _exit_cause(self) -> str:
        with anyio.move_on_after(SILENCE_LIMIT_S):
            code = await self._child.wait()
            return (
                f"its process ended with exit code {code}" if code >= 0 else f"its process was killed by signal {-code}"
            )
        return "its connection closed and its process hangs"


class MessageSender(Protocol):
    """Sends messages to one worker process."""

    async def send(self, message: messages.ToWorker) -> None:
        """Send one message."""
        ...


@dataclass(slots=True)
class _PendingThumbnail:
    """A picture on its way."""

    #: How many wait for it: a picture that nobody waits for any more is asked for anew.
    asker_count: int = 0
    has_come: anyio.Event = field(default_factory=anyio.Event)
    jpeg: bytes = b""


class ThumbnailRequests:
    """The pictures of one generation."""

    def __init__(self, sender: MessageSender) -> None:
        """Ask the worker through ``sender``."""
        self._sender = sender
        self._awaited: dict[TaskId, _PendingThumbnail] = {}

    async def get(self, task_id: TaskId) -> bytes:
        """A JPEG of now, empty when there is none. Waits as long as the worker takes: the caller has the deadline."""
        pending = self._awaited.get(task_id)
        if pending is None:
            pending = self._awaited[task_id] = _PendingThumbnail()
            await self._request(task_id, pending)
        pending.asker_count += 1
        try:
            await pending.has_come.wait()
        finally:
            pending.asker_count -= 1
            if not pending.asker_count:
                self._drop(task_id, pending)
        return pending.jpeg

    async def _request(self, task_id: TaskId, pending: _PendingThumbnail) -> None:
        try:
            await self._sender.send(GetThumbnail(task_id=task_id))
        except BaseException:
            self._drop(task_id, pending)
            pending.has_come.set()
            raise

    def _drop(self, task_id: TaskId, pending: _PendingThumbnail) -> None:
        if self._awaited.get(task_id) is pending:
            del self._awaited[task_id]

    def resolve(self, task_id: TaskId, jpeg: str) -> None:
        """Answer those who wait for a thumbnail; invalid Base64 gives empty bytes."""
        pending = self._awaited.pop(task_id, None)
        if pending is not None:
            try:
                pending.jpeg = b64decode(jpeg, validate=True)
            except Base64Error:
                pending.jpeg = b""
            pending.has_come.set()

    def close(self) -> None:
        """The worker is gone: nobody gets a picture any more."""
        for pending in self._awaited.values():
            pending.has_come.set()
        self._awaited.clear()
