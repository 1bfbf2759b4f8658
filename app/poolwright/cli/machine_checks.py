"""The checks of the doctor (memory, clock, fonts, proxies, folders ...), each a pure function of one fact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from poolwright.cli import terminal
from poolwright.cli.check_result import CheckResult, fail, ok, warn
from poolwright.domain.options import Sandbox
from poolwright.profile.run_folder import TEMP_PATH_MAX_BYTES
from poolwright.service import capacity
from poolwright.service.browser_check import BrowserCheck
from poolwright.service.certificates import Certificates
from poolwright.system.container import Container
from poolwright.system.folder_access import FolderAccess
from poolwright.system.hardware import Fonts, Hardware
from poolwright.system.sandbox import SandboxChoice

#: This program was not there before; moved on with its releases.
NOT_BEFORE = datetime(2026, 11, 1, tzinfo=UTC)
#: A clock that is further ahead than any installation lasts is wrong; certificates and logins have ended by then.
NOT_AFTER = NOT_BEFORE + timedelta(days=15 * 365)
#: Clocks of file servers may differ from ours by so much.
CLOCK_SLACK = timedelta(minutes=5)
_UTF8 = "utf8"
#: Files and pipes of one browser with some tabs, and with fewer of which it does not even start.
FILES_WANTED, FILES_NEEDED = 1024, 256
#: So long before a certificate ends its successor should be asked for.
_LAST_DAYS = timedelta(days=30)
_PROXY_SCHEMES = frozenset({"http", "https", "socks4", "socks4a", "socks5", "socks5h"})
_SOCKS_ADVICE = "Files are fetched past SOCKS proxies by the browser alone; an http:// proxy is the safer choice."


@dataclass(frozen=True, slots=True, kw_only=True)
class Encodings:
    """How characters beyond ASCII are written here."""

    #: Of names of files, in this program.
    names: str
    #: What the locale says, which browsers go by.
    system: str


def check_sandbox(choice: SandboxChoice) -> CheckResult:
    """A browser without its sandbox works; it is just less safe on a strange page."""
    if choice.mode is Sandbox.OFF:
        return warn("sandbox", f"off: {choice.why}", "Acceptable for a portal that you trust.")
    if choice.obstacle:
        found = f"on {choice.why}, but browsers may not start: {choice.obstacle}"
        return fail("sandbox", found, "Or use --sandbox auto.")
    return ok("sandbox", f"on ({choice.why})")


def check_memory(
    machine: Hardware, workers_count: int, tabs_per_worker: int, container: Container | None
) -> CheckResult:
    """Whether that many workers fit, by the same rules as at the start of a run; and how many would."""
    lack = capacity.memory_shortage(workers_count, tabs_per_worker, machine)
    if lack:
        return fail("memory", lack, "")
    tight = capacity.memory_warning(workers_count, tabs_per_worker, machine)
    if tight:
        return warn("memory", tight, "")
    memory = machine.memory
    available, total = terminal.format_size(memory.available_bytes), terminal.format_size(memory.total_bytes)
    there = f"{available} of {total} free ({memory.source})"
    needed = capacity.memory_needed(workers_count, tabs_per_worker)
    fitting = capacity.count_text(capacity.max_workers(machine, tabs_per_worker), "worker")
    if memory.is_of_group:
        return ok("memory", f"{there}; {needed}; at most {fitting} would fit")
    if container is not None:
        return ok("memory", f"{there}; this container has no limit of its own; {needed}")
    return ok("memory", f"{there}; {needed}")


def check_shared_memory(total_bytes: int | None) -> CheckResult:
    """Told because it is often asked for; browsers are started so that they do without it."""
    found = "none" if total_bytes is None else terminal.format_size(total_bytes)
    return ok("shared mem", f"{found}; browsers work without it")


def check_fonts(fonts: Fonts, container: Container | None) -> CheckResult:
    """Pages are read by their text, so fonts matter for what people see of them."""
    found = terminal.format_count(fonts.count, "font")
    if not fonts.count:
        how = "" if container is None else ", in the image"
        return warn("fonts", "none: pages and their prints show boxes", f"Install fonts-liberation{how}.")
    if not fonts.has_cjk:
        how = (
            "install fonts-noto-cjk"
            if container is None
            else "build the image with --build-arg EXTRA_PACKAGES=fonts-noto-cjk"
        )
        return ok("fonts", f"{found}, none for Chinese, Japanese or Korean; where pages are in these, {how}")
    return ok("fonts", found)


def check_clock(now: datetime, newest: tuple[datetime, Path] | None) -> CheckResult:
    """A wrong clock ends logins and certificates before their time, or keeps them for ever.

    Args:
        now: What the clock says; aware.
        newest: When a file that this program or its browsers wrote changed last, and which.
    """
    told = f"{now:%Y-%m-%d %H:%M} UTC"
    advice = "Set the clock of this machine (in a container: of its host): logins and certificates depend on it."
    if now < NOT_BEFORE:
        return fail("clock", f"{told} is before the release of this program", advice)
    if now > NOT_AFTER:
        return fail("clock", f"{told} is many years in the future", advice)
    if newest is not None and newest[0] > now + CLOCK_SLACK:
        changed, path = newest
        return warn("clock", f"{told} is behind {path}, which was written at {changed:%Y-%m-%d %H:%M}", advice)
    return ok("clock", told)


def check_locale(encodings: Encodings) -> CheckResult:
    """Names of files keep their letters only under UTF-8: a browser calls ``Müller.pdf`` ``download`` without it."""
    advice = "Set LANG=C.UTF-8, and LC_ALL to the same or not at all."
    if not _is_utf8(encodings.names):
        found = f"file names use {encodings.names}, which cannot represent umlauts"
        return fail("locale", found, advice)
    if not _is_utf8(encodings.system):
        found = f"the locale is {encodings.system}, so browsers lose file names with umlauts"
        return warn("locale", found, advice)
    return ok("locale", "UTF-8")


def check_open_files(most: int | None) -> CheckResult:
    """Whether a browser and this program can have as many files and pipes open as they need.

    Args:
        most: The limit for one process; nothing where the system has none.
    """
    if most is None or most >= FILES_WANTED:
        return ok("open files", "no limit" if most is None else f"{most:,} for each process")
    advice = "Raise it: `ulimit -n 4096`, LimitNOFILE= of a service, --ulimit nofile=4096 of a container."
    found = f"{most:,} for each process, and a browser wants {FILES_WANTED:,}"
    return fail("open files", found, advice) if most < FILES_NEEDED else warn("open files", found, advice)


def check_proxies(asked: str, bypass: Sequence[str], proxies: Mapping[str, str]) -> CheckResult:
    """The proxy of the settings; else what variables such as ``https_proxy`` tell every program here, browsers too.

    Args:
        asked: That of the settings; empty for none.
        bypass: What goes past that one.
        proxies: Addresses by scheme, and under ``no`` what goes past them.
    """
    if asked:
        past = f"; past it: {', '.join(bypass)}" if bypass else ""
        if asked.startswith("socks"):
            return warn("proxy", f"{asked} (setting proxy){past}", _SOCKS_ADVICE)
        return ok("proxy", f"{asked} (setting proxy){past}")
    told = {scheme: address for scheme, address in proxies.items() if scheme != "no" and address}
    if not told:
        return ok("proxy", "none in the environment")
    names = ", ".join(f"{scheme} by {_without_login(address)}" for scheme, address in sorted(told.items()))
    past = f"; past it: {proxies['no']}" if proxies.get("no") else ""
    wrong = [address for address in told.values() if urlsplit(address).scheme not in _PROXY_SCHEMES]
    if wrong:
        advice = f"{_without_login(wrong[0])!r} is not a proxy address: set it to http://host:port, or unset it."
        return fail("proxy", f"{names}{past}", advice)
    if any(urlsplit(address).scheme.startswith("socks") for address in told.values()):
        return warn("proxy", f"{names}{past}", _SOCKS_ADVICE)
    return ok("proxy", f"{names}{past}")


def check_certificates(certificates: Certificates, now: datetime, platform: str) -> CheckResult:
    """Those that settings name; another platform's browsers go by its own store.

    Args:
        certificates: As they were found.
        now: Aware.
        platform: As in ``sys.platform``.
    """
    found = "; ".join(certificates.found) or "none but the system's"
    if certificates.ends is not None and certificates.ends - now < _LAST_DAYS:
        return warn("certificates", found, "Renew it before it expires and runs fail.")
    if certificates.found and not platform.startswith("linux"):
        advice = "Add them to this system's own store, too: browsers use only that one."
        return warn("certificates", found, advice)
    return ok("certificates", found)


def _without_login(address: str) -> str:
    """A proxy may have a user and a password in its address."""
    scheme, mark, rest = address.rpartition("://")
    return f"{scheme}{mark}{rest.rpartition('@')[2]}"


def _is_utf8(encoding: str) -> bool:
    return encoding.casefold().replace("-", "").replace("_", "") == _UTF8


def check_start(trial: BrowserCheck) -> CheckResult:
    """Whether the browser came up when it was tried."""
    if trial.problem:
        advice = "A run starts it in the same way: fix this first."
        return fail("start", trial.problem, advice)
    found = f"the browser starts and closes normally ({trial.duration_s:.1f} s, with a temporary profile)"
    return warn("start", found, " ".join(trial.notices)) if trial.notices else ok("start", found)


#: Below this a run soon has to stop; below the other one it may.
DISK_FAIL_BYTES, DISK_WARN_BYTES = 500_000_000, 5_000_000_000
#: What a run puts below the folder for runs: ``r-1a2b3c/w8/t``.
RUN_PATH_BYTES = len("/r-1a2b3c/w8/t")


def check_output(out: FolderAccess, free_bytes: int) -> CheckResult:
    """Whether files can be written and have room."""
    found = f"{terminal.format_size(free_bytes)} free for {out.path}"
    if out.refusal is not None:
        return _not_writable("output", out, "Or name another folder with --out.")
    if free_bytes < DISK_FAIL_BYTES:
        return fail("output", found, "Free some space, or name a folder on another disk with --out.")
    if free_bytes < DISK_WARN_BYTES:
        return warn("output", found, "Enough for a short list; free some space for a long one.")
    return ok("output", found)


def check_runs_dir(machine: Hardware, workers_count: int, tabs_per_worker: int, runs: FolderAccess) -> CheckResult:
    """Whether clones can be made and have room, and browsers' sockets have short enough a path."""
    place = str(machine.runs_dir)
    length = len(place.encode()) + RUN_PATH_BYTES
    lack = capacity.disk_shortage(workers_count, tabs_per_worker, machine)
    if runs.refusal is not None:
        return _not_writable("runs folder", runs, "Or name another one with --runs-dir.")
    if lack:
        return fail("runs folder", lack, "")
    if length > TEMP_PATH_MAX_BYTES:
        told = f"{place} makes paths of {length} bytes, {TEMP_PATH_MAX_BYTES} are allowed"
        return warn("runs folder", told, "Browsers get temporary folders elsewhere; a shorter --runs-dir avoids that.")
    kind = "; it is in memory" if machine.is_room_in_memory else ""
    room = f"{terminal.format_size(machine.room_bytes)} free{kind}; paths of {length} of {TEMP_PATH_MAX_BYTES} bytes"
    return ok("runs folder", f"{place} ({room})")


