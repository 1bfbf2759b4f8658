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
import anyio.lowlevel
import anyio.to_thread
import platformdirs
from anyio.abc import ByteReceiveStream, Process
from anyio.streams.text import TextReceiveStream

from poolwright import interpreter
from poolwright.domain.ids import WorkerRef
from poolwright.ipc import process_tree
from poolwright.ipc.channel import Channel, PipeReader, PipeWriter
from poolwright.ipc.codec import TO_SUPERVISOR
from poolwright.ipc.messages import ToSupervisor
from poolwright.ipc.process_tree import ProcessTree

#: Time for a worker to close its browser after its channel is closed: it takes 0.2 to 0.4 s, more on a busy machine.
CLOSE_LIMIT_S = 5.0
#: Time between SIGTERM and SIGKILL.
TERM_LIMIT_S = 3.0
#: A scan of all processes takes milliseconds, unless the kernel waits for a disk.
SCAN_LIMIT_S = 5.0
#: The share of the remaining time that a step may take.
STEP_SHARE = 0.3
#: The time for killing the process tree, even if no time is left.
KILL_MIN_S = 1.0
#: Environment variables that no worker inherits. Our own settings may contain a password; variables of Playwright
#: change its behaviour: it would show each window and wait for a person, use a browser on another machine, or print
#: typed text and cookies.
_WITHHELD_VARIABLES = frozenset({"DEBUG", "DEBUG_FILE", "PWDEBUG", "PWDEBUGIMPL"})
_WITHHELD_PREFIXES = ("POOLWRIGHT_", "PWTEST_", "SELENIUM_REMOTE_")
#: The variable of Node for the folder of compiled programs; a user can set it, or NODE_DISABLE_COMPILE_CACHE=1.
_DRIVER_CACHE = "NODE_COMPILE_CACHE"
#: Longest log line of a worker in characters; a page can print lines without end.
_LINE_LIMIT = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class SpawnSpec:
    """The start parameters of one worker process."""

    worker: WorkerRef
    #: TMPDIR of the worker and its children, by which they are found; short, because browsers put sockets there.
    temp_path: Path
    #: User-data folder of this worker's browser, by which its processes are found.
    profile_path: Path
    #: The module to run; tests use a scripted worker.
    module: str = "poolwright.worker"
    #: Whether frames use stdin and stdout, as on platforms that pass no further descriptors.
    is_over_stdio: bool = os.name != "posix"


class WorkerProcess:
    """One worker process and the channel to it. ``end`` ends it with every process that it started."""

    def __init__(self, spec: SpawnSpec, process: Process, channel: Channel[ToSupervisor]) -> None:
        """Take over a started process; only ``spawn`` calls this."""
        self._spec = spec
        self._process = process
        self._tree = ProcessTree(process.pid, spec.profile_path, spec.temp_path)
        self.channel = channel

    @property
    def pid(self) -> int:
        """Process id of the worker."""
        return self._process.pid

    async def wait(self) -> int:
        """Wait until the worker process has ended by itself; return its exit code, negative for a signal."""
        return await self._process.wait()

    async def read_lines(self, on_line: Callable[[str], None]) -> None:
        """Call ``on_line`` with every line that the worker or its browser prints, until they close their output."""
        async with anyio.create_task_group() as readers:
            for output in (self._process.stdout, self._process.stderr):
                if output is not None and not self._is_channel(output):
                    readers.start_soon(_read_lines, output, on_line)

    async def end(self, time_left: Callable[[], float] = lambda: math.inf) -> None:
        """Close the channel, wait, terminate, kill, and kill every process that the worker left.

        Takes at most ``CLOSE_LIMIT_S + TERM_LIMIT_S`` and twice ``process_tree.KILL_LIMIT_S``, also when the caller is
        cancelled; if less time is left, each step takes its share of that. A process that the kernel cannot end (a disk
        that hangs) is left behind.

        Args:
            time_left: Returns the seconds that are left for all steps.
        """

        def limit(wanted_s: float) -> float:
            return min(wanted_s, STEP_SHARE * time_left())

        with anyio.CancelScope(shield=True):
            await self._scan_within(limit(SCAN_LIMIT_S))
            await self.channel.aclose()
            if not await self._is_gone_within(limit(CLOSE_LIMIT_S)):
                await self._scan_within(limit(SCAN_LIMIT_S))
                _signal(self._process.terminate)
                if not await self._is_gone_within(limit(TERM_LIMIT_S)):
                    _signal(self._process.kill)
                    await self._is_gone_within(limit(process_tree.KILL_LIMIT_S))
            kill_tree = partial(process_tree.kill_tree, self._tree, limit(process_tree.KILL_LIMIT_S))
            with anyio.move_on_after(max(limit(2 * process_tree.KILL_LIMIT_S), KILL_MIN_S)):
                await anyio.to_thread.run_sync(kill_tree, abandon_on_cancel=True)
            await self._close_streams()

    async def scan(self) -> None:
        """Record the processes of the worker; does nothing once it has ended, as its pid may be reused."""
        await anyio.to_thread.run_sync(self.pids, abandon_on_cancel=True)

    async def _scan_within(self, limit_s: float) -> None:
        with anyio.move_on_after(limit_s):
            await self.scan()

    async def _close_streams(self) -> None:
        """Close the streams of the process. anyio's ``aclose`` would wait for the process without a limit."""
        if self._process.returncode is not None:
            await self._process.aclose()
            return
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                await stream.aclose()

    def pids(self) -> Collection[int]:
        """Return the pids of the worker and its descendants, none once it has ended. Blocking, 5 to 10 ms."""
        return {process.pid for process in self._tree.scan()} if self._process.returncode is None else ()

    async def _is_gone_within(self, limit_s: float) -> bool:
        with anyio.move_on_after(limit_s):
            await self._process.wait()
            return True
        return False

    def _is_channel(self, output: ByteReceiveStream) -> bool:
        return self._spec.is_over_stdio and output is self._process.stdout


