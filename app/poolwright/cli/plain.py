"""The view for pipes, files and logs: one line for each order that ended and for each notice, a summary at the end."""

from __future__ import annotations

from poolwright.cli import words
from poolwright.cli.progress import Progress
from poolwright.cli.view import QuietView
from poolwright.domain.events import Event, Level, MemoryRelieved, Notice, TaskEnded, TaskReturned
from poolwright.domain.outcomes import ReturnReason


def line_of(event: Event, before: Progress, after: Progress) -> str:
    """What one event is worth in a line; empty for nothing."""
    match event:
        case TaskEnded():
            return _ended(event, after)
        case TaskReturned() if not isinstance(event.why, ReturnReason):
            again = f"again in {words.duration(event.delay_s)}" if event.delay_s else "again soon"
            detail = f": {event.detail}" if event.detail else ""
            return f"{before.order_name(event.task_id)} {event.why.value}{detail} ({again})"
        case Notice() | MemoryRelieved():
            return notice_line(event)
        case _:
            return ""


def notice_line(event: Notice | MemoryRelieved) -> str:
    """A sentence for people, with whom it is about."""
    notice = event if isinstance(event, Notice) else event.notice
    who = f"{notice.worker.worker_id}: " if notice.worker else ""
    weight = "" if notice.level is Level.INFO else f"{notice.level.value}: "
    return f"{weight}{who}{notice.text}"


def _ended(event: TaskEnded, after: Progress) -> str:
    report = event.report
    size_bytes = sum(file.size_bytes for file in report.files)
    files = f"{words.count(len(report.files), 'file')} {words.size(size_bytes)}" if report.files else ""
    why = "" if report.meaning.action.value == "done" else report.detail or report.meaning.next_step
    place = f"{after.done_count}/{after.total_count}"
    told = (place, event.task.po_number, report.outcome.value, files, words.duration(report.duration_s), why)
    return " ".join(filter(None, told))


class PlainView(QuietView):
    """Prints lines as things happen."""

    def __call__(self, event: Event) -> None:
        """Print what the event is worth."""
        before = self.progress
        super().__call__(event)
        line = line_of(event, before, self.progress)
        if line:
            self._console.out(line, highlight=False)
