"""Starts the program on the same list again and again, and watches each start. Judges nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import anyio
import anyio.to_thread
import psutil
from anyio.abc import Process, TaskGroup

from poolwright.service.batch import RedoPolicy
from tests.support.program import ProgramFolder, read_lines
from tests.support.storm.progress import Progress
from tests.support.storm.session import DONE, Session

ARGUMENTS = ("--workers", "3", "--tabs", "2", "--json", "--log-level", "debug", "--task-timeout", "60")
#: No order ended for so long: the program hangs. A hung worker, a hung page and a slow restart together take less.
STALL_LIMIT_S = 240.0
#: The program promises 10 s after its own SIGKILL; a machine that is busy with others gets the rest.
ORPHAN_LIMIT_S = 30.0
_LOOK_S = 0.2
#: Lines after which it is worth to look for a target again; tabs move too often for that.
_TICKS = frozenset({"list_opened", "task_ended", "worker_seen"})


@dataclass(slots=True, kw_only=True)
class Campaign:
    """One list, brought home through as many starts as it takes."""

    program: ProgramFolder
    progress: Progress
    list_name: str
    #: Where each start's lines go.
    logs: Path
    tell: Callable[[str], None]
    sessions: list[Session] = field(default_factory=list[Session])
    _done: set[str] = field(default_factory=set[str])

    async def start(self, redo: RedoPolicy, beside: TaskGroup) -> Session:
        """Start the program once and stay until it has ended; ``beside`` watches the end of its orphans."""
        self.progress.session_no += 1
        session = Session(number=self.progress.session_no, redo=redo)
        self.sessions.append(session)
        if redo is RedoPolicy.ALL:
            self._done.clear()
        begun_s = anyio.current_time()
        errors = self.logs / f"start-{session.number:02}.stderr"
        with errors.open("wb") as sink:
            session.code = await self._run(session, sink)
        session.wall_s = anyio.current_time() - begun_s
        session.errors = errors.read_text(errors="replace")
        await self._look_after(session, beside)
        self.tell(str(session))
        return session

    async def _run(self, session: Session, errors: IO[bytes]) -> int:
        arguments = ("run", self.list_name, *ARGUMENTS, "--redo", session.redo)
        async with self.program.started(*arguments, errors=errors) as process:
            self.progress.pid = process.pid
            self.progress.tick()
            try:
                with anyio.move_on_after(STALL_LIMIT_S) as limit:
                    await self._listen(process, session, limit)
                    await process.wait()
                session.is_stalled = limit.cancelled_caught
            finally:
                self.progress.pid = None
            if session.is_stalled:
                process.kill()
            return await process.wait()

    async def _listen(self, process: Process, session: Session, limit: anyio.CancelScope) -> None:
        with (self.logs / f"start-{session.number:02}.jsonl").open("w") as log:
            async with aclosing(read_lines(process)) as lines:
                async for line in lines:
                    log.write(json.dumps(line, ensure_ascii=False) + "\n")
                    self._note(line, session)
                    if line["type"] == "task_ended":
                        limit.deadline = anyio.current_time() + STALL_LIMIT_S

    def _note(self, line: dict[str, Any], session: Session) -> None:
        match line["type"]:
            case "task_started" if (number := line["task"]["portal_number"]) in self._done:
                session.done_twice.add(number)
            case "task_ended":
                session.ended_count += 1
                self.progress.ended_count += 1
                if line["outcome"] in DONE:
                    self._done.add(line["task"]["portal_number"])
            case "moved" if line["transition"]["machine"] == "worker":
                self._note_worker(line["transition"], session)
            case "summary":
                session.summary = line
            case _:
                pass
        if line["type"] in _TICKS or (
            line["type"] == "moved" and line["transition"]["machine"] in {"worker", "session"}
        ):
            self.progress.tick()

    def _note_worker(self, move: dict[str, str], session: Session) -> None:
        session.crash_count += move["target"] == "CRASHED"
        session.restart_count += (move["origin"], move["target"]) == ("RESTARTING", "READY")
        session.given_up_count += move["event"] == "GIVE_UP"

    async def _look_after(self, session: Session, beside: TaskGroup) -> None:
        """A program that ended by itself has cleared up; one that was killed leaves processes that end soon."""
        if session.code is not None and session.code >= 0:
            session.left = await anyio.to_thread.run_sync(self.program.left_over)
            return
        orphans = await anyio.to_thread.run_sync(self._ours)
        beside.start_soon(self._bury, orphans, session)

    def _ours(self) -> list[psutil.Process]:
        return [process for process in psutil.process_iter() if self.program.is_ours(process)]

    async def _bury(self, orphans: list[psutil.Process], session: Session) -> None:
        session.orphaned_s = None
        session.orphaned_s = await anyio.to_thread.run_sync(_outlived_s, orphans, self.program.is_ours)


def _outlived_s(orphans: list[psutil.Process], is_ours: Callable[[psutil.Process], bool]) -> float | None:
    """Seconds until all of them were gone; nothing when that never came. One that nobody buried is gone."""
    begun_s = time.monotonic()
    while (passed_s := time.monotonic() - begun_s) < ORPHAN_LIMIT_S:
        orphans = [one for one in orphans if one.is_running() and is_ours(one)]
        if not orphans:
            return round(passed_s, 1)
        psutil.wait_procs(orphans, timeout=_LOOK_S)
    return None
