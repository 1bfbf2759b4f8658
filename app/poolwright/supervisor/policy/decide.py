"""The policy of the pool: one event in, the new state and commands out. Pure; nothing here acts or waits.

The rules by which it works:

- ``decide`` is a function. The same state and event give the same decision, and the state it is given never changes.
- It makes one ``Draft``, a working copy that is private to the call, hands it to the event's handler, and freezes it
  again. Handlers are called ``on_<event>``, or ``on_<message>`` for a worker's message. They change the draft in place
  and call each other.
- Handlers emit commands in the order in which the pool executes them. The result of a command arrives as an event.
- Each event of a worker names its generation. One of a past generation changes nothing, except the result of a filing,
  which belongs to the task.
- After every event, orders of a group wait whose refusals are perhaps a lack of access, until a login check shows it.
- After every event, a login that is due is renewed if no task is in flight. With every sample of memory, one worker
  that is due is recycled. Nothing else happens without an event of its own.
- A login or a login check that was commanded counts as running until its result arrives, or the end of its worker.

``state`` defines the state, ``events`` the input and ``commands`` the output. ``HANDLERS`` and ``MESSAGE_HANDLERS`` map
each event and message to its handler.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from poolwright.ipc import messages
from poolwright.supervisor.policy import events
from poolwright.supervisor.policy.commands import Command
from poolwright.supervisor.policy.draft import Draft
from poolwright.supervisor.policy.group_breaker import on_group_resumed, on_task_withheld, withhold_suspected
from poolwright.supervisor.policy.login_recovery import (
    on_login_expiring,
    on_login_required,
    on_login_result,
    on_worker_ready,
    refresh_when_idle,
)
from poolwright.supervisor.policy.pool_wide import (
    on_disk_low,
    on_folder_missing,
    on_hours_began,
    on_hours_ended,
    on_journal_full,
    on_journal_locked,
    on_limits_changed,
    on_pause_ended,
    on_pause_requested,
    on_stop_requested,
    on_storage_unavailable,
    on_tasks_cancelled,
    on_trial_queued,
)
from poolwright.supervisor.policy.recycling import on_folder_recreated, on_memory_sampled, on_restart_requested
from poolwright.supervisor.policy.retries import on_filing_failed, on_task_assigned, on_task_filed
from poolwright.supervisor.policy.state import PoolState
from poolwright.supervisor.policy.verification import (
    on_finished,
    on_login_checked,
    on_login_refreshed,
    on_returned,
    on_task_stuck,
    on_verification_due,
)
from poolwright.supervisor.policy.worker_exit import (
    on_startup_failed,
    on_worker_ended,
    on_worker_folder_failed,
    on_worker_lost,
)


@dataclass(frozen=True, slots=True)
class Decision:
    """The new state, and the commands to execute."""

    state: PoolState
    commands: tuple[Command, ...] = ()


def decide(state: PoolState, event: events.PoolInput) -> Decision:
    """Return the new state and the commands that follow from one event."""
    draft = Draft.copy(state)
    if not _is_outdated(state, event):
        _handler(event)(draft, event)
    withhold_suspected(draft)
    refresh_when_idle(draft)
    return Decision(draft.freeze(), tuple(draft.commands))


#: Events of the pool or of a task, which count for any generation.
_OF_ANY_GENERATION = events.PoolWideInput | events.TaskFiled | events.FilingFailed


def _is_outdated(state: PoolState, event: events.PoolInput) -> bool:
    if isinstance(event, _OF_ANY_GENERATION):
        return False
    return event.worker.generation != state.slots[event.worker.slot].generation


def _handler(event: events.PoolInput) -> Callable[[Draft, Any], None]:
    if isinstance(event, events.MessageReceived):
        return MESSAGE_HANDLERS[type(event.message)]
    return HANDLERS[type(event)]


#: The handler of each message of a worker. A test checks that no message is missing.
MESSAGE_HANDLERS: Mapping[type[events.PolicyMessage], Callable[[Draft, Any], None]] = MappingProxyType(
    {
        messages.StartupFailed: on_startup_failed,
        messages.Finished: on_finished,
        messages.Returned: on_returned,
        messages.LoginChecked: on_login_checked,
        messages.LoginRefreshed: on_login_refreshed,
        messages.LoginRequired: on_login_required,
        messages.LoginResult: on_login_result,
    }
)
#: The handler of each other event. A test checks that none is missing, and that each handler accepts its event.
HANDLERS: Mapping[type[events.PoolInput], Callable[[Draft, Any], None]] = MappingProxyType(
    {
        # The whole pool
        events.HoursEnded: on_hours_ended,
        events.HoursBegan: on_hours_began,
        events.StopRequested: on_stop_requested,
        events.PauseRequested: on_pause_requested,
        events.PauseEnded: on_pause_ended,
        events.LimitsChanged: on_limits_changed,
        events.TasksCancelled: on_tasks_cancelled,
        events.TrialQueued: on_trial_queued,
        events.TaskWithheld: on_task_withheld,
        events.GroupResumed: on_group_resumed,
        events.JournalFull: on_journal_full,
        events.JournalLocked: on_journal_locked,
        events.DiskLow: on_disk_low,
        events.StorageUnavailable: on_storage_unavailable,
        events.FolderMissing: on_folder_missing,
        # Workers
        events.WorkerReady: on_worker_ready,
        events.TaskAssigned: on_task_assigned,
        events.WorkerFolderFailed: on_worker_folder_failed,
        events.WorkerLost: on_worker_lost,
        events.WorkerEnded: on_worker_ended,
        events.RestartRequested: on_restart_requested,
        events.FolderRecreated: on_folder_recreated,
        events.MemorySampled: on_memory_sampled,
        # Tasks
        events.TaskStuck: on_task_stuck,
        events.TaskFiled: on_task_filed,
        events.FilingFailed: on_filing_failed,
        # Logins
        events.VerificationDue: on_verification_due,
        events.LoginExpiring: on_login_expiring,
    }
)
