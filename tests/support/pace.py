"""How long a property may take: as long as a busy machine needs. Results tell what is wrong, time does not."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

UNHURRIED = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
