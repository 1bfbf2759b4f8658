"""A further file of a click that the portal refuses may be refused for want of a login, and other failures are not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from poolwright.worker.download.lost_answers import refused_beside
from poolwright.worker.page.page_activity import PageActivity

ADDRESS = "https://portal.example/file/2"


def activity(status: int, kind: str = "document") -> PageActivity:
    """What a click did that also asked for ``ADDRESS`` and was answered with a status."""
    response = SimpleNamespace(url=ADDRESS, status=status, request=SimpleNamespace(resource_type=kind))
    happened = SimpleNamespace(downloads=[], responses=[response], failed_requests=[], unloaded_pages=[])
    return cast("PageActivity", happened)


@pytest.mark.parametrize(
    ("status", "is_in_doubt"), [(401, True), (403, True), (404, False), (410, False), (500, False)]
)
async def test_only_a_refusal_for_want_of_rights_may_be_a_log_out(status: int, *, is_in_doubt: bool) -> None:
    (error,) = await refused_beside(activity(status), lambda _: True)

    assert str(error) == f"the click also asked for /file/2, and the portal answered {status}"
    assert (error.is_session_in_doubt, error.is_retryable) == (is_in_doubt, True)


@pytest.mark.parametrize(
    ("status", "kind", "is_of_portal"), [(399, "document", True), (403, "image", True), (403, "document", False)]
)
async def test_what_is_no_file_of_the_portal_is_none_that_is_missing(
    status: int, kind: str, *, is_of_portal: bool
) -> None:
    assert await refused_beside(activity(status, kind), lambda _: is_of_portal) == []
