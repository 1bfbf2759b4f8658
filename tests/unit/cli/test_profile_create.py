"""``poolwright profile``: what is made, what is told, and that nothing is left of what failed."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from poolwright.cli.process_exit import ExitCode
from poolwright.cli.profile_admin import excluded_bytes
from poolwright.domain.errors import LoginRequiredError
from poolwright.domain.events import Level
from poolwright.domain.options import Sandbox, WorkerOptions
from poolwright.domain.ports import EventSink
from poolwright.profile.repository import ProfileRepository
from poolwright.service.pool_config import WorkerConfig
from tests.support.commands import BASE_URL, Command, portal_of
from tests.support.events import notice
from tests.support.profile_folders import make_base

CREATE = ("profile", "create", "mine", "--portal", "demo", "--base-url", BASE_URL)


@dataclass(kw_only=True)
class FakeBrowser:
    """Stands in for the worker that opens a base."""

    error: Exception | None = None
    seen: list[tuple[WorkerOptions, Path, Path]] = field(default_factory=list[tuple[WorkerOptions, Path, Path]])

    #: Where the cookies of each login were to be saved.
    kept: list[Path | None] = field(default_factory=list[Path | None])

    async def __call__(
        self,
        *,
        workers: WorkerConfig,
        base: Path,
        runs_root: Path,
        observe: EventSink,
        cookies_path: Path | None,
    ) -> None:
        self.kept.append(cookies_path)
        self.seen.append((workers.worker, base, runs_root))
        observe(notice("chatter"))
        observe(notice("the login took long", Level.WARNING))
        if self.error:
            raise self.error
        make_base(base)


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch, program: Path) -> FakeBrowser:
    fake = FakeBrowser()
    monkeypatch.setattr("poolwright.cli.login.make_base_profile", fake)
    return fake


def test_a_profile_is_made_for_its_portal(command: Command, browser: FakeBrowser) -> None:
    result = command(*CREATE)

    assert result.exit_code == ExitCode.DONE
    profile = ProfileRepository(Path("profiles")).find("mine")
    assert (profile.read().pack, profile.read().base_url) == ("demo", BASE_URL)
    ((worker, base, _),) = browser.seen
    assert base == profile.base_path
    assert portal_of(worker).base_url == BASE_URL
    assert worker.browser.sandbox is not Sandbox.AUTO


def test_without_a_login_the_next_step_is_told(command: Command, browser: FakeBrowser) -> None:
    told = command(*CREATE).stdout

    assert browser.kept == [None], "the cookies of a visitor are no login"
    assert "it is not logged in yet" in told
    assert "POOLWRIGHT_USER and POOLWRIGHT_PASSWORD" in told


def test_with_a_login_it_is_used_and_told(
    command: Command, browser: FakeBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POOLWRIGHT_USER", "anna")
    monkeypatch.setenv("POOLWRIGHT_PASSWORD", "hunter2")

    result = command(*CREATE)

    assert portal_of(browser.seen[0][0]).password.text == "hunter2"
    assert "logged in as anna, and sealed: 2 cookies for 1 site" in result.stdout
    assert "hunter2" not in result.output


def test_what_the_browser_says_is_told_when_it_matters(command: Command, browser: FakeBrowser) -> None:
    told = command(*CREATE).stdout

    assert "the login took long" in told
    assert "chatter" not in told


def test_nothing_is_left_of_a_profile_that_could_not_log_in(command: Command, browser: FakeBrowser) -> None:
    browser.error = LoginRequiredError("The password is wrong.")

    result = command(*CREATE)

    assert result.exit_code == ExitCode.LOGIN
    assert "The password is wrong." in result.stderr
    assert ProfileRepository(Path("profiles")).names() == ()
    assert not Path("profiles/mine").exists()


def test_an_existing_profile_is_left_alone(command: Command, browser: FakeBrowser) -> None:
    command(*CREATE)

    result = command(*CREATE)

    assert result.exit_code == ExitCode.PROFILE
    assert ProfileRepository(Path("profiles")).names() == ("mine",)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("profile", "create"), ExitCode.USAGE, "NAME"),
        (("profile", "create", "mine"), ExitCode.USAGE, "is for: coupa, demo"),
        (("profile", "create", "mine", "--portal", "x.toml"), ExitCode.USAGE, "there is no file x.toml"),
        (("profile", "create", "mine", "--portal", "coupa"), ExitCode.USAGE, "--base-url"),
        (
            ("profile", "create", "../mine", "--portal", "demo", "--base-url", BASE_URL),
            ExitCode.PROFILE,
            "is not a valid profile name",
        ),
        (("profile", "clone-check", "none-such"), ExitCode.PROFILE, "none-such"),
    ],
)
def test_what_cannot_be_is_refused(
    arguments: tuple[str, ...], code: ExitCode, words: str, command: Command, browser: FakeBrowser
) -> None:
    result = command(*arguments)

    assert result.exit_code == code
    assert words in result.stderr
    assert browser.seen == []


def test_a_base_that_no_browser_opened_is_no_good_for_clones(command: Command, profile: Path) -> None:
    result = command("profile", "clone-check", "default", "--runs-dir", "r")

    assert result.exit_code == ExitCode.PROFILE
    assert "no profile that a browser wrote" in result.stderr
    assert list(Path("r").iterdir()) == [], "nothing is left of the attempt"


def test_a_clone_check_marks_no_damage(command: Command, program: Path) -> None:
    """It decides nothing: only a run, or a person, does."""
    base = make_base(program / "profiles" / "default" / "base")
    (base.parent / "profile.toml").write_text('schema = 1\npack = "demo"\nbase_url = "http://127.0.0.1"\n')
    (base / "Default" / "Cookies").write_bytes(b"garbage")

    result = command("profile", "clone-check", "default", "--runs-dir", "r")

    assert result.exit_code == ExitCode.PROFILE
    assert not list(base.parent.glob("*.damaged.json"))


def test_what_clones_do_without_is_summed_up(tmp_path: Path) -> None:
    for name, size in (
        ("Default/Cache/a", 10),
        ("Default/Cache/deep/b", 5),
        ("Default/Cookies", 100),
        ("Default/LOG", 3),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * size)
    (tmp_path / "SingletonLock").symlink_to("nowhere")

    left_out = excluded_bytes(tmp_path)

    assert left_out["Default/Cache"] == 15
    assert left_out["Default/LOG"] == 3
    assert "Default/Cookies" not in left_out
