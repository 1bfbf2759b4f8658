"""States of the policy, arranged for a test."""

from __future__ import annotations

from dataclasses import replace

from poolwright.domain.ids import WorkerRef
from poolwright.supervisor.policy.state import PoolState, WorkerSlot


def with_slot(state: PoolState, worker: WorkerRef, slot: WorkerSlot) -> PoolState:
    """Return the same state with another slot."""
    return replace(state, slots={**state.slots, worker.slot: slot})
