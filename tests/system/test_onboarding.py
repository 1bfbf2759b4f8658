"""A login comes into a profile: by hand in a real window, by form, from another browser. Then a run uses it."""

from __future__ import annotations

import json
import os
import signal
import stat
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import DEVNULL, PIPE

import anyio
import anyio.to_thread
import psutil
import pytest
from anyio.abc import Process
from anyio.streams.text import TextReceiveStream

from poolwright.cli.process_exit import ExitCode
from poolwright.concurrency import SystemClock
from poolwright.demo.portal_client import PortalClient, running_portal
from poolwright.domain.outcomes import Outcome
from poolwright.profile.backups import latest_backup, login_backup_path
from poolwright.profile.base import check_base
from poolwright.profile.damage import mark_damaged
from poolwright.profile.repository import NamedProfile, ProfileRepository
from poolwright.profile.seal import read_seal
from tests.support.display import needs_xvfb, virtual_display
from tests.support.paths import ROOT
from tests.support.portal import SHELL, browsing, log_in_by_form, needs_chromium
from tests.support.program import Ended
from tests.support.simulated_user import SimulatedUser

pytestmark = [needs_chromium, pytest.mark.timeout(180)]

OPEN = "A browser window is open"


@pytest.fixture(name="strict_portal")
async def _strict_portal(portal: PortalClient) -> PortalClient:
    """It ends the login of a browser that lost its cookie without an expiry."""
    await portal.require_visit_cookie(is_required=True)
    return portal


