"""Finding a browser: what wins, what is refused, and what a person is told when there is none."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from poolwright.domain.errors import OptionsError, SetupError
from poolwright.system.browsers import InstalledBrowser, SearchLocations, choose_browser, find_browser
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


def chosen(files: MadeUpFiles, *, asked: Path | None = None, platform: str = "linux") -> InstalledBrowser:
    return choose_browser(asked, SearchLocations(platform=platform, home=HOME, playwright=CACHE), files)


def test_the_one_that_was_asked_for_wins() -> None:
    files = MadeUpFiles(programs=("/srv/my-chrome",), path={"google-chrome": "/usr/bin/google-chrome"})

    assert chosen(files, asked=Path("/srv/my-chrome")).path == Path("/srv/my-chrome")


def test_the_one_that_was_asked_for_must_be_there() -> None:
    files = MadeUpFiles(path={"google-chrome": "/usr/bin/google-chrome"})

    with pytest.raises(OptionsError, match="browser_path is '/srv/none'"):
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
        find_browser(tmp_path / "chrome")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="made for Linux' folder names")
def test_playwrights_folder_may_be_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched = program(tmp_path / "chromium-7/chrome-linux/chrome", "#!/bin/sh\n")
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setattr("poolwright.system.browsers._usual_paths", lambda places: iter(()))

    assert find_browser(None, tmp_path).path == fetched


def test_playwrights_folder_may_be_inside_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Path] = []
    monkeypatch.setattr(
        "poolwright.system.browsers.choose_browser", lambda asked, places, files: seen.append(places.playwright)
    )

    find_browser(None, Path("0"))

    assert seen[0].parts[-4:] == ("playwright", "driver", "package", ".local-browsers")
