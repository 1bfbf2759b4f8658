"""The figure of a soak: panels one below the other on one axis of time.

Each figure is drawn twice: faint as it was sampled, and strong as its running median. Beside its end stands its name
and by how much it grew after the warm-up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator
from matplotlib.typing import RcKeyType

from bench.soak.samples import Sample
from bench.soak.trend import FIFTH, Trend, running_median, spread, trend
from bench.soak.verdict import MB
from bench.soak.watch import Restart

#: The colours of Okabe and Ito, which people tell apart however they see colours; without the yellow, too pale here.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#555555", "#000000")
INK, SOFT, SHADE = "#333333", "#8a8a8a", "#f3f3f3"
WIDTH_IN, HEIGHT_IN, DPI = 9.5, 11.5, 150
#: Height of a line of text, as part of the height of a panel.
TEXT_HEIGHT = 0.125
#: Where an axis ends, as a multiple of the highest value.
HEADROOM = 1.12
#: Samples of a running median, as part of all.
SMOOTHING = 0.05
STYLE: dict[RcKeyType, Any] = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.edgecolor": SOFT,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.titleweight": "bold",
    "axes.titlepad": 7,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.7,
    "lines.solid_capstyle": "round",
    "xtick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.color": SOFT,
    "ytick.labelcolor": INK,
    "ytick.left": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One figure over time."""

    name: str
    colour: str
    read: Callable[[Sample], float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Lines that share an axis."""

    title: str
    lines: tuple[Line, ...]


def draw(samples: Sequence[Sample], restarts: Sequence[Restart], heading: str, path: Path) -> None:
    """Draw everything that was watched, and write it as PNG."""
    panels = panels_of(len(samples[0].workers) if samples else 0)
    with mpl.rc_context(STYLE):
        layout = ConstrainedLayoutEngine(h_pad=0.1, w_pad=0.15)
        figure = Figure(figsize=(WIDTH_IN, HEIGHT_IN), dpi=DPI, layout=layout)
        figure.suptitle(heading, x=0.016, ha="left", fontsize=12, fontweight="bold", color=INK)
        places: list[Axes] = list(figure.subplots(len(panels), 1, sharex=True))
        for place, panel in zip(places, panels, strict=True):
            _draw_panel(place, panel, samples)
            _draw_marks(place, samples, restarts)
        figure.supxlabel(_key(restarts), x=0.016, ha="left", fontsize=8, color=SOFT)
        places[-1].set_xlabel("minutes", color=INK)
        figure.savefig(path)


def panels_of(worker_count: int) -> list[Panel]:
    """What is drawn, from top to bottom."""
    slots = range(worker_count)
    return [
        Panel(title="Memory of each worker with its browser (MB)", lines=_of_workers(slots, "data_bytes", MB)),
        Panel(title="Memory of the supervisor (MB)", lines=(_alone(lambda each: each.supervisor.data_bytes / MB),)),
        Panel(title="Throughput (orders/s)", lines=(_alone(lambda sample: sample.throughput_per_s),)),
        Panel(
            title="Time from an order's start to its outcome (s)",
            lines=(
                Line(name="median", colour=COLOURS[0], read=lambda sample: sample.latency_median_s),
                Line(name="95 %", colour=COLOURS[1], read=lambda sample: sample.latency_p95_s),
            ),
        ),
        Panel(
            title="Open files, tasks and threads of the supervisor",
            lines=(
                Line(name="files", colour=COLOURS[0], read=lambda sample: sample.supervisor.file_count),
                Line(name="tasks", colour=COLOURS[1], read=lambda sample: sample.task_count),
                Line(name="threads", colour=COLOURS[2], read=lambda sample: sample.supervisor.thread_count),
            ),
        ),
        Panel(title="Open files of each worker with its browser", lines=_of_workers(slots, "file_count", 1)),
    ]


def _alone(read: Callable[[Sample], float | None]) -> Line:
    return Line(name="", colour=INK, read=read)


def _of_workers(slots: range, name: str, divisor: int) -> tuple[Line, ...]:
    def reading(slot: int) -> Callable[[Sample], float | None]:
        def read(sample: Sample) -> float | None:
            usage = sample.workers[slot]
            return None if usage is None else getattr(usage, name) / divisor

        return read

    return tuple(Line(name=f"worker {slot + 1}", colour=COLOURS[slot], read=reading(slot)) for slot in slots)


def _draw_panel(place: Axes, panel: Panel, samples: Sequence[Sample]) -> None:
    times_s = [sample.at_s for sample in samples]
    minutes = [at_s / 60 for at_s in times_s]
    ends: list[float] = []
    labels: list[str] = []
    for line in panel.lines:
        values = [line.read(sample) for sample in samples]
        smooth = running_median(values, max(1, round(len(values) * SMOOTHING)))
        place.plot(minutes, _with_gaps(values), color=line.colour, linewidth=0.8, alpha=0.3)
        place.plot(minutes, _with_gaps(smooth), color=line.colour, linewidth=1.8)
        ends.append(next((value for value in reversed(smooth) if value is not None), 0.0))
        found = trend(times_s, values)
        labels.append("  ".join(filter(None, [line.name, found and _growth(found)])))
    place.set_title(panel.title)
    top = place.dataLim.y1
    # Nothing was done yet in a soak that is very short, or on a very busy machine.
    place.set_ylim(0, top * HEADROOM if math.isfinite(top) and top > 0 else 1)
    place.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    heights = spread(ends, place.get_ylim()[1] * TEXT_HEIGHT)
    for line, label, height in zip(panel.lines, labels, heights, strict=True):
        place.text(1.012, height, label, color=line.colour, va="center", transform=place.get_yaxis_transform())


def _growth(found: Trend) -> str:
    return f"{found.growth:+.1%}".replace("-", "\N{MINUS SIGN}")


def _with_gaps(values: Sequence[float | None]) -> list[float]:
    return [math.nan if value is None else value for value in values]


def _draw_marks(place: Axes, samples: Sequence[Sample], restarts: Sequence[Restart]) -> None:
    """Shade the warm-up, and draw a line where a worker went away, in its colour."""
    end = max((sample.at_s for sample in samples), default=0.0) / 60
    place.set_xlim(0, end)
    place.axvspan(0, FIFTH * end, color=SHADE, zorder=0, linewidth=0)
    for restart in restarts:
        colour = COLOURS[int(restart.worker.rpartition("-")[2]) - 1]
        place.axvline(restart.at_s / 60, color=colour, linewidth=1, linestyle="-" if restart.is_crash else ":")


def _key(restarts: Sequence[Restart]) -> str:
    told = "Shaded: warm-up. Per cent: growth from the fifth of the time after it to the last fifth, medians. "
    told += "Memory: without program files."
    marks = "\nUpright lines in a worker's colour: dotted where it restarted as planned, solid where it was lost."
    return told + (marks if restarts else "")
