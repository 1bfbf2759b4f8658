"""Recovers a lost login: the pool pauses, one worker logs in, the others import its cookies. Pure.

A worker that comes up logged out while another is logged in takes that one's login, and nobody waits for it. In any
other case it is the first to notice that logs in. If it cannot, it is started anew and tries once more; after that
only a person can help. Facts of workers are brought here by ``plan``.
"""

from __future__ import annotations

from dataclasses import replace

from poolwright.domain.ids import WorkerRef
from poolwright.domain.outcomes import ReturnReason
from poolwright.supervisor.policy.commands import (
    AnnounceLoginExpiry,
    BackUpLogin,
    Command,
    CopyLogin,
    KillAndRestart,
    Pause,
    RefreshLogin,
    Resume,
    Stop,
    StopCause,
)
from poolwright.supervisor.policy.events import LoginAttempted, LoginExpiring, LoginLost
from poolwright.supervisor.policy.login_state import LoginRecovery, LoginStatus
from poolwright.supervisor.policy.pauses import PauseReason
from poolwright.supervisor.policy.state import Decision, PoolState, WorkerSlot
from poolwright.supervisor.policy.verification import requeue_unverified

#: A login that is lost again and again, with no order done in between, is no login.
FAILED_LOGINS_MAX = 4
_LOGGED_OUT_AGAIN = "The portal ends the session right after every login."


def on_login_lost(standing: PoolState, slot: WorkerSlot, fact: LoginLost) -> Decision:
    """A worker has no login. What its session did not find it may have looked for without one."""
    rest, unproven = requeue_unverified(standing, fact.worker, ReturnReason.SESSION_LOST)
    rest = _with_login_status(rest, fact.worker, LoginStatus.LOGGED_OUT)
    rest = replace(rest, login_lifetime=rest.login_lifetime.end(fact.at_s)) if slot.is_up else rest
    source = _logged_in_slot(rest, fact.worker.slot)
    if not slot.is_up and source is not None and rest.login_recovery.refresher is None:
        adopting = replace(rest, login_recovery=rest.login_recovery.import_cookies(fact.worker.slot))
        return Decision(adopting, (*unproven, CopyLogin(worker=fact.worker, source_slot=source)))
    if rest.login_recovery.refresher == fact.worker.slot and not rest.is_stopping:  # it was started anew to try once more
        return Decision(rest, (*unproven, RefreshLogin(worker=fact.worker)))
    return _refresh_or_resume(Decision(rest, unproven), fact.detail)


def on_login_result(standing: PoolState, fact: LoginAttempted) -> Decision:
    """A worker logged in, or took a login over, or could not."""
    slot, renewal = fact.worker.slot, standing.login_recovery
    if fact.is_logged_in:
        known = _with_login_status(standing, fact.worker, LoginStatus.LOGGED_IN)
        if renewal.refresher != slot:
            return _refresh_or_resume(_stop_waiting_for(known, slot), fact.detail)
        begun = replace(known, login_lifetime=known.login_lifetime.begin(fact.at_s))
        return _announce_expiry(begun).then(BackUpLogin(slot=slot)).followed_by(_share_login(begun, fact.worker))
    known = _with_login_status(standing, fact.worker, LoginStatus.LOGGED_OUT)
    if renewal.refresher != slot:
        return _refresh_or_resume(_stop_waiting_for(known, slot), fact.detail)
    if standing.was_ready and not renewal.was_restarted and not standing.is_stopping:
        again = replace(known, login_recovery=replace(renewal, was_restarted=True))
        recycled = again.with_slot(fact.worker, replace(again.slots[slot], is_being_killed=True))
        return Decision(recycled, (KillAndRestart(worker=fact.worker, cause=f"it could not log in ({fact.detail})"),))
    return _require_manual_login(_stop_waiting_for(known, slot).standing, fact.detail)


def on_worker_ready(standing: PoolState, worker: WorkerRef) -> Decision:
    """A worker is ready, and so it is logged in; one that was started anew in order to log in did that."""
    known = _with_login_status(standing, worker, LoginStatus.LOGGED_IN)
    if standing.login_recovery.refresher == worker.slot:
        return _share_login(known, worker)
    return _refresh_or_resume(_stop_waiting_for(known, worker.slot), "")


def on_worker_gone(standing: PoolState, worker: WorkerRef, *, is_restarting: bool) -> Decision:
    """A worker is gone. If it was to log in and is not started anew for that, another one has to."""
    gone = _with_login_status(standing, worker, LoginStatus.UNKNOWN)
    is_awaited = is_restarting and standing.login_recovery.refresher == worker.slot and standing.login_recovery.was_restarted
    return (
        Decision(gone)
        if is_awaited
        else _refresh_or_resume(_stop_waiting_for(gone, worker.slot), "the worker that was to log in exited")
    )


def on_login_expiring(standing: PoolState, fact: LoginExpiring) -> Decision:
    """The login would end soon: no further order starts, and when those in flight are done it is renewed."""
    is_old_news = fact.number != standing.login_lifetime.number or standing.login_lifetime.begun_at_s is None
    if is_old_news or standing.is_stopping or standing.pauses.active:
        return Decision(standing)
    # One that lived until now was not made in vain, even if no order came meanwhile.
    held = replace(
        standing, login_recovery=standing.login_recovery.mark_verified().mark_due(), pauses=standing.pauses.begin(PauseReason.LOGIN_LOST)
    )
    hold: Command = Pause(cause=PauseReason.LOGIN_LOST, detail="The login is renewed before it expires.", delay_s=None)
    return refresh_when_idle(Decision(held, (hold,)))


