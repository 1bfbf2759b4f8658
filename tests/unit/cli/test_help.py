"""Help: what a new user reads. Its whole text is in docs/cli.md, and ``test_docs`` compares the two."""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner

from poolwright.cli.main import app
from poolwright.cli.options import SERVICE_SETTINGS, SETTING_OPTIONS
from poolwright.settings import Settings, setting_help
from poolwright.version import __version__
from tests.support.commands import Command


def test_every_setting_with_a_flag_is_an_option_of_run_or_serve(command: Command) -> None:
    of_run, of_serve = command("run", "--help").stdout, command("serve", "--help").stdout

    for name in Settings.model_fields:
        assert (name in SETTING_OPTIONS) == bool(setting_help(name).flags), name
        for flag in filter(None, "/".join(setting_help(name).flags).split("/")):
            whole = re.compile(rf"{flag}\b(?!-)")
            assert whole.search(of_serve), flag
            assert bool(whole.search(of_run)) == (name not in SERVICE_SETTINGS), flag


def test_secrets_have_no_flag() -> None:
    assert not setting_help("user").flags
    assert not setting_help("password").flags


def test_options_stand_below_their_headings(command: Command) -> None:
    text = command("run", "--help").stdout

    headings = ["Arguments:", "Orders:", "Portal and profile:", "Browsers:", "Running:", "Output:", "Options:"]
    places = [text.index(f"\n{heading}\n") for heading in headings]
    assert places == sorted(places)


@pytest.mark.parametrize("arguments", [(), ("profile",), ("portal",)])
def test_a_command_without_its_word_shows_the_help(arguments: tuple[str, ...], command: Command) -> None:
    result = command(*arguments)

    assert result.exit_code == 2
    assert "Commands:" in result.output


def test_a_wrong_word_gets_the_nearest(command: Command) -> None:
    result = command("docter")

    assert result.exit_code == 2
    assert "doctor" in result.stderr


def test_the_version(command: Command) -> None:
    assert command("--version").stdout == f"poolwright {__version__}\n"


def test_help_keeps_to_a_narrow_terminal() -> None:
    text = CliRunner().invoke(app, ["run", "--help"], env={"COLUMNS": "70"}, terminal_width=70).stdout

    assert max(len(line) for line in text.splitlines() if not line.startswith("    ")) <= 75
