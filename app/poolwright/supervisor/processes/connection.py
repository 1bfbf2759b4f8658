"""The connection to one worker process: every wait has a limit, and every failure is a ``WorkerLostError``."""

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

#: Limit from the start of the process to its ``Hello`` (design section 4).
HELLO_LIMIT_S = 30.0
#: Limits from ``Configure`` to ``Ready``, when the browser is open and its login is checked: the shortest limit, which
#: suffices for eight browsers at once on a small machine; and the limit of a browser without the pages of the portal.
READY_LIMIT_S = 120.0
BROWSER_LIMIT_S = 60.0
#: A page may take the time limit of the pack to answer, and as long again to be recognised.
_WAITS_PER_PAGE = 2
#: Number of pages until ``Ready``: the probe page; or, when a profile is made, also those of three login steps.
_PROBE_PAGES, _LOGIN_PAGES = 1, 12
#: Time by which a process is started before its delay is over: it needs 0.5 to 1 s until its ``Hello``.
SPAWN_AHEAD_S = 2.0
#: A worker sends a heartbeat every two seconds; one that sends nothing for this time hangs.
SILENCE_LIMIT_S = 15.0


def ready_limit_s(configure: messages.Configure) -> float:
    """Return the limit until a worker is ready, if every page of the portal takes as long as its pack allows."""
    portal = configure.options.portal
    logs_in = configure.mode in {messages.WorkerMode.MAKE_BASE, messages.WorkerMode.EXAMINE}
    page_count = _LOGIN_PAGES if logs_in else _PROBE_PAGES
    page_count += len(configure.examination.pages) if configure.examination else 0
    pages_s = _WAITS_PER_PAGE * page_count * portal.page_s if portal else 0.0
    return max(READY_LIMIT_S, BROWSER_LIMIT_S + pages_s)


class WorkerLostError(Exception):
    """The worker process is gone or unusable; the message names the cause."""

    def __init__(self, cause: str, kind: LossKind = LossKind.DIED) -> None:
        """Create the error for a cause, with the kind of the loss."""
        super().__init__(cause)
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
            configure: The options and folders of the worker.
            on_message: Receives the messages that the worker sends before it is ready.
            begin_s: When to configure it, in seconds of ``anyio.current_time``: the end of the delay before a restart.

        Raises:
            WorkerLostError: The worker ended or was not ready in time.
        """
        hello = await self.receive(HELLO_LIMIT_S)
        if not isinstance(hello, messages.Hello) or hello.protocol != messages.PROTOCOL_VERSION:
            msg = "it uses another protocol version"
            raise WorkerLostError(msg, LossKind.GARBLED)
        await anyio.sleep_until(begin_s)
        await self.send(configure)
        limit_s = ready_limit_s(configure)
        limit, waits_for_login = ActiveTimeLimit(limit_s), False
        while True:
            await self._child.scan()  # the browser starts meanwhile
            timeout = (limit, f"its browser was not ready within {limit_s:g} s", LossKind.SLOW_START)
            message = await (self.receive(limit_s) if waits_for_login else self._next(*timeout))
            if isinstance(message, messages.Ready):
                await self._child.scan()
                return message
            on_message(message)
            waits_for_login = waits_for_login or isinstance(message, messages.LoginRequired)

    async def receive(self, limit_s: float) -> messages.ToSupervisor:
        """Wait for the next message and return it.

        Raises:
            WorkerLostError: No message came within ``limit_s`` (time in which the machine was suspended does not
                count), the process ended, or its data is not a frame.
        """
        return await self._next(ActiveTimeLimit(limit_s), f"it sent nothing for {limit_s:g} s", LossKind.SILENT)

    async def _next(self, limit: ActiveTimeLimit, cause: str, kind: LossKind) -> messages.ToSupervisor:
        try:
            while not limit.is_over:
                with limit.slice():
                    return await self._child.channel.receive()
        except anyio.EndOfStream as error:
            raise WorkerLostError(await self._exit_cause()) from error
        except (FrameError, anyio.ClosedResourceError, anyio.BrokenResourceError) as error:
            msg = f"its connection broke ({error})"
            raise WorkerLostError(msg, LossKind.GARBLED) from error
        raise WorkerLostError(cause, kind)

    async def send(self, message: messages.ToWorker) -> None:
        """Send one message.

        Raises:
            WorkerLostError: The process no longer reads.
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
    """A thumbnail that was requested from the worker."""

    #: Number of callers that wait for it. When none is left it is dropped, and the next caller requests a new one.
    caller_count: int = 0
    is_resolved: anyio.Event = field(default_factory=anyio.Event)
    jpeg: bytes = b""


class ThumbnailRequests:
    """The requests for thumbnails to one generation. Callers that want the same thumbnail share one request."""

    def __init__(self, sender: MessageSender) -> None:
        """Request thumbnails through ``sender``."""
        self._sender = sender
        self._awaited: dict[TaskId, _PendingThumbnail] = {}

    async def get(self, task_id: TaskId) -> bytes:
        """Return a JPEG of a task's tab, empty if there is none. Without a time limit: that is up to the caller."""
        pending = self._awaited.get(task_id)
        if pending is None:
            pending = self._awaited[task_id] = _PendingThumbnail()
            await self._request(task_id, pending)
        pending.caller_count += 1
        try:
            await pending.is_resolved.wait()
        finally:
            pending.caller_count -= 1
            if not pending.caller_count:
                self._drop(task_id, pending)
        return pending.jpeg

    async def _request(self, task_id: TaskId, pending: _PendingThumbnail) -> None:
        try:
            await self._sender.send(GetThumbnail(task_id=task_id))
        except BaseException:
            self._drop(task_id, pending)
            pending.is_resolved.set()
            raise

    def _drop(self, task_id: TaskId, pending: _PendingThumbnail) -> None:
        if self._awaited.get(task_id) is pending:
            del self._awaited[task_id]

    def resolve(self, task_id: TaskId, jpeg: str) -> None:
        """Give the callers their thumbnail; invalid Base64 gives empty bytes."""
        pending = self._awaited.pop(task_id, None)
        if pending is not None:
            try:
                pending.jpeg = b64decode(jpeg, validate=True)
            except Base64Error:
                pending.jpeg = b""
            pending.is_resolved.set()

    def close(self) -> None:
        """Give all callers empty bytes, because the worker is gone."""
        for pending in self._awaited.values():
            pending.is_resolved.set()
        self._awaited.clear()
