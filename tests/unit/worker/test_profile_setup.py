"""What a browser on a base profile tells of itself."""

from __future__ import annotations

from datetime import UTC, datetime

from poolwright.domain.ids import WorkerRef
from poolwright.domain.states import SESSION
from poolwright.worker import profile_setup


def test_a_browser_that_nobody_has_proved_is_at_the_first_state_of_its_machine() -> None:
    view = profile_setup.session_view(WorkerRef(1, 1), datetime(2026, 11, 30, tzinfo=UTC))

    assert view.status == SESSION.start.name
    assert not view.active_tabs
