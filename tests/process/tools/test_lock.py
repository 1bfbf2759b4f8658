"""The pinned lists answer to pyproject.toml."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what the lock reads, to change."""
    for folder in ("tools", "requirements"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def check(project: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "tools/lock.py", "--check"], cwd=project, capture_output=True, text=True, check=False
    )


def rewrite(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_lists_answer_to_the_project_file(project: Path) -> None:
    done = check(project)

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("old", "new", "late"),
    [
        ("dependencies = [", 'dependencies = [\n  "one-more>=1",', "runtime, dev"),
        ("dev = [", 'dev = [\n  "one-more>=1",', "dev"),
        ('requires = ["hatchling==', 'requires = ["hatchling>=', "install"),
        ('requires-python = ">=3.11"', 'requires-python = ">=3.12"', "runtime, install, dev"),
    ],
)
def test_a_change_of_what_is_asked_for_makes_its_lists_late(project: Path, old: str, new: str, late: str) -> None:
    rewrite(project / "pyproject.toml", old, new)

    done = check(project)

    assert done.returncode == 1
    assert done.stdout == f"requirements/: {late} no longer match pyproject.toml; run `make lock`.\n"


def test_a_list_that_is_not_there_is_late(project: Path) -> None:
    (project / "requirements/dev.txt").unlink()

    assert check(project).returncode == 1
