"""A worker process that follows a script: ``python -m tests.support.scripted_worker SLOT GENERATION FRAMES``.

The script comes as JSON in the environment, one entry for each generation (``"2#1"``) or ``"*"`` for all others:
``start`` is ready | silent | exit | unable:KIND | unable:KIND+P (the machine slept for P seconds), ``goodbye`` is
said | silent (it never comes), ``probe`` is what a probe of the login finds (logged_in by itself), ``probes_at_last``
is whether it probes before its goodbye, ``tasks`` is
what happens to each task in turn, the last one again and again: finish | answer:S (finish; the portal took S seconds
to answer for its page) | answer:S+P (the same, and the machine slept for P seconds) | eat:MB (of memory, then finish) |
linger (until told to drain, then finish) | linger:... (until then, then that) | fail:REASON | return | die | hang |
mute | garbage.

Light: it imports nothing of the program, because tests start hundreds. The supervisor refuses frames that are wrong.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import struct
import sys
import threading
from hashlib import sha256
from pathlib import Path
from typing import Any

VARIABLE = "SCRIPTED_WORKER"
VIEW = {"status": "ACTIVE", "main_window_handle": "keeper"}
BEAT_INTERVAL_S = 0.2


class WorkerPipes:
    """The worker's end of the two pipes. Threads may say something at the same time."""

    def __init__(self, read: int, write: int, slot: int, generation: int) -> None:
        self._read, self._write = read, write
        self._who = {"slot": slot, "generation": generation}
        self._lock = threading.Lock()

    def say(self, kind: str, /, **content: object) -> None:
        body = json.dumps({"type": kind, **self._who, **content}).encode()
        self.write(struct.pack(">I", len(body)) + body)

    def write(self, rest: bytes) -> None:
        with self._lock:
            while rest:
                rest = rest[os.write(self._write, rest) :]

    def hear(self) -> dict[str, Any]:
        """The next message; its end, if the supervisor has closed the link, is the end of the process."""
        (size,) = struct.unpack(">I", self._take(4))
        return json.loads(self._take(size))

    def _take(self, size: int) -> bytes:
        taken = b""
        while len(taken) < size:
            chunk = os.read(self._read, size - len(taken))
            if not chunk:
                sys.exit("The link is closed.")
            taken += chunk
        return taken


class Script:
    """Plays one generation."""

    def __init__(self, link: WorkerPipes, script: dict[str, Any]) -> None:
        self._link = link
        self._start: str = script.get("start", "ready")
        self._tasks: list[str] = script.get("tasks", ["finish"])
        self._check_result: str = script.get("probe", "logged_in")
        self._staging = Path()
        self._is_drained = False
        self._eaten = b""
        self._says_goodbye: bool = script.get("goodbye", "said") == "said"
        self._is_last_probe: bool = script.get("probes_at_last", False)

    def play(self) -> None:
        if self._start == "exit":
            sys.exit(7)
        if self._start == "silent":
            signal.pause()
        self._link.say("hello", pid=os.getpid())
        configure = self._link.hear()
        assert configure["type"] == "configure"
        self._staging = Path(configure["paths"]["staging_path"])
        if self._start.startswith("unable:"):
            kind, _, paused_s = self._start.partition(":")[2].partition("+")
            self._link.say("unable", kind=kind, detail="The script says so.", paused_s=float(paused_s or 0))
            return
        self._link.say("ready", session=VIEW)
        self._work()

    def _work(self) -> None:
        is_over = threading.Event()
        beats = threading.Thread(target=self._beat, args=[is_over], daemon=True)
        beats.start()
        while not self._is_drained and (message := self._link.hear())["type"] != "drain":
            self._answer(message)
        if self._is_last_probe:
            self._link.say("probed", result=self._check_result, is_last=True)
        if not self._says_goodbye:
            beats.join()
        is_over.set()
        beats.join()
        self._link.say("bye")

    def _answer(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "probe":
                self._link.say("probed", result=self._check_result)
            case "show":
                self._link.say("shown", task_id=message["task_id"], jpeg="anBlZw==")
            case "assign":
                step = self._tasks.pop(0) if len(self._tasks) > 1 else self._tasks[0]
                if step.startswith("linger"):
                    assert self._link.hear()["type"] == "drain"
                    step, self._is_drained = step.partition(":")[2] or "finish", True
                self._do(step, message)
            case other:
                raise AssertionError(other)

    def _do(self, step: str, assign: dict[str, Any]) -> None:  # noqa: C901, PLR0912 - one case for each step
        task = assign["task"]
        match step.partition(":"):
            case ("finish" | "eat", _, megabytes):
                self._eaten += b"x" * (int(megabytes or 0) * 1_000_000)
                self._link.say("finished", task_id=task["task_id"], report=self._finish(task, assign["staging"]))
            case ("answer", _, times):
                answer_s, _, paused_s = times.partition("+")
                spent = {"answer_s": float(answer_s), "paused_s": float(paused_s or 0)}
                report = self._finish(task, assign["staging"])
                self._link.say("finished", task_id=task["task_id"], report=report, **spent)
            case ("fail", _, reason):
                report = {"reason": reason, "detail": "The script says so."}
                self._link.say("finished", task_id=task["task_id"], report=report)
            case ("return", _, _):
                self._link.say("returned", task_id=task["task_id"], why="session_lost")
            case ("die", _, _):
                os.kill(os.getpid(), signal.SIGKILL)
            case ("hang", _, _):
                return
            case ("mute", _, _):
                os.kill(os.getpid(), signal.SIGSTOP)
            case ("garbage", _, _):
                self._link.write(b"\x00\x00\x00\x05hello")
            case _:
                raise AssertionError(step)

    def _finish(self, task: dict[str, Any], staging: str) -> dict[str, Any]:
        folder = self._staging / staging / "files"
        folder.mkdir(parents=True)
        content = task["po_number"].encode()
        (folder / "a.txt").write_bytes(content)
        file = {
            "name": "a.txt",
            "label": "a.txt",
            "size_bytes": len(content),
            "sha256": sha256(content).hexdigest(),
            "media_type": "text/plain",
            "source_url": "",
        }
        print("printed by the script", flush=True)  # noqa: T201 - a stray print must become a log line
        return {"reason": "all_saved", "files": [file], "fields": {"supplier": "Acme"}}

    def _beat(self, is_over: threading.Event) -> None:
        """As a worker whose loop runs; ends with the link."""
        try:
            while not is_over.is_set():
                self._link.say("heartbeat", session=VIEW)
                is_over.wait(BEAT_INTERVAL_S)
        except OSError:
            return


def die_with_parent() -> None:
    """As the program's own workers do, which do not leave it to the closed link either."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


if __name__ == "__main__":
    die_with_parent()
    given_slot, given_generation, frames = sys.argv[1:]
    scripts = json.loads(os.environ[VARIABLE])  # noqa: TID251 - set by the test
    down, up = map(int, frames.split(","))
    Script(
        WorkerPipes(down, up, int(given_slot), int(given_generation)),
        scripts.get(f"{given_slot}#{given_generation}") or scripts["*"],
    ).play()
