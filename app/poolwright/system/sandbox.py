"""Decides whether Chromium's sandbox is on, and explains what prevents it.

Outside of a container settings of the system are named, inside flags of the engine. That container engines allow
``chroot`` by the capability SYS_CHROOT alone was measured, with Docker's, Podman's and Playwright's profiles.

On Linux the sandbox needs user namespaces, or the browser's setuid helper, and a user who is not root. Containers and
some distributions forbid the namespaces. It is never turned off in silence: ``why`` is there to be shown, and the log
tells the mode of every start.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from poolwright.domain.options import Sandbox
from poolwright.system.container import Container
from poolwright.system.sandbox_probe import RefusedStep, SandboxFacts, probe_sandbox

#: The numeric user of the project's own image; any ordinary one will do.
_USER = "10001:10001"


def find_obstacle(facts: SandboxFacts) -> str:
    """The cause and what to change, without a full stop; empty if the sandbox is possible."""
    if not facts.is_linux:
        return ""
    if facts.is_root:
        return f"Chromium refuses its sandbox to root; {_as_ordinary_user(facts.container)}"
    return "" if facts.refused is None or facts.has_helper else _of_step(facts.refused, facts)


def _of_step(refused: RefusedStep, facts: SandboxFacts) -> str:
    match refused:
        case RefusedStep.NAMESPACE:
            return _of_namespaces(facts)
        case RefusedStep.NAMESPACE_COUNT:
            where = "on the host " if facts.container else ""
            return f"the system allows no more user namespaces; {where}run `sysctl user.max_user_namespaces=15000`"
        case RefusedStep.CHROOT:
            return _of_chroot(facts)
        case RefusedStep.UNKNOWN:
            return "could not determine whether this system allows user namespaces; try --sandbox on"


def _as_ordinary_user(container: Container | None) -> str:
    if container is None:
        return "run as an ordinary user"
    if container is Container.KUBERNETES:
        return "set securityContext.runAsUser to an ordinary user, as 10001"
    return f"start the container as an ordinary user (--user {_USER})"


def _of_namespaces(facts: SandboxFacts) -> str:
    if facts.setting:
        return f"this system forbids user namespaces to ordinary users; {_allowing_settings(facts)}"
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
        return f"this system gives ordinary users no capabilities within user namespaces; {_allowing_settings(facts)}"
    where = "the container's seccomp profile forbids" if facts.container else "this system's security settings forbid"
    return f"{where} to change the root within user namespaces (chroot); allow that"


def _add_chroot(facts: SandboxFacts) -> str:
    if facts.container is Container.KUBERNETES:
        return "add SYS_CHROOT to securityContext.capabilities"
    return "add it by --cap-add SYS_CHROOT" if facts.refused is RefusedStep.CHROOT else "--cap-add SYS_CHROOT"


def _allowing_settings(facts: SandboxFacts) -> str:
    """The settings that exist: one forbids by 1, the other allows by 1."""
    return f"{'on the host ' if facts.container else ''}run `sysctl {facts.setting}`"


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxChoice:
    """The sandbox as a worker is told, and why."""

    #: ``on`` or ``off``.
    mode: Sandbox
    why: str
    #: Why browsers are not likely to start with it although it was asked for, and what to change; mostly empty.
    obstacle: str = ""

    @property
    def is_notable(self) -> bool:
        """Whether the choice should be shown to a person, not only logged."""
        return self.mode is Sandbox.OFF or bool(self.obstacle)

    @property
    def sentence(self) -> str:
        """The mode and the reason, for people and for the log."""
        if self.mode is Sandbox.OFF:
            return f"The browsers run without Chromium's own sandbox: {self.why}."
        if self.obstacle:
            return f"Chromium's own sandbox is on ({self.why}), but browsers may fail to start: {self.obstacle}."
        return f"Chromium's own sandbox is on: {self.why}."


def choose_sandbox(asked: Sandbox, facts: SandboxFacts) -> SandboxChoice:
    """Turn ``auto`` into ``on`` or ``off``; what was asked for plainly stays."""
    against = find_obstacle(facts)
    if asked is Sandbox.ON:
        return SandboxChoice(mode=asked, why="as asked", obstacle=against)
    if asked is Sandbox.OFF:
        return SandboxChoice(mode=asked, why="as asked")
    if against:
        return SandboxChoice(mode=Sandbox.OFF, why=against)
    by_helper = facts.is_linux and facts.refused is not None
    allowed = "this system always allows it" if not facts.is_linux else "this system allows it"
    return SandboxChoice(mode=Sandbox.ON, why=f"{allowed}, by the browser's setuid helper" if by_helper else allowed)


def resolve_sandbox(asked: Sandbox, browser: Path) -> SandboxChoice:
    """The sandbox on this machine for this browser."""
    if asked is Sandbox.OFF:
        return SandboxChoice(mode=asked, why="as asked")
    return choose_sandbox(asked, probe_sandbox(browser))