class StartFolder:
    """A folder in which the program is started, with no login in the environment."""

    def __init__(self, folder: Path, portal: PortalClient) -> None:
        self.folder = folder
        self.portal = portal
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("POOLWRIGHT_")},  # noqa: TID251
            "POOLWRIGHT_RUNS_DIR": str(folder / "r"),
            "PYTHONPATH": str(ROOT),
            "COLUMNS": "120",
            # Nobody's own keyring is asked by a test.
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        }

    def take_shell(self) -> None:
        """Have the browser that starts soonest; it has no window, and forgets cookies without an expiry at its end."""
        self.environment["POOLWRIGHT_BROWSER_PATH"] = SHELL or ""

    @property
    def new(self) -> tuple[str, ...]:
        return ("--portal", "demo", "--url", self.portal.url)

    def profile(self, name: str = "mine") -> NamedProfile:
        return ProfileRepository(self.folder / "profiles").find(name)

    async def run(self, *arguments: str, **environment: str) -> Ended:
        command = [sys.executable, "-m", "poolwright", *arguments]
        done = await anyio.run_process(
            command, check=False, cwd=self.folder, env=self.environment | environment, stdin=DEVNULL
        )
        return Ended(code=done.returncode, out=done.stdout.decode(), errors=done.stderr.decode())

    @asynccontextmanager
    async def started(self, *arguments: str) -> AsyncGenerator[Process]:
        command = [sys.executable, "-m", "poolwright", *arguments]
        process = await anyio.open_process(
            command, cwd=self.folder, env=self.environment, stdin=DEVNULL, stdout=PIPE, stderr=PIPE
        )
        try:
            yield process
        finally:
            with anyio.CancelScope(shield=True):
                if process.returncode is None:
                    process.kill()
                await process.aclose()

    def assert_nothing_is_left(self) -> None:
        assert list((self.folder / "r").glob("*")) == []
        commands = [" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])]
        assert [command for command in commands if f"--user-data-dir={self.folder}" in command] == []


@pytest.fixture(name="office")
def _office(tmp_path: Path, strict_portal: PortalClient, monkeypatch: pytest.MonkeyPatch) -> Generator[StartFolder]:
    office = StartFolder(tmp_path, strict_portal)
    yield office
    office.assert_nothing_is_left()


async def heard(process: Process, words: str) -> str:
    """What the program says until these words."""
    assert process.stdout is not None
    said = ""
    async for text in TextReceiveStream(process.stdout):
        said += text
        if words in said:
            break
    return said


async def ended(process: Process) -> Ended:
    assert process.stdout is not None
    assert process.stderr is not None
    out = "".join([text async for text in TextReceiveStream(process.stdout)])
    errors = "".join([text async for text in TextReceiveStream(process.stderr)])
    return Ended(code=await process.wait(), out=out, errors=errors)


async def by_hand(office: StartFolder, act: Callable[[SimulatedUser], None], *arguments: str) -> Ended:
    """A login by hand, with a person who does something once the window is there."""
    with pytest.MonkeyPatch.context() as patch, virtual_display(patch) as display:
        office.environment["DISPLAY"] = display

        def sit_down() -> None:
            with SimulatedUser(display) as person:
                person.see("Sign in")
                act(person)

        async with office.started("profile", "login", "mine", *arguments) as process:
            await heard(process, OPEN)
            await anyio.to_thread.run_sync(sit_down)
            return await ended(process)


def log_in(office: StartFolder, person: SimulatedUser) -> None:
    person.type("Sign in", f"\t{office.portal.user}\t{office.portal.password}\n")
    person.see("Dashboard")


async def outcomes(office: StartFolder, *arguments: str) -> tuple[int, dict[str, int]]:
    """What a run brings back whose workers have no password."""
    truths = await office.portal.truth()
    number = next(one.number for one in truths.values() if one.is_listed and one.outcome == Outcome.COMPLETED)
    done = await office.run("run", number, "--profile", "mine", "--workers", "1", "--json", *arguments)
    return done.code, done.objects()[-1]["outcomes"]


@needs_xvfb
async def test_a_person_logs_in_closes_the_understudy_too_and_a_run_uses_that_login(office: StartFolder) -> None:
    def act(person: SimulatedUser) -> None:
        log_in(office, person)
        person.close("about:blank")
        person.see("about:blank")
        person.close("Dashboard")

    done = await by_hand(office, act, *office.new)

    profile = office.profile()
    assert done.code == ExitCode.DONE, done
    assert "Profile mine: 3 cookies for 1 site, login probe passed; sealed on" in done.out
    assert check_base(profile.base_path).seal is not None
    assert latest_backup(profile.base_path) is not None
    kept = {cookie["name"] for cookie in json.loads(login_backup_path(profile.base_path).read_bytes())}
    assert kept == {"_demo_session", "demo_user", "demo_visit"}
    assert stat.S_IMODE(login_backup_path(profile.base_path).stat().st_mode) == 0o600
    before = await office.portal.stats()

    code, found = await outcomes(office)

    after = await office.portal.stats()
    assert (code, found) == (ExitCode.DONE, {"COMPLETED": 1})
    assert after.logins == before.logins, "no worker needed a form"


@needs_xvfb
async def test_ctrl_c_closes_the_window_in_order_and_the_login_counts(office: StartFolder) -> None:
    with pytest.MonkeyPatch.context() as patch, virtual_display(patch) as display:
        office.environment["DISPLAY"] = display

        def act() -> None:
            with SimulatedUser(display) as person:
                person.see("Sign in")
                log_in(office, person)

        async with office.started("profile", "login", "mine", *office.new) as process:
            await heard(process, OPEN)
            await anyio.to_thread.run_sync(act)
            process.send_signal(signal.SIGINT)
            done = await ended(process)

    assert done.code == ExitCode.DONE, done
    assert "Closing the window; press Ctrl+C again" in done.out
    assert "login probe passed" in done.out


@needs_xvfb
async def test_a_window_that_is_closed_too_early_keeps_an_unsealed_base(office: StartFolder) -> None:
    done = await by_hand(office, lambda person: person.close("Sign in"), *office.new)

    profile = office.profile()
    assert done.code == ExitCode.LOGIN, done
    assert "The login of profile mine was not saved: the portal asks a new browser to log in" in done.errors
    assert profile.base_path.is_dir()
    assert read_seal(profile.base_path) is None
    assert not login_backup_path(profile.base_path).exists()


async def test_without_a_screen_the_other_ways_are_named(office: StartFolder) -> None:
    office.environment.pop("DISPLAY", None)
    office.environment.pop("WAYLAND_DISPLAY", None)

    done = await office.run("profile", "login", "mine", *office.new)

    assert done.code == ExitCode.RESOURCES
    assert "poolwright profile login mine --form" in done.errors
    assert "poolwright profile import-state mine FILE" in done.errors
    assert not (office.folder / "profiles").exists()


async def test_a_login_from_another_browser_is_taken_over_until_it_ends(office: StartFolder) -> None:
    async with browsing() as context:
        page = await context.new_page()
        await log_in_by_form(page, office.portal)
        await page.evaluate("localStorage.setItem('token', 'kept')")
        await context.storage_state(path=office.folder / "state.json")
    logins_before = (await office.portal.stats()).logins

    done = await office.run("profile", "import-state", "mine", "state.json", *office.new)
    office.take_shell()
    code, found = await outcomes(office)

    assert done.code == ExitCode.DONE, done
    assert "3 cookies for 1 site, login probe passed" in done.out
    assert (code, found) == (ExitCode.DONE, {"COMPLETED": 1})
    assert (await office.portal.stats()).logins == logins_before, "nobody filled in a form"

    await office.portal.expire_sessions()
    late = await office.run("profile", "import-state", "late", "state.json", *office.new)

    assert late.code == ExitCode.LOGIN, late
    assert "Export it again right after a login" in late.errors
    assert not (office.folder / "profiles/late").exists(), "nothing is left of a profile that never worked"


def stock_keyring(office: StartFolder, **entries: str) -> dict[str, str]:
    """A keyring of the test's own, and the environment that has the program use it."""
    known = {("poolwright", name): secret for name, secret in entries.items()}
    (office.folder / "drawer.py").write_text(
        "from keyring.backend import KeyringBackend\n"
        "class Keyring(KeyringBackend):\n"
        "    priority = 1\n"
        "    def set_password(self, service, username, password): ...\n"
        f"    def get_password(self, service, username): return {known!r}.get((service, username))\n"
    )
    return {
        "PYTHONPATH": f"{ROOT}{os.pathsep}{office.folder}",
        "PYTHON_KEYRING_BACKEND": "drawer.Keyring",
        "POOLWRIGHT_USER": office.portal.user,
    }


async def test_the_form_logs_in_from_the_keyring_and_again_unless_the_profile_is_marked(tmp_path: Path) -> None:
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    async with running_portal(order_count=4, totp_secret=secret) as portal:
        office = StartFolder(tmp_path, portal)
        office.take_shell()
        of_one_that_was_killed = tmp_path / "r/r-dead01"
        (of_one_that_was_killed / "w1").mkdir(parents=True)
        (of_one_that_was_killed / "w1/state.json").write_text("{}")
        (of_one_that_was_killed / "owner.lock").touch()
        stocked = stock_keyring(office, **{portal.user: portal.password, f"{portal.user}/totp": secret})
        told = {"POOLWRIGHT_USER": portal.user, "POOLWRIGHT_TOTP_SECRET": secret}
        log_in = ("profile", "login", "mine", "--form")

        unknown = await office.run(*log_in, *office.new, POOLWRIGHT_USER=portal.user)
        wrong = await office.run(*log_in, *office.new, **told, POOLWRIGHT_PASSWORD="mistyped")
        made = await office.run(*log_in, *office.new, **stocked)
        again = await office.run(*log_in, **told, POOLWRIGHT_PASSWORD=portal.password)
        mark_damaged(office.profile().base_path, "A cookie was gone.", SystemClock().now())
        refused = await office.run(*log_in, **told, POOLWRIGHT_PASSWORD=portal.password)

    assert unknown.code == ExitCode.LOGIN
    assert "this system has no keyring" in unknown.errors
    assert wrong.code == ExitCode.LOGIN, wrong
    assert made.code == ExitCode.DONE, made
    assert "login probe passed" in made.out
    assert again.code == ExitCode.DONE, again
    assert refused.code == ExitCode.PROFILE
    assert "poolwright profile accept mine" in refused.errors
    assert portal.password not in f"{made}{again}{wrong}"
    assert read_seal(office.profile().base_path) is not None
    office.assert_nothing_is_left()
