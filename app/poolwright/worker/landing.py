"""A file that the browser brings, while it comes: it is waited for as long as it grows."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from pathlib import Path
from typing import Any

import anyio
from playwright.async_api import Download

from poolwright.concurrency import ActiveTimeLimit
from poolwright.domain.errors import unwrap_group

#: What the browser adds to a name until all is there.
_UNDER_WAY = ".crdownload"
#: Where the driver's library keeps to itself what the driver told of a download: a test notices when it moves.
_TOLD: Callable[[Download], dict[str, Any]] = attrgetter("_impl_obj._artifact._initializer")
_PLACE = "absolutePath"


class Landing:
    """The place on the disk where one download lands."""

    def __init__(self, download: Download) -> None:
        """Find it out; where the library does not tell, nothing is ever seen to come."""
        try:
            self.path: Path | None = Path(_TOLD(download)[_PLACE])
        except (AttributeError, KeyError):
            self.path = None

    def size_bytes(self) -> int:
        """How much of it is there by now. Blocking, but of a local disk's memory."""
        if self.path is None:
            return 0
        for place in (self.path.with_name(self.path.name + _UNDER_WAY), self.path):
            try:
                return place.stat().st_size
            except FileNotFoundError:
                continue
        return 0


async def landed(download: Download, stall_s: float, check: Callable[[int], None]) -> Path:
    """Wait for a download, however long it takes, as long as bytes come.

    Args:
        download: It, under way or over.
        stall_s: How long no byte may come.
        check: Told how much there is, again and again; what it raises ends the wait.

    Raises:
        TimeoutError: No byte came for so long.
        playwright.async_api.Error: The browser could not bring it.
    """
    landing, came, paths = Landing(download), anyio.Event(), list[Path]()

    async def fetch() -> None:
        paths.append(await download.path())
        came.set()

    try:
        async with anyio.create_task_group() as coming:
            coming.start_soon(fetch)
            await _grow(landing, came, stall_s, check)
    except ExceptionGroup as group:
        raise unwrap_group(group) from group
    return paths[0]


async def _grow(landing: Landing, came: anyio.Event, stall_s: float, check: Callable[[int], None]) -> None:
    """Come back when all is there; time in which this machine slept is no silence of the portal's."""
    limit, size_bytes = ActiveTimeLimit(stall_s), 0
    while not came.is_set():
        if limit.is_over:
            msg = f"no data was received for {stall_s:g} s, after {size_bytes:,} bytes"
            raise TimeoutError(msg)
        with limit.slice():
            await came.wait()
        now_bytes = landing.size_bytes()
        check(now_bytes)
        if now_bytes != size_bytes:
            limit, size_bytes = ActiveTimeLimit(stall_s), now_bytes
