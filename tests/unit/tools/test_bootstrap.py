"""Set-up of a fresh machine: what is there is kept, what is missing is got in order, and the last word is a way out."""

from __future__ import annotations

import sys
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tools import bootstrap


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder whose .venv has been set up for the tests."""
    (tmp_path / "requirements").mkdir()
    for name in ("pyproject.toml", "requirements/install.txt", "requirements/runtime.txt", "requirements/dev.txt"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "VENV_PYTHON", Path(sys.executable))
    monkeypatch.setattr(bootstrap, "STAMP", tmp_path / "stamp")
    bootstrap.STAMP.write_text(f"{tmp_path}\n{bootstrap.digest('test')}\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The purposes that packages were installed for; nothing is really installed."""
    purposes: list[str] = []
    monkeypatch.setattr(bootstrap, "make_environment", lambda: None)
    monkeypatch.setattr(bootstrap, "install_packages", purposes.append)
    monkeypatch.setattr(bootstrap, "prepare_driver", lambda: None)
    return purposes


@pytest.mark.parametrize("purpose", ["test", "demo"])
@pytest.mark.usefixtures("house")
def test_a_second_run_installs_nothing(purpose: str, installed: list[str]) -> None:
    bootstrap.prepare_environment(purpose)

    assert installed == []


@pytest.mark.parametrize("changed", ["pyproject.toml", "requirements/install.txt", "requirements/dev.txt"])
def test_a_changed_list_installs_once(house: Path, changed: str, installed: list[str]) -> None:
    (house / changed).write_text("changed", encoding="utf-8")

    bootstrap.prepare_environment("test")
    bootstrap.prepare_environment("test")

    assert installed == ["test"]


def test_what_the_demo_needs_is_not_enough_for_the_tests(house: Path, installed: list[str]) -> None:
    bootstrap.STAMP.write_text(f"{house}\n{bootstrap.digest('demo')}\n", encoding="utf-8")

    bootstrap.prepare_environment("test")

    assert installed == ["test"]


def test_a_moved_folder_is_set_up_again(house: Path, installed: list[str]) -> None:
    bootstrap.STAMP.write_text(f"{house}-before\n{bootstrap.digest('test')}\n", encoding="utf-8")

    bootstrap.prepare_environment("test")

    assert installed == ["test"]


def test_a_set_up_that_broke_off_is_begun_again(
    house: Path, installed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(_purpose: str) -> None:
        raise bootstrap.SetupError("no network")

    (house / "pyproject.toml").write_text("changed", encoding="utf-8")
    with monkeypatch.context() as patch:
        patch.setattr(bootstrap, "install_packages", break_off)
        with pytest.raises(bootstrap.SetupError):
            bootstrap.prepare_environment("test")

    bootstrap.prepare_environment("test")

    assert installed == ["test"]


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ways to a browser in the order of being tried. The test adds `browser` where one is to be found."""
    tried: list[str] = []

    def install(package: str) -> str:
        tried.append(f"package {package}")
        return "E: no such package"

    monkeypatch.setattr(bootstrap, "find_browser", lambda: "/opt/chrome" if "browser" in tried else None)
    monkeypatch.setattr(bootstrap, "download_browser", lambda: tried.append("download"))
    monkeypatch.setattr(bootstrap, "apt_install", install)
    return tried


def test_a_browser_of_the_machine_is_taken_as_it_is(ways: list[str]) -> None:
    ways.append("browser")

    assert bootstrap.prepare_browser() == "/opt/chrome"
    assert ways == ["browser"]


def test_a_missing_browser_is_downloaded(ways: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "download_browser", lambda: ways.extend(["download", "browser"]))

    assert bootstrap.prepare_browser() == "/opt/chrome"
    assert ways == ["download", "browser"]


def test_without_a_download_the_system_is_asked_and_then_the_user(ways: list[str]) -> None:
    with pytest.raises(bootstrap.SetupError, match=r"(?s)E: no such package.*install Google Chrome"):
        bootstrap.prepare_browser()

    assert ways == ["download", "package chromium"]


@pytest.mark.parametrize(("starts", "steps"), [(True, ["install"]), (False, ["install", "install-deps"])])
def test_a_downloaded_browser_that_does_not_start_gets_its_libraries(
    monkeypatch: pytest.MonkeyPatch, starts: bool, steps: list[str]
) -> None:
    done: list[str] = []

    def run(*command: object, **_options: object) -> CompletedProcess[str]:
        done.append(str(command[3]))
        return CompletedProcess([], returncode=0, stdout="")

    monkeypatch.setattr(bootstrap, "run", run)
    monkeypatch.setattr(bootstrap, "find_browser", lambda: "/cache/chrome" if starts else None)

    bootstrap.download_browser()

    assert done == steps


@pytest.mark.usefixtures("only_path")
def test_without_apt_nothing_is_tried() -> None:
    assert bootstrap.apt_install("xvfb") == ""


def test_an_old_python_gets_a_sentence(only_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not list(only_path.iterdir())
    monkeypatch.setattr(sys, "version_info", (3, 9, 6))

    with pytest.raises(bootstrap.SetupError, match=r"Python 3\.11 or newer is needed; this is 3\.9"):
        bootstrap.require_python()


def test_an_unknown_purpose_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["bootstrap.py", "everything"])

    assert bootstrap.main() == 2
    assert capsys.readouterr().out.startswith("usage:")
