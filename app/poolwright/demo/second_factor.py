"""One-time codes as a portal checks them: each is good once, and for the step after its own."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import pyotp
from pyotp.totp import TOTP


class SecondFactor:
    """The codes of the one account."""

    def __init__(self, secret: str, clock: Callable[[], float]) -> None:
        """Check against a secret.

        Args:
            secret: Base32 text or an ``otpauth://totp/`` address.
            clock: Seconds since 1970.
        """
        found = pyotp.parse_uri(secret) if "://" in secret else TOTP(secret)
        if not isinstance(found, TOTP):
            msg = "not a secret of codes that go by time"
            raise TypeError(msg)
        self._totp = found
        self._clock = clock
        self._last_step = -1

    def accepts(self, code: str) -> bool:
        """Whether the code is right now, and was not given before."""
        now = int(self._clock() // self._totp.interval)
        for step in (now, now - 1):
            right = self._totp.generate_otp(step)
            if step > self._last_step and secrets.compare_digest(code.strip().encode(), right.encode()):
                self._last_step = step
                return True
        return False
