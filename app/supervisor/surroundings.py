"""What a pool works with and does not own."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.ids import BatchId
from app.domain.ports import Archive, Clock, EventSink, Journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Handed to a pool by whoever puts the parts together; outlives it."""

    journal: Journal
    archive: Archive
    clock: Clock
    observe: EventSink
    #: The list whose tasks the pool works on.
    batch_id: BatchId
    #: Module of the worker process; tests put a scripted one here.
    module: str = "app.worker"
