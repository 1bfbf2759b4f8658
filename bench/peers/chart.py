"""Draws a comparison as bars: the ratios of every program to the bare loop."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Picture
from matplotlib.typing import RcKeyType

from bench.peers.result import FIGURES, Comparison, Figure
from bench.peers.runner import BASE, RUNNERS

_INK, _OURS, _OTHERS, _LINE = "#1f2933", "#1b6ca8", "#a9b4bf", "#c7362f"
_WIDTH_IN, _HEIGHT_IN, _DPI = 12.0, 3.6, 110
_STYLE: dict[RcKeyType, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
#: The figures that are drawn, from left to right.
_DRAWN = tuple(figure for figure in FIGURES if figure.name in {"steady_per_s", "whole_per_s", "cpu_s_per_order"})
_SAYS = {True: "more is better", False: "less is better"}


def draw(comparisons: Sequence[Comparison], path: Path) -> None:
    """Draw all latencies, one row each, and write the picture as PNG."""
    with mpl.rc_context(_STYLE):
        picture = Picture(figsize=(_WIDTH_IN, _HEIGHT_IN * len(comparisons)), dpi=_DPI, layout="constrained")
        picture.suptitle("Ratio to a bare Playwright loop that clicks", x=0.01, ha="left", fontweight="bold")
        places = picture.subplots(len(comparisons), len(_DRAWN), squeeze=False, sharey="row")
        for row, comparison in zip(places, comparisons, strict=True):
            for place, figure in zip(row, _DRAWN, strict=True):
                _draw_bars(place, comparison, figure)
        picture.savefig(path)


def _draw_bars(place: Axes, comparison: Comparison, figure: Figure) -> None:
    runners = [runner for runner in reversed(RUNNERS) if runner.name in comparison.runs]
    values = [comparison.ratio(runner.name, figure) for runner in runners]
    colours = [_OURS if runner.name.startswith("poolwright") else _OTHERS for runner in runners]
    place.barh([runner.name for runner in runners], values, color=colours)
    place.axvline(1.0, color=_LINE, linewidth=1)
    for height, value in enumerate(values):
        label = place.text(value, height, f" {value:.2f}", va="center", color=_INK, fontsize=8)
        label.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.8})  # the line of the loop may be there
    place.set_xlim(0, max(values) * 1.18)
    place.set_title(
        f"{figure.heading} at {comparison.latency_ms} ms ({_SAYS[figure.is_more_better]})", loc="left", fontsize=9
    )
    for label in place.get_yticklabels():
        label.set_fontweight("bold" if label.get_text() == BASE else "normal")
