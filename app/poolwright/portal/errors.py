"""The error for a portal pack that is refused."""

from __future__ import annotations

from poolwright.domain.errors import PoolError


class PackError(PoolError):
    """A portal pack is missing or invalid. ``problems`` has one sentence for each mistake, with its key in the file."""

    def __init__(self, name: str, problems: tuple[str, ...]) -> None:
        """Collect all problems, so that an author can correct them at once."""
        super().__init__(f"portal pack {name}: " + "; ".join(problems))
        self.name = name
        self.problems = problems
