"""Sets a group of orders aside after several refusals in a row, and lets its orders wait until these are verified.

Orders in progress are finished. What became of the refused orders themselves stays as the portal said. Pure.
"""

from __future__ import annotations

from dataclasses import replace

from poolwright.domain.order_groups import NEXT_STEP, quoted_group
from poolwright.domain.tasks import POTask, Report
from poolwright.supervisor.policy.commands import ReleaseGroup, ReopenGroup, SetAside, WithholdGroup
from poolwright.supervisor.policy.draft import Draft
from poolwright.supervisor.policy.events import GroupResumed, TaskWithheld


def count_access(draft: Draft, task: POTask, report: Report) -> None:
    """Count a verified outcome for the group of its order; set the group aside if enough in a row were refused."""
    if not task.group:
        return
    groups = draft.groups.record(task.group, report.outcome)
    if groups.is_refused(task.group):
        cause = set_aside_cause(task, groups.refusal_counts[task.group])
        groups = replace(groups, set_aside={**groups.set_aside, task.group: cause})
        draft.emit(SetAside(group=task.group, cause=cause, is_new=True))
    draft.groups = groups


def set_aside_cause(task: POTask, count: int) -> str:
    """Return why a group is set aside and what to do, in whole sentences."""
    name = quoted_group(task.group)
    refused = "1 order of it was" if count == 1 else f"{count} orders of it in a row were"
    return (
        f"The group {task.group} was set aside: {refused} refused for lack of access, the last one {task.po_number}. "
        f"{NEXT_STEP}, resume it: `poolwright resume-group {name}` with a daemon, otherwise "
        f"`poolwright run LIST --resume-group {name}`."
    )


def suspected_groups(draft: Draft) -> frozenset[str]:
    """Return the groups that the results which are held back would set aside."""
    rows = (slot.unverified.row for slot in draft.slots.values())
    return draft.groups.suspected((result.task, result.report.outcome) for row in rows for result in row)


def withhold_suspected(draft: Draft) -> None:
    """Let no order of a suspected group start, and those of others start again. Called after every event."""
    suspected = suspected_groups(draft)
    waiting = draft.groups.waiting
    if suspected == waiting:
        return
    for group in sorted(suspected - waiting):
        draft.emit(WithholdGroup(group=group))
    for group in sorted(waiting - suspected - draft.groups.set_aside.keys()):
        draft.emit(ReleaseGroup(group=group))
    draft.groups = replace(draft.groups, waiting=suspected)


def on_task_withheld(draft: Draft, event: TaskWithheld) -> None:
    """Set aside an order that returned to the queue, or came to it, after its group was set aside."""
    cause = draft.groups.set_aside.get(event.task.group)
    if cause is not None:
        draft.emit(SetAside(group=event.task.group, cause=cause))


def on_group_resumed(draft: Draft, event: GroupResumed) -> None:
    """Let the orders of a group that is set aside be processed again."""
    if event.group in draft.groups.set_aside:
        draft.groups = draft.groups.resume(event.group)
        draft.emit(ReopenGroup(group=event.group))
