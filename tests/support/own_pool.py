"""A pool around a processor of a user's own, as authors open one."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from app.processor import Processor
from app.service.library import PersistentWorkerPool, open_pool
from tests.support import failure_record, own_processors
from tests.support.portal import CHROMIUM


@asynccontextmanager
async def own_pool(
    root: Path, processor: Processor | str = own_processors.title, **more: object
) -> AsyncGenerator[PersistentWorkerPool]:
    opening = open_pool(
        processor,
        out=root / "out",
        profiles_dir=root / "profiles",
        runs_dir=root / "runs",
        browser_path=CHROMIUM,
        **{"workers": 1, **more},  # pyright: ignore[reportArgumentType] - settings by name, and perhaps watch
    )
    async with opening as pool, failure_record.current().watching("the pool", root):
        yield pool
    assert list((root / "runs").glob("*")) == []
