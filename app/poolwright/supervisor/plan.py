"""What the pool does about what happened: facts in, commands out. Pure; nothing here acts or waits.

``react`` is the whole of the pool's policy (design section 4). The pool performs the commands and brings what comes of
them back as facts.
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import Report
from poolwright.supervisor.commands import Discard, Forget, Release
from poolwright.supervisor.facts import (
    BrowserUnfit,
    Fact,
    FilingFailed,
    HomeRefused,
    LoginLost,
    LoginSettled,
    PortalDown,
    Probed,
    ProofOverdue,
    SessionRenewed,
    TaskFiled,
    TaskReported,
    TaskReturned,
    TaskStuck,
    TaskTaken,
    WorkerEnded,
    WorkerFact,
    WorkerLost,
    WorkerReady,
)
from poolwright.supervisor.holds import STORAGE_HOLDS, HoldCause
from poolwright.supervisor.judging import hold, hold_open, stop
from poolwright.supervisor.losses import see_off
from poolwright.supervisor.pool_facts import (
    HoldOver,
    JournalFull,
    JournalLocked,
    LimitsChanged,
    LoginAges,
    MemorySeen,
    PauseAsked,
    PlaceGone,
    PlaceRemade,
    PoolFact,
    RestartAsked,
    RoomScarce,
    StopNeeded,
    StorageOut,
    TasksCancelled,
    TrialWaits,
)
from poolwright.supervisor.pressure import weigh_memory
from poolwright.supervisor.proving import weigh
from poolwright.supervisor.refusals import settle_filing
from poolwright.supervisor.renewing import age_login, come_up, lose_login, renew_if_idle, settle_login, try_again
from poolwright.supervisor.retiring import note_homeless, recycle_if_due, restart
from poolwright.supervisor.standing import Decision, Slot, Standing


def react(standing: Standing, fact: Fact) -> Decision:
    """Decide about one event. Events of a past generation change nothing, except results of its filings."""
    return renew_if_idle(_react(standing, fact))


def _react(standing: Standing, fact: Fact) -> Decision:
    if isinstance(fact, PoolFact):
        return _react_to_pool(standing, fact)
    slot = standing.slots[fact.worker.slot]
    if fact.worker.generation != slot.generation and not isinstance(fact, FilingFailed | TaskFiled):
        return Decision(standing)
    return _react_to_worker(standing, slot, fact)


def _react_to_pool(standing: Standing, fact: PoolFact) -> Decision:
    match fact:
        case StopNeeded():
            return stop(standing, fact.cause, fact.detail)
        case MemorySeen():  # comes every few seconds, so that it is the clock of what is due too
            weighed = weigh_memory(standing, fact)
            return weighed.followed_by(recycle_if_due(weighed.standing, fact.at_s))
        case TasksCancelled() | TrialWaits():
            return _note_waiting(standing, fact)
        case RestartAsked() | LimitsChanged() | LoginAges() | PlaceRemade():
            return _obey(standing, fact)
        case HoldOver():
            return _end_hold(standing, fact.cause)
        case _:
            return _begin_hold(standing, fact)


def _obey(standing: Standing, fact: RestartAsked | LimitsChanged | LoginAges | PlaceRemade) -> Decision:
    match fact:
        case PlaceRemade():
            return Decision(note_homeless(standing))
        case LoginAges():
            return age_login(standing, fact)
        case RestartAsked():
            return restart(standing, fact.slot)
        case LimitsChanged():
            return Decision(standing.limited(fact.limits))
        case _:
            assert_never(fact)


def _note_waiting(standing: Standing, fact: TasksCancelled | TrialWaits) -> Decision:
    """News of tasks that no worker has."""
    if isinstance(fact, TrialWaits):
        return Decision(replace(standing, on_trial=standing.on_trial | {fact.task_id}))
    kept = [standing.best[task_id] for task_id in fact.task_ids if task_id in standing.best]
    for task_id in fact.task_ids:
        standing = standing.forget(task_id)
    return Decision(standing, (Forget(task_ids=tuple(fact.task_ids)), *(Discard(staged=one) for one in kept)))


def _begin_hold(
    standing: Standing, fact: JournalFull | JournalLocked | RoomScarce | StorageOut | PlaceGone | PauseAsked
) -> Decision:
    match fact:
        case JournalFull():
            return hold(standing, HoldCause.DISK_FULL, "The disk of the journal is full.")[0]
        case JournalLocked():
            return hold_open(standing, HoldCause.JOURNAL_LOCKED, "Another program has locked the journal.")
        case RoomScarce():
            scarce = f"Only {fact.free_bytes / 1024**2:.1f} MB are free on the disk of {fact.place}."
            return hold(standing, HoldCause.DISK_FULL, scarce)[0]
        case StorageOut():
            return hold(standing, STORAGE_HOLDS[fact.trouble], fact.detail)[0]
        case PlaceGone():
            return hold_open(standing, HoldCause.PLACE_GONE, fact.detail)
        case PauseAsked():
            return hold_open(standing, HoldCause.OPERATOR, "Paused by request.")
        case _:
            assert_never(fact)


def _react_to_worker(standing: Standing, slot: Slot, fact: WorkerFact) -> Decision:
    match fact:
        case TaskTaken() | PortalDown() | BrowserUnfit() | HomeRefused():
            return Decision(_noted(standing, slot, fact))
        case TaskStuck():
            return _end_stuck(standing, slot, fact)
        case WorkerReady() | LoginLost() | LoginSettled():
            return _follow_login(standing, slot, fact)
        case TaskReported() | TaskReturned() | ProofOverdue() | Probed() | SessionRenewed():
            counted = replace(slot, done_count=slot.done_count + isinstance(fact, TaskReported))
            return weigh(standing.with_slot(fact.worker, counted), counted, fact)
        case TaskFiled() | FilingFailed():
            return settle_filing(standing, fact)
        case WorkerLost() | WorkerEnded():
            return see_off(standing, slot, fact)
        case _:
            assert_never(fact)


def _follow_login(standing: Standing, slot: Slot, fact: WorkerReady | LoginLost | LoginSettled) -> Decision:
    match fact:
        case WorkerReady():
            return come_up(_noted(standing, slot, fact), fact.worker)
        case LoginLost():
            return lose_login(standing, slot, fact)
        case LoginSettled():
            return settle_login(standing, fact)
        case _:
            assert_never(fact)


def _end_stuck(standing: Standing, slot: Slot, fact: TaskStuck) -> Decision:
    """A task that cannot be stopped has had its time. Its worker ends for it alone: what is beside it goes back."""
    told = Report(reason=Reason.TASK_TIMEOUT, detail="The task could not be stopped; its worker was ended.")
    judged = weigh(standing, slot, TaskReported(worker=fact.worker, task_id=fact.task_id, report=told))
    ended = replace(judged.standing.slots[fact.worker.slot], is_recycling=True)
    return Decision(judged.standing.with_slot(fact.worker, ended), judged.commands)


def _noted(
    standing: Standing, slot: Slot, fact: WorkerReady | TaskTaken | PortalDown | BrowserUnfit | HomeRefused
) -> Standing:
    """Facts that change only what is known."""
    match fact:
        case WorkerReady():
            fit = replace(slot, is_up=True, up_at_s=fact.at_s, is_given_up=False, is_browser_unfit=False)
            fit = replace(fit, is_portal_down=False, home_trouble=None)
            up = standing.with_slot(fact.worker, fit)
            return replace(up, was_ready=True, holds=up.holds.forget(HoldCause.PORTAL_DOWN))
        case TaskTaken():
            held = {**slot.held, fact.task.task_id: fact.task}
            outages = {**slot.outages_before, fact.task.task_id: standing.holds.outage_count}
            shown = {**slot.shown_before, fact.task.task_id: standing.shown_count}
            taken = replace(slot, held=held, outages_before=outages, shown_before=shown)
            task_id = fact.task.task_id
            known = replace(standing, on_trial=standing.on_trial - {task_id}, logouts=standing.logouts.begin(task_id))
            return known.with_slot(fact.worker, taken)
        case PortalDown():
            return standing.with_slot(fact.worker, replace(slot, is_portal_down=True))
        case BrowserUnfit():
            return standing.with_slot(fact.worker, replace(slot, is_browser_unfit=True))
        case HomeRefused():
            return standing.with_slot(fact.worker, replace(slot, home_trouble=fact.trouble))
        case _:
            assert_never(fact)


def _end_hold(standing: Standing, cause: HoldCause) -> Decision:
    if cause not in standing.holds.active:
        return Decision(standing)
    over = Decision(replace(standing, holds=standing.holds.end(cause)), (Release(cause=cause),))
    return over.followed_by(try_again(over.standing)) if cause is HoldCause.LOGIN_REQUIRED else over
