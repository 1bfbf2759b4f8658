"""A timetable's surroundings."""

from __future__ import annotations

from tests.support.schedule_scenario import scenario

__all__ = ["scenario"]
