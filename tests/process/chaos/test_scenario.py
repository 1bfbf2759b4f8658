"""A process that outlives its program is seen."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager

from tests.support.program import DESK_MARK, ProgramFolder
from tests.support.storm.finished_run import broken_properties


def test_a_process_that_lives_on_is_seen(program: ProgramFolder) -> None:
    with _idle_process({**os.environ, DESK_MARK: str(program.folder)}):  # noqa: TID251 - as a child inherits it
        assert broken_properties(program) == {"nothing is left"}


@contextmanager
def _idle_process(environment: dict[str, str]) -> Generator[None]:
    command = [sys.executable, "-c", "print('up', flush=True); input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline()
            yield
        finally:
            process.kill()
