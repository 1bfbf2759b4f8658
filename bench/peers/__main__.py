"""``python -m bench.peers``: Poolwright beside other programs on the same orders, in one run, in turn.

Every program brings the same plain orders of the demo portal with four tabs, from a clone of the same profile. Their
runs alternate round by round, so that other work on the machine weighs on all alike; a program that lost a file is told
and has no figures. Prints tables in Markdown, writes them beside a chart and all runs to the folder, and tells in red
what has become slower by more than 15 % than the ratios that ``--record`` kept.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import anyio
import anyio.to_thread

from bench.peers import result
from bench.peers.chart import draw
from bench.peers.environment import FOLDER, PeerEnvironment, prepare_environment
from bench.peers.result import Comparison
from bench.peers.runner import BASE, RUNNERS, Runner
from bench.stage import Stage, open_stage
from bench.timing import time_program
from poolwright.archive.manifest import MANIFEST_NAME
from poolwright.archive.output_tree import PRIVATE_NAME
from poolwright.demo.faults import FaultScope, Latency
from poolwright.service.batch_run import REPORTS_NAME

#: No run of the comparison takes so long, whatever the latency; a program that hangs is told.
_RUN_LIMIT_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One comparison."""

    orders: int
    rounds: int
    latencies: tuple[int, ...]
    runners: tuple[Runner, ...]
    folder: Path
    is_recorded: bool


def read_plan(arguments: Sequence[str] | None = None) -> Plan:
    """Return the plan of a command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.peers", description="Compare Poolwright with other programs."
    )
    parser.add_argument("--quick", action="store_true", help="few orders, and only what needs no further libraries")
    parser.add_argument("--orders", type=int, help="orders of a run (default: 48, quick: 24)")
    parser.add_argument("--rounds", type=int, help="rounds that count (default: 3, quick: 2)")
    parser.add_argument(
        "--latency", type=int, nargs="+", default=[0, 300], help="of each answer, in ms (default: 0 300)"
    )
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these programs alone, besides the bare loop")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="for the results (default: %(default)s)")
    parser.add_argument("--record", action="store_true", help="keep the ratios for later comparisons")
    given = parser.parse_args(arguments)
    known = {runner.name for runner in RUNNERS}
    if unknown := set(given.only or ()) - known:
        parser.error(f"no such program: {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}")
    wanted = set(given.only or [runner.name for runner in RUNNERS if runner.is_quick or not given.quick]) | {BASE}
    return Plan(
        orders=given.orders or (24 if given.quick else 48),
        rounds=given.rounds or (2 if given.quick else 3),
        latencies=tuple(given.latency),
        runners=tuple(runner for runner in RUNNERS if runner.name in wanted),
        folder=given.folder,
        is_recorded=given.record,
    )


async def compare(plan: Plan, stage: Stage, peers: PeerEnvironment, latency_ms: int) -> Comparison:
    """Run every program in turn, round by round; the first round warms up and does not count."""
    comparison = Comparison(latency_ms=latency_ms)
    await stage.portal.clear_faults()
    if latency_ms:
        await stage.portal.add_fault(Latency(delay_ms=latency_ms), FaultScope.ALL)
    for round_no in range(plan.rounds + 1):
        for runner in plan.runners:
            if not runner.is_there(peers) or runner.name in comparison.failures:
                continue
            print(f"{latency_ms} ms, round {round_no} of {plan.rounds}: {runner.title}", file=sys.stderr)
            await _run_once(runner, stage, peers, comparison, is_counted=round_no > 0)
    return comparison


async def _run_once(
    runner: Runner, stage: Stage, peers: PeerEnvironment, comparison: Comparison, *, is_counted: bool
) -> None:
    name = f"run-{runner.name}"
    start = await runner.start(stage, peers, name)
    problem = f"did not end within {_RUN_LIMIT_S:.0f} s"
    with anyio.move_on_after(_RUN_LIMIT_S):
        try:
            timing = await time_program(start.command, start.folder, start.environment, is_memory_wanted=True)
        except RuntimeError as error:
            problem = str(error).split(" by ", maxsplit=1)[0]
        else:
            problem = lost_files(stage, name, len(timing.done_s))
            if is_counted and not problem:
                comparison.runs.setdefault(runner.name, []).append(timing)
    await anyio.to_thread.run_sync(stage.remove, name)
    if problem:
        comparison.failures[runner.name] = problem
        comparison.runs.pop(runner.name, None)
        print(result.red(f"{runner.title}: {problem}"), file=sys.stderr)


def lost_files(stage: Stage, name: str, done_count: int) -> str:
    """Return what a run has not brought; empty if it has brought everything."""
    folder = stage.files_of(name)
    places = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    aside = {PRIVATE_NAME, REPORTS_NAME}
    count = sum(place.parts[0] not in aside and place.name != MANIFEST_NAME for place in places)
    if done_count < len(stage.numbers):
        return f"brought {done_count} of {len(stage.numbers)} orders"
    return "" if count >= stage.file_count else f"brought {count} of {stage.file_count} files"


def write_results(plan: Plan, comparisons: Sequence[Comparison]) -> None:
    """Write table, chart and all runs, and print the table."""
    plan.folder.mkdir(parents=True, exist_ok=True)
    tables = "\n\n".join("\n".join(result.table(one)) for one in comparisons)
    print(tables)
    (plan.folder / "comparison.md").write_text(tables + "\n", encoding="utf-8")
    runs = {
        str(one.latency_ms): {name: [asdict(timing) for timing in timings] for name, timings in one.runs.items()}
        for one in comparisons
    }
    (plan.folder / "runs.json").write_text(json.dumps(runs, indent=1), encoding="utf-8")
    draw(comparisons, plan.folder / "comparison.png")
    print(f"\nChart and runs: {plan.folder}")


async def main(plan: Plan) -> int:
    """Compare, and return the exit code: 1 if something of Poolwright has become slower, or the bare loop failed."""
    peers = await anyio.to_thread.run_sync(prepare_environment)
    for problem in peers.problems:
        print(result.red(problem), file=sys.stderr)
    async with open_stage(plan.orders) as stage:
        comparisons = [await compare(plan, stage, peers, latency_ms) for latency_ms in plan.latencies]
    if any(BASE not in one.runs for one in comparisons):
        print(result.red("The bare loop failed, so there is nothing to compare with."), file=sys.stderr)
        return 1
    write_results(plan, comparisons)
    now = result.ratios(comparisons)
    slower = list(result.worse_than_recorded(now, result.read_recorded()))
    for sentence in slower:
        print(result.red(sentence))
    if plan.is_recorded:
        result.record(now)
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(anyio.run(main, read_plan()))
