"""Recovers a lost login: the pool pauses, one worker logs in, the others import its cookies. Pure.

A worker that starts logged out while another one is logged in imports that login, and the pool does not pause for it.
In any other case the first worker that reports the log-out logs in. If it cannot, it is restarted and tries once more;
after that a person has to log in.
"""

from __future__ import annotations

from dataclasses import replace

from poolwright.domain.ids import WorkerRef
from poolwright.domain.outcomes import ReturnReason
from poolwright.ipc.messages import LoginRequired, LoginResult
from poolwright.supervisor.policy.commands import (
    AnnounceLoginExpiry,
    BackUpLogin,
    CopyLogin,
    KillAndRestart,
    RefreshLogin,
    StopCause,
)
from poolwright.supervisor.policy.draft import Draft
from poolwright.supervisor.policy.events import LoginExpiring, MessageReceived, WorkerReady
from poolwright.supervisor.policy.login_state import LoginRecovery, LoginStatus
from poolwright.supervisor.policy.pauses import PauseReason
from poolwright.supervisor.policy.verification import requeue_unverified

#: Number of consecutive logins, with no order done in between, after which a person has to log in.
FAILED_LOGINS_MAX = 4
_LOGGED_OUT_AGAIN = "The portal ends the session right after every login."


def on_login_required(draft: Draft, event: MessageReceived[LoginRequired]) -> None:
    """Recover the login of a worker, and requeue its results, which were perhaps loaded without a login."""
    requeue_unverified(draft, event.worker, ReturnReason.SESSION_LOST)
    slot = draft.slot(event.worker.slot)
    slot.login_status = LoginStatus.LOGGED_OUT
    refresher = draft.login_recovery.refresher
    source = _logged_in_slot(draft)
    if slot.is_up:
        draft.login_lifetime = draft.login_lifetime.end(event.at_s)
    elif source is not None and refresher is None:
        draft.login_recovery = draft.login_recovery.import_cookies(event.worker.slot)
        draft.emit(CopyLogin(worker=event.worker, source_slot=source))
        return
    if refresher == event.worker.slot and not draft.is_stopping:  # it was restarted to try once more
        draft.emit(RefreshLogin(worker=event.worker))
    else:
        _refresh_or_resume(draft, event.message.detail)


def on_login_result(draft: Draft, event: MessageReceived[LoginResult]) -> None:
    """Share the login if the worker logged in for all; if it failed, let it try once more or require a person."""
    result, slot = event.message, draft.slot(event.worker.slot)
    slot.login_status = LoginStatus.LOGGED_IN if result.is_logged_in else LoginStatus.LOGGED_OUT
    recovery = draft.login_recovery
    if recovery.refresher != event.worker.slot:  # it imported a login
        _stop_waiting_for(draft, event.worker)
        _refresh_or_resume(draft, result.detail)
    elif result.is_logged_in:
        draft.login_lifetime = draft.login_lifetime.begin(event.at_s)
        _announce_expiry(draft)
        draft.emit(BackUpLogin(slot=event.worker.slot))
        _share_login(draft, event.worker)
    elif draft.was_ready and not recovery.was_restarted and not draft.is_stopping:
        draft.login_recovery = replace(recovery, was_restarted=True)
        slot.is_being_killed = True
        draft.emit(KillAndRestart(worker=event.worker, cause=f"it could not log in ({result.detail})"))
    else:
        _stop_waiting_for(draft, event.worker)
        _require_manual_login(draft, result.detail)


def on_worker_ready(draft: Draft, event: WorkerReady) -> None:
    """Note that a worker is ready and logged in; one that was restarted in order to log in shares the login."""
    slot = draft.slot(event.worker.slot)
    slot.is_up, slot.up_at_s, slot.login_status = True, event.at_s, LoginStatus.LOGGED_IN
    slot.is_given_up = slot.is_browser_unfit = slot.is_portal_down = False
    slot.folder_trouble = None
    draft.was_ready = True
    draft.pauses = draft.pauses.forget(PauseReason.PORTAL_DOWN)
    if draft.login_recovery.refresher == event.worker.slot:
        _share_login(draft, event.worker)
    else:
        _stop_waiting_for(draft, event.worker)
        _refresh_or_resume(draft, "")


def on_worker_gone(draft: Draft, worker: WorkerRef, *, is_restarting: bool) -> None:
    """Expect nothing more from a worker that is gone; if it was to log in and does not restart, another one does."""
    draft.slot(worker.slot).login_status = LoginStatus.UNKNOWN
    recovery = draft.login_recovery
    if is_restarting and recovery.refresher == worker.slot and recovery.was_restarted:
        return
    _stop_waiting_for(draft, worker)
    _refresh_or_resume(draft, "the worker that was to log in exited")


