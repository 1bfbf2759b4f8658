"""What every way of showing a run can do, and the quiet one that the others stand on."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from rich.console import Console

from poolwright.cli.progress import Progress, advance
from poolwright.cli.summary import conclusion
from poolwright.domain.events import Event, Level, Notice
from poolwright.domain.ports import Clock
from poolwright.service.batch import BatchSummary


class View(Protocol):
    """Shows a run while its block lasts. Takes events at once and never raises for them."""

    @property
    def progress(self) -> Progress:
        """How far the run is."""
        ...

    def __call__(self, event: Event, /) -> None:
        """Take one event."""
        ...

    def say(self, text: str) -> None:
        """Tell the person something now."""
        ...

    def conclude(self, summary: BatchSummary) -> None:
        """Show how the run ended. After the block."""
        ...

    def __enter__(self) -> Self:
        """Begin to show."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Stop showing, and leave the terminal as it was."""
        ...


class QuietView:
    """Keeps count, and shows only how the run ended."""

    def __init__(self, progress: Progress, *, console: Console, clock: Clock) -> None:
        """Begin at ``progress``, with the times of ``clock``; print to ``console``."""
        self._progress = progress
        self._console = console
        self._clock = clock

    @property
    def progress(self) -> Progress:
        """How far the run is."""
        return self._progress

    def __call__(self, event: Event) -> None:
        """Take one event."""
        self._progress = advance(self._progress, event, self._clock.monotonic())

    def say(self, text: str) -> None:
        """Take it as a notice."""
        self(Notice(level=Level.WARNING, text=text))

    def conclude(self, summary: BatchSummary) -> None:
        """Print the summary."""
        for line in conclusion(summary, self.progress):
            self._console.print(line, soft_wrap=True)

    def __enter__(self) -> Self:
        """Nothing to begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Nothing to end."""
