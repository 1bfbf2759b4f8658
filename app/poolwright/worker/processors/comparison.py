"""The files of one order beside each other: what one alone does not show, and what to tell of all of them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from poolwright.domain.tasks import MissedFile
from poolwright.worker.staged import Arrived

#: Nobody reads more of them; the manifest has all.
_TOLD_COUNT = 5
#: A text of so few bytes may be an answer of the portal that nobody knew as such.
_SHORT_BYTES = 1024
_PAGE_TYPES = frozenset({"text/html", "application/xhtml+xml"})


def without_repeats(fetched: Sequence[Arrived | MissedFile]) -> list[Arrived | MissedFile]:
    """The same, but for what can only be an answer of the portal and none of its files.

    That is a web page that came under several names, and a text that came for files of several kinds. Real files may
    well be there twice, and under two names; of short texts that are, it is told.
    """
    names = {(one.sha256, one.label) for one in fetched if isinstance(one, Arrived)}
    kinds = {(one.sha256, one.media_type) for one in fetched if isinstance(one, Arrived) and one.is_text}
    seen = _Seen(Counter(sha256 for sha256, _ in names), Counter(sha256 for sha256, _ in kinds))
    return [_judged(one, seen) for one in fetched]


@dataclass(frozen=True, slots=True)
class _Seen:
    """Under how many names, and for how many kinds of files, the same bytes came."""

    names: Counter[str]
    kinds: Counter[str]


def _judged(one: Arrived | MissedFile, seen: _Seen) -> Arrived | MissedFile:
    if isinstance(one, MissedFile) or seen.names[one.sha256] == 1:
        return one
    problem = ""
    if one.media_type in _PAGE_TYPES or one.is_page:
        problem = "the same web page was sent under several names, so it is not a file"
    elif seen.kinds[one.sha256] > 1:
        problem = "the same text was sent for files of several types, so it is not a file"
    if problem:
        return MissedFile(label=one.label, source_url=one.source_url, problem=problem, is_retryable=True)
    if not one.is_text or one.size_bytes > _SHORT_BYTES:
        return one
    note = (
        f"{one.label} holds the same {one.size_bytes:,} bytes as another file of the order: check whether it is a file."
    )
    return replace(one, notes=(*one.notes, note))


def summary(arrived: Sequence[Arrived], missed: Sequence[MissedFile]) -> str:
    """What a person should know of the files, in a line: what is missing, then what is odd."""
    problems = _shortened([f"{one.label}: {one.problem}" for one in missed])
    notes = _shortened([note for one in arrived for note in one.notes])
    return "; ".join((*problems, *(note.removesuffix(".") for note in notes)))


def _shortened(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:_TOLD_COUNT]
    if len(lines) > _TOLD_COUNT:
        yield f"and {len(lines) - _TOLD_COUNT:,} more"
