"""Handles events of the whole pool: requests of people, storage problems and tasks that no worker holds. Pure."""

from __future__ import annotations

from dataclasses import replace

from poolwright.supervisor.policy.commands import Forget
from poolwright.supervisor.policy.draft import Draft
from poolwright.supervisor.policy.events import (
    DiskLow,
    FolderMissing,
    HoursBegan,
    HoursEnded,
    JournalFull,
    JournalLocked,
    LimitsChanged,
    PauseEnded,
    PauseRequested,
    StopRequested,
    StorageUnavailable,
    TasksCancelled,
    TrialQueued,
)
from poolwright.supervisor.policy.login_recovery import retry_login
from poolwright.supervisor.policy.pauses import STORAGE_PAUSES, PauseReason
from poolwright.supervisor.policy.state import RecyclePolicy


def on_stop_requested(draft: Draft, event: StopRequested) -> None:
    """End the pool."""
    draft.stop(event.cause, event.detail)


def on_pause_requested(draft: Draft, _event: PauseRequested) -> None:
    """Pause until an operator resumes the pool."""
    draft.pause_until_resumed(PauseReason.OPERATOR, "Paused by request.")


def on_hours_ended(draft: Draft, event: HoursEnded) -> None:
    """Pause until the portal's working hours begin."""
    draft.pause_until_resumed(PauseReason.OUTSIDE_HOURS, f"{event.detail} It goes on at {event.begin}.")


def on_hours_began(draft: Draft, _event: HoursBegan) -> None:
    """End the pause outside the portal's working hours."""
    draft.resume(PauseReason.OUTSIDE_HOURS)


def on_pause_ended(draft: Draft, event: PauseEnded) -> None:
    """End the pause of this cause; after ``LOGIN_REQUIRED`` try the login again, because a person has logged in.

    The end of a time that was extended since is ignored: a later event follows.
    """
    if event.cause not in draft.pauses.active or event.extension_count < draft.pauses.extension_count(event.cause):
        return
    draft.resume(event.cause)
    if event.cause is PauseReason.LOGIN_REQUIRED:
        retry_login(draft)


def on_limits_changed(draft: Draft, event: LimitsChanged) -> None:
    """Apply the new limits."""
    limits = event.limits
    draft.max_attempts = limits.max_attempts
    draft.memory = replace(draft.memory, threshold=limits.memory_threshold)
    draft.recycle_policy = RecyclePolicy.from_limits(limits)


def on_tasks_cancelled(draft: Draft, event: TasksCancelled) -> None:
    """Forget tasks that never return to the queue, and remove the files of their earlier attempts."""
    draft.emit(Forget(task_ids=tuple(event.task_ids)))
    for task_id in event.task_ids:
        draft.discard(draft.best.get(task_id))
        draft.forget(task_id)


def on_trial_queued(draft: Draft, event: TrialQueued) -> None:
    """Note a task on trial, which waits for a new browser of its own."""
    draft.on_trial |= {event.task_id}


def on_journal_full(draft: Draft, _event: JournalFull) -> None:
    """Pause for a time; then the change is written again."""
    draft.pause(PauseReason.DISK_FULL, "The disk of the journal is full.")


def on_journal_locked(draft: Draft, _event: JournalLocked) -> None:
    """Pause until the journal is unlocked."""
    draft.pause_until_resumed(PauseReason.JOURNAL_LOCKED, "Another program has locked the journal.")


def on_disk_low(draft: Draft, event: DiskLow) -> None:
    """Pause for a time; then the disk is tried again."""
    detail = f"Only {event.free_bytes / 1024**2:.1f} MB are free on the disk of {event.place}."
    draft.pause(PauseReason.DISK_FULL, detail)


def on_storage_unavailable(draft: Draft, event: StorageUnavailable) -> None:
    """Pause for a time; then the storage is tried again."""
    draft.pause(STORAGE_PAUSES[event.trouble], event.detail)


def on_folder_missing(draft: Draft, event: FolderMissing) -> None:
    """Pause until the same folder is back."""
    draft.pause_until_resumed(PauseReason.PLACE_GONE, event.detail)
