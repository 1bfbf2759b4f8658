"""One browser for all tests here that need no profile, and one portal for all that change nothing of it for good."""

from tests.support.sessions import _open_scenario, _shared_shell, _shell
from tests.support.shared_portal import portal, shared_portal

__all__ = ["_open_scenario", "_shared_shell", "_shell", "portal", "shared_portal"]
