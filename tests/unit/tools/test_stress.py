"""What `make stress` tells of a run."""

from __future__ import annotations

from pathlib import Path

from tools.stress import Run, failures_in

RESULTS = """<testsuites><testsuite name="pytest">
<testcase classname="tests.unit.test_a" name="test_good" time="0.1"/>
<testcase classname="tests.unit.test_a" name="test_bad" time="0.1"><failure message="assert 1 == 2"/></testcase>
<testcase classname="tests.system.test_b" name="test_torn[1]" time="0.1"><error message="no teardown"/></testcase>
<testcase classname="tests.system.test_b" name="test_left_out" time="0.0"><skipped message="no screen"/></testcase>
</testsuite></testsuites>"""


def made_run(*failed: str, exit_code: int = 0) -> Run:
    return Run(
        seed=7, load=4, exit_code=exit_code, duration_s=61.4, log=Path("7.log"), test_count=4, failed=tuple(failed)
    )


def test_failures_and_errors_are_found_by_name(tmp_path: Path) -> None:
    results = tmp_path / "7.xml"
    results.write_text(RESULTS, encoding="utf-8")

    assert failures_in(results) == (4, ("tests.unit.test_a::test_bad", "tests.system.test_b::test_torn[1]"))


def test_a_run_that_left_no_results_has_no_tests(tmp_path: Path) -> None:
    assert failures_in(tmp_path / "7.xml") == (0, ())


def test_a_run_that_ended_before_its_tests_did_is_not_good() -> None:
    assert made_run().is_good
    assert not made_run(exit_code=3).is_good
    assert not made_run("test_bad").is_good


def test_each_failure_is_told_with_its_seed_and_its_log() -> None:
    assert str(made_run()) == "seed 7, load 4: 4 tests passed in 61 s"
    assert str(made_run("test_bad", exit_code=1)).splitlines() == [
        "seed 7, load 4: 4 tests FAILED (exit code 1) in 61 s",
        "    test_bad",
        "        seed 7, log 7.log",
    ]
