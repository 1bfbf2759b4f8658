"""A made-up machine, as the gate and the choice of workers see one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from poolwright.system.hardware import Hardware
from poolwright.system.memory_limit import MemoryLimit

GB = 10**9
ROOMY = Hardware(
    memory=MemoryLimit(total_bytes=32 * GB, available_bytes=24 * GB, source="physical memory"),
    memory_threshold=0.75,
    processor_count=16,
    runs_dir=Path("/tmp/pw"),
    room_bytes=80 * GB,
)


def with_memory(total_bytes: int, available_bytes: int | None = None, source: str = "physical memory") -> Hardware:
    """A roomy machine with this much memory, all of it free where nothing else is said."""
    available_bytes = total_bytes if available_bytes is None else available_bytes
    memory = MemoryLimit(total_bytes=total_bytes, available_bytes=available_bytes, source=source)
    return replace(ROOMY, memory=memory)
