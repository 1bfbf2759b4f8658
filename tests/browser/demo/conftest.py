"""One portal for all tests of this folder."""

from __future__ import annotations

from tests.support.standing_portal import portal, standing_portal

__all__ = ["portal", "standing_portal"]
