"""Groups of orders that an earlier run set aside: kept aside at the start of a run, or resumed by a person."""

from __future__ import annotations

from functools import partial

from poolwright.domain.errors import OptionsError
from poolwright.domain.events import Level, Notice
from poolwright.domain.ids import BatchId
from poolwright.domain.ports import EventSink
from poolwright.journal import queries
from poolwright.journal.sqlite_journal import SqliteJournal
from poolwright.service.batch import BatchJob


async def resume_groups(journal: SqliteJournal, job: BatchJob) -> None:
    """Let the groups that the job names be processed again.

    Raises:
        OptionsError: One of them is not set aside; nothing was changed.
    """
    if not job.resumed_groups:
        return
    prefix = "" if job.account is None else job.account.prefix
    aside = await journal.groups_set_aside(prefix)
    unknown = [group for group in job.resumed_groups if group not in aside]
    if unknown:
        known = f"Set aside: {', '.join(sorted(aside))}." if aside else "No group is set aside."
        raise OptionsError(f"The group {unknown[0]} is not set aside, so it cannot be resumed. {known}")
    await journal.resume_groups(prefix, job.resumed_groups)


async def keep_groups_aside(journal: SqliteJournal, batch_id: BatchId, observe: EventSink) -> None:
    """Set the waiting orders of a list aside whose groups an earlier run has set aside, and say so."""
    await journal.keep_aside(batch_id)
    for group, count in (await journal.query(partial(queries.count_set_aside, batch_id=batch_id))).items():
        orders = "1 order of it is" if count == 1 else f"{count:,} orders of it are"
        text = f"The group {group} is still set aside: {orders} not processed."
        observe(Notice(level=Level.WARNING, text=text))
