"""The one door through which a daemon gets its inbox, where the settings want one."""

from __future__ import annotations

from poolwright.domain.errors import OptionsError
from poolwright.domain.ports import Clock, EventSink
from poolwright.intake.orders import ReadOptions
from poolwright.service.inbox.watch import Inbox, Submit
from poolwright.settings import Settings


def inbox_of(
    settings: Settings, *, submit: Submit, reading: ReadOptions, clock: Clock, observe: EventSink
) -> Inbox | None:
    """Create the inbox watcher; ``None`` if ``inbox_dir`` is not set.

    Raises:
        OptionsError: The inbox is inside the output folder, where each CSV file would be read as a list.
    """
    folder = settings.inbox_dir
    if folder is None:
        return None
    if folder.resolve().is_relative_to(settings.out.resolve()):
        raise OptionsError(
            f"inbox_dir is '{folder}', which is or is inside the output folder '{settings.out}'. "
            "Choose a folder outside of it."
        )
    return Inbox(folder, submit=submit, reading=reading, clock=clock, observe=observe)
