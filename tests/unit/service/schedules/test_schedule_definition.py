"""What an entry becomes: orders for the daemon's queue, or a run of its own with options of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from poolwright.cli.options import RUN_SETTINGS
from poolwright.domain.errors import OptionsError
from poolwright.service.batch import ListOptions
from poolwright.service.schedules.schedule_definition import Schedule, schedules_from_settings
from poolwright.settings import Settings, load_settings, setting_help, variable_name


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(variable_name(name), raising=False)


def made(settings: dict[str, Any] | None = None, /, **changes: Any) -> Schedule:  # noqa: ANN401 - fields by name
    table = {"name": "nightly", "cron": "0 6 * * *", "timezone": "Europe/Berlin", "file": "list.csv", **changes}
    return schedules_from_settings(load_settings({**(settings or {}), "schedules": [table]}))[0]


def switches() -> set[str]:
    """The flags of settings that are on or off, such as ``--headless/--headed``."""
    return {flag for name in RUN_SETTINGS if "/" in (flag := setting_help(name).flags[0])}


def options_of(schedule: Schedule) -> dict[str, str]:
    assert schedule.own is not None
    each = {word for flag in switches() for word in flag.split("/")}
    words = [word for word in schedule.own.options if word not in each]
    return dict(zip(words[::2], words[1::2], strict=True))


def test_an_entry_without_profile_folder_and_template_goes_to_the_queue() -> None:
    schedule = made(deadline_minutes=1.5)

    assert schedule.own is None
    assert schedule.deadline_s == 90
    assert made(profile="default").own is None, "it names the daemon's own profile"


@pytest.mark.parametrize(
    ("change", "flag", "value"),
    [
        ({"profile": "other"}, "--profile", "other"),
        ({"out": "elsewhere"}, "--out", "elsewhere"),
        ({"folder_template": "{number}"}, "--folder-template", "{number}"),
        ({"portal": "acme"}, "--portal", "acme"),
    ],
)
def test_each_of_profile_folder_and_template_makes_a_run_of_its_own(
    change: dict[str, str], flag: str, value: str
) -> None:
    options = options_of(made({}, **change))

    assert options[flag] == value
    assert options["--out"] == change.get("out", str(Path("downloads", "schedules", "nightly")))


def test_a_run_of_its_own_gets_every_setting_of_the_daemon_that_a_run_has() -> None:
    schedule = made({"workers": 3, "headless": False, "log_file": "one.jsonl"}, profile="other", column="#2", sheet="S")
    assert schedule.own is not None
    options = options_of(schedule)

    flags = {setting_help(name).flags[0] for name in RUN_SETTINGS} - {"--browser-path"} - switches()
    missing = flags - options.keys()
    assert missing == {"--packs-dir", "--folder-template"}, "what the daemon was not told, the run finds by itself"
    own = {*schedule.own.options}
    assert {"--headed", "--keep-hours", "--keep-archives", "--keep-mails", "--no-mail-pdf"} <= own
    assert all(len(own & {*flag.split("/")}) == 1 for flag in switches()), "each is either on or off"
    assert options["--workers"] == "3"
    assert options["--log-file"] == str(schedule.own.out / ".poolwright" / "log.jsonl"), "two programs, two logs"
    assert (options["--column"], options["--sheet"]) == ("#2", "S")


def test_a_run_of_its_own_gets_the_packs_and_the_template_that_the_daemon_was_told() -> None:
    options = options_of(made({"packs_dir": "/srv/packs", "folder_template": "{year}/{number}"}, profile="other"))

    assert options["--packs-dir"] == "/srv/packs"
    assert options["--folder-template"] == "{year}/{number}"


def test_orders_of_the_queue_are_looked_at_again_and_grouped_as_the_entry_says() -> None:
    assert made().options == ListOptions()
    assert made(refresh=True, group_by="Plant").options == ListOptions(is_refresh=True, group_by="Plant")


def test_a_run_of_its_own_looks_again_and_forms_groups_too() -> None:
    given = {"group_by": "Company", "group_limit": 5}

    plain, own = options_of(made(given, profile="other")), made(given, profile="other", refresh=True, group_by="Plant")

    assert (plain["--group-by"], plain["--group-limit"]) == ("Company", "5")
    assert options_of(made(given, profile="other", group_by=""))["--group-by"] == ""
    assert own.own is not None
    assert "--refresh" in own.own.options
    assert own.own.options[own.own.options.index("--group-by") + 1] == "Plant"


def test_a_portal_of_its_own_has_its_own_address() -> None:
    given = {"portal": "coupa", "base_url": "https://one.example"}

    options = options_of(made(given, portal="packs/acme.toml"))

    assert (options["--portal"], options["--base-url"]) == ("packs/acme.toml", "")


def test_another_profile_says_itself_which_portal_it_is_for() -> None:
    given = {"portal": "coupa", "base_url": "https://one.example"}

    assert options_of(made(given, profile="other"))["--portal"] == ""
    assert options_of(made(given, profile="other"))["--base-url"] == ""
    assert options_of(made(given, out="elsewhere"))["--base-url"] == "https://one.example"


def test_a_folder_belongs_to_one_run_at_a_time() -> None:
    with pytest.raises(OptionsError, match="'nightly' has out 'downloads', which belongs to the daemon"):
        made(out="downloads")


def test_a_template_that_cannot_be_read_is_told_with_its_entry() -> None:
    with pytest.raises(OptionsError, match="In the schedule 'nightly'"):
        made(folder_template="../{number}")


def test_a_command_is_shown_without_its_arguments() -> None:
    assert str(made(file=None, command=["export", "--password", "hunter2"]).source) == "output of export"
