"""Made-up machines: the files of ``/proc`` and ``/sys`` that tell of memory, in a folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

MB = 10**6
GB = 10**9
#: What version 1 says where there is no limit.
UNLIMITED_V1 = 9223372036854771712

MEMORY_V1 = "sys/fs/cgroup/memory"
MEMORY_V2 = "sys/fs/cgroup"


@dataclass(kw_only=True)
class Machine:
    """A folder that stands for ``/``."""

    root: Path
    total_bytes: int = 16 * GB
    available_bytes: int = 12 * GB
    mounts: list[str] = field(default_factory=list[str])
    own: list[str] = field(default_factory=list[str])

    def boot(self) -> Path:
        """Write down what was put together; returns the root."""
        meminfo = {"MemTotal": self.total_bytes, "MemFree": 1 * GB, "MemAvailable": self.available_bytes}
        self.write("proc/meminfo", "".join(f"{name}:  {size // 1024} kB\n" for name, size in meminfo.items()))
        self.write("proc/vmstat", "pgfault 7\noom_kill 5\n")
        self.write("proc/self/mountinfo", "".join(f"{line}\n" for line in self.mounts))
        self.write("proc/self/cgroup", "".join(f"{line}\n" for line in self.own))
        return self.root

    def mount(self, kind: str, point: str, *, top: str = "/", options: str = "rw") -> None:
        """Add a mount; ``top`` is the folder of the file system that shows there."""
        escaped = point.replace(" ", r"\040")
        self.mounts.append(f"36 25 0:30 {top} /{escaped} rw,relatime shared:9 - {kind} {kind} {options}")
        (self.root / point).mkdir(parents=True, exist_ok=True)

    def v1(self, path: str, *, top: str = "/", point: str = MEMORY_V1) -> None:
        """Put us into a group of version 1."""
        self.mount("cgroup", point, top=top, options="rw,memory")
        self.own.append(f"4:memory:{path}")

    def v2(self, path: str, *, top: str = "/", point: str = MEMORY_V2) -> None:
        """Put us into a group of version 2."""
        self.mount("cgroup2", point, top=top)
        self.own.append(f"0::{path}")

    def group_v1(self, folder: str, limit: object, usage: int = 0, idle: int = 0, **files: object) -> None:
        """A group of version 1, by its folder below the mount."""
        stat = f"cache 1\ninactive_file 1\nhierarchical_memory_limit {UNLIMITED_V1}\ntotal_inactive_file {idle}\n"
        own = {"limit_in_bytes": limit, "usage_in_bytes": usage, "stat": stat, "use_hierarchy": 1}
        self._group(f"{MEMORY_V1}/{folder}", {**own, **files})

    def group_v2(self, folder: str, limit: object, usage: int = 0, idle: int = 0, **files: object) -> None:
        """A group of version 2, by its folder below the mount."""
        own = {"max": limit, "high": "max", "current": usage, "stat": f"anon 1\ninactive_file {idle}\n"}
        self._group(f"{MEMORY_V2}/{folder}", {**own, **files})

    def write(self, path: str, text: str) -> None:
        """Write one file, below the root."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")

    def _group(self, folder: str, files: dict[str, object]) -> None:
        for name, content in files.items():
            self.write(f"{folder}/memory.{name}", f"{content}\n")
