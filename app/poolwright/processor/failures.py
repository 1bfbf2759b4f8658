"""What a processor raises where it knows what an error means. Anything else that it raises is an error it did not know.

Each carries one sentence for the person who reads the report.
"""

from __future__ import annotations

import math


class ProcessorError(Exception):
    """Base class of the errors that a processor raises on purpose."""


class RetryLaterError(ProcessorError):
    """Another attempt may help. It is made after a pause, as long as ``max_attempts`` lets it."""

    def __init__(self, detail: str, *, after_s: float | None = None) -> None:
        """Ask for another attempt.

        Args:
            detail: One sentence: what kept the work from being done.
            after_s: Seconds to wait at least, of which the pool heeds five minutes; else it decides alone.

        Raises:
            ValueError: The time is negative or infinite.
        """
        super().__init__(detail)
        if after_s is not None and not 0 <= after_s < math.inf:
            msg = f"after_s is {after_s}; it must be a finite number of seconds, 0 or more."
            raise ValueError(msg)
        self.after_s = after_s


class GiveUpError(ProcessorError):
    """No attempt will help: the task ends as failed at once, with this sentence."""


class SessionLostError(ProcessorError):
    """The portal has logged us out. Not the task's fault: it goes back to the queue, and the login is brought back."""
