"""What ``serve`` refuses before anything is found or started."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn, cast

import anyio
import pytest

from poolwright.cli import serve
from poolwright.cli.process_exit import ExitCode, exit_code_of_ending
from poolwright.cli.signals import StopSignals
from poolwright.domain.events import Event, Level, Notice
from poolwright.service.batch_run import ENDINGS
from poolwright.service.daemon.daemon import Daemon
from poolwright.service.daemon.lifecycle import DaemonServices
from poolwright.supervisor.policy.commands import Stop, StopCause
from tests.support.commands import Command


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::"])  # noqa: S104 - it is refused
def test_nobody_opens_a_daemon_to_the_network_by_accident(command: Command, profile: Path, host: str) -> None:
    ended = command("serve", "--host", host)

    assert ended.exit_code == 2
    assert "--allow-remote" in ended.stderr
    assert not (Path.cwd() / "downloads").exists()


def test_columns_for_groups_and_folders_reach_the_daemon_and_are_told(
    command: Command, profile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services: list[serve._Service] = []

    async def start(service: serve._Service, _private: Path) -> None:
        services.append(service)

    monkeypatch.setattr(serve, "_serve", start)
    options = ("--group-by", "Company Code", "--group-limit", "2", "--folder-template", "{Buyer}/{number}")

    ended = [command("serve", *options), command("serve")]

    assert [each.exit_code for each in ended] == [0, 0], ended[0].stderr
    given, usual = services
    assert (given.daemon.group_by, given.daemon.pool.group_limit) == ("Company Code", 2)
    assert given.daemon.template == "{Buyer}/{number}"
    assert any("{Buyer} of the folder template" in notice.text for notice in given.notices)
    assert (usual.daemon.group_by, usual.daemon.pool.group_limit) == ("", 3)
    assert usual.daemon.pool.restart_window_s == serve.RESTART_WINDOW_S
    assert not any("folder template" in notice.text for notice in usual.notices)


def test_a_template_that_is_no_template_is_refused_at_the_start(command: Command, profile: Path) -> None:
    ended = command("serve", "--folder-template", "{Buyer")

    assert ended.exit_code == 2
    assert "unmatched brace" in ended.stderr


@dataclass
class Ending:
    """A daemon whose pool ends after some looks."""

    looks: int
    cause: StopCause = StopCause.NO_WORKERS

    @property
    def end(self) -> Stop | None:
        self.looks -= 1
        return None if self.looks >= 0 else Stop(cause=self.cause, detail="All workers are gone.")


async def test_a_daemon_in_which_nothing_can_be_done_any_more_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "STATE_CHECK_S", 0.001)
    stop = anyio.Event()

    with anyio.fail_after(10):
        await serve._stop_when_pool_ended(cast("Daemon", Ending(3)), stop)

    assert stop.is_set()


async def test_what_is_in_hand_is_finished_and_the_cause_is_told_before_such_a_daemon_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(serve, "STATE_CHECK_S", 0.001)
    done = list[str]()

    class Closing(Ending):
        async def close(self) -> None:
            done.append("closed")

    notifier = SimpleNamespace(stopping=done.append)
    service, running = SimpleNamespace(given={}), SimpleNamespace(notifier=notifier)
    told = list[Event]()

    with anyio.fail_after(10):
        end = await serve._run_until_stopped(
            cast("serve._Service", service),
            cast("Daemon", Closing(2)),
            cast("DaemonServices", running),
            StopSignals(),
            told.append,
        )

    assert end == Stop(cause=StopCause.NO_WORKERS, detail="All workers are gone.")
    assert done == ["All workers are gone.", "closed"]
    assert [(event.level, event.text) for event in told if isinstance(event, Notice)] == [
        (Level.ERROR, "The daemon is stopping: All workers are gone. Waiting orders stay in the queue.")
    ]


def test_a_daemon_whose_pool_ended_exits_with_the_code_of_its_cause(
    command: Command, profile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def start(*_: object) -> Stop:
        return Stop(cause=StopCause.NO_WORKERS, detail="All workers are gone.")

    monkeypatch.setattr(serve, "_serve", start)

    assert command("serve").exit_code == ExitCode.RESOURCES


@pytest.mark.parametrize(
    ("cause", "code"),
    [
        (StopCause.NO_WORKERS, ExitCode.RESOURCES),
        (StopCause.SETUP_FAILED, ExitCode.RESOURCES),
        (StopCause.MEMORY_SHORT, ExitCode.RESOURCES),
        (StopCause.PROFILE_DAMAGED, ExitCode.PROFILE),
        (StopCause.LOGIN_REQUIRED, ExitCode.LOGIN),
    ],
)
def test_its_exit_code_tells_a_service_manager_whether_a_new_start_may_help(cause: StopCause, code: ExitCode) -> None:
    assert exit_code_of_ending(ENDINGS[cause]) is code


def test_the_token_is_not_told_where_the_systems_journal_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "stream").open("w") as stream:
        place = os.fstat(stream.fileno())
        monkeypatch.setattr(serve, "_STANDARD_OUTPUT", stream.fileno())

        told = serve._address_message("http://127.0.0.1:1", "secret", tmp_path)
        monkeypatch.setenv("JOURNAL_STREAM", f"{place.st_dev}:{place.st_ino}")
        told_in_journal = serve._address_message("http://127.0.0.1:1", "secret", tmp_path)

    assert told == "Poolwright is at http://127.0.0.1:1/#token=secret"
    assert "secret" not in told_in_journal
    assert str(tmp_path / "token") in told_in_journal


async def test_a_daemon_that_does_not_come_up_is_stopped_by_the_first_signal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @asynccontextmanager
    async def opening(*_: object) -> AsyncGenerator[NoReturn]:
        os.kill(os.getpid(), signal.SIGTERM)
        await anyio.sleep_forever()
        yield pytest.fail("it has come up")

    monkeypatch.setattr(serve, "open_daemon", opening)
    settings = SimpleNamespace(shutdown_timeout_s=60.0, host="127.0.0.1", port=0)
    service = SimpleNamespace(settings=settings, daemon=None, notices=(), recorded=())

    with anyio.fail_after(10):
        assert await serve._serve(cast("serve._Service", service), tmp_path) is None
