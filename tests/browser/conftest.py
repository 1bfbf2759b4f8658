"""One browser for all tests here that need no profile."""

from tests.support.sessions import _open_scenario, _shared_shell, _shell

__all__ = ["_open_scenario", "_shared_shell", "_shell"]
