"""The figures of a comparison: medians, ratios to the bare loop by round, a table, and what has become slower."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.peers.runner import BASE, RUNNERS
from bench.timing import Timing

#: Ratios of an earlier comparison, by latency, program and figure.
RECORDED = Path(__file__).with_name("recorded.json")
#: A ratio of Poolwright that is worse than the recorded one by more than this part is told in red.
_WORSE_PART = 0.15
_OURS = "poolwright-"
_RED, _PLAIN = "\x1b[31m", "\x1b[0m"

Ratios = Mapping[str, Mapping[str, Mapping[str, float]]]


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a run: a name, a heading, and whether more of it is better."""

    name: str
    heading: str
    is_more_better: bool


FIGURES = (
    Figure("steady_per_s", "orders/s, steady", is_more_better=True),
    Figure("whole_per_s", "orders/s, whole run", is_more_better=True),
    Figure("first_order_s", "first order, s", is_more_better=False),
    Figure("cpu_s_per_order", "processor s/order", is_more_better=False),
    Figure("peak_bytes", "peak memory, MB", is_more_better=False),
)
_MB = 1_000_000


@dataclass(slots=True, kw_only=True)
class Comparison:
    """The runs of all programs at one latency, round by round."""

    latency_ms: int
    runs: dict[str, list[Timing]] = field(default_factory=dict[str, list[Timing]])
    #: Programs that lost files or failed, with a sentence.
    failures: dict[str, str] = field(default_factory=dict[str, str])

    def median(self, name: str, figure: Figure) -> float:
        """Return the median of a figure of one program."""
        return statistics.median(getattr(run, figure.name) for run in self.runs[name])

    def ratio(self, name: str, figure: Figure) -> float:
        """Return the median of the ratios to the bare loop of the same round."""
        pairs = zip(self.runs[name], self.runs[BASE], strict=False)
        ratios = [getattr(one, figure.name) / (getattr(base, figure.name) or 1) for one, base in pairs]
        return statistics.median(ratios)

    def spread(self, name: str, figure: Figure) -> tuple[float, float]:
        """Return the least and the largest of these ratios."""
        pairs = zip(self.runs[name], self.runs[BASE], strict=False)
        ratios = [getattr(one, figure.name) / (getattr(base, figure.name) or 1) for one, base in pairs]
        return min(ratios), max(ratios)


def table(comparison: Comparison) -> Iterator[str]:
    """Yield the lines of a table in Markdown: medians, and behind each the ratio to the bare loop."""
    yield f"| {comparison.latency_ms} ms latency | {' | '.join(figure.heading for figure in FIGURES)} |"
    yield f"|---|{'---|' * len(FIGURES)}"
    for runner in RUNNERS:
        if runner.name in comparison.runs:
            cells = (_cell(comparison, runner.name, figure) for figure in FIGURES)
            yield f"| {runner.title} | {' | '.join(cells)} |"
        elif runner.name in comparison.failures:
            yield f"| {runner.title} | {comparison.failures[runner.name]} |{' |' * (len(FIGURES) - 1)}"


def _cell(comparison: Comparison, name: str, figure: Figure) -> str:
    value = comparison.median(name, figure)
    shown = f"{value / _MB:,.0f}" if figure.name == "peak_bytes" else f"{value:.2f}"
    if name == BASE:
        return shown
    low, high = comparison.spread(name, figure)
    return f"{shown} ({comparison.ratio(name, figure):.2f}; {low:.2f} to {high:.2f})"


def ratios(comparisons: Sequence[Comparison]) -> dict[str, dict[str, dict[str, float]]]:
    """Return all ratios, as they are recorded."""
    return {
        str(one.latency_ms): {
            name: {figure.name: round(one.ratio(name, figure), 3) for figure in FIGURES} for name in one.runs
        }
        for one in comparisons
        if BASE in one.runs
    }


def worse_than_recorded(now: Ratios, recorded: Ratios) -> Iterator[str]:
    """Yield a sentence for each ratio of Poolwright that is worse than the recorded one."""
    for latency, programs in now.items():
        for name, figures in programs.items():
            before = recorded.get(latency, {}).get(name, {})
            if not name.startswith(_OURS):
                continue
            for figure in FIGURES:
                if figure.name in before and _is_worse(figure, figures[figure.name], before[figure.name]):
                    change = f"{before[figure.name]:.2f} recorded, {figures[figure.name]:.2f} now"
                    yield f"{name} at {latency} ms, {figure.heading}: ratio to the bare loop {change}"


def _is_worse(figure: Figure, now: float, before: float) -> bool:
    return now < before * (1 - _WORSE_PART) if figure.is_more_better else now > before * (1 + _WORSE_PART)


def red(text: str) -> str:
    """Return a text that a terminal shows in red."""
    return f"{_RED}{text}{_PLAIN}"


def read_recorded() -> Ratios:
    """Return the recorded ratios; none if there are none yet."""
    return json.loads(RECORDED.read_text(encoding="utf-8")) if RECORDED.exists() else {}


def record(now: Ratios) -> None:
    """Keep ratios for later comparisons, beside those of other latencies."""
    RECORDED.write_text(json.dumps({**read_recorded(), **now}, indent=1) + "\n", encoding="utf-8")
