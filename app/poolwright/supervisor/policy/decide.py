"""The policy of the pool: one event in, the new state and commands out. Pure; nothing here acts or waits.

``react`` is the whole of the pool's policy (design section 4). The pool performs the commands and brings what comes of
them back as facts.
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import Report
from poolwright.supervisor.policy.commands import Discard, Forget, Resume
from poolwright.supervisor.policy.events import (
    BrowserStartFailed,
    DiskLow,
    FilingFailed,
    FolderMissing,
    FolderRecreated,
    JournalFull,
    JournalLocked,
    LimitsChanged,
    LoginAttempted,
    LoginChecked,
    LoginExpiring,
    LoginLost,
    MemorySampled,
    PauseEnded,
    PauseRequested,
    PoolInput,
    PoolWideInput,
    PortalDown,
    RestartRequested,
    SessionRenewed,
    StopRequested,
    StorageUnavailable,
    TaskAssigned,
    TaskFiled,
    TaskReleased,
    TaskReported,
    TasksCancelled,
    TaskStuck,
    TrialQueued,
    VerificationDue,
    WorkerEnded,
    WorkerFolderFailed,
    WorkerInput,
    WorkerLost,
    WorkerReady,
)
from poolwright.supervisor.policy.login_recovery import (
    on_login_expiring,
    on_login_lost,
    on_login_result,
    on_worker_ready,
    refresh_when_idle,
    retry_login,
)
from poolwright.supervisor.policy.pauses import STORAGE_PAUSES, PauseReason
from poolwright.supervisor.policy.recycling import (
    on_folder_recreated,
    on_memory_sample,
    on_restart_requested,
    recycle_if_due,
)
from poolwright.supervisor.policy.retries import on_filing_result, pause, pause_until_resumed, stop
from poolwright.supervisor.policy.state import Decision, PoolState, WorkerSlot
from poolwright.supervisor.policy.verification import on_session_event
from poolwright.supervisor.policy.worker_exit import on_worker_exit


def decide(standing: PoolState, fact: PoolInput) -> Decision:
    """Decide about one event. Events of a past generation change nothing, except results of its filings."""
    return refresh_when_idle(_decide(standing, fact))


def _decide(standing: PoolState, fact: PoolInput) -> Decision:
    if isinstance(fact, PoolWideInput):
        return _on_pool_event(standing, fact)
    slot = standing.slots[fact.worker.slot]
    if fact.worker.generation != slot.generation and not isinstance(fact, FilingFailed | TaskFiled):
        return Decision(standing)
    return _on_worker_event(standing, slot, fact)


def _on_pool_event(standing: PoolState, fact: PoolWideInput) -> Decision:
    match fact:
        case StopRequested():
            return stop(standing, fact.cause, fact.detail)
        case MemorySampled():  # comes every few seconds, so that it is the clock of what is due too
            weighed = on_memory_sample(standing, fact)
            return weighed.followed_by(recycle_if_due(weighed.standing, fact.at_s))
        case TasksCancelled() | TrialQueued():
            return _on_queue_event(standing, fact)
        case RestartRequested() | LimitsChanged() | LoginExpiring() | FolderRecreated():
            return _on_request(standing, fact)
        case PauseEnded():
            return _on_pause_ended(standing, fact.cause)
        case _:
            return _on_pause_event(standing, fact)


def _on_request(
    standing: PoolState, fact: RestartRequested | LimitsChanged | LoginExpiring | FolderRecreated
) -> Decision:
    match fact:
        case FolderRecreated():
            return Decision(on_folder_recreated(standing))
        case LoginExpiring():
            return on_login_expiring(standing, fact)
        case RestartRequested():
            return on_restart_requested(standing, fact.slot)
        case LimitsChanged():
            return Decision(standing.with_limits(fact.limits))
        case _:
            assert_never(fact)


def _on_queue_event(standing: PoolState, fact: TasksCancelled | TrialQueued) -> Decision:
    """News of tasks that no worker has."""
    if isinstance(fact, TrialQueued):
        return Decision(replace(standing, on_trial=standing.on_trial | {fact.task_id}))
    kept = [standing.best[task_id] for task_id in fact.task_ids if task_id in standing.best]
    for task_id in fact.task_ids:
        standing = standing.forget(task_id)
    return Decision(standing, (Forget(task_ids=tuple(fact.task_ids)), *(Discard(staged=one) for one in kept)))


def _on_pause_event(
    standing: PoolState,
    fact: JournalFull | JournalLocked | DiskLow | StorageUnavailable | FolderMissing | PauseRequested,
) -> Decision:
    match fact:
        case JournalFull():
            return pause(standing, PauseReason.DISK_FULL, "The disk of the journal is full.")[0]
        case JournalLocked():
            return pause_until_resumed(standing, PauseReason.JOURNAL_LOCKED, "Another program has locked the journal.")
        case DiskLow():
            scarce = f"Only {fact.free_bytes / 1024**2:.1f} MB are free on the disk of {fact.place}."
            return pause(standing, PauseReason.DISK_FULL, scarce)[0]
        case StorageUnavailable():
            return pause(standing, STORAGE_PAUSES[fact.trouble], fact.detail)[0]
        case FolderMissing():
            return pause_until_resumed(standing, PauseReason.PLACE_GONE, fact.detail)
        case PauseRequested():
            return pause_until_resumed(standing, PauseReason.OPERATOR, "Paused by request.")
        case _:
            assert_never(fact)


def _on_worker_event(standing: PoolState, slot: WorkerSlot, fact: WorkerInput) -> Decision:
    match fact:
        case TaskAssigned() | PortalDown() | BrowserStartFailed() | WorkerFolderFailed():
            return Decision(_with_event(standing, slot, fact))
        case TaskStuck():
            return _on_task_stuck(standing, slot, fact)
        case WorkerReady() | LoginLost() | LoginAttempted():
            return _on_login_event(standing, slot, fact)
        case TaskReported() | TaskReleased() | VerificationDue() | LoginChecked() | SessionRenewed():
            counted = replace(slot, done_count=slot.done_count + isinstance(fact, TaskReported))
            return on_session_event(standing.with_slot(fact.worker, counted), counted, fact)
        case TaskFiled() | FilingFailed():
            return on_filing_result(standing, fact)
        case WorkerLost() | WorkerEnded():
            return on_worker_exit(standing, slot, fact)
        case _:
            assert_never(fact)


def _on_login_event(standing: PoolState, slot: WorkerSlot, fact: WorkerReady | LoginLost | LoginAttempted) -> Decision:
    match fact:
        case WorkerReady():
            return on_worker_ready(_with_event(standing, slot, fact), fact.worker)
        case LoginLost():
            return on_login_lost(standing, slot, fact)
        case LoginAttempted():
            return on_login_result(standing, fact)
        case _:
            assert_never(fact)


def _on_task_stuck(standing: PoolState, slot: WorkerSlot, fact: TaskStuck) -> Decision:
    """A task that cannot be stopped has had its time. Its worker ends for it alone: what is beside it goes back."""
    told = Report(reason=Reason.TASK_TIMEOUT, detail="The task could not be stopped; its worker was ended.")
    judged = on_session_event(standing, slot, TaskReported(worker=fact.worker, task_id=fact.task_id, report=told))
    ended = replace(judged.standing.slots[fact.worker.slot], is_being_killed=True)
    return Decision(judged.standing.with_slot(fact.worker, ended), judged.commands)


def _with_event(
    standing: PoolState,
    slot: WorkerSlot,
    fact: WorkerReady | TaskAssigned | PortalDown | BrowserStartFailed | WorkerFolderFailed,
) -> PoolState:
    """Facts that change only what is known."""
    match fact:
        case WorkerReady():
            fit = replace(slot, is_up=True, up_at_s=fact.at_s, is_given_up=False, is_browser_unfit=False)
            fit = replace(fit, is_portal_down=False, home_trouble=None)
            up = standing.with_slot(fact.worker, fit)
            return replace(up, was_ready=True, pauses=up.pauses.forget(PauseReason.PORTAL_DOWN))
        case TaskAssigned():
            held = {**slot.held, fact.task.task_id: fact.task}
            outages = {**slot.outages_before, fact.task.task_id: standing.pauses.outage_count}
            shown = {**slot.shown_before, fact.task.task_id: standing.shown_count}
            taken = replace(slot, held=held, outages_before=outages, shown_before=shown)
            task_id = fact.task.task_id
            known = replace(standing, on_trial=standing.on_trial - {task_id}, logouts=standing.logouts.begin(task_id))
            return known.with_slot(fact.worker, taken)
        case PortalDown():
            return standing.with_slot(fact.worker, replace(slot, is_portal_down=True))
        case BrowserStartFailed():
            return standing.with_slot(fact.worker, replace(slot, is_browser_unfit=True))
        case WorkerFolderFailed():
            return standing.with_slot(fact.worker, replace(slot, home_trouble=fact.trouble))
        case _:
            assert_never(fact)


def _on_pause_ended(standing: PoolState, cause: PauseReason) -> Decision:
    if cause not in standing.pauses.active:
        return Decision(standing)
    over = Decision(replace(standing, pauses=standing.pauses.end(cause)), (Resume(cause=cause),))
    return over.followed_by(retry_login(over.standing)) if cause is PauseReason.LOGIN_REQUIRED else over
