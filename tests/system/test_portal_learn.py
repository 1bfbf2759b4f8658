"""`poolwright portal learn --url`: the whole program opens a window, whose panel a person uses."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from subprocess import DEVNULL, PIPE

import anyio
import pytest
from anyio.abc import Process
from anyio.streams.text import TextReceiveStream

from poolwright.cli.process_exit import ExitCode
from tests.support.display import needs_xvfb, virtual_display
from tests.support.paths import ROOT
from tests.support.portal import needs_chromium
from tests.support.simulated_user import SimulatedUser
from tests.support.taught_portals import Draw, TaughtPortal, TaughtReply, moved, serving_taught, taught_portal

pytestmark = [needs_chromium, needs_xvfb, pytest.mark.timeout(600)]

#: User, password and button of the login page, then the panel: "move", and its first button.
TO_THE_PANEL = "\t" * 5
#: Links of the portal above every page, and the places of the buttons of the panel behind what the page has.
LINKS, HOME, NUMBER, WITH, WITHOUT, MISSING = 3, 3, 4, 5, 8, 10
#: The page that is there at first.
FIRST = "/login"
#: Logs in without a password, which the browser would offer to keep.
SIGN_ON = "/signed-on"
#: From the number to the button that tries the pack on it.
TO_TRY = "\t" * 8


@dataclass(frozen=True, slots=True)
class Teacher:
    """A person at the keyboard of one screen, and the program that listens."""

    screen: str
    portal: TaughtPortal
    process: Process
    bookmark: list[str]

    async def note(self, path: str, keys: str, told: str, at: str = "") -> None:
        """Open a page by its address, type there, and wait until the program tells what it noted.

        The address may lead to another one (``at``), which must not be that of the page before: only the title tells
        that the page is there.
        """
        await anyio.to_thread.run_sync(self._type, path, keys, at or path)
        await heard(self.process, told)

    def _type(self, path: str, keys: str, at: str) -> None:
        with SimulatedUser(self.screen) as person:
            if path != FIRST:
                self.bookmark.append(path)
                person.type("loaded", "\f")
            person.see(f"loaded {at}")
            person.type(f"loaded {at}", keys)


def with_bookmark(draw: Draw, bookmark: list[str]) -> Draw:
    """Pages whose windows say when they are there, and that open the last address of a list when F2 is pressed."""
    # A browser takes no keys before it has painted the page.
    script = (
        "<script>const tell = () => { document.title = 'loaded ' + location.pathname; };"
        "addEventListener('load', () => requestAnimationFrame(() => requestAnimationFrame(tell)));"
        "addEventListener('keydown', (event) => { if (event.key === 'F2') location.href = '/go'; }, true);</script>"
    )

    def drawn(portal: TaughtPortal, path: str, is_logged_in: bool) -> TaughtReply:
        if path == "/go":
            return moved(bookmark[-1])
        if path == SIGN_ON:
            return moved(portal.home_path, "Set-Cookie: session=good; Path=/; HttpOnly")
        reply = draw(portal, path, is_logged_in)
        return replace(reply, body=reply.body.replace(b"</head>", script.encode() + b"</head>"))

    return drawn


@contextmanager
def environment_with_screen(folder: Path) -> Generator[dict[str, str]]:
    """A screen, and an environment for the program with it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("POOLWRIGHT_")}  # noqa: TID251
    environment |= {"POOLWRIGHT_RUNS_DIR": str(folder / "r"), "PYTHONPATH": str(ROOT), "COLUMNS": "120"}
    with pytest.MonkeyPatch.context() as patch, virtual_display(patch) as screen:
        yield environment | {"DISPLAY": screen}


async def heard(process: Process, words: str) -> str:
    """Wait until the program says these words, and return all that it said; without words, until its end."""
    assert process.stdout is not None
    said = ""
    async for text in TextReceiveStream(process.stdout):
        said += text
        if words and words in said:
            return said
    if words:
        raise AssertionError(said)
    return said


