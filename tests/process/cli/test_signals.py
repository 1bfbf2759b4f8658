"""A whole ``poolwright run`` that is sent signals."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import ExitStack

import pytest

from tests.support.paths import ROOT

#: A whole ``poolwright run`` whose pool only waits for its end.
PROGRAM = """
import sys
from dataclasses import replace
from poolwright.cli import batch_session
from poolwright.archive.output_tree import PRIVATE_NAME
from poolwright.cli.main import main
from poolwright.service.batch import BatchEnding
from poolwright.service.pidfile import find_batch
from poolwright.system import sandbox
from tests.support.commands import ONE_DONE, SANDBOX_ALLOWED
from tests.support.events import started

last = sys.argv.pop()

async def wait(job, *, observe, stop, stop_now):
    observe(started(1, 1))
    beacon = job.out / PRIVATE_NAME
    print("READY", find_batch(beacon).is_draining, file=sys.stderr, flush=True)
    await (stop if last == "first" else stop_now).wait()
    print("DRAINS", find_batch(beacon).is_draining, file=sys.stderr, flush=True)
    return replace(ONE_DONE, ending=BatchEnding.STOPPED, left_count=1)

batch_session.run_batch = wait
sandbox.probe_sandbox = lambda _: SANDBOX_ALLOWED
main()
"""


@pytest.mark.usefixtures("profile")
@pytest.mark.parametrize(
    ("last", "signals"),
    [
        ("first", [signal.SIGTERM]),
        ("second", [signal.SIGTERM, signal.SIGTERM]),
        ("first", [signal.SIGHUP]),
        ("second", [signal.SIGHUP, signal.SIGINT]),
    ],
)
def test_a_stopped_program_says_what_it_does_and_ends_with_code_7(
    last: str, signals: list[signal.Signals], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    command = [sys.executable, "-c", PROGRAM, "run", "PO4500000001", "--sandbox", "on", last]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program,
        ExitStack() as stack,
    ):
        stack.callback(program.kill)  # else a failure here would wait for it for ever
        assert program.stdout is not None
        assert program.stderr is not None
        assert program.stderr.readline() == "READY False\n"
        said: list[str] = []
        for one in signals:
            program.send_signal(one)
            said.append(program.stdout.readline())
        rest = program.stdout.read()
        complaints = program.stderr.read()
        program.wait()

    assert program.returncode == 7
    assert "DRAINS True" in complaints, "those that ask for its health hear that it drains"
    assert "finishing 1 order in progress, at most 60 s; press Ctrl+C again" in said[0]
    assert all("Stopping at once" in line for line in said[1:])
    assert "Stopped: 1 of 2 orders is done. 1 order waits" in rest
