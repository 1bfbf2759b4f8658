"""Made-up events and a clock that a test sets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from poolwright.domain.events import (
    Level,
    MemoryRelieved,
    Moved,
    Notice,
    SessionView,
    TaskEnded,
    TaskReturned,
    TaskStarted,
    WorkerSeen,
)
from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.domain.state_machine import Transition
from poolwright.domain.tasks import FetchedFile, POTask, Report

EPOCH = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@dataclass
class SetClock:
    """Stands still until it is moved."""

    at_s: float = 0.0

    def now(self) -> datetime:
        return EPOCH + timedelta(seconds=self.at_s)

    def monotonic(self) -> float:
        return self.at_s


def task(number: int, *, attempt: int = 1) -> POTask:
    po = f"PO{4500000 + number}"
    return POTask(task_id=TaskId(f"demo:{po}"), po_number=po, portal_number=po, attempt=attempt)


def moved(machine: str, entity: str, target: str) -> Moved:
    return Moved(
        transition=Transition(machine=machine, entity=entity, origin="ANY", event="GO", target=target, at=EPOCH)
    )


def worker_state(slot: int, target: str) -> Moved:
    return moved("worker", f"worker-{slot}", target)


def started(number: int, slot: int) -> TaskStarted:
    return TaskStarted(task=task(number), worker=WorkerRef(slot, 1))


def file(name: str = "offer.pdf", *, size_bytes: int = 1000, sha256: str = "ab" * 32, label: str = "") -> FetchedFile:
    return FetchedFile(
        name=name,
        label=label or name,
        size_bytes=size_bytes,
        sha256=sha256,
        media_type="application/pdf",
        source_url="",
    )


def ended(
    number: int,
    slot: int | None = 1,
    *,
    reason: Reason = Reason.ALL_SAVED,
    files: tuple[FetchedFile, ...] = (),
    detail: str = "",
    duration_s: float = 2.1,
) -> TaskEnded:
    return TaskEnded(
        task=task(number),
        report=Report(reason=reason, files=files, detail=detail, duration_s=duration_s),
        folder=f"Acme/{task(number).po_number}",
        worker=None if slot is None else WorkerRef(slot, 1),
    )


def returned(
    number: int,
    slot: int = 1,
    *,
    why: Reason | ReturnReason = Reason.TAB_CRASHED,
    detail: str = "",
    delay_s: float = 2.0,
) -> TaskReturned:
    return TaskReturned(
        task_id=task(number).task_id, why=why, detail=detail, delay_s=delay_s, worker=WorkerRef(slot, 1)
    )


def seen(slot: int, memory_bytes: int) -> WorkerSeen:
    return WorkerSeen(
        worker=WorkerRef(slot, 1),
        session=SessionView(status="ACTIVE", main_window_handle="keeper"),
        memory_bytes=memory_bytes,
        processed_count=0,
    )


def notice(text: str, level: Level = Level.INFO, slot: int | None = None) -> Notice:
    return Notice(level=level, text=text, worker=None if slot is None else WorkerRef(slot, 1))


def relieved(slot: int, *, has_helped: bool = True) -> MemoryRelieved:
    return MemoryRelieved(
        worker=WorkerRef(slot, 2),
        before_bytes=900_000_000,
        after_bytes=300_000_000,
        total_before_bytes=1_400_000_000,
        total_after_bytes=800_000_000,
        limit_bytes=1_200_000_000,
        has_helped=has_helped,
    )
