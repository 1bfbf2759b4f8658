"""One browser for all tests here that need no profile."""

from tests.support.sessions import _open_stage, _shared_shell, _shell

__all__ = ["_open_stage", "_shared_shell", "_shell"]
