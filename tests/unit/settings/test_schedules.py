"""``[[schedules]]`` at the border: what is taken, and one sentence for each mistake that names its entry."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from poolwright.domain.errors import OptionsError
from poolwright.settings import MissedRunPolicy, OverlapPolicy, Settings, load_settings, variable_name
from poolwright.settings.schedule_entry import find_zone, system_zone

GOOD = {"name": "nightly", "cron": "0 6 * * *", "file": "list.csv"}


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(variable_name(name), raising=False)


def refusal(*tables: object) -> list[str]:
    with pytest.raises(OptionsError) as caught:
        load_settings({"schedules": list(tables)})
    return str(caught.value).splitlines()


def test_tables_of_the_file_become_entries() -> None:
    Path("poolwright.toml").write_text(
        "[[schedules]]\nname = 'nightly'\ncron = '30  6 * * MON-FRI'\ntimezone = 'Europe/Berlin'\n"
        "command = ['python3', 'export.py']\ndeadline_minutes = 90\nmissed = 'run'\noverlap = 'queue'\n"
        "[[schedules]]\nname = 'weekly'\ncron = '0 7 * * 1'\nglob = '~/lists/*.xlsx'\nprofile = 'other'\n"
    )

    nightly, weekly = load_settings().schedules

    assert nightly.cron == "30 6 * * MON-FRI"
    assert nightly.zone == ZoneInfo("Europe/Berlin")
    assert nightly.command == ("python3", "export.py")
    assert (nightly.deadline_minutes, nightly.missed, nightly.overlap) == (90, MissedRunPolicy.RUN, OverlapPolicy.QUEUE)
    assert (weekly.profile, weekly.missed, weekly.overlap) == ("other", MissedRunPolicy.SKIP, OverlapPolicy.SKIP)


def test_the_environment_may_say_them_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOLWRIGHT_SCHEDULES", '[{"name": "a", "cron": "0 6 * * *", "file": "x.csv"}]')

    assert [entry.name for entry in load_settings().schedules] == ["a"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"cron": "@daily"}, "In the schedule 'nightly', cron is '@daily'; it must be 5 fields"),
        ({"cron": "0 0 6 * * *"}, "cron is '0 0 6 * * *'; it must be 5 fields"),
        ({"cron": "61 6 * * *"}, "cron is '61 6 * * *'"),
        ({"cron": "0 0 30 2 *"}, "that match a date"),
        ({"timezone": "Mars/Olympus"}, "timezone is 'Mars/Olympus'; it must be an IANA name such as Europe/Berlin"),
        ({"timezone": "../../etc/passwd"}, "timezone is"),
        ({"timezone": "Europe"}, "timezone is 'Europe'"),
        ({"command": "export.py --all"}, "In the schedule 'nightly', command is 'export.py --all'; it must be a list"),
        ({"file": "~nobody-here/list.csv"}, "In the schedule 'nightly', file is '~nobody-here/list.csv'; it must be "),
        ({"out": ""}, "In the schedule 'nightly', out is ''; it must be "),
        ({"deadline_minutes": 0}, "deadline_minutes is 0; it must be a number above 0"),
        ({"missed": "maybe"}, "missed is 'maybe'; it must be skip or run"),
        ({"overlap": "run"}, "overlap is 'run'; it must be skip or queue"),
        ({"name": "../up"}, "In the schedule '../up', name is '../up'; it must be 1 to 40 letters"),
        ({"name": "a\n"}, "name is 'a\\n'"),
        ({"glob": "*.csv"}, "The schedule 'nightly' has file and glob; give exactly one of file, glob and command."),
        ({"file": None}, "The schedule 'nightly' has no input; give exactly one of file, glob and command."),
        (
            {"when": "later"},
            "In the schedule 'nightly', when is not a setting of a schedule; the settings are name, cron",
        ),
    ],
)
def test_each_mistake_is_a_sentence_with_its_entry(change: dict[str, object], expected: str) -> None:
    lines = refusal({"name": "fine", "cron": "0 6 * * *", "file": "x"}, {**GOOD, **change})

    assert len(lines) == 1
    assert expected in lines[0]


def test_an_entry_without_a_name_is_told_by_its_place() -> None:
    assert refusal(GOOD, {"cron": "0 6 * * *", "file": "x"})[0].startswith("In schedule number 2, name is missing")
    assert refusal("0 6 * * *")[0].startswith("Schedule number 1 is '0 6 * * *'; it must be a table")


def test_names_and_folders_belong_to_one_entry() -> None:
    assert "2 schedules are named 'nightly'" in refusal(GOOD, {**GOOD, "name": "NIGHTLY"})[0]
    one, two = ({**GOOD, "name": name, "out": "same"} for name in "ab")
    assert "2 schedules have out 'same'" in refusal(one, two)[0]


def test_something_else_than_a_list_is_told() -> None:
    with pytest.raises(OptionsError, match=r"schedules is 'daily'; it must be a list of tables \[\[schedules\]\]"):
        load_settings({"schedules": "daily"})


def test_the_zone_of_the_system_is_that_of_its_variable_then_that_of_its_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", ":America/Sao_Paulo")
    assert system_zone() == ZoneInfo("America/Sao_Paulo")
    monkeypatch.delenv("TZ")
    if os.name != "posix":
        assert system_zone() is None
        return
    zones = tmp_path / "zoneinfo" / "Europe"
    zones.mkdir(parents=True)
    (zones / "Berlin").touch()
    (tmp_path / "localtime").symlink_to(zones / "Berlin")
    assert system_zone(tmp_path / "localtime") == ZoneInfo("Europe/Berlin")
    assert system_zone(tmp_path / "none") is UTC


def test_a_zone_that_was_copied_still_has_its_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TZ", raising=False)
    rules = Path("/usr/share/zoneinfo/Europe/Berlin")
    if not rules.is_file():
        pytest.skip("no zones on this system")
    (tmp_path / "localtime").write_bytes(rules.read_bytes())

    zone = system_zone(tmp_path / "localtime")

    assert datetime(2026, 7, 1, tzinfo=zone).utcoffset() == timedelta(hours=2)


def test_an_entry_needs_a_zone_where_the_system_tells_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("poolwright.settings.schedule_entry.system_zone", lambda: None)

    assert "The schedule 'nightly' has no timezone, and the system's own is unknown" in refusal(GOOD)[0]
    load_settings({"schedules": [{**GOOD, "timezone": "Europe/Berlin"}]})


def test_a_name_that_is_no_zone_is_none() -> None:
    assert find_zone("/etc/passwd") is None
    assert find_zone("") is None
