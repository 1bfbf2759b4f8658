"""Spawns a worker process, holds the supervisor's end of its channel, and ends it with every process it started.

A worker runs in a session of its own, so that a Ctrl+C in the terminal reaches the supervisor alone.
"""

from __future__ import annotations

import contextlib
import math
import os
import subprocess
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread
from anyio.abc import ByteReceiveStream, Process
from anyio.streams.text import TextReceiveStream

from poolwright import interpreter
from poolwright.domain.ids import WorkerRef
from poolwright.ipc import process_tree
from poolwright.ipc.channel import Channel, PipeReader, PipeWriter
from poolwright.ipc.codec import TO_SUPERVISOR
from poolwright.ipc.messages import ToSupervisor
from poolwright.ipc.process_tree import ProcessTree

#: After its link is closed a worker closes its browser: 0.2 to 0.4 s, more on a busy machine.
CLOSE_LIMIT_S = 5.0
#: After SIGTERM, before SIGKILL.
TERM_LIMIT_S = 3.0
#: A look at all processes takes milliseconds, unless the kernel is stuck.
SCAN_LIMIT_S = 5.0
#: Where time is short, each step takes so much of what is left.
STEP_SHARE = 0.3
#: So long killed processes are looked after in any case.
KILL_MIN_S = 1.0
#: Variables that no worker inherits. Our own settings may hold a password; those of the browser's driver make another
#: driver of it: one that shows each window and waits for a person, that asks a browser of another machine, or that
#: prints what is typed and each cookie.
_WITHHELD_VARIABLES = frozenset({"DEBUG", "DEBUG_FILE", "PWDEBUG", "PWDEBUGIMPL"})
_WITHHELD_PREFIXES = ("POOLWRIGHT_", "PWTEST_", "SELENIUM_REMOTE_")
#: Longest log line of a worker that is kept; a page can print without end.
_LINE_LIMIT = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class SpawnSpec:
    """How to start one worker process."""

    worker: WorkerRef
    #: Becomes TMPDIR of the worker and all it starts, and marks them; short, because browsers put sockets there.
    temp_path: Path
    #: User-data folder of this worker's browser: marks its processes.
    profile_path: Path
    #: The module to run; tests put a scripted worker here.
    module: str = "poolwright.worker"
    #: Frames over stdin and stdout, as on platforms that pass no further descriptors.
    is_over_stdio: bool = os.name != "posix"


class WorkerProcess:
    """One worker process and the channel to it. ``end`` ends it with every process that it started."""

    def __init__(self, order: SpawnSpec, process: Process, link: Channel[ToSupervisor]) -> None:
        """Made by ``spawn`` alone."""
        self._order = order
        self._process = process
        self._family = ProcessTree(process.pid, order.profile_path, order.temp_path)
        self.link = link

    @property
    def pid(self) -> int:
        """Process id of the worker."""
        return self._process.pid

    async def wait(self) -> int:
        """Wait until the worker process ended by itself; returns its exit code, negative for a signal."""
        return await self._process.wait()

    async def read_lines(self, say: Callable[[str], None]) -> None:
        """Give every line that the worker or its browser prints to ``say``, until they close their output."""
        async with anyio.create_task_group() as readers:
            for output in (self._process.stdout, self._process.stderr):
                if output is not None and not self._is_link(output):
                    readers.start_soon(_read_lines, output, say)

    async def end(self, time_left: Callable[[], float] = lambda: math.inf) -> None:
        """Close the link, wait, terminate, kill, and remove every process that the worker left.

        Takes at most ``CLOSE_LIMIT_S + TERM_LIMIT_S`` and twice ``strays.KILL_LIMIT_S``, also when the caller is
        cancelled, and less where less is left: each step then takes its share of that. A process that the kernel does
        not let go of (a disk that hangs) is left behind.

        Args:
            time_left: How many seconds there are now for all that is to be done.
        """

        def limit(wanted_s: float) -> float:
            return min(wanted_s, STEP_SHARE * time_left())

        with anyio.CancelScope(shield=True):
            await self._scan_within(limit(SCAN_LIMIT_S))
            await self.link.aclose()
            if not await self._is_gone_within(limit(CLOSE_LIMIT_S)):
                await self._scan_within(limit(SCAN_LIMIT_S))
                _signal(self._process.terminate)
                if not await self._is_gone_within(limit(TERM_LIMIT_S)):
                    _signal(self._process.kill)
                    await self._is_gone_within(limit(process_tree.KILL_LIMIT_S))
            end_family = partial(process_tree.kill_tree, self._family, limit(process_tree.KILL_LIMIT_S))
            with anyio.move_on_after(max(limit(2 * process_tree.KILL_LIMIT_S), KILL_MIN_S)):
                await anyio.to_thread.run_sync(end_family, abandon_on_cancel=True)
            await self._close_streams()

    async def scan(self) -> None:
        """Record which processes belong to the worker; does nothing once it has ended, as its pid may be reused."""
        await anyio.to_thread.run_sync(self.pids, abandon_on_cancel=True)

    async def _scan_within(self, limit_s: float) -> None:
        with anyio.move_on_after(limit_s):
            await anyio.to_thread.run_sync(self.pids, abandon_on_cancel=True)

    async def _close_streams(self) -> None:
        """Close its streams. anyio's own closing waits for the process, and that for ever."""
        if self._process.returncode is not None:
            await self._process.aclose()
            return
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                await stream.aclose()

    def pids(self) -> Collection[int]:
        """The worker and all that it started, also those that left it; none once it has ended. Blocking, 5 to 10 ms."""
        return {process.pid for process in self._family.scan()} if self._process.returncode is None else ()

    async def _is_gone_within(self, limit_s: float) -> bool:
        with anyio.move_on_after(limit_s):
            await self._process.wait()
            return True
        return False

    def _is_link(self, output: ByteReceiveStream) -> bool:
        return self._order.is_over_stdio and output is self._process.stdout


