"""Containers of the image, as they are run where nobody takes chances: read-only, without rights, with a limit."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import DEVNULL, STDOUT
from typing import Any
from uuid import uuid4

import anyio
from anyio.abc import Process
from anyio.streams.text import TextReceiveStream
from openpyxl import Workbook

from poolwright.demo.portal_client import PortalClient
from tests.support.paths import ROOT
from tests.support.program import Ended
from tools.image import IMAGE

UID = 10001
#: All that a container gets is loopback: the tests run in a network that holds nothing else.
HARDENED = (
    *("--read-only", "--tmpfs", "/tmp:rw,size=1g,mode=1777", "--network", "host"),
    *("--cap-drop", "ALL", "--cap-add", "SYS_CHROOT"),
    *("--security-opt", "no-new-privileges", "--security-opt", f"seccomp={ROOT / 'deploy' / 'seccomp.json'}"),
)
#: The engine's own looks at health need a systemd; the tests look when it matters.
QUIET = ("--health-interval", "disable")
LIMIT_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerFolder:
    """A folder whose parts are mounted into containers, with a profile for the demo portal in one of them."""

    folder: Path
    portal: PortalClient | None = None
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    memory: str = "2g"
    image: str = IMAGE

    @property
    def out(self) -> Path:
        """Where the files land, seen from outside."""
        return self.folder / "out"

    def options(self, *further: str) -> list[str]:
        """What stands before the image's name."""
        places = (("in", ":ro"), ("out", ""), ("profiles", ""))
        mounts = [
            f"{self.folder}/{name}:/data/{name}{mode}"
            for name, mode in places
            if not any(option.endswith(f":/data/{name}:ro") for option in further)
        ]
        told = [f"{name}={value}" for name, value in self.environment.items()]
        return [
            *HARDENED,
            *QUIET,
            *("--memory", self.memory, "--memory-swap", self.memory),
            *(word for mount in mounts for word in ("--volume", mount)),
            *(word for one in told for word in ("--env", one)),
            *further,
        ]

    async def run(self, *arguments: str, options: Sequence[str] = ()) -> Ended:
        """One container from its start to its end."""
        return await podman("run", "--rm", *self.options(*options), self.image, *arguments)

    @asynccontextmanager
    async def started(self, *arguments: str, options: Sequence[str] = ()) -> AsyncGenerator[Container]:
        """A container that works while the block lasts; afterwards it is gone, however the block ends."""
        name = f"pw-{uuid4().hex[:8]}"
        command = ["podman", "run", "--name", name, *self.options(*options), self.image, *arguments]
        process = await anyio.open_process(command, stdin=DEVNULL, stderr=STDOUT)
        try:
            yield Container(name=name, process=process)
        finally:
            with anyio.CancelScope(shield=True):
                await podman("rm", "--force", "--time", "0", name)
                await process.aclose()

    def list_of(self, numbers: Sequence[str], name: str = "orders.xlsx") -> str:
        """Write a list; returns its path inside."""
        book = Workbook()
        sheet = book.active
        assert sheet is not None
        sheet.append(["PO_NUMBER"])
        for number in numbers:
            sheet.append([f"PO{number}"])
        book.save(self.folder / "in" / name)
        return f"/data/in/{name}"

    def log(self) -> list[dict[str, Any]]:
        """What the program logged."""
        lines = (self.out / ".poolwright" / "log.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One that runs."""

    name: str
    process: Process

    async def hears(self, words: str) -> str:
        """Read what it says until a line has these words; returns that line."""
        assert self.process.stdout is not None
        heard: list[str] = []
        rest = ""
        with anyio.fail_after(LIMIT_S):
            async for text in TextReceiveStream(self.process.stdout):
                *lines, rest = (rest + text).split("\n")
                heard += lines
                for line in lines:
                    if words in line:
                        return line
        said = "\n".join([*heard, rest])
        raise AssertionError(f"{self.name} ended without a word of {words!r}. It said:\n{said}")

    async def ask(self, *arguments: str) -> Ended:
        """A command of the program, inside."""
        return await podman("exec", self.name, "poolwright", *arguments)

    async def python(self, code: str) -> str:
        """A few lines of Python, inside."""
        done = await podman("exec", self.name, "python", "-c", code)
        assert done.code == 0, done
        return done.out

    async def health(self) -> int:
        """What the image's own check says, as the engine runs it."""
        return (await podman("healthcheck", "run", self.name)).code

    async def send(self, number: signal.Signals) -> None:
        """Send a signal to its first process."""
        done = await podman("kill", "--signal", number.name, self.name)
        assert done.code == 0, done

    async def ended(self) -> int:
        """Its exit code."""
        with anyio.fail_after(LIMIT_S):
            await self.process.wait()
        return self.process.returncode if self.process.returncode is not None else -1


async def podman(*arguments: str) -> Ended:
    """One command of the engine."""
    with anyio.fail_after(2 * LIMIT_S):
        done = await anyio.run_process(["podman", *arguments], check=False, stdin=DEVNULL)
    return Ended(code=done.returncode, out=done.stdout.decode(), errors=done.stderr.decode())


@asynccontextmanager
async def open_booth(folder: Path, portal: PortalClient, **changes: Any) -> AsyncGenerator[ContainerFolder]:  # noqa: ANN401 - by name
    """A booth with a profile, made by a container as its user would make it."""
    booth = ContainerFolder(
        folder=folder,
        portal=portal,
        environment={
            "POOLWRIGHT_USER": portal.user,
            "POOLWRIGHT_PASSWORD": portal.password,
            "POOLWRIGHT_PROFILE": "demo",
        },
        **changes,
    )
    furnish(folder)
    made = await booth.run("profile", "create", "demo", "--portal", "demo", "--base-url", portal.url)
    assert made.code == 0, made
    yield booth


def furnish(folder: Path) -> None:
    """Make the folders that are mounted, for the user of the image."""
    folder.chmod(0o755)
    for name in ("in", "out", "profiles"):
        (folder / name).mkdir()
        os.chown(folder / name, UID, UID)


def answers(ended: Ended) -> Any:  # noqa: ANN401 - JSON
    """The one JSON object that a command wrote."""
    assert ended.code in {0, 6}, ended
    return json.loads(ended.out.splitlines()[0])