def on_login_expiring(draft: Draft, event: LoginExpiring) -> None:
    """Pause, so that the login is renewed when the orders in flight are done."""
    lifetime = draft.login_lifetime
    is_outdated = event.number != lifetime.number or lifetime.begun_at_s is None
    if is_outdated or draft.is_stopping or draft.pauses.active:
        return
    # A login that has lasted this long works, even if no order was done with it.
    draft.login_recovery = draft.login_recovery.mark_verified().mark_due()
    draft.pause_until_resumed(PauseReason.LOGIN_LOST, "The login is renewed before it expires.")


def refresh_when_idle(draft: Draft) -> None:
    """Renew a login that is due, if no order is in flight."""
    recovery = draft.login_recovery
    if not recovery.is_due or recovery.is_active or draft.is_stopping:
        return
    number = _logged_in_slot(draft)
    if number is None or any(slot.held for slot in draft.slots.values()):
        return
    draft.login_recovery = recovery.begin(number)
    draft.emit(RefreshLogin(worker=draft.worker(number), is_early=True))


def retry_login(draft: Draft) -> None:
    """Start the recovery again after a person has logged in."""
    draft.login_recovery = LoginRecovery()
    _refresh_or_resume(draft, "a retry was requested")


def _announce_expiry(draft: Draft) -> None:
    """Announce when the new login is expected to end, if a lifetime was measured."""
    lifetime = draft.login_lifetime
    if lifetime.expected_s is not None:
        renewal_s = lifetime.renewal_s if draft.renews_early else None
        draft.emit(AnnounceLoginExpiry(number=lifetime.number, ends_in_s=lifetime.expected_s, renewal_in_s=renewal_s))


def _share_login(draft: Draft, worker: WorkerRef) -> None:
    """Let every worker that is ready, or waits for a login, import the new one.

    All unverified results are requeued: they were loaded with the previous login, which may have been lost already and
    can no longer be checked.
    """
    others = [
        draft.worker(number)
        for number, slot in sorted(draft.slots.items())
        if number != worker.slot
        and slot.login_status is not LoginStatus.UNKNOWN
        and not (slot.is_being_killed or slot.is_being_recycled)
    ]
    draft.login_recovery = draft.login_recovery.share_cookies(frozenset(other.slot for other in others))
    requeue_unverified(draft, worker, ReturnReason.SESSION_LOST)
    for other in others:
        requeue_unverified(draft, other, ReturnReason.SESSION_LOST)
        draft.emit(CopyLogin(worker=other, source_slot=worker.slot))
    _refresh_or_resume(draft, "")


def _refresh_or_resume(draft: Draft, detail: str) -> None:
    """Let a worker log in if one is logged out; else end the pause for the login."""
    recovery = draft.login_recovery
    if recovery.is_active or draft.is_stopping or PauseReason.LOGIN_REQUIRED in draft.pauses.active:
        return
    logged_out = [number for number, slot in draft.slots.items() if slot.login_status is LoginStatus.LOGGED_OUT]
    if logged_out and recovery.vain_count >= FAILED_LOGINS_MAX:
        _require_manual_login(draft, _LOGGED_OUT_AGAIN)
    elif logged_out:
        draft.login_recovery = recovery.begin(logged_out[0])
        draft.pause_until_resumed(PauseReason.LOGIN_LOST, f"The portal asks for a login ({detail}).")
        draft.emit(RefreshLogin(worker=draft.worker(logged_out[0])))
    elif _logged_in_slot(draft) is not None and not recovery.is_due:
        # Not while all workers are starting, because no login status is known then, nor before a due login is renewed.
        draft.resume(PauseReason.LOGIN_LOST)


def _require_manual_login(draft: Draft, detail: str) -> None:
    """Require a login by a person: a batch ends with its orders in the queue, a daemon pauses."""
    if draft.is_stopping:
        return
    if not draft.waits_for_login:
        draft.stop(StopCause.LOGIN_REQUIRED, detail)
        return
    draft.resume(PauseReason.LOGIN_LOST)
    draft.pause_until_resumed(PauseReason.LOGIN_REQUIRED, detail)


def _stop_waiting_for(draft: Draft, worker: WorkerRef) -> None:
    draft.login_recovery = draft.login_recovery.forget_slot(worker.slot)


def _logged_in_slot(draft: Draft) -> int | None:
    """Return the number of a slot that is ready and logged in; ``None`` if there is none."""
    logged_in = (
        number for number, slot in draft.slots.items() if slot.is_up and slot.login_status is LoginStatus.LOGGED_IN
    )
    return next(logged_in, None)
