"""Logging configuration: short lines for people, one JSON object per line for the log file.

All other modules log through loguru with fields (``worker=``, ``task=``, ``cause=``) and know no sinks. Secrets are
redacted in every line, tracebacks contain no values of variables, and only the owner can read the file.
"""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, assert_never, cast

from loguru import logger

from poolwright.domain.errors import OptionsError
from poolwright.domain.events import (
    Event,
    ListOpened,
    MemoryRelieved,
    Moved,
    Notice,
    TaskEnded,
    TaskReturned,
    TaskStarted,
    WorkerSeen,
)
from poolwright.domain.ids import WorkerRef
from poolwright.domain.ports import EventSink
from poolwright.files.permissions import describe_error
from poolwright.service.log_writer import LogFile, LogWriter

if TYPE_CHECKING:
    from loguru import Logger, Message, Record, RecordLevel

Redact = Callable[[str], str]

REDACTED = "***"
#: Field of lines that a view of the run already shows, so that the people sink skips them.
SHOWN_FIELD = "is_shown"
#: Field with the original level of a line that is hidden from the caller's sinks.
TRUE_LEVEL_FIELD = "weight"
#: Fields that are used in this module only.
_INTERNAL_FIELDS = frozenset({SHOWN_FIELD, TRUE_LEVEL_FIELD})
#: Optional fields that people see before the text.
SUBJECT_FIELDS = ("worker", "task")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogOptions:
    """Log destinations and minimum levels."""

    #: Name of a loguru level in any case, for the file.
    level: str
    #: The log file; ``None`` for no file.
    file: Path | None = None
    #: Receives each line for people; ``None`` for no output.
    people: Callable[[str], object] | None = None
    #: Name of a loguru level in any case, for people.
    people_level: str = "warning"
    #: Secrets that are replaced in every line.
    secrets: tuple[str, ...] = ()


@contextmanager
def configure_logging(options: LogOptions) -> Generator[None]:
    """Send all logging to these destinations for the duration of the block.

    Raises:
        OptionsError: The file cannot be written.
    """
    redact = _redactor(options.secrets)
    bridge = _LibraryLogHandler()
    logger.remove()
    try:
        _add_people_sink(options, redact)
        _add_file_sink(options, redact)
        logging.getLogger().addHandler(bridge)
        yield
    finally:
        logging.getLogger().removeHandler(bridge)
        logger.remove()


@contextmanager
def configure_pool_logging(options: LogOptions) -> Generator[EventSink]:
    """Send a pool's log to its file for the duration of the block, in addition to the sinks of the caller.

    The sinks of the caller are unchanged. They receive the log lines of the workers, but not the events of the pool,
    which are passed to the yielded function.

    Raises:
        OptionsError: The file cannot be written.
    """
    minimum = logger.level(options.level.upper()).no

    def is_wanted(record: Record) -> bool:
        return (record["name"] or "").startswith("poolwright.") and _true_level(record).no >= minimum

    sink = _add_file_sink(options, _redactor(options.secrets), is_wanted)
    try:
        yield partial(log_event, to=logger.patch(_lower_below_other_sinks))
    finally:
        if sink is not None:
            logger.remove(sink)


def log_event(event: Event, to: Logger = logger) -> None:
    """Log an event. Events that a view already shows go to the log file only."""
    match event:
        case Moved(transition=move):
            to.bind(machine=move.machine, entity=move.entity, cause=move.cause or None).debug(
                "{} {}: {} -> {}", move.machine, move.entity, move.origin, move.target
            )
        case TaskEnded(task=task, report=report, worker=worker):
            fields = {"outcome": report.outcome.value, "reason": report.reason.value, "folder": event.folder}
            bound = _with_worker(to, worker).bind(task=task.task_id, attempt=task.attempt, **fields)
            bound.info("{} {} {}", task.po_number, report.outcome.value, report.detail)
        case TaskReturned(task_id=task_id, why=cause, detail=detail):
            _with_worker(to, event.worker).bind(task=task_id, reason=cause.value).info(
                "returned to the queue: {} {}", cause.value, detail
            )
        case Notice() | MemoryRelieved():
            _log_notice(event, to)
        case ListOpened(open_count=open_count, done_count=done_count):
            to.info("{} orders to process, {} already done", open_count, done_count)
        case TaskStarted(task=task):
            to.bind(worker=str(event.worker), task=task.task_id).debug("starts attempt {}", task.attempt)
        case WorkerSeen():
            to.bind(worker=str(event.worker)).debug("{} bytes of memory", event.memory_bytes)
        case _:
            assert_never(event)


