"""The supervisor's end: starts a worker process, speaks with it over its own pipes, and ends it with all it started.

A worker runs in a session of its own, so that a Ctrl+C in the terminal reaches the supervisor alone. What a worker
leaves behind (its driver, its browser) is found by descent, by the user-data folder on the command line, and by the
temporary folder in the environment: no other process has these.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import anyio
import anyio.to_thread
import psutil
from anyio.abc import ByteReceiveStream, Process
from anyio.streams.text import TextReceiveStream

from app.bridge.pipes import PipeReader, PipeWriter
from app.bridge.stream import FrameStream
from app.domain.ids import WorkerRef
from app.wire.codec import TO_SUPERVISOR
from app.wire.messages import ToSupervisor

#: After its link is closed a worker closes its browser: 0.2 to 0.4 s, more on a busy machine.
CLOSE_LIMIT_S = 5.0
#: After SIGTERM, before SIGKILL.
TERM_LIMIT_S = 3.0
#: Killed processes are gone within milliseconds, unless the kernel is stuck in a disk.
KILL_LIMIT_S = 5.0
#: psutil cannot wait for a process that stays a zombie, so it is looked at again so often.
_LOOK_S = 0.05
#: Longest log line of a worker that is kept; a page can print without end.
_LINE_LIMIT = 2000
_PROFILE_MARK = "--user-data-dir="


@dataclass(frozen=True, slots=True, kw_only=True)
class SpawnOrder:
    """How to start one worker process."""

    worker: WorkerRef
    #: Becomes TMPDIR of the worker and all it starts, and marks them; short, because browsers put sockets there.
    temp_path: Path
    #: User-data folder of this worker's browser: marks its processes.
    profile_path: Path
    #: The module to run; tests put a scripted worker here.
    module: str = "app.worker"
    #: Frames over stdin and stdout, as on platforms that pass no further descriptors.
    is_over_stdio: bool = os.name != "posix"


class Child:
    """One worker process and the link to it. Ended once, by ``end``; then nothing of it is left."""

    def __init__(self, order: SpawnOrder, process: Process, link: FrameStream[ToSupervisor]) -> None:
        """Made by ``spawn`` alone."""
        self._order = order
        self._process = process
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

    async def end(self) -> None:
        """Close the link, wait, terminate, kill, and remove every process that the worker left.

        Takes at most ``CLOSE_LIMIT_S + TERM_LIMIT_S + 2 * KILL_LIMIT_S``, also when the caller is cancelled.
        """
        with anyio.CancelScope(shield=True):
            family = await anyio.to_thread.run_sync(self._family)
            await self.link.aclose()
            if not await self._is_gone_within(CLOSE_LIMIT_S):
                family |= await anyio.to_thread.run_sync(self._family)
                _signal(self._process.terminate)
                if not await self._is_gone_within(TERM_LIMIT_S):
                    _signal(self._process.kill)
                    await self._is_gone_within(KILL_LIMIT_S)
            await anyio.to_thread.run_sync(_sweep, family, self._order)
            await self._process.aclose()

    def _family(self) -> set[psutil.Process]:
        """The process and all below it, as they are now; nothing once it has ended: its number may be another's."""
        if self._process.returncode is None:
            with contextlib.suppress(psutil.Error):
                parent = psutil.Process(self.pid)
                return {parent, *parent.children(recursive=True)}
        return set()

    async def _is_gone_within(self, limit_s: float) -> bool:
        with anyio.move_on_after(limit_s):
            await self._process.wait()
            return True
        return False

    def _is_link(self, output: ByteReceiveStream) -> bool:
        return self._order.is_over_stdio and output is self._process.stdout


async def spawn(order: SpawnOrder) -> Child:
    """Start a worker process.

    Raises:
        OSError: The process cannot be started.
    """
    command = [sys.executable, "-P", "-m", order.module, str(order.worker.slot), str(order.worker.generation)]
    return await (_spawn_over_stdio if order.is_over_stdio else _spawn_over_pipes)(command, order)


async def _spawn_over_stdio(command: list[str], order: SpawnOrder) -> Child:
    process = await _open([*command, "stdio"], order, stdin=subprocess.PIPE)
    if process.stdin is None or process.stdout is None:  # both were asked for
        msg = "the worker's stdin and stdout are no pipes"
        raise OSError(msg)
    return Child(order, process, FrameStream(process.stdout, process.stdin, TO_SUPERVISOR))


async def _spawn_over_pipes(command: list[str], order: SpawnOrder) -> Child:
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
    return Child(order, process, FrameStream(PipeReader(up_read), PipeWriter(down_write), TO_SUPERVISOR))


async def _open(command: list[str], order: SpawnOrder, *, stdin: int, pass_fds: tuple[int, ...] = ()) -> Process:
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
    """What a worker inherits: everything but our own settings, which may hold a password."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("POOLWRIGHT_")}  # noqa: TID251
    temp = str(temp_path)
    return {**inherited, "TMPDIR": temp, "TEMP": temp, "TMP": temp, "PYTHONUNBUFFERED": "1"}


async def _read_lines(output: ByteReceiveStream, say: Callable[[str], None]) -> None:
    rest = ""
    with contextlib.suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
        async for text in TextReceiveStream(output, errors="replace"):
            *lines, rest = (rest + text).split("\n")
            for line in lines:
                _say(line, say)
            rest = rest[:_LINE_LIMIT]
    _say(rest, say)


def _say(line: str, say: Callable[[str], None]) -> None:
    if text := line[:_LINE_LIMIT].rstrip():
        say(text)


def _signal(send: Callable[[], None]) -> None:
    with contextlib.suppress(ProcessLookupError):
        send()


def _sweep(family: set[psutil.Process], order: SpawnOrder) -> None:
    """Kill what is left of a worker: its descendants, and every process that carries its marks."""
    left = {process for process in family if process.is_running()}
    _kill(left | _marked(order.profile_path) | _marked(order.temp_path))


def end_strays(folder: Path) -> None:
    """Kill every browser and driver that still uses a folder of a dead run. Blocking."""
    _kill(_marked(folder))


def _kill(processes: set[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()
    give_up = time.monotonic() + KILL_LIMIT_S
    while (left := {process for process in processes if not _is_gone(process)}) and time.monotonic() < give_up:
        psutil.wait_procs(left, timeout=_LOOK_S)


def _is_gone(process: psutil.Process) -> bool:
    """Also when only its exit code is left: whoever inherited an orphan may never ask for that."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return True


def _marked(folder: Path) -> set[psutil.Process]:
    """Processes whose profile or temporary folder is this one or lies in it."""
    return {process for process in psutil.process_iter() if any(_lies_in(place, folder) for place in _marks(process))}


def _marks(process: psutil.Process) -> Iterator[str]:
    """The folders that a process names. A sandboxed browser may hide its environment and still show its arguments."""
    with contextlib.suppress(psutil.Error):
        yield from (part.removeprefix(_PROFILE_MARK) for part in process.cmdline() if part.startswith(_PROFILE_MARK))
    with contextlib.suppress(psutil.Error):
        yield process.environ().get("TMPDIR", "")


def _lies_in(place: str, folder: Path) -> bool:
    return Path(os.path.normpath(place)).is_relative_to(folder)
