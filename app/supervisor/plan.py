"""What the pool does about what happened: facts in, commands out. Pure; nothing here acts or waits.

``react`` is the whole of the pool's policy (design section 4). The pool performs the commands and brings what comes of
them back as facts.
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from app.domain.failures import GivenBack, Reason
from app.domain.ids import WorkerRef
from app.domain.task import POTask, Report
from app.supervisor.commands import Command, FailRest, File, GiveUp, Release, Requeue, Spawn, Stop
from app.supervisor.doubt import Doubt
from app.supervisor.facts import (
    BrowserUnfit,
    Fact,
    FilingFailed,
    HoldOver,
    JournalFull,
    JournalLocked,
    LimitsChanged,
    LoginAges,
    LoginLost,
    LoginSettled,
    MemorySeen,
    PauseAsked,
    PoolFact,
    PortalDown,
    Probed,
    ProofOverdue,
    RestartAsked,
    RoomScarce,
    SessionRenewed,
    StopCause,
    StopNeeded,
    TaskFiled,
    TaskReported,
    TaskReturned,
    TaskTaken,
    WorkerEnded,
    WorkerFact,
    WorkerLost,
    WorkerReady,
)
from app.supervisor.holds import HoldCause
from app.supervisor.judging import another_attempt, hold, hold_open, stop, undone
from app.supervisor.pressure import fail_relief, weigh_memory
from app.supervisor.proving import dismiss, weigh
from app.supervisor.renewing import age_login, come_up, go_away, lose_login, renew_if_idle, settle_login, try_again
from app.supervisor.retiring import recycle_if_due, restart
from app.supervisor.standing import Decision, Slot, Standing

#: A task that takes down its second worker does not get a third.
DEATH_LIMIT = 2


def react(standing: Standing, fact: Fact) -> Decision:
    """Decide about one fact. Facts of a generation that is gone change nothing, but for what it left to be filed."""
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
        case JournalFull() | JournalLocked() | RoomScarce() | PauseAsked():
            return _begin_hold(standing, fact)
        case RestartAsked() | LimitsChanged():
            return _obey(standing, fact)
        case LoginAges():
            return age_login(standing, fact)
        case HoldOver():
            return _end_hold(standing, fact.cause)
        case _:
            assert_never(fact)


def _obey(standing: Standing, fact: RestartAsked | LimitsChanged) -> Decision:
    match fact:
        case RestartAsked():
            return restart(standing, fact.slot)
        case LimitsChanged():
            return Decision(standing.limited(fact.limits))
        case _:
            assert_never(fact)


def _begin_hold(standing: Standing, fact: JournalFull | JournalLocked | RoomScarce | PauseAsked) -> Decision:
    match fact:
        case JournalFull():
            return hold(standing, HoldCause.DISK_FULL, "The disk of the journal is full.")[0]
        case JournalLocked():
            return hold_open(standing, HoldCause.JOURNAL_LOCKED, "Another program keeps the journal locked.")
        case RoomScarce():
            scarce = f"Only {fact.free_bytes / 1024**2:.1f} MB are free on the disk of the output folder."
            return hold(standing, HoldCause.DISK_FULL, scarce)[0]
        case PauseAsked():
            return hold_open(standing, HoldCause.OPERATOR, "Paused by request.")
        case _:
            assert_never(fact)


def _react_to_worker(standing: Standing, slot: Slot, fact: WorkerFact) -> Decision:
    match fact:
        case TaskTaken() | PortalDown() | BrowserUnfit():
            return Decision(_noted(standing, slot, fact))
        case WorkerReady() | LoginLost() | LoginSettled():
            return _follow_login(standing, slot, fact)
        case TaskReported() | TaskReturned() | ProofOverdue() | Probed() | SessionRenewed():
            counted = replace(slot, done_count=slot.done_count + isinstance(fact, TaskReported))
            return weigh(standing.with_slot(fact.worker, counted), counted, fact)
        case TaskFiled() | FilingFailed():
            return _after_filing(standing, fact)
        case WorkerLost() | WorkerEnded():
            return _see_off(standing, slot, fact)
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


def _noted(standing: Standing, slot: Slot, fact: WorkerReady | TaskTaken | PortalDown | BrowserUnfit) -> Standing:
    """Facts that change only what is known."""
    match fact:
        case WorkerReady():
            fit = replace(slot, is_up=True, up_at_s=fact.at_s, is_portal_down=False, is_browser_unfit=False)
            up = standing.with_slot(fact.worker, fit)
            return replace(up, was_ready=True, holds=up.holds.forget(HoldCause.PORTAL_DOWN))
        case TaskTaken():
            held = {**slot.held, fact.task.task_id: fact.task}
            outages = {**slot.outages_before, fact.task.task_id: standing.holds.outage_count}
            return standing.with_slot(fact.worker, replace(slot, held=held, outages_before=outages))
        case PortalDown():
            return standing.with_slot(fact.worker, replace(slot, is_portal_down=True))
        case BrowserUnfit():
            return standing.with_slot(fact.worker, replace(slot, is_browser_unfit=True))
        case _:
            assert_never(fact)


def _end_hold(standing: Standing, cause: HoldCause) -> Decision:
    if cause not in standing.holds.active:
        return Decision(standing)
    over = Decision(replace(standing, holds=standing.holds.end(cause)), (Release(cause=cause),))
    return over.followed_by(try_again(over.standing)) if cause is HoldCause.LOGIN_REQUIRED else over


def _after_filing(standing: Standing, fact: TaskFiled | FilingFailed) -> Decision:
    if isinstance(fact, TaskFiled):
        calm = replace(standing, holds=standing.holds.forget(HoldCause.DISK_FULL))
        return Decision(calm.forget(fact.task.task_id))
    if fact.is_disk_full and not standing.is_stopping:
        decision, delay_s = hold(standing, HoldCause.DISK_FULL, fact.problem)
        return decision.then(File(worker=fact.worker, task=fact.task, report=fact.report, delay_s=delay_s))
    report = replace(fact.report, reason=Reason.FILING_FAILED, detail=fact.problem, files=(), missed=())
    if fact.is_disk_full:  # no time to wait for room: the whole order is done again later
        return Decision(standing, (undone(fact.worker, fact.task, GivenBack.DRAINING, fact.problem),))
    return Decision(standing, (another_attempt(standing, fact.worker, fact.task, report),))


def _see_off(standing: Standing, slot: Slot, fact: WorkerLost | WorkerEnded) -> Decision:
    """A worker is gone, and with it whatever login it was to bring."""
    if isinstance(fact, WorkerEnded):
        return _part(standing, slot, fact)
    lost = _lose(standing, slot, fact)
    return lost.followed_by(go_away(lost.standing, fact.worker, is_restarting=slot.is_recycling))


def _part(standing: Standing, slot: Slot, fact: WorkerEnded) -> Decision:
    """A worker ended in order: its slot stays empty, or has its next generation when it was to be started anew."""
    rest, unproven = dismiss(standing, fact.worker, GivenBack.UNPROVEN)
    # A task that was assigned just as its worker began to drain was never looked at.
    unseen = tuple(undone(fact.worker, one, GivenBack.DRAINING, "its worker ended") for one in slot.held.values())
    emptied = _emptied(rest.slots[fact.worker.slot])
    if slot.is_retiring and not standing.is_stopping:
        following = _spawn(rest, emptied, fact, 0.0, (*unproven, *unseen))
        return following.followed_by(go_away(following.standing, fact.worker, is_restarting=False))
    gone = go_away(rest.with_slot(fact.worker, replace(emptied, is_given_up=True)), fact.worker, is_restarting=False)
    return Decision(gone.standing, (*unproven, *unseen))


def _emptied(slot: Slot) -> Slot:
    """The same with nothing of the generation that is gone."""
    return replace(
        slot,
        held={},
        outages_before={},
        doubt=Doubt(),
        done_count=0,
        is_recycling=False,
        is_retiring=False,
        is_up=False,
    )


def _lose(standing: Standing, slot: Slot, fact: WorkerLost) -> Decision:
    """A worker is gone: its tasks go back or are judged, then its slot restarts or is given up."""
    rest, unproven = dismiss(standing, fact.worker, GivenBack.UNPROVEN)
    tasks = (*unproven, *(_after_loss(standing, slot, fact, task) for task in slot.held.values()))
    emptied = _emptied(rest.slots[fact.worker.slot])
    if standing.is_stopping:
        return Decision(standing.with_slot(fact.worker, replace(emptied, is_given_up=True)), tasks)
    if (failed := fail_relief(standing.with_slot(fact.worker, emptied), slot, fact)) is not None:
        return Decision(failed.standing, (*tasks, *failed.commands))
    if slot.is_portal_down:
        return _wait_for_portal(standing, emptied, fact, tasks)
    if slot.is_recycling or (slot.is_retiring and not slot.held):  # one that was done and hung at its end is no crash
        return _spawn(standing, emptied, fact, 0.0, tasks)
    if not slot.budget.is_spent(fact.at_s):
        spent = replace(emptied, budget=slot.budget.spend(fact.at_s))
        return _spawn(standing, spent, fact, slot.budget.delay_s(fact.at_s), tasks)
    return _give_up(standing, emptied, fact, tasks)


def _after_loss(standing: Standing, slot: Slot, fact: WorkerLost, task: POTask) -> Command:
    if standing.is_stopping:  # we ended it ourselves, or it died while it was drained: no fault of the task's
        return undone(fact.worker, task, GivenBack.DRAINING, fact.cause)
    if slot.is_recycling:
        return undone(fact.worker, task, GivenBack.RECYCLED, fact.cause)
    if slot.is_portal_down:  # found out while it brought its login back, with orders in flight beside
        return undone(fact.worker, task, Reason.PORTAL_UNREACHABLE, fact.cause)
    if task.death_count + 1 >= DEATH_LIMIT:
        report = Report(reason=Reason.KILLS_WORKERS, detail=f"{DEATH_LIMIT} workers died on it, last: {fact.cause}.")
        return File(worker=fact.worker, task=task, report=report)
    if task.attempt >= standing.max_attempts:
        return File(worker=fact.worker, task=task, report=Report(reason=Reason.WORKER_LOST, detail=fact.cause))
    return Requeue(
        worker=fact.worker,
        task=task,
        why=Reason.WORKER_LOST,
        detail=fact.cause,
        delay_s=0.0,
        is_attempt_spent=True,
        is_death=True,
    )


def _wait_for_portal(standing: Standing, slot: Slot, fact: WorkerLost, tasks: tuple[Command, ...]) -> Decision:
    """No restart is spent on a portal that is down; before the first worker came up it may be a matter of set-up."""
    if not standing.was_ready:
        if not slot.budget.is_spent(fact.at_s):
            spent = replace(slot, budget=slot.budget.spend(fact.at_s))
            return _spawn(standing, spent, fact, slot.budget.delay_s(fact.at_s), tasks)
        stopped = stop(standing.with_slot(fact.worker, slot), StopCause.SETUP_FAILED, fact.cause)
        return Decision(stopped.standing, (*tasks, *stopped.commands))
    decision, delay_s = hold(standing, HoldCause.PORTAL_DOWN, fact.cause)
    return _spawn(decision.standing, slot, fact, delay_s, (*tasks, *decision.commands))


def _spawn(
    standing: Standing, slot: Slot, fact: WorkerLost | WorkerEnded, delay_s: float, before: tuple[Command, ...]
) -> Decision:
    following = replace(slot, generation=slot.generation + 1, is_portal_down=False, is_browser_unfit=False)
    spawn = Spawn(worker=WorkerRef(fact.worker.slot, following.generation), delay_s=delay_s)
    return Decision(standing.with_slot(fact.worker, following), (*before, spawn))


def _give_up(standing: Standing, slot: Slot, fact: WorkerLost, tasks: tuple[Command, ...]) -> Decision:
    left = standing.with_slot(fact.worker, replace(slot, is_given_up=True))
    give_up = GiveUp(worker=fact.worker, cause=fact.cause)
    if not all(other.is_given_up for other in left.slots.values()):
        return Decision(left, (*tasks, give_up))
    if slot.is_browser_unfit and not standing.was_ready:  # nothing was tried: the list waits for a browser that works
        unfit = stop(left, StopCause.SETUP_FAILED, fact.cause)
        return Decision(unfit.standing, (*tasks, give_up, *unfit.commands))
    if standing.keeps_queue:
        kept = Stop(cause=StopCause.NO_WORKERS, detail=fact.cause, keeps_queue=True)
        return Decision(replace(left, is_stopping=True), (*tasks, give_up, kept))
    ended = stop(left, StopCause.NO_WORKERS, fact.cause)
    return Decision(ended.standing, (*tasks, give_up, *ended.commands, FailRest(reason=Reason.NO_WORKERS)))
