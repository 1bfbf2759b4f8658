"""Finds the browser that the workers start: the configured one, an installed one, or one that Playwright downloaded.

Full Chrome, Chromium and Edge keep session cookies and render pages as a person sees them; the small headless shell
does not, so it is used only if it is configured. ``choose_browser`` decides with a view of the file system;
``find_browser`` uses the real one. A browser is started here only to read its version.
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
#: Programs of installed browsers, below ``/Applications`` or ``~/Applications``.
ON_MACOS = (
    ("Google Chrome", "Google Chrome.app/Contents/MacOS/Google Chrome"),
    ("Chromium", "Chromium.app/Contents/MacOS/Chromium"),
    ("Microsoft Edge", "Microsoft Edge.app/Contents/MacOS/Microsoft Edge"),
)
#: Programs of installed browsers, below ``Program Files`` or the user's ``AppData/Local``.
ON_WINDOWS = (
    ("Google Chrome", "Google/Chrome/Application/chrome.exe"),
    ("Chromium", "Chromium/Application/chrome.exe"),
    ("Microsoft Edge", "Microsoft/Edge/Application/msedge.exe"),
)
#: Programs of Playwright's Chromium, below ``chromium-<revision>``, of several versions.
UNPACKED = (
    "chrome-linux/chrome",
    "chrome-linux64/chrome",
    "chrome-mac/Chromium.app/Contents/MacOS/Chromium",
    "chrome-mac-arm64/Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing",
    "chrome-mac-x64/Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing",
    "chrome-win/chrome.exe",
    "chrome-win64/chrome.exe",
)
#: A browser in a snap can read neither the system's temporary folder nor hidden ones, so no clone there.
SNAP = Path("/snap")
#: To Playwright "0" means a folder inside its own package.
INSIDE_PACKAGE = Path("0")
#: A browser that takes longer to print its version hangs.
VERSION_LIMIT_S = 15.0

HOW_TO_INSTALL = (
    "Install Google Chrome, Chromium or Microsoft Edge; or let Playwright download Chromium with "
    "`python -m playwright install chromium`; or set --browser or POOLWRIGHT_BROWSER_PATH."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledBrowser:
    """A browser that can be started."""

    path: Path
    #: Its name for a person.
    name: str
    #: How it was found, as a phrase for a person.
    origin: str


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


def choose_browser(configured: Path | None, locations: SearchLocations, files: FileLookup) -> InstalledBrowser:
    """Return the browser to use.

    Raises:
        OptionsError: The configured browser is not an executable program.
        SetupError: No browser is configured and none was found.
    """
    if configured is not None:
        if not files.is_program(configured):
            raise OptionsError(f"browser_path is '{configured}', which is not an executable program. {HOW_TO_INSTALL}")
        return InstalledBrowser(path=configured, name=configured.stem, origin="as configured")
    candidates = [*_installed(locations, files), *_downloaded(locations.playwright, files)]
    usable = [browser for browser in candidates if not browser.path.is_relative_to(SNAP)]
    if usable:
        return usable[0]
    snapped = " The browser in a snap cannot be used: it cannot read the profile clones." if candidates else ""
    raise SetupError(f"No browser was found.{snapped} {HOW_TO_INSTALL}")


def _installed(locations: SearchLocations, files: FileLookup) -> Iterator[InstalledBrowser]:
    for name, commands in ON_PATH:
        for path in filter(None, map(files.on_path, commands)):
            yield InstalledBrowser(path=path, name=name, origin="installed")
    for name, path in _usual_paths(locations):
        if files.is_program(path):
            yield InstalledBrowser(path=path, name=name, origin="installed")


def _usual_paths(locations: SearchLocations) -> Iterator[tuple[str, Path]]:
    match locations.platform:
        case "darwin":
            roots, programs = (Path("/Applications"), locations.home / "Applications"), ON_MACOS
        case "win32":
            drive = Path("C:/")
            roots = (drive / "Program Files", drive / "Program Files (x86)", locations.home / "AppData/Local")
            programs = ON_WINDOWS
        case _:
            roots, programs = (Path("/opt"),), (("Google Chrome", "google/chrome/chrome"),)
    return ((name, root / path) for name, path in programs for root in roots)


def _downloaded(root: Path, files: FileLookup) -> Iterator[InstalledBrowser]:
    """Yield Playwright's own browsers, newest first."""
    matches = (re.fullmatch(r"chromium-(\d+)", name) for name in files.names_in(root))
    for folder in sorted(filter(None, matches), key=lambda match: int(match[1]), reverse=True):
        for program in UNPACKED:
            path = root / folder[0] / program
            if files.is_program(path):
                yield InstalledBrowser(path=path, name="Chromium", origin="fetched by Playwright")


class _Disk:
    """The real file system."""

    def is_program(self, path: Path) -> bool:
        return shutil.which(path) is not None

    def on_path(self, name: str) -> Path | None:
        path = shutil.which(name)
        return Path(path) if path else None

    def names_in(self, folder: Path) -> Sequence[str]:
        try:
            return [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
        except PermissionError:  # another user's folder
            return []


def find_browser(configured: Path | None, playwright_browsers: Path | None = None) -> InstalledBrowser:
    """Return the browser to use on this machine.

    Args:
        configured: The program that the user configured.
        playwright_browsers: The folder of Playwright's browsers, if it is not the default one.

    Raises:
        OptionsError: The configured browser is not an executable program.
        SetupError: No browser is configured and none was found.
    """
    locations = SearchLocations(
        platform=sys.platform, home=Path.home(), playwright=_playwright_root(playwright_browsers)
    )
    return choose_browser(configured, locations, _Disk())


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
        versions = [name for name in _Disk().names_in(browser.path.parent) if re.fullmatch(r"[\d.]+", name)]
        return max(versions, default="of unknown version")
    command = [str(browser.path), "--version"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=VERSION_LIMIT_S, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise SetupError(f"{browser.path} does not start: {error}. {HOW_TO_INSTALL}") from error
    return result.stdout.strip()
