"""What questions of a page are answered with."""

from __future__ import annotations

import pytest

from poolwright.portal.pack_schema import DialogPolicy
from poolwright.worker.page.popups import is_accepted


@pytest.mark.parametrize(
    ("kind", "choice", "is_taken"),
    [
        ("alert", DialogPolicy.ACCEPT, True),
        ("confirm", DialogPolicy.ACCEPT, True),
        ("confirm", DialogPolicy.DISMISS, False),
        ("prompt", DialogPolicy.ACCEPT, False),
        ("prompt", DialogPolicy.DISMISS, False),
        ("beforeunload", DialogPolicy.ACCEPT, True),
        ("beforeunload", DialogPolicy.DISMISS, True),
    ],
)
def test_questions_are_answered_as_the_pack_says_and_a_page_that_is_left_is_let_go(
    kind: str, choice: DialogPolicy, *, is_taken: bool
) -> None:
    assert is_accepted(kind, choice) is is_taken
