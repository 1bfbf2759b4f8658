"""Input lists of a schedule: a file, all files of a pattern, or the output of a program."""

from __future__ import annotations

import contextlib
import glob
import os
import signal
import subprocess
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.to_thread
from anyio.abc import ByteReceiveStream, Process

from poolwright import interpreter
from poolwright.files.disk import PRIVATE_FILE_MODE, make_private_folder
from poolwright.intake.content_kind import CONTENT_BYTES_MAX
from poolwright.intake.errors import InputRefusedError
from poolwright.service.schedules.schedule_definition import CommandSource, FileSource, GlobSource, Schedule

#: Maximum size of a program's error output in messages.
ERROR_OUTPUT_BYTES = 600
#: A killed program ends in milliseconds, unless it waits for a disk.
_KILL_LIMIT_S = 5.0
_OWN_PREFIX = "POOLWRIGHT_"


def child_environment(*, is_ours: bool) -> Mapping[str, str]:
    """Return the environment of a child process; only our own program gets our settings, which may hold a password."""
    environment = dict(os.environ)  # noqa: TID251
    if is_ours:
        return environment
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith(_OWN_PREFIX) and name not in interpreter.own_variables
    }


@asynccontextmanager
async def terminate_on_exit(process: Process, limit_s: float) -> AsyncGenerator[None]:
    """Terminate a program at the end of the block, then kill the rest of its session.

    Args:
        process: The leader of its own session.
        limit_s: Time limit between SIGTERM and SIGKILL, also if the caller is cancelled.
    """
    try:
        yield
    finally:
        with anyio.CancelScope(shield=True):
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.terminate()
                with anyio.move_on_after(limit_s):
                    await process.wait()
            _kill_session(process)
            with anyio.move_on_after(_KILL_LIMIT_S):
                await process.wait()
            await process.aclose()


async def read_tail(stream: ByteReceiveStream, size_bytes: int) -> bytes:
    """Return the last bytes of a stream, once it has ended."""
    tail = b""
    async for chunk in stream:
        tail = (tail + chunk)[-size_bytes:]
    return tail


def _kill_session(process: Process) -> None:
    """Kill the program and its session; the session's id is not reused while it has members."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        elif process.returncode is None:
            process.kill()


#: Time limit for a program that prints a list, unless the deadline of the run is shorter.
COMMAND_TIMEOUT_S = 1800.0
#: Time between SIGTERM and SIGKILL.
_END_LIMIT_S = 3.0


async def find_lists(schedule: Schedule, folder: Path) -> tuple[Path, ...]:
    """Return the lists of one run, sorted by name. If cancelled, the program of a command is terminated.

    Args:
        schedule: The schedule.
        folder: Private folder for the output of a command, which the next run replaces.

    Raises:
        InputRefusedError: No file matches the pattern, or the command failed. The files are not read yet.
    """
    match schedule.source:
        case FileSource(path=path):
            return (path,)
        case GlobSource(pattern=pattern):
            return await anyio.to_thread.run_sync(_matching_files, pattern)
        case CommandSource(arguments=arguments):
            printed = await _output_in_time(arguments)
            path = folder / f"{schedule.name}.csv"
            await anyio.to_thread.run_sync(_write_private_file, path, printed)
            return (path,)


def _matching_files(pattern: str) -> tuple[Path, ...]:
    paths = tuple(path for path in map(Path, sorted(glob.glob(pattern, recursive=True))) if path.is_file())  # noqa: PTH207 - Path.glob takes no absolute pattern
    if not paths:
        raise InputRefusedError(f"No file matches the pattern {pattern}. Check its folder and file extension.")
    return paths


async def _output_in_time(arguments: tuple[str, ...]) -> bytes:
    try:
        with anyio.fail_after(COMMAND_TIMEOUT_S):
            return await _command_output(arguments)
    except TimeoutError as error:
        raise InputRefusedError(
            f"{arguments[0]} did not print a complete list within {COMMAND_TIMEOUT_S / 60:.0f} minutes and was stopped."
        ) from error
    except OSError as error:
        raise InputRefusedError(
            f"{arguments[0]} cannot be started ({error.strerror}). Check the first word of command."
        ) from error


async def _command_output(arguments: tuple[str, ...]) -> bytes:
    process = await anyio.open_process(
        arguments, stdin=subprocess.DEVNULL, env=child_environment(is_ours=False), start_new_session=True
    )
    output = _ProgramOutput()
    async with terminate_on_exit(process, _END_LIMIT_S):
        async with anyio.create_task_group() as readers:
            readers.start_soon(output.read_list, process)
            readers.start_soon(output.read_error_output, process)
        code = await process.wait()
    if len(output.printed) > CONTENT_BYTES_MAX:
        raise InputRefusedError(
            f"{arguments[0]} printed more than {CONTENT_BYTES_MAX // 1024**2} MB and was stopped. Split the list."
        )
    if code != 0:
        error_output = output.error_output.decode(errors="replace").strip()
        raise InputRefusedError(f"{arguments[0]} ended with exit code {code}: {error_output or 'no error message'}")
    return bytes(output.printed)


class _ProgramOutput:
    """The output of a program, and the end of its error output."""

    def __init__(self) -> None:
        self.printed = bytearray()
        self.error_output = b""

    async def read_list(self, process: Process) -> None:
        if process.stdout is not None:
            async for chunk in process.stdout:
                self.printed += chunk
                if len(self.printed) > CONTENT_BYTES_MAX:
                    process.kill()
                    return

    async def read_error_output(self, process: Process) -> None:
        if process.stderr is not None:
            self.error_output = await read_tail(process.stderr, ERROR_OUTPUT_BYTES)


def _write_private_file(path: Path, printed: bytes) -> None:
    """Write a new file that only its owner can read, even while it is written."""
    make_private_folder(path.parent)
    path.unlink(missing_ok=True)
    with open(path, "xb", opener=_open_private) as file:
        file.write(printed)


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, PRIVATE_FILE_MODE)
