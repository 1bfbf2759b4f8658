"""One sheet of a workbook of any kind, as whoever chooses among them sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from poolwright.intake.grid import Grid


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One sheet that can be read."""

    title: str
    is_visible: bool
    read: Callable[[], Grid]
