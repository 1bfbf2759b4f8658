"""What the links of an order brought, and the report that follows, the same for every way to an order's page."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import anyio
import anyio.lowlevel
import anyio.to_thread

from poolwright.domain.outcomes import LoginCheck, Reason
from poolwright.domain.tasks import FetchedFile, MissedFile, POTask, Report
from poolwright.portal.pack import Pack
from poolwright.portal.pack_schema import ArchivePolicy, MailPolicy
from poolwright.portal.triage import describe_documents, emptiness_note
from poolwright.sdk.protocol import SessionLostError
from poolwright.worker.download.archive_files import unpack_archives
from poolwright.worker.download.file_selection import count_problem, describe_left_out, select_files
from poolwright.worker.download.received_check import missed_file
from poolwright.worker.download.staged_files import DownloadedFile
from poolwright.worker.errors import PortalBusyError
from poolwright.worker.page.page_content import PageLink
from poolwright.worker.processors.order_visit import OrderVisit
from poolwright.worker.tab import PortalContext
from poolwright.worker.transfer.received_file import PAGE_TYPES

#: Most problems or notes in a sentence; the manifest has all.
_LISTED_COUNT_MAX = 5
#: A text of so few bytes may be an error message of the portal that no check recognised.
_SHORT_BYTES = 1024


def drop_repeated_answers(fetched: Sequence[DownloadedFile | MissedFile]) -> list[DownloadedFile | MissedFile]:
    """Return the files, with those replaced that can only be a message of the portal.

    Those are a web page that came under several names, and a text that came for files of several types. A real file may
    come twice, and under two names; a short text that does gets a note.
    """
    names = {(file.sha256, file.label) for file in fetched if isinstance(file, DownloadedFile)}
    types = {(file.sha256, file.media_type) for file in fetched if isinstance(file, DownloadedFile) and file.is_text}
    seen = _Seen(Counter(sha256 for sha256, _ in names), Counter(sha256 for sha256, _ in types))
    return [_compared(file, seen) for file in fetched]


@dataclass(frozen=True, slots=True)
class _Seen:
    """The number of names and of file types under which the same bytes came, by SHA-256."""

    names: Counter[str]
    types: Counter[str]


def _compared(file: DownloadedFile | MissedFile, seen: _Seen) -> DownloadedFile | MissedFile:
    if isinstance(file, MissedFile) or seen.names[file.sha256] == 1:
        return file
    problem = ""
    if file.media_type in PAGE_TYPES or file.is_page:
        problem = "the same web page was sent under several names, so it is not a file"
    elif seen.types[file.sha256] > 1:
        problem = "the same text was sent for files of several types, so it is not a file"
    if problem:
        return MissedFile(label=file.label, source_url=file.source_url, problem=problem, is_retryable=True)
    if not file.is_text or file.size_bytes > _SHORT_BYTES:
        return file
    same = f"{file.label} holds the same {file.size_bytes:,} bytes as another file of the order"
    note = f"{same}: check whether it is a file."
    return replace(file, notes=(*file.notes, note))


def summarize_files(downloaded: Sequence[DownloadedFile], missed: Sequence[MissedFile]) -> str:
    """Return one line about the files for a person: first the missed ones, then the notes."""
    problems = _shortened([f"{file.label}: {file.problem}" for file in missed])
    notes = _shortened([note for file in downloaded for note in file.notes])
    return "; ".join((*problems, *(note.removesuffix(".") for note in notes)))


def _shortened(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:_LISTED_COUNT_MAX]
    if len(lines) > _LISTED_COUNT_MAX:
        yield f"and {len(lines) - _LISTED_COUNT_MAX:,} more"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedLink:
    """A link of one of the order's pages."""

    link: PageLink
    #: Name of the further page; empty for the order's own.
    source: str
    #: The rules for the page.
    pack: Pack


