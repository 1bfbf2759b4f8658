"""Selects the files of an order: those that its pack wants, and each of them once. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from poolwright.domain.tasks import MissedFile
from poolwright.files.names import has_ending
from poolwright.portal.pack_schema import ArchivePolicy, AttachmentRules
from poolwright.worker.download.archive_files import ZIP_TYPE
from poolwright.worker.download.file_name import choose_file_name
from poolwright.worker.download.staged_files import DownloadedFile
from poolwright.worker.page.page_content import PageLink
from poolwright.worker.transfer.content_disposition import NO_DISPOSITION

#: Names that a sentence lists.
_NAMES_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSelection:
    """The links to download, and the names of those that are not wanted."""

    wanted: list[PageLink]
    left_out: list[str]


def select_links(rules: AttachmentRules, links: Sequence[PageLink]) -> LinkSelection:
    """Return the links whose files may be wanted, judged by the page: a name without an ending tells no kind."""
    wanted: list[PageLink] = []
    left_out: list[str] = []
    for link in links:
        label = choose_file_name(rules.names, link.names, NO_DISPOSITION, (link.address,)).label
        if _may_be_wanted(rules, link, label):
            wanted.append(link)
        else:
            left_out.append(label)
    return LinkSelection(wanted=wanted, left_out=left_out)


def _may_be_wanted(rules: AttachmentRules, link: PageLink, label: str) -> bool:
    only = rules.only
    if only is None:
        return True
    if not only.are_places_right(link.conditions):
        return False
    # The content is known only after the download, and the header may give the file another name.
    is_sure = not only.types and has_ending(label) and rules.archive is not ArchivePolicy.UNPACK
    return not is_sure or only.is_kind_right(label)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSelection:
    """The files of an order, and those that are not filed."""

    fetched: list[DownloadedFile | MissedFile]
    #: Files of a kind that the pack does not want.
    left_out: list[DownloadedFile]
    #: Further copies of a file with the same name and content.
    repeated: list[DownloadedFile]


def select_files(
    rules: AttachmentRules,
    fetched: Sequence[DownloadedFile | MissedFile],
    rules_by_source: Mapping[str, AttachmentRules] = MappingProxyType({}),
) -> FileSelection:
    """Return the files that are wanted, each once; a file that came more than once gets a note.

    Args:
        rules: The rules of the order's page.
        fetched: The files, in their order.
        rules_by_source: The rules of further pages, by their names.
    """
    copies = Counter((file.label, file.sha256) for file in fetched if isinstance(file, DownloadedFile))
    selection = FileSelection(fetched=[], left_out=[], repeated=[])
    seen: set[tuple[str, str]] = set()
    for file in fetched:
        if isinstance(file, MissedFile):
            selection.fetched.append(file)
            continue
        key = (file.label, file.sha256)
        if not _is_wanted(rules_by_source.get(file.source, rules), file):
            selection.left_out.append(file)
        elif key in seen:
            selection.repeated.append(file)
        else:
            seen.add(key)
            selection.fetched.append(_with_copies(file, copies[key]))
    return selection


def _is_wanted(rules: AttachmentRules, file: DownloadedFile) -> bool:
    is_locked_archive = rules.archive is ArchivePolicy.UNPACK and file.media_type == ZIP_TYPE
    return rules.only is None or is_locked_archive or rules.only.is_kind_right(file.label, file.media_type)


def _with_copies(file: DownloadedFile, count: int) -> DownloadedFile:
    if count == 1:
        return file
    return replace(
        file, notes=(*file.notes, f"{file.label} came {count} times with the same content and is filed once.")
    )


def describe_left_out(names: Sequence[str]) -> str:
    """Return the part of a sentence about files that are not wanted; empty if there are none."""
    if not names:
        return ""
    more = f" and {len(names) - _NAMES_SHOWN:,} more" if len(names) > _NAMES_SHOWN else ""
    count = "1 file is" if len(names) == 1 else f"{len(names):,} files are"
    return f"{count} not wanted by the portal pack (attachments.only): {', '.join(names[:_NAMES_SHOWN])}{more}"


def count_problem(
    rules: AttachmentRules, announced: int | None, left_out: Sequence[str], selection: FileSelection
) -> str:
    """Return the reason why unpacked archives may not hold all files of the order; empty if the page's count agrees.

    A page may show an archive of all files beside the files, so those that came twice may be counted once.

    Args:
        rules: The pack's rules for attachments.
        announced: The number that the page announces; ``None`` if it announces none.
        left_out: The names of its links that are not wanted.
        selection: The files that came; with one that is missed, the order is not complete anyway.
    """
    if rules.archive is not ArchivePolicy.UNPACK or announced is None:
        return ""
    if any(isinstance(file, MissedFile) for file in selection.fetched):
        return ""
    own = [file for file in selection.fetched if isinstance(file, DownloadedFile) and not file.source]
    once = len(left_out) + len(own) + sum(not file.source for file in selection.left_out)
    if announced in {once, once + sum(not file.source for file in selection.repeated)}:
        return ""
    return f"the page announces {announced:,} attachments, but {once:,} came"
