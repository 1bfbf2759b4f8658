"""The authentication of the demo portal: its account, sessions, form tokens and one-time codes."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import pyotp
from pyotp.totp import TOTP

_FORM_TOKENS_MAX = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalUser:
    """The only user of the portal. The values are made up and printed, so they are not secret."""

    user: str = "analyst@alder.example"
    password: str = "demo-password"  # noqa: S105 - the portal is made up, so is its password
    #: Secret of its one-time codes, as base32 or otpauth:// address; empty if the password is enough.
    totp_secret: str = ""


@dataclass(slots=True)
class _Session:
    visit: str
    last_used_s: float


class Sessions:
    """The active sessions and the unused form tokens.

    Args:
        clock: Monotonic time in seconds.
        lifetime_s: A session ends when unused for this time; ``None`` for never.
    """

    def __init__(self, *, clock: Callable[[], float], lifetime_s: float | None) -> None:
        self._clock = clock
        self._lifetime_s = lifetime_s
        self._live: dict[str, _Session] = {}
        self._form_tokens: OrderedDict[str, None] = OrderedDict()
        self._pending_logins: set[str] = set()
        self._pages_left: int | None = None
        self._pages_between: int | None = None
        self._expiries_left = 0
        #: Whether a session needs the session-only visit cookie, too. Set by the admin API.
        self.needs_visit_cookie = False

    def form_token(self) -> str:
        """Return a new token for one login form."""
        token = secrets.token_urlsafe(24)
        self._form_tokens[token] = None
        if len(self._form_tokens) > _FORM_TOKENS_MAX:
            self._form_tokens.popitem(last=False)
        return token

    def redeem_form_token(self, token: str) -> bool:
        """Invalidate a form token; return whether it was valid."""
        return self._form_tokens.pop(token, token) is None

    def begin_login(self) -> str:
        """Start a login whose one-time code is still missing; return the value of its cookie."""
        token = secrets.token_urlsafe(24)
        self._pending_logins.add(token)
        return token

    def is_login_pending(self, token: str) -> bool:
        """Return whether this login is waiting for its code."""
        return token in self._pending_logins

    def complete_login(self, token: str) -> None:
        """End the waiting for the code of a login."""
        self._pending_logins.discard(token)

    def log_in(self) -> tuple[str, str]:
        """Create a session; return the values of the session cookie and of the visit cookie."""
        token, visit = secrets.token_urlsafe(32), secrets.token_urlsafe(16)
        self.admit(token, visit)
        return token, visit

    def admit(self, token: str, visit: str) -> None:
        """Create a session with the given cookies, for example those of another portal."""
        self._live[token] = _Session(visit, self._clock())

    def visitors(self) -> dict[str, str]:
        """Return the values of the session cookies of all sessions, each with that of the visit cookie."""
        return {token: session.visit for token, session in self._live.items()}

    def log_out(self, token: str) -> None:
        """End a session."""
        self._live.pop(token, None)

    def is_live(self, token: str, visit: str) -> bool:
        """Return whether these cookies belong to an active session; each call extends it."""
        session = self._live.get(token)
        if session is None or (self.needs_visit_cookie and session.visit != visit):
            return False
        now_s = self._clock()
        if self._lifetime_s is not None and now_s - session.last_used_s > self._lifetime_s:
            del self._live[token]
            return False
        session.last_used_s = now_s
        return True

    def may_open_page(self, token: str, visit: str) -> bool:
        """Return the same for an order page, which counts for ``expire_all(after_pages=...)``."""
        if not self.is_live(token, visit):
            return False
        if self._pages_left is None:
            return True
        if self._pages_left == 0:
            self._live.clear()
            self._expiries_left -= 1
            self._pages_left = self._pages_between if self._expiries_left else None
            return False
        self._pages_left -= 1
        return True

    def expire_all(self, *, after_pages: int = 0, times: int = 1) -> None:
        """End all sessions: at once, or at the request after ``after_pages`` order pages, and this ``times`` times."""
        self._pages_left = self._pages_between = after_pages or None
        self._expiries_left = times
        if not after_pages:
            self._live.clear()


class TotpVerifier:
    """Checks the one-time codes of the account."""

    def __init__(self, secret: str, clock: Callable[[], float]) -> None:
        """Read the secret.

        Args:
            secret: Base32 text or an ``otpauth://totp/`` address.
            clock: Wall time in seconds since 1970.
        """
        totp = pyotp.parse_uri(secret) if "://" in secret else TOTP(secret)
        if not isinstance(totp, TOTP):
            msg = "The secret is not one of time-based codes (TOTP)."
            raise TypeError(msg)
        self._totp = totp
        self._clock = clock
        self._last_step = -1

    def accepts(self, code: str) -> bool:
        """Return whether the code is valid now and was not used before."""
        now = int(self._clock() // self._totp.interval)
        for step in (now, now - 1):
            expected = self._totp.generate_otp(step)
            if step > self._last_step and secrets.compare_digest(code.strip().encode(), expected.encode()):
                self._last_step = step
                return True
        return False
