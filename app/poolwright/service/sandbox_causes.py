"""Why there is no sandbox for Chromium here, and the very setting that would allow it. Pure.

Outside of a container settings of the system are named, inside flags of the engine. That container engines allow
``chroot`` by the capability SYS_CHROOT alone was measured, with Docker's, Podman's and Playwright's profiles.
"""

from __future__ import annotations

from poolwright.service.container import Container
from poolwright.service.sandbox_facts import Refused, SandboxFacts

#: The numeric user of the project's own image; any ordinary one will do.
_USER = "10001:10001"


def obstacle(facts: SandboxFacts) -> str:
    """The cause and what to change, without a full stop; empty if the sandbox is possible."""
    if not facts.is_linux:
        return ""
    if facts.is_root:
        return f"Chromium refuses its sandbox to root; {_as_ordinary_user(facts.container)}"
    return "" if facts.refused is None or facts.has_helper else _of_step(facts.refused, facts)


def _of_step(refused: Refused, facts: SandboxFacts) -> str:
    match refused:
        case Refused.NAMESPACE:
            return _of_namespaces(facts)
        case Refused.NAMESPACE_COUNT:
            where = "on the host " if facts.container else ""
            return f"the system allows no more user namespaces; {where}run `sysctl user.max_user_namespaces=15000`"
        case Refused.CHROOT:
            return _of_chroot(facts)
        case Refused.UNKNOWN:
            return "could not determine whether this system allows user namespaces; try --sandbox on"


def _as_ordinary_user(container: Container | None) -> str:
    if container is None:
        return "run as an ordinary user"
    if container is Container.KUBERNETES:
        return "set securityContext.runAsUser to an ordinary user, as 10001"
    return f"start the container as an ordinary user (--user {_USER})"


def _of_namespaces(facts: SandboxFacts) -> str:
    if facts.setting:
        return f"this system forbids user namespaces to ordinary users; {_undo(facts)}"
    if facts.container is None:
        return (
            "this system forbids user namespaces; allow them in its security settings, or install the browser's "
            "setuid helper (Debian: chromium-sandbox)"
        )
    profile = "a seccomp profile that allows them"
    ways = (
        f"set securityContext.seccompProfile to {profile}"
        if facts.container is Container.KUBERNETES
        else f"start it with {profile} (--security-opt seccomp=FILE; in Kubernetes securityContext.seccompProfile)"
    )
    return f"the container forbids user namespaces; {ways}{'' if facts.has_chroot else f', and {_add_chroot(facts)}'}"


def _of_chroot(facts: SandboxFacts) -> str:
    if facts.container is not None and not facts.has_chroot:
        return f"the container has lost the capability SYS_CHROOT, which the sandbox needs; {_add_chroot(facts)}"
    if facts.setting:
        return f"this system gives ordinary users no capabilities within user namespaces; {_undo(facts)}"
    where = "the container's seccomp profile forbids" if facts.container else "this system's security settings forbid"
    return f"{where} to change the root within user namespaces (chroot); allow that"


def _add_chroot(facts: SandboxFacts) -> str:
    if facts.container is Container.KUBERNETES:
        return "add SYS_CHROOT to securityContext.capabilities"
    return "add it by --cap-add SYS_CHROOT" if facts.refused is Refused.CHROOT else "--cap-add SYS_CHROOT"


def _undo(facts: SandboxFacts) -> str:
    """The settings that exist: one forbids by 1, the other allows by 1."""
    return f"{'on the host ' if facts.container else ''}run `sysctl {facts.setting}`"
