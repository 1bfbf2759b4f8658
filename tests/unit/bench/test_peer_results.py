"""The comparison with other programs: its figures, what has become slower, and what a run has lost."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from bench.peers import __main__ as peers
from bench.peers import result
from bench.peers.result import FIGURES, Comparison
from bench.peers.runner import BASE, RUNNERS
from bench.stage import Stage
from bench.timing import Timing

OURS = "poolwright-1"


def timing(*done_s: float, total_s: float = 10.0) -> Timing:
    return Timing(done_s=done_s or (2.0, 3.0, 4.0, 6.0), total_s=total_s, cpu_s=8.0, peak_bytes=200_000_000)


def comparison(ours: Timing | None = None) -> Comparison:
    return Comparison(latency_ms=0, runs={OURS: [ours or timing()], BASE: [timing(1.0, 2.0, 3.0, 5.0, total_s=5.0)]})


def test_a_run_has_its_figures() -> None:
    run = timing()

    assert (run.first_order_s, run.end_s, run.whole_per_s, run.cpu_s_per_order) == (2.0, 4.0, 0.4, 2.0)
    assert run.steady_per_s == 3 / 4
    assert timing(1.0, 2.0).steady_per_s == 0.0


def test_the_table_has_medians_and_ratios_and_names_what_failed() -> None:
    compared = replace(comparison(), failures={"selenium": "brought 7 of 8 orders"})

    lines = list(result.table(compared))

    assert lines[0].startswith("| 0 ms latency | orders/s, steady |")
    assert [line.split(" | ")[0] for line in lines[2:]] == [
        "| Poolwright, one worker with four tabs",
        "| bare Playwright loop, clicks",
        "| Selenium, one tab after the other",
    ]
    assert lines[2].split(" | ")[2] == "0.40 (0.50; 0.50 to 0.50)"
    assert lines[3].split(" | ")[2] == "0.80"
    assert "brought 7 of 8 orders" in lines[4]


def test_ratios_are_those_of_one_round() -> None:
    compared = Comparison(
        latency_ms=300,
        runs={
            OURS: [timing(total_s=total_s) for total_s in (10.0, 20.0, 40.0)],
            BASE: [timing(total_s=total_s) for total_s in (10.0, 10.0, 10.0)],
        },
    )
    (whole,) = [figure for figure in FIGURES if figure.name == "whole_per_s"]

    assert (compared.ratio(OURS, whole), compared.spread(OURS, whole)) == (0.5, (0.25, 1.0))
    assert result.ratios([compared])["300"][OURS]["whole_per_s"] == 0.5


@pytest.mark.parametrize(("total_s", "is_told"), [(5.0, False), (11.0, False), (12.5, True)])
def test_what_has_become_slower_by_more_than_a_part_is_told(total_s: float, is_told: bool) -> None:
    recorded = result.ratios([comparison()])

    slower = list(result.worse_than_recorded(result.ratios([comparison(timing(total_s=total_s))]), recorded))

    told = f"{OURS} at 0 ms, orders/s, whole run: ratio to the bare loop 0.50 recorded, 0.40 now"
    assert slower == ([told] if is_told else [])


def test_other_programs_and_unknown_latencies_are_not_told() -> None:
    now = result.ratios([replace(comparison(), latency_ms=50)])
    fast = {"0": {BASE: {"whole_per_s": 9.0}}}

    assert list(result.worse_than_recorded(now, result.ratios([comparison()]))) == []
    assert list(result.worse_than_recorded(result.ratios([comparison()]), fast)) == []


def test_recorded_ratios_of_other_latencies_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result, "RECORDED", tmp_path / "recorded.json")

    result.record({"0": {OURS: {"whole_per_s": 1.0}}})
    result.record({"300": {OURS: {"whole_per_s": 2.0}}})

    assert result.read_recorded() == {"0": {OURS: {"whole_per_s": 1.0}}, "300": {OURS: {"whole_per_s": 2.0}}}
    assert json.loads((tmp_path / "recorded.json").read_text())["0"][OURS] == {"whole_per_s": 1.0}


class FakeStage:
    """Where a run of two orders with three files has left what the test puts there."""

    numbers = ("1", "2")
    file_count = 3

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def files_of(self, name: str) -> Path:
        return self.folder / name


@pytest.mark.parametrize(
    ("files", "done_count", "problem"),
    [
        (("1/a.pdf", "1/b.pdf", "2/c.pdf"), 2, ""),
        (("1/a.pdf", "1/b.pdf", "2/c.pdf"), 1, "brought 1 of 2 orders"),
        (("1/a.pdf", "2/manifest.json", "reports/r.csv", ".poolwright/x"), 2, "brought 1 of 3 files"),
    ],
)
def test_a_program_that_lost_something_is_told(
    tmp_path: Path, files: tuple[str, ...], done_count: int, problem: str
) -> None:
    for file in files:
        path = tmp_path / "run" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    assert peers.lost_files(cast("Stage", FakeStage(tmp_path)), "run", done_count) == problem


def test_the_short_comparison_needs_no_further_libraries() -> None:
    quick, whole, alone = (peers.read_plan(line) for line in (["--quick"], [], ["--only", "selenium", "--orders", "5"]))

    assert {runner.name for runner in quick.runners} == {OURS, "poolwright-http", BASE, "bare-http", "raw-cdp"}
    assert [runner.name for runner in whole.runners] == [runner.name for runner in RUNNERS]
    assert ({runner.name for runner in alone.runners}, alone.orders) == ({BASE, "selenium"}, 5)
    assert (quick.orders, whole.latencies, quick.is_recorded) == (24, (0, 300), False)


def test_a_program_that_is_not_there_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        peers.read_plan(["--only", "wget"])

    assert "no such program: wget; there are bare-click, " in capsys.readouterr().err
