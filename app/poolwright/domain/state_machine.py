"""The engine of every lifecycle: one table, one ``fire``, an illegal move raises with the story so far.

The tables stand in ``states``. The owner of an entity holds its machine and is the only one that fires it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Generic, TypeVar

S = TypeVar("S", bound=Enum)
E = TypeVar("E", bound=Enum)

#: Moves kept for the story of an illegal move; ten show how a machine came where it is.
STORY_LENGTH = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One move of one machine, as it is journalled and shown."""

    #: Which machine: the name of its table, ``worker`` or ``tab``.
    machine: str
    #: Which of its kind: a worker id, a task id, a profile id.
    entity: str
    origin: str
    event: str
    target: str
    #: Aware UTC.
    at: datetime
    #: Why, in a few words; empty when the event says it all.
    cause: str = ""


class IllegalTransitionError(Exception):
    """A machine was asked for a move that its table does not have. Always a defect of the program."""

    def __init__(self, machine: str, entity: str, state: str, event: str, story: tuple[Transition, ...]) -> None:
        """Keep what was asked and the last moves, so that the report alone tells what went wrong."""
        told = " -> ".join(f"{move.origin} -{move.event}-> {move.target}" for move in story) or "no move yet"
        super().__init__(f"{machine} {entity}: {event} is not a move of {state} (so far: {told})")
        self.machine = machine
        self.entity = entity
        self.state = state
        self.event = event
        self.story = story


@dataclass(frozen=True, slots=True, kw_only=True)
class TransitionTable(Generic[S, E]):
    """All legal moves of one kind of machine. Every state has a row, the last ones an empty row."""

    name: str
    start: S
    rows: Mapping[S, Mapping[E, S]]

    @property
    def ends(self) -> frozenset[S]:
        """States that nothing leaves."""
        return frozenset(state for state, row in self.rows.items() if not row)

    def target(self, state: S, event: E) -> S | None:
        """Where ``event`` leads from ``state``, or nothing if it is no legal move."""
        return self.rows[state].get(event)


class StateMachine(Generic[S, E]):
    """One living state. Read ``state`` freely; only its owner calls ``fire``."""

    __slots__ = ("_clock", "_entity", "_observe", "_state", "_story", "_table")

    def __init__(
        self,
        table: TransitionTable[S, E],
        entity: str,
        *,
        clock: Callable[[], datetime],
        observe: Callable[[Transition], None],
        state: S | None = None,
    ) -> None:
        """Start in ``state``, or in the first state of the table.

        Args:
            table: The legal moves.
            entity: Who this is, for the story and the journal.
            clock: Aware UTC now.
            observe: Called with every move, after it was made.
            state: Where to take up an entity that lived before.
        """
        self._table = table
        self._entity = entity
        self._clock = clock
        self._observe = observe
        self._state = table.start if state is None else state
        self._story: deque[Transition] = deque(maxlen=STORY_LENGTH)

    @property
    def state(self) -> S:
        """Where in life the entity is."""
        return self._state

    @property
    def is_over(self) -> bool:
        """Whether no move is left."""
        return not self._table.rows[self._state]

    def can(self, event: E) -> bool:
        """Whether ``event`` is a legal move now."""
        return self._table.target(self._state, event) is not None

    def fire(self, event: E, *, cause: str = "") -> S:
        """Make one move and tell the observer.

        Raises:
            IllegalTransitionError: The table has no such move; the state stays as it was.
        """
        target = self._table.target(self._state, event)
        if target is None:
            raise IllegalTransitionError(
                self._table.name, self._entity, self._state.name, event.name, tuple(self._story)
            )
        move = Transition(
            machine=self._table.name,
            entity=self._entity,
            origin=self._state.name,
            event=event.name,
            target=target.name,
            at=self._clock(),
            cause=cause,
        )
        self._state = target
        self._story.append(move)
        self._observe(move)
        return target