def refresh_when_idle(decision: Decision) -> Decision:
    """Renew a login that is due when nothing is in flight any more."""
    standing = decision.standing
    if not standing.login_recovery.is_due or standing.login_recovery.is_under_way or standing.is_stopping:
        return decision
    number = _logged_in_slot(standing, None)
    if number is None or any(slot.held for slot in standing.slots.values()):
        return decision
    begun = replace(standing, login_recovery=standing.login_recovery.begin(number))
    worker = WorkerRef(number, standing.slots[number].generation)
    return Decision(begun, (*decision.commands, RefreshLogin(worker=worker, is_early=True)))


def retry_login(standing: PoolState) -> Decision:
    """A person says that there is a login now."""
    return _refresh_or_resume(Decision(replace(standing, login_recovery=LoginRecovery())), "a retry was requested")


def _announce_expiry(standing: PoolState) -> Decision:
    lifespan = standing.login_lifetime
    if lifespan.expected_s is None:
        return Decision(standing)
    renewal_s = lifespan.renewal_s if standing.renews_early else None
    told = AnnounceLoginExpiry(number=lifespan.number, ends_in_s=lifespan.expected_s, renewal_in_s=renewal_s)
    return Decision(standing, (told,))


def _share_login(standing: PoolState, worker: WorkerRef) -> Decision:
    """The login is there: every worker that is up, or waits to come up, takes it over.

    What any of them did not find, the one that logged in too, it looked for with the login before, which perhaps was
    lost already, and which no probe can tell about any more. So it is looked for again.
    """
    others = [
        WorkerRef(number, slot.generation)
        for number, slot in sorted(standing.slots.items())
        if number != worker.slot
        and slot.login_status is not LoginStatus.UNKNOWN
        and not (slot.is_being_killed or slot.is_being_recycled)
    ]
    spread = replace(standing, login_recovery=standing.login_recovery.share_cookies(frozenset(other.slot for other in others)))
    decision = Decision(*requeue_unverified(spread, worker, ReturnReason.SESSION_LOST))
    for other in others:
        rest, unproven = requeue_unverified(decision.standing, other, ReturnReason.SESSION_LOST)
        adopt = CopyLogin(worker=other, source_slot=worker.slot)
        decision = Decision(rest, (*decision.commands, *unproven, adopt))
    return _refresh_or_resume(decision, "")


def _refresh_or_resume(decision: Decision, detail: str) -> Decision:
    """Let somebody log in if somebody must, and let orders start again when nobody has to."""
    standing, renewal = decision.standing, decision.standing.login_recovery
    if renewal.is_under_way or standing.is_stopping or PauseReason.LOGIN_REQUIRED in standing.pauses.active:
        return decision
    logged_out = [number for number, slot in standing.slots.items() if slot.login_status is LoginStatus.LOGGED_OUT]
    if logged_out and renewal.vain_count >= FAILED_LOGINS_MAX:
        return decision.followed_by(_require_manual_login(standing, _LOGGED_OUT_AGAIN))
    if logged_out:
        return decision.followed_by(_refresh(standing, logged_out[0], detail))
    # While all of them are coming up nothing is known; and a login that is due waits for the orders in flight.
    is_good = _logged_in_slot(standing, None) is not None and not renewal.is_due
    return decision.followed_by(_resume(standing)) if is_good else decision


def _refresh(standing: PoolState, number: int, detail: str) -> Decision:
    worker = WorkerRef(number, standing.slots[number].generation)
    begun = replace(standing, login_recovery=standing.login_recovery.begin(number))
    refresh = RefreshLogin(worker=worker)
    if PauseReason.LOGIN_LOST in standing.pauses.active:
        return Decision(begun, (refresh,))
    held = replace(begun, pauses=begun.pauses.begin(PauseReason.LOGIN_LOST))
    why = f"The portal asks for a login ({detail})."
    return Decision(held, (Pause(cause=PauseReason.LOGIN_LOST, detail=why, delay_s=None), refresh))


def _resume(standing: PoolState) -> Decision:
    if PauseReason.LOGIN_LOST not in standing.pauses.active:
        return Decision(standing)
    over = replace(standing, pauses=standing.pauses.end(PauseReason.LOGIN_LOST))
    return Decision(over, (Resume(cause=PauseReason.LOGIN_LOST),))


def _require_manual_login(standing: PoolState, detail: str) -> Decision:
    """Nobody but a person can help: a batch ends, with everything left in the queue; a daemon waits."""
    if standing.is_stopping:
        return Decision(standing)
    if not standing.waits_for_login:
        stop = Stop(cause=StopCause.LOGIN_REQUIRED, detail=detail)
        return Decision(replace(standing, is_stopping=True), (stop,))
    released = _resume(standing)
    held = replace(released.standing, pauses=released.standing.pauses.begin(PauseReason.LOGIN_REQUIRED))
    hold: Command = Pause(cause=PauseReason.LOGIN_REQUIRED, detail=detail, delay_s=None)
    return Decision(held, (*released.commands, hold))


def _stop_waiting_for(standing: PoolState, slot: int) -> Decision:
    return Decision(replace(standing, login_recovery=standing.login_recovery.without(slot)))


def _with_login_status(standing: PoolState, worker: WorkerRef, access: LoginStatus) -> PoolState:
    return standing.with_slot(worker, replace(standing.slots[worker.slot], login_status=access))


def _logged_in_slot(standing: PoolState, but: int | None) -> int | None:
    """A slot that is up and logged in, as far as anybody knows."""
    good = (
        number
        for number, slot in standing.slots.items()
        if number != but and slot.is_up and slot.login_status is LoginStatus.LOGGED_IN
    )
    return next(good, None)