async def spawn(spec: SpawnSpec) -> WorkerProcess:
    """Start a worker process.

    Once it has begun, the start is not cancelled: a process that nobody knows of would outlive its folders. It takes
    milliseconds; the caller that was cancelled gets the process, and ends it.

    Raises:
        OSError: The process cannot be started.
    """
    process_tree.adopt_orphans()
    command = [*interpreter.python_command(), "-m", spec.module, str(spec.worker.slot), str(spec.worker.generation)]
    start = _spawn_over_stdio if spec.is_over_stdio else _spawn_over_pipes
    await anyio.lowlevel.checkpoint_if_cancelled()
    with anyio.CancelScope(shield=True):
        return await start(command, spec)
    msg = "a start that nobody can cancel was cancelled"
    raise AssertionError(msg)


async def _spawn_over_stdio(command: list[str], spec: SpawnSpec) -> WorkerProcess:
    process = await _open([*command, "stdio"], spec, stdin=subprocess.PIPE)
    if process.stdin is None or process.stdout is None:  # both were asked for
        msg = "the worker's stdin and stdout are not pipes"
        raise OSError(msg)
    return WorkerProcess(spec, process, Channel(process.stdout, process.stdin, TO_SUPERVISOR))


async def _spawn_over_pipes(command: list[str], spec: SpawnSpec) -> WorkerProcess:
    # The child has its own copies of its ends: its death ends the stream only if ours are closed.
    with contextlib.ExitStack() as ours, contextlib.ExitStack() as theirs:
        down_read, down_write = os.pipe()
        theirs.callback(os.close, down_read)
        ours.callback(os.close, down_write)
        up_read, up_write = os.pipe()
        theirs.callback(os.close, up_write)
        ours.callback(os.close, up_read)
        ends = (down_read, up_write)
        process = await _open([*command, f"{down_read},{up_write}"], spec, stdin=subprocess.DEVNULL, pass_fds=ends)
        ours.pop_all()
    return WorkerProcess(spec, process, Channel(PipeReader(up_read), PipeWriter(down_write), TO_SUPERVISOR))


async def _open(command: list[str], spec: SpawnSpec, *, stdin: int, pass_fds: tuple[int, ...] = ()) -> Process:
    return await anyio.open_process(
        command,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=worker_environment(spec.temp_path),
        start_new_session=True,
        pass_fds=pass_fds,
    )


def worker_environment(temp_path: Path) -> dict[str, str]:
    """Return the environment of a worker."""
    own = os.environ  # noqa: TID251 - not read, but passed on
    cache_path = driver_cache_path()
    cache = {_DRIVER_CACHE: str(cache_path)} if cache_path.is_absolute() and _DRIVER_CACHE not in own else {}
    withheld = {name for name in own if name in _WITHHELD_VARIABLES or name.startswith(_WITHHELD_PREFIXES)}
    inherited = {name: value for name, value in own.items() if name not in withheld}
    temp = str(temp_path)
    return {**inherited, **cache, "TMPDIR": temp, "TEMP": temp, "TMP": temp, "PYTHONUNBUFFERED": "1"}


def driver_cache_path() -> Path:
    """Return the folder in which Node keeps the compiled program of the driver: a fifth of the driver's start.

    Node creates it, for its own version and user; where it cannot be written, the driver starts without it. It is not
    absolute for a user without a home.
    """
    return platformdirs.user_cache_path("poolwright", appauthor=False) / "driver"


async def _read_lines(output: ByteReceiveStream, on_line: Callable[[str], None]) -> None:
    rest = ""
    with contextlib.suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
        async for text in TextReceiveStream(output, errors="replace"):
            *lines, rest = (rest + text).split("\n")
            for line in lines:
                _forward_line(line, on_line)
            rest = rest[:_LINE_LIMIT]
    _forward_line(rest, on_line)


def _forward_line(line: str, on_line: Callable[[str], None]) -> None:
    if text := line[:_LINE_LIMIT].rstrip():
        on_line(text)


def _signal(send: Callable[[], None]) -> None:
    with contextlib.suppress(ProcessLookupError):
        send()
