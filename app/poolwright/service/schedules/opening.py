"""The one door through which a daemon gets its timetable: from its settings, and what it offers to entries."""

from __future__ import annotations

from poolwright.archive.output_tree import PRIVATE_NAME
from poolwright.domain.ports import Clock, EventSink
from poolwright.intake.orders import ReadOptions
from poolwright.service.schedules.conduct import Means
from poolwright.service.schedules.entry import schedules_of
from poolwright.service.schedules.ledger import LEDGER_NAME, Ledger
from poolwright.service.schedules.submitted import Desk
from poolwright.service.schedules.timetable import Timetable
from poolwright.settings import Settings

#: Below the private folder; takes what programs of entries print.
FOLDER_NAME = "schedules"


def timetable_of(
    settings: Settings, *, desk: Desk, reading: ReadOptions, clock: Clock, observe: EventSink
) -> Timetable:
    """The timetable of these settings, to be entered and served. ``Timetable.replace`` takes later settings' entries.

    Args:
        settings: The daemon's own.
        desk: What its queue offers.
        reading: Portal and rules of its lists.
        clock: The time.
        observe: Is told each start, end, miss and overlap as a notice.

    Raises:
        OptionsError: An entry would write into a folder that is not its own, or has a template that cannot be read.
    """
    private = settings.out / PRIVATE_NAME
    means = Means(desk=desk, reading=reading, folder=private / FOLDER_NAME, clock=clock)
    ledger = Ledger(private / LEDGER_NAME)
    return Timetable(schedules_of(settings), ledger=ledger, means=means, observe=observe)
