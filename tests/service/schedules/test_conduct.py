"""Where lists come from, the two ways to run them, and the deadline. Programs are real processes."""

from __future__ import annotations

import sys
from pathlib import Path

import anyio
import psutil
import pytest

from app.domain.ids import BatchId
from app.domain.options import SHUTDOWN_TIMEOUT_MAX_S
from app.service.schedules import own_batch
from app.service.schedules.conduct import conduct
from app.service.schedules.entry import CommandSource, GlobSource, OwnBatch, Schedule, schedules_of
from app.service.schedules.own_batch import OwnRun
from app.service.schedules.records import Ended, How
from app.settings import load_settings
from tests.support.schedule_scenario import MONDAY, Scenario, names, until

LIST = "print('PO\\nPO100001\\nPO100002')"


@pytest.fixture
def scenario(tmp_path: Path) -> Scenario:
    return Scenario(root=tmp_path)


async def run(scenario: Scenario, schedule: Schedule) -> Ended:
    noted: list[tuple[BatchId, ...]] = []

    async def note(batch_ids: tuple[BatchId, ...]) -> None:
        noted.append(batch_ids)

    ended = await conduct(schedule, MONDAY, scenario.means(), note)
    assert len(noted) == len(scenario.queue.lists), "each list is noted as soon as the journal has it"
    return ended


def printing(script: str) -> CommandSource:
    return CommandSource(arguments=(sys.executable, "-c", script))


async def test_a_file_is_submitted_with_the_column_of_its_entry(scenario: Scenario) -> None:
    schedule = scenario.schedule(column="Wanted")
    (scenario.root / "nightly.csv").write_text("PO,Wanted\nPO100001,PO100009\n")

    assert (await run(scenario, schedule)).how is How.DONE
    assert [task.portal_number for task in scenario.queue.lists[0].tasks] == ["100009"]


async def test_every_file_that_a_pattern_fits_is_a_list_of_its_own(scenario: Scenario) -> None:
    for name in ("b.csv", "a.csv"):
        (scenario.root / name).write_text(f"PO\nPO10000{ord(name[0]) % 10}\n")
    (scenario.root / "c.csv").write_text("PO\nnothing\n")
    (scenario.root / "d.csv").mkdir()

    ended = await run(scenario, scenario.schedule("x", source=GlobSource(pattern=str(scenario.root / "[a-d].csv"))))

    assert names(scenario.queue.lists) == ["a.csv", "b.csv"]
    assert ended.how is How.FAILED, "one of them was refused"
    assert "c.csv has no valid order number" in ended.detail


async def test_a_pattern_that_fits_nothing_is_told(scenario: Scenario) -> None:
    ended = await run(scenario, scenario.schedule(source=GlobSource(pattern=str(scenario.root / "*.xlsx"))))

    assert ended.how is How.FAILED
    assert "No file fits the pattern" in ended.detail


async def test_what_a_command_prints_is_a_list_and_stays_private(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POOLWRIGHT_PASSWORD", "hunter2")
    script = f"import os; assert 'POOLWRIGHT_PASSWORD' not in os.environ; {LIST}"

    ended = await run(scenario, scenario.schedule(source=printing(script)))

    assert ended.how is How.DONE, ended
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
        ((sys.executable, "-c", "raise SystemExit(3)"), "exit code 3: it did not say why"),
        (("no-such-program",), "no-such-program cannot be started"),
        ((sys.executable, "-c", ""), "is empty"),
    ],
)
async def test_a_command_that_fails_is_told_with_its_last_words(
    arguments: tuple[str, ...], expected: str, scenario: Scenario
) -> None:
    ended = await run(scenario, scenario.schedule(source=CommandSource(arguments=arguments)))

    assert ended.how is How.FAILED
    assert expected in ended.detail


