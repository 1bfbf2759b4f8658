"""A pool around a processor of a user's own, as authors open one."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from poolwright.sdk import Processor
from poolwright.service.library import PersistentWorkerPool, open_pool
from tests.support import failure_record, own_processors
from tests.support.portal import SHELL

#: A profile of a pool without a portal, as the first of them in this process made it: to make one starts a browser.
_made: list[Path] = []


@asynccontextmanager
async def own_pool(
    root: Path,
    processor: Processor | str = own_processors.title,
    *,
    makes_base: bool = False,
    is_remembered: bool = True,
    **more: object,
) -> AsyncGenerator[PersistentWorkerPool]:
    """Run a pool below a folder; afterwards no clone of it is left.

    Args:
        root: Output, runs and the pool's own profile lie here.
        processor: What is done with each task.
        makes_base: Whether the pool makes its own profile if it has none; else one that is made already is put there.
        is_remembered: Whether its profile is one that later pools may be given.
        more: Settings by name, and perhaps ``watch``.
    """
    private = root / "out" / ".poolwright"
    if not makes_base and _made and not (private / "base").exists():
        shutil.copytree(_made[0], private, dirs_exist_ok=True)
    opening = open_pool(
        processor,
        out=root / "out",
        profiles_dir=root / "profiles",
        runs_dir=root / "runs",
        **{"workers": 1, "browser_path": SHELL, **more},  # pyright: ignore[reportArgumentType] - settings by name, and perhaps watch
    )
    async with opening as pool, failure_record.current().watching("the pool", root):
        yield pool
    assert list((root / "runs").glob("*")) == []
    if is_remembered and not _made:
        _remember(private)


def _remember(private: Path) -> None:
    """Keep the base of a pool and its seal for those that come later."""
    kept = Path(tempfile.mkdtemp(prefix="poolwright-base-"))
    atexit.register(shutil.rmtree, kept, ignore_errors=True)
    shutil.copytree(private / "base", kept / "base")
    shutil.copy2(private / "base.seal.json", kept)
    _made.append(kept)