def _log_notice(event: Notice | MemoryRelieved, to: Logger) -> None:
    if isinstance(event, Notice):
        _with_worker(to, event.worker).log(event.level.value.upper(), "{}", event.text)
        return
    worker_memory = {"before_bytes": event.before_bytes, "after_bytes": event.after_bytes}
    totals = {"total_before_bytes": event.total_before_bytes, "total_after_bytes": event.total_after_bytes}
    _log_notice(event.notice, to.bind(**worker_memory, **totals, limit_bytes=event.limit_bytes))


def _with_worker(to: Logger, worker: WorkerRef | None) -> Logger:
    return to.bind(**{SHOWN_FIELD: True, "worker": str(worker) if worker else None})


def _lower_below_other_sinks(record: Record) -> None:
    """Lower a record to TRACE, so that the sinks of the caller do not receive it."""
    record["extra"][TRUE_LEVEL_FIELD] = record["level"]
    record["level"] = cast("RecordLevel", logger.level("TRACE"))


def _true_level(record: Record) -> RecordLevel:
    return record["extra"].get(TRUE_LEVEL_FIELD, record["level"])


def _add_people_sink(options: LogOptions, redact: Redact) -> None:
    people = options.people
    if people is None:
        return

    def write(message: Message) -> None:
        people(redact(_line_for_people(message.record)))

    logger.add(write, level=options.people_level.upper(), format="{message}", filter=_is_not_shown)


def _is_not_shown(record: Record) -> bool:
    return not record["extra"].get(SHOWN_FIELD)


def _add_file_sink(
    options: LogOptions, redact: Redact, is_wanted: Callable[[Record], bool] | None = None
) -> int | None:
    if options.file is None:
        return None

    try:
        file = LogFile(options.file)
    except OSError as error:
        advice = describe_error(error, options.file).sentence(otherwise="Or choose another file with --log-file.")
        raise OptionsError(f"log_file is '{options.file}', which cannot be written: {advice}") from error

    writer = LogWriter(file, options.people or _discard_line, _lost_lines_record)

    class Sink:
        """A loguru sink, which loguru also stops."""

        def write(self, message: Message) -> None:
            writer.write(f"{_json_line(message.record, redact)}\n")

        def stop(self) -> None:
            writer.close()

    level = "TRACE" if is_wanted else options.level.upper()
    return logger.add(Sink(), level=level, filter=is_wanted, format="{message}")


def _lost_lines_record(count: int) -> str:
    """Return the log line that reports lost lines."""
    record = {
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),  # noqa: TID251 - as loguru for all others
        "level": "warning",
        "text": f"{count:,} lines before this one were lost because the disk was full or hung.",
        "where": __name__,
        "lost_count": count,
    }
    return f"{json.dumps(record)}\n"


def _discard_line(_: str) -> None:
    """Discard a line."""


def _redactor(secrets: tuple[str, ...]) -> Redact:
    """Return a function that redacts secrets, also in their ``repr``; longer ones first: one may contain another."""
    spellings = {spelling for secret in secrets if secret for spelling in (secret, repr(secret)[1:-1])}
    ordered = sorted(spellings, key=len, reverse=True)

    def redact(text: str) -> str:
        for spelling in ordered:
            text = text.replace(spelling, REDACTED)
        return text

    return redact


def _line_for_people(record: Record) -> str:
    fields = record["extra"]
    subjects = [str(fields[name]) for name in SUBJECT_FIELDS if fields.get(name)]
    exception = record["exception"]
    error = f"({type(exception.value).__name__}: {exception.value})" if exception is not None else ""
    parts = [f"{record['time']:%H:%M:%S}", record["level"].name.lower(), *subjects, record["message"], error]
    return " ".join(filter(None, parts))


def _json_line(record: Record, redact: Redact) -> str:
    fields: dict[str, object] = {
        "at": record["time"].astimezone(UTC).isoformat(timespec="milliseconds"),
        "level": _true_level(record).name.lower(),
        "text": record["message"],
        "where": f"{record['name']}:{record['line']}",
        **{
            name: value for name, value in record["extra"].items() if name not in _INTERNAL_FIELDS and value is not None
        },
    }
    exception = record["exception"]
    if exception is not None and exception.type is not None:
        fields["error"] = "".join(traceback.format_exception(exception.type, exception.value, exception.traceback))
    plain = {name: _json_value(value, redact) for name, value in fields.items()}
    return json.dumps(plain, ensure_ascii=False)


def _json_value(value: object, redact: Redact) -> object:
    """Return numbers and ``None`` unchanged, all else as redacted text, so that the line stays valid JSON."""
    return value if isinstance(value, int | float | None) else redact(str(value))


class _LibraryLogHandler(logging.Handler):
    """Passes records of the standard ``logging`` module on to loguru."""

    def __init__(self) -> None:
        super().__init__(level=logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        """Pass one record on."""
        logger.bind(library=record.name).opt(exception=record.exc_info).log(record.levelname, record.getMessage())
