"""``poolwright demo``: whose settings count in it, and how it says what is not as expected. For real: ``test_real``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from poolwright.cli.demo import demo_settings, print_differences
from poolwright.cli.process_exit import ExitCode
from poolwright.demo.portal_client import PortalClient, PortalError
from poolwright.domain.outcomes import Outcome
from poolwright.settings import load_settings
from tests.support.commands import Command
from tests.unit.cli.test_demo_check import HOME, ORDER

PORTAL = PortalClient(url="http://127.0.0.1:9", admin_token="t", user="anna", password="hunter2", pid=1)


@pytest.mark.usefixtures("program")
def test_the_demo_takes_the_machines_settings_and_none_of_the_users_portal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "WORKERS": "3",
        "OUT": "precious",
        "PORTAL": "coupa",
        "BASE_URL": "https://real.example",
        "USER": "real",
        "PASSWORD": "real",
        "FOLDER_TEMPLATE": "{nothing}",
        "LOG_FILE": "precious.log",
    }.items():
        monkeypatch.setenv(f"POOLWRIGHT_{name}", value)

    settings = demo_settings(load_settings(), PORTAL, Path("demo-output"))

    assert settings.workers == 3
    assert (settings.out, settings.log_file) == (Path("demo-output"), None)
    assert settings.profiles_dir.is_relative_to("demo-output")
    assert (settings.portal, settings.base_url, settings.user) == ("demo", PORTAL.url, "anna")
    assert settings.password.get_secret_value() == "hunter2"
    assert settings.folder_template == "{supplier}/{number}"


def test_all_as_expected(capsys: pytest.CaptureFixture[str]) -> None:
    code = print_differences({"45": ORDER, "46": ORDER}, {"45": HOME, "46": HOME})

    assert code is ExitCode.DONE
    assert capsys.readouterr().out.startswith("2 of 2 orders as expected (")


def test_what_is_not_as_expected_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    found = {"45": HOME, "46": replace(HOME, outcome=Outcome.PARTIAL), "47": HOME}

    code = print_differences({"45": ORDER, "46": ORDER}, found)

    lines = capsys.readouterr().out.splitlines()
    assert code is ExitCode.NOT_ALL_DONE
    assert lines[0] == "46 is PARTIAL, expected COMPLETED"
    assert lines[1] == "47 was returned but is not in the list"
    assert lines[2].startswith("1 of 2 orders as expected")


def test_a_folder_that_no_demo_made_is_refused_before_anything_starts(command: Command, program: Path) -> None:
    (program / "thesis.docx").write_text("years of work")

    result = command("demo", "--out", ".")

    assert result.exit_code == ExitCode.USAGE
    assert "is not empty and was not created by a demo" in result.stderr
    assert [path.name for path in program.iterdir()] == ["thesis.docx"]


@pytest.mark.parametrize("count", ["0", "2001", "many"])
def test_the_number_of_orders_has_bounds(count: str, command: Command) -> None:
    assert command("demo", "--orders", count).exit_code == ExitCode.USAGE


def test_a_portal_that_does_not_start_is_a_sentence(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*, order_count: int) -> None:
        raise PortalError(f"The demo portal did not start: no room for {order_count} orders")

    monkeypatch.setattr("poolwright.cli.demo.running_portal", broken)

    result = command("demo")

    assert result.exit_code == ExitCode.RESOURCES
    assert "no room for 40 orders" in result.stderr
    assert "Traceback" not in result.output
