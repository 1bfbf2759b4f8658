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
    """The one user of the portal. Made up, and written on the console: no secret."""

    user: str = "analyst@alder.example"
    password: str = "demo-password"  # noqa: S105 - the portal is made up, so is its password
    #: Secret of its one-time codes, as base32 or otpauth:// address; empty where the password is enough.
    totp_secret: str = ""


@dataclass(slots=True)
class _Session:
    visit: str
    last_used_s: float


class Sessions:
    """The live sessions and the unused form tokens.

    Args:
        clock: Monotonic seconds.
        lifetime_s: A session unused for so long is over; nothing means never.
    """

    def __init__(self, *, clock: Callable[[], float], lifetime_s: float | None) -> None:
        self._clock = clock
        self._lifetime_s = lifetime_s
        self._live: dict[str, _Session] = {}
        self._form_tokens: OrderedDict[str, None] = OrderedDict()
        self._half_way: set[str] = set()
        self._pages_left: int | None = None
        self._pages_between: int | None = None
        self._expiries_left = 0
        #: Whether the cookie without expiry is needed too. Set by the admin API.
        self.needs_visit_cookie = False

    def form_token(self) -> str:
        """A new token for one login form."""
        token = secrets.token_urlsafe(24)
        self._form_tokens[token] = None
        if len(self._form_tokens) > _FORM_TOKENS_MAX:
            self._form_tokens.popitem(last=False)
        return token

    def redeem_form_token(self, token: str) -> bool:
        """Whether the portal gave out that token and nobody used it yet."""
        return self._form_tokens.pop(token, token) is None

    def begin_login(self) -> str:
        """The password was right, and a code is to follow; gives the value of the cookie that says so."""
        token = secrets.token_urlsafe(24)
        self._half_way.add(token)
        return token

    def is_login_pending(self, token: str) -> bool:
        """Whether a code is waited for."""
        return token in self._half_way

    def complete_login(self, token: str) -> None:
        """The code was right."""
        self._half_way.discard(token)

    def log_in(self) -> tuple[str, str]:
        """Log in; gives the values of the session cookie and of the visit cookie."""
        token, visit = secrets.token_urlsafe(32), secrets.token_urlsafe(16)
        self.admit(token, visit)
        return token, visit

    def admit(self, token: str, visit: str) -> None:
        """Let somebody in who brings these cookies along, from another portal perhaps."""
        self._live[token] = _Session(visit, self._clock())

    def visitors(self) -> dict[str, str]:
        """The values of the session cookies of everybody who is logged in, each with that of the visit cookie."""
        return {token: session.visit for token, session in self._live.items()}

    def log_out(self, token: str) -> None:
        """Log out."""
        self._live.pop(token, None)

    def is_live(self, token: str, visit: str) -> bool:
        """Whether these cookies are logged in; being asked keeps a session alive."""
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
        """The same for an order page, which counts towards ``expire_all(after_pages=...)``."""
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
        """End every session: at once, or when the order page after so many more is asked for, so many times over."""
        self._pages_left = self._pages_between = after_pages or None
        self._expiries_left = times
        if not after_pages:
            self._live.clear()


class TotpVerifier:
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
