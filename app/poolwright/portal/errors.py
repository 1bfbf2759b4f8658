"""The error for a portal pack that is refused, with each of its problems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from poolwright.domain.errors import PoolError


@dataclass(frozen=True, slots=True, kw_only=True)
class PackProblem:
    """One mistake in a pack."""

    #: What is wrong, without the key.
    text: str
    #: The key in the file, with dots between its levels; empty if the file as a whole is meant.
    key: str = ""
    #: From 1; ``None`` if it is unknown.
    line: int | None = None
    #: In characters, from 1; ``None`` if it is unknown.
    column: int | None = None

    @property
    def sentence(self) -> str:
        """The key and what is wrong with it, without the position."""
        return f"{self.key}: {self.text}" if self.key else self.text

    def __str__(self) -> str:
        """Return the sentence, with the position if that is known."""
        return f"{self.sentence} (line {self.line}, column {self.column})" if self.line else self.sentence


class PackError(PoolError):
    """A portal pack is missing or invalid. ``problems`` has one sentence for each mistake, with its key in the file."""

    def __init__(self, name: str, problems: Sequence[PackProblem | str]) -> None:
        """Collect all problems, so that an author can correct them at once."""
        self.name = name
        self.findings = tuple(
            problem if isinstance(problem, PackProblem) else PackProblem(text=problem) for problem in problems
        )
        self.problems = tuple(map(str, self.findings))
        super().__init__(f"portal pack {name}: " + "; ".join(self.problems))