@dataclass(slots=True, kw_only=True)
class DownloadResults:
    """The results of an order's links so far."""

    #: The links of all pages, in their order.
    listed: list[ListedLink] = field(default_factory=list[ListedLink])
    #: Names of the links that the pack does not want, by the page's name.
    left_out: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    #: What came of each further page without files, by its name.
    sources: dict[str, str] = field(default_factory=dict[str, str])
    #: Further pages that could not be read.
    missed: list[MissedFile] = field(default_factory=list[MissedFile])
    #: The files of each link, by its number in ``listed``.
    fetched: dict[int, list[DownloadedFile | MissedFile]] = field(
        default_factory=dict[int, list[DownloadedFile | MissedFile]]
    )
    #: One error for each time that the portal was too busy.
    refusals: list[PortalBusyError] = field(default_factory=list[PortalBusyError])

    #: Whether the time for files was over before all had come.
    is_late: bool = False

    @property
    def files(self) -> list[DownloadedFile | MissedFile]:
        """Return what came so far."""
        return [file for files in self.fetched.values() for file in files]


class FileTarget(Protocol):
    """Accepts the files of an order."""

    @property
    def staging(self) -> Path:
        """Return the folder in which they are."""
        ...

    def accept(self, downloaded: DownloadedFile) -> FetchedFile:
        """Add a file, and return it as the report lists it.

        Raises:
            OSError: The disk is not writable.
        """
        ...


async def report_on(
    results: DownloadResults,
    target: FileTarget,
    task: POTask,
    portal_context: PortalContext,
    opened: OrderVisit,
    *,
    until: float = math.inf,
) -> Report:
    """Choose, name and accept the files of an order, and return the report; late files are missed, the others are kept.

    Args:
        results: What its links brought.
        target: Accepts the files.
        task: The order.
        portal_context: The portal.
        opened: The order's page.
        until: The moment at which its time for files is over.

    Raises:
        SessionLostError: Files are missed because the portal asks for a login.
        OSError: The disk is full or not writable.
    """
    reading = opened.visit.reading
    fields = {name: rule.value_of(reading.fields[name]) for name, rule in portal_context.pack.fields.items()}
    compared, left_out = await _select(opened, results, task)
    downloaded = [file for file in compared if isinstance(file, DownloadedFile)]
    downloaded = await _with_contents(downloaded, target.staging, task, portal_context, opened.pack, until=until)
    if results.is_late and not downloaded:
        detail = f"No file was downloaded within the order's time limit ({task.timeout_s:g} s)."
        return Report(reason=Reason.TASK_TIMEOUT, detail=detail, fields=fields, page_url=reading.url)
    names = dict[str, list[str]]()
    for file in downloaded:
        names.setdefault(file.source, []).append(target.accept(file).name)
        await anyio.lowlevel.checkpoint()  # naming and moving thousands of files takes seconds
    missed = [file for file in compared if isinstance(file, MissedFile)]
    if results.is_late:
        missed += _late_sources(portal_context.pack, results)
    may_be_lost = missed and not results.is_late and not results.refusals
    if may_be_lost and await portal_context.check_login() is LoginCheck.LOGGED_OUT:
        raise SessionLostError(f"the portal refuses {missed[0].label} and asks for a login")
    fields |= {name: "; ".join(names.get(name, ())) or told for name, told in results.sources.items()}
    report = _conclude(downloaded, missed, fields, reading.url)
    is_document_told = bool(reading.documents) and reading.count is None
    documents = describe_documents(reading.documents).removesuffix(".") if is_document_told else ""
    facts = opened.visit.list_facts if report.reason is Reason.NONE_LISTED else None
    unproven = emptiness_note(opened.pack.attachments, facts) if facts is not None else ""
    report = replace(report, detail="; ".join(filter(None, (report.detail, left_out, documents, unproven))))
    return _busy(report, results.refusals) if results.refusals else report


