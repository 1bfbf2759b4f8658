"""`poolwright status`: the daemon's figures, in a few lines."""

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
    "ended_count": 40,
    "rate_per_min": 1.5,
    "eta_s": None,
    "is_ready": True,
    "reasons": [],
}
LIST = {
    "list_id": "a",
    "source": "march.xlsx",
    "counts": {"QUEUED": 2, "ASSIGNED": 0, "RUNNING": 0, "DONE": 4, "CANCELLED": 1},
    "open_count": 2,
    "ended_count": 5,
    "outcomes": {"COMPLETED": 4, "CANCELLED": 1},
    "checking": None,
    "refresh": None,
}


def test_a_cancelled_order_has_ended(capsys: pytest.CaptureFixture[str]) -> None:
    status._print_status(STATUS, [LIST], has_more=False)
    shown = capsys.readouterr().out

    assert "2 orders open, 40 ended; 1.5/min" in shown
    assert "march.xlsx" in shown
    assert "4 completed, 1 cancelled" in shown


@pytest.mark.parametrize(
    ("open_count", "checking", "is_finished"), [(0, None, True), (1, None, False), (0, {"done": 1}, False)]
)
def test_a_list_is_finished_when_no_order_is_open_and_no_file_is_to_be_checked(
    open_count: int, checking: object, is_finished: bool
) -> None:
    assert _is_finished({**LIST, "open_count": open_count, "checking": checking}) is is_finished
