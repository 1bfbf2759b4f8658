"""Messages of a worker, as the policy receives them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from poolwright.domain.ids import WorkerRef
from poolwright.ipc.messages import StartupFailed, StartupFailure
from poolwright.supervisor.policy.events import MessageReceived, PolicyMessage

M = TypeVar("M", bound=PolicyMessage)


def received(
    message_class: Callable[..., M], /, *, worker: WorkerRef, at_s: float = 0.0, **fields: object
) -> MessageReceived[M]:
    """Return the event that a worker sent a message of this class with these fields."""
    message = message_class(slot=worker.slot, generation=worker.generation, **fields)
    return MessageReceived(worker=worker, message=message, at_s=at_s)


def startup_failed(worker: WorkerRef, kind: StartupFailure, detail: str = "") -> MessageReceived[StartupFailed]:
    """Return the event that a worker cannot start, for this cause."""
    return received(StartupFailed, worker=worker, kind=kind, detail=detail)
