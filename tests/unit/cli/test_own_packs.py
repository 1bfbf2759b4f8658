"""A portal pack of one's own works in every command alike, named by its file or by its name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.main import get_command

from poolwright.cli.main import COMMANDS, PROGRAM_NAME, app
from poolwright.cli.process_exit import ExitCode
from poolwright.profile.repository import ProfileRepository
from poolwright.service.portals.portal_config import resolve_new_portal_config
from poolwright.settings import load_settings
from tests.support.commands import BASE_URL, Command, FakeRun, portal_of
from tests.support.profile_folders import make_base
from tests.unit.portal.authoring import written

#: Commands that need a portal.
PORTAL_COMMANDS = (
    "run",
    "serve",
    "doctor",
    "profile create",
    "profile login",
    "profile import-state",
    "profile promote",
    "profile verify",
    "profile set-pack",
    "journal adopt",
    "report",
)


@pytest.fixture(name="own")
def _own(program: Path) -> Path:
    """A profile for a pack of one's own; returns its folder."""
    (program / "packs").mkdir()
    (program / "packs" / "acme.toml").write_text(written(), encoding="utf-8")
    settings = load_settings({"profile": "mine", "portal": "packs/acme.toml", "base_url": BASE_URL})
    _, pack = resolve_new_portal_config(settings)
    profile = ProfileRepository(settings.profiles_dir).create("mine", pack.content, pack.copy)
    make_base(profile.base_path)
    return profile.path


def options_of(name: str) -> set[str]:
    """The options of a command."""
    command = get_command(app)
    context = command.make_context(PROGRAM_NAME, [], resilient_parsing=True)
    for word in name.split():
        command = command.get_command(context, word)  # pyright: ignore[reportAttributeAccessIssue]
        context = command.make_context(word, [], parent=context, resilient_parsing=True)
    return {option for parameter in command.params for option in parameter.opts}


@pytest.mark.parametrize("name", COMMANDS)
def test_whatever_takes_a_portal_knows_where_packs_are(name: str) -> None:
    is_one = name in PORTAL_COMMANDS
    assert (is_one, is_one) == ("--portal" in options_of(name), {"--portal", "--packs-dir"} <= options_of(name))


def test_a_run_takes_the_pack_of_the_profile_and_says_how_folders_are_called(
    command: Command, own: Path, fake_run: FakeRun
) -> None:
    result = command("run", "PO123", "123", "--profile", "mine")

    (job,) = fake_run.jobs
    assert result.exit_code == ExitCode.DONE, result.output
    assert '"name":"acme"' in portal_of(job.pool.worker).pack_json
    assert job.template == "{number}"
    assert "The folders of orders are called {number}" in " ".join(result.output.split())


@pytest.mark.parametrize("reference", [("acme", "--packs-dir", "packs"), ("packs/acme.toml",), ("./packs/acme.toml",)])
def test_a_portal_is_named_alike_by_name_and_by_file(
    command: Command, own: Path, fake_run: FakeRun, reference: tuple[str, ...]
) -> None:
    for arguments in (("run", "123", "--dry-run", "--profile", "mine"), ("profile", "verify", "mine")):
        result = command(*arguments, "--portal", *reference)
        assert result.exit_code == ExitCode.DONE, result.output
    assert command("portal", "lint", *reference).exit_code == ExitCode.DONE
    assert command("portal", "show", *reference).exit_code == ExitCode.DONE


def test_the_settings_file_names_a_portal_as_the_option_does(command: Command, own: Path, fake_run: FakeRun) -> None:
    Path("poolwright.toml").write_text('packs_dir = "packs"\nportal = "acme"\nprofile = "mine"\n')

    assert command("run", "123").exit_code == ExitCode.DONE
    assert '"name":"acme"' in portal_of(fake_run.jobs[0].pool.worker).pack_json


def test_a_dry_run_tells_what_the_run_would(command: Command, own: Path) -> None:
    (own / "pack.toml").write_text(written({"title": "New"}), encoding="utf-8")

    told = " ".join(command("run", "123", "--dry-run", "--profile", "mine").stdout.split())

    assert "has changed since the profile mine took it" in told
    assert "The folders of orders are called {number}" in told


