"""An entry with a profile, folder or template of its own: ``poolwright run`` beside the daemon, under its eyes.

The run has its own journal and its own log below its own folder; here its exit code and its report are told. What it
writes goes to files, so that it never waits for a reader.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Literal

import anyio
import anyio.to_thread
from pydantic import BaseModel, ValidationError

from poolwright import interpreter
from poolwright.files.disk import make_private_folder
from poolwright.service.schedules.children import LAST_WORDS_BYTES, ending, environment
from poolwright.service.schedules.entry import OwnBatch
from poolwright.service.schedules.records import Ended, How

#: On top of the time that orders in flight get: workers close their browsers, reports are written.
END_MARGIN_S = 45.0
#: The summary is the last line; a list of a million orders has no longer one.
_SUMMARY_BYTES = 256 * 1024
_LINES, _WORDS = ".jsonl", ".log"


class _Summary(BaseModel):
    """The needed fields of the last line of a run."""

    type: Literal["summary"]
    detail: str = ""
    report_xlsx: str | None = None
    report_problem: str = ""


class OwnRun:
    """One run of the program over one list. Ask it how it ended after its block."""

    def __init__(
        self, own: OwnBatch, source: Path, stem: Path, *, program: tuple[str, ...] = ("-m", "poolwright")
    ) -> None:
        """``stem`` is where its lines and its words go, without their endings; ``program`` is another one in tests."""
        self._command = [*interpreter.python_command(), *program, "run", "--json", *own.options, str(source.absolute())]
        self._limit_s = own.shutdown_timeout_s + END_MARGIN_S
        self._lines = stem.with_name(stem.name + _LINES)
        self._words = stem.with_name(stem.name + _WORDS)
        self._source = source
        self._code: int | None = None

    async def finish(self) -> None:
        """Start it and wait for its end.

        When cancelled it gets SIGTERM, finishes the orders in flight, and is killed where that takes too long.

        Raises:
            OSError: It cannot be started.
        """
        await anyio.to_thread.run_sync(make_private_folder, self._lines.parent)
        process = await self._start()
        try:
            async with ending(process, self._limit_s):
                await process.wait()
        finally:
            self._code = process.returncode

    async def _start(self) -> anyio.abc.Process:
        # Made private by their folder.
        async with await anyio.open_file(self._lines, "wb") as lines, await anyio.open_file(self._words, "wb") as words:
            return await anyio.open_process(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=lines.wrapped,
                stderr=words.wrapped,
                env=environment(is_ours=True),
                start_new_session=True,
            )

    async def ended(self) -> Ended:
        """Return how the run ended."""
        summary = await anyio.to_thread.run_sync(_summary, self._lines)
        words = await anyio.to_thread.run_sync(_tail, self._words, LAST_WORDS_BYTES)
        report = f" Report: {summary.report_xlsx}." if summary and summary.report_xlsx else ""
        told = f"{self._source.name}: the separate run ended with exit code {self._code}"
        match self._code:
            case 0:
                return Ended(how=How.DONE, detail=f"{told}, all orders are done.{report}")
            case 1:
                return Ended(how=How.FAILED, detail=f"{told}, some orders are not done.{report}")
            case _:
                why = (
                    (summary and (summary.detail or summary.report_problem))
                    or _last_line(words)
                    or f"see {self._words}"
                )
                return Ended(how=How.FAILED, detail=f"{told}: {why}{report}")


def _summary(lines: Path) -> _Summary | None:
    """The last line, where it is the summary of a run."""
    text = _tail(lines, _SUMMARY_BYTES)
    try:
        return _Summary.model_validate_json(_last_line(text))
    except ValidationError:
        return None


def _tail(path: Path, most_bytes: int) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - most_bytes))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
