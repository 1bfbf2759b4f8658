"""Lists that commands print, batches with a process of their own, and the deadline. Programs are real processes."""

from __future__ import annotations

import sys

import anyio
import psutil
import pytest

from poolwright.domain.options import SHUTDOWN_TIMEOUT_MAX_S
from poolwright.service.schedules import runs
from poolwright.service.schedules.runs import SeparateRun
from poolwright.service.schedules.schedule_definition import CommandSource, SeparateBatch, schedules_from_settings
from poolwright.service.schedules.schedule_state import RunStatus
from poolwright.settings import load_settings
from tests.support.schedule_scenario import Scenario, run, until

LIST = "print('PO\\nPO100001\\nPO100002')"


def printing(script: str) -> CommandSource:
    return CommandSource(arguments=(sys.executable, "-c", script))


async def test_what_a_command_prints_is_a_list_and_stays_private(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POOLWRIGHT_PASSWORD", "hunter2")
    script = f"import os; assert 'POOLWRIGHT_PASSWORD' not in os.environ; {LIST}"

    ended = await run(scenario, scenario.schedule(source=printing(script)))

    assert ended.how is RunStatus.DONE, ended
    assert [task.po_number for task in scenario.queue.lists[0].tasks] == ["PO100001", "PO100002"]
    kept = scenario.root / ".poolwright" / "schedules" / "nightly.csv"
    assert kept.stat().st_mode & 0o777 == 0o600


async def test_no_shell_reads_a_command(scenario: Scenario) -> None:
    source = CommandSource(arguments=(sys.executable, "-c", "import sys; sys.exit(sys.argv[1])", "$HOME; ls *"))

    assert "exit code 1: $HOME; ls *" in (await run(scenario, scenario.schedule(source=source))).detail


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((sys.executable, "-c", "import sys; sys.exit('no connection')"), "ended with exit code 1: no connection"),
        ((sys.executable, "-c", "raise SystemExit(3)"), "exit code 3: no error message"),
        (("no-such-program",), "no-such-program cannot be started"),
        ((sys.executable, "-c", ""), "is empty"),
    ],
)
async def test_a_command_that_fails_is_told_with_its_last_words(
    arguments: tuple[str, ...], expected: str, scenario: Scenario
) -> None:
    ended = await run(scenario, scenario.schedule(source=CommandSource(arguments=arguments)))

    assert ended.how is RunStatus.FAILED
    assert expected in ended.detail


async def test_a_command_that_prints_without_end_is_ended(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("poolwright.service.schedules.sources.CONTENT_BYTES_MAX", 1024**2)

    ended = await run(scenario, scenario.schedule(source=printing("while True: print('PO100001' * 1000)")))

    assert "printed more than 1 MB" in ended.detail


async def test_a_command_that_hangs_is_ended_at_the_deadline_with_all_it_started(scenario: Scenario) -> None:
    script = (
        "import subprocess, sys, time; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(99)']);"
        f"open({str(scenario.root / 'pid')!r}, 'w').write(str(child.pid)); time.sleep(99)"
    )

    ended = await run(scenario, scenario.schedule(source=printing(script), deadline_s=2.0))

    assert ended.how is RunStatus.DEADLINE
    assert "no order was submitted" in ended.detail
    pid = int((scenario.root / "pid").read_text())
    await until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


def own_run(scenario: Scenario, part: str, shutdown_timeout_s: float = SHUTDOWN_TIMEOUT_MAX_S) -> SeparateRun:
    source = scenario.root / "nightly.csv"
    source.write_text("PO\nPO100001\n")
    own = SeparateBatch(
        profile="x", out=scenario.root / "own", options=("--profile", "x"), shutdown_timeout_s=shutdown_timeout_s
    )
    stem = scenario.root / ".poolwright" / "schedules" / "nightly"
    return SeparateRun(own, source, stem, program=("-m", "tests.process.service.schedules.scripted_program", part))


async def test_a_run_of_its_own_tells_exit_code_and_report(scenario: Scenario) -> None:
    own = own_run(scenario, "finish")
    await own.run()

    ended = await own.result()

    assert ended.how is RunStatus.DONE
    assert "exit code 0" in ended.detail
    assert "Report: out/reports/nightly-report.xlsx" in ended.detail
    lines = (scenario.root / ".poolwright" / "schedules" / "nightly.jsonl").read_text()
    assert f"run --json --profile x {scenario.root / 'nightly.csv'}" in lines


async def test_a_run_of_its_own_that_fails_is_told_with_its_last_words(scenario: Scenario) -> None:
    own = own_run(scenario, "fail")
    await own.run()

    assert "exit code 5: poolwright: There is no profile 'x'." in (await own.result()).detail


async def test_a_run_of_its_own_that_is_stopped_may_finish_in_order(scenario: Scenario) -> None:
    own = own_run(scenario, "drain")
    async with anyio.create_task_group() as group:
        group.start_soon(own.run)
        await until((scenario.root / "nightly.began").exists)
        group.cancel_scope.cancel()

    assert "exit code 7: Asked to stop. Report: " in (await own.result()).detail


async def test_a_run_of_its_own_that_does_not_end_is_killed(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "SHUTDOWN_MARGIN_S", 0.1)
    own = own_run(scenario, "stay", shutdown_timeout_s=0.1)
    async with anyio.create_task_group() as group:
        group.start_soon(own.run)
        await until((scenario.root / "nightly.began").exists)
        group.cancel_scope.cancel()

    assert "exit code -9" in (await own.result()).detail


async def test_an_entry_with_a_profile_of_its_own_runs_the_program_itself(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real program, as far as a profile that is not there lets it come."""
    monkeypatch.chdir(scenario.root)
    (scenario.root / "nightly.csv").write_text("PO\nPO100001\n")
    table = {"name": "nightly", "cron": "0 6 * * *", "timezone": "UTC", "file": "nightly.csv", "profile": "other"}
    [schedule] = schedules_from_settings(load_settings({"schedules": [table]}))

    ended = await run(scenario, schedule)

    assert ended.how is RunStatus.FAILED
    assert "exit code 5" in ended.detail
    assert "no profile other" in ended.detail
    assert scenario.queue.lists == []
