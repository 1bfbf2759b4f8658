"""A portal that many tests use: what one of them does to it reaches no other."""

from __future__ import annotations

import pytest

from poolwright.demo.faults import FaultScope, Hang
from poolwright.demo.portal_client import PortalClient
from tests.support.portal import user, visitor
from tests.support.shared_portal import lent, shared_portal

__all__ = ["shared_portal"]


async def _fail_with_faults(portal: PortalClient) -> None:
    async with lent(portal), user(portal):
        await portal.require_visit_cookie(is_required=True)
        await portal.expire_sessions(after_pages=1)
        await portal.add_fault(Hang(), FaultScope.ALL)
        raise ZeroDivisionError


async def test_a_portal_is_as_new_as_soon_as_a_test_is_over(shared_portal: PortalClient) -> None:
    """Not only when the next one begins: what that test shares with others may be made before."""
    with pytest.raises(ZeroDivisionError):
        await _fail_with_faults(shared_portal)

    assert await shared_portal.faults() == []
    assert await shared_portal.visitors() == {}
    assert (await shared_portal.stats()).logins == 0
    async with user(shared_portal) as session:
        for _ in range(3):
            answer = await session.get("/order_headers")
            assert answer.status_code == 200, "the end of the login that the first one ordered did not come"
        del session.cookies["demo_visit"]
        assert (await session.get("/order_headers")).status_code == 200
    async with visitor(shared_portal) as stranger:
        assert (await stranger.get("/order_headers")).status_code == 302
    await shared_portal.expire_sessions()
