"""Run the tests again and again, in random order, while busy processes take the machine's cores: `make stress`.

A test that fails only on a busy machine is a fault, of the program first. Each failure is printed with the seed of its
run and the log that tells of it; the same seed brings the same order back (`make test ARGS="--randomly-seed=N"`).

    python -m tools.stress [--runs 4] [--load 4] [--seed N] [pytest's own arguments]

`--load 0` is a quiet machine. Everything lies in build/stress: a log and a result file for each run.
"""

from __future__ import annotations

import argparse
import multiprocessing
import secrets
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "stress"
#: As many as would keep twice the cores of the machine that checks a submission busy.
DEFAULT_LOAD = 4
SEEDS = 2**31
#: As `make test` runs them.
SIDE_BY_SIDE = ("-n", "4", "--dist", "worksteal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of the tests and what came of it."""

    seed: int
    load: int
    exit_code: int
    duration_s: float
    log: Path
    test_count: int
    failed: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        """Whether every test passed; a run that ended before its tests did is not good."""
        return self.exit_code == 0 and not self.failed

    def __str__(self) -> str:
        """Tell it in one line, and each failure in one more."""
        said = "passed" if self.is_good else f"FAILED (exit code {self.exit_code})"
        head = f"seed {self.seed}, load {self.load}: {self.test_count} tests {said} in {self.duration_s:.0f} s"
        return "\n".join([head, *(f"    {name}\n        seed {self.seed}, log {self.log}" for name in self.failed)])


def spin() -> None:
    """Take one core, if there is one to be had."""
    while True:
        pass


@contextmanager
def busy_processes(count: int) -> Generator[None]:
    """Keep so many processes busy for as long as the block lasts; they end with this program, however it ends."""
    spinning = [multiprocessing.Process(target=spin, daemon=True) for _ in range(count)]
    for process in spinning:
        process.start()
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.join()


def failures_in(results: Path) -> tuple[int, tuple[str, ...]]:
    """How many tests a result file tells of, and which of them failed."""
    if not results.is_file():
        return 0, ()
    cases = list(ET.parse(results).getroot().iter("testcase"))  # noqa: S314 - pytest has just written it
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    return len(cases), tuple(f"{case.get('classname', '')}::{case.get('name', '')}" for case in failed)


def run(seed: int, load: int, arguments: Sequence[str]) -> Run:
    """Run the tests once, in the order of a seed."""
    log, results = FOLDER / f"{seed}.log", FOLDER / f"{seed}.xml"
    command = [sys.executable, "-m", "pytest", *SIDE_BY_SIDE, *arguments, f"--randomly-seed={seed}"]
    begun_s = time.monotonic()
    with busy_processes(load), log.open("wb") as output:
        done = subprocess.run(
            [*command, f"--junitxml={results}"], cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, check=False
        )
    test_count, failed = failures_in(results)
    return Run(
        seed=seed,
        load=load,
        exit_code=done.returncode,
        duration_s=time.monotonic() - begun_s,
        log=log,
        test_count=test_count,
        failed=failed,
    )


def main() -> int:
    """Run the tests as often as was asked; the exit code is 1 when one of the runs was not good."""
    parser = argparse.ArgumentParser(prog="make stress", description="Other arguments go to pytest.")
    parser.add_argument("--runs", type=int, default=4, help="how often (default: 4)")
    parser.add_argument("--load", type=int, default=DEFAULT_LOAD, help="busy processes beside (default: 4)")
    parser.add_argument("--seed", type=int, help="seed of the first run; the others follow it (default: by chance)")
    chosen, arguments = parser.parse_known_args()
    first = secrets.randbelow(SEEDS) if chosen.seed is None else chosen.seed
    FOLDER.mkdir(parents=True, exist_ok=True)
    runs: list[Run] = []
    for number in range(chosen.runs):
        runs.append(run(first + number, chosen.load, arguments))
        print(runs[-1], flush=True)
    return 0 if all(one.is_good for one in runs) else 1


if __name__ == "__main__":
    sys.exit(main())
