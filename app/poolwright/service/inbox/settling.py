"""Whether a file is written to its end: nobody says so, but one that stays as it is has no writer. Pure."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

#: A copy over a slow line pauses for less than this.
SETTLED_S = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Size, time and inode of a file; any write changes it."""

    size_bytes: int
    mtime_ns: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> Look:
        """Create a snapshot from a stat result."""
        return cls(size_bytes=status.st_size, mtime_ns=status.st_mtime_ns, inode=status.st_ino)


@dataclass(slots=True, kw_only=True)
class Settling:
    """Tracks since when each file is unchanged, by the local monotonic clock."""

    _seen: dict[Path, tuple[Look, float]] = field(default_factory=dict[Path, tuple[Look, float]])

    def settled(self, looks: dict[Path, Look], now_s: float) -> list[Path]:
        """Files that look the same as in an earlier look and have done so long enough; the longest first.

        Args:
            looks: Every file that is there now; others are forgotten.
            now_s: Seconds that only go forward.
        """
        kept = {path: seen for path, seen in self._seen.items() if looks.get(path) == seen[0]}
        ready = [path for path, (_, since_s) in kept.items() if now_s - since_s >= SETTLED_S]
        self._seen = {path: kept.get(path, (look, now_s)) for path, look in looks.items()}
        return sorted(ready, key=lambda path: (kept[path][1], path))
