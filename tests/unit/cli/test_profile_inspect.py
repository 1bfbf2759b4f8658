"""``poolwright profile list|show|verify``: how profiles stand, and that looking changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from poolwright.cli.process_exit import ExitCode
from poolwright.domain.errors import PoolError
from poolwright.profile.backups import seal_base
from poolwright.profile.base import check_base
from poolwright.profile.damage import mark_damaged
from poolwright.profile.in_use import write_locked
from poolwright.profile.repository import NamedProfile, ProfileFile, ProfileRepository
from poolwright.profile.seal import seal_path
from tests.support.commands import Command
from tests.support.profile_folders import fingerprint, make_base, make_cookies, write

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

Harm = Callable[[Path], object]


@pytest.fixture
def coupa(program: Path) -> NamedProfile:
    """A profile that is logged in and sealed."""
    made = ProfileRepository(program / "profiles").create("coupa", ProfileFile(pack="coupa", base_url="https://x.test"))
    make_base(made.base_path)
    seal_base(made.base_path, now=NOON, browser_version="156.0")
    return made


def mark(base: Path) -> None:
    mark_damaged(base, "A cookie was gone.", NOON)


def test_the_list_tells_what_a_person_asks_first(command: Command, coupa: NamedProfile) -> None:
    result = command("profile", "list")

    assert result.exit_code == ExitCode.DONE
    row = "coupa coupa https://x.test 23 Nov 2026 12:00 2 fit"
    assert " ".join(result.stdout.splitlines()[1].split()) == row


@pytest.mark.parametrize("width", [20, 25, 30])
@pytest.mark.usefixtures("coupa")
def test_the_list_loses_nothing_in_a_narrow_terminal(
    command: Command, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))

    assert command("profile", "list").stdout.splitlines() == [
        "name: coupa",
        "portal: coupa",
        "address: https://x.test",
        "sealed: 23 Nov 2026 12:00",
        "cookies: 2",
        "state: fit",
    ]


@pytest.mark.usefixtures("coupa")
def test_an_address_of_any_length_hides_no_other_column(command: Command, program: Path) -> None:
    path = program / "profiles" / "coupa" / "profile.toml"
    address = f"https://{'portal.' * 20}test"
    path.write_text(path.read_text().replace("https://x.test", address))

    told = command("profile", "list").stdout

    assert f"address: {address}" in told
    assert "state: fit" in told


@pytest.mark.parametrize("width", [20, 30])
@pytest.mark.usefixtures("coupa")
def test_the_details_lose_nothing_in_a_narrow_terminal(
    command: Command, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    whole = command("profile", "show", "coupa").stdout
    monkeypatch.setenv("COLUMNS", str(width))

    narrow = command("profile", "show", "coupa").stdout

    assert "\u2026" not in narrow
    assert "".join(narrow.split()) == "".join(whole.split())


@pytest.mark.parametrize(
    ("harm", "state", "words"),
    [
        (mark, "marked", "A cookie was gone."),
        (lambda base: write(base / "Default/Preferences", b"{} "), "damaged", "Default/Preferences changed"),
        (lambda base: write(base / "Local State", b"nonsense"), "damaged", "Local State"),
        (lambda base: write(base.parent / "profile.toml", b"?"), "unreadable", "is not TOML"),
        (
            lambda base: [
                path.unlink()
                for path in (
                    seal_path(base),
                    *(base / one for one in ("Local State", "Default/Preferences", "Default/Cookies")),
                )
            ],
            "empty",
            "holds no profile",
        ),
        (
            lambda base: [(base / name).unlink() for name in ("Local State", "Default/Preferences")],
            "damaged",
            "Local State is missing",
        ),
        (lambda base: make_cookies(base / "Default/Cookies2", []).replace(base / "Default/Cookies"), "damaged", ""),
    ],
    ids=["marked", "other than sealed", "broken", "file", "never opened", "settings gone", "cookies gone"],
)
def test_a_profile_that_no_run_can_use_is_told_with_its_reason(
    command: Command, coupa: NamedProfile, harm: Harm, state: str, words: str
) -> None:
    harm(coupa.base_path)
    before = fingerprint(coupa.path)

    listed, shown, verified = (
        command("profile", *typed) for typed in (["list"], ["show", "coupa"], ["verify", "coupa"])
    )

    assert listed.stdout.splitlines()[1].endswith(state)
    assert words in listed.stdout
    assert state in shown.stdout
    assert words in verified.stdout
    assert verified.exit_code == ExitCode.PROFILE
    assert fingerprint(coupa.path) == before, "looking changes nothing"


def test_a_profile_that_another_command_has_is_in_use(command: Command, coupa: NamedProfile) -> None:
    with write_locked(coupa.base_path):
        assert command("profile", "list").stdout.splitlines()[1].endswith("in use")
        assert command("profile", "verify", "coupa").exit_code == ExitCode.PROFILE


def test_no_profile_yet_is_told_with_the_way_to_the_first_one(command: Command, program: Path) -> None:
    assert "poolwright profile login NAME" in command("profile", "list").stdout


def test_show_tells_cookies_by_site_seal_and_copy(command: Command, coupa: NamedProfile) -> None:
    told = command("profile", "show", "coupa").stdout

    assert "coupa at https://x.test" in told
    assert "23 Nov 2026 at 12:00 UTC, written by browser 156.0" in told
    assert "base.good-20261123T120000000000Z" in told
    assert "2 cookies for 1 site" in told
    assert "portal.test     2" in told


def test_programs_get_objects(command: Command, coupa: NamedProfile) -> None:
    listed = json.loads(command("profile", "list", "--json").stdout)
    shown = json.loads(command("profile", "show", "coupa", "--json").stdout)

    assert listed == {
        "type": "profile",
        "name": "coupa",
        "portal": "coupa",
        "base_url": "https://x.test",
        "folder": "profiles/coupa",
        "sealed_at": "2026-11-23T12:00:00+00:00",
        "cookies_count": 2,
        "state": "fit",
        "why": "",
    }
    assert shown["cookies"] == {"portal.test": 2}


def test_a_fit_profile_is_verified_check_by_check(command: Command, coupa: NamedProfile) -> None:
    result = command("profile", "verify", "coupa", "--json")

    checks = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == ExitCode.DONE
    assert [(check["name"], check["level"]) for check in checks] == [
        (name, "ok") for name in ("profile.toml", "mark", "base", "seal", "backup")
    ]


def test_an_unsealed_profile_passes_with_a_warning(command: Command, coupa: NamedProfile) -> None:
    seal_path(coupa.base_path).unlink()

    result = command("profile", "verify", "coupa")

    assert result.exit_code == ExitCode.DONE
    assert "warn seal" in result.stdout
    assert "poolwright profile seal coupa" in result.stdout


def test_every_finding_is_told_not_the_first_alone(command: Command, coupa: NamedProfile) -> None:
    mark(coupa.base_path)
    write(coupa.base_path / "Default/New")
    write(coupa.path / "base.good-20261123T120000000000Z/Default/Preferences", b"{}")

    told = command("profile", "verify", "coupa").stdout

    assert "fail mark" in told
    assert "Default/New is new" in told
    assert "warn backup       damaged: Default/Preferences changed" in told


@pytest.mark.parametrize(
    "harm",
    [
        lambda base: None,
        mark,
        lambda base: write(base / "Default/New"),
        lambda base: write(base / "Local State", b""),
        lambda base: write(base / "Default/Cookies", b""),
        lambda base: (base / "Default/Local Storage/leveldb/CURRENT").unlink(),
        lambda base: seal_path(base).write_text("{}"),
        lambda base: seal_path(base).unlink(),
    ],
    ids=["nothing", "marked", "new file", "settings", "cookies", "storage", "seal broken", "unsealed"],
)
def test_verify_says_what_a_run_would_say(command: Command, coupa: NamedProfile, harm: Harm) -> None:
    harm(coupa.base_path)
    try:
        check_base(coupa.base_path)
        expected = ExitCode.DONE
    except PoolError:
        expected = ExitCode.PROFILE

    assert command("profile", "verify", "coupa").exit_code == expected
