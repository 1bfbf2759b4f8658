"""What a soak is told on its command line."""

from __future__ import annotations

import pytest

from bench.soak.plan import Plan, read_plan


def test_a_plan_is_read_from_the_command_line() -> None:
    assert read_plan([]) == Plan()
    assert read_plan(["--minutes", "60", "--workers", "4", "--tabs", "3"]) == Plan(minutes=60, workers=4, tabs=3)


@pytest.mark.parametrize("wrong", [["--workers", "9"], ["--minutes", "0"], ["--interval-s", "-1"]])
def test_a_plan_that_cannot_be_is_refused(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        read_plan(wrong)

    assert refused.value.code == 2
    assert wrong[0].removeprefix("--").replace("-", "_") in capsys.readouterr().err
