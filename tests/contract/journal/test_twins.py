"""The two journals are one: whatever is asked of both, legal or not, they answer alike and refuse alike."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
from anyio.from_thread import start_blocking_portal
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from poolwright.domain.ids import BatchId, WorkerRef
from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.domain.state_machine import IllegalTransitionError
from poolwright.domain.tasks import JsonValue, Report
from poolwright.journal.errors import JournalError
from poolwright.journal.sqlite_journal import SqliteJournal
from tests.support.journal_audit import check_laws
from tests.support.manual_clock import ManualClock
from tests.support.memory_journal import MemoryJournal
from tests.support.pace import WALKS_ON_DISK
from tests.support.tasks import BATCH, OTHER, orders, po_task, report, task_id

#: Few of each, so that calls meet. Number 5 is never accepted.
NUMBERS = st.integers(0, 5)
GROUPS = st.sampled_from(["", "A", "B"])
BATCHES = st.sampled_from([BATCH, OTHER])
REASONS = st.sampled_from([Reason.ALL_SAVED, Reason.PORTAL_BUSY, Reason.NO_WORKERS])
WHYS = st.sampled_from((*Reason, *ReturnReason))
FILES = st.lists(st.sampled_from(["a.pdf", "b.pdf"]), unique=True)
PAYLOADS = st.sampled_from([None, "a text", {"url": "https://portal.example/\U0001f600", "pages": [1, 2.5, None]}])
WORKERS = st.builds(WorkerRef, st.integers(1, 2), st.integers(1, 2))


class JournalPair(RuleBasedStateMachine):
    """Asks both journals the same and compares what they say."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        with ExitStack() as stack:
            self.path = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "journal.db"
            self.portal = stack.enter_context(start_blocking_portal())
            file = stack.enter_context(self.portal.wrap_async_context_manager(SqliteJournal(self.path, self.clock)))
            self.twins = (file, MemoryJournal(self.clock))
            self.stack = stack.pop_all()

    def teardown(self) -> None:
        check_laws(self.path)
        self.stack.close()

    def answer(self, call: Callable[[], Any]) -> object:
        try:
            return self.portal.call(call)
        except (JournalError, IllegalTransitionError) as refusal:
            story = refusal.history if isinstance(refusal, IllegalTransitionError) else ()
            return type(refusal), str(refusal), story

    def both(self, method: str, *args: object, **named: object) -> None:
        file, memory = (self.answer(lambda twin=twin: getattr(twin, method)(*args, **named)) for twin in self.twins)
        assert file == memory

    @rule(numbers=st.lists(st.integers(0, 4), max_size=5), batch_id=BATCHES, group=GROUPS)
    def accept(self, numbers: list[int], batch_id: BatchId, group: str) -> None:
        given = orders(*numbers, batch_id=batch_id)
        tasks = tuple(replace(task, group=group) for task in given.tasks)
        self.both("accept", replace(given, tasks=tasks))

    @rule(batch_id=BATCHES, group=GROUPS)
    def set_aside(self, batch_id: BatchId, group: str) -> None:
        self.both("set_aside", batch_id, group, Report(reason=Reason.GROUP_SET_ASIDE, detail=f"{group} {batch_id}"))

    @rule(numbers=st.lists(st.integers(0, 4), max_size=3), batch_id=BATCHES, payload=PAYLOADS)
    def add(self, numbers: list[int], batch_id: BatchId, payload: JsonValue) -> None:
        self.both("add", batch_id, [po_task(number, payload=payload, timeout_s=1.5) for number in numbers])

    @rule(number=NUMBERS)
    def cancel(self, number: int) -> None:
        self.both("cancel", task_id(number))

    @rule(numbers=st.sets(NUMBERS))
    def cancel_all(self, numbers: set[int]) -> None:
        self.both("cancel_all", [task_id(number) for number in numbers])

    @rule(batch_id=BATCHES, limit=st.integers(-1, 3))
    def fetch(self, batch_id: BatchId, limit: int) -> None:
        self.both("fetch", batch_id, limit)

    @rule(number=NUMBERS, worker=WORKERS)
    def start(self, number: int, worker: WorkerRef) -> None:
        self.both("start", task_id(number), worker)

    @rule(number=NUMBERS, why=WHYS, delay_s=st.sampled_from([0, 7, 30]), is_spent=st.booleans())
    def give_back(self, number: int, why: Reason | ReturnReason, delay_s: float, is_spent: bool) -> None:
        self.both("requeue", task_id(number), why, detail="why", delay_s=delay_s, is_attempt_spent=is_spent)

    @rule(number=NUMBERS, reason=REASONS, names=FILES)
    def finish(self, number: int, reason: Reason, names: list[str]) -> None:
        self.both("finish", task_id(number), report(reason, *names), "folder")

    @rule(batch_id=BATCHES, limit=st.integers(-1, 3))
    def finish_waiting(self, batch_id: BatchId, limit: int) -> None:
        self.both("finish_waiting", batch_id, report(Reason.NO_WORKERS), limit)

    @rule(number=NUMBERS)
    def count_death(self, number: int) -> None:
        self.both("count_death", task_id(number))

    @rule()
    def recover(self) -> None:
        self.both("recover", 3)

    @rule(numbers=st.sets(NUMBERS))
    def reopen(self, numbers: set[int]) -> None:
        self.both("reopen", sorted(task_id(number) for number in numbers))

    @rule(seconds=st.sampled_from([1, 7, 23]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @invariant()
    def they_tell_the_same(self) -> None:
        for batch_id in (BATCH, OTHER):
            self.both("counts", batch_id)
            self.both("next_due_s", batch_id)
            self.both("records", batch_id)


JournalPair.TestCase.settings = WALKS_ON_DISK
TestTwins = JournalPair.TestCase
