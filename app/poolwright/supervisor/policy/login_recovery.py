"""Recovers a lost login: the pool pauses, one worker logs in, the others import its cookies. Pure.

A worker that comes up logged out while another is logged in takes that one's login, and nobody waits for it. In any
other case it is the first to notice that logs in. If it cannot, it is started anew and tries once more; after that
only a person can help.
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

#: A login that is lost again and again, with no order done in between, is no login.
FAILED_LOGINS_MAX = 4
_LOGGED_OUT_AGAIN = "The portal ends the session right after every login."


def on_login_required(draft: Draft, event: MessageReceived[LoginRequired]) -> None:
    """See to a worker that has no login. What its session did not find it may have looked for without one."""
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
    if refresher == event.worker.slot and not draft.is_stopping:  # it was started anew to try once more
        draft.emit(RefreshLogin(worker=event.worker))
    else:
        _refresh_or_resume(draft, event.message.detail)


def on_login_result(draft: Draft, event: MessageReceived[LoginResult]) -> None:
    """Share the login of the worker that logged in for all; if it could not, let it try once more or ask a person."""
    result, slot = event.message, draft.slot(event.worker.slot)
    slot.login_status = LoginStatus.LOGGED_IN if result.is_logged_in else LoginStatus.LOGGED_OUT
    recovery = draft.login_recovery
    if recovery.refresher != event.worker.slot:  # it took a login over
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
    """Note that a worker is up and logged in; one that was started anew in order to log in shares the login."""
    slot = draft.slot(event.worker.slot)
    slot.is_up, slot.up_at_s, slot.login_status = True, event.at_s, LoginStatus.LOGGED_IN
    slot.is_given_up = slot.is_browser_unfit = slot.is_portal_down = False
    slot.home_trouble = None
    draft.was_ready = True
    draft.pauses = draft.pauses.forget(PauseReason.PORTAL_DOWN)
    if draft.login_recovery.refresher == event.worker.slot:
        _share_login(draft, event.worker)
    else:
        _stop_waiting_for(draft, event.worker)
        _refresh_or_resume(draft, "")


def on_worker_gone(draft: Draft, worker: WorkerRef, *, is_restarting: bool) -> None:
    """Wait no longer for a worker. If it was to log in and is not started anew for that, another one has to."""
    draft.slot(worker.slot).login_status = LoginStatus.UNKNOWN
    recovery = draft.login_recovery
    if is_restarting and recovery.refresher == worker.slot and recovery.was_restarted:
        return
    _stop_waiting_for(draft, worker)
    _refresh_or_resume(draft, "the worker that was to log in exited")


def on_login_expiring(draft: Draft, event: LoginExpiring) -> None:
    """Let no further order start, so that the login is renewed when those in flight are done."""
    lifetime = draft.login_lifetime
    is_outdated = event.number != lifetime.number or lifetime.begun_at_s is None
    if is_outdated or draft.is_stopping or draft.pauses.active:
        return
    # One that lived until now was not made in vain, even if no order came meanwhile.
    draft.login_recovery = draft.login_recovery.mark_verified().mark_due()
    draft.pause_until_resumed(PauseReason.LOGIN_LOST, "The login is renewed before it expires.")


def refresh_when_idle(draft: Draft) -> None:
    """Renew a login that is due when nothing is in flight any more."""
    recovery = draft.login_recovery
    if not recovery.is_due or recovery.is_under_way or draft.is_stopping:
        return
    number = _logged_in_slot(draft)
    if number is None or any(slot.held for slot in draft.slots.values()):
        return
    draft.login_recovery = recovery.begin(number)
    draft.emit(RefreshLogin(worker=draft.worker(number), is_early=True))


def retry_login(draft: Draft) -> None:
    """Begin anew after a person said that there is a login now."""
    draft.login_recovery = LoginRecovery()
    _refresh_or_resume(draft, "a retry was requested")


def _announce_expiry(draft: Draft) -> None:
    """Say when the new login is expected to end, if any was measured."""
    lifetime = draft.login_lifetime
    if lifetime.expected_s is not None:
        renewal_s = lifetime.renewal_s if draft.renews_early else None
        draft.emit(AnnounceLoginExpiry(number=lifetime.number, ends_in_s=lifetime.expected_s, renewal_in_s=renewal_s))


def _share_login(draft: Draft, worker: WorkerRef) -> None:
    """Let every worker that is up, or waits to come up, take the login over.

    What any of them did not find, the one that logged in too, it looked for with the login before, which perhaps was
    lost already, and which no probe can tell about any more. So it is looked for again.
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
    """Let somebody log in if somebody must, and let orders start again when nobody has to."""
    recovery = draft.login_recovery
    if recovery.is_under_way or draft.is_stopping or PauseReason.LOGIN_REQUIRED in draft.pauses.active:
        return
    logged_out = [number for number, slot in draft.slots.items() if slot.login_status is LoginStatus.LOGGED_OUT]
    if logged_out and recovery.vain_count >= FAILED_LOGINS_MAX:
        _require_manual_login(draft, _LOGGED_OUT_AGAIN)
    elif logged_out:
        draft.login_recovery = recovery.begin(logged_out[0])
        draft.pause_until_resumed(PauseReason.LOGIN_LOST, f"The portal asks for a login ({detail}).")
        draft.emit(RefreshLogin(worker=draft.worker(logged_out[0])))
    elif _logged_in_slot(draft) is not None and not recovery.is_due:
        # While all of them are coming up nothing is known; and a login that is due waits for the orders in flight.
        draft.resume(PauseReason.LOGIN_LOST)


def _require_manual_login(draft: Draft, detail: str) -> None:
    """Ask a person, for nobody else can help: a batch ends, with everything left in the queue; a daemon waits."""
    if draft.is_stopping:
        return
    if not draft.waits_for_login:
        draft.stop(StopCause.LOGIN_REQUIRED, detail)
        return
    draft.resume(PauseReason.LOGIN_LOST)
    draft.pause_until_resumed(PauseReason.LOGIN_REQUIRED, detail)


def _stop_waiting_for(draft: Draft, worker: WorkerRef) -> None:
    draft.login_recovery = draft.login_recovery.without(worker.slot)


def _logged_in_slot(draft: Draft) -> int | None:
    """Return a slot that is up and logged in, as far as anybody knows; ``None`` if there is none."""
    logged_in = (
        number for number, slot in draft.slots.items() if slot.is_up and slot.login_status is LoginStatus.LOGGED_IN
    )
    return next(logged_in, None)
