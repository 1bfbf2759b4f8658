"""Which kept cookies a browser is given back."""

from __future__ import annotations

import pytest

from app.worker.cookies import missing_cookies

SESSION = {"name": "s", "domain": "p.test", "path": "/", "value": "1", "expires": -1}


def test_what_the_browser_has_is_not_given_again() -> None:
    assert missing_cookies([SESSION], [{**SESSION, "expires": 5}]) == []


@pytest.mark.parametrize(
    "change", [{"name": "t"}, {"domain": "q.test"}, {"path": "/a"}, {"partitionKey": "https://p.test"}, {"value": "0"}]
)
def test_what_it_lacks_or_has_otherwise_is_given(change: dict[str, str]) -> None:
    assert missing_cookies([SESSION], [{**SESSION, **change}]) == [SESSION]
