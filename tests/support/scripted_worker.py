"""A worker process that follows a script: ``python -m tests.support.scripted_worker SLOT GENERATION FRAMES``.

The script comes as JSON in the environment, one entry for each generation (``"2#1"``) or ``"*"`` for all others:
``start`` is ready | silent | exit | unable:KIND, ``goodbye`` is said | silent (it never comes), ``probe`` is what a
probe of the login finds (logged_in by itself), ``probes_at_last`` is whether it probes before its goodbye, ``tasks`` is
what happens to each task in turn, the last one again and again: finish | eat:MB (of memory, then finish) | linger
(until told to drain, then finish) | linger:... (until then, then that) | fail:REASON | return | die | hang | mute |
garbage.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import anyio

from poolwright.domain.events import SessionView
from poolwright.domain.outcomes import LoginCheck, Reason, ReturnReason
from poolwright.domain.tasks import FetchedFile, POTask, Report
from poolwright.ipc import messages
from poolwright.ipc.channel import Channel
from poolwright.ipc.child import die_with_parent, open_channel, take_over_descriptors
from poolwright.ipc.messages import ToWorker

VARIABLE = "SCRIPTED_WORKER"
VIEW = SessionView(status="ACTIVE", main_window_handle="keeper")


class Script:
    """Plays one generation."""

    def __init__(self, stream: Channel[ToWorker], slot: int, generation: int) -> None:
        scripts = json.loads(os.environ[VARIABLE])  # noqa: TID251 - set by the test
        script = scripts.get(f"{slot}#{generation}") or scripts["*"]
        self._stream = stream
        self._who: dict[str, Any] = {"slot": slot, "generation": generation}
        self._start: str = script.get("start", "ready")
        self._tasks: list[str] = script.get("tasks", ["finish"])
        self._proof = LoginCheck(script.get("probe", "logged_in"))
        self._staging = Path()
        self._is_drained = False
        self._eaten = b""
        self._says_goodbye: bool = script.get("goodbye", "said") == "said"
        self._is_last_probe: bool = script.get("probes_at_last", False)

    async def play(self) -> None:
        if self._start == "exit":
            sys.exit(7)
        if self._start == "silent":
            await anyio.sleep_forever()
        await self._say(messages.Hello(**self._who, pid=os.getpid()))
        configure = await self._stream.receive()
        assert isinstance(configure, messages.Configure)
        self._staging = Path(configure.seat.staging_path)
        if self._start.startswith("unable:"):
            kind = messages.StartupFailure(self._start.partition(":")[2])
            await self._say(messages.StartupFailed(**self._who, kind=kind, detail="The script says so."))
            return
        await self._say(messages.Ready(**self._who, session=VIEW))
        await self._work()

    async def _work(self) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._beat)
            while not self._is_drained and not isinstance(message := await self._stream.receive(), messages.Drain):
                if isinstance(message, messages.VerifyLogin):
                    await self._say(messages.LoginVerified(**self._who, proof=self._proof))
                    continue
                if isinstance(message, messages.GetThumbnail):
                    await self._say(messages.Thumbnail(**self._who, task_id=message.task_id, jpeg="anBlZw=="))
                    continue
                assert isinstance(message, messages.Assign)
                step = self._tasks.pop(0) if len(self._tasks) > 1 else self._tasks[0]
                if step.startswith("linger"):
                    assert isinstance(await self._stream.receive(), messages.Drain)
                    step, self._is_drained = step.partition(":")[2] or "finish", True
                await self._do(step, message)
            tasks.cancel_scope.cancel()
        if self._is_last_probe:
            await self._say(messages.LoginVerified(**self._who, proof=self._proof, is_last=True))
        if not self._says_goodbye:
            await self._beat()
        await self._say(messages.Exiting(**self._who))

    async def _do(self, step: str, assign: messages.Assign) -> None:
        task = assign.task
        match step.partition(":"):
            case ("finish" | "eat", _, megabytes):
                self._eaten += b"x" * (int(megabytes or 0) * 1_000_000)
                report = self._finish(task, assign.staging)
                await self._say(messages.Finished(**self._who, task_id=task.task_id, report=report))
            case ("fail", _, reason):
                report = Report(reason=Reason(reason), detail="The script says so.")
                await self._say(messages.Finished(**self._who, task_id=task.task_id, report=report))
            case ("return", _, _):
                why = ReturnReason.SESSION_LOST
                await self._say(messages.Returned(**self._who, task_id=task.task_id, why=why))
            case ("die", _, _):
                os.kill(os.getpid(), signal.SIGKILL)
            case ("hang", _, _):
                return
            case ("mute", _, _):
                os.kill(os.getpid(), signal.SIGSTOP)
            case ("garbage", _, _):
                os.write(int(sys.argv[3].split(",")[1]), b"\x00\x00\x00\x05hello")
            case _:
                raise AssertionError(step)

    def _finish(self, task: POTask, staging: str) -> Report:
        folder = self._staging / staging / "files"
        folder.mkdir(parents=True)
        (folder / "a.txt").write_text(task.po_number)
        file = FetchedFile(
            name="a.txt",
            label="a.txt",
            size_bytes=len(task.po_number),
            sha256=hashlib.sha256(task.po_number.encode()).hexdigest(),
            media_type="text/plain",
            source_url="",
        )
        print("printed by the script", flush=True)  # noqa: T201 - a stray print must become a log line
        return Report(reason=Reason.ALL_SAVED, files=(file,), fields={"supplier": "Acme"})

    async def _beat(self) -> None:
        while True:
            await self._say(messages.Heartbeat(**self._who, session=VIEW))
            await anyio.sleep(0.2)

    async def _say(self, message: messages.ToSupervisor) -> None:
        await self._stream.send(message)


async def serve(stream: Channel[ToWorker], slot: int, generation: int) -> None:
    async with stream:
        await Script(stream, slot, generation).play()


if __name__ == "__main__":
    claimed = take_over_descriptors(sys.argv[3])
    die_with_parent()
    anyio.run(serve, open_channel(claimed), int(sys.argv[1]), int(sys.argv[2]))
