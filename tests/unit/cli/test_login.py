"""``poolwright profile login`` and ``import-state``: what is handed on, what is told, what is left of a failure."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

import pytest

from poolwright.cli.process_exit import ExitCode
from poolwright.concurrency import SystemClock
from poolwright.domain.errors import LoginRequiredError, SetupError
from poolwright.profile.backups import seal_base
from poolwright.profile.repository import ProfileFile, ProfileRepository
from poolwright.profile.seal import Seal
from poolwright.profile.session_cookies import SessionCookies
from poolwright.service.login_methods import ProfileLogin
from poolwright.service.pool_config import secret_texts
from poolwright.settings import load_settings
from tests.support.commands import BASE_URL, Command, portal_of
from tests.support.login_portals import pack_text
from tests.support.profile_folders import make_base

BASIC = '[login.http]\nscheme = "basic"\n'
TOKEN = '[login.header]\nname = "X-Key"\nvalue = "Bearer {token}"\n'
SIGN_ON = '[login.sign_on]\naddress = "/sso"\n'
NEW = ("--portal", "demo", "--url", BASE_URL)


@dataclass(kw_only=True)
class FakeOnboarding:
    """Stands in for the browsers: a base is there afterwards, sealed."""

    error: Exception | None = None
    seen: list[tuple[str, ProfileLogin]] = field(default_factory=list[tuple[str, ProfileLogin]])

    async def by_hand(self, job: ProfileLogin, **_: object) -> Seal:
        return self._done("hand", job)

    async def by_form(self, job: ProfileLogin) -> Seal:
        return self._done("form", job)

    async def by_state(self, job: ProfileLogin, _state: object) -> Seal:
        return self._done("state", job)

    def _done(self, way: str, job: ProfileLogin) -> Seal:
        self.seen.append((way, job))
        if self.error:
            raise self.error
        make_base(job.profile.base_path)
        return seal_base(job.profile.base_path, now=SystemClock().now())


@pytest.fixture(name="browsers")
def _browsers(monkeypatch: pytest.MonkeyPatch, program: Path) -> FakeOnboarding:
    fake = FakeOnboarding()
    monkeypatch.setattr("poolwright.service.login_methods.log_in_by_hand", fake.by_hand)
    monkeypatch.setattr("poolwright.service.login_methods.log_in_by_form", fake.by_form)
    monkeypatch.setattr("poolwright.service.login_methods.import_state", fake.by_state)
    monkeypatch.setenv("DISPLAY", ":99")
    (program / "state.json").write_text(
        json.dumps({"cookies": [{"name": "a", "value": "b", "domain": "x.test", "path": "/"}]})
    )
    return fake


@pytest.fixture(name="login")
def _login(monkeypatch: pytest.MonkeyPatch, program: Path) -> None:
    monkeypatch.setenv("POOLWRIGHT_USER", "anna")
    monkeypatch.setenv("POOLWRIGHT_PASSWORD", "hunter2")


def test_a_login_by_hand_makes_the_profile_and_tells_the_next_step(command: Command, browsers: FakeOnboarding) -> None:
    result = command("profile", "login", "mine", *NEW)

    ((way, job),) = browsers.seen
    assert result.exit_code == ExitCode.DONE, result.output
    assert (way, portal_of(job.workers.worker).base_url) == ("hand", BASE_URL)
    assert ProfileRepository(Path("profiles")).find("mine").read() == ProfileFile(pack="demo", base_url=BASE_URL)
    assert "Profile mine: 2 cookies for 1 site, login probe passed; sealed on" in result.stdout
    assert "Next: poolwright run LIST --profile mine" in result.stdout


@pytest.mark.parametrize(
    ("cookies", "words"),
    [
        (SessionCookies(), ""),
        (SessionCookies(count=2, copied_count=2), "2 cookies without an expiry, which a headless shell gets from the"),
        (SessionCookies(count=2, copied_count=1), "of which 1 has no copy beside the profile: a headless shell loses"),
    ],
)
def test_what_of_the_login_a_headless_shell_does_not_have_is_told(
    command: Command,
    browsers: FakeOnboarding,
    monkeypatch: pytest.MonkeyPatch,
    cookies: SessionCookies,
    words: str,
) -> None:
    monkeypatch.setattr("poolwright.cli.login.count_session_cookies", lambda base, now: cookies)

    told = command("profile", "login", "mine", *NEW).stdout

    assert browsers.seen
    assert words in told
    assert ("without an expiry" in told) is bool(words)


def test_a_profile_that_is_there_is_logged_in_again(command: Command, browsers: FakeOnboarding, profile: Path) -> None:
    result = command("profile", "login", "default")

    assert result.exit_code == ExitCode.DONE, result.output
    assert browsers.seen[0][1].profile.base_path.resolve() == profile


@pytest.mark.usefixtures("login")
def test_the_form_gets_user_and_password(command: Command, browsers: FakeOnboarding) -> None:
    result = command("profile", "login", "mine", "--form", *NEW)

    ((way, job),) = browsers.seen
    assert way == "form"
    assert (portal_of(job.workers.worker).user, portal_of(job.workers.worker).password.text) == ("anna", "hunter2")
    assert "hunter2" not in result.output


def test_the_form_gets_a_password_from_the_keyring(
    command: Command, browsers: FakeOnboarding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POOLWRIGHT_USER", "anna")
    monkeypatch.setattr("keyring.get_password", lambda service, name: f"{service}'s {name}")

    result = command("profile", "login", "mine", "--form", *NEW)

    job = browsers.seen[0][1]
    assert result.exit_code == ExitCode.DONE, result.output
    assert portal_of(job.workers.worker).password.text == "poolwright's anna"
    assert job.workers.totp_secret.text == "poolwright's anna/totp"


def test_a_password_that_nobody_knows_is_told_with_the_state_of_the_keyring(
    command: Command, browsers: FakeOnboarding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POOLWRIGHT_USER", "anna")
    monkeypatch.setattr("keyring.get_password", lambda *_: None)

    result = command("profile", "login", "mine", "--form", *NEW)

    assert (result.exit_code, browsers.seen) == (ExitCode.LOGIN, [])
    assert "keyring set poolwright anna" in result.stderr


def test_a_profile_is_made_for_a_pack_of_ones_own_and_knows_it_again(
    command: Command, browsers: FakeOnboarding, program: Path
) -> None:
    demo = (resources.files("poolwright.portal") / "packs" / "demo.toml").read_text(encoding="utf-8")
    (program / "own.toml").write_text(demo.replace('name = "demo"', 'name = "own"'))

    made = command("profile", "import-state", "mine", "state.json", "--portal", "own.toml", "--url", BASE_URL)
    run = command("run", "PO4500012345", "--profile", "mine", "--dry-run")

    profile = ProfileRepository(Path("profiles")).find("mine")
    content = profile.read()
    assert (made.exit_code, run.exit_code) == (ExitCode.DONE, ExitCode.DONE), made.output + run.output
    assert (content.pack, content.base_url, content.pack_file) == ("own", BASE_URL, "pack.toml")
    assert content.pack_source == str((program / "own.toml").resolve())
    assert (profile.path / "pack.toml").read_bytes() == (program / "own.toml").read_bytes()
    assert [portal_of(job.workers.worker).base_url for _, job in browsers.seen] == [BASE_URL]


def test_a_pack_that_lies_in_the_folder_of_the_profile_needs_no_option(
    command: Command, browsers: FakeOnboarding, program: Path
) -> None:
    demo = (resources.files("poolwright.portal") / "packs" / "demo.toml").read_text(encoding="utf-8")
    folder = program / "profiles" / "mine"
    folder.mkdir(parents=True)
    (folder / "own.toml").write_text(demo.replace('name = "demo"', 'name = "own"'))
    browsers.error = SetupError("The portal does not answer.")

    failed = command("profile", "login", "mine", "--url", BASE_URL)
    left = sorted(path.name for path in folder.iterdir())
    browsers.error = None
    made = command("profile", "login", "mine", "--url", BASE_URL)
    run = command("run", "PO4500012345", "--profile", "mine", "--dry-run")

    assert (failed.exit_code, left) == (ExitCode.RESOURCES, ["own.toml"]), "nothing of the user's is removed"
    assert (made.exit_code, run.exit_code) == (ExitCode.DONE, ExitCode.DONE), made.output + run.output
    assert ProfileRepository(Path("profiles")).find("mine").read().pack_file == "own.toml"


def test_a_profile_that_was_written_by_hand_is_logged_in(
    command: Command, browsers: FakeOnboarding, program: Path
) -> None:
    (program / "profiles" / "mine").mkdir(parents=True)
    (program / "profiles" / "mine" / "profile.toml").write_text(f'pack = "demo"\nbase_url = "{BASE_URL}"\n')

    result = command("profile", "login", "mine")

    assert result.exit_code == ExitCode.DONE, result.output
    assert len(browsers.seen) == 1


def own_pack(program: Path, login: str) -> tuple[str, ...]:
    """A pack of one's own, and how the commands are told of it."""
    (program / "own.toml").write_text(pack_text(login, ladder='"revisit"'), encoding="utf-8")
    return ("--portal", "own.toml", "--url", BASE_URL)


