"""Outcomes as people see them: words and colours, best first."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from poolwright.domain.outcomes import Outcome

STYLES: Mapping[Outcome, str] = MappingProxyType(
    {
        Outcome.COMPLETED: "green",
        Outcome.NO_ATTACHMENTS: "green",
        Outcome.PARTIAL: "yellow",
        Outcome.NOT_FOUND: "yellow",
        Outcome.FORBIDDEN: "yellow",
        Outcome.INVALID: "yellow",
        Outcome.FAILED: "red",
        Outcome.QUARANTINED: "red",
        Outcome.CANCELLED: "yellow",
    }
)


def in_words(outcome: Outcome) -> str:
    """``NO_ATTACHMENTS`` as a person says it."""
    return outcome.value.replace("_", " ").lower()