def test_the_changed_pack_is_shown_until_it_is_confirmed(command: Command, own: Path) -> None:
    (own / "pack.toml").write_text(written({"title": "New"}), encoding="utf-8")

    before = command("profile", "verify", "mine")
    confirmed = command("profile", "set-pack", "mine")
    shown = " ".join(command("profile", "show", "mine").stdout.split())

    assert (before.exit_code, confirmed.exit_code) == (ExitCode.DONE, ExitCode.DONE)
    assert "warn profile.toml" in before.stdout
    assert f"is for {BASE_URL} now, with the pack acme of profiles/mine/pack.toml; runs need" in confirmed.stdout
    assert "pack profiles/mine/pack.toml, copied from" in shown
    source = "is not the same as the profile's copy"
    assert source in command("profile", "verify", "mine").stdout


STALE = "is not the same as the profile's copy of it"


@pytest.fixture(name="changed_file")
def _changed_file(program: Path, own: Path) -> Path:
    """The file of the pack was changed after the profile took it."""
    path = program / "packs" / "acme.toml"
    path.write_text(written({"title": "New"}), encoding="utf-8")
    return path


def test_a_file_that_was_changed_later_is_a_warning_at_both_ends_of_a_run_and_in_its_report(
    command: Command, changed_file: Path, fake_run: FakeRun
) -> None:
    result = command("run", "123", "--profile", "mine")

    lines = [line for line in result.output.splitlines() if STALE in line and "this weighs" not in line]
    assert result.exit_code == ExitCode.DONE, result.output
    assert [line.partition(":")[0] for line in lines] == ["warning", "warning"]
    assert result.stdout.rstrip().splitlines()[-1] == lines[-1]
    assert f"`poolwright profile set-pack mine --portal {changed_file}` takes it" in lines[-1]
    (notice,) = fake_run.jobs[0].orders.notices
    assert STALE in notice


def test_programs_get_the_warning_once_with_its_level(command: Command, changed_file: Path, fake_run: FakeRun) -> None:
    lines = [json.loads(line) for line in command("run", "123", "--profile", "mine", "--json").stdout.splitlines()]

    (told,) = [line for line in lines if STALE in line.get("text", "")]
    assert (told["type"], told["level"]) == ("notice", "warning")


def test_a_dry_run_has_it_as_json_too(command: Command, changed_file: Path) -> None:
    content = json.loads(command("run", "123", "--profile", "mine", "--dry-run", "--json").stdout)

    assert STALE in content["notices"][0]


def test_once_the_profile_has_the_changed_file_nothing_is_told(
    command: Command, changed_file: Path, fake_run: FakeRun
) -> None:
    command("profile", "set-pack", "mine", "--portal", str(changed_file))

    result = command("run", "123", "--profile", "mine")

    assert STALE not in result.output
    assert fake_run.jobs[0].orders.notices == ()


def test_another_pack_for_a_profile_is_told_with_what_follows(command: Command, own: Path) -> None:
    result = command("profile", "set-pack", "mine", "--portal", "coupa")

    assert result.exit_code == ExitCode.DONE
    assert f"It was for acme at {BASE_URL}" in result.stdout
    assert "journal adopt" in result.stdout
    assert ProfileRepository(Path("profiles")).find("mine").read().pack == "coupa"


def test_another_address_for_a_profile_is_told_with_what_follows(command: Command, own: Path) -> None:
    result = command("profile", "set-pack", "mine", "--base-url", "https://new.example")
    again = command("profile", "set-pack", "mine", "--base-url", "https://NEW.example/")

    assert result.exit_code == again.exit_code == ExitCode.DONE
    assert "is for https://new.example now" in result.stdout
    assert "journal adopt" in result.stdout
    assert "journal adopt" not in again.stdout, "it is the same one"
    assert ProfileRepository(Path("profiles")).find("mine").read().pack == "acme"


def test_a_run_at_another_address_than_the_profiles_says_so(command: Command, own: Path, fake_run: FakeRun) -> None:
    command("run", "123", "--profile", "mine", "--base-url", "https://other.example")

    (notice,) = fake_run.jobs[0].orders.notices
    assert notice.startswith(f"The profile mine is for {BASE_URL}; https://other.example is used here")


def test_a_template_that_was_given_is_strict(command: Command, own: Path) -> None:
    result = command("run", "123", "--profile", "mine", "--folder-template", "{supplier}/{number}")

    assert result.exit_code == ExitCode.USAGE
    assert "uses the unknown field {supplier}" in result.stderr
