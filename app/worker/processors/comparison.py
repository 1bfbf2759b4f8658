"""The files of one order beside each other: what one alone does not show, and what to tell of all of them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from app.domain.task import MissedFile
from app.worker.staged import Arrived

#: Nobody reads more of them; the manifest has all.
_TOLD_COUNT = 5
_PAGE_TYPES = frozenset({"text/html", "application/xhtml+xml"})


def without_repeats(fetched: Sequence[Arrived | MissedFile]) -> list[Arrived | MissedFile]:
    """The same, but for a web page that came under several names: it is an answer of the portal and none of its files.

    Real files may well be there twice, and under two names.
    """
    arrived = {(one.sha256, one.label) for one in fetched if isinstance(one, Arrived)}
    counts = Counter(sha256 for sha256, _ in arrived)
    return [_judged(one, counts) for one in fetched]


def _judged(one: Arrived | MissedFile, counts: Counter[str]) -> Arrived | MissedFile:
    is_page = isinstance(one, Arrived) and (one.media_type in _PAGE_TYPES or one.is_page)
    if isinstance(one, MissedFile) or not is_page or counts[one.sha256] == 1:
        return one
    problem = "the same web page came under several names, so it is none of the files"
    return MissedFile(label=one.label, source_url=one.source_url, problem=problem, is_retryable=True)


def summary(arrived: Sequence[Arrived], missed: Sequence[MissedFile]) -> str:
    """What a person should know of the files, in a line: what is missing, then what is odd."""
    problems = _shortened([f"{one.label}: {one.problem}" for one in missed])
    notes = _shortened([note for one in arrived for note in one.notes])
    return "; ".join((*problems, *(note.removesuffix(".") for note in notes)))


def _shortened(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:_TOLD_COUNT]
    if len(lines) > _TOLD_COUNT:
        yield f"and {len(lines) - _TOLD_COUNT:,} more"
