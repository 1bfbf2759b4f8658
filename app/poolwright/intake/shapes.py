"""Numbers of one list that do not look alike are told: one of them may be something else. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from poolwright.domain.ids import TaskId
from poolwright.domain.tasks import OrderRow, POTask
from poolwright.intake.grid import named_rows

#: So many kinds are told apart in the sentence.
_SHOWN_KINDS = 4


def shape_notices(rows: Sequence[OrderRow], tasks: Mapping[TaskId, POTask]) -> Iterator[str]:
    """One sentence where the order numbers are of different kinds or lengths."""
    places: dict[str, dict[TaskId, int]] = {}
    for row in rows:
        if row.task_id is not None:
            places.setdefault(_shape(tasks[row.task_id].portal_number), {}).setdefault(row.task_id, row.row_no)
    if len(places) < 2:  # noqa: PLR2004  # alike
        return
    by_count = sorted(places.items(), key=lambda item: -len(item[1]))
    kinds = [f"{len(found)} of {shape}" for shape, found in by_count[:1]]
    kinds += [
        f"{len(found)} of {shape} ({named_rows(list(found.values()))})" for shape, found in by_count[1:_SHOWN_KINDS]
    ]
    more = len(by_count) - _SHOWN_KINDS
    tail = f" and {more} more kinds" if more > 0 else ""
    yield f"The order numbers are of different kinds: {', '.join(kinds)}{tail}; check that all of them are orders."


def _shape(number: str) -> str:
    """``10 digits``, or how many letters, digits and signs."""
    if number.isdigit():
        return f"{len(number)} digits"
    has_digits = any(map(str.isdigit, number))
    has_letters = any(map(str.isalpha, number))
    words = {(True, True): "letters and digits", (False, True): "letters", (True, False): "digits and signs"}
    return f"{len(number)} {words.get((has_digits, has_letters), 'signs')}"
