"""What came of looking at a finished order again: which of its files are new, changed, withdrawn or the same. Pure.

A refresh that fails changes nothing: the earlier outcome, its files and its report stay, with a sentence about it.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, Self, TypeVar

from poolwright.domain.outcomes import Outcome

#: Outcomes of orders that can be looked at again, and outcomes of a refresh that succeeded.
REFRESHED = frozenset({Outcome.COMPLETED, Outcome.NO_ATTACHMENTS})
#: Files that a sentence names; the manifest lists all.
NAMES_SHOWN = 5


class NamedContent(Protocol):
    """A file, as far as it is compared."""

    @property
    def name(self) -> str:
        """Its name in the folder of the order."""
        ...

    @property
    def label(self) -> str:
        """The portal's name for it."""
        ...

    @property
    def sha256(self) -> str:
        """The hash of its content."""
        ...


F = TypeVar("F", bound=NamedContent)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChanges:
    """The files of an order compared with those that it had, by their names in its folder."""

    new: tuple[str, ...] = ()
    #: Other content under the same name or label, or the same content under another name.
    changed: tuple[str, ...] = ()
    withdrawn: tuple[str, ...] = ()
    same_count: int = 0

    @property
    def is_same(self) -> bool:
        """Whether nothing differs."""
        return not (self.new or self.changed or self.withdrawn)

    def describe(self) -> str:
        """Return the changes for a sentence: ``1 new (a.pdf), 2 withdrawn (b.pdf, c.pdf), 3 the same``."""
        if self.is_same:
            return f"nothing changed ({self.same_count:,} {'file' if self.same_count == 1 else 'files'})"
        kinds = (("new", self.new), ("changed", self.changed), ("withdrawn", self.withdrawn))
        return ", ".join((*(_named(kind, names) for kind, names in kinds if names), f"{self.same_count:,} the same"))


def _named(kind: str, names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMES_SHOWN:,} more" if len(names) > NAMES_SHOWN else ""
    return f"{len(names):,} {kind} ({', '.join(names[:NAMES_SHOWN])}{more})"


def compare_files(known: Iterable[NamedContent], files: Iterable[NamedContent]) -> FileChanges:
    """Compare the files of an order with those that it had.

    A file with the same name and content is the same. Of the others, each is matched with an earlier one by content,
    by name and by label, in this order; without a match it is new. Earlier files without a match are withdrawn.
    """
    known_files = list(known)
    exact = Counter((file.name, file.sha256) for file in known_files)
    left, same_count = list[NamedContent](), 0
    for file in files:
        if exact[file.name, file.sha256]:
            exact[file.name, file.sha256] -= 1
            same_count += 1
        else:
            left.append(file)
    rest = _without_matched(known_files, exact)
    changed = list[NamedContent]()
    for key in (_content, _name_key, _label):
        left, rest = _match(left, rest, key, changed)
    return FileChanges(
        new=tuple(file.name for file in left),
        changed=tuple(file.name for file in changed),
        withdrawn=tuple(file.name for file in rest),
        same_count=same_count,
    )


def _without_matched(known: Sequence[F], unmatched: Counter[tuple[str, str]]) -> list[F]:
    rest = list[F]()
    for file in known:
        if unmatched[file.name, file.sha256]:
            unmatched[file.name, file.sha256] -= 1
            rest.append(file)
    return rest


def _match(
    files: list[NamedContent],
    known: list[NamedContent],
    key: Callable[[NamedContent], str],
    changed: list[NamedContent],
) -> tuple[list[NamedContent], list[NamedContent]]:
    """Move files that have an earlier one with the same key to ``changed``; return what is left of both."""
    free = Counter(map(key, known))
    left = list[NamedContent]()
    used: Counter[str] = Counter()
    for file in files:
        if used[key(file)] < free[key(file)]:
            used[key(file)] += 1
            changed.append(file)
        else:
            left.append(file)
    rest = list[NamedContent]()
    for file in known:
        if used[key(file)]:
            used[key(file)] -= 1
        else:
            rest.append(file)
    return left, rest


def _content(file: NamedContent) -> str:
    return file.sha256


