"""How soon the first order is done, and how soon the program ends after the last one, against a bare loop.

``python -m bench.first_order [PAIRS] [ORDERS]``: the same light orders of the demo portal, by `poolwright run` with one
worker and one tab, and by ``bench/bare_loop.py``, which opens a clone of the same profile in the same browser and
clicks each link. Both are started as programs of their own, in turn, so that other work on the machine weighs on both
alike. Prints medians and ratios, also of the processor time of both process trees; times belong to one run.
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

import anyio

from bench.stage import open_stage
from bench.timing import Timing, time_program
from poolwright import interpreter

#: At most so many times as long as the bare loop until the first order is done; seconds from the last order to the end.
AIM, END_AIM_S = 1.4, 0.5


async def main(pair_count: int, order_count: int) -> None:
    """Measure and print."""
    ours: list[Timing] = []
    bare: list[Timing] = []
    python = interpreter.python_command()[0]
    async with open_stage(order_count) as stage:
        run = [python, "-m", "poolwright", "run", *stage.numbers, "--workers", "1", "--tabs", "1", "--json", "--out"]
        for pair in range(pair_count + 1):
            job = await stage.write_job(f"bare-{pair}", tab_count=1)
            loop = [sys.executable, "-m", "bench.bare_loop", str(job)]
            bare.append(await time_program(loop, Path.cwd(), stage.plain_environment))
            out = str(stage.folder / f"out-{pair}")
            ours.append(await time_program([*run, out], stage.folder, stage.environment))
    print_result(ours[1:], bare[1:])  # the first pair warms up


def print_result(ours: list[Timing], bare: list[Timing]) -> None:
    """Print the medians of both, and those of the ratios of each pair."""
    for what, unit in (("first_order_s", "s"), ("end_s", "s"), ("total_s", "s"), ("cpu_s", "s")):
        own, other = [getattr(one, what) for one in ours], [getattr(one, what) for one in bare]
        ratios = [mine / theirs for mine, theirs in zip(own, other, strict=True)]
        medians = f"{statistics.median(own):6.2f} {unit}, bare loop {statistics.median(other):6.2f} {unit}"
        spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        print(f"{what.removesuffix('_s'):12} {medians}; ratio {spread}")
    print(f"median of {len(ours)} pairs; aims: first order at most {AIM}, end at most {END_AIM_S:g} s")


if __name__ == "__main__":
    pairs, orders = [*map(int, sys.argv[1:3]), *(7, 2)[len(sys.argv[1:3]) :]]
    anyio.run(main, pairs, orders)
