"""The accidents of one storm, made up from a seed: what is hit, when, and how. Pure: the same seed, the same storm.

A storm is data. ``fault_injector`` acts it out; the target is drawn among the processes that are there then, so a
replay hits the same kinds in the same order at the same points of the list, not the very same processes.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from pydantic import TypeAdapter

from poolwright.demo.faults import Drop, ErrorStatus, Fault, FaultRule, FaultScope, Hang, Maintenance


class Target(StrEnum):
    """What is hit."""

    WORKER = "worker"
    DRIVER = "driver"
    BROWSER = "browser"
    RENDERER = "renderer"
    SUPERVISOR = "supervisor"


class FaultKind(StrEnum):
    """How it is hit."""

    #: SIGKILL.
    KILL = "kill"
    #: SIGSTOP for good; a supervisor is killed after a while, for nobody watches over it.
    FREEZE = "freeze"
    #: SIGSTOP, and SIGCONT after a while.
    NAP = "nap"
    #: SIGTERM: the user ends the run in order. No kill.
    END = "end"


Kind = tuple[Target, FaultKind]

#: How often each kind comes, against the others. Those that hang cost the most time.
KILLS: dict[Kind, int] = {
    (Target.WORKER, FaultKind.KILL): 8,
    (Target.WORKER, FaultKind.FREEZE): 4,
    (Target.DRIVER, FaultKind.KILL): 7,
    (Target.DRIVER, FaultKind.FREEZE): 4,
    (Target.BROWSER, FaultKind.KILL): 8,
    (Target.BROWSER, FaultKind.FREEZE): 4,
    (Target.RENDERER, FaultKind.KILL): 10,
    (Target.RENDERER, FaultKind.FREEZE): 3,
    (Target.SUPERVISOR, FaultKind.KILL): 8,
    (Target.SUPERVISOR, FaultKind.FREEZE): 2,
    (Target.SUPERVISOR, FaultKind.NAP): 2,
}
#: So many kills to one request to end in order.
KILLS_PER_END = 15
#: So many orders to one trouble of the portal.
ORDERS_PER_TROUBLE = 15
#: The last part of the list is left in peace, so that every accident finds a run that has work.
STORMY_PART = 0.85
DELAY_MAX_S = 3.0
#: A worker must be silent for 15 s to be taken for lost: a supervisor sleeps for less and for more than that.
FROZEN_MAX_S = 20.0

#: What a portal does when it has a bad day. None of it says anything about an order.
TROUBLES: tuple[tuple[FaultScope, Fault], ...] = (
    *(
        (scope, ErrorStatus(status=500))
        for scope in (FaultScope.ORDER_PAGE, FaultScope.ATTACHMENT_LIST, FaultScope.DOWNLOAD)
    ),
    *((scope, ErrorStatus(status=503, retry_after_s=1)) for scope in (FaultScope.ORDER_PAGE, FaultScope.DOWNLOAD)),
    (FaultScope.ORDER_PAGE, Maintenance()),
    *((scope, Hang()) for scope in (FaultScope.ORDER_PAGE, FaultScope.ATTACHMENT_LIST, FaultScope.DOWNLOAD)),
    *((scope, Drop(after_bytes=100)) for scope in (FaultScope.ATTACHMENT_LIST, FaultScope.DOWNLOAD)),
)
#: Requests that one trouble strikes at most. Three in a row may spend every attempt of an order.
TROUBLE_TIMES_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Accident:
    """One blow at one process."""

    #: Comes when so many orders have ended since the storm began, and every accident before it has struck.
    after_count: int
    #: And so much later.
    delay_s: float
    target: Target
    blow: FaultKind
    #: Which of the processes of that kind, as a share of the way through them; below 1.
    pick: float
    #: How long a supervisor stands still before it is continued or killed.
    frozen_s: float = 0.0

    @property
    def kind(self) -> Kind:
        """What is hit, and how."""
        return self.target, self.blow

    @property
    def is_kill(self) -> bool:
        """Whether it is SIGKILL or SIGSTOP."""
        return self.blow is not FaultKind.END


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalFault:
    """A fault of the portal for the next few requests."""

    after_count: int
    fault: FaultRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """Everything that happens to one list."""

    seed: int
    order_count: int
    accidents: tuple[Accident, ...]
    troubles: tuple[PortalFault, ...]

    @property
    def kill_count(self) -> int:
        """Processes that are killed or frozen."""
        return sum(accident.is_kill for accident in self.accidents)

    @property
    def end_count(self) -> int:
        """How often the program itself is ended, one way or another."""
        return sum(one.target is Target.SUPERVISOR and one.blow is not FaultKind.NAP for one in self.accidents)

    def to_json(self) -> str:
        """The storm as a page that a person can read."""
        return _STORM.dump_json(self, indent=2).decode() + "\n"


_STORM = TypeAdapter(Storm)


def make_storm(*, seed: int, order_count: int, kill_count: int) -> Storm:
    """Make up the accidents for a list. Every kind comes once before any comes twice by chance."""
    dice = Random(f"storm {seed}")
    stormy_count = int(order_count * STORMY_PART)
    kinds = _draw_kinds(dice, kill_count)
    accident_points = sorted(dice.randint(0, stormy_count) for _ in kinds)
    trouble_points = sorted(dice.randint(0, stormy_count) for _ in range(math.ceil(order_count / ORDERS_PER_TROUBLE)))
    return Storm(
        seed=seed,
        order_count=order_count,
        accidents=tuple(_accident(dice, point, kind) for point, kind in zip(accident_points, kinds, strict=True)),
        troubles=tuple(_trouble(dice, point) for point in trouble_points),
    )


def count_kinds(accidents: tuple[Accident, ...]) -> dict[str, int]:
    """How many of each kind, by name."""
    return dict(sorted(Counter(f"{one.target} {one.blow}" for one in accidents).items()))


def _draw_kinds(dice: Random, kill_count: int) -> list[Kind]:
    every = list(KILLS)
    dice.shuffle(every)
    further = dice.choices(list(KILLS), weights=list(KILLS.values()), k=max(kill_count - len(every), 0))
    ends = [(Target.SUPERVISOR, FaultKind.END)] * (kill_count // KILLS_PER_END)
    kinds = [*every[:kill_count], *further, *ends]
    dice.shuffle(kinds)
    return kinds


def _accident(dice: Random, after_count: int, kind: Kind) -> Accident:
    target, blow = kind
    is_timed = target is Target.SUPERVISOR and blow in {FaultKind.FREEZE, FaultKind.NAP}
    return Accident(
        after_count=after_count,
        delay_s=round(dice.uniform(0, DELAY_MAX_S), 2),
        target=target,
        blow=blow,
        pick=round(dice.random() * 0.999, 3),
        frozen_s=round(dice.uniform(1, FROZEN_MAX_S), 1) if is_timed else 0.0,
    )


def _trouble(dice: Random, after_count: int) -> PortalFault:
    scope, fault = dice.choice(TROUBLES)
    # A request that hangs costs a tab half a minute: one at a time.
    times = 1 if isinstance(fault, Hang) else dice.randint(1, TROUBLE_TIMES_MAX)
    return PortalFault(after_count=after_count, fault=FaultRule(fault=fault, scope=scope, times=times))
