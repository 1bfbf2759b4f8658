"""What a worker with a real browser uses: all that belongs to it, wherever it hides."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest

from poolwright.ipc.messages import LogNotice
from poolwright.ipc.process import spawn
from poolwright.system.memory_usage import MemoryMetric, ProcessTreeMeter
from tests.support.child_processes import marked, order

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a fair share of shared pages"),
    pytest.mark.timeout(60),
]


async def test_every_process_of_a_browser_counts_also_its_crash_handler(home: Path) -> None:
    child = await spawn(order(home, module="tests.browser.system.browsing_child"))
    try:
        assert isinstance(await child.channel.receive(), LogNotice)
        tree = [psutil.Process(child.pid), *psutil.Process(child.pid).children(recursive=True)]
        handlers = {pid for pid in marked(home) if "crashpad" in psutil.Process(pid).name()}

        pids = child.pids()
        usage = ProcessTreeMeter(child.pids).measure()
        full = [psutil.Process(pid).memory_full_info() for pid in pids]

        assert len(tree) > 5
        assert handlers - {process.pid for process in tree}
        assert pids == {process.pid for process in tree} | set(marked(home))
        assert usage.metric is MemoryMetric.PSS
        assert sum(one.uss for one in full) < usage.memory_bytes < sum(one.rss for one in full)
    finally:
        await child.end()
