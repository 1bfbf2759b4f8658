"""What a journal tells of each order, as text for whoever looks for the cause of a failed test."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from poolwright.domain.outcomes import Outcome
from poolwright.domain.state_machine import Transition
from poolwright.domain.states import TASK, TaskStatus
from poolwright.domain.tasks import TaskRecord
from poolwright.journal.sql_tasks import to_text

#: An order that ended so needs no look. Others may be right too, that is for the test to say.
_WELL = frozenset({Outcome.COMPLETED, Outcome.NO_ATTACHMENTS})
#: A journal may hold a million orders, and a failed test is no reason to read them all.
ORDER_LIMIT, MOVE_LIMIT = 5_000, 100_000
#: A program that still runs may write meanwhile.
_BUSY_TIMEOUT_S = 2.0

_ORDERS = f"""
SELECT task_id, portal_number, status, coalesce(outcome, ''), coalesce(reason, ''), coalesce(detail, ''),
    attempt_count, death_count
FROM tasks LEFT JOIN reports USING (task_id)
ORDER BY status = 'DONE', attempt_count DESC, task_id LIMIT {ORDER_LIMIT}
"""  # noqa: S608 - our own number
_ATTEMPTS = """
SELECT attempt, worker, started_at, coalesce(ended_at, ''), coalesce(result, ''), is_spent FROM attempts
WHERE task_id = ? ORDER BY attempt_id
"""
_MOVES = f"""
SELECT * FROM (
    SELECT transition_id, machine, entity, origin, event, target, at, cause FROM transitions
    ORDER BY transition_id DESC LIMIT {MOVE_LIMIT}
) ORDER BY transition_id
"""  # noqa: S608 - our own number


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try. Moments are texts of equal length, as the journal writes them."""

    number: int
    worker: str
    started_at: str
    #: Empty while it runs, like its result.
    ended_at: str
    result: str
    is_spent: bool

    def runs_at(self, moment: str) -> bool:
        """Whether something that happened then happened within it."""
        return self.started_at <= moment <= (self.ended_at or moment)

    def __str__(self) -> str:
        """One line."""
        spent = "" if self.is_spent else ", does not count"
        return f"{self.number}  {self.worker}  {self.started_at} to {self.ended_at or '?'}  {self.result or '?'}{spent}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One step of one machine."""

    at: str
    machine: str
    entity: str
    origin: str
    event: str
    target: str
    cause: str

    @classmethod
    def from_transition(cls, move: Transition) -> Move:
        """Of a journal that is no file."""
        return cls(
            at=to_text(move.at),
            machine=move.machine,
            entity=move.entity,
            origin=move.origin,
            event=move.event,
            target=move.target,
            cause=move.cause,
        )

    def __str__(self) -> str:
        """One line."""
        cause = f"  ({' '.join(self.cause.split())})" if self.cause else ""
        return f"{self.at}  {self.origin} -> {self.target}  {self.event}{cause}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Where one order stands and how it came there."""

    task_id: str
    number: str
    status: str
    outcome: str = ""
    reason: str = ""
    detail: str = ""
    attempt_count: int = 0
    death_count: int = 0
    attempts: Sequence[Attempt] = ()
    moves: Sequence[Move] = ()

    @property
    def is_suspect(self) -> bool:
        """Whether it took more than one attempt, or did not end well."""
        return self.is_unfinished or self.has_struggled or self.outcome not in _WELL

    @property
    def has_begun(self) -> bool:
        """Whether anybody took it up."""
        return self.status != TaskStatus.QUEUED.name or bool(self.attempts) or bool(self.moves)

    @property
    def is_unfinished(self) -> bool:
        """Whether it has no end."""
        return self.status != TaskStatus.DONE.name

    @property
    def has_struggled(self) -> bool:
        """Whether one attempt was not enough, of those that count or of all."""
        return max(self.attempt_count, len(self.attempts)) > 1

    def __str__(self) -> str:
        """One line."""
        told = " ".join(word for word in (self.status, self.outcome, self.reason) if word)
        deaths = f", {self.death_count} workers died on it" if self.death_count else ""
        detail = f": {' '.join(self.detail.split())}" if self.detail else ""
        attempts = f"{self.attempt_count} attempt{'' if self.attempt_count == 1 else 's'}"
        return f"{self.number} ({self.task_id})  {told}, {attempts}{deaths}{detail}"

    def worker_of(self, move: Move) -> str:
        """Who had it then; nobody while it waited."""
        if move.origin == TaskStatus.QUEUED.name:
            return ""
        return next((one.worker for one in reversed(self.attempts) if one.runs_at(move.at)), "")

    def lines(self) -> Iterator[str]:
        """Everything, from its first move on."""
        yield str(self)
        yield from (f"  attempt {attempt}" for attempt in self.attempts)
        for move in self.moves:
            worker = self.worker_of(move)
            yield f"  {move}{f'  {worker}' if worker else ''}"

    def brief(self) -> str:
        """One line, with how each attempt went."""
        went = "; ".join(f"{one.number} {one.worker} {one.result or 'runs'}" for one in self.attempts)
        return f"{self}{f' [{went}]' if went else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What a journal tells."""

    orders: Sequence[Order]
    #: Of workers, sessions, tabs and what else moves.
    others: Sequence[Move] = ()
    notes: Sequence[str] = field(default=())

    def text(self) -> str:
        """Orders that need a look first, then the rest, then the machines."""
        others = [order for order in self.orders if not order.is_suspect]
        told = chain.from_iterable((*order.lines(), "") for order in [*self.suspects(), *others])
        machines = (f"  {move.machine} {move.entity}  {move}" for move in self.others)
        return "\n".join([*self.notes, *told, "Everything else that moved:", *machines, ""])

    def suspects(self) -> list[Order]:
        """Orders that need a look. Those that nobody began come last: when a run ends early, they are all alike."""
        found = [order for order in self.orders if order.is_suspect]
        return sorted(found, key=lambda order: (not order.has_begun, not (order.is_unfinished or order.has_struggled)))


