"""The state machine of every lifecycle: a transition table and one method, ``fire``, that makes a transition.

The tables are in ``states``. The owner of an entity has its state machine, and is the only one that calls ``fire``.
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

#: Recent transitions that the error of an illegal one shows.
HISTORY_LENGTH = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One transition of one state machine, as the journal stores it."""

    #: The name of its table, such as ``worker`` or ``tab``.
    machine: str
    #: The id of its entity: a worker id, a task id, a profile id.
    entity: str
    origin: str
    event: str
    target: str
    #: Aware UTC.
    at: datetime
    #: The cause in a few words; empty if the event needs none.
    cause: str = ""


class IllegalTransitionError(Exception):
    """A state machine has no transition for an event in its state. Always a defect of the program."""

    def __init__(self, machine: str, entity: str, state: str, event: str, history: tuple[Transition, ...]) -> None:
        """Store the rejected event and the last transitions, so that the message alone shows what went wrong."""
        path = " -> ".join(f"{move.origin} -{move.event}-> {move.target}" for move in history) or "no transition"
        super().__init__(f"{machine} {entity}: no transition for {event} in state {state} (so far: {path})")
        self.machine = machine
        self.entity = entity
        self.state = state
        self.event = event
        self.history = history


@dataclass(frozen=True, slots=True, kw_only=True)
class TransitionTable(Generic[S, E]):
    """All transitions of one kind of state machine. Every state has a row; final states have an empty one."""

    name: str
    start: S
    rows: Mapping[S, Mapping[E, S]]

    @property
    def terminal_states(self) -> frozenset[S]:
        """The final states."""
        return frozenset(state for state, row in self.rows.items() if not row)

    def target(self, state: S, event: E) -> S | None:
        """Return the state that ``event`` leads to from ``state``; ``None`` if there is no such transition."""
        return self.rows[state].get(event)


class StateMachine(Generic[S, E]):
    """The current state of one entity. Anyone may read ``state``; only its owner calls ``fire``."""

    __slots__ = ("_clock", "_entity", "_history", "_observe", "_state", "_table")

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
            table: The legal transitions.
            entity: The id of the entity, for errors and the journal.
            clock: Returns the time as aware UTC.
            observe: Called with every transition, after it was made.
            state: The state of an entity that is loaded, not new.
        """
        self._table = table
        self._entity = entity
        self._clock = clock
        self._observe = observe
        self._state = table.start if state is None else state
        self._history: deque[Transition] = deque(maxlen=HISTORY_LENGTH)

    @property
    def state(self) -> S:
        """The current state of the entity."""
        return self._state

    @property
    def is_over(self) -> bool:
        """Whether the state is final."""
        return not self._table.rows[self._state]

    def can(self, event: E) -> bool:
        """Whether there is a transition for ``event`` in the current state."""
        return self._table.target(self._state, event) is not None

    def fire(self, event: E, *, cause: str = "") -> S:
        """Make one transition, report it to the observer, and return the new state.

        Raises:
            IllegalTransitionError: The table has no such transition; the state stays unchanged.
        """
        target = self._table.target(self._state, event)
        if target is None:
            raise IllegalTransitionError(
                self._table.name, self._entity, self._state.name, event.name, tuple(self._history)
            )
        transition = Transition(
            machine=self._table.name,
            entity=self._entity,
            origin=self._state.name,
            event=event.name,
            target=target.name,
            at=self._clock(),
            cause=cause,
        )
        self._state = target
        self._history.append(transition)
        self._observe(transition)
        return target
