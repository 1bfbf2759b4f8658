"""The program as a user runs it: real processes, a real portal, real browsers."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from subprocess import CompletedProcess

import anyio
import pytest

from poolwright.cli.process_exit import ExitCode
from poolwright.demo.portal_client import running_portal
from tests.support.portal import SHELL

pytestmark = [pytest.mark.timeout(240), pytest.mark.usefixtures("program")]


async def poolwright(*arguments: str) -> tuple[CompletedProcess[bytes], str]:
    """Type a command; gives what came of it, and all that it said."""
    done = await anyio.run_process([sys.executable, "-m", "poolwright", *arguments], check=False)
    return done, done.stdout.decode() + done.stderr.decode()


def left_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()] if folder.exists() else []


async def test_the_demo_is_as_expected_twice(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOLWRIGHT_BROWSER_PATH", SHELL or "")
    for count in (4, 1):
        done, said = await poolwright("demo", "--orders", str(count), "--workers", "1")

        assert done.returncode == ExitCode.DONE, said
        assert f"{count} of {count} orders as expected" in said
        assert "poolwright run orders.xlsx --profile mine" in said
    assert (program / "demo-output/orders.xlsx").is_file()
    assert (program / "demo-output/reports/orders-report.xlsx").is_file()


async def test_a_profile_is_made_checked_and_run_with(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POOLWRIGHT_RUNS_DIR", str(program / "r"))
    async with running_portal(order_count=4) as portal:
        monkeypatch.setenv("POOLWRIGHT_USER", portal.user)
        monkeypatch.setenv("POOLWRIGHT_PASSWORD", "wrong")
        await portal.require_visit_cookie(is_required=True)
        create = ("profile", "create", "mine", "--portal", "demo", "--base-url", portal.url)

        done, said = await poolwright(*create, "--browser", SHELL or "")
        assert done.returncode == ExitCode.LOGIN, said
        assert not (program / "profiles/mine").exists()

        monkeypatch.setenv("POOLWRIGHT_PASSWORD", portal.password)
        done, said = await poolwright(*create)
        assert done.returncode == ExitCode.DONE, said
        assert portal.password not in said

        done, said = await poolwright("profile", "clone-check", "mine")
        assert done.returncode == ExitCode.DONE, said
        assert "intact, and removed again" in said
        assert "excluded: " in said

        done, said = await poolwright("doctor", "--profile", "mine", "--no-start")
        assert done.returncode == ExitCode.DONE, said
        assert "ok   profile      mine for Demo portal" in said

        monkeypatch.delenv("POOLWRIGHT_PASSWORD")
        numbers = [order.number for order in await portal.orders(2)]
        done, said = await poolwright("run", *numbers, "--profile", "mine", "--json", "--workers", "1")
        last = json.loads(done.stdout.splitlines()[-1])
        assert last["exit_code"] == done.returncode in {ExitCode.DONE, ExitCode.NOT_ALL_DONE}, said
        assert sum(last["outcomes"].values()) == 2
    assert left_in(program / "r") == []


async def test_a_profile_that_nobody_logged_in_to_ends_with_the_login_code(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POOLWRIGHT_RUNS_DIR", str(program / "r"))
    monkeypatch.setenv("POOLWRIGHT_BROWSER_PATH", SHELL or "")
    async with running_portal(order_count=4) as portal:
        done, said = await poolwright("profile", "create", "none", "--portal", "demo", "--base-url", portal.url)
        assert done.returncode == ExitCode.DONE, said
        assert "it is not logged in yet" in said

        done, said = await poolwright("run", "4500000001", "--profile", "none", "--workers", "1")
        assert done.returncode == ExitCode.LOGIN, said
        assert "POOLWRIGHT_USER" in said
    assert left_in(program / "r") == []