def digests_below(folder: Path) -> dict[str, str]:
    """Name and SHA-256 of each PDF below a folder."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*.pdf")}


async def test_what_was_shown_is_noted_and_kept_when_the_window_is_closed(tmp_path: Path) -> None:
    with environment_with_screen(tmp_path) as environment:

        def act(keys: str, *, closes: bool = False) -> None:
            with SimulatedUser(environment["DISPLAY"]) as person:
                person.see("127.0.0.1")
                person.type("127.0.0.1", keys)
                if closes:
                    person.close("127.0.0.1")

        async with serving_taught(taught_portal("table")) as portal:
            command = [sys.executable, "-m", "poolwright", "portal", "learn", "acme", "--url", portal.url]
            async with await anyio.open_process(
                command, cwd=tmp_path, env=environment, stdin=DEVNULL, stdout=PIPE, stderr=PIPE
            ) as process:
                await heard(process, "on the login page press the first button")
                await anyio.to_thread.run_sync(act, f"{TO_THE_PANEL}\n")
                await heard(process, "Noted: login http://127.0.0.1")
                await anyio.to_thread.run_sync(lambda: act("", closes=True))
                assert process.stderr is not None
                errors = "".join([text async for text in TextReceiveStream(process.stderr)])
                code = await process.wait()

    assert code == ExitCode.USAGE, errors
    assert "there is no page for a page after the login" in errors
    assert 'type="password"' in (tmp_path / "acme.pages" / "01-login.html").read_text(encoding="utf-8")
    assert not (tmp_path / "acme.toml").exists()
    assert list((tmp_path / "r").glob("*")) == []


async def show_all(teacher: Teacher) -> None:
    """Log in and show each page, with the keys Tab and Enter; at the end name an order to try the pack on."""
    numbers = list(teacher.portal.orders)
    await teacher.note(FIRST, f"{TO_THE_PANEL}\n", "Noted: login")
    await teacher.note(SIGN_ON, "\t" * (LINKS + HOME) + "\n", "Noted: home", at="/start")
    # Each row has two links; from the button, Tab goes backwards to the first one.
    rows = 2 * len(teacher.portal.orders[numbers[0]].files)
    keys = "\t" * (LINKS + rows + WITH) + "\n" + "\v" * (rows + WITH - 1) + "\n"
    await teacher.note(f"/orders/{numbers[0]}", keys, f"Noted: order {numbers[0]}, Offer 1.pdf")
    await teacher.note(f"/orders/{numbers[2]}", "\t" * (LINKS + WITHOUT) + "\n", "without attachments")
    missing = teacher.portal.missing
    await teacher.note(f"/orders/{missing}", "\t" * (LINKS + MISSING) + "\n", "Noted: not found")
    keys = "\t" * (LINKS + NUMBER) + f"{numbers[4]}{TO_TRY}\n"
    await teacher.note("/start", keys, f"Noted: the pack will be tried on order {numbers[4]}")
    with SimulatedUser(teacher.screen) as person:
        person.type("loaded", "\t\n")


async def test_a_portal_that_was_shown_has_a_pack_that_is_proved_and_a_profile_that_runs(tmp_path: Path) -> None:
    portal = taught_portal("table")
    bookmark: list[str] = []
    portal.draw = with_bookmark(portal.draw, bookmark)
    with environment_with_screen(tmp_path) as environment:
        async with serving_taught(portal):
            program = [sys.executable, "-m", "poolwright"]
            command = [*program, "portal", "learn", "acme", "--url", portal.url, "--profile", "ours"]
            async with await anyio.open_process(
                command, cwd=tmp_path, env=environment, stdin=DEVNULL, stdout=PIPE, stderr=PIPE
            ) as process:
                await heard(process, "on the login page press the first button")
                await show_all(Teacher(environment["DISPLAY"], portal, process, bookmark))
                said = await heard(process, "")
                code = await process.wait()
            number = list(portal.orders)[5]
            run = [*program, "run", number, "--profile", "ours", "--out", "files"]
            done = await anyio.run_process(run, cwd=tmp_path, env=environment, check=False)

    assert code == ExitCode.DONE, said
    assert "login probe passed" in said
    (tried,) = [line.split() for line in said.splitlines() if line.lstrip().startswith("4500010005 ")]
    assert tried[:5] == ["4500010005", "ready", "3", "3", "3:"]
    assert "not sure: Only one order was tried" in said
    assert "wrong" not in said
    assert "Next: poolwright run LIST --profile ours" in said
    assert done.returncode == ExitCode.DONE, done.stdout + done.stderr
    order = portal.orders[number]
    wanted = {name: hashlib.sha256(order.content(name)).hexdigest() for name in order.files}
    assert digests_below(tmp_path / "files") == wanted
    assert list((tmp_path / "r").glob("*")) == []
