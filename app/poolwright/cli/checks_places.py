"""Where a run writes and reads, judged one place at a time. Pure; ``doctor`` brings the facts."""

from __future__ import annotations

from poolwright.cli import words
from poolwright.cli.checks import Check, fail, ok, warn
from poolwright.profile.run_folder import TEMP_PATH_MAX_BYTES
from poolwright.service import capacity
from poolwright.system.folder_access import FolderAccess
from poolwright.system.hardware import Hardware

#: Below this a run soon has to stop; below the other one it may.
DISK_FAIL_BYTES, DISK_WARN_BYTES = 500_000_000, 5_000_000_000
#: What a run puts below the folder for runs: ``r-1a2b3c/w8/t``.
RUN_PATH_BYTES = len("/r-1a2b3c/w8/t")


def judge_output(out: FolderAccess, free_bytes: int) -> Check:
    """Whether files can be written and have room."""
    found = f"{words.size(free_bytes)} free for {out.path}"
    if out.refusal is not None:
        return _refused("output", out, "Or name another folder with --out.")
    if free_bytes < DISK_FAIL_BYTES:
        return fail("output", found, "Free some space, or name a folder on another disk with --out.")
    if free_bytes < DISK_WARN_BYTES:
        return warn("output", found, "Enough for a short list; free some space for a long one.")
    return ok("output", found)


def judge_runs_dir(machine: Hardware, workers_count: int, tabs_per_worker: int, runs: FolderAccess) -> Check:
    """Whether clones can be made and have room, and browsers' sockets have short enough a path."""
    place = str(machine.runs_dir)
    length = len(place.encode()) + RUN_PATH_BYTES
    lack = capacity.disk_shortage(workers_count, tabs_per_worker, machine)
    if runs.refusal is not None:
        return _refused("runs folder", runs, "Or name another one with --runs-dir.")
    if lack:
        return fail("runs folder", lack, "")
    if length > TEMP_PATH_MAX_BYTES:
        told = f"{place} makes paths of {length} bytes, {TEMP_PATH_MAX_BYTES} are allowed"
        return warn("runs folder", told, "Browsers get temporary folders elsewhere; a shorter --runs-dir avoids that.")
    kind = "; it is in memory" if machine.is_room_in_memory else ""
    room = f"{words.size(machine.room_bytes)} free{kind}; paths of {length} of {TEMP_PATH_MAX_BYTES} bytes"
    return ok("runs folder", f"{place} ({room})")


def judge_temporary(temporary: FolderAccess) -> Check:
    """Whether there is a place for small files of the program; clones and browsers' own lie in the folder for runs."""
    if temporary.refusal is None:
        return ok("temp folder", str(temporary.path))
    otherwise = "In a container mount one with --tmpfs /tmp (in Kubernetes an emptyDir), or name one by TMPDIR."
    found = f"{temporary.path} cannot be written: {temporary.refusal.cause}"
    return fail("temp folder", found, otherwise)


def judge_home(home: FolderAccess | None) -> Check:
    """Told because it is often asked for: browsers start with a home that they cannot write, too."""
    if home is None:
        return ok("home", "none; browsers work without it")
    if home.refusal is not None:
        return ok("home", f"{home.path} cannot be written: {home.refusal.cause}; browsers work without it")
    return ok("home", str(home.path))


def judge_profiles_dir(profiles: FolderAccess) -> Check:
    """Runs read it; logins, seals and marks of damage are written to it."""
    if profiles.refusal is None:
        return ok("profiles", str(profiles.path))
    found = f"{profiles.path} cannot be written: {profiles.refusal.cause}"
    advice = f"Runs work; logging in and sealing do not. {profiles.refusal.step}".rstrip()
    return warn("profiles", found, advice)


def judge_profile_rights(profile: FolderAccess) -> Check | None:
    """A profile that was made by somebody else, or mounted from elsewhere; nothing when it can be read."""
    if profile.refusal is None:
        return None
    return fail("profile", f"{profile.path} can't be read: {profile.refusal.cause}", profile.refusal.step)


def _refused(name: str, place: FolderAccess, otherwise: str) -> Check:
    refusal = place.refusal
    cause, step = (refusal.cause, refusal.step) if refusal else ("", "")
    return fail(name, f"{place.path} cannot be written: {cause}", f"{step} {otherwise}".strip())
