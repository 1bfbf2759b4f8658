"""Whether Chromium's own sandbox can be on here: ``auto`` becomes ``on`` or ``off`` before a worker is told.

On Linux the sandbox needs user namespaces, or the browser's setuid helper, and a user who is not root. Containers and
some distributions forbid the namespaces. It is never turned off in silence: ``why`` is there to be shown, and the log
tells the mode of every start.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from poolwright.domain.options import Sandbox
from poolwright.service.sandbox_causes import obstacle
from poolwright.service.sandbox_facts import SandboxFacts
from poolwright.service.sandbox_probe import probe


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxChoice:
    """The sandbox as a worker is told, and why."""

    #: ``on`` or ``off``.
    mode: Sandbox
    why: str
    #: Why browsers are not likely to start with it although it was asked for, and what to change; mostly empty.
    obstacle: str = ""

    @property
    def is_worth_telling(self) -> bool:
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
    against = obstacle(facts)
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
    return choose_sandbox(asked, probe(browser))
