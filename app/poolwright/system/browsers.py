"""Finds the browsers of this machine: installed ones, and those that Playwright downloaded.

The lists are made with a view of the file system; ``Disk`` is the real one. ``browser_choice`` chooses one of them. A
browser is started here only to read its version.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import platformdirs

from poolwright.domain.errors import SetupError
from poolwright.domain.options import BrowserKind

#: Programs by the names that packages put on PATH, best first.
ON_PATH = (
    (BrowserKind.CHROME, ("google-chrome-stable", "google-chrome")),
    (BrowserKind.CHROMIUM, ("chromium", "chromium-browser")),
    (BrowserKind.MSEDGE, ("microsoft-edge-stable", "microsoft-edge")),
)
#: Names of the headless shell on PATH, and the program itself where the one on PATH is a script that starts it: such a
#: script stays beside its browser and costs a process more.
SHELL_ON_PATH = (
    ("chromium-headless-shell", Path("/usr/lib/chromium/chromium-headless-shell")),
    ("chrome-headless-shell", None),
)
#: Programs of installed browsers, below ``/Applications`` or ``~/Applications``.
ON_MACOS = (
    (BrowserKind.CHROME, "Google Chrome.app/Contents/MacOS/Google Chrome"),
    (BrowserKind.CHROMIUM, "Chromium.app/Contents/MacOS/Chromium"),
    (BrowserKind.MSEDGE, "Microsoft Edge.app/Contents/MacOS/Microsoft Edge"),
)
#: Programs of installed browsers, below ``Program Files`` or the user's ``AppData/Local``.
ON_WINDOWS = (
    (BrowserKind.CHROME, "Google/Chrome/Application/chrome.exe"),
    (BrowserKind.CHROMIUM, "Chromium/Application/chrome.exe"),
    (BrowserKind.MSEDGE, "Microsoft/Edge/Application/msedge.exe"),
)
#: Programs of Playwright's Chromium, below ``chromium-<revision>``, of several versions.
UNPACKED = (
    "chrome-linux/chrome",
    "chrome-linux64/chrome",
    "chrome-linux-arm64/chrome",
    "chrome-mac/Chromium.app/Contents/MacOS/Chromium",
    "chrome-mac-arm64/Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing",
    "chrome-mac-x64/Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing",
    "chrome-win/chrome.exe",
    "chrome-win64/chrome.exe",
)
#: Programs of Playwright's headless shell, below ``chromium_headless_shell-<revision>``, of several versions.
UNPACKED_SHELL = (
    "chrome-linux/headless_shell",
    "chrome-headless-shell-linux64/chrome-headless-shell",
    "chrome-headless-shell-linux-arm64/chrome-headless-shell",
    "chrome-mac/headless_shell",
    "chrome-headless-shell-mac-arm64/chrome-headless-shell",
    "chrome-headless-shell-mac-x64/chrome-headless-shell",
    "chrome-win/headless_shell.exe",
    "chrome-headless-shell-win64/chrome-headless-shell.exe",
)
#: The names of the kinds for a person.
NAMES: Mapping[BrowserKind, str] = MappingProxyType(
    {
        BrowserKind.HEADLESS_SHELL: "headless shell",
        BrowserKind.CHROMIUM: "Chromium",
        BrowserKind.CHROME: "Google Chrome",
        BrowserKind.MSEDGE: "Microsoft Edge",
    }
)
#: File names of the headless shell by Debian, Playwright and Google.
_HEADLESS_SHELL = re.compile(r"headless[-_]shell")
#: A browser in a snap can read neither the system's temporary folder nor hidden ones, so no clone there.
SNAP = Path("/snap")
#: To Playwright "0" means a folder inside its own package.
INSIDE_PACKAGE = Path("0")
#: A browser that takes longer to print its version hangs.
VERSION_LIMIT_S = 15.0

HOW_TO_INSTALL = (
    "Install Google Chrome, Chromium or Microsoft Edge; or let Playwright download Chromium with "
    "`python -m playwright install chromium`; or set --browser or POOLWRIGHT_BROWSER."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledBrowser:
    """A browser that can be started."""

    path: Path
    #: Its name for a person.
    name: str
    #: How it was found, as a phrase for a person.
    origin: str
    #: ``None`` for a program that a person named.
    kind: BrowserKind | None = None
    #: Equal for a whole Chromium and a headless shell that were made from the same source; empty if unknown.
    build: str = ""

    @property
    def is_shell(self) -> bool:
        """Whether it is a headless shell, which has no windows."""
        return _HEADLESS_SHELL.search(self.path.name) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchLocations:
    """The locations of browsers on this machine."""

    #: As in ``sys.platform``.
    platform: str
    home: Path
    #: The folder of Playwright's browsers.
    playwright: Path


class FileLookup(Protocol):
    """The view of a file system that the choice needs."""

    def is_program(self, path: Path) -> bool:
        """Whether a path is an executable file."""
        ...

    def on_path(self, name: str) -> Path | None:
        """Return the program of this name on PATH; ``None`` if there is none."""
        ...

    def names_in(self, folder: Path) -> Sequence[str]:
        """Return the names in a folder; none if it is missing."""
        ...


def whole_browsers(locations: SearchLocations, files: FileLookup) -> list[InstalledBrowser]:
    """Return the browsers that can show windows, best first, also those in a snap."""
    return [*_installed(locations, files), *_downloaded(locations.playwright, files, BrowserKind.CHROMIUM)]


def headless_shells(locations: SearchLocations, files: FileLookup) -> list[InstalledBrowser]:
    """Return the headless shells, best first, also those in a snap."""
    return [*_installed_shells(files), *_downloaded(locations.playwright, files, BrowserKind.HEADLESS_SHELL)]


def is_in_snap(path: Path) -> bool:
    """Return whether a browser is in a snap, where it can't read the clones."""
    return path.is_relative_to(SNAP)


