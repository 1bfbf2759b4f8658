"""What a clone costs when its base drags a gigabyte of caches along, against the same base without them.

``python -m bench.clones [CACHE_MB] [ROUNDS]``: a real browser makes a base and stores about 5 MB of state in it; a
second base has that state and caches as browsers lay them out. Both are cloned in turn, a few times each, as a worker's
start does it, checks and all. Prints the ratio of the medians; times belong to one run on one machine.
"""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import anyio

from poolwright.concurrency import SystemClock
from poolwright.domain.ids import ProfileId
from poolwright.domain.options import BrowserOptions, Sandbox, WorkerOptions
from poolwright.profile.clone import clone_profile, scan_user_data
from poolwright.profile.profile import Profile
from poolwright.supervisor.processes.one_shot import make_base
from poolwright.system.browser_choice import BrowserWish, find_browser
from poolwright.system.sandbox import resolve_sandbox

AIM = 2.0
STATE_MB = 5
#: Sizes of what a disk cache holds: most of it small, most of its bytes in large files.
CACHE_FILE_KB = (4, 12, 30, 90, 400, 2000)
#: Where a browser puts caches.
CACHE_FOLDERS = ("Default/Cache/Cache_Data", "Default/Code Cache/js", "Default/GPUCache", "ShaderCache")
MB, KB = 1024 * 1024, 1024


async def make_lean(base: Path) -> None:
    """A base as a browser writes it, filled up to the state that a much used one has."""
    browser = find_browser(BrowserWish()).browser
    options = WorkerOptions(
        browser=BrowserOptions(
            executable_path=str(browser.path), sandbox=resolve_sandbox(Sandbox.AUTO, browser.path).mode
        )
    )
    draft = base.with_name("draft")
    await make_base(draft, options, base.with_name("runs"), lambda _: None)
    clone_profile(draft, base)  # without what no clone takes
    stored = base / "Default/Service Worker/CacheStorage/site"
    stored.mkdir(parents=True)
    missing_bytes = STATE_MB * MB - scan_user_data(base).size_bytes
    for number in range(max(0, missing_bytes) // (100 * KB)):
        (stored / f"entry-{number:03}").write_bytes(number.to_bytes(4, "big") * (25 * KB))


def add_caches(base: Path, cache_mb: int) -> int:
    """Lay caches of that size beside the state; returns how many files."""
    left_bytes = cache_mb * MB
    for count, (folder, size_kb) in enumerate(_cache_files()):
        if left_bytes <= 0:
            return count
        path = base / folder / f"f_{count:06x}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(size_kb * KB))
        left_bytes -= size_kb * KB
    return 0


def _cache_files() -> Iterator[tuple[str, int]]:
    while True:
        for size_kb in CACHE_FILE_KB:
            for folder in CACHE_FOLDERS:
                yield folder, size_kb


def clone_once(base: Path, target: Path) -> float:
    """Seconds of one clone as a worker gets it."""
    profile = Profile(
        profile_id=ProfileId("bench"),
        base_profile_path=base,
        worker_profile_path=target,
        clock=SystemClock().now,
        observe=lambda _: None,
    )
    begun_s = time.perf_counter()
    profile.clone()
    duration_s = time.perf_counter() - begun_s
    profile.remove()
    return duration_s


async def main(cache_mb: int, round_count: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="pw") as name:
        lean, full = Path(name, "lean"), Path(name, "full")
        await make_lean(lean)
        shutil.copytree(lean, full)
        file_count = add_caches(full, cache_mb)
        seconds: dict[Path, list[float]] = {lean: [], full: []}
        for base in (lean, full) * (round_count + 1):
            seconds[base].append(clone_once(base, Path(name, "clone")))
        state = scan_user_data(lean)
    medians = {base: statistics.median(times[1:]) for base, times in seconds.items()}  # the first one warms up
    for base, what in ((lean, "no caches"), (full, f"{cache_mb} MB of caches in {file_count} files")):
        print(f"{medians[base] * 1000:6.1f} ms  {what} (median of {round_count})")
    print(f"state               {state.size_bytes / MB:.1f} MB in {len(state.files)} files, in both")
    print(f"ratio               {medians[full] / medians[lean]:.2f} (aim: at most {AIM:g})")


if __name__ == "__main__":
    cache_mb, round_count = [*map(int, sys.argv[1:3]), *(1024, 9)[len(sys.argv[1:3]) :]]
    anyio.run(main, cache_mb, round_count)
