"""One-time codes for a portal's second factor (TOTP, RFC 6238); every code is used once.

The secret stays in the supervisor: a worker receives one code with the command to log in.
"""

from __future__ import annotations

import anyio
import pyotp
from pyotp.totp import TOTP

from poolwright.domain.errors import OptionsError
from poolwright.domain.options import Secret
from poolwright.domain.ports import Clock

#: Shortest validity of a code that is handed out: one that expires sooner would be refused before the form is sent.
LEAST_LEFT_S = 3.0
_INVALID = "Invalid TOTP secret: expected base32 text or an otpauth://totp/ URI."


class TotpGenerator:
    """Generates the codes of one account."""

    def __init__(self, secret: Secret, clock: Clock) -> None:
        """Read the secret.

        Args:
            secret: Base32 text, or an ``otpauth://totp/`` address, which may name digits, period and digest.
            clock: Source of the current time.

        Raises:
            OptionsError: The secret is neither.
        """
        self._totp = _parse_secret(secret.text)
        self._clock = clock
        self._last_step = -1
        self._turn = anyio.Lock()

    async def next_code(self) -> str:
        """Return a code that was not used before; wait for the next one if necessary, at most one period and 3 s."""
        async with self._turn:
            now_s = self._clock.now().timestamp()
            period_s = self._totp.interval
            step = max(int((now_s + LEAST_LEFT_S) // period_s), self._last_step + 1)
            self._last_step = step
            await anyio.sleep(max(0.0, step * period_s - now_s))
            return self._totp.generate_otp(step)


def totp_from_secret(secret: Secret, clock: Clock) -> TotpGenerator | None:
    """Return the code generator of a secret, or ``None`` if the secret is empty.

    Raises:
        OptionsError: The secret is invalid.
    """
    return TotpGenerator(secret, clock) if secret else None


def _parse_secret(text: str) -> TOTP:
    try:
        totp = pyotp.parse_uri(text) if "://" in text else TOTP("".join(text.split()).upper())
        totp.generate_otp(0)
    except (ValueError, TypeError, LookupError) as error:
        raise OptionsError(_INVALID) from error
    if not isinstance(totp, TOTP):
        raise OptionsError(_INVALID)
    return totp
