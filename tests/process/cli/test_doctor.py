"""``poolwright doctor``: one line for each thing, and an exit code for scripts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from poolwright.cli.process_exit import ExitCode
from poolwright.profile.session_cookies import SessionCookies
from tests.support.commands import Command

NAMES = [
    *("program", "browser", "sandbox", "memory", "shared mem", "fonts", "clock", "locale"),
    *("open files", "proxy", "certificates"),
    *("output", "runs folder", "temp folder", "home", "profiles", "profile"),
]


def checks(command: Command, *options: str) -> tuple[dict[str, dict[str, str]], int]:
    result = command("doctor", "--json", *options)
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    return {line["name"]: line for line in lines}, result.exit_code


def test_everything_is_looked_at_and_nothing_changed(command: Command, program: Path) -> None:
    told, code = checks(command, "--sandbox", "off")

    assert list(told) == [*NAMES[:3], "start", *NAMES[3:]]
    assert "starts and closes normally" in told["start"]["found"]
    assert code == ExitCode.DONE, "what is missing here is told as a drawback only"
    assert list(program.iterdir()) == []


def test_people_get_a_line_for_each_thing_with_what_to_do(command: Command) -> None:
    result = command("doctor", "--no-start")

    lines = result.stdout.splitlines()
    assert [line[5:17].strip() for line in lines] == NAMES
    assert "poolwright profile login default" in lines[-1]


def test_a_missing_browser_fails(command: Command, program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(program))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(program))
    monkeypatch.setattr("poolwright.system.browsers._usual_paths", lambda locations: iter(()))

    told, code = checks(command)

    assert code == ExitCode.NOT_ALL_DONE
    assert told["browser"]["level"] == "fail"
    assert "playwright install chromium" in told["browser"]["found"]
    assert "sandbox" not in told


def test_a_browser_that_does_not_start_fails(command: Command, program: Path) -> None:
    broken = program / "chrome"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)

    told, code = checks(command, "--browser", str(broken))

    assert (told["browser"]["level"], code) == ("fail", ExitCode.NOT_ALL_DONE)


@pytest.mark.usefixtures("profile")
def test_a_login_that_a_headless_shell_would_lose_a_part_of_is_told(
    command: Command, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the browser that is chosen for it, and the reason."""
    for name in ("chromium", "chromium-headless-shell"):
        (program / name).write_text("#!/bin/sh\necho Browser 1.2\n")
        (program / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(program))
    monkeypatch.setattr("poolwright.system.browsers._usual_paths", lambda locations: iter(()))
    monkeypatch.setattr("poolwright.system.browsers.SHELL_ON_PATH", (("chromium-headless-shell", None),))
    cookies = SessionCookies(count=2, copied_count=1)
    for module in ("poolwright.cli.doctor", "poolwright.service.pool_config"):
        monkeypatch.setattr(f"{module}.count_session_cookies", lambda base, now: cookies)

    chosen, _ = checks(command)
    wanted, _ = checks(command, "--browser", "headless-shell")

    assert f"{program / 'chromium'} " in chosen["browser"]["found"]
    assert "would lose a cookie without an expiry" in chosen["browser"]["found"]
    assert (chosen["login"]["level"], wanted["login"]["level"]) == ("ok", "warn")
    assert str(program / "chromium-headless-shell") in wanted["browser"]["found"]


@pytest.mark.parametrize(
    ("options", "name", "word"),
    [
        (("--workers", "8", "--tabs", "3"), "memory", "8 workers with 3 tabs"),
        (("--out", "elsewhere/below"), "output", "elsewhere/below"),
        (("--runs-dir", "/tmp/x"), "runs folder", "/tmp/x"),
        (("--sandbox", "off"), "sandbox", "off: as configured"),
        (("--profile", "mine"), "profile", "no profile mine"),
    ],
)
def test_options_say_what_to_look_at(options: tuple[str, ...], name: str, word: str, command: Command) -> None:
    assert word in checks(command, *options, "--no-start")[0][name]["found"]


def test_an_output_that_cannot_be_written_fails(command: Command) -> None:
    told, _ = checks(command, "--out", "/proc/none", "--no-start")

    assert told["output"]["level"] == "fail"


@pytest.mark.usefixtures("profile")
def test_a_profile_that_no_browser_opened_fails(command: Command) -> None:
    told, code = checks(command, "--no-start")

    assert (told["profile"]["level"], code) == ("fail", ExitCode.NOT_ALL_DONE)
    assert "no profile that a browser wrote" in told["profile"]["found"]


def test_other_profiles_are_named(command: Command, profile: Path) -> None:
    told, _ = checks(command, "--profile", "mine", "--no-start")

    assert "existing profiles: default" in told["profile"]["found"]
