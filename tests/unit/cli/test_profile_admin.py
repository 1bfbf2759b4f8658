"""``poolwright profile seal|accept|restore|remove``: what is done, what is told, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from poolwright.cli.process_exit import ExitCode
from poolwright.files.locks import FileLock
from poolwright.profile.backups import latest_backup, seal_base
from poolwright.profile.base import check_base
from poolwright.profile.damage import damage_mark_path, mark_damaged, read_damage_mark
from poolwright.profile.repository import ProfileRepository
from poolwright.profile.seal import read_seal
from tests.support.commands import Command
from tests.support.profile_folders import fingerprint, make_base, write

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def base(profile: Path) -> Path:
    """The base of the profile ``default``, not sealed yet."""
    return make_base(profile)


def test_sealing_tells_what_is_sealed_and_where_the_copy_lies(command: Command, base: Path) -> None:
    result = command("profile", "seal", "default")

    assert result.exit_code == ExitCode.DONE
    assert read_seal(base) is not None
    assert "Profile default is sealed: 6 files" in result.stdout
    assert "2 cookies for 1 site" in result.stdout
    assert (latest_backup(base) or base).name in result.stdout


def test_a_marked_profile_is_not_sealed_but_accepted(command: Command, base: Path) -> None:
    mark_damaged(base, "A cookie was gone.", NOON)

    refused = command("profile", "seal", "default")
    accepted = command("profile", "accept", "default")

    assert refused.exit_code == ExitCode.PROFILE
    assert "poolwright profile accept default" in refused.stderr
    assert accepted.exit_code == ExitCode.DONE
    assert "The damage mark of 23 Nov 2026 at 12:00 UTC is removed" in accepted.stdout
    assert read_damage_mark(base) is None
    assert check_base(base).seal is not None


@pytest.mark.parametrize("content", [b"", b"{}", b'{"schema": 1, "found_at": "yesterday", "why": ""}', b"\xff\x00"])
def test_a_mark_that_is_not_valid_is_resolved_by_the_commands_that_its_sentence_names(
    command: Command, base: Path, content: bytes
) -> None:
    seal_base(base, now=NOON)
    mark = write(damage_mark_path(base), content)
    refused = command("profile", "seal", "default")
    accepted = command("profile", "accept", "default")
    write(mark, content)
    restored = command("profile", "restore", "default")

    assert refused.exit_code == ExitCode.PROFILE
    assert "poolwright profile accept default" in refused.stderr
    assert accepted.exit_code == ExitCode.DONE, accepted.stderr
    assert "The damage mark without a valid reason is removed" in accepted.stdout
    assert restored.exit_code == ExitCode.DONE, restored.stderr
    assert not mark.exists()


def test_a_mark_of_a_newer_version_is_not_accepted(command: Command, base: Path) -> None:
    mark = write(damage_mark_path(base), b'{"schema": 2}')

    result = command("profile", "accept", "default")

    assert result.exit_code == ExitCode.PROFILE
    assert "written by a newer version" in result.stderr
    assert mark.exists()


def test_nobody_can_accept_what_no_browser_reads(command: Command, base: Path) -> None:
    mark_damaged(base, "It was broken.", NOON)
    write(base / "Local State", b"nonsense")

    assert command("profile", "accept", "default").exit_code == ExitCode.PROFILE
    assert read_damage_mark(base) is not None


def test_restoring_tells_where_the_old_base_lies(command: Command, base: Path) -> None:
    seal_base(base, now=NOON)
    write(base / "Default/Cookies", b"nonsense")
    mark_damaged(base, "It was broken.", NOON)

    result = command("profile", "restore", "default")

    (aside,) = base.parent.glob("base.damaged-*Z")
    assert result.exit_code == ExitCode.DONE
    assert aside.name in result.stdout
    assert "is restored as sealed on 23 Nov 2026 at 12:00 UTC" in result.stdout
    assert (aside / "Default/Cookies").read_bytes() == b"nonsense"
    assert check_base(base).cookies_count == 2


def test_nothing_is_restored_where_no_copy_was_kept(command: Command, base: Path) -> None:
    result = command("profile", "restore", "default")

    assert result.exit_code == ExitCode.PROFILE
    assert "There is no backup" in result.stderr


def test_a_profile_is_removed_when_the_person_says_yes(command: Command, base: Path) -> None:
    refused = command("profile", "remove", "default", stdin="n\n")
    kept = base.is_dir()
    removed = command("profile", "remove", "default", stdin="y\n")

    assert "Remove profile default for demo" in refused.stdout
    assert (refused.exit_code, kept) == (ExitCode.STOPPED, True)
    assert removed.exit_code == ExitCode.DONE
    assert not base.parent.exists()
    assert ProfileRepository(Path("profiles")).names() == ()


def test_without_an_answer_nothing_is_removed(command: Command, base: Path) -> None:
    assert command("profile", "remove", "default", stdin="").exit_code != ExitCode.DONE
    assert base.is_dir()


def test_yes_removes_without_asking_a_broken_profile_too(command: Command, base: Path) -> None:
    write(base.parent / "profile.toml", b"?")
    mark_damaged(base, "It was broken.", NOON)

    result = command("profile", "remove", "default", "--yes")

    assert (result.exit_code, result.stdout) == (ExitCode.DONE, "Profile default is removed.\n")
    assert not base.parent.exists()


@pytest.mark.parametrize("what", ["seal", "accept", "restore", "remove"])
def test_a_profile_that_a_browser_or_a_command_has_is_left_alone(command: Command, base: Path, what: str) -> None:
    seal_base(base, now=NOON)
    lock = FileLock(base.with_name("base.lock"))
    assert lock.acquire()

    result = command("profile", what, "default", *(["--yes"] if what == "remove" else []))

    lock.release()
    assert result.exit_code == ExitCode.PROFILE
    assert "another poolwright command" in result.stderr
    assert base.is_dir()


@pytest.mark.parametrize(
    "what", ["create", "login", "show", "verify", "seal", "accept", "restore", "remove", "clone-check"]
)
@pytest.mark.parametrize("is_named_by_path", [True, False])
def test_the_folder_of_an_everyday_browser_is_refused_with_the_way_out(
    command: Command, monkeypatch: pytest.MonkeyPatch, program: Path, what: str, is_named_by_path: bool
) -> None:
    everyday = program / "home/.config/google-chrome"
    make_base(everyday / "mine/base")
    monkeypatch.setenv("HOME", str(program / "home"))
    monkeypatch.setenv("DISPLAY", ":99")
    named = [str(everyday / "Default")] if is_named_by_path else ["mine", "--profiles-dir", str(everyday)]
    new = ["--portal", "demo", "--base-url", "http://127.0.0.1:9"] if what in {"create", "login"} else []
    before = fingerprint(everyday)

    result = command("profile", what, *named, *new)

    assert result.exit_code == ExitCode.PROFILE
    assert "belongs to an everyday browser" in result.stderr
    assert "poolwright profile login NAME" in result.stderr
    assert fingerprint(everyday) == before