async def spawn(order: SpawnSpec) -> WorkerProcess:
    """Start a worker process.

    Raises:
        OSError: The process cannot be started.
    """
    process_tree.adopt_orphans()
    command = [*interpreter.python_command(), "-m", order.module, str(order.worker.slot), str(order.worker.generation)]
    return await (_spawn_over_stdio if order.is_over_stdio else _spawn_over_pipes)(command, order)


async def _spawn_over_stdio(command: list[str], order: SpawnSpec) -> WorkerProcess:
    process = await _open([*command, "stdio"], order, stdin=subprocess.PIPE)
    if process.stdin is None or process.stdout is None:  # both were asked for
        msg = "the worker's stdin and stdout are not pipes"
        raise OSError(msg)
    return WorkerProcess(order, process, Channel(process.stdout, process.stdin, TO_SUPERVISOR))


async def _spawn_over_pipes(command: list[str], order: SpawnSpec) -> WorkerProcess:
    # The child has its own copy of its ends: only when ours are closed does its death end the stream.
    with contextlib.ExitStack() as ours, contextlib.ExitStack() as theirs:
        down_read, down_write = os.pipe()
        theirs.callback(os.close, down_read)
        ours.callback(os.close, down_write)
        up_read, up_write = os.pipe()
        theirs.callback(os.close, up_write)
        ours.callback(os.close, up_read)
        ends = (down_read, up_write)
        process = await _open([*command, f"{down_read},{up_write}"], order, stdin=subprocess.DEVNULL, pass_fds=ends)
        ours.pop_all()
    return WorkerProcess(order, process, Channel(PipeReader(up_read), PipeWriter(down_write), TO_SUPERVISOR))


async def _open(command: list[str], order: SpawnSpec, *, stdin: int, pass_fds: tuple[int, ...] = ()) -> Process:
    return await anyio.open_process(
        command,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_environment(order.temp_path),
        start_new_session=True,
        pass_fds=pass_fds,
    )


def _environment(temp_path: Path) -> dict[str, str]:
    """What a worker inherits."""
    given = os.environ  # noqa: TID251 - not read, but passed on
    kept = {name for name in given if name in _WITHHELD_VARIABLES or name.startswith(_WITHHELD_PREFIXES)}
    inherited = {name: value for name, value in given.items() if name not in kept}
    temp = str(temp_path)
    return {**inherited, "TMPDIR": temp, "TEMP": temp, "TMP": temp, "PYTHONUNBUFFERED": "1"}


async def _read_lines(output: ByteReceiveStream, say: Callable[[str], None]) -> None:
    rest = ""
    with contextlib.suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
        async for text in TextReceiveStream(output, errors="replace"):
            *lines, rest = (rest + text).split("\n")
            for line in lines:
                _forward_line(line, say)
            rest = rest[:_LINE_LIMIT]
    _forward_line(rest, say)


def _forward_line(line: str, say: Callable[[str], None]) -> None:
    if text := line[:_LINE_LIMIT].rstrip():
        say(text)


def _signal(send: Callable[[], None]) -> None:
    with contextlib.suppress(ProcessLookupError):
        send()
