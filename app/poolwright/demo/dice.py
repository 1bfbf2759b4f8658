"""Named draws: made-up data that is the same on every machine and in every version of Python.

A draw is a hash of names, never the next number of a stream: asking for one value more shifts no other value, and
nothing needs to be drawn in order. Not for secrets.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """Draws under one name; ``Dice(7, "supplier")`` and ``Dice(7).under("supplier")`` draw the same."""

    __slots__ = ("_name",)

    def __init__(self, *names: object) -> None:
        self._name = "/".join(str(name) for name in names)

    def under(self, *names: object) -> Dice:
        """Draws of their own below this name."""
        return Dice(self._name, *names)

    def below(self, limit: int, *names: object) -> int:
        """A whole number from 0 to ``limit - 1``."""
        text = "/".join((self._name, *(str(name) for name in names)))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % limit

    def fraction(self, *names: object) -> float:
        """A number from 0 up to, not including, 1."""
        return self.below(1 << 53, *names) / (1 << 53)

    def pick(self, choices: Sequence[T], *names: object) -> T:
        """One of the choices."""
        return choices[self.below(len(choices), *names)]

    def shuffled(self, choices: Sequence[T], *names: object) -> list[T]:
        """All choices in a drawn order."""
        ranks = {place: self.fraction(*names, place) for place in range(len(choices))}
        return [choices[place] for place in sorted(ranks, key=ranks.__getitem__)]
