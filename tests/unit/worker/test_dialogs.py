"""What questions of a page are answered with."""

from __future__ import annotations

import pytest

from poolwright.portal.tables import Dialogs
from poolwright.worker.dialogs import takes


@pytest.mark.parametrize(
    ("kind", "choice", "is_taken"),
    [
        ("alert", Dialogs.ACCEPT, True),
        ("confirm", Dialogs.ACCEPT, True),
        ("confirm", Dialogs.DISMISS, False),
        ("prompt", Dialogs.ACCEPT, False),
        ("prompt", Dialogs.DISMISS, False),
        ("beforeunload", Dialogs.ACCEPT, True),
        ("beforeunload", Dialogs.DISMISS, True),
    ],
)
def test_questions_are_answered_as_the_pack_says_and_a_page_that_is_left_is_let_go(
    kind: str, choice: Dialogs, *, is_taken: bool
) -> None:
    assert takes(kind, choice) is is_taken
