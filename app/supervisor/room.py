"""Keeps an eye on the room that is left where files are staged and filed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import anyio.to_thread

from app.bridge.pace import every
from app.supervisor.facts import Fact, RoomScarce

#: Below this no task starts: the journal and the manifest of what is under way still need some.
ROOM_FLOOR_BYTES = 8 * 1024 * 1024
LOOK_INTERVAL_S = 5.0


async def keep_watching_room(place: Path, report: Callable[[Fact], None]) -> None:
    """Tell whenever there is too little room, every few seconds, until cancelled."""
    async for _ in every(LOOK_INTERVAL_S):
        free_bytes = await anyio.to_thread.run_sync(_free_bytes, place)
        if free_bytes < ROOM_FLOOR_BYTES:
            report(RoomScarce(free_bytes=free_bytes))


def _free_bytes(place: Path) -> int:
    """Room on the disk of a folder, which may still be to be made."""
    while not place.exists() and place != place.parent:
        place = place.parent
    return shutil.disk_usage(place).free
