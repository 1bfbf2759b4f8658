"""The results of a soak in numbers: a summary for machines, a table for people."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bench.soak.drive import DriveResult
from bench.soak.orders import Tally
from bench.soak.plan import Plan
from bench.soak.verdict import Figure, misses


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """How much there was to work with, and what else was going on."""

    processor_count: int
    memory_bytes: int
    #: Load of the last minute before the soak and at its end, its own included.
    load_before: float
    load_after: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """All that a soak has come to."""

    plan: Plan
    machine: Machine
    told: DriveResult
    orders: Tally
    figures: Sequence[Figure]
    sample_count: int

    @property
    def misses(self) -> list[str]:
        """One sentence for every aim that was missed."""
        return misses(self.figures, self.orders)


def summary(outcome: Outcome) -> dict[str, Any]:
    """What stands in ``summary.json``."""
    return {
        "plan": outcome.plan.model_dump(mode="json", exclude={"folder"}),
        "machine": dataclasses.asdict(outcome.machine),
        "duration_s": round(outcome.told.duration_s, 1),
        "sample_count": outcome.sample_count,
        "orders": dataclasses.asdict(outcome.orders),
        "restarts": [restart.model_dump(mode="json") for restart in outcome.told.restarts],
        "figures": {figure.name: _figure(figure) for figure in outcome.figures},
        "misses": outcome.misses,
    }


def heading(outcome: Outcome) -> str:
    """One line that says what was done."""
    plan, orders = outcome.plan, outcome.orders
    return (
        f"{orders.submitted_count} orders in {outcome.told.duration_s / 60:.1f} minutes, {orders.lost_count} lost: "
        f"{plan.workers} workers of {plan.tabs} tabs, pages of {plan.page_mb} MB"
    )


def table(outcome: Outcome) -> Iterator[str]:
    """The lines that are printed."""
    orders, told, machine = outcome.orders, outcome.told, outcome.machine
    yield (
        f"{orders.submitted_count} orders in {told.duration_s / 60:.1f} min: {orders.right_count} right, "
        f"{orders.lost_count} lost, {orders.wrong_count} wrong, {orders.repeated_count} told twice"
    )
    crash_count = sum(restart.is_crash for restart in told.restarts)
    yield f"{len(told.restarts) - crash_count} planned restarts, {crash_count} workers lost"
    yield (
        f"{machine.processor_count} processors, load {machine.load_before:.1f} before and {machine.load_after:.1f} "
        "at the end"
    )
    yield ""
    yield f"{'':<24}{'after warm-up':>15}{'at the end':>15}{'growth':>10}{'at most':>10}"
    yield from (_row(figure) for figure in outcome.figures)
    yield ""
    yield from outcome.misses or ["Every aim is met."]


def _row(figure: Figure) -> str:
    if figure.trend is None:
        return f"{figure.name:<24}{'too short to tell':>30}"
    unit = f" {figure.unit}" if figure.unit else ""
    early, late = (f"{value:.1f}{unit}" for value in (figure.trend.early, figure.trend.late))
    limit = "" if figure.limit is None else f"{figure.limit:.1f}"
    mark = "" if figure.is_met else "  missed"
    return f"{figure.name:<24}{early:>15}{late:>15}{figure.trend.growth:>+10.1%}{limit:>10}{mark}"


def _figure(figure: Figure) -> dict[str, Any]:
    trend = figure.trend
    values = None if trend is None else {name: round(value, 4) for name, value in dataclasses.asdict(trend).items()}
    growth = None if trend is None else round(trend.growth, 4)
    return {"unit": str(figure.unit), "trend": values, "growth": growth, "limit": figure.limit, "met": figure.is_met}