@pytest.mark.parametrize(
    ("rules", "given", "user", "header"),
    [
        (BASIC, {"USER": "anna", "PASSWORD": "hunter2"}, ("anna", "hunter2"), None),
        (
            BASIC,
            {"HTTP_USER": "ben", "HTTP_PASSWORD": "hunter3", "USER": "anna", "PASSWORD": "hunter2"},
            ("ben", "hunter3"),
            None,
        ),
        (BASIC, {"HTTP_USER": "ben", "HTTP_PASSWORD": "hunter3"}, ("ben", "hunter3"), None),
        (TOKEN, {"LOGIN_TOKEN": "tok-4711"}, ("", ""), ("X-Key", "Bearer tok-4711")),
        (SIGN_ON, {}, ("", ""), None),
    ],
)
def test_a_login_without_a_form_gets_what_is_set(  # noqa: PLR0917 - a table
    rules: str,
    given: dict[str, str],
    user: tuple[str, str],
    header: tuple[str, str] | None,
    command: Command,
    browsers: FakeOnboarding,
    program: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(f"POOLWRIGHT_{name}", value)

    result = command("profile", "login", "mine", "--form", *own_pack(program, rules))

    assert result.exit_code == ExitCode.DONE, result.output
    browser = browsers.seen[0][1].workers.worker.browser
    assert (browser.http_user, browser.http_password.text) == user
    assert (browser.header and (browser.header.name, browser.header.value.text)) == header
    assert browser.http_origin == BASE_URL
    assert not any(secret in result.output for secret in ("hunter2", "hunter3", "tok-4711"))


@pytest.mark.parametrize(
    ("rules", "given", "code", "words"),
    [
        (BASIC, {}, ExitCode.LOGIN, "POOLWRIGHT_USER and POOLWRIGHT_PASSWORD"),
        (TOKEN, {}, ExitCode.LOGIN, "No token is known: POOLWRIGHT_LOGIN_TOKEN is not set"),
        (TOKEN, {"LOGIN_TOKEN": "tök"}, ExitCode.USAGE, "has a letter that cannot be sent"),
        ("", {}, ExitCode.USAGE, "has no login form that Poolwright knows"),
    ],
)
def test_what_a_login_without_a_form_lacks_is_told(  # noqa: PLR0917 - a table
    rules: str,
    given: dict[str, str],
    code: ExitCode,
    words: str,
    command: Command,
    browsers: FakeOnboarding,
    program: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(f"POOLWRIGHT_{name}", value)
    monkeypatch.setattr("keyring.get_password", lambda *_: None)

    result = command("profile", "login", "mine", "--form", *own_pack(program, rules))

    assert (result.exit_code, browsers.seen) == (code, []), result.output
    assert words in result.stderr


def test_a_token_is_taken_out_of_logs() -> None:
    assert "tok-4711" in secret_texts(load_settings({"login_token": "tok-4711"}))


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("login", "mine"), ExitCode.USAGE, "say with --portal which portal it is for: coupa, demo"),
        (("login", "mine", "--portal", "coupa"), ExitCode.USAGE, "--base-url"),
        (("login", "mine", "--form", *NEW), ExitCode.LOGIN, "POOLWRIGHT_USER and POOLWRIGHT_PASSWORD"),
        (("login", "../mine", *NEW), ExitCode.PROFILE, "is not a valid profile name"),
        (("import-state", "mine", "none.json", *NEW), ExitCode.USAGE, "none.json can't be read"),
        (("import-state", "mine", "state.json"), ExitCode.USAGE, "--portal"),
        (("login", "mine", "--portal", "demo", "--url", "ftp://x"), ExitCode.USAGE, "base_url"),
    ],
)
def test_what_cannot_be_is_refused_before_a_browser_starts(
    command: Command, browsers: FakeOnboarding, arguments: tuple[str, ...], code: ExitCode, words: str
) -> None:
    result = command("profile", *arguments)

    assert (result.exit_code, browsers.seen) == (code, [])
    assert words in result.stderr
    assert not Path("profiles/mine").exists()


@pytest.mark.usefixtures("login")
@pytest.mark.parametrize(
    ("arguments", "error", "is_kept"),
    [
        (("login", "mine"), LoginRequiredError("The login does not hold."), True),
        (("login", "mine"), SetupError("The portal does not answer."), False),
        (("login", "mine", "--form"), LoginRequiredError("The password is wrong."), False),
        (("import-state", "mine", "state.json"), LoginRequiredError("It has ended."), False),
    ],
    ids=["by hand, not logged in", "by hand, no portal", "form", "state"],
)
def test_a_new_profile_is_kept_only_for_what_a_person_did(
    command: Command, browsers: FakeOnboarding, arguments: tuple[str, ...], error: Exception, is_kept: bool
) -> None:
    browsers.error = error

    result = command("profile", *arguments, *NEW)

    assert str(error) in result.stderr
    assert Path("profiles/mine").exists() is is_kept


def test_an_old_profile_is_kept_whatever_happens(command: Command, browsers: FakeOnboarding, profile: Path) -> None:
    browsers.error = LoginRequiredError("It has ended.")

    result = command("profile", "import-state", "default", "state.json")

    assert result.exit_code == ExitCode.LOGIN
    assert profile.is_dir()
