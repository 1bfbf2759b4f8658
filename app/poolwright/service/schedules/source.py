"""The input of an entry becomes list files: the named one, those that a pattern fits, or what a program prints."""

from __future__ import annotations

import glob
import os
import subprocess
from pathlib import Path

import anyio
import anyio.to_thread
from anyio.abc import Process

from poolwright.files.disk import PRIVATE_FILE, make_private_folder
from poolwright.intake.content_kind import CONTENT_BYTES_MAX
from poolwright.intake.errors import InputRefusedError
from poolwright.service.schedules.children import LAST_WORDS_BYTES, ending, environment, read_tail
from poolwright.service.schedules.entry import CommandSource, FileSource, GlobSource, Schedule

#: A program that prints a list has this long, where no deadline is shorter.
COMMAND_LIMIT_S = 1800.0
#: After it was asked to end.
_END_LIMIT_S = 3.0


async def find_lists(schedule: Schedule, folder: Path) -> tuple[Path, ...]:
    """The lists of one run, in the order of their names. When cancelled, a program that still prints is ended.

    Args:
        schedule: The entry.
        folder: Private; takes what a program printed, which the next run replaces.

    Raises:
        InputRefusedError: No file fits, or the program failed. Files themselves are not looked at yet.
    """
    match schedule.source:
        case FileSource(path=path):
            return (path,)
        case GlobSource(pattern=pattern):
            return await anyio.to_thread.run_sync(_matching, pattern)
        case CommandSource(arguments=arguments):
            printed = await _printed_in_time(arguments)
            path = folder / f"{schedule.name}.csv"
            await anyio.to_thread.run_sync(_keep, path, printed)
            return (path,)


def _matching(pattern: str) -> tuple[Path, ...]:
    found = tuple(path for path in map(Path, sorted(glob.glob(pattern, recursive=True))) if path.is_file())  # noqa: PTH207 - a Path has no pattern that is absolute
    if not found:
        raise InputRefusedError(f"No file matches the pattern {pattern}. Check its folder and file extension.")
    return found


async def _printed_in_time(arguments: tuple[str, ...]) -> bytes:
    try:
        with anyio.fail_after(COMMAND_LIMIT_S):
            return await _printed(arguments)
    except TimeoutError as error:
        raise InputRefusedError(
            f"{arguments[0]} did not print a complete list within {COMMAND_LIMIT_S / 60:.0f} minutes and was stopped."
        ) from error
    except OSError as error:
        raise InputRefusedError(
            f"{arguments[0]} cannot be started ({error.strerror}). Check the first word of command."
        ) from error


async def _printed(arguments: tuple[str, ...]) -> bytes:
    process = await anyio.open_process(
        arguments, stdin=subprocess.DEVNULL, env=environment(is_ours=False), start_new_session=True
    )
    said = _Said()
    async with ending(process, _END_LIMIT_S):
        async with anyio.create_task_group() as readers:
            readers.start_soon(said.read_list, process)
            readers.start_soon(said.read_words, process)
        code = await process.wait()
    if len(said.printed) > CONTENT_BYTES_MAX:
        raise InputRefusedError(
            f"{arguments[0]} printed more than {CONTENT_BYTES_MAX // 1024**2} MB and was stopped. Split the list."
        )
    if code != 0:
        words = said.words.decode(errors="replace").strip()
        raise InputRefusedError(f"{arguments[0]} ended with exit code {code}: {words or 'no error message'}")
    return bytes(said.printed)


class _Said:
    """The output of a program, and the end of its error output."""

    def __init__(self) -> None:
        self.printed = bytearray()
        self.words = b""

    async def read_list(self, process: Process) -> None:
        if process.stdout is not None:
            async for piece in process.stdout:
                self.printed += piece
                if len(self.printed) > CONTENT_BYTES_MAX:
                    process.kill()
                    return

    async def read_words(self, process: Process) -> None:
        if process.stderr is not None:
            self.words = await read_tail(process.stderr, LAST_WORDS_BYTES)


def _keep(path: Path, printed: bytes) -> None:
    """Private from its first byte on."""
    make_private_folder(path.parent)
    path.unlink(missing_ok=True)
    with open(path, "xb", opener=_private) as file:
        file.write(printed)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, PRIVATE_FILE)
