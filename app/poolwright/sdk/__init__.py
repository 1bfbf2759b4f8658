"""The interface for authors of processors, in the script that opens a pool and in the workers of the pool.

- ``Processor``: the signature of a processor. ``GROUP``: the entry point group in which a package offers its own.
- ``Tab``: the tab in which it works. ``POTask`` and ``Report``: its input and its result.
- ``RetryLaterError``, ``GiveUpError``, ``SessionLostError``: the errors that it raises to decide about the task.
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
