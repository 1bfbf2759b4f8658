"""Hundreds of orders come home through a storm that a seed makes up: nothing is lost, and nothing is left."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from tests.chaos.fault_schedule import run_storm
from tests.support.portal import needs_chromium
from tests.support.storm.accidents import Storm

pytestmark = [needs_chromium, pytest.mark.timeout(5400)]


async def test_a_storm_costs_no_order(storm: Storm, capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path(tempfile.mkdtemp(prefix=f"chaos-{storm.seed}-"))

    def tell(text: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"seed {storm.seed}: {text}\n")
            sys.stdout.flush()

    tell(f"{storm.order_count} orders, {storm.kill_count} kills, in {folder}")
    (folder / "storm.json").write_text(storm.to_json())
    course = await run_storm(storm, folder, tell)
    tell(str(course))

    if course.breaches:
        again = f'make chaos ARGS="--seed {storm.seed} --orders {storm.order_count} --kills {storm.kill_count}"'
        told = [f"{len(course.breaches)} times against the properties:", *course.breaches]
        pytest.fail("\n".join([*told, f"Kept with every log: {folder}", f"The same storm: {again}"]), pytrace=False)
    assert sum(hit.accident.is_kill for hit in course.hits) == storm.kill_count
    shutil.rmtree(folder)
