"""A unit test that starts a process fails, and is told which. This is one, so the guard is shut around it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import anyio
import pytest

NOWHERE = "/no/such/program"
Refused = pytest.fail.Exception


def fork() -> None:
    if os.fork() == 0:
        os._exit(1)


@pytest.mark.parametrize(
    ("start", "told"),
    [
        (lambda: subprocess.run(["true", "two words"], check=False), "true 'two words'"),
        (lambda: subprocess.run("true && true", shell=True, check=False), "true && true"),  # noqa: S602
        (lambda: subprocess.run(NOWHERE, check=False), NOWHERE),
        (lambda: os.posix_spawn(NOWHERE, [NOWHERE, "-x"], {}), f"{NOWHERE} -x"),
        (lambda: os.execv(NOWHERE, [NOWHERE, "-x"]), f"{NOWHERE} -x"),  # noqa: S606
        (lambda: os.system("true -x"), "true -x"),  # noqa: S605 # pyright: ignore[reportDeprecated]
        (fork, "a copy of itself"),
    ],
    ids=["list", "shell", "text", "posix_spawn", "exec", "system", "fork"],
)
def test_a_start_is_refused_with_its_command(start: Callable[[], object], told: str) -> None:
    with pytest.raises(Refused) as refused:
        start()

    assert told in str(refused.value)


async def test_a_start_by_anyio_is_refused() -> None:
    with pytest.raises(Refused, match="-c pass"):
        await anyio.run_process([sys.executable, "-c", "pass"])


def test_code_that_overlooks_errors_does_not_hide_it() -> None:
    with pytest.raises(Refused, match=NOWHERE):
        start_if_possible()


def start_if_possible() -> None:
    try:
        subprocess.run([NOWHERE], check=False)
    except Exception:  # noqa: BLE001 - as careless as code can be
        return


def test_its_folder_gives_a_test_its_mark(request: pytest.FixtureRequest) -> None:
    assert [mark.name for mark in request.node.iter_markers()] == ["unit"]