async def _with_contents(
    files: list[DownloadedFile], staging: Path, task: POTask, portal_context: PortalContext, pack: Pack, *, until: float
) -> list[DownloadedFile]:
    """Return the files with what is in archives and mails among them, and the PDFs of mails, as far as wanted."""
    sizes = portal_context.downloads.sizes
    if pack.attachments.archive is ArchivePolicy.BESIDE:
        files = await anyio.to_thread.run_sync(unpack_archives, files, sizes, staging)
    if pack.attachments.mail is MailPolicy.UNPACK:
        from poolwright.worker.download.mails.mail_files import unpack_mails  # noqa: PLC0415 - few packs want it

        files = await anyio.to_thread.run_sync(unpack_mails, files, sizes, staging)
    if pack.attachments.mail_pdf:
        from poolwright.worker.rendering.mail_printer import MailPrinter  # noqa: PLC0415 - few packs want it

        printer = MailPrinter(
            portal_context.downloads.context,
            sizes,
            until=until,
            known_files=task.known_files or (),
        )
        files = await printer.with_printed(files, staging)
    return files


async def _select(
    opened: OrderVisit, results: DownloadResults, task: POTask
) -> tuple[list[DownloadedFile | MissedFile], str]:
    """Return the files that are filed or missed, and the part of a sentence about those that are not wanted."""
    rules, announced = opened.pack.attachments, opened.visit.reading.count
    by_source = {one.source: one.pack.attachments for one in results.listed}
    selection = select_files(rules, _in_order(results, task), by_source)
    for file in (*selection.left_out, *selection.repeated):
        await anyio.Path(file.path).unlink(missing_ok=True)
    compared = drop_repeated_answers(selection.fetched)
    if problem := count_problem(rules, announced, results.left_out.get("", []), selection):
        compared.append(MissedFile(label="(list of attachments)", source_url="", problem=problem, is_retryable=True))
    unwanted = [name for names in results.left_out.values() for name in names]
    return compared, describe_left_out([*unwanted, *(file.label for file in selection.left_out)])


def _late_sources(pack: Pack, results: DownloadResults) -> list[MissedFile]:
    """Return the further pages for which no time was left."""
    problem = "no time was left to read it within the order's limit"
    return [
        MissedFile(label=source.name, source_url="", problem=problem, is_retryable=True)
        for source in pack.sources
        if source.name not in results.sources
    ]


def _busy(report: Report, refusals: Sequence[PortalBusyError]) -> Report:
    """Return the report as busy, with the files that came: one file of an order may be refused every time."""
    waits_s = [error.retry_after_s for error in refusals if error.retry_after_s is not None]
    return replace(report, reason=Reason.PORTAL_BUSY, retry_after_s=max(waits_s, default=None))


def _in_order(results: DownloadResults, task: POTask) -> list[DownloadedFile | MissedFile]:
    """Return every file in the order of the pages, so that a second run gives them the same names."""
    late = f"no time was left for it within the order's limit of {task.timeout_s or 0:g} s"
    files: list[DownloadedFile | MissedFile] = []
    for number, listed in enumerate(results.listed):
        fetched = results.fetched.get(number) or [missed_link(listed.link, listed.pack, late)]
        origin = {"source": listed.source, "section": listed.link.section}
        files += [replace(file, **origin) if isinstance(file, DownloadedFile) else file for file in fetched]
    return [*files, *results.missed]


def missed_link(link: PageLink, pack: Pack, problem: str) -> MissedFile:
    """Return the file of a link as missed; another attempt may bring it."""
    return missed_file(pack, link, problem, is_retryable=True)


def _conclude(
    downloaded: Sequence[DownloadedFile], missed: Sequence[MissedFile], fields: dict[str, str], page_url: str
) -> Report:
    detail = summarize_files(downloaded, missed)
    reason = _reason(len(downloaded), missed)
    return Report(reason=reason, detail=detail, fields=fields, missed=tuple(missed), page_url=page_url)


def _reason(saved_count: int, missed: Sequence[MissedFile]) -> Reason:
    can_retry = any(file.is_retryable for file in missed)
    if not missed:
        return Reason.ALL_SAVED if saved_count else Reason.NONE_LISTED
    if saved_count:
        return Reason.SOME_FILES_FAILED if can_retry else Reason.SOME_FILES_REFUSED
    return Reason.DOWNLOAD_FAILED if can_retry else Reason.DOWNLOAD_REFUSED
