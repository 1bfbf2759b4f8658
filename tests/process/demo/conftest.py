"""One portal for all tests of this folder."""

from __future__ import annotations

from tests.support.shared_portal import portal, shared_portal

__all__ = ["portal", "shared_portal"]
