"""Outcomes "not found" of one session, kept back until it has proven that it was logged in when it read those pages."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from poolwright.domain.ids import TaskId
from poolwright.domain.tasks import POTask, Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubted:
    """One outcome that is kept back."""

    task: POTask
    report: Report
    #: What its worker had in hand beside it. Their pages were perhaps read before: their success proves nothing.
    beside: frozenset[TaskId]

    @property
    def task_id(self) -> TaskId:
        """Whose outcome it is."""
        return self.task.task_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """The outcomes of one worker that are kept back, in the order in which they came."""

    row: tuple[Doubted, ...] = ()
    #: The tasks that the running login check covers; ``None`` if no check runs.
    probed: frozenset[TaskId] | None = None
    #: In hand when the session was last lost: whatever they do not find, they may have looked for without a login.
    tainted: frozenset[TaskId] = frozenset()

    @property
    def is_probing(self) -> bool:
        """Whether an answer is waited for."""
        return self.probed is not None

    @property
    def task_ids(self) -> frozenset[TaskId]:
        """Whose outcomes are kept back."""
        return frozenset(one.task_id for one in self.row)

    def add(self, doubted: Doubted) -> Doubt:
        """One more."""
        return replace(self, row=(*self.row, doubted))

    def ask(self) -> Doubt:
        """A probe begins. It tells about pages that were read before it, and so about no later ones."""
        return replace(self, probed=self.task_ids)

    def answered(self) -> Doubt:
        """The probe is over."""
        return replace(self, probed=None)

    def without(self, task_ids: Collection[TaskId]) -> Doubt:
        """The same without those that were proven."""
        return replace(self, row=tuple(one for one in self.row if one.task_id not in task_ids))

    def untaint(self, task_id: TaskId) -> Doubt:
        """A task was looked for in vain, and goes back for it once."""
        return replace(self, tainted=self.tainted - {task_id})

    def cleared(self, tainted: Collection[TaskId]) -> Doubt:
        """Nothing is kept back any more; a probe that is still under way proves nothing."""
        return Doubt(probed=None if self.probed is None else frozenset(), tainted=frozenset(tainted))
