"""The profile of one worker: a clone of the base, from the copy over each launch to its removal.

It goes with ``--restore-last-session``: that argument keeps cookies without an expiry alive from launch to launch (in
full Chromium; the headless shell drops them whatever it is told), and what is done here keeps old tabs from returning.

The supervisor owns it, because a killed worker can't clean up after itself, and it alone calls the methods. They block;
moves are told to the observer in the thread that calls.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import cast

from poolwright.domain.errors import SetupError
from poolwright.domain.ids import ProfileId, SiteCookies
from poolwright.domain.state_machine import StateMachine, Transition
from poolwright.domain.states import PROFILE, ProfileEvent, ProfileStatus
from poolwright.files.disk import remove_tree, replace_private_file
from poolwright.files.permissions import describe_error
from poolwright.profile.base import check_base
from poolwright.profile.clone import CloneReport, clone_profile, quarantine_clone, remove_clone
from poolwright.profile.cookie_db import count_live_cookies
from poolwright.profile.damage import mark_damaged, with_remediation
from poolwright.profile.errors import ProfileDamagedError, repair_step
from poolwright.profile.errors import unwritable_error as refused
from poolwright.profile.in_use import refuse_in_use
from poolwright.profile.integrity import (
    LOCAL_STORAGE,
    PREFERENCES_FILE,
    check_access,
    check_integrity,
    find_stores,
    has_no_settings,
    read_preferences,
    require_stores,
    trim_stores,
)
from poolwright.profile.locks import read_locked
from poolwright.profile.seal import refuse_differences

#: With these a PDF becomes a download instead of a viewer page, and no download waits for an answer.
_WANTED_SETTINGS = (
    ("plugins", "always_open_pdf_externally", True),
    ("download", "prompt_for_download", False),
)
#: Left by a browser that was killed. The lock of another machine, as a container leaves it, would stop the launch.
_STALE_LOCKS = ("SingletonLock", "SingletonCookie", "SingletonSocket", "lockfile")
#: From these folders the restore argument would open old tabs beside the keeper tab.
_OLD_TABS = "Default/Sessions*"


def prepare_for_launch(clone: Path) -> None:
    """Make sure that a clone is whole, and make it ready for the next launch. Never call it on a base.

    Raises:
        ProfileInUseError: A browser still has the clone open.
        ProfileDamagedError: Something in it is missing, broken or not ours.
        SetupError: It can't be written.
    """
    refuse_in_use(clone)
    check_access(clone)
    check_integrity(clone, was_killed=True)
    changed = None if has_no_settings(clone) else _changed(clone)
    try:
        if changed is not None:
            replace_private_file(clone / PREFERENCES_FILE, changed)
        trim_stores(clone)
        _clear_stale_files(clone)
    except OSError as error:
        raise launch_folder_error(clone, error) from error


def prepare_base(base: Path) -> None:
    """Make a base ready for a login in it: only what an earlier browser left behind goes. Hold ``locks.changing``.

    Raises:
        ProfileInUseError: A browser has the base open.
        ProfileDamagedError: Nobody can tell whether one has.
        SetupError: It can't be written.
    """
    refuse_in_use(base)
    try:
        _clear_stale_files(base)
    except OSError as error:
        raise launch_folder_error(base, error) from error


def _clear_stale_files(folder: Path) -> None:
    for lock in _STALE_LOCKS:
        (folder / lock).unlink(missing_ok=True)
    for tabs in folder.glob(_OLD_TABS):
        remove_tree(tabs)


def launch_folder_error(folder: Path, error: OSError) -> SetupError:
    """The error for a clone, a base, or a folder for temporary files, that can't be written."""
    told = describe_error(error, folder).sentence(
        otherwise="Check that you may write there and that the disk has room."
    )
    return refused(error, f"{folder} can't be made ready for a browser: {told}")


def _changed(clone: Path) -> bytes | None:
    """The settings with those that are wanted; nothing when they are there already."""
    settings = read_preferences(clone / PREFERENCES_FILE)
    before = json.dumps(settings)
    for group, name, wanted in _WANTED_SETTINGS:
        section = settings.setdefault(group, {})
        if not isinstance(section, dict):
            raise ProfileDamagedError(
                f"{clone / PREFERENCES_FILE} holds no settings under {group!r}. {repair_step(clone)}"
            )
        cast("dict[str, object]", section)[name] = wanted
    return None if json.dumps(settings) == before else json.dumps(settings, separators=(",", ":")).encode()


