"""Chooses the browser for some work: the one that a person named, a headless shell, or a whole browser.

A headless shell starts several times faster than a whole browser, does the same pages with 0.6 of its processor time
and half its memory, and reads the profile of a whole browser of the same build: measured on Linux, in both directions,
with lasting and partitioned cookies, localStorage, IndexedDB, caches and service workers. It differs in five things: it
has no windows, it presents no client certificate, it follows no rules that a company sets for its browsers, it does not
read the variable ``auto_proxy``, and it neither reads nor writes cookies without an expiry. ``choose_browser`` is pure;
``find_browser`` uses the real disk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from poolwright.domain.errors import OptionsError, SetupError
from poolwright.domain.options import BrowserKind
from poolwright.system.browsers import (
    HOW_TO_INSTALL,
    NAMES,
    Disk,
    FileLookup,
    InstalledBrowser,
    SearchLocations,
    headless_shells,
    is_in_snap,
    locations_here,
    whole_browsers,
)

#: Folders with rules that a company sets for Chromium, and for the builds that Playwright downloads (Chrome for
#: Testing); a headless shell does not read them.
POLICY_ROOTS = (Path("/etc/chromium/policies"), Path("/etc/opt/chrome_for_testing/policies"))
POLICY_FOLDERS = tuple(root / kind for root in POLICY_ROOTS for kind in ("managed", "recommended"))
_HOW_TO_INSTALL_SHELL = (
    "Install chromium-headless-shell, or let Playwright download it with `python -m playwright install "
    "chromium-headless-shell`; or set --browser or POOLWRIGHT_BROWSER to auto."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserWish:
    """What a person set about the browser."""

    kind: BrowserKind = BrowserKind.AUTO
    #: A program; then the kind does not count.
    program: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserWork:
    """What a browser has to do, as far as the choice depends on it."""

    #: Whether it shows windows.
    is_headed: bool = False
    #: Whether it presents a client certificate.
    presents_certificate: bool = False
    #: Whether a script finds its proxies, as the variable ``auto_proxy`` says.
    has_proxy_script: bool = False
    #: Whether it writes a profile that later browsers read, such as a login.
    writes_profile: bool = False
    #: Number of cookies without an expiry in the profile, and how many of them have a copy beside the profile, from
    #: which a headless shell gets them.
    session_cookies: int = 0
    copied_session_cookies: int = 0

    @property
    def lost_cookies(self) -> int:
        """Number of cookies that a headless shell would not have."""
        return max(0, self.session_cookies - self.copied_session_cookies)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserChoice:
    """The browser, and the reason for it."""

    browser: InstalledBrowser
    #: Why it is this one, as a phrase.
    why: str


def choose_browser(
    wish: BrowserWish, work: BrowserWork, locations: SearchLocations, files: FileLookup
) -> BrowserChoice:
    """Return the browser for some work. Pure.

    Raises:
        OptionsError: The named program is not executable, or a headless shell is wanted that cannot do the work.
        SetupError: No browser was found, or none of the wanted kind.
    """
    if wish.program is not None:
        return _named(wish.program, files)
    found = [*whole_browsers(locations, files), *headless_shells(locations, files)]
    usable = [browser for browser in found if not is_in_snap(browser.path)]
    whole = [browser for browser in usable if not browser.is_shell]
    shells = [browser for browser in usable if browser.is_shell]
    match wish.kind:
        case BrowserKind.AUTO:
            choice = _best(whole, shells, _reason_for_whole(work, locations, files), work)
        case BrowserKind.HEADLESS_SHELL:
            choice = _shell(whole, shells, work)
        case kind:
            choice = next((BrowserChoice(browser=one, why="as configured") for one in whole if one.kind is kind), None)
    return choice or _raise_missing(wish.kind, has_snap=len(found) > len(usable))


def _named(program: Path, files: FileLookup) -> BrowserChoice:
    if not files.is_program(program):
        raise OptionsError(f"browser is '{program}', which is not an executable program. {HOW_TO_INSTALL}")
    browser = InstalledBrowser(path=program, name=program.stem, origin="as configured")
    return BrowserChoice(browser=browser, why="as configured")


def _best(
    whole: Sequence[InstalledBrowser], shells: Sequence[InstalledBrowser], reason: str, work: BrowserWork
) -> BrowserChoice | None:
    """Return the headless shell of the build of the best whole browser if it does the work, else that whole browser."""
    if not whole:
        return None if _obstacle(work) else _first(shells, "no whole browser was found")
    twin = next((shell for shell in shells if whole[0].build and shell.build == whole[0].build), None)
    if twin is not None and not reason:
        return BrowserChoice(browser=twin, why="the work needs no window, and nothing of the login is lost")
    absent = "there is no headless shell of the same build" if twin is None else reason
    return BrowserChoice(browser=whole[0], why=reason or absent)


def _shell(
    whole: Sequence[InstalledBrowser], shells: Sequence[InstalledBrowser], work: BrowserWork
) -> BrowserChoice | None:
    """Return the wanted headless shell; a profile is written by a whole browser, if there is one."""
    if work.writes_profile and whole:
        return BrowserChoice(browser=whole[0], why="it writes a profile, and a headless shell loses some cookies")
    if obstacle := _obstacle(work):
        raise OptionsError(
            f"browser is headless-shell, and a headless shell {obstacle}. Set browser (POOLWRIGHT_BROWSER) to auto, "
            "chromium, chrome or msedge."
        )
    twins = [shell for shell in shells if whole and shell.build == whole[0].build]
    return _first([*twins, *shells], "as configured")


def _first(browsers: Sequence[InstalledBrowser], why: str) -> BrowserChoice | None:
    return BrowserChoice(browser=browsers[0], why=why) if browsers else None


def _obstacle(work: BrowserWork) -> str:
    """Return what a headless shell cannot do at all of this work, as the end of a sentence; empty if it can do it."""
    if work.is_headed:
        return "has no windows"
    return "cannot present the client certificate (client_cert)" if work.presents_certificate else ""


def _reason_for_whole(work: BrowserWork, locations: SearchLocations, files: FileLookup) -> str:
    """Return why a whole browser is the better choice; empty if a headless shell does the work as well."""
    if obstacle := _obstacle(work) or ("does not read auto_proxy" if work.has_proxy_script else ""):
        return f"a headless shell {obstacle}"
    if work.writes_profile:
        return "it writes a profile, and a headless shell loses some cookies"
    if locations.platform != "linux":
        return "whether a headless shell keeps a login is not measured on this system"
    if work.lost_cookies:
        cookies = "a cookie" if work.lost_cookies == 1 else f"{work.lost_cookies} cookies"
        return f"a headless shell would lose {cookies} without an expiry, of which the profile has no copy"
    rules = next((folder for folder in POLICY_FOLDERS if files.names_in(folder)), None)
    if rules is not None:
        return f"a headless shell does not follow the rules of this machine for browsers ({rules.parent.as_posix()})"
    return ""


def _raise_missing(kind: BrowserKind, *, has_snap: bool) -> BrowserChoice:
    snapped = " The browser in a snap cannot be used: it cannot read the profile clones." if has_snap else ""
    match kind:
        case BrowserKind.AUTO:
            raise SetupError(f"No browser was found.{snapped} {HOW_TO_INSTALL}")
        case BrowserKind.HEADLESS_SHELL:
            raise SetupError(f"browser is headless-shell, and none was found.{snapped} {_HOW_TO_INSTALL_SHELL}")
        case _:
            raise SetupError(
                f"browser is {kind.value}, and {NAMES[kind]} was not found.{snapped} Install it, or set --browser or "
                "POOLWRIGHT_BROWSER to auto or to the path of a browser."
            )


def find_browser(
    wish: BrowserWish, playwright_browsers: Path | None = None, work: BrowserWork | None = None
) -> BrowserChoice:
    """Return the browser for some work on this machine.

    Args:
        wish: What the user set.
        playwright_browsers: The folder of Playwright's browsers, if it is not the default one.
        work: What it has to do; by default it may have to do anything but show windows.

    Raises:
        OptionsError: The named program is not executable, or a headless shell is wanted that cannot do the work.
        SetupError: No browser was found, or none of the wanted kind.
    """
    work = BrowserWork(writes_profile=True) if work is None else work
    return choose_browser(wish, work, locations_here(playwright_browsers), Disk())
