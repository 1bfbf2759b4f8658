"""What decides about Chromium's own sandbox, and at which step a system refuses it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from poolwright.service.container import Container


class Refused(StrEnum):
    """The step of the sandbox that the system refuses. The values travel from the probe's child."""

    #: To make a user namespace.
    NAMESPACE = "namespace"
    #: The same, since there may be no more of them.
    NAMESPACE_COUNT = "namespace-count"
    #: To change the root within the namespace.
    CHROOT = "chroot"
    #: The child did not say.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxFacts:
    """What was found on this machine."""

    is_linux: bool
    is_root: bool
    #: Nothing where a process may make a user namespace and change its root in there.
    refused: Refused | None
    #: The setuid helper stands beside the browser, and may become root.
    has_helper: bool
    #: Nothing outside of one.
    container: Container | None = None
    #: The capability SYS_CHROOT is within reach; container engines allow the step by it.
    has_chroot: bool = True
    #: The system's setting that forbids namespaces to ordinary users, where one is on; empty otherwise.
    setting: str = ""
