"""The checks of the doctor (memory, clock, fonts, proxies, folders ...), each a pure function of given facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from poolwright.cli import terminal
from poolwright.cli.check_result import CheckResult, fail, ok, warn
from poolwright.cli.profile_inspect import describe_session_cookies
from poolwright.domain.options import Sandbox
from poolwright.profile.run_folder import TEMP_PATH_MAX_BYTES
from poolwright.profile.session_cookies import SessionCookies
from poolwright.service import capacity
from poolwright.service.browser_check import BrowserCheck
from poolwright.service.certificates import Certificates
from poolwright.system.browser_choice import BrowserChoice
from poolwright.system.container import Container
from poolwright.system.folder_access import FolderAccess
from poolwright.system.hardware import Fonts, Hardware
from poolwright.system.open_files import FILES_NEEDED, FILES_WANTED, HOW_TO_RAISE
from poolwright.system.sandbox import SandboxChoice

#: No correct clock shows an earlier time: the release date, updated with each release.
NOT_BEFORE = datetime(2026, 11, 1, tzinfo=UTC)
#: A clock that shows a later time is wrong, and certificates and logins seem to have expired.
NOT_AFTER = NOT_BEFORE + timedelta(days=15 * 365)
#: Allowed difference to the clock of a file server.
CLOCK_SLACK = timedelta(minutes=5)
_UTF8 = "utf8"
#: Warn this long before a certificate expires.
_EXPIRY_WARNING = timedelta(days=30)
_PROXY_SCHEMES = frozenset({"http", "https", "socks4", "socks4a", "socks5", "socks5h"})
_SOCKS_ADVICE = "Only the browser can download files through a SOCKS proxy; prefer an http:// proxy."


@dataclass(frozen=True, slots=True, kw_only=True)
class Encodings:
    """The encodings of file names and of the locale."""

    #: Encoding of file names in this program.
    names: str
    #: Encoding of the locale, which browsers use.
    system: str


def check_browser(choice: BrowserChoice, version: str) -> CheckResult:
    """Report the browser of a run, and why it is this one."""
    browser = choice.browser
    found = "; ".join(dict.fromkeys((version, browser.origin, choice.why)))
    return ok("browser", f"{browser.path} ({found})")


def check_session_cookies(cookies: SessionCookies, profile: str, *, is_shell: bool) -> CheckResult:
    """Check whether a headless shell has the cookies without an expiry, which it does not read from a profile.

    Args:
        cookies: Those of the profile.
        profile: Its name.
        is_shell: Whether runs use a headless shell.
    """
    found = describe_session_cookies(cookies)
    if not cookies.lost_count:
        return ok("login", found)
    login = f"`poolwright profile login {profile}` makes the copies"
    if is_shell:
        return warn("login", found, f"Set browser to auto or chromium; {login}.")
    return ok("login", f"{found}; so runs use a whole browser; {login}")


def check_sandbox(choice: SandboxChoice) -> CheckResult:
    """Check the browser sandbox; a browser without it works, but is less secure."""
    if choice.mode is Sandbox.OFF:
        return warn("sandbox", f"off: {choice.why}", "Acceptable for a portal that you trust.")
    if choice.obstacle:
        found = f"on {choice.why}, but browsers may not start: {choice.obstacle}"
        return fail("sandbox", found, "Or use --sandbox auto.")
    return ok("sandbox", f"on ({choice.why})")


def check_memory(
    machine: Hardware, workers_count: int, tabs_per_worker: int, container: Container | None
) -> CheckResult:
    """Check whether this many workers fit in memory, by the same rules as a run."""
    shortage = capacity.memory_shortage(workers_count, tabs_per_worker, machine)
    if shortage:
        return fail("memory", shortage, "")
    warning = capacity.memory_warning(workers_count, tabs_per_worker, machine)
    if warning:
        return warn("memory", warning, "")
    memory = machine.memory
    available, total = terminal.format_size(memory.available_bytes), terminal.format_size(memory.total_bytes)
    free = f"{available} of {total} free ({memory.source})"
    needed = capacity.memory_needed(workers_count, tabs_per_worker)
    fitting = capacity.count_text(capacity.max_workers(machine, tabs_per_worker), "worker")
    if memory.is_of_group:
        return ok("memory", f"{free}; {needed}; at most {fitting} would fit")
    if container is not None:
        return ok("memory", f"{free}; this container has no limit of its own; {needed}")
    return ok("memory", f"{free}; {needed}")


def check_shared_memory(total_bytes: int | None) -> CheckResult:
    """Report the shared memory, which browsers do not need: it is a frequent question."""
    found = "none" if total_bytes is None else terminal.format_size(total_bytes)
    return ok("shared mem", f"{found}; browsers work without it")


def check_fonts(fonts: Fonts, container: Container | None) -> CheckResult:
    """Check the fonts, which matter only for screenshots and prints: pages are read by their text."""
    found = terminal.format_count(fonts.count, "font")
    if not fonts.count:
        where = "" if container is None else ", in the image"
        return warn("fonts", "none: pages and their prints show boxes", f"Install fonts-liberation{where}.")
    if not fonts.has_cjk:
        advice = (
            "install fonts-noto-cjk"
            if container is None
            else "build the image with --build-arg EXTRA_PACKAGES=fonts-noto-cjk"
        )
        return ok("fonts", f"{found}, none for Chinese, Japanese or Korean; for pages in these, {advice}")
    return ok("fonts", found)


def check_clock(now: datetime, newest: tuple[datetime, Path] | None) -> CheckResult:
    """Check the clock, on which the validity of logins and certificates depends.

    Args:
        now: The time of the clock, timezone-aware.
        newest: Time and path of the latest change to a file that this program or a browser wrote.
    """
    time = f"{now:%Y-%m-%d %H:%M} UTC"
    advice = "Set the clock of this machine (in a container: of its host): logins and certificates depend on it."
    if now < NOT_BEFORE:
        return fail("clock", f"{time} is before the release of this program", advice)
    if now > NOT_AFTER:
        return fail("clock", f"{time} is many years in the future", advice)
    if newest is not None and newest[0] > now + CLOCK_SLACK:
        changed, path = newest
        return warn("clock", f"{time} is behind {path}, which was written at {changed:%Y-%m-%d %H:%M}", advice)
    return ok("clock", time)


def check_locale(encodings: Encodings) -> CheckResult:
    """Check for UTF-8: without it a browser saves ``Müller.pdf`` as ``download``."""
    advice = "Set LANG=C.UTF-8, and LC_ALL to the same or not at all."
    if not _is_utf8(encodings.names):
        found = f"file names use {encodings.names}, which cannot represent umlauts"
        return fail("locale", found, advice)
    if not _is_utf8(encodings.system):
        found = f"the locale is {encodings.system}, so browsers lose file names with umlauts"
        return warn("locale", found, advice)
    return ok("locale", "UTF-8")


def check_open_files(limit: int | None) -> CheckResult:
    """Check whether a browser and this program can open enough files and pipes.

    Args:
        limit: The limit of one process; ``None`` for no limit.
    """
    if limit is None or limit >= FILES_WANTED:
        return ok("open files", "no limit" if limit is None else f"{limit:,} for each process")
    found = f"{limit:,} for each process, and a browser needs {FILES_WANTED:,}"
    return fail("open files", found, HOW_TO_RAISE) if limit < FILES_NEEDED else warn("open files", found, HOW_TO_RAISE)


def check_proxies(configured: str, bypass: Sequence[str], proxies: Mapping[str, str]) -> CheckResult:
    """Check the proxy of the settings, or else those of variables such as ``https_proxy``, which browsers use, too.

    Args:
        configured: The proxy of the settings; empty for none.
        bypass: Hosts that do not use it.
        proxies: Addresses of the environment by scheme; ``no`` for the hosts that do not use them.
    """
    if configured:
        exceptions = f"; not for {', '.join(bypass)}" if bypass else ""
        if configured.startswith("socks"):
            return warn("proxy", f"{configured} (setting proxy){exceptions}", _SOCKS_ADVICE)
        return ok("proxy", f"{configured} (setting proxy){exceptions}")
    addresses = {scheme: address for scheme, address in proxies.items() if scheme != "no" and address}
    if not addresses:
        return ok("proxy", "none in the environment")
    names = ", ".join(f"{scheme} by {_without_login(address)}" for scheme, address in sorted(addresses.items()))
    exceptions = f"; not for {proxies['no']}" if proxies.get("no") else ""
    invalid = [address for address in addresses.values() if urlsplit(address).scheme not in _PROXY_SCHEMES]
    if invalid:
        advice = f"{_without_login(invalid[0])!r} is not a proxy address: set it to http://host:port, or unset it."
        return fail("proxy", f"{names}{exceptions}", advice)
    if any(urlsplit(address).scheme.startswith("socks") for address in addresses.values()):
        return warn("proxy", f"{names}{exceptions}", _SOCKS_ADVICE)
    return ok("proxy", f"{names}{exceptions}")


def check_certificates(certificates: Certificates, now: datetime, platform: str) -> CheckResult:
    """Check the configured certificates; browsers on Windows and macOS use only the certificates of the system.

    Args:
        certificates: The configured certificates.
        now: The current time, timezone-aware.
        platform: The value of ``sys.platform``.
    """
    found = "; ".join(certificates.found) or "none but the system's"
    if certificates.ends is not None and certificates.ends - now < _EXPIRY_WARNING:
        return warn("certificates", found, "Renew it before it expires and runs fail.")
    if certificates.found and not platform.startswith("linux"):
        advice = "Add them to this system's own store, too: browsers use only that one."
        return warn("certificates", found, advice)
    return ok("certificates", found)


def _without_login(address: str) -> str:
    """Return the address of a proxy without user and password."""
    scheme, separator, rest = address.rpartition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"


def _is_utf8(encoding: str) -> bool:
    return encoding.casefold().replace("-", "").replace("_", "") == _UTF8


def check_start(trial: BrowserCheck) -> CheckResult:
    """Check the result of the test start of the browser."""
    if trial.problem:
        advice = "A run starts it in the same way: fix this first."
        return fail("start", trial.problem, advice)
    found = f"the browser starts and closes normally ({trial.duration_s:.1f} s, with a temporary profile)"
    return warn("start", found, " ".join(trial.notices)) if trial.notices else ok("start", found)


#: With less free space, a run will stop soon, or may stop.
DISK_FAIL_BYTES, DISK_WARN_BYTES = 500_000_000, 5_000_000_000
#: Length of the longest path that a run adds to the folder for runs.
RUN_PATH_BYTES = len("/r-1a2b3c/w8/t")


def check_output(out: FolderAccess, free_bytes: int) -> CheckResult:
    """Check whether the output folder is writable and has enough free space."""
    found = f"{terminal.format_size(free_bytes)} free for {out.path}"
    if out.refusal is not None:
        return _not_writable("output", out, "Or choose another folder with --out.")
    if free_bytes < DISK_FAIL_BYTES:
        return fail("output", found, "Free some space, or choose a folder on another disk with --out.")
    if free_bytes < DISK_WARN_BYTES:
        return warn("output", found, "Enough for a short list; free some space for a long one.")
    return ok("output", found)


def check_runs_dir(machine: Hardware, workers_count: int, tabs_per_worker: int, runs: FolderAccess) -> CheckResult:
    """Check whether the folder for runs is writable, has space for the clones, and has a short path for sockets."""
    path = str(machine.runs_dir)
    length = len(path.encode()) + RUN_PATH_BYTES
    shortage = capacity.disk_shortage(workers_count, tabs_per_worker, machine)
    if runs.refusal is not None:
        return _not_writable("runs folder", runs, "Or choose another one with --runs-dir.")
    if shortage:
        return fail("runs folder", shortage, "")
    if length > TEMP_PATH_MAX_BYTES:
        finding = f"{path} leads to paths of {length} bytes; at most {TEMP_PATH_MAX_BYTES} are allowed"
        return warn(
            "runs folder", finding, "Browsers get temporary folders elsewhere; a shorter --runs-dir avoids that."
        )
    kind = "; it is in memory" if machine.is_room_in_memory else ""
    free = f"{terminal.format_size(machine.room_bytes)} free{kind}; paths of {length} of {TEMP_PATH_MAX_BYTES} bytes"
    return ok("runs folder", f"{path} ({free})")


def check_temporary(temporary: FolderAccess) -> CheckResult:
    """Check the folder for small temporary files; clones and files of browsers are in the folder for runs."""
    if temporary.refusal is None:
        return ok("temp folder", str(temporary.path))
    otherwise = "In a container mount one with --tmpfs /tmp (in Kubernetes an emptyDir), or set TMPDIR to another one."
    found = f"{temporary.path} cannot be written: {temporary.refusal.cause}"
    return fail("temp folder", found, otherwise)


def check_home(home: FolderAccess | None) -> CheckResult:
    """Report the home folder, which browsers do not need: it is a frequent question."""
    if home is None:
        return ok("home", "none; browsers work without it")
    if home.refusal is not None:
        return ok("home", f"{home.path} cannot be written: {home.refusal.cause}; browsers work without it")
    return ok("home", str(home.path))


def check_profiles_dir(profiles: FolderAccess) -> CheckResult:
    """Check the profiles folder: runs read it; logins, seals and damage marks are written to it."""
    if profiles.refusal is None:
        return ok("profiles", str(profiles.path))
    found = f"{profiles.path} cannot be written: {profiles.refusal.cause}"
    advice = f"Runs work; login and sealing do not. {profiles.refusal.step}".rstrip()
    return warn("profiles", found, advice)


def check_profile_rights(profile: FolderAccess) -> CheckResult | None:
    """Check whether the profile is readable; return ``None`` if it is."""
    if profile.refusal is None:
        return None
    return fail("profile", f"{profile.path} cannot be read: {profile.refusal.cause}", profile.refusal.step)


def _not_writable(name: str, folder: FolderAccess, otherwise: str) -> CheckResult:
    refusal = folder.refusal
    cause, step = (refusal.cause, refusal.step) if refusal else ("", "")
    return fail(name, f"{folder.path} cannot be written: {cause}", f"{step} {otherwise}".strip())
