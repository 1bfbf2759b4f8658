"""The profile of one worker: a clone of the base, from its making to its end.

The supervisor owns it, because a killed worker can't clean up after itself, and it alone calls the methods. They block;
moves are told to the observer in the thread that calls.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from poolwright.domain.ids import ProfileId, SiteCookies
from poolwright.domain.state_machine import StateMachine, Transition
from poolwright.domain.states import PROFILE, ProfileEvent, ProfileStatus
from poolwright.profile.base import check_base
from poolwright.profile.clone import CloneReport, clone_profile, remove_clone, set_aside
from poolwright.profile.cookies import count_living
from poolwright.profile.failures import ProfileDamagedError
from poolwright.profile.guidance import guided
from poolwright.profile.launch import prepare_for_launch, unwritable
from poolwright.profile.locks import read_locked
from poolwright.profile.marker import mark_damaged
from poolwright.profile.seal import refuse_differences
from poolwright.profile.structure import LOCAL_STORAGE, find_stores, require_stores


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

    def lose(self) -> None:
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
            raise unwritable(self.worker_profile_path, error) from error
        self._copy()
        self.is_lost = False

    def take(self) -> None:
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
            raise self.spoil(str(error)) from error
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

    def spoil(self, cause: str) -> ProfileDamagedError:
        """Note that it is damaged: CORRUPTED to FAILED. The clone is kept aside, and its base refuses further runs.

        Args:
            cause: What was found, in whole sentences.

        Returns:
            The error to end the run with: the cause, where the damaged clone lies, and what could not be noted.
        """
        self._machine.fire(ProfileEvent.SPOIL, cause=cause)
        self.kept_path = self._keep_aside()
        kept = f" The damaged clone is kept in {self.kept_path}." if self.kept_path else ""
        lapse = self._mark(cause + kept)
        self._machine.fire(ProfileEvent.FAIL, cause=cause)
        return ProfileDamagedError(guided(f"{cause}{kept}{lapse}", self.base_profile_path))

    def _copy(self) -> CloneReport:
        try:
            with read_locked(self.base_profile_path):
                facts = check_base(self.base_profile_path)
                report = clone_profile(self.base_profile_path, self.worker_profile_path)
            if facts.seal is not None:
                refuse_differences(self.base_profile_path, facts.seal, report.files)
        except ProfileDamagedError as error:
            raise self.spoil(str(error)) from error
        try:
            self._stores = find_stores(self.worker_profile_path)
        except OSError as error:
            raise unwritable(self.worker_profile_path, error) from error
        self.clone_time = self._clock()
        self.notices = (*facts.notices, *filter(None, (facts.seal_notice,)))
        return report

    def _count_cookies(self) -> tuple[SiteCookies, ...]:
        try:
            return count_living(self.worker_profile_path, self._clock())
        except OSError as error:
            raise unwritable(self.worker_profile_path, error) from error

    def _keep_aside(self) -> Path | None:
        clone = self.worker_profile_path
        try:
            return set_aside(clone, self._clock()) if clone.exists() else None
        except OSError:
            # Removed with its run: nobody launches a failed profile.
            return None

    def _mark(self, why: str) -> str:
        try:
            mark_damaged(self.base_profile_path, why, self._clock())
        except OSError as error:
            return f" The next run is not warned: the damage mark beside the base can't be written ({error.strerror})."
        return ""