def _name_key(file: NamedContent) -> str:
    return unicodedata.normalize("NFC", file.name).casefold()


def _label(file: NamedContent) -> str:
    return file.label


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshResult:
    """The end of one refresh."""

    #: Aware UTC.
    at: datetime
    #: ``None`` if it failed.
    changes: FileChanges | None = None
    #: Why it failed, as a part of a sentence; empty if it did not.
    problem: str = ""

    @property
    def keeps_earlier(self) -> bool:
        """Whether the earlier outcome, its files and its report stay as they are."""
        return self.changes is None or self.changes.is_same

    @property
    def sentence(self) -> str:
        """The sentence for the report and the screen."""
        if self.changes is None:
            return (
                f"Looked at again on {self.at:%Y-%m-%d} without success, so the earlier result stays: {self.problem}."
            )
        return f"Looked at again on {self.at:%Y-%m-%d}: {self.changes.describe()}."

    def to_json(self) -> dict[str, Any]:
        """Return it as a JSON object, without the time."""
        changes = self.changes
        return {
            "is_done": changes is not None,
            "new": list(changes.new) if changes else [],
            "changed": list(changes.changed) if changes else [],
            "withdrawn": list(changes.withdrawn) if changes else [],
            "same_count": changes.same_count if changes else 0,
            "problem": self.problem,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any], at: datetime) -> Self:
        """Return the result that ``to_json`` wrote."""
        if not value["is_done"]:
            return cls(at=at, problem=value["problem"])
        changes = FileChanges(
            new=tuple(value["new"]),
            changed=tuple(value["changed"]),
            withdrawn=tuple(value["withdrawn"]),
            same_count=value["same_count"],
        )
        return cls(at=at, changes=changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshCounts:
    """What came of looking at many orders again."""

    same_count: int = 0
    changed_count: int = 0
    failed_count: int = 0
    #: Files of the orders that changed.
    new_file_count: int = 0
    changed_file_count: int = 0
    withdrawn_file_count: int = 0

    @classmethod
    def count(cls, results: Iterable[RefreshResult]) -> Self:
        """Count the results of orders."""
        counts = Counter[str]()
        for result in results:
            changes = result.changes
            kind = "failed_count" if changes is None else "same_count" if changes.is_same else "changed_count"
            counts[kind] += 1
            if changes is not None:
                counts["new_file_count"] += len(changes.new)
                counts["changed_file_count"] += len(changes.changed)
                counts["withdrawn_file_count"] += len(changes.withdrawn)
        return cls(**counts)

    @property
    def order_count(self) -> int:
        """The number of orders that were looked at."""
        return self.same_count + self.changed_count + self.failed_count

    @property
    def sentence(self) -> str:
        """The sentence for a summary: how many orders were looked at again, and what came of it."""
        parts = [f"{self.same_count:,} the same"] if self.same_count else []
        if self.changed_count:
            files = (
                f"{self.new_file_count:,} new, {self.changed_file_count:,} changed and "
                f"{self.withdrawn_file_count:,} withdrawn files"
            )
            parts.append(f"{self.changed_count:,} changed ({files})")
        if self.failed_count:
            kept = "its earlier result stays" if self.failed_count == 1 else "their earlier results stay"
            parts.append(f"{self.failed_count:,} without success, so {kept}; see the report")
        orders = "1 order" if self.order_count == 1 else f"{self.order_count:,} orders"
        return f"Looked at again: {orders}; {', '.join(parts)}."


def refresh_result(
    known: Iterable[NamedContent], outcome: Outcome, files: Iterable[NamedContent], at: datetime, *, problem: str
) -> RefreshResult:
    """Return the result of a refresh.

    Args:
        known: The files that the order had.
        outcome: The outcome of the new attempt.
        files: The files of the new attempt.
        at: Aware UTC now.
        problem: The detail of the new attempt, for a refresh that failed.
    """
    if outcome not in REFRESHED:
        cause = outcome.value.replace("_", " ").lower()
        detail = problem.strip().rstrip(".")
        return RefreshResult(at=at, problem=f"{cause}, {detail}" if detail else cause)
    return RefreshResult(at=at, changes=compare_files(known, files))
