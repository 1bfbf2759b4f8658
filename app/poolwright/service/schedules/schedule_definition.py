"""One schedule as the scheduler uses it, created from the settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path

from poolwright.archive.folder_template import FolderTemplate
from poolwright.archive.output_tree import PRIVATE_NAME
from poolwright.domain.errors import OptionsError
from poolwright.service.batch import ListOptions
from poolwright.service.output_folder import LOG_NAME
from poolwright.settings import MissedRunPolicy, OverlapPolicy, ScheduleEntry, Settings, setting_help
from poolwright.settings.schedule_entry import zone_name

#: Below the daemon's output folder; contains one folder for each schedule that runs as a separate batch.
SEPARATE_BATCHES_NAME = "schedules"
#: Settings of the daemon that a separate batch uses, too.
_SHARED_SETTINGS = (
    "profiles_dir",
    "packs_dir",
    "workers",
    "tabs_per_worker",
    "browser",
    "browser_path",
    "sandbox",
    "file_max_mb",
    "order_max_mb",
    "page_evidence",
    "unpack_archives",
    "unpack_mails",
    "mail_pdf",
    "headless",
    "ignore_hours",
    "max_attempts",
    "task_timeout_s",
    "shutdown_timeout_s",
    "memory_threshold",
    "recycle_after_tasks",
    "recycle_after_minutes",
    "rate",
    "concurrency",
    "runs_dir",
    "log_level",
)
_MINUTE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSource:
    """A list file."""

    path: Path

    def __str__(self) -> str:
        """Return the description for people."""
        return str(self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobSource:
    """All list files that match a pattern."""

    pattern: str

    def __str__(self) -> str:
        """Return the description for people."""
        return self.pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSource:
    """A program that prints a list."""

    arguments: tuple[str, ...]

    def __str__(self) -> str:
        """Return the description for people: the program alone, since its arguments may be confidential."""
        return f"output of {self.arguments[0]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeparateBatch:
    """A schedule with its own profile, folder or template: it runs as a separate process beside the daemon."""

    profile: str
    #: Its own output folder: the journal of the daemon is locked while the daemon is running.
    out: Path
    #: Options of ``poolwright run``.
    options: tuple[str, ...]
    #: Time for orders in progress when the run is stopped.
    shutdown_timeout_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One schedule: its source, its times, and where its orders run."""

    name: str
    #: Cron expression of five fields.
    cron: str
    #: Time zone of the cron expression.
    zone: tzinfo
    source: FileSource | GlobSource | CommandSource
    column: str | None = None
    sheet: str | None = None
    #: How its orders go to the queue of the daemon.
    options: ListOptions = field(default_factory=ListOptions)
    #: ``None`` if its orders go to the queue of the daemon.
    own: SeparateBatch | None = None
    #: Seconds from the start of a run until orders that have not started are cancelled; ``None`` for no deadline.
    deadline_s: float | None = None
    missed: MissedRunPolicy = MissedRunPolicy.SKIP
    overlap: OverlapPolicy = OverlapPolicy.SKIP

    @property
    def rhythm(self) -> str:
        """Return cron expression and time zone as one text, to detect a change."""
        return f"{self.cron} {zone_name(self.zone)}"


def schedules_from_settings(settings: Settings) -> tuple[Schedule, ...]:
    """Return the schedules of the settings.

    Raises:
        OptionsError: An entry has an invalid template, or its output folder is that of the daemon or of another
            entry.
    """
    schedules = tuple(_schedule(entry, settings) for entry in settings.schedules)
    _check_separate_folders(schedules, settings.out)
    return schedules


def _schedule(entry: ScheduleEntry, settings: Settings) -> Schedule:
    return Schedule(
        name=entry.name,
        cron=entry.cron,
        zone=entry.zone,
        source=_source(entry),
        column=entry.column,
        sheet=entry.sheet,
        options=ListOptions(is_refresh=entry.refresh, group_by=entry.group_by),
        own=_separate_batch(entry, settings),
        deadline_s=None if entry.deadline_minutes is None else entry.deadline_minutes * _MINUTE_S,
        missed=entry.missed,
        overlap=entry.overlap,
    )


def _source(entry: ScheduleEntry) -> FileSource | GlobSource | CommandSource:
    if entry.file is not None:
        return FileSource(path=entry.file)
    if entry.glob is not None:
        return GlobSource(pattern=str(Path(entry.glob).expanduser()))
    return CommandSource(arguments=entry.command or ())


def _separate_batch(entry: ScheduleEntry, settings: Settings) -> SeparateBatch | None:
    profile = entry.profile or settings.profile
    is_other = profile != settings.profile
    if not is_other and entry.out is None and entry.folder_template is None and entry.portal is None:
        return None
    _check_template(entry)
    out = entry.out or settings.out / SEPARATE_BATCHES_NAME / entry.name
    options = tuple(_options(entry, settings, profile, out, is_other=is_other))
    return SeparateBatch(profile=profile, out=out, options=options, shutdown_timeout_s=settings.shutdown_timeout_s)


def _check_template(entry: ScheduleEntry) -> None:
    if entry.folder_template is not None:
        try:
            # The run checks the fields, since they depend on the portal of the profile.
            FolderTemplate.parse(entry.folder_template)
        except OptionsError as error:
            raise OptionsError(f"In the schedule {entry.name!r}: {error}") from error


def _options(entry: ScheduleEntry, settings: Settings, profile: str, out: Path, *, is_other: bool) -> Iterator[str]:
    for name in _SHARED_SETTINGS:
        value = getattr(settings, name)
        flag, _, opposite = setting_help(name).flags[0].partition("/")
        if isinstance(value, bool):
            yield flag if value else opposite
        elif value is not None:
            yield from (flag, str(value))
    yield from ("--profile", profile, "--out", str(out))
    template = entry.folder_template or settings.folder_template
    if entry.folder_template is not None or "folder_template" in settings.model_fields_set:
        # The default is left to the run, since it depends on the portal.
        yield from ("--folder-template", template)
    # Another profile or portal has its own address: the empty value overrides the environment variable.
    yield from ("--portal", entry.portal or ("" if is_other else settings.portal))
    yield from ("--base-url", "" if is_other or entry.portal else settings.base_url)
    yield from ("--log-file", str(out / PRIVATE_NAME / LOG_NAME))
    if entry.refresh:
        yield "--refresh"
    group_by = settings.group_by if entry.group_by is None else entry.group_by
    yield from ("--group-by", group_by, "--group-limit", str(settings.group_limit))
    for flag, value in (("--column", entry.column), ("--sheet", entry.sheet)):
        if value is not None:
            yield from (flag, value)


def _check_separate_folders(schedules: tuple[Schedule, ...], out: Path) -> None:
    owners = {out.resolve(): "the daemon"}
    for schedule in schedules:
        if schedule.own is None:
            continue
        folder = schedule.own.out.resolve()
        if folder in owners:
            raise OptionsError(
                f"The schedule {schedule.name!r} has out '{schedule.own.out}', which belongs to {owners[folder]}; "
                "only one run at a time may use a folder. Choose another one."
            )
        owners[folder] = f"the schedule {schedule.name!r}"
