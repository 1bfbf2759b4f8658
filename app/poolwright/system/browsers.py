"""Finds the browser that the workers start.

The configured one, an installed one, or one that Playwright downloaded.

Full Chrome, Chromium and Edge keep session cookies and show what a person sees; the small headless shell does not, so
it is taken only when it is named. ``choose`` decides on a view of the file system; ``find_browser`` gives it the real
one. No browser is started here but to ask for its version.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import platformdirs

from poolwright.domain.errors import OptionsError, SetupError

#: Programs by the names that packages put on PATH, best first.
ON_PATH = (
    ("Google Chrome", ("google-chrome-stable", "google-chrome")),
    ("Chromium", ("chromium", "chromium-browser")),
    ("Microsoft Edge", ("microsoft-edge-stable", "microsoft-edge")),
)
#: Where installers put them, below ``/Applications`` or ``~/Applications``.
ON_MACOS = (
    ("Google Chrome", "Google Chrome.app/Contents/MacOS/Google Chrome"),
    ("Chromium", "Chromium.app/Contents/MacOS/Chromium"),
    ("Microsoft Edge", "Microsoft Edge.app/Contents/MacOS/Microsoft Edge"),
)
#: Where installers put them, below ``Program Files`` or the user's ``AppData/Local``.
ON_WINDOWS = (
    ("Google Chrome", "Google/Chrome/Application/chrome.exe"),
    ("Chromium", "Chromium/Application/chrome.exe"),
    ("Microsoft Edge", "Microsoft/Edge/Application/msedge.exe"),
)
#: Where Playwright unpacks Chromium, below ``chromium-<revision>``. Names changed over the years.
UNPACKED = (
    "chrome-linux/chrome",
    "chrome-linux64/chrome",
    "chrome-mac/Chromium.app/Contents/MacOS/Chromium",
    "chrome-mac-arm64/Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing",
    "chrome-mac-x64/Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing",
    "chrome-win/chrome.exe",
    "chrome-win64/chrome.exe",
)
#: A browser in a snap sees neither the system's temporary folder nor hidden ones: it cannot use a clone there.
SNAP = Path("/snap")
#: Playwright reads "0" as: inside its own package.
INSIDE_PACKAGE = Path("0")
#: A browser that has not told its version by then hangs.
VERSION_LIMIT_S = 15.0

HOW_TO_INSTALL = (
    "Install Google Chrome, Chromium or Microsoft Edge; or let Playwright download Chromium with "
    "`python -m playwright install chromium`; or set --browser or POOLWRIGHT_BROWSER_PATH."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledBrowser:
    """A browser to start."""

    path: Path
    #: How people call it.
    name: str
    #: How it was found, for a person.
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchLocations:
    """Where to look on this machine."""

    #: As in ``sys.platform``.
    platform: str
    home: Path
    #: The folder of Playwright's browsers.
    playwright: Path


class FileLookup(Protocol):
    """What the choice needs to see of a file system."""

    def is_program(self, path: Path) -> bool:
        """Whether there is a file that may be started."""
        ...

    def on_path(self, name: str) -> Path | None:
        """The program of this name on PATH."""
        ...

    def names_in(self, folder: Path) -> Sequence[str]:
        """Names in a folder; none where it is missing."""
        ...


def choose_browser(asked: Path | None, places: SearchLocations, files: FileLookup) -> InstalledBrowser:
    """The browser to use.

    Raises:
        OptionsError: The one that was asked for is no program.
        SetupError: None was asked for and none is there.
    """
    if asked is not None:
        if not files.is_program(asked):
            raise OptionsError(f"browser_path is '{asked}', which is not an executable program. {HOW_TO_INSTALL}")
        return InstalledBrowser(path=asked, name=asked.stem, origin="as asked")
    candidates = [*_installed(places, files), *_downloaded(places.playwright, files)]
    usable = [browser for browser in candidates if not browser.path.is_relative_to(SNAP)]
    if usable:
        return usable[0]
    snapped = " The browser in a snap cannot be used: it cannot read the profile clones." if candidates else ""
    raise SetupError(f"No browser was found.{snapped} {HOW_TO_INSTALL}")


def _installed(places: SearchLocations, files: FileLookup) -> Iterator[InstalledBrowser]:
    for name, commands in ON_PATH:
        for path in filter(None, map(files.on_path, commands)):
            yield InstalledBrowser(path=path, name=name, origin="installed")
    for name, path in _usual_places(places):
        if files.is_program(path):
            yield InstalledBrowser(path=path, name=name, origin="installed")


def _usual_places(places: SearchLocations) -> Iterator[tuple[str, Path]]:
    match places.platform:
        case "darwin":
            roots, programs = (Path("/Applications"), places.home / "Applications"), ON_MACOS
        case "win32":
            drive = Path("C:/")
            roots = (drive / "Program Files", drive / "Program Files (x86)", places.home / "AppData/Local")
            programs = ON_WINDOWS
        case _:
            roots, programs = (Path("/opt"),), (("Google Chrome", "google/chrome/chrome"),)
    return ((name, root / place) for name, place in programs for root in roots)


def _downloaded(root: Path, files: FileLookup) -> Iterator[InstalledBrowser]:
    """Playwright's own browsers, newest first."""
    found = (re.fullmatch(r"chromium-(\d+)", name) for name in files.names_in(root))
    for folder in sorted(filter(None, found), key=lambda match: int(match[1]), reverse=True):
        for place in UNPACKED:
            path = root / folder[0] / place
            if files.is_program(path):
                yield InstalledBrowser(path=path, name="Chromium", origin="fetched by Playwright")


class _Disk:
    """The real file system."""

    def is_program(self, path: Path) -> bool:
        return shutil.which(path) is not None

    def on_path(self, name: str) -> Path | None:
        found = shutil.which(name)
        return Path(found) if found else None

    def names_in(self, folder: Path) -> Sequence[str]:
        try:
            return [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
        except PermissionError:  # a home of somebody else
            return []


def find_browser(asked: Path | None, playwright_browsers: Path | None = None) -> InstalledBrowser:
    """The browser to use on this machine.

    Args:
        asked: The program that the user named.
        playwright_browsers: Where Playwright keeps its browsers, if not at its default place.

    Raises:
        OptionsError: The one that was asked for is no program.
        SetupError: None was asked for and none is there.
    """
    places = SearchLocations(platform=sys.platform, home=Path.home(), playwright=_playwright_root(playwright_browsers))
    return choose_browser(asked, places, _Disk())


def _playwright_root(told: Path | None) -> Path:
    if told is None:
        return platformdirs.user_cache_path("ms-playwright", appauthor=False, opinion=False)
    package = importlib.util.find_spec("playwright")
    if told == INSIDE_PACKAGE and package is not None and package.origin is not None:
        return Path(package.origin).parent / "driver" / "package" / ".local-browsers"
    return told


def read_version(browser: InstalledBrowser) -> str:
    """What the browser says about its version. On Windows its folder says it: asking would open a window.

    Raises:
        SetupError: It did not answer, or not in time.
    """
    if sys.platform == "win32":
        versions = [name for name in _Disk().names_in(browser.path.parent) if re.fullmatch(r"[\d.]+", name)]
        return max(versions, default="of unknown version")
    command = [str(browser.path), "--version"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=VERSION_LIMIT_S, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise SetupError(f"{browser.path} does not start: {error}. {HOW_TO_INSTALL}") from error
    return told.stdout.strip()
