"""The start of a worker's driver, a Node program: it runs beside the imports of the worker, which take as long.

Loads Playwright alone, so that the driver can start before everything else is loaded.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator

import anyio
from playwright.async_api import Playwright, async_playwright

#: The driver starts in half a second.
DRIVER_START_LIMIT_S = 25.0
#: The driver ends at once when its pipe closes, unless it hangs.
DRIVER_STOP_LIMIT_S = 3.0


class DriverStart:
    """One start of the driver. ``run`` starts it, ``result`` waits for it, ``stop`` ends it."""

    def __init__(self) -> None:
        """Prepare the start."""
        self._is_over = anyio.Event()
        self._playwright: Playwright | None = None
        self._error: Exception | None = None

    async def run(self) -> None:
        """Start the driver; an error is kept for ``result``, because a worker that needs no driver may go on."""
        try:
            with anyio.fail_after(DRIVER_START_LIMIT_S):
                self._playwright = await async_playwright().start()
        except Exception as error:  # noqa: BLE001 - the driver's library raises nothing narrower
            self._error = error
        finally:
            self._is_over.set()

    async def result(self) -> Playwright:
        """Wait for the driver and return it.

        Raises:
            TimeoutError: It did not start in time.
            Exception: It did not start, for another reason.
        """
        await self._is_over.wait()
        if self._playwright is None:
            raise self._error or RuntimeError("the start was cancelled")
        return self._playwright

    async def stop(self) -> None:
        """End the driver, if it was started; a driver that hangs does not delay the end of the worker."""
        if self._playwright is not None:
            with anyio.move_on_after(DRIVER_STOP_LIMIT_S, shield=True):
                await self._playwright.stop()


@contextlib.asynccontextmanager
async def driver_beside() -> AsyncGenerator[DriverStart]:
    """Start the driver beside the block, and end it with the block, whether the block needed it or not."""
    start = DriverStart()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(start.run)
        try:
            yield start
        finally:
            tasks.cancel_scope.cancel()
            await start.stop()  # noqa: ASYNC102 - it shields itself, with a limit
