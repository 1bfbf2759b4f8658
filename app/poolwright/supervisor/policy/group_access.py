"""Access to the orders of each group: refusals in a row, and whether the group waits or is set aside. Pure.

A group is the value of a column of the user's list, such as a company code. If a login has no access to it, each of its
orders would be refused one by one. So a group is set aside after a number of refusals in a row. A refusal counts when
it is verified. While results that are not verified could make up that number, further orders of the group wait.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from poolwright.domain.outcomes import Outcome
from poolwright.domain.tasks import POTask

#: Outcomes that only a login with access to an order leads to.
_ACCESS_OUTCOMES = frozenset({Outcome.COMPLETED, Outcome.PARTIAL, Outcome.NO_ATTACHMENTS})


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupAccess:
    """What is known about the access to the groups of a list."""

    #: Refusals in a row after which a group is set aside; ``None`` if none ever is.
    limit: int | None = None
    #: Refusals since the last order of the group that was shown. Groups without any are missing.
    refusal_counts: Mapping[str, int] = field(default_factory=dict[str, int])
    #: Groups that were set aside in this run or before it, with the cause of each.
    set_aside: Mapping[str, str] = field(default_factory=dict[str, str])
    #: Groups whose orders wait for a login check.
    waiting: frozenset[str] = frozenset()

    def record(self, group: str, outcome: Outcome) -> GroupAccess:
        """Return the state after an order of a group has an outcome that is verified.

        An order that was shown ends the row of refusals. One that was not found, or that failed, says nothing.
        """
        if outcome is Outcome.FORBIDDEN:
            counts = {**self.refusal_counts, group: self.refusal_counts.get(group, 0) + 1}
        elif outcome in _ACCESS_OUTCOMES:
            counts = {name: count for name, count in self.refusal_counts.items() if name != group}
        else:
            return self
        return replace(self, refusal_counts=counts)

    def resume(self, group: str) -> GroupAccess:
        """Return the state after a person resumed a group: nothing is held against it."""
        return replace(
            self,
            refusal_counts={name: count for name, count in self.refusal_counts.items() if name != group},
            set_aside={name: cause for name, cause in self.set_aside.items() if name != group},
        )

    def is_refused(self, group: str, unverified_count: int = 0) -> bool:
        """Whether enough orders in a row were refused, with some refusals that are not verified."""
        if self.limit is None or not group or group in self.set_aside:
            return False
        return self.refusal_counts.get(group, 0) + unverified_count >= self.limit

    def suspected(self, unverified: Iterable[tuple[POTask, Outcome]]) -> frozenset[str]:
        """Return the groups that results which are not verified would set aside."""
        counts = Counter(task.group for task, outcome in unverified if outcome is Outcome.FORBIDDEN)
        return frozenset(group for group, count in counts.items() if self.is_refused(group, count))
