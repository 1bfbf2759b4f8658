"""A command whose answer nobody could take down did not succeed."""

from __future__ import annotations

import io
import os
import sys
from typing import NoReturn

import pytest

from poolwright.cli import main
from poolwright.cli.process_exit import ExitCode
from poolwright.cli.streams import TolerantStream


class RefusingStream(io.RawIOBase):
    """A place that takes nothing."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    def writable(self) -> bool:
        return True

    def write(self, data: object, /) -> NoReturn:
        raise OSError(self._number, os.strerror(self._number))


@pytest.mark.parametrize(
    ("command", "number", "code", "expected"),
    [
        ("status", 28, 0, ExitCode.RESOURCES),
        ("portal", 5, 0, ExitCode.RESOURCES),
        ("doctor", 28, 1, 1),
        ("portal", 32, 0, ExitCode.DONE),  # a reader that has enough
        ("run", 28, 0, ExitCode.DONE),
        ("submit", 28, 0, ExitCode.DONE),
    ],
)
def test_an_answer_that_could_not_be_written_is_told(
    command: str,
    number: int,
    code: int,
    expected: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def answer(*, prog_name: str) -> NoReturn:
        sys.stdout.write(prog_name)
        raise SystemExit(code)

    monkeypatch.setattr(main, "app", answer)
    monkeypatch.setattr(main, "secure_streams", lambda: None)
    monkeypatch.setattr(sys, "argv", ["poolwright", command])
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BufferedWriter(TolerantStream(RefusingStream(number)))))

    with pytest.raises(SystemExit) as end:
        main.main()

    assert end.value.code == expected
    assert ("could not be written" in capsys.readouterr().err) == (expected == ExitCode.RESOURCES)
