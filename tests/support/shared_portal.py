"""One demo portal for many tests, and the same as new for each."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager

import pytest
from anyio.from_thread import start_blocking_portal

from poolwright.demo.portal_client import PortalClient, running_portal
from tests.support.portal import forget


@pytest.fixture(scope="session")
def shared_portal() -> Generator[PortalClient]:
    """One process for all tests that need no portal of their own, as it was when it started."""
    with start_blocking_portal() as thread, thread.wrap_async_context_manager(running_portal()) as portal:
        yield portal


@pytest.fixture
async def portal(shared_portal: PortalClient) -> AsyncGenerator[PortalClient]:
    """The shared portal as it was when it started: nobody logged in, no faults, no counts."""
    async with lent(shared_portal):
        yield shared_portal


@asynccontextmanager
async def lent(portal: PortalClient) -> AsyncGenerator[None]:
    """Lend a portal to one test, as it was when it started.

    It is brought back to that as soon as the test is over: a fixture of a wider scope, which the next test may need, is
    made before any other fixture of that test, and would meet the faults that were left.
    """
    await forget(portal)
    try:
        yield
    finally:
        await forget(portal)
