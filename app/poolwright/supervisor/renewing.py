"""What the plan does about a lost login: the pool holds, one worker logs in, the others take over its cookies. Pure.

A worker that comes up logged out while another is logged in takes that one's login, and nobody waits for it. In any
other case it is the first to notice that logs in. If it cannot, it is started anew and tries once more; after that
only a person can help. Facts of workers are brought here by ``plan``.
"""

from __future__ import annotations

from dataclasses import replace

from poolwright.domain.ids import WorkerRef
from poolwright.domain.outcomes import ReturnReason
from poolwright.supervisor.commands import (
    AdoptLogin,
    Command,
    ForetellEnd,
    Hold,
    KeepLogin,
    Recycle,
    RefreshLogin,
    Release,
    Stop,
)
from poolwright.supervisor.facts import LoginLost, LoginSettled
from poolwright.supervisor.holds import HoldCause
from poolwright.supervisor.pool_facts import LoginAges
from poolwright.supervisor.proving import dismiss
from poolwright.supervisor.renewal import Access, Renewal
from poolwright.supervisor.standing import Decision, Slot, Standing
from poolwright.supervisor.stops import StopCause

#: A login that is lost again and again, with no order done in between, is no login.
VAIN_LOGINS_MAX = 4
_VAIN = "The portal ends the session right after every login."


def lose_login(standing: Standing, slot: Slot, fact: LoginLost) -> Decision:
    """A worker has no login. What its session did not find it may have looked for without one."""
    rest, unproven = dismiss(standing, fact.worker, ReturnReason.SESSION_LOST)
    rest = _with_access(rest, fact.worker, Access.LOGGED_OUT)
    rest = replace(rest, lifespan=rest.lifespan.end(fact.at_s)) if slot.is_up else rest
    source = _good_slot(rest, fact.worker.slot)
    if not slot.is_up and source is not None and rest.renewal.refresher is None:
        adopting = replace(rest, renewal=rest.renewal.adopt(fact.worker.slot))
        return Decision(adopting, (*unproven, AdoptLogin(worker=fact.worker, source_slot=source)))
    if rest.renewal.refresher == fact.worker.slot and not rest.is_stopping:  # it was started anew to try once more
        return Decision(rest, (*unproven, RefreshLogin(worker=fact.worker)))
    return _after(Decision(rest, unproven), fact.detail)


def settle_login(standing: Standing, fact: LoginSettled) -> Decision:
    """A worker logged in, or took a login over, or could not."""
    slot, renewal = fact.worker.slot, standing.renewal
    if fact.is_logged_in:
        known = _with_access(standing, fact.worker, Access.LOGGED_IN)
        if renewal.refresher != slot:
            return _after(_without(known, slot), fact.detail)
        begun = replace(known, lifespan=known.lifespan.begin(fact.at_s))
        return _foretell(begun).then(KeepLogin(slot=slot)).followed_by(_spread(begun, fact.worker))
    known = _with_access(standing, fact.worker, Access.LOGGED_OUT)
    if renewal.refresher != slot:
        return _after(_without(known, slot), fact.detail)
    if standing.was_ready and not renewal.was_restarted and not standing.is_stopping:
        again = replace(known, renewal=replace(renewal, was_restarted=True))
        recycled = again.with_slot(fact.worker, replace(again.slots[slot], is_recycling=True))
        return Decision(recycled, (Recycle(worker=fact.worker, cause=f"it could not log in ({fact.detail})"),))
    return _require_person(_without(known, slot).standing, fact.detail)


def come_up(standing: Standing, worker: WorkerRef) -> Decision:
    """A worker is ready, and so it is logged in; one that was started anew in order to log in did that."""
    known = _with_access(standing, worker, Access.LOGGED_IN)
    if standing.renewal.refresher == worker.slot:
        return _spread(known, worker)
    return _after(_without(known, worker.slot), "")


def go_away(standing: Standing, worker: WorkerRef, *, is_restarting: bool) -> Decision:
    """A worker is gone. If it was to log in and is not started anew for that, another one has to."""
    gone = _with_access(standing, worker, Access.UNKNOWN)
    is_awaited = is_restarting and standing.renewal.refresher == worker.slot and standing.renewal.was_restarted
    return Decision(gone) if is_awaited else _after(_without(gone, worker.slot), "the worker that was to log in exited")


def age_login(standing: Standing, fact: LoginAges) -> Decision:
    """The login would end soon: no further order starts, and when those in flight are done it is renewed."""
    is_old_news = fact.number != standing.lifespan.number or standing.lifespan.begun_at_s is None
    if is_old_news or standing.is_stopping or standing.holds.active:
        return Decision(standing)
    # One that lived until now was not made in vain, even if no order came meanwhile.
    held = replace(
        standing, renewal=standing.renewal.proven().make_due(), holds=standing.holds.begin(HoldCause.LOGIN_LOST)
    )
    hold: Command = Hold(cause=HoldCause.LOGIN_LOST, detail="The login is renewed before it expires.", delay_s=None)
    return renew_if_idle(Decision(held, (hold,)))