class Profile:
    """One clone and its state. A restarted worker leases the same clone again."""

    def __init__(
        self,
        *,
        profile_id: ProfileId,
        base_profile_path: Path,
        worker_profile_path: Path,
        clock: Callable[[], datetime],
        observe: Callable[[Transition], None],
    ) -> None:
        """Name the places; nothing is copied yet.

        Args:
            profile_id: Who this is.
            base_profile_path: The user-data folder to clone.
            worker_profile_path: Where the clone is to be.
            clock: Aware UTC now.
            observe: Called with every move, in the thread that makes it.
        """
        self.profile_id = profile_id
        self.base_profile_path = base_profile_path
        self.worker_profile_path = worker_profile_path
        #: When the clone was whole; nothing before.
        self.clone_time: datetime | None = None
        #: What the browser of the next launch must find; counted by each ``take``.
        self.expected_cookies: tuple[SiteCookies, ...] = ()
        #: Where the clone lies after it was found damaged; nothing when there was none.
        self.kept_path: Path | None = None
        #: What the person should know of the base although it is fit; known once it is cloned.
        self.notices: tuple[str, ...] = ()
        #: Whether the clone was removed meanwhile, and is to be made again before its next launch.
        self.is_lost = False
        self._clock = clock
        self._stores: frozenset[str] = frozenset()
        self._machine = StateMachine(PROFILE, profile_id, clock=clock, observe=observe)

    @property
    def state(self) -> ProfileStatus:
        """State of the profile."""
        return self._machine.state

    @property
    def corruption_detected(self) -> bool:
        """Whether it was found damaged. Nothing undoes that."""
        return self.state in {ProfileStatus.CORRUPTED, ProfileStatus.FAILED}

    def clone(self) -> CloneReport:
        """Check the base and copy it: CLONING to READY. Of a sealed base the copy is compared with the seal too.

        A damaged base spoils the profile. After any other error it is still CLONING, to be cloned again or removed.

        Raises:
            ProfileError: The base is missing, in use, refused or damaged.
            SetupError: The clone can't be written.
        """
        report = self._copy()
        self._machine.fire(ProfileEvent.CLONED)
        return report

    def mark_lost(self) -> None:
        """Somebody removed the clone; whatever lies in its place now is none."""
        self.is_lost = True

    def restore(self) -> None:
        """Copy the base again, in place of a clone that was removed; it is READY as before.

        Raises:
            ProfileError: The base is missing, in use, refused or damaged.
            SetupError: The clone can't be written.
        """
        try:
            remove_clone(self.worker_profile_path)
        except OSError as error:
            raise launch_folder_error(self.worker_profile_path, error) from error
        self._copy()
        self.is_lost = False

    def lease(self) -> None:
        """Hand it to a worker that is about to start: READY to IN_USE. The clone is ready for a launch then.

        Raises:
            ProfileInUseError: The browser of an earlier worker still runs on it; it stays READY.
            ProfileDamagedError: The clone was spoiled; the profile is FAILED.
            SetupError: The clone can't be written; it stays READY.
        """
        try:
            prepare_for_launch(self.worker_profile_path)
            require_stores(self.worker_profile_path, self._stores)
            self.expected_cookies = self._count_cookies()
        except ProfileDamagedError as error:
            raise self.mark_damaged(str(error)) from error
        self._machine.fire(ProfileEvent.TAKE)

    def release(self) -> None:
        """Take it back from a worker whose browser ended: IN_USE to READY, also where its disk does not answer."""
        # A site may drop its own database while it is open; that of localStorage belongs to all sites and stays.
        self._stores &= {LOCAL_STORAGE}
        with contextlib.suppress(OSError):  # whoever makes it ready for the next launch finds that out
            self._stores |= find_stores(self.worker_profile_path)
        self._machine.fire(ProfileEvent.RELEASE)

    def remove(self) -> None:
        """Delete the clone: CLEANUP to REMOVED. May be repeated; does nothing when it is removed or failed.

        Raises:
            OSError: The clone can't be deleted; it stays in CLEANUP.
        """
        if self._machine.is_over:
            return
        if self._machine.can(ProfileEvent.RETIRE):
            self._machine.fire(ProfileEvent.RETIRE)
        remove_clone(self.worker_profile_path)
        self._machine.fire(ProfileEvent.REMOVED)

    def mark_damaged(self, cause: str) -> ProfileDamagedError:
        """Note that it is damaged: CORRUPTED to FAILED. The clone is kept aside, and its base refuses further runs.

        Args:
            cause: What was found, in whole sentences.

        Returns:
            The error to end the run with: the cause, where the damaged clone lies, and what could not be noted.
        """
        self._machine.fire(ProfileEvent.SPOIL, cause=cause)
        self.kept_path = self._quarantine()
        kept = f" The damaged clone is kept in {self.kept_path}." if self.kept_path else ""
        lapse = self._mark(cause + kept)
        self._machine.fire(ProfileEvent.FAIL, cause=cause)
        return ProfileDamagedError(with_remediation(f"{cause}{kept}{lapse}", self.base_profile_path))

    def _copy(self) -> CloneReport:
        try:
            with read_locked(self.base_profile_path):
                facts = check_base(self.base_profile_path)
                report = clone_profile(self.base_profile_path, self.worker_profile_path)
            if facts.seal is not None:
                refuse_differences(self.base_profile_path, facts.seal, report.files)
        except ProfileDamagedError as error:
            raise self.mark_damaged(str(error)) from error
        try:
            self._stores = find_stores(self.worker_profile_path)
        except OSError as error:
            raise launch_folder_error(self.worker_profile_path, error) from error
        self.clone_time = self._clock()
        self.notices = (*facts.notices, *filter(None, (facts.seal_notice,)))
        return report

    def _count_cookies(self) -> tuple[SiteCookies, ...]:
        try:
            return count_live_cookies(self.worker_profile_path, self._clock())
        except OSError as error:
            raise launch_folder_error(self.worker_profile_path, error) from error

    def _quarantine(self) -> Path | None:
        clone = self.worker_profile_path
        try:
            return quarantine_clone(clone, self._clock()) if clone.exists() else None
        except OSError:
            # Removed with its run: nobody launches a failed profile.
            return None

    def _mark(self, why: str) -> str:
        try:
            mark_damaged(self.base_profile_path, why, self._clock())
        except OSError as error:
            return f" The next run is not warned: the damage mark beside the base can't be written ({error.strerror})."
        return ""
