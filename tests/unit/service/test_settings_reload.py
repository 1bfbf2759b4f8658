"""Settings that are read again: limits act at once, the rest is told, and a wrong file changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.domain.errors import OptionsError
from poolwright.service.daemon.settings_reload import compare_settings, reload_settings
from poolwright.settings import Settings, load_settings, setting_help, variable_name


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(variable_name(name), raising=False)


def test_limits_act_at_once_and_the_rest_waits_for_a_restart() -> None:
    running = load_settings()
    Path("poolwright.toml").write_text("max_attempts = 5\nworkers = 4\nretention_days = 30\nheadless = false\n")

    done = reload_settings(running, {})

    assert done.sentences == (
        "workers was changed from '2' to '4'; takes effect after a restart of the daemon.",
        "headless was changed from true to false; takes effect after a restart of the daemon.",
        "max_attempts was changed from '3' to '5'; in effect now.",
        "retention_days was changed from '0' to '30'; in effect now.",
    )
    assert (done.settings.max_attempts, done.settings.retention_days) == (5, 30)
    assert (done.settings.workers, done.settings.headless) == (2, True)


def test_what_waits_for_a_restart_is_told_at_each_reload_and_what_acts_only_once() -> None:
    running = load_settings()
    Path(".env").write_text("POOLWRIGHT_MAX_ATTEMPTS=5\nPOOLWRIGHT_WORKERS=4\n")

    again = reload_settings(reload_settings(running, {}).settings, {})

    assert [change.name for change in again.changes] == ["workers"]


def test_nothing_new_is_told_as_such() -> None:
    running = load_settings()

    assert reload_settings(running, {}).sentences == ("No setting was changed.",)
    assert reload_settings(running, {}).settings == running


def test_the_command_line_that_started_it_still_wins() -> None:
    running = load_settings({"max_attempts": 2})
    Path("poolwright.toml").write_text("max_attempts = 5\n")

    assert reload_settings(running, {"max_attempts": 2}).changes == ()


def test_a_wrong_file_is_refused_whole() -> None:
    running = load_settings()
    Path("poolwright.toml").write_text("retention_days = 30\nmax_attempts = 50\n")

    with pytest.raises(OptionsError, match="max_attempts"):
        reload_settings(running, {})


@pytest.mark.parametrize("name", ["password", "totp_secret"])
def test_a_secret_is_told_without_its_value(name: str) -> None:
    done = compare_settings(load_settings({name: "old-hunter"}), load_settings({name: "new-hunter"}))

    assert done.sentences == (f"{name} was changed; takes effect after a restart of the daemon.",)
    assert "hunter" not in repr(done.changes)


def test_an_address_that_is_taken_away_is_told() -> None:
    done = compare_settings(load_settings({"base_url": "https://portal.example"}), load_settings())

    assert "from 'https://portal.example' to nothing" in done.sentences[0]


def test_each_setting_that_acts_at_once_is_taken_over() -> None:
    others = {
        "task_timeout_s": 7.0,
        "max_attempts": 7,
        "shutdown_timeout_s": 7.0,
        "retention_days": 7,
        "memory_threshold": 0.7,
        "recycle_after_tasks": 7,
        "recycle_after_minutes": 7.0,
        "schedules": [{"name": "nightly", "cron": "1 2 * * *", "file": "orders.xlsx"}],
    }
    running, wanted = load_settings(), load_settings(others)
    done = compare_settings(running, wanted)

    assert {change.name for change in done.changes if change.acts_at_once} == others.keys()
    assert all(setting_help(name).acts_at_once for name in others)
    assert done.settings == wanted
