"""Set-up of a fresh machine by the programs that it finds there; shell scripts stand for them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tools import bootstrap

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="shell scripts stand for browsers")


def program(folder: Path, name: str, script: str) -> Path:
    """Put a program of a few shell words on disk."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@posix_only
def test_a_driver_that_lacks_a_library_gets_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    library = tmp_path / "library"

    def install(package: str) -> str:
        asked.append(package)
        library.touch()
        return ""

    monkeypatch.setattr(bootstrap, "VENV_PYTHON", program(tmp_path / "bin", "python", f"test -f {library}"))
    monkeypatch.setattr(bootstrap, "apt_install", install)

    bootstrap.prepare_driver()
    bootstrap.prepare_driver()

    assert asked == ["libatomic1"]


@posix_only
def test_a_driver_that_never_starts_is_told_with_its_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "VENV_PYTHON", program(tmp_path / "bin", "python", "echo no such library; exit 127"))
    monkeypatch.setattr(bootstrap, "apt_install", lambda _package: "")

    with pytest.raises(bootstrap.SetupError, match=r"(?s)no such library.*apt-get install libatomic1"):
        bootstrap.prepare_driver()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("browser_path = '/no/such/browser'", "/no/such/browser.*which is not an executable program"),
        ("workers = 99", "workers is.*99.*from 1 to 8"),
    ],
)
def test_settings_that_stand_in_the_way_of_a_browser_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: str, words: str
) -> None:
    (tmp_path / "poolwright.toml").write_text(settings, encoding="utf-8")
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "VENV_PYTHON", Path(sys.executable))

    with pytest.raises(bootstrap.SetupError, match=words):
        bootstrap.find_browser()


@posix_only
def test_a_browser_is_found_as_the_program_finds_it(
    tmp_path: Path, only_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "VENV_PYTHON", Path(sys.executable))
    chrome = program(only_path, "google-chrome", "echo Chrome 1.2")

    found = bootstrap.find_browser()
    program(only_path, "google-chrome", "exit 127")

    assert found == str(chrome)
    assert bootstrap.find_browser() is None


@posix_only
@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no such thing as root")
@pytest.mark.parametrize(("user", "prefix"), [(0, ""), (1000, "sudo -n ")])
def test_system_packages_are_installed_as_root_without_a_password(
    only_path: Path, monkeypatch: pytest.MonkeyPatch, user: int, prefix: str
) -> None:
    log = only_path / "log"
    program(only_path, "apt-get", "")
    monkeypatch.setattr(os, "geteuid", lambda: user)
    program(only_path, "true", "")
    program(only_path, "sudo", f'echo "sudo $*" >> {log}')
    program(only_path, "env", f'echo "$*" >> {log}')

    bootstrap.apt_install("xvfb")

    lines = log.read_text(encoding="utf-8").splitlines()
    assert lines[-2].startswith(prefix)
    assert lines[-2].endswith("apt-get -qq update")
    assert "apt-get install -y" in lines[-1]
    assert lines[-1].endswith(" xvfb")