def read_story(path: Path) -> Story:
    """Read a journal without changing it, be it in use, at rest, or left by a program that was killed.

    Raises:
        sqlite3.Error: It is no journal, or not a whole one.
    """
    # A killed program leaves its latest changes in a log beside the file, and a look at that needs the log's index.
    # Without a log the file alone holds everything, and nothing is to be made beside it.
    mode = "ro" if path.with_name(f"{path.name}-wal").exists() else "ro&immutable=1"
    address = f"{path.absolute().as_uri()}?mode={mode}"
    with closing(sqlite3.connect(address, uri=True, timeout=_BUSY_TIMEOUT_S)) as connection:
        moves, others = _moves(connection)
        orders = [
            Order(
                task_id=task_id,
                number=number,
                status=status,
                outcome=outcome,
                reason=reason,
                detail=detail,
                attempt_count=attempt_count,
                death_count=death_count,
                attempts=_attempts(connection, task_id),
                moves=moves.get(task_id, ()),
            )
            for task_id, number, status, outcome, reason, detail, attempt_count, death_count in connection.execute(
                _ORDERS
            )
        ]
        total: int = connection.execute("SELECT count(*) FROM tasks").fetchone()[0]
    left_off = f"{total - len(orders):,} of {total:,} orders are left off."
    return Story(orders=orders, others=others, notes=(left_off,) if total > len(orders) else ())


def _attempts(connection: sqlite3.Connection, task_id: str) -> list[Attempt]:
    return [
        Attempt(
            number=number, worker=worker, started_at=started, ended_at=ended, result=result, is_spent=bool(is_spent)
        )
        for number, worker, started, ended, result, is_spent in connection.execute(_ATTEMPTS, (task_id,))
    ]


def _moves(connection: sqlite3.Connection) -> tuple[dict[str, list[Move]], list[Move]]:
    """Those of each order, and all others."""
    found = (
        Move(machine=machine, entity=entity, origin=origin, event=event, target=target, at=at, cause=cause)
        for _, machine, entity, origin, event, target, at, cause in connection.execute(_MOVES)
    )
    return _parted(found)


def _parted(moves: Iterator[Move]) -> tuple[dict[str, list[Move]], list[Move]]:
    of_orders: dict[str, list[Move]] = {}
    others: list[Move] = []
    for move in moves:
        (of_orders.setdefault(move.entity, []) if move.machine == TASK.name else others).append(move)
    return of_orders, others


def story_of(records: Sequence[TaskRecord], transitions: Sequence[Transition]) -> Story:
    """The story of a journal that is no file: it keeps no attempts, so their workers stand in the causes alone."""
    moves, others = _parted(Move.from_transition(move) for move in transitions)
    orders = [
        Order(
            task_id=record.task.task_id,
            number=record.task.portal_number,
            status=record.status,
            outcome="" if record.report is None else record.report.outcome.value,
            reason="" if record.report is None else record.report.reason.value,
            detail="" if record.report is None else record.report.detail,
            attempt_count=record.attempt_count,
            death_count=record.task.death_count,
            moves=moves.get(record.task.task_id, ()),
        )
        for record in records
    ]
    return Story(orders=orders, others=others)
