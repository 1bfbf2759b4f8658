"""What the author of a processor imports, whoever runs it: the script that opens a pool, and the workers of the pool.

- ``Processor``: what one is, and the name of the group of entry points under which a package offers its own.
- ``Tab``: what it works with. ``POTask`` and ``Report``: what it is given, and what it gives back.
- ``RetryLaterError``, ``GiveUpError``, ``SessionLostError``: what it raises where it knows what an error means.
"""

from poolwright.domain.outcomes import Outcome, Reason
from poolwright.domain.tasks import FetchedFile, JsonValue, MissedFile, POTask, Report
from poolwright.sdk.discovery import GROUP
from poolwright.sdk.protocol import GiveUpError, Processor, ProcessorError, RetryLaterError, SessionLostError, Tab

__all__ = [
    "GROUP",
    "FetchedFile",
    "GiveUpError",
    "JsonValue",
    "MissedFile",
    "Outcome",
    "POTask",
    "Processor",
    "ProcessorError",
    "Reason",
    "Report",
    "RetryLaterError",
    "SessionLostError",
    "Tab",
]
