"""Manages the profile of one worker: a clone of the base, from the copy through each launch to its removal.

Browsers start with ``--restore-last-session``, which keeps cookies without an expiry from launch to launch (in full
Chromium; the headless shell drops them in any case). The preparation for a launch prevents old tabs from reopening.

The supervisor owns the profile, because a killed worker can't clean up, and it alone calls the methods. They block;
each transition is passed to the observer in the calling thread.
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
from poolwright.profile.in_use import read_locked, refuse_in_use
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
from poolwright.profile.seal import refuse_differences

#: Settings that make a PDF a download instead of a viewer page, and that start each download without a question.
_WANTED_SETTINGS = (
    ("plugins", "always_open_pdf_externally", True),
    ("download", "prompt_for_download", False),
)
#: Left by a killed browser. The lock of another machine, such as a container, would prevent the launch.
_STALE_LOCKS = ("SingletonLock", "SingletonCookie", "SingletonSocket", "lockfile")
#: The restore argument would open the tabs in these folders beside the keeper tab.
_OLD_TABS = "Default/Sessions*"


def prepare_for_launch(clone: Path) -> None:
    """Check a clone and prepare it for the next launch. Never call it on a base.

    Raises:
        ProfileInUseError: A browser still has the clone open.
        ProfileDamagedError: A file is missing, broken or of another user.
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
    """Prepare a base for a login: remove the locks and tabs of an earlier browser. Hold ``write_locked`` meanwhile.

    Raises:
        ProfileInUseError: A browser has the base open.
        ProfileDamagedError: The lock files can't be read.
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
    """Return the error for a clone, a base or a temporary folder that can't be written."""
    reason = describe_error(error, folder).sentence(
        otherwise="Check that you may write there and that the disk has room."
    )
    return refused(error, f"{folder} can't be prepared for a browser: {reason}")


def _changed(clone: Path) -> bytes | None:
    """Return the settings file with the required values; ``None`` if it has them already."""
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
        """Set the paths; nothing is copied yet.

        Args:
            profile_id: Id of the profile.
            base_profile_path: The user-data folder to clone.
            worker_profile_path: Path of the clone.
            clock: Aware UTC now.
            observe: Called with every transition, in the calling thread.
        """
        self.profile_id = profile_id
        self.base_profile_path = base_profile_path
        self.worker_profile_path = worker_profile_path
        #: When the clone was complete; ``None`` before.
        self.clone_time: datetime | None = None
        #: Cookies that the browser of the next launch must find; set by each ``lease``.
        self.expected_cookies: tuple[SiteCookies, ...] = ()
        #: Path of the clone after it was found damaged; ``None`` without one.
        self.kept_path: Path | None = None
        #: Sentences for the user about a base that passed the checks; set by the first copy.
        self.notices: tuple[str, ...] = ()
        #: Whether the clone was removed by others, and must be restored before its next launch.
        self.is_lost = False
        self._clock = clock
        self._stores: frozenset[str] = frozenset()
        self._machine = StateMachine(PROFILE, profile_id, clock=clock, observe=observe)

    @property
    def state(self) -> ProfileStatus:
        """Return the state of the profile."""
        return self._machine.state

    @property
    def corruption_detected(self) -> bool:
        """Return whether it was found damaged, which is final."""
        return self.state in {ProfileStatus.CORRUPTED, ProfileStatus.FAILED}

    def clone(self) -> CloneReport:
        """Check the base and copy it: CLONING to READY. The copy of a sealed base is compared with the seal too.

        If the base is damaged, the profile is FAILED. After any other error it is still CLONING, and can be cloned
        again or removed.

        Raises:
            ProfileError: The base is missing, in use, refused or damaged.
            SetupError: The clone can't be written.
        """
        report = self._copy()
        self._machine.fire(ProfileEvent.CLONED)
        return report

    def mark_lost(self) -> None:
        """Note that the clone was removed by others, so that a folder in its place is not used."""
        self.is_lost = True

    def restore(self) -> None:
        """Copy the base again in place of a clone that was removed; the state stays READY.

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
        """Prepare the clone for the launch of a worker: READY to IN_USE.

        Raises:
            ProfileInUseError: The browser of an earlier worker still has it open; it stays READY.
            ProfileDamagedError: The clone is damaged; the profile is FAILED.
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
        """Take it back from a worker whose browser ended: IN_USE to READY, also if its disk does not answer."""
        # A site may delete its own database while it is open; that of localStorage belongs to all sites and stays.
        self._stores &= {LOCAL_STORAGE}
        with contextlib.suppress(OSError):  # the next ``lease`` reports the error
            self._stores |= find_stores(self.worker_profile_path)
        self._machine.fire(ProfileEvent.RELEASE)

    def remove(self) -> None:
        """Delete the clone: CLEANUP to REMOVED. May be repeated; without effect if it is removed or failed.

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
        """Mark it as damaged: CORRUPTED to FAILED. The clone is set aside, and its base refuses further runs.

        Args:
            cause: The damage, in whole sentences.

        Returns:
            The error that ends the run: the cause, the path of the damaged clone, and a mark that can't be written.
        """
        self._machine.fire(ProfileEvent.SPOIL, cause=cause)
        self.kept_path = self._quarantine()
        clone_sentence = f" The damaged clone is kept in {self.kept_path}." if self.kept_path else ""
        mark_error = self._mark(cause + clone_sentence)
        self._machine.fire(ProfileEvent.FAIL, cause=cause)
        return ProfileDamagedError(with_remediation(f"{cause}{clone_sentence}{mark_error}", self.base_profile_path))

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
            # Removed with its run: a failed profile is never launched.
            return None

    def _mark(self, why: str) -> str:
        try:
            mark_damaged(self.base_profile_path, why, self._clock())
        except OSError as error:
            return f" The next run is not warned: the damage mark beside the base can't be written ({error.strerror})."
        return ""
