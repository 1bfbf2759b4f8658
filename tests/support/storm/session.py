"""One start of the program: what it was asked, what it told, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from poolwright.cli.process_exit import ExitCode
from poolwright.service.batch import RedoPolicy

#: Outcomes that leave nothing to do: an order that was told so is never done again unasked.
DONE = frozenset({"COMPLETED", "NO_ATTACHMENTS"})


@dataclass(slots=True, kw_only=True)
class Session:
    """Filled while the program runs; read when it has ended."""

    number: int
    redo: RedoPolicy
    code: int | None = None
    wall_s: float = 0.0
    #: Orders that ended, in whatever way.
    ended_count: int = 0
    #: Workers that were lost.
    crash_count: int = 0
    #: Workers that came back.
    restart_count: int = 0
    #: Slots that were given up.
    given_up_count: int = 0
    #: Orders that were begun although an earlier start had told that they are done.
    done_twice: set[str] = field(default_factory=set[str])
    #: No order ended for so long that the program was killed.
    is_stalled: bool = False
    #: How long its processes outlived it; nothing when they never ended.
    orphaned_s: float | None = 0.0
    #: What was still there when it had ended by itself.
    left: list[str] = field(default_factory=list[str])
    summary: dict[str, Any] = field(default_factory=dict[str, Any])
    #: What it said on stderr.
    errors: str = ""

    @property
    def is_finished(self) -> bool:
        """Whether every order of the list has its outcome."""
        return self.code in {ExitCode.DONE, ExitCode.NOT_ALL_DONE}

    @property
    def ending(self) -> str:
        """How it ended, in its own words."""
        return str(self.summary.get("ending", "without a word"))

    def __str__(self) -> str:
        """One line for people."""
        workers = f"{self.crash_count} workers lost, {self.restart_count} back, {self.given_up_count} given up"
        return (
            f"start {self.number} (--redo {self.redo}): exit {self.code}, {self.ending}; "
            f"{self.ended_count} orders in {self.wall_s:.0f} s; {workers}"
        )
