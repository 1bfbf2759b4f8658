"""One portal for all tests here that need no portal of their own."""

from tests.support.shared_portal import portal, shared_portal

__all__ = ["portal", "shared_portal"]
