"""What is remembered of each entry: until when its fires are dealt with, its run, and how earlier ones went."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from poolwright.domain.ids import BatchId

#: Fires that are kept of each entry.
HISTORY_COUNT = 20


class How(StrEnum):
    """How a run of a schedule ended."""

    DONE = "done"
    #: Not started, or ended with something undone; the detail says what and the next step.
    FAILED = "failed"
    #: An earlier run was still going on.
    SKIPPED = "skipped"
    #: The daemon was not running.
    MISSED = "missed"
    #: The deadline passed before all of it was begun.
    DEADLINE = "deadline"
    #: The daemon ended meanwhile.
    CUT_OFF = "cut_off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fire:
    """One past run of a schedule."""

    #: When it was to be; of a run by hand, when it was asked for.
    due_at: datetime
    ended_at: datetime
    how: How
    #: One sentence for people.
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRun:
    """The current run, or one that was interrupted with the daemon."""

    due_at: datetime
    began_at: datetime
    #: Lists that the journal has; the watch over them is taken up again after a restart.
    batch_ids: tuple[BatchId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """The saved state of one schedule."""

    #: Cron and zone that ``since`` belongs to: another rhythm has missed nothing yet.
    rhythm: str
    #: Fires until here are dealt with.
    since: datetime
    open: OpenRun | None = None
    #: The fire that waits for the end of the open run.
    waiting_at: datetime | None = None
    #: The latest last.
    history: tuple[Fire, ...] = field(default=())

    def with_fire(self, fire: Fire) -> Memory:
        """With one more fire; the oldest ones are forgotten."""
        return replace(self, history=(*self.history, fire)[-HISTORY_COUNT:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a run ended."""

    how: How
    #: One sentence for people.
    detail: str
