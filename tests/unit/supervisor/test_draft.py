"""A draft is a working copy, complete and private; and every event has a handler of its own."""

from __future__ import annotations

import inspect
from copy import deepcopy
from dataclasses import fields, replace
from types import UnionType
from typing import get_args, get_origin, get_type_hints

import pytest

from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.outcomes import ReturnReason
from poolwright.domain.tasks import POTask
from poolwright.supervisor.policy import events
from poolwright.supervisor.policy.commands import Discard, Pause, Requeue, Resume, Stop, StopCause
from poolwright.supervisor.policy.decide import HANDLERS, MESSAGE_HANDLERS, decide
from poolwright.supervisor.policy.draft import Draft, SlotDraft
from poolwright.supervisor.policy.pauses import PauseReason
from poolwright.supervisor.policy.state import PoolState, WorkerSlot
from tests.support.policy_states import with_slot

ONE, TWO = WorkerRef(1, 1), WorkerRef(2, 1)
TASK = POTask(task_id=TaskId("demo:1"), po_number="PO1", portal_number="1")
HOLDING = WorkerSlot(is_up=True, held={TASK.task_id: TASK})
STATE = PoolState(slots={1: HOLDING, 2: WorkerSlot()}, free_returns={TASK.task_id: 1})


def members(union: UnionType) -> set[type]:
    return set(get_args(union))


def test_every_event_has_a_handler() -> None:
    kinds = {get_origin(kind) or kind for kind in members(events.PoolInput)}

    assert set(HANDLERS) == kinds - {events.MessageReceived}


def test_every_message_for_the_policy_has_a_handler() -> None:
    assert set(MESSAGE_HANDLERS) == members(events.PolicyMessage)


@pytest.mark.parametrize("kind", HANDLERS)
def test_a_handler_takes_the_event_that_it_stands_for(kind: type[events.PoolInput]) -> None:
    draft, event = inspect.signature(HANDLERS[kind]).parameters
    hints = get_type_hints(HANDLERS[kind])

    assert (hints[draft], hints[event]) == (Draft, kind)


@pytest.mark.parametrize("kind", MESSAGE_HANDLERS)
def test_a_handler_takes_the_message_that_it_stands_for(kind: type[events.PolicyMessage]) -> None:
    draft, event = inspect.signature(MESSAGE_HANDLERS[kind]).parameters
    hints = get_type_hints(MESSAGE_HANDLERS[kind])

    assert (hints[draft], hints[event]) == (Draft, events.MessageReceived[kind])


@pytest.mark.parametrize(("copy", "original"), [(Draft, PoolState), (SlotDraft, WorkerSlot)])
def test_a_draft_has_every_field_of_what_it_copies(copy: type, original: type) -> None:
    names = {field.name for field in fields(copy)} - {"commands"}

    assert names == {field.name for field in fields(original)}


def test_what_was_not_changed_is_the_same_afterwards() -> None:
    draft = Draft.copy(STATE)
    draft.slot(1)

    assert draft.freeze() == STATE


def test_what_a_draft_changes_is_its_own() -> None:
    before = deepcopy(STATE)

    draft = Draft.copy(STATE)
    slot = draft.slot(1)
    draft.release_task(ONE, TASK.task_id)
    slot.shown_before[TASK.task_id], slot.outages_before[TASK.task_id] = 1, 1
    draft.count_free_return(TASK.task_id)

    assert draft.freeze() != before
    assert before == STATE


def test_a_slot_that_is_asked_for_twice_is_the_same_copy() -> None:
    draft = Draft.copy(STATE)

    draft.slot(2).is_up = True

    assert draft.slot(2).is_up
    assert draft.slots[2].is_up


def test_a_slot_that_was_frozen_keeps_its_tasks_when_its_draft_is_cleared() -> None:
    slot = SlotDraft.copy(HOLDING)

    last = slot.freeze()
    slot.clear()

    assert last == HOLDING
    assert slot.freeze() == WorkerSlot()


def test_commands_stand_in_the_order_in_which_they_were_emitted() -> None:
    draft = Draft.copy(STATE)

    draft.requeue_unspent(ONE, TASK, ReturnReason.DRAINING, "why", 2.0)
    delay_s = draft.pause(PauseReason.PORTAL_DOWN, "gone")
    draft.resume(PauseReason.PORTAL_DOWN)
    draft.stop(StopCause.ASKED, "")

    assert [type(command) for command in draft.commands] == [Requeue, Pause, Resume, Stop]
    assert draft.commands[1] == Pause(cause=PauseReason.PORTAL_DOWN, detail="gone", delay_s=delay_s)


def test_what_is_on_or_over_already_is_not_commanded_again() -> None:
    draft = Draft.copy(replace(STATE, is_stopping=True))

    draft.stop(StopCause.ASKED, "")
    draft.resume(PauseReason.PORTAL_DOWN)
    draft.discard(None)

    assert not [command for command in draft.commands if isinstance(command, Stop | Resume | Discard)]


def test_the_past_generation_of_a_slot_changes_nothing() -> None:
    state = with_slot(STATE, TWO, WorkerSlot(generation=2))

    decision = decide(state, events.WorkerReady(worker=TWO, at_s=1.0))

    assert (decision.state, decision.commands) == (state, ())