async def test_a_command_that_prints_without_end_is_ended(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.service.schedules.source.CONTENT_BYTES_MAX", 1024**2)

    ended = await run(scenario, scenario.schedule(source=printing("while True: print('PO100001' * 1000)")))

    assert "printed more than 1 MB" in ended.detail


async def test_a_command_that_hangs_is_ended_at_the_deadline_with_all_it_started(scenario: Scenario) -> None:
    script = (
        "import subprocess, sys, time; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(99)']);"
        f"open({str(scenario.root / 'pid')!r}, 'w').write(str(child.pid)); time.sleep(99)"
    )

    ended = await run(scenario, scenario.schedule(source=printing(script), deadline_s=2.0))

    assert ended.how is How.DEADLINE
    assert "nothing was submitted" in ended.detail
    pid = int((scenario.root / "pid").read_text())
    await until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


async def test_at_the_deadline_what_no_worker_has_begun_is_cancelled(scenario: Scenario) -> None:
    scenario.queue.is_quick = False

    ended = await run(scenario, scenario.schedule(deadline_s=0.3))

    assert ended.how is How.DEADLINE
    assert "2 orders that no worker had begun were cancelled" in ended.detail
    assert scenario.queue.cancelled == [scenario.queue.lists[0].batch_id]


def own_run(scenario: Scenario, part: str, shutdown_timeout_s: float = SHUTDOWN_TIMEOUT_MAX_S) -> OwnRun:
    source = scenario.root / "nightly.csv"
    source.write_text("PO\nPO100001\n")
    own = OwnBatch(
        profile="x", out=scenario.root / "own", options=("--profile", "x"), shutdown_timeout_s=shutdown_timeout_s
    )
    stem = scenario.root / ".poolwright" / "schedules" / "nightly"
    return OwnRun(own, source, stem, program=("-m", "tests.service.schedules.scripted", part))


async def test_a_run_of_its_own_tells_exit_code_and_report(scenario: Scenario) -> None:
    own = own_run(scenario, "finish")
    await own.finish()

    ended = await own.ended()

    assert ended.how is How.DONE
    assert "exit code 0" in ended.detail
    assert "Report: out/reports/nightly-report.xlsx" in ended.detail
    lines = (scenario.root / ".poolwright" / "schedules" / "nightly.jsonl").read_text()
    assert f"run --json --profile x {scenario.root / 'nightly.csv'}" in lines


async def test_a_run_of_its_own_that_fails_is_told_with_its_last_words(scenario: Scenario) -> None:
    own = own_run(scenario, "fail")
    await own.finish()

    assert "exit code 5: poolwright: There is no profile 'x'." in (await own.ended()).detail


async def test_a_run_of_its_own_that_is_stopped_may_finish_in_order(scenario: Scenario) -> None:
    own = own_run(scenario, "drain")
    async with anyio.create_task_group() as group:
        group.start_soon(own.finish)
        await until((scenario.root / "nightly.began").exists)
        group.cancel_scope.cancel()

    assert "exit code 7: Asked to stop. Report: " in (await own.ended()).detail


async def test_a_run_of_its_own_that_does_not_end_is_killed(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_batch, "END_MARGIN_S", 0.1)
    own = own_run(scenario, "stay", shutdown_timeout_s=0.1)
    async with anyio.create_task_group() as group:
        group.start_soon(own.finish)
        await until((scenario.root / "nightly.began").exists)
        group.cancel_scope.cancel()

    assert "exit code -9" in (await own.ended()).detail


async def test_an_entry_with_a_profile_of_its_own_runs_the_program_itself(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real program, as far as a profile that is not there lets it come."""
    monkeypatch.chdir(scenario.root)
    (scenario.root / "nightly.csv").write_text("PO\nPO100001\n")
    table = {"name": "nightly", "cron": "0 6 * * *", "timezone": "UTC", "file": "nightly.csv", "profile": "other"}
    [schedule] = schedules_of(load_settings({"schedules": [table]}))

    ended = await run(scenario, schedule)

    assert ended.how is How.FAILED
    assert "exit code 5" in ended.detail
    assert "no profile other" in ended.detail
    assert scenario.queue.lists == []
