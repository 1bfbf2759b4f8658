"""What people read when no order starts."""

from __future__ import annotations

from app.supervisor.commands import Hold
from app.supervisor.holding import told
from app.supervisor.holds import HoldCause


def test_the_command_to_log_in_names_the_profile() -> None:
    sentence = told(Hold(cause=HoldCause.LOGIN_REQUIRED, detail="nobody can", delay_s=None), "acme")

    assert "(poolwright profile login acme)" in sentence
