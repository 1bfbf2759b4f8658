"""``poolwright schedule list`` and ``next``: what the settings say, without a daemon."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from poolwright.cli.process_exit import ExitCode
from poolwright.concurrency import SystemClock
from tests.support.commands import Command

NOW = datetime.fromisoformat("2026-10-24T20:00:00+00:00")
TABLES = """
[[schedules]]
name = "nightly"
cron = "30 2 * * *"
timezone = "Europe/Berlin"
file = "orders.csv"

[[schedules]]
name = "hourly"
cron = "0 * * * *"
timezone = "America/Sao_Paulo"
command = ["export", "--key", "hunter2"]
profile = "other"
deadline_minutes = 30
"""


@pytest.fixture
def settings(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (program / "poolwright.toml").write_text(TABLES)
    monkeypatch.setattr(SystemClock, "now", lambda _: NOW)


def test_every_entry_is_a_row_with_its_next_fire(settings: None, command: Command) -> None:
    lines = command("schedule", "list").stdout.splitlines()

    assert lines[0].split() == ["name", "cron", "time", "zone", "list", "profile", "next"]
    assert "orders.csv" in lines[1]
    assert "default" in lines[1]
    assert lines[1].rstrip().endswith("Sun 25 Oct 2026 02:30 CEST")
    assert lines[-1] == "hourly: runs in a separate process, into downloads/schedules/hourly"
    assert "hunter2" not in "".join(lines)


@pytest.mark.parametrize("width", [20, 25, 30])
def test_no_part_of_an_entry_is_lost_in_a_narrow_terminal(
    settings: None, command: Command, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))

    lines = command("schedule", "list").stdout.splitlines()

    assert lines[:6] == [
        "name: nightly",
        "cron: 30 2 * * *",
        "time zone: Europe/Berlin",
        "list: orders.csv",
        "profile: default",
        "next: Sun 25 Oct 2026 02:30 CEST",
    ]
    assert lines[6:8] == ["", "name: hourly"]


def test_for_programs_each_entry_is_an_object(settings: None, command: Command) -> None:
    nightly, hourly = map(json.loads, command("schedule", "list", "--json").stdout.splitlines())

    assert nightly["next_at"] == "2026-10-25T02:30:00+02:00"
    assert (nightly["profile"], nightly["out"], nightly["missed"], nightly["overlap"]) == (None, None, "skip", "skip")
    assert (hourly["profile"], hourly["deadline_minutes"]) == ("other", 30)


def test_the_profile_of_the_command_line_decides_what_runs_beside_the_daemon(settings: None, command: Command) -> None:
    told = command("schedule", "list", "--json", "--profile", "other", "--out", "files").stdout.splitlines()

    assert [json.loads(line)["profile"] for line in told] == [None, None]


def test_the_next_fires_of_all_come_by_their_time(settings: None, command: Command) -> None:
    lines = command("schedule", "next").stdout.splitlines()

    assert [line.split()[-1] for line in lines] == ["hourly"] * 4 + ["nightly"]
    assert lines[0] == "Sat 24 Oct 2026 18:00 -03  hourly"


def test_the_next_fires_of_one(settings: None, command: Command) -> None:
    result = command("schedule", "next", "nightly", "--count", "2", "--json")

    assert [json.loads(line)["at"] for line in result.stdout.splitlines()] == [
        "2026-10-25T02:30:00+02:00",
        "2026-10-26T02:30:00+01:00",
    ]


def test_a_name_that_is_not_there_is_told_with_those_that_are(settings: None, command: Command) -> None:
    result = command("schedule", "next", "weekly")

    assert result.exit_code == ExitCode.USAGE
    assert "no schedule 'weekly'; the settings have: nightly, hourly" in result.stderr


def test_where_there_is_none_the_next_step_is_told(command: Command) -> None:
    for arguments in (["schedule", "list"], ["schedule", "next"]):
        assert "Add a table [[schedules]]" in command(*arguments).stdout


def test_a_wrong_entry_is_told(program: Path, command: Command) -> None:
    (program / "poolwright.toml").write_text("[[schedules]]\nname = 'a'\ncron = 'often'\nfile = 'x'\n")

    result = command("schedule", "list")

    assert result.exit_code == ExitCode.USAGE
    assert "In the schedule 'a', cron is 'often'" in result.stderr
