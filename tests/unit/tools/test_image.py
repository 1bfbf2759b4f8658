"""What ``make image-test`` decides before a container is there; the rest is proven by running it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tools import image
from tools.bootstrap import SetupError

SOURCES = """
Types: deb
# http://old.test/archive
URIs: http://mirror.test/debian
Suites: bookworm

Types: deb
URIs: http://mirror.test/debian-security
"""


def test_the_mirror_of_this_machine_is_used() -> None:
    assert image.mirrors([SOURCES]) == ["http://mirror.test/debian", "http://mirror.test/debian-security"]
    assert image.mirrors(["deb [signed-by=/k] https://m.test/debian bookworm main\n"]) == ["https://m.test/debian"]


def test_a_machine_without_a_mirror_is_told() -> None:
    with pytest.raises(SetupError, match="No address of Debian's archive"):
        image.mirrors(["# http://old.test/archive\n"])


def test_who_is_not_root_is_told_another_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    with pytest.raises(SetupError, match="docker build -t poolwright"):
        image.require_system()


def test_a_program_that_cannot_be_had_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(image, "PROGRAMS", {"sh": "dash", "no-such-program": "no-such-package"})
    monkeypatch.setattr(image, "apt_install", lambda *packages: asked.extend(packages) or "apt says no")

    with pytest.raises(SetupError, match=r"apt says no\nThese programs .*: no-such-program"):
        image.install_programs()
    assert asked == ["no-such-package"]


@pytest.mark.parametrize("is_kept", [True, False])
def test_the_lab_is_removed_unless_it_is_to_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_kept: bool
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # where podman is not installed yet, too

    with image.open_lab(tmp_path / "lab" if is_kept else None) as lab:
        (lab.folder / "store").mkdir()

    assert lab.folder.exists() is is_kept


def test_the_store_and_the_limits_are_the_lab_s_own(tmp_path: Path) -> None:
    lab = image.Lab(folder=tmp_path)

    image.configure(lab)

    assert f'graphroot = "{tmp_path}/store"' in (tmp_path / "storage.conf").read_text()
    assert 'runtime = "runc"' in (tmp_path / "containers.conf").read_text()
    assert lab.environment["CONTAINERS_CONF"] == str(tmp_path / "containers.conf")
