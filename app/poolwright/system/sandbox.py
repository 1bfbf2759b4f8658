"""Decides whether Chromium's sandbox is on, and explains what prevents it.

On Linux the sandbox needs user namespaces, or the browser's setuid helper, and a user who is not root. Containers and
some distributions forbid the namespaces. The explanation names settings of the system, or in a container options of its
engine; measured with Docker's, Podman's and Playwright's profiles, which allow ``chroot`` by the capability SYS_CHROOT
alone. The sandbox is never turned off silently: ``sentence`` is for people, and the log has the mode of every start.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from poolwright.domain.options import Sandbox
from poolwright.system.container import Container
from poolwright.system.sandbox_probe import RefusedStep, SandboxFacts, probe_sandbox

#: The numeric user of the project's own image; any ordinary user works.
_USER = "10001:10001"


def find_obstacle(facts: SandboxFacts) -> str:
    """Return the cause and the next step, without a full stop; empty if the sandbox is possible."""
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
        return "set securityContext.runAsUser to an ordinary user, such as 10001"
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
    step = (
        f"set securityContext.seccompProfile to {profile}"
        if facts.container is Container.KUBERNETES
        else f"start it with {profile} (--security-opt seccomp=FILE; in Kubernetes securityContext.seccompProfile)"
    )
    return f"the container forbids user namespaces; {step}{'' if facts.has_chroot else f', and {_add_chroot(facts)}'}"


def _of_chroot(facts: SandboxFacts) -> str:
    if facts.container is not None and not facts.has_chroot:
        return f"the container has lost the capability SYS_CHROOT, which the sandbox needs; {_add_chroot(facts)}"
    if facts.setting:
        return f"this system gives ordinary users no capabilities within user namespaces; {_allowing_settings(facts)}"
    where = "the container's seccomp profile forbids" if facts.container else "this system's security settings forbid"
    return f"{where} changing the root within user namespaces (chroot); allow that"


def _add_chroot(facts: SandboxFacts) -> str:
    if facts.container is Container.KUBERNETES:
        return "add SYS_CHROOT to securityContext.capabilities"
    return "add it by --cap-add SYS_CHROOT" if facts.refused is RefusedStep.CHROOT else "--cap-add SYS_CHROOT"


def _allowing_settings(facts: SandboxFacts) -> str:
    """Return the command for the system's setting."""
    return f"{'on the host ' if facts.container else ''}run `sysctl {facts.setting}`"


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxChoice:
    """The mode of the sandbox and the reason for it."""

    #: ``on`` or ``off``.
    mode: Sandbox
    why: str
    #: Why browsers may fail to start with the configured sandbox, and the next step; empty if they should start.
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


def choose_sandbox(configured: Sandbox, facts: SandboxFacts) -> SandboxChoice:
    """Turn ``auto`` into ``on`` or ``off``; a configured mode stays."""
    obstacle = find_obstacle(facts)
    if configured is Sandbox.ON:
        return SandboxChoice(mode=configured, why="as configured", obstacle=obstacle)
    if configured is Sandbox.OFF:
        return SandboxChoice(mode=configured, why="as configured")
    if obstacle:
        return SandboxChoice(mode=Sandbox.OFF, why=obstacle)
    by_helper = facts.is_linux and facts.refused is not None
    allowed = "this system always allows it" if not facts.is_linux else "this system allows it"
    return SandboxChoice(mode=Sandbox.ON, why=f"{allowed}, by the browser's setuid helper" if by_helper else allowed)


def resolve_sandbox(configured: Sandbox, browser: Path) -> SandboxChoice:
    """Return the mode of the sandbox for this browser on this machine."""
    if configured is Sandbox.OFF:
        return SandboxChoice(mode=configured, why="as configured")
    return choose_sandbox(configured, probe_sandbox(browser))
