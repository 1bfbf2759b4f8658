"""Commands in folders of another owner, as in a container whose mounts belong to somebody else: one clear sentence."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from poolwright.cli.process_exit import ExitCode
from tests.support.commands import BASE_URL, Command
from tests.support.other_user import become_other_user

pytestmark = pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0, reason="needs root to have folders of two owners"
)
PROFILE = f'schema = 1\npack = "demo"\nbase_url = "{BASE_URL}"\n'


@pytest.fixture
def mounted(command: Command, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that everybody can see and only root can write, with a profile in it."""
    with tempfile.TemporaryDirectory(prefix="mounted-") as name:
        folder = Path(name)
        (folder / "profiles/default/base").mkdir(parents=True)
        (folder / "profiles/default/profile.toml").write_text(PROFILE)
        (folder / "out").mkdir()
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)
        monkeypatch.chdir(folder)
        monkeypatch.setenv("HOME", "/root")
        for late in (("doctor", "--no-start"), ("serve", "--help")):
            command(*late)  # loads what is loaded late: the other user may not be able to
        yield folder


def said(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("arguments", [("run", "PO4500000001"), ("serve",)])
@pytest.mark.parametrize(
    ("place", "exit_code", "words"),
    [
        (
            "profiles",
            ExitCode.PROFILE,
            "can't be read: Permission denied, {} belongs to uid 0 and this program runs as",
        ),
        (
            "profiles/default",
            ExitCode.PROFILE,
            "can't be read: Permission denied, {} belongs to uid 0 and this program",
        ),
        (
            "profiles/default/profile.toml",
            ExitCode.PROFILE,
            "can't be read: Permission denied, {} belongs to uid 0 and",
        ),
    ],
)
def test_a_profile_of_another_owner_is_told_in_one_sentence(
    arguments: tuple[str, ...], place: str, exit_code: ExitCode, words: str, command: Command, mounted: Path
) -> None:
    (mounted / place).chmod(0)

    with become_other_user() as own:
        result = command(*arguments, "--profiles-dir", str(mounted / "profiles"), "--out", str(own / "out"))

    assert result.exit_code == exit_code
    assert words.format(mounted / place) in said(result.stderr)
    assert "chown -R 10001:10001" in said(result.stderr)
    assert isinstance(result.exception, SystemExit), "no traceback"


@pytest.mark.parametrize("arguments", [("run", "PO4500000001"), ("serve",)])
@pytest.mark.parametrize("place", ["out", "new"])
def test_an_output_folder_of_another_owner_is_told_in_one_sentence(
    arguments: tuple[str, ...], place: str, command: Command, mounted: Path
) -> None:
    with become_other_user():
        result = command(*arguments, "--profiles-dir", str(mounted / "profiles"), "--out", str(mounted / place))

    assert result.exit_code == ExitCode.RESOURCES, result.exc_info
    assert f"The output folder '{mounted / place}' cannot be written" in said(result.stderr)
    assert "belongs to uid 0 and this program runs as uid 10001" in said(result.stderr)
    assert f"chown -R 10001:10001 {mounted / place}" in said(result.stderr)
    assert isinstance(result.exception, SystemExit), "no traceback"


def test_the_doctor_tells_all_of_it(command: Command, mounted: Path) -> None:
    (mounted / "profiles/default").chmod(0o700)

    with become_other_user():
        result = command(
            "doctor", "--no-start", "--profiles-dir", str(mounted / "profiles"), "--out", str(mounted / "out")
        )

    lines = {line[5:17].strip(): line for line in result.stdout.splitlines()}
    assert result.exit_code == ExitCode.NOT_ALL_DONE
    for name in ("output", "profile"):
        assert lines[name].startswith("fail")
        assert "belongs to uid 0 and this program runs as uid 10001" in lines[name]
        assert "chown -R 10001:10001" in lines[name]
    assert lines["profiles"].startswith("warn")
