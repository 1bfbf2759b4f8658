"""The view for programs: one JSON object on each line, events as they happen and a summary at the end.

Every object has ``type`` (``moved``, ``task_started``, ``task_ended``, ``task_returned``, ``worker_seen``,
``memory_relieved``, ``notice``, ``summary``) and ``at`` (UTC); the rest are the fields of the event by their names.
"""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache

from pydantic import TypeAdapter

from poolwright.cli.console import has_all_letters
from poolwright.cli.exits import exit_of_summary
from poolwright.cli.view import QuietView
from poolwright.domain.events import Event
from poolwright.service.batch import BatchSummary
from poolwright.service.daemon.event_stream import dump_event, event_kind


@cache
def _summaries() -> TypeAdapter[BatchSummary]:
    return TypeAdapter(BatchSummary)  # at the end of a run, and not when it starts


def event_line(event: Event, at: datetime, *, is_ascii: bool = False) -> str:
    """One event as one line; ``is_ascii`` for whoever takes no other letters."""
    return json.dumps({"type": event_kind(event), "at": at.isoformat(), **dump_event(event)}, ensure_ascii=is_ascii)


def summary_line(summary: BatchSummary, at: datetime, *, is_ascii: bool = False) -> str:
    """How a run ended as one line, with the exit code."""
    fields = _summaries().dump_python(summary, mode="json")
    code = exit_of_summary(summary).value
    return json.dumps({"type": "summary", "at": at.isoformat(), "exit_code": code, **fields}, ensure_ascii=is_ascii)


class JsonView(QuietView):
    """Writes lines as things happen."""

    def __call__(self, event: Event) -> None:
        """Write the event."""
        super().__call__(event)
        self._write(event_line(event, self._clock.now(), is_ascii=not has_all_letters(self._console)))

    def conclude(self, summary: BatchSummary) -> None:
        """Write the summary."""
        self._write(summary_line(summary, self._clock.now(), is_ascii=not has_all_letters(self._console)))

    def _write(self, line: str) -> None:
        self._console.out(line, highlight=False)
