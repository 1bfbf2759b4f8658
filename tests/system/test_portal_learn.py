"""`poolwright portal learn --url`: the whole program opens a window, whose panel a person uses."""

from __future__ import annotations

import os
import sys
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
from tests.support.taught_portals import serving_taught, taught_portal

pytestmark = [needs_chromium, needs_xvfb, pytest.mark.timeout(240)]

#: User, password and button of the login page, then the panel: "move", and its first button.
TO_THE_PANEL = "\t" * 5


async def heard(process: Process, words: str) -> None:
    """Wait until the program says these words."""
    assert process.stdout is not None
    said = ""
    async for text in TextReceiveStream(process.stdout):
        said += text
        if words in said:
            return
    raise AssertionError(said)


async def test_what_was_shown_is_noted_and_kept_when_the_window_is_closed(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("POOLWRIGHT_")}  # noqa: TID251
    environment |= {"POOLWRIGHT_RUNS_DIR": str(tmp_path / "r"), "PYTHONPATH": str(ROOT), "COLUMNS": "120"}
    with pytest.MonkeyPatch.context() as patch, virtual_display(patch) as display:

        def act(keys: str, *, closes: bool = False) -> None:
            with SimulatedUser(display) as person:
                person.see("127.0.0.1")
                person.type("127.0.0.1", keys)
                if closes:
                    person.close("127.0.0.1")

        async with serving_taught(taught_portal("table")) as portal:
            command = [sys.executable, "-m", "poolwright", "portal", "learn", "acme", "--url", portal.url]
            async with await anyio.open_process(
                command, cwd=tmp_path, env=environment | {"DISPLAY": display}, stdin=DEVNULL, stdout=PIPE, stderr=PIPE
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
