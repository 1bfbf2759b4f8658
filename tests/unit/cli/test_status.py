"""`poolwright status`: the daemon's figures, in a few lines, also those of a daemon of an earlier version."""

from __future__ import annotations

from typing import Any

import pytest

from poolwright.cli.remote import status
from poolwright.cli.remote.submit import _is_finished

STATUS: dict[str, Any] = {
    "version": "1.2.3",
    "pool": {"status": "PROCESSING", "open_count": 2, "slow_down": ""},
    "workers": [],
    "groups": [],
    "counts": {"QUEUED": 2, "ASSIGNED": 0, "RUNNING": 0, "DONE": 39, "CANCELLED": 1},
    "rate_per_min": 1.5,
    "eta_s": None,
    "is_ready": True,
    "reasons": [],
}
LIST = {
    "list_id": "a",
    "source": "march.xlsx",
    "counts": {"QUEUED": 2, "ASSIGNED": 0, "RUNNING": 0, "DONE": 4, "CANCELLED": 1},
    "outcomes": {"COMPLETED": 4, "CANCELLED": 1},
    "checking": None,
    "refresh": None,
}


def test_a_cancelled_order_has_ended(capsys: pytest.CaptureFixture[str]) -> None:
    status._print_status(STATUS, [LIST], has_more=False)
    shown = capsys.readouterr().out

    assert "2 orders open, 40 ended; 1.5/min" in shown
    assert ["a", "march.xlsx", "2", "4"] in [line.split()[:4] for line in shown.splitlines()]
    assert "4 completed, 1 cancelled" in shown


@pytest.mark.parametrize(
    ("open_count", "checking", "is_finished"), [(0, None, True), (1, None, False), (0, {"done": 1}, False)]
)
def test_a_list_is_finished_when_no_order_is_open_and_no_file_is_to_be_checked(
    open_count: int, checking: object, is_finished: bool
) -> None:
    view = {**LIST, "counts": {"RUNNING": open_count, "DONE": 4}, "checking": checking}

    assert _is_finished(view) is is_finished
