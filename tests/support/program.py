"""The program as its user starts it: a process of its own, with an environment of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from importlib import resources
from pathlib import Path
from typing import IO, Any

import anyio
import anyio.to_thread
import psutil
from anyio.abc import ByteReceiveStream, Process
from anyio.streams.text import TextReceiveStream
from openpyxl import Workbook

from poolwright.demo.portal_client import PortalClient, running_portal
from tests.support import failure_record
from tests.support.paths import ROOT
from tests.support.portal import SHELL
from tests.support.shared_folder import made_by_one

#: Names the folder in the environment of the program and of all that it starts.
DESK_MARK = "DESK_FOLDER"
#: A page without its browser ends within milliseconds; on a busy machine somewhat later.
PAGES_END_WITHIN_S = 10.0
#: For a portal pack: whatever a test does to the portal, no page and no file is given up for its slowness.
PATIENT = "[limits]\npage_s = 300\nstall_s = 300\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a run of the program ended."""

    code: int
    out: str
    errors: str

    def objects(self) -> list[dict[str, Any]]:
        """What ``--json`` wrote."""
        return [json.loads(line) for line in self.out.splitlines() if line.startswith("{")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramFolder:
    """A folder with a profile for the demo portal, where the program is started."""

    folder: Path
    portal: PortalClient
    environment: dict[str, str] = field(repr=False)

    @property
    def out(self) -> Path:
        """Where the files land."""
        return self.folder / "out"

    async def run(self, *arguments: str, text: str | None = None) -> Ended:
        """Start the program and wait for its end."""
        command = [sys.executable, "-m", "poolwright", *arguments]
        stdin = subprocess.PIPE if text else subprocess.DEVNULL
        # As anyio.run_process does it, which leaves no time to look at a program before it is killed with the test.
        async with (
            await anyio.open_process(command, stdin=stdin, cwd=self.folder, env=self.environment) as process,
            failure_record.current().watching("a run of the program"),
        ):
            out, errors = bytearray(), bytearray()
            async with anyio.create_task_group() as reading:
                reading.start_soon(_read_all, process.stdout, out)
                reading.start_soon(_read_all, process.stderr, errors)
                if process.stdin is not None:
                    with suppress(anyio.BrokenResourceError):  # it may end without reading
                        await process.stdin.send((text or "").encode())
                    await process.stdin.aclose()
            code = await process.wait()
        return Ended(code=code, out=out.decode(), errors=errors.decode())

    @asynccontextmanager
    async def started(self, *arguments: str, errors: int | IO[bytes] = subprocess.DEVNULL) -> AsyncGenerator[Process]:
        """Start the program and leave it to the test to end it. ``errors`` takes what it says on stderr."""
        command = [sys.executable, "-m", "poolwright", *arguments]
        process = await anyio.open_process(
            command, stdin=subprocess.DEVNULL, stderr=errors, cwd=self.folder, env=self.environment
        )
        try:
            async with failure_record.current().watching("the running program"):
                yield process
        finally:
            with anyio.CancelScope(shield=True):
                if process.returncode is None:
                    process.kill()
                await process.aclose()

    def log(self) -> str:
        """What the program logged about its orders and workers, for the message of a failed test."""
        path = self.out / ".poolwright" / "log.jsonl"
        return path.read_text("utf-8") if path.is_file() else ""

    def list_of(self, numbers: Sequence[str], name: str = "orders.xlsx") -> str:
        """Write a list as an analyst would: a sheet with a few columns."""
        book = Workbook()
        sheet = book.active
        assert sheet is not None
        sheet.append(["Company", "PO_NUMBER", "Comment"])
        for number in numbers:
            sheet.append(["A100", f"PO{number}", "to be checked"])
        book.save(self.folder / name)
        return name

    def left_over(self) -> list[str]:
        """Processes and temporary files of this folder that are still there."""
        runs = [str(path) for path in (self.folder / "runs").glob("*")]
        staged = [str(path) for path in self.out.glob(".poolwright/staging/*/*")]
        # A test that goes to the folder itself stands there too.
        ours = [process for process in psutil.process_iter() if process.pid != os.getpid() and self.is_ours(process)]
        # Pages of the headless shell end by themselves when their browser is gone; the program cannot wait for them.
        pages = [process for process in ours if not (self._has_mark(process) or self._has_profile(process))]
        _, staying = psutil.wait_procs(pages, timeout=PAGES_END_WITHIN_S)
        return [*runs, *staged, *(_named(process) for process in ours if process not in pages or process in staying)]

    def is_ours(self, process: psutil.Process) -> bool:
        """Whether a process is the program of this folder, a worker of it, its driver or its browser."""
        return self._has_mark(process) or self._has_profile(process) or self._stands_here(process)

    def _has_mark(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get(DESK_MARK) == str(self.folder)
        except psutil.Error:
            return False

    def _stands_here(self, process: psutil.Process) -> bool:
        """Pages of the headless shell show neither; they are where the program was started."""
        try:
            return process.cwd() == str(self.folder)
        except psutil.Error:
            return False

    def _has_profile(self, process: psutil.Process) -> bool:
        """The processes of a browser hide their environment and show their profile, some of them in one long word."""
        try:
            return f"--user-data-dir={self.folder}/" in " ".join(process.cmdline())
        except psutil.Error:
            return False


async def _read_all(stream: ByteReceiveStream | None, into: bytearray) -> None:
    assert stream is not None
    async for chunk in stream:
        into.extend(chunk)


def _named(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())[:200]
    except psutil.Error:
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeProfile:
    """A profile that the program made, logged in, to be copied."""

    folder: Path
    #: The cookies of its login, as ``Portal.admit`` takes them.
    visitors: dict[str, str]


async def made_profile() -> MadeProfile:
    """The profile that all processes of a test run copy: to make one costs more than most of what tests are about."""
    with made_by_one("profile") as made:
        visitors, folder = made / "visitors.json", made / "profiles"
        if not visitors.exists():
            # The test that was making it may have been cut short.
            await anyio.to_thread.run_sync(partial(shutil.rmtree, made, ignore_errors=True))
            made.mkdir()
            async with running_portal(order_count=1) as portal:
                program = ProgramFolder(folder=made, portal=portal, environment=environment_of(made, portal))
                await make_profile(program)
                visitors.write_text(json.dumps(await portal.visitors()), encoding="utf-8")
        return MadeProfile(folder=folder, visitors=json.loads(visitors.read_text(encoding="utf-8")))


async def make_profile(program: ProgramFolder) -> None:
    """Make a profile with the program itself."""
    made = await program.run("profile", "create", "demo", "--portal", "demo", "--base-url", program.portal.url)
    assert made.code == 0, made


def use_own_pack(program: ProgramFolder, changes: Mapping[str, str], more: str = "") -> None:
    """Give the profile of the folder a portal pack of its own: the shipped one with some texts changed, and more."""
    pack = resources.files("poolwright.portal").joinpath("packs", "demo.toml").read_text(encoding="utf-8")
    for known, new in changes.items():
        assert known in pack
        pack = pack.replace(known, new)
    (program.folder / "own.toml").write_text(f"{pack}\n{more}", encoding="utf-8")
    (profile,) = program.folder.rglob("profile.toml")
    told = profile.read_text(encoding="utf-8")
    assert '"demo"' in told
    profile.write_text(told.replace('"demo"', '"own.toml"'), encoding="utf-8")


async def copy_profile(program: ProgramFolder) -> None:
    """Give the folder a profile that is logged in at its portal, as if it had been made there."""
    made = await made_profile()
    await anyio.to_thread.run_sync(partial(shutil.copytree, made.folder, program.folder / "profiles"))
    page = program.folder / "profiles" / "demo" / "profile.toml"
    told = await anyio.Path(page).read_text("utf-8")
    await anyio.Path(page).write_text(
        re.sub(r"(?m)^base_url = .*$", f'base_url = "{program.portal.url}"', told), "utf-8"
    )
    await program.portal.admit(made.visitors)


def environment_of(folder: Path, portal: PortalClient) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("POOLWRIGHT_")}  # noqa: TID251
    return inherited | {
        "POOLWRIGHT_USER": portal.user,
        "POOLWRIGHT_PASSWORD": portal.password,
        "POOLWRIGHT_TOTP_SECRET": "",
        "POOLWRIGHT_RUNS_DIR": str(folder / "runs"),
        "POOLWRIGHT_PROFILE": "demo",
        "POOLWRIGHT_OUT": "out",
        "POOLWRIGHT_WORKERS": "1",  # a second one is asked for where it is the subject: each costs a browser
        "POOLWRIGHT_BROWSER_PATH": SHELL or "",
        "PYTHONPATH": str(ROOT),
        DESK_MARK: str(folder),
    }


@asynccontextmanager
async def open_program(
    folder: Path,
    portal: PortalClient,
    *,
    password: str | None = None,
    totp_secret: str = "",
    is_whole_browser: bool = False,
) -> AsyncGenerator[ProgramFolder]:
    """A folder with a profile that is logged in; afterwards nothing of this folder runs on.

    Args:
        folder: Where it stands.
        portal: The portal that its profile is for.
        password: What the program is told, if it is not the right one.
        totp_secret: Of the one-time codes that the portal wants.
        is_whole_browser: Whether the profile is made and used by a browser that could show windows, and not by the
            headless shell, which starts several times faster.
    """
    program = ProgramFolder(folder=folder, portal=portal, environment=environment_of(folder, portal))
    if password is not None:
        program.environment["POOLWRIGHT_PASSWORD"] = password
    program.environment["POOLWRIGHT_TOTP_SECRET"] = totp_secret
    if is_whole_browser:
        program.environment["POOLWRIGHT_BROWSER"] = "chromium"
        await make_profile(program)
    else:
        await copy_profile(program)
    async with failure_record.current().watching("the folder", folder):
        yield program
        assert program.left_over() == []


async def read_lines(process: Process) -> AsyncGenerator[dict[str, Any]]:
    """The JSON lines of a running program, as they come."""
    assert process.stdout is not None
    rest = ""
    async for text in TextReceiveStream(process.stdout):
        *lines, rest = (rest + text).split("\n")
        for line in lines:
            if line.startswith("{"):
                yield json.loads(line)


def send(process: Process, number: signal.Signals) -> None:
    """Send a signal to the program itself, not to its children."""
    os.kill(process.pid, number)
