"""The command line takes every command that a page shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.pages import PAGES, commands_of
from tests.unit.deploy.spoken import understood

#: The container's page has a test of its own, and the help of all commands is drawn from the commands.
OWN_TEST = {"container.md", "cli.md"}
SHOWN = sorted({tuple(words) for page in PAGES if page.name not in OWN_TEST for words in commands_of(page)})


@pytest.mark.parametrize("arguments", SHOWN, ids=" ".join)
def test_the_program_takes_every_command(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert understood(arguments).startswith("poolwright ")


def test_the_main_commands_are_shown() -> None:
    shown = {arguments[0] for arguments in SHOWN}

    assert {"run", "serve", "submit", "profile", "schedule", "doctor"} <= shown
