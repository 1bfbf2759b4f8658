"""How long a property may take: as long as a busy machine needs. What is wrong is told by the result, not by the time."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

UNHURRIED = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
