"""Finding a browser: what wins, what is refused, and what a person is told when there is none."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from poolwright.domain.errors import OptionsError, SetupError
from poolwright.domain.options import BrowserKind
from poolwright.system import browsers
from poolwright.system.browser_choice import (
    POLICY_FOLDERS,
    BrowserChoice,
    BrowserWish,
    BrowserWork,
    choose_browser,
    find_browser,
)
from poolwright.system.browsers import InstalledBrowser, SearchLocations, locations_here
from tests.support.shell_programs import program

HOME = Path("/home/anna")
CACHE = HOME / ".cache/ms-playwright"


@dataclass(kw_only=True)
class MadeUpFiles:
    """A file system told in two lines."""

    programs: tuple[str, ...] = ()
    path: dict[str, str] = field(default_factory=dict[str, str])

    def is_program(self, path: Path) -> bool:
        return path.as_posix() in self.programs

    def on_path(self, name: str) -> Path | None:
        return Path(self.path[name]) if name in self.path else None

    def names_in(self, folder: Path) -> Sequence[str]:
        below = f"{folder.as_posix()}/"
        return sorted({name.removeprefix(below).split("/")[0] for name in self.programs if name.startswith(below)})


def decided(
    files: MadeUpFiles,
    kind: BrowserKind = BrowserKind.AUTO,
    *,
    work: BrowserWork | None = None,
    asked: Path | None = None,
    platform: str = "linux",
) -> BrowserChoice:
    wish, locations = (
        BrowserWish(kind=kind, program=asked),
        SearchLocations(platform=platform, home=HOME, playwright=CACHE),
    )
    return choose_browser(wish, work or BrowserWork(), locations, files)


def chosen(files: MadeUpFiles, *, asked: Path | None = None, platform: str = "linux") -> InstalledBrowser:
    """The browser that makes a profile."""
    return decided(files, work=BrowserWork(writes_profile=True), asked=asked, platform=platform).browser


def test_the_one_that_was_asked_for_wins() -> None:
    files = MadeUpFiles(programs=("/srv/my-chrome",), path={"google-chrome": "/usr/bin/google-chrome"})

    assert chosen(files, asked=Path("/srv/my-chrome")).path == Path("/srv/my-chrome")


def test_the_one_that_was_asked_for_must_be_there() -> None:
    files = MadeUpFiles(path={"google-chrome": "/usr/bin/google-chrome"})

    with pytest.raises(OptionsError, match="browser is '/srv/none', which is not an executable program"):
        chosen(files, asked=Path("/srv/none"))


def test_chrome_goes_before_chromium_and_that_before_edge() -> None:
    edge, chromium = {"microsoft-edge": "/usr/bin/e"}, {"chromium": "/usr/bin/c"}

    assert chosen(MadeUpFiles(path=edge)).name == "Microsoft Edge"
    assert chosen(MadeUpFiles(path={**edge, **chromium})).name == "Chromium"
    assert chosen(MadeUpFiles(path={**edge, **chromium, "google-chrome": "/usr/bin/g"})).name == "Google Chrome"


@pytest.mark.parametrize(
    ("platform", "program", "name"),
    [
        ("linux", "/opt/google/chrome/chrome", "Google Chrome"),
        ("darwin", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "Google Chrome"),
        ("darwin", "/home/anna/Applications/Chromium.app/Contents/MacOS/Chromium", "Chromium"),
        ("darwin", "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge", "Microsoft Edge"),
        ("win32", "C:/Program Files/Google/Chrome/Application/chrome.exe", "Google Chrome"),
        ("win32", "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe", "Microsoft Edge"),
        ("win32", "/home/anna/AppData/Local/Chromium/Application/chrome.exe", "Chromium"),
    ],
)
def test_usual_paths_of_each_system(platform: str, program: str, name: str) -> None:
    browser = chosen(MadeUpFiles(programs=(program,)), platform=platform)

    assert (browser.path.as_posix(), browser.name) == (program, name)


def test_playwrights_newest_is_taken_when_nothing_is_installed() -> None:
    files = MadeUpFiles(
        programs=(
            f"{CACHE}/chromium-999/chrome-linux/chrome",
            f"{CACHE}/chromium-1200/chrome-linux64/chrome",
            f"{CACHE}/chromium_headless_shell-1300/chrome-linux/chrome",
            f"{CACHE}/firefox-1400/firefox/firefox",
        )
    )

    browser = chosen(files)

    assert browser.path == CACHE / "chromium-1200/chrome-linux64/chrome"
    assert browser.origin == "fetched by Playwright"


def test_an_installed_one_goes_before_playwrights() -> None:
    fetched = f"{CACHE}/chromium-1200/chrome-linux/chrome"

    assert chosen(MadeUpFiles(programs=(fetched,), path={"chromium": "/usr/bin/c"})).path == Path("/usr/bin/c")


def test_a_browser_in_a_snap_is_passed_over() -> None:
    snap = {"chromium": "/snap/bin/chromium"}
    fetched = f"{CACHE}/chromium-1200/chrome-linux/chrome"

    assert chosen(MadeUpFiles(programs=(fetched,), path=snap)).path == Path(fetched)
    with pytest.raises(SetupError, match="snap"):
        chosen(MadeUpFiles(path=snap))


def test_without_any_the_three_ways_to_get_one_are_told() -> None:
    with pytest.raises(SetupError) as caught:
        chosen(MadeUpFiles())

    for way in ("Install Google Chrome", "playwright install chromium", "--browser"):
        assert way in str(caught.value)


def test_a_file_that_may_not_be_started_is_no_browser(tmp_path: Path) -> None:
    (tmp_path / "chrome").write_text("no program")

    with pytest.raises(OptionsError):
        find_browser(BrowserWish(program=tmp_path / "chrome"))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="made for Linux' folder names")
def test_playwrights_folder_may_be_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched = program(tmp_path / "chromium-7/chrome-linux/chrome", "#!/bin/sh\n")
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setattr(browsers, "_usual_paths", lambda places: iter(()))

    assert find_browser(BrowserWish(), tmp_path).browser.path == fetched


def test_playwrights_folder_may_be_inside_its_package() -> None:
    assert locations_here(Path("0")).playwright.parts[-4:] == ("playwright", "driver", "package", ".local-browsers")


SHELL_PROGRAM = "/usr/lib/chromium/chromium-headless-shell"
#: What Debian's packages put in place.
DEBIAN = MadeUpFiles(
    programs=(SHELL_PROGRAM,),
    path={"chromium": "/usr/bin/chromium", "chromium-headless-shell": "/usr/bin/chromium-headless-shell"},
)
SHELL_ALONE = MadeUpFiles(path={"chromium-headless-shell": "/usr/bin/chromium-headless-shell"})
PLAYWRIGHTS = (
    f"{CACHE}/chromium-1200/chrome-linux64/chrome",
    f"{CACHE}/chromium_headless_shell-1200/chrome-headless-shell-linux64/chrome-headless-shell",
)


def test_work_without_a_window_takes_the_shell_itself_and_not_the_script_that_starts_it() -> None:
    choice = decided(DEBIAN)

    assert choice.browser.path == Path(SHELL_PROGRAM)
    assert choice.browser.is_shell
    assert choice.why == "the work needs no window, and nothing of the login is lost"


def test_a_shell_elsewhere_is_started_as_path_has_it() -> None:
    files = MadeUpFiles(
        path={"chromium": "/opt/c/chromium", "chromium-headless-shell": "/opt/c/chromium-headless-shell"}
    )

    assert decided(files).browser.path == Path("/opt/c/chromium-headless-shell")


@pytest.mark.parametrize(
    ("work", "why"),
    [
        (BrowserWork(is_headed=True), "a headless shell has no windows"),
        (
            BrowserWork(presents_certificate=True),
            "a headless shell cannot present the client certificate (client_cert)",
        ),
        (BrowserWork(has_proxy_script=True), "a headless shell does not read auto_proxy"),
        (BrowserWork(writes_profile=True), "it writes a profile, and a headless shell loses some cookies"),
        (
            BrowserWork(session_cookies=3, copied_session_cookies=1),
            "a headless shell would lose 2 cookies without an expiry, of which the profile has no copy",
        ),
        (
            BrowserWork(session_cookies=1),
            "a headless shell would lose a cookie without an expiry, of which the profile has no copy",
        ),
    ],
)
def test_what_a_shell_does_worse_is_left_to_a_whole_browser(work: BrowserWork, why: str) -> None:
    choice = decided(DEBIAN, work=work)

    assert choice.browser.path == Path("/usr/bin/chromium")
    assert choice.why == why


def test_cookies_with_a_copy_are_no_reason_against_the_shell() -> None:
    work = BrowserWork(session_cookies=2, copied_session_cookies=2)

    assert decided(DEBIAN, work=work).browser.is_shell
    assert BrowserWork(session_cookies=1, copied_session_cookies=2).lost_cookies == 0


@pytest.mark.parametrize("folder", POLICY_FOLDERS)
def test_rules_of_a_company_for_its_browsers_are_followed(folder: Path) -> None:
    files = MadeUpFiles(programs=(f"{folder.as_posix()}/sso.json", SHELL_PROGRAM), path=DEBIAN.path)

    choice = decided(files)

    assert choice.browser.path == Path("/usr/bin/chromium")
    assert choice.why.endswith(f"the rules of this machine for browsers ({folder.parent.as_posix()})")


def test_chromium_and_the_builds_of_playwright_have_rules() -> None:
    assert [folder.as_posix() for folder in POLICY_FOLDERS] == [
        "/etc/chromium/policies/managed",
        "/etc/chromium/policies/recommended",
        "/etc/opt/chrome_for_testing/policies/managed",
        "/etc/opt/chrome_for_testing/policies/recommended",
    ]


def test_a_shell_of_another_build_may_not_read_the_profile() -> None:
    chrome = MadeUpFiles(path={**DEBIAN.path, "google-chrome": "/usr/bin/google-chrome"})
    own = MadeUpFiles(path={**DEBIAN.path, "chromium": "/home/anna/bin/chromium"})
    fetched = MadeUpFiles(
        programs=(PLAYWRIGHTS[0], f"{CACHE}/chromium_headless_shell-1300/chrome-linux/headless_shell")
    )

    for files in (chrome, own, fetched):
        assert not decided(files).browser.is_shell
        assert decided(files).why == "there is no headless shell of the same build"


def test_playwrights_shell_goes_with_playwrights_browser() -> None:
    assert decided(MadeUpFiles(programs=PLAYWRIGHTS)).browser.path == Path(PLAYWRIGHTS[1])


def test_on_systems_where_it_was_not_measured_auto_takes_a_whole_browser() -> None:
    assert not decided(MadeUpFiles(programs=PLAYWRIGHTS), platform="darwin").browser.is_shell


def test_a_machine_with_a_shell_alone_can_work() -> None:
    for work in (BrowserWork(), BrowserWork(writes_profile=True), BrowserWork(session_cookies=1)):
        choice = decided(SHELL_ALONE, work=work)
        assert (choice.browser.is_shell, choice.why) == (True, "no whole browser was found")

    with pytest.raises(SetupError, match="No browser was found"):
        decided(SHELL_ALONE, work=BrowserWork(is_headed=True))


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        (BrowserKind.CHROMIUM, "/usr/bin/chromium"),
        (BrowserKind.CHROME, "/usr/bin/google-chrome"),
        (BrowserKind.MSEDGE, "/usr/bin/microsoft-edge"),
        (BrowserKind.HEADLESS_SHELL, SHELL_PROGRAM),
    ],
)
def test_a_kind_that_is_asked_for_wins(kind: BrowserKind, path: str) -> None:
    others = {"google-chrome": "/usr/bin/google-chrome", "microsoft-edge": "/usr/bin/microsoft-edge"}
    files = MadeUpFiles(programs=DEBIAN.programs, path={**DEBIAN.path, **others})

    choice = decided(files, kind, work=BrowserWork(session_cookies=5))

    assert (choice.browser.path, choice.browser.kind, choice.why) == (Path(path), kind, "as configured")


def test_a_kind_that_is_missing_is_told_and_none_is_taken_instead() -> None:
    with pytest.raises(SetupError, match="browser is msedge, and Microsoft Edge was not found"):
        decided(DEBIAN, BrowserKind.MSEDGE)
    with pytest.raises(SetupError, match=r"browser is headless-shell, and none was found.*chromium-headless-shell"):
        decided(MadeUpFiles(path={"chromium": "/usr/bin/chromium"}), BrowserKind.HEADLESS_SHELL)


def test_a_shell_that_is_asked_for_leaves_the_profile_to_a_whole_browser() -> None:
    work = BrowserWork(writes_profile=True)

    assert decided(DEBIAN, BrowserKind.HEADLESS_SHELL, work=work).browser.path == Path("/usr/bin/chromium")
    assert decided(SHELL_ALONE, BrowserKind.HEADLESS_SHELL, work=work).browser.is_shell


@pytest.mark.parametrize(
    ("work", "words"),
    [(BrowserWork(is_headed=True), "has no windows"), (BrowserWork(presents_certificate=True), "client certificate")],
)
def test_a_shell_that_is_asked_for_what_it_cannot_do_is_refused(work: BrowserWork, words: str) -> None:
    with pytest.raises(OptionsError, match=words):
        decided(DEBIAN, BrowserKind.HEADLESS_SHELL, work=work)


def test_the_shell_of_the_installed_browser_goes_before_others() -> None:
    files = MadeUpFiles(programs=PLAYWRIGHTS, path={"chrome-headless-shell": "/opt/x/chrome-headless-shell"})

    assert decided(files, BrowserKind.HEADLESS_SHELL).browser.path == Path(PLAYWRIGHTS[1])


def test_a_shell_in_a_snap_is_passed_over() -> None:
    path = {**DEBIAN.path, "chromium-headless-shell": "/snap/bin/chromium-headless-shell"}
    files = MadeUpFiles(programs=(SHELL_PROGRAM,), path=path)

    assert decided(files).browser.path == Path("/usr/bin/chromium")
    with pytest.raises(SetupError, match="snap"):
        decided(MadeUpFiles(path=path), BrowserKind.HEADLESS_SHELL)