def _installed(locations: SearchLocations, files: FileLookup) -> Iterator[InstalledBrowser]:
    for kind, commands in ON_PATH:
        for path in filter(None, map(files.on_path, commands)):
            build = path.parent.as_posix() if kind is BrowserKind.CHROMIUM else ""
            yield InstalledBrowser(path=path, name=NAMES[kind], origin="installed", kind=kind, build=build)
    for kind, path in _usual_paths(locations):
        if files.is_program(path):
            yield InstalledBrowser(path=path, name=NAMES[kind], origin="installed", kind=kind)


def _installed_shells(files: FileLookup) -> Iterator[InstalledBrowser]:
    kind = BrowserKind.HEADLESS_SHELL
    for command, program in SHELL_ON_PATH:
        path = files.on_path(command)
        if path is not None:
            start = program if program is not None and not is_in_snap(path) and files.is_program(program) else path
            build = path.parent.as_posix()
            yield InstalledBrowser(path=start, name=NAMES[kind], origin="installed", kind=kind, build=build)


def _usual_paths(locations: SearchLocations) -> Iterator[tuple[BrowserKind, Path]]:
    match locations.platform:
        case "darwin":
            roots, programs = (Path("/Applications"), locations.home / "Applications"), ON_MACOS
        case "win32":
            drive = Path("C:/")
            roots = (drive / "Program Files", drive / "Program Files (x86)", locations.home / "AppData/Local")
            programs = ON_WINDOWS
        case _:
            roots, programs = (Path("/opt"),), ((BrowserKind.CHROME, "google/chrome/chrome"),)
    return ((kind, root / path) for kind, path in programs for root in roots)


def _downloaded(root: Path, files: FileLookup, kind: BrowserKind) -> Iterator[InstalledBrowser]:
    """Yield Playwright's own browsers of a kind, newest first."""
    is_shell = kind is BrowserKind.HEADLESS_SHELL
    pattern = r"chromium_headless_shell-(\d+)" if is_shell else r"chromium-(\d+)"
    matches = (re.fullmatch(pattern, name) for name in files.names_in(root))
    for folder in sorted(filter(None, matches), key=lambda match: int(match[1]), reverse=True):
        for program in UNPACKED_SHELL if is_shell else UNPACKED:
            path = root / folder[0] / program
            if files.is_program(path):
                yield InstalledBrowser(
                    path=path, name=NAMES[kind], origin="fetched by Playwright", kind=kind, build=folder[1]
                )


class Disk:
    """The real file system, as a ``FileLookup``."""

    def is_program(self, path: Path) -> bool:
        """Whether a path is an executable file."""
        return shutil.which(path) is not None

    def on_path(self, name: str) -> Path | None:
        """Return the program of this name on PATH; ``None`` if there is none."""
        path = shutil.which(name)
        return Path(path) if path else None

    def names_in(self, folder: Path) -> Sequence[str]:
        """Return the names in a folder; none if it is missing or closed to this user."""
        try:
            return [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
        except PermissionError:  # another user's folder
            return []


def locations_here(playwright_browsers: Path | None = None) -> SearchLocations:
    """Return the locations of browsers on this machine.

    Args:
        playwright_browsers: The folder of Playwright's browsers, if it is not the default one.
    """
    return SearchLocations(platform=sys.platform, home=Path.home(), playwright=_playwright_root(playwright_browsers))


def _playwright_root(folder: Path | None) -> Path:
    if folder is None:
        return platformdirs.user_cache_path("ms-playwright", appauthor=False, opinion=False)
    package = importlib.util.find_spec("playwright")
    if folder == INSIDE_PACKAGE and package is not None and package.origin is not None:
        return Path(package.origin).parent / "driver" / "package" / ".local-browsers"
    return folder


def read_version(browser: InstalledBrowser) -> str:
    """Return the version text of a browser. On Windows it is read from its folder: starting it would open a window.

    Raises:
        SetupError: The browser does not start, or prints no version in time.
    """
    if sys.platform == "win32":
        versions = [name for name in Disk().names_in(browser.path.parent) if re.fullmatch(r"[\d.]+", name)]
        return max(versions, default="of unknown version")
    command = [str(browser.path), "--version"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=VERSION_LIMIT_S, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise SetupError(f"{browser.path} does not start: {error}. {HOW_TO_INSTALL}") from error
    return result.stdout.strip()