def check_temporary(temporary: FolderAccess) -> CheckResult:
    """Whether there is a place for small files of the program; clones and browsers' own lie in the folder for runs."""
    if temporary.refusal is None:
        return ok("temp folder", str(temporary.path))
    otherwise = "In a container mount one with --tmpfs /tmp (in Kubernetes an emptyDir), or name one by TMPDIR."
    found = f"{temporary.path} cannot be written: {temporary.refusal.cause}"
    return fail("temp folder", found, otherwise)


def check_home(home: FolderAccess | None) -> CheckResult:
    """Told because it is often asked for: browsers start with a home that they cannot write, too."""
    if home is None:
        return ok("home", "none; browsers work without it")
    if home.refusal is not None:
        return ok("home", f"{home.path} cannot be written: {home.refusal.cause}; browsers work without it")
    return ok("home", str(home.path))


def check_profiles_dir(profiles: FolderAccess) -> CheckResult:
    """Runs read it; logins, seals and marks of damage are written to it."""
    if profiles.refusal is None:
        return ok("profiles", str(profiles.path))
    found = f"{profiles.path} cannot be written: {profiles.refusal.cause}"
    advice = f"Runs work; logging in and sealing do not. {profiles.refusal.step}".rstrip()
    return warn("profiles", found, advice)


def check_profile_rights(profile: FolderAccess) -> CheckResult | None:
    """A profile that was made by somebody else, or mounted from elsewhere; nothing when it can be read."""
    if profile.refusal is None:
        return None
    return fail("profile", f"{profile.path} can't be read: {profile.refusal.cause}", profile.refusal.step)


def _not_writable(name: str, place: FolderAccess, otherwise: str) -> CheckResult:
    refusal = place.refusal
    cause, step = (refusal.cause, refusal.step) if refusal else ("", "")
    return fail(name, f"{place.path} cannot be written: {cause}", f"{step} {otherwise}".strip())
