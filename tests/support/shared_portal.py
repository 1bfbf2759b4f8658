"""One demo portal for many tests, and the same as new for each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from poolwright.demo.portal_client import PortalClient
from tests.support.portal import forget, lasting_portal


@pytest.fixture(scope="session")
def shared_portal() -> Iterator[PortalClient]:
    """One process for all tests of a folder that need no portal of their own."""
    with lasting_portal() as portal:
        yield portal


@pytest.fixture
async def portal(shared_portal: PortalClient) -> PortalClient:
    """The shared portal as it was when it started: nobody logged in, no faults, no counts."""
    await forget(shared_portal)
    return shared_portal
