"""Why a pack is not taken."""

from __future__ import annotations

from poolwright.domain.errors import PoolError


class PackError(PoolError):
    """A portal pack is missing or wrong. ``problems`` holds one sentence for each place in the file."""

    def __init__(self, name: str, problems: tuple[str, ...]) -> None:
        """Keep every problem, so that an author can mend them in one go."""
        super().__init__(f"portal pack {name}: " + "; ".join(problems))
        self.name = name
        self.problems = problems