def renew_if_idle(decision: Decision) -> Decision:
    """Renew a login that is due when nothing is in flight any more."""
    standing = decision.standing
    if not standing.renewal.is_due or standing.renewal.is_under_way or standing.is_stopping:
        return decision
    number = _good_slot(standing, None)
    if number is None or any(slot.held for slot in standing.slots.values()):
        return decision
    begun = replace(standing, renewal=standing.renewal.begin(number))
    worker = WorkerRef(number, standing.slots[number].generation)
    return Decision(begun, (*decision.commands, RefreshLogin(worker=worker, is_early=True)))


def try_again(standing: Standing) -> Decision:
    """A person says that there is a login now."""
    return _after(Decision(replace(standing, renewal=Renewal())), "a retry was requested")


def _foretell(standing: Standing) -> Decision:
    lifespan = standing.lifespan
    if lifespan.expected_s is None:
        return Decision(standing)
    renewal_s = lifespan.renewal_s if standing.renews_early else None
    told = ForetellEnd(number=lifespan.number, ends_in_s=lifespan.expected_s, renewal_in_s=renewal_s)
    return Decision(standing, (told,))


def _spread(standing: Standing, worker: WorkerRef) -> Decision:
    """The login is there: every worker that is up, or waits to come up, takes it over.

    What any of them did not find, the one that logged in too, it looked for with the login before, which perhaps was
    lost already, and which no probe can tell about any more. So it is looked for again.
    """
    others = [
        WorkerRef(number, slot.generation)
        for number, slot in sorted(standing.slots.items())
        if number != worker.slot and slot.access is not Access.UNKNOWN and not (slot.is_recycling or slot.is_retiring)
    ]
    spread = replace(standing, renewal=standing.renewal.spread(frozenset(other.slot for other in others)))
    decision = Decision(*dismiss(spread, worker, ReturnReason.SESSION_LOST))
    for other in others:
        rest, unproven = dismiss(decision.standing, other, ReturnReason.SESSION_LOST)
        adopt = AdoptLogin(worker=other, source_slot=worker.slot)
        decision = Decision(rest, (*decision.commands, *unproven, adopt))
    return _after(decision, "")


def _after(decision: Decision, detail: str) -> Decision:
    """Let somebody log in if somebody must, and let orders start again when nobody has to."""
    standing, renewal = decision.standing, decision.standing.renewal
    if renewal.is_under_way or standing.is_stopping or HoldCause.LOGIN_REQUIRED in standing.holds.active:
        return decision
    logged_out = [number for number, slot in standing.slots.items() if slot.access is Access.LOGGED_OUT]
    if logged_out and renewal.vain_count >= VAIN_LOGINS_MAX:
        return decision.followed_by(_require_person(standing, _VAIN))
    if logged_out:
        return decision.followed_by(_refresh(standing, logged_out[0], detail))
    # While all of them are coming up nothing is known; and a login that is due waits for the orders in flight.
    is_good = _good_slot(standing, None) is not None and not renewal.is_due
    return decision.followed_by(_release(standing)) if is_good else decision


def _refresh(standing: Standing, number: int, detail: str) -> Decision:
    worker = WorkerRef(number, standing.slots[number].generation)
    begun = replace(standing, renewal=standing.renewal.begin(number))
    refresh = RefreshLogin(worker=worker)
    if HoldCause.LOGIN_LOST in standing.holds.active:
        return Decision(begun, (refresh,))
    held = replace(begun, holds=begun.holds.begin(HoldCause.LOGIN_LOST))
    why = f"The portal asks for a login ({detail})."
    return Decision(held, (Hold(cause=HoldCause.LOGIN_LOST, detail=why, delay_s=None), refresh))


def _release(standing: Standing) -> Decision:
    if HoldCause.LOGIN_LOST not in standing.holds.active:
        return Decision(standing)
    over = replace(standing, holds=standing.holds.end(HoldCause.LOGIN_LOST))
    return Decision(over, (Release(cause=HoldCause.LOGIN_LOST),))


def _require_person(standing: Standing, detail: str) -> Decision:
    """Nobody but a person can help: a batch ends, with everything left in the queue; a daemon waits."""
    if standing.is_stopping:
        return Decision(standing)
    if not standing.waits_for_login:
        stop = Stop(cause=StopCause.LOGIN_REQUIRED, detail=detail)
        return Decision(replace(standing, is_stopping=True), (stop,))
    released = _release(standing)
    held = replace(released.standing, holds=released.standing.holds.begin(HoldCause.LOGIN_REQUIRED))
    hold: Command = Hold(cause=HoldCause.LOGIN_REQUIRED, detail=detail, delay_s=None)
    return Decision(held, (*released.commands, hold))


def _without(standing: Standing, slot: int) -> Decision:
    return Decision(replace(standing, renewal=standing.renewal.without(slot)))


def _with_access(standing: Standing, worker: WorkerRef, access: Access) -> Standing:
    return standing.with_slot(worker, replace(standing.slots[worker.slot], access=access))


def _good_slot(standing: Standing, but: int | None) -> int | None:
    """A slot that is up and logged in, as far as anybody knows."""
    good = (
        number
        for number, slot in standing.slots.items()
        if number != but and slot.is_up and slot.access is Access.LOGGED_IN
    )
    return next(good, None)
